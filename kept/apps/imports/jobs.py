"""Work of imports in the background. Each may be broken off anywhere and run again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from kept.apps.imports import committing, staging, undoing
from kept.apps.imports.models import COMMITTED, STAGED, STAGING, Import
from kept.platform.jobs.task import daily, job
from kept.platform.jobs.worker import progress
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import accounts_in_force

STAGED_FOR = timedelta(days=7)
UNDO_FOR = timedelta(days=30)
"""How long a committed import can be undone and its rejects fetched; then its key is destroyed."""


@job("imports.commit", unique=("import_id",))
def commit_import(account_id: int, import_id: int) -> None:
    """Carry an import's commit to its end."""
    committing.commit_now(account_id, import_id, lambda done, total: progress(done, total, "batches"))


@job("imports.undo", unique=("import_id",))
def undo_import(account_id: int, import_id: int) -> None:
    """Carry an import's undoing to its end."""
    undoing.undo_now(account_id, import_id, lambda done, total: progress(done, total, "people"))


@job("imports.expire", schedule=daily("03:40"))
def expire_imports() -> None:
    """Destroy what is staged, rejected or remembered for longer than it may be."""
    now = timezone.now()
    for account in accounts_in_force():
        with bookkeeping(account.pk) as use:
            stale = Import.under(use).filter(state__in=(STAGING, STAGED), created_at__lt=now - STAGED_FOR)
            old = Import.under(use).filter(state=COMMITTED, committed_at__lt=now - UNDO_FOR, key_id__isnull=False)
            dropped, ended = [list(rows.values_list("pk", flat=True)) for rows in (stale, old)]
        for import_id in dropped:
            staging.discard(account.pk, import_id)
        for import_id in ended:
            staging.destroy(account.pk, import_id)

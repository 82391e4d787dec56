"""An account's notice: activation, and the compiled policy of the version in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from django.utils import timezone

from kept.core.errors import NoNotice, NoticeError
from kept.core.notice import Policy, check, compile, parse
from kept.platform.accounts.models import Account
from kept.platform.data.guard.install import open_columns
from kept.platform.data.use import Columns
from kept.platform.privacy import ledger, masks
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import NoticeVersion


def activate(account: Account, text: str, actor: str, *, filename: str = "notice.md") -> NoticeVersion:
    """Check a notice and put it in force. Raises NoticeError, with the findings, when it does not pass `check`.

    While masks are computed the old version rules, and whoever either version keeps out stays out; then one row flips.
    """
    notice = parse(text, filename=filename)
    errors = [finding for finding in check(notice) if finding.level == "error"]
    if errors:
        raise NoticeError(f"The notice has {len(errors)} errors.", findings=errors, place=filename, cure="Run `kept check` on it.")
    before = _version(account.notice_version)
    policy = compile(notice, bits=before.bits if before else None)
    for purpose in policy.purposes.values():
        open_columns(Columns(purpose.categories, purpose.categories))
    ledger.signing_key(account.pk)
    old = compiled(before.pk) if before else None
    masks.recompute(account.pk, policy, also=old)
    now = timezone.now()
    with bookkeeping(account.pk, writing=True) as use:
        version = NoticeVersion.objects.create(
            account_id=account.pk,
            number=(before.number if before else 0) + 1,
            text=text,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            bits=dict(policy.bits),
            activated_at=now,
            activated_by=actor,
        )
        Account.objects.filter(pk=account.pk).update(notice_version=version.pk)
        ledger.append(use, "account", actor=actor, rule=f"notice:{notice.id}")
    account.notice_version = version.pk
    if old is not None:
        masks.recompute(account.pk, policy)
    return version


def _version(pk: int | None) -> NoticeVersion | None:
    return None if pk is None else NoticeVersion.objects.get(pk=pk)


@lru_cache(maxsize=256)
def compiled(version_id: int) -> Policy:
    """The policy of a version. Versions never change, so neither does this."""
    version = NoticeVersion.objects.get(pk=version_id)
    return compile(parse(version.text), bits=version.bits)


def _active(account_id: int) -> int:
    pk = Account.objects.values_list("notice_version", flat=True).get(pk=account_id)
    if pk is None:
        raise NoNotice("This account has no active notice, so nothing may be read.", cure="Activate one: kept notice activate.")
    return pk


def in_force(account_id: int) -> NoticeVersion:
    """The version in force. Raises NoNotice."""
    return NoticeVersion.objects.get(pk=_active(account_id))


def policy_of(account_id: int) -> Policy:
    """The policy in force. Raises NoNotice: without a notice there is no data."""
    return compiled(_active(account_id))


def accounts_in_force() -> Iterator[Account]:
    """Accounts that have an active notice and are open."""
    yield from Account.objects.filter(notice_version__isnull=False, closed_at__isnull=True).order_by("pk")

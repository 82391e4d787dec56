"""Fetching what was made, and closing: the key of a request goes last of all that it opened, and everything that it opened goes with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import attachments, jobs, outbox, private, telling
from kept.apps.requests.actions.answering import final
from kept.apps.requests.actions.base import again, change, package_path, packages, person
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Attachment, Message, OutboxMessage, Request, State
from kept.core.errors import NotFound, Shredded
from kept.core.ledger import encode
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Erasure
from kept.platform.privacy.secrets import vault

GRACE = timedelta(days=3)
"""How long a package that was fetched stays, so that it can be fetched again."""
LOST = timedelta(hours=1)
COPIES = frozenset({"know", "access", "portability", "direct-marketing-disclosures"})
"""The kinds that leave a package to be fetched."""


def fetch_package(account: Account, request: Request, actor: str) -> bytes:
    """The package, for the person or for who hands it over. Counted; it goes a few days after. Raises NotFound once it is gone."""
    try:
        sealed = package_path(request.reference).read_bytes()
        content = private.open_bytes(request.key_id or 0, request.reference, sealed, "package")
    except (FileNotFoundError, Shredded) as error:
        raise NotFound(_("This copy is not there any more."), cure=_("Ask for a new one.")) from error
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.READY})
        closes = min(request.closes_at or timezone.now(), timezone.now() + GRACE)
        change(use, request, actor, entry="release", fetched=request.fetched + 1, closes_at=closes)
    return content


def certificate(account_id: int, reference: str) -> bytes:
    """The certificate of an erasure as it stands, byte for byte as it verifies. Raises NotFound before the first stage."""
    with bookkeeping(account_id) as use:
        held = Erasure.under(use).filter(request=reference).first()
    if held is None or "proof" not in (held.certificate or {}):
        raise NotFound(_("There is no certificate yet."), cure=_("It is made within moments of the erasure."))
    return encode(held.certificate or {})


def fetch_certificate(account: Account, request: Request) -> bytes:
    """The certificate, for the person. Once the final one is fetched nothing of them is left here, and the request is closed."""
    content = certificate(account.pk, request.reference)
    if request.closed_at is None and final(request):
        with bookkeeping(account.pk, writing=True) as use:
            request = again(use, request, {State.READY})
            change(use, request, person(request), entry="release", fetched=request.fetched + 1, closes_at=timezone.now())
        point("requests:fetched")
        close(request)
    return content


# Closing


def close(request: Request) -> int:
    """Destroy the request's key and all that it opened: letters, package, address. How many files there were."""
    with bookkeeping(request.account_id) as use:
        messages = list(OutboxMessage.under(use).filter(request=request.reference).values_list("pk", flat=True))
        files = list(Attachment.under(use).filter(request=request.reference).values_list("pk", flat=True))
    if request.key_id is not None:
        vault().shred([request.key_id])
    point("requests:shredded")
    package = package_path(request.reference)
    removed = outbox.remove_files(messages) + attachments.remove_files(files) + package.exists()
    package.unlink(missing_ok=True)
    point("requests:unlinked")
    with bookkeeping(request.account_id, writing=True) as use:
        held = Request.under(use).select_for_update().get(pk=request.pk)
        if held.closed_at is None:
            for model in (OutboxMessage, Message):
                model.under(use).filter(request=request.reference).update(sealed=None)
            Attachment.under(use).filter(request=request.reference).update(name=None)
            telling.closed(use, held)
            state = {State.READY: State.DONE, State.RECEIVED: State.EXPIRED}.get(State(held.state), held.state)
            if held.state in OPEN - {State.RECEIVED}:
                state = State.DONE
            changes: dict[str, Any] = {"state": state, "closed_at": timezone.now(), "key_id": None, "sealed": None, "link": ""}
            change(use, held, "job:requests", entry="key-destruction", **changes)
    return removed


def sweep(now: datetime) -> int:
    """Close what has lapsed: links nobody opened, packages nobody fetched; how many. Files that nothing stands for go too.

    An answer that was begun and is nobody's work any more is taken up again.
    """
    lapsed: list[Request] = []
    letters_held: set[int] = set()
    files_held: set[int] = set()
    open_references: set[str] = set()
    for account_id in Account.objects.values_list("pk", flat=True):
        with bookkeeping(account_id) as use:
            due = list(Request.under(use).filter(closed_at=None, closes_at__lte=now))
            begun = list(Request.under(use).filter(closed_at=None, closes_at=None, state=State.WORKING, verified_at__lte=now - LOST))
            letters_held |= set(OutboxMessage.under(use).filter(sealed__isnull=False).values_list("pk", flat=True))
            files_held |= set(Attachment.under(use).filter(name__isnull=False).values_list("pk", flat=True))
            open_references |= set(Request.under(use).filter(closed_at=None, kind__in=COPIES).values_list("reference", flat=True))
        lapsed += [request for request in due if not telling.waits(request)]
        for request in begun:
            jobs.answer.enqueue(account_id=account_id, reference=request.reference)
    for request in lapsed:
        close(request)
    outbox.remove_files([int(path.stem) for path in outbox.folder().glob("*.eml") if int(path.stem) not in letters_held])
    attachments.remove_files(attachments.files(now - LOST) - files_held)
    for path in packages().glob("*.sealed"):
        if path.stem not in open_references:
            path.unlink(missing_ok=True)
    return len(lapsed)

"""Answering: find whom it is about, let the team decide where that is called for, and do what was asked."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from kept.apps.requests import letters, outbox, private, queries, telling
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.answers import ANSWERS
from kept.apps.requests.answers.erasing import CERTIFICATE_WAITS, carried_on
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.core.errors import Conflict
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.privacy import erasure, journal
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import accounts_in_force

PAGE_WAITS = timedelta(days=14)


def answer(account_id: int, reference: str) -> None:
    """Answer a verified request. May be called again at any time: it carries on where it stood."""
    request = queries.by_reference(account_id, reference)
    if request.state not in (State.VERIFIED, State.WORKING) or request.closed_at is not None:
        return
    account = Account.objects.get(pk=account_id)
    if request.kind == Kind.ERASE and journal.find(reference) is not None:
        carried_on(account, request)
        return
    if request.state == State.VERIFIED and _waits(account, request):
        return
    kind = ANSWERS[Kind(request.kind)]
    with reserved(account_id, person(request), "rights", rule=request.rule, request=reference) as use:
        subject = queries.subject_of(use, request)
    if subject is None:
        (kind.unknown or _nobody)(account, request)
        return
    if request.state == State.VERIFIED and kind.stops(account, request, subject):
        return
    with bookkeeping(account_id, writing=True) as use:
        request = again(use, request, {State.VERIFIED, State.WORKING})
        Request.under(use).filter(pk=request.pk).update(state=State.WORKING, subject_reference=subject.reference)
    request.state, request.subject_reference = State.WORKING, subject.reference
    point("requests:working")
    kind.perform(account, request, subject)


def _waits(account: Account, request: Request) -> bool:
    """Whether the team has to decide first; then it stands in their queue."""
    if request.decision.get("outcome") == "granted":
        return False
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        right = queries.right_of(queries.terms_of(use, request), request.kind, request.region)
        subject = queries.subject_of(use, request)
    kind = ANSWERS[Kind(request.kind)]
    passed_on = request.channel == Channel.FORWARDED  # whoever is responsible reviews it first
    nobody = subject is None and kind.unknown is None
    if not passed_on and (nobody or not kind.decides(request, right, private.open_private(request))):
        return False
    if kind.meanwhile is not None and subject is not None:
        kind.meanwhile(account, request, subject)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.VERIFIED})
        change(use, request, "job:requests", state=State.DECIDING)
    return True


def _nobody(account: Account, request: Request) -> None:
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.VERIFIED, State.WORKING})
        now = timezone.now()
        change(use, request, "job:requests", state=State.NOBODY, answered_at=now, closes_at=now + PAGE_WAITS)
        if request.kind != Kind.CHOICES:  # whoever asked for the choices reads it on the page at once
            outbox.post(use, request, letters.nobody(account, request))


def clear_residue() -> None:
    """The second stage for all who wait for it, then the letters that say so. Raises Conflict while a reader holds old pages."""
    late: Conflict | None = None
    try:
        erasure.clear_residue()
    except Conflict as error:
        late = error
    for account in accounts_in_force():
        with bookkeeping(account.pk) as use:
            answered = Request.under(use).filter(kind=Kind.ERASE, state=State.READY, closed_at=None)
            waiting = [request for request in answered if "cleared" not in request.outcome]
        for request in waiting:
            if final(request):
                with bookkeeping(account.pk, writing=True) as use:
                    request = again(use, request, {State.READY})
                    closes = request.closes_at or timezone.now() + CERTIFICATE_WAITS
                    outcome = {name: value for name, value in request.outcome.items() if name != "kept"} | {"cleared": True}
                    change(use, request, "job:requests", outcome=outcome, closes_at=closes)
                    outbox.post(use, request, letters.cleared(account, request, telling.told_in_words(use, request)))
    if late is not None:
        raise late


def final(request: Request) -> bool:
    """Whether an erasure is over: its certificate is the last there will be, and everybody is told who is to be told."""
    held = queries.erasure_of(request)
    certified = held is not None and held.residue_at is not None and "proof" in (held.certificate or {}) and held.kept is None
    return certified and not telling.waits(request)

"""Erasure: at once, or hidden first for as long as the notice lets it be taken back; whole, or but for what must stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from kept.apps.requests import jobs, letters, outbox, private, queries, telling
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.answers.base import Answer, finish, unfounded
from kept.apps.requests.models import Request, State
from kept.core.errors import Conflict
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices, erasure, journal
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice, Erasure

CERTIFICATE_WAITS = timedelta(days=30)


def _decides(request: Request, right: RightTerms | None, held: private.Private) -> bool:
    """On the grounds that one must weigh: whether processing was unlawful. The others are the person's own word."""
    return request.decision.get("ground") == "unlawful" or unfounded(request, right)


def _erase(account: Account, request: Request, subject: Subject) -> None:
    if request.effective_at is None and _hidden(account, request, subject):
        return
    telling.prepare(account, request, subject)
    point("requests:prepared")
    excepted = request.decision.get("exceptions", {})
    _erased(account, request, erasure.erase(account.pk, person(request), subject.pk, request.reference, request.rule, excepted))


def carried_on(account: Account, request: Request) -> None:
    """Carry an erasure that was begun to its first certificate. Raises Conflict, to be tried again, while something is still found."""
    intent = journal.find(request.reference)
    assert intent is not None
    _erased(account, request, erasure.resume(intent))


def _erased(account: Account, request: Request, done: Erasure) -> None:
    point("requests:erased")
    if done.findings:
        raise Conflict("The erasure left something, and is carried on.", place=request.reference)
    telling.send(account, request)
    outcome = {"entries": sum(done.counts.values()), "places": len(done.counts), **kept(done)}
    finish(account, request, letters.erased, outcome, waits=None if done_in_part(done) else CERTIFICATE_WAITS)
    jobs.residue.using(run_after=timezone.now() + timedelta(seconds=jobs.RESIDUE_AFTER_SECONDS)).enqueue()


def done_in_part(done: Erasure) -> bool:
    """Whether something stays for now. The address stays too, until the person has heard that the rest is gone."""
    return done.kept is not None


def kept(done: Erasure) -> dict[str, object]:
    """What an erasure left, for the outcome of its request."""
    return {"kept": done.kept} if done_in_part(done) else {}


# What can be taken back for a while


def _hidden(account: Account, request: Request, subject: Subject) -> bool:
    """Close the person to every purpose until the day on which they are erased; whether the notice gives such a time."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        right = queries.right_of(queries.terms_of(use, request), request.kind, request.region)
        if right is None or right.body.grace is None:
            return False
        _remember(request, restricted_before=_restricted(use, subject))
        choices.choose(use, subject, "restrict", "all", rule=request.rule, request=request.reference)
    point("requests:hidden")
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.WORKING})
        until = right.body.grace.after(timezone.now(), request.region)
        change(use, request, "job:requests", state=State.HIDDEN, effective_at=until)
        outbox.post(use, request, letters.hidden(account, request))
    return True


def _remember(request: Request, *, restricted_before: bool) -> None:
    """Whether they were restricted before, from the first try: a second one finds what the first did."""
    if "restricted_before" not in request.decision:
        with bookkeeping(request.account_id, writing=True) as use:
            request.decision = {**request.decision, "restricted_before": restricted_before}
            Request.under(use).filter(pk=request.pk).update(decision=request.decision)


def _restricted(use: Use, subject: Subject) -> bool:
    return Choice.under(use).filter(subject_id=subject.pk, purpose="all", restricted=True).exists()


def show_again(account: Account, request: Request) -> None:
    """Lift what hid the person whose erasure was taken back, unless they were restricted before."""
    if request.decision.get("restricted_before"):
        return
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        subject = queries.subject_of(use, request)
        if subject is not None and _restricted(use, subject):
            choices.choose(use, subject, "lift", "all", rule=request.rule, request=request.reference)


def due(account_id: int, now: datetime) -> list[Request]:
    """Take up the erasures whose day has come; they cannot be taken back any more."""
    with bookkeeping(account_id) as use:
        found = list(Request.under(use).filter(state=State.HIDDEN, effective_at__lte=now))
    for request in found:
        with bookkeeping(account_id, writing=True) as use:
            held = again(use, request, {State.HIDDEN})
            change(use, held, "job:requests", state=State.WORKING)
            jobs.answer.enqueue(account_id=account_id, reference=request.reference)
    return found


ERASE = Answer(_erase, decides=_decides)

"""How often a copy is given: which one this is, whether it is free, and from when it can be asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from kept.apps.requests import letters, outbox, private, queries
from kept.apps.requests.actions.base import again, change
from kept.apps.requests.actions.intake import PAGE_STAYS
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.core.notice import law
from kept.core.notice.durations import Duration
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping


def stops(account: Account, request: Request, subject: Subject) -> bool:
    """What stands before a copy, once it is known whose it is; whether it stops here.

    Asked for again too soon (`once_per`), it is refused, with the day from which it can be asked for. Beyond the free ones (`fee`), the
    person hears what it may cost, and the team decides. Who was granted it is past both.
    """
    if request.decision.get("outcome") == "granted":
        return False
    right = right_of(account, request, subject)
    if right is None:
        return False
    with bookkeeping(account.pk, writing=True) as use:
        day = asked_again_from(use, request, subject, right)
        if day is not None:
            _refuse(use, account, request, subject, day)
            return True
        number = copy_number(use, request, subject, right)
        if right.body.fee is None or number <= free_copies(account.pk, request, right):
            return False
        held = again(use, request, {State.VERIFIED})
        change(use, held, "job:requests", state=State.DECIDING, subject_reference=subject.reference, outcome={"copy": number})
        outbox.post(use, held, letters.costs(account, held, number, right.body.fee.then))
    return True


def right_of(account: Account, request: Request, subject: Subject) -> RightTerms | None:
    """The right that a request exercises, as it stands for this person."""
    return queries.right_of(notices.ruling(account.pk).over(subject.notice_version), request.kind, request.region)


def copy_number(use: Use, request: Request, subject: Subject, right: RightTerms) -> int:
    """Which copy this is, of all or of those within the time that a law counts by."""
    kinds, per = {request.kind}, list[Duration]()
    for entry in _answers(use.account_id, request):
        kinds |= {one for one in entry.rights if one in Kind.values}
        per += [entry.per] if entry.per else []
    earlier = _earlier(use, request, subject, kinds)
    return 1 + sum(all(_lasts(length, one, request) for length in per) for one in earlier)


def _lasts(length: Duration, earlier: Request, request: Request) -> bool:
    """Whether a time that began with one request is not over at another."""
    ends = length.after(earlier.received_at)
    return ends is None or ends > request.received_at


def free_copies(account_id: int, request: Request, right: RightTerms) -> int:
    """How many are free: by the notice, and by the laws it names, whichever gives more."""
    assert right.body.fee is not None
    return max([right.body.fee.free, *(entry.free for entry in _answers(account_id, request))])


def _answers(account_id: int, request: Request) -> list[law.Answer]:
    named = law.saying(law.Answer, notices.policy_of(account_id).notice.identity.law, request.region)
    return [entry for entry in named if request.kind in entry.rights]


def asked_again_from(use: Use, request: Request, subject: Subject, right: RightTerms) -> datetime | None:
    """The day from which it can be asked for again, where this one comes too soon; None where it does not."""
    once = right.body.once_per
    if once is None:
        return None
    days = (once.after(timezone.localtime(one.received_at), request.region) for one in _earlier(use, request, subject, {request.kind}))
    return max((day for day in days if day is not None and day > request.received_at), default=None)


def _earlier(use: Use, request: Request, subject: Subject, kinds: Iterable[str]) -> list[Request]:
    """The requests of these kinds that this person asked before and had answered."""
    mine = Request.under(use).filter(subject_reference=subject.reference, kind__in=list(kinds), state__in=[State.READY, State.DONE])
    return list(mine.filter(answered_at__isnull=False, pk__lt=request.pk).exclude(channel=Channel.COMMAND).defer("sealed"))


def _refuse(use: Use, account: Account, request: Request, subject: Subject, day: datetime) -> None:
    held, now = again(use, request, {State.VERIFIED}), timezone.now()
    told = letters.too_soon(day)
    sealed = private.seal(held.key_id or 0, held.reference, replace(private.open_private(held), reason=told))
    change(
        use,
        held,
        "job:requests",
        state=State.REFUSED,
        subject_reference=subject.reference,
        answered_at=now,
        closes_at=now + PAGE_STAYS,
        link="",
        sealed=sealed,
        decision={**held.decision, "outcome": "refused", "why": "excessive"},
        outcome={"again_from": day.date().isoformat()},
    )
    outbox.post(use, held, letters.refused(account, held, told, queries.complaint(account, held.region)))

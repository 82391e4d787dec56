"""What an answer is, and how every one of them ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from kept.apps.requests import letters, outbox
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.models import Request, State
from kept.apps.requests.private import Private
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved

PAGE_WAITS = timedelta(days=14)
UNDER_WAY = (State.VERIFIED, State.DECIDING, State.WORKING)
"""Where an answer is being made, or what happens at once before one."""
Decides = Callable[[Request, RightTerms | None, Private], bool]
Perform = Callable[[Account, Request, Subject], None]
Unknown = Callable[[Account, Request], None]
Letter = Callable[[Account, Request], letters.Letter]
After = Callable[[Account, Request], None]


@dataclass(frozen=True)
class Answer:
    """How one kind is answered. `perform` may be called again at any time, and carries on where it stood.

    `decides` tells whether the team decides before anything is done. `unknown` is for kinds that mean something also where we hold
    nothing on the person; else they hear that nothing is held. `meanwhile` is what happens at once where the team decides first, `refused`
    what follows when they refuse or the person takes it back: both safe to repeat. `absolute` are requests that nobody may refuse. `stops`
    is asked once it is known whom it is about: it may refuse, or leave it to the team, and says whether it did.
    """

    perform: Perform
    decides: Decides = lambda request, right, held: False
    unknown: Unknown | None = None
    meanwhile: Perform | None = None
    refused: After | None = None
    stops: Callable[[Account, Request, Subject], bool] = lambda account, request, subject: False
    absolute: Callable[[Request], bool] = lambda request: False


def unfounded(request: Request, right: RightTerms | None) -> bool:
    """Whether the right rests on grounds and the request states none: then whoever decides names the one that it rests on."""
    return right is not None and bool(right.body.grounds) and not request.decision.get("ground")


def enter(account: Account, request: Request, subject: Subject, words: Sequence[tuple[choices.Verb, str]], step: str) -> None:
    """Enter what the person decided by this request, in force when this returns; each step of a request once, however often it is tried."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use, writing(use):
        held = again(use, request, UNDER_WAY)
        done = held.decision.get("entered", [])
        if step not in done:
            for verb, about in words:
                choices.choose(use, subject, verb, about, rule=request.rule, request=request.reference)
            decision = {**held.decision, "entered": [*done, step]}
            change(use, held, person(request), decision=decision, subject_reference=subject.reference)
    request.decision, request.entries, request.subject_reference = held.decision, held.entries, held.subject_reference


def finish(
    account: Account,
    request: Request,
    letter: Letter | None,
    outcome: Mapping[str, Any],
    *,
    waits: timedelta | None = PAGE_WAITS,
    **fields: Any,
) -> None:
    """The answer can be fetched, or is done; its letter goes out, and the page of the request stays that long; without `waits` until
    somebody says.

    Raises Conflict when the request was closed meanwhile.
    """
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.VERIFIED, State.WORKING})
        now = timezone.now()
        closes = now + waits if waits is not None else None
        change(use, request, "job:requests", state=State.READY, answered_at=now, closes_at=closes, outcome=dict(outcome), **fields)
        point("requests:ready")
        if letter is not None:
            outbox.post(use, request, letter(account, request))

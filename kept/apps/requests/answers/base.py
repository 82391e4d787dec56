"""What an answer is, and how every one of them ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from kept.apps.requests import letters, outbox
from kept.apps.requests.actions.base import again, change
from kept.apps.requests.models import Request, State
from kept.apps.requests.private import Private
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.privacy.bookkeeping import bookkeeping

PAGE_WAITS = timedelta(days=14)
Decides = Callable[[Request, RightTerms | None, Private], bool]
Perform = Callable[[Account, Request, Subject], None]
Unknown = Callable[[Account, Request], None]
Letter = Callable[[Account, Request], letters.Letter]


@dataclass(frozen=True)
class Answer:
    """How one kind is answered. `perform` may be called again at any time, and carries on where it stood.

    `decides` tells whether the team decides before anything is done. `unknown` is for kinds that mean something also where we hold
    nothing on the person; else they hear that nothing is held.
    """

    perform: Perform
    decides: Decides = lambda request, right, held: False
    unknown: Unknown | None = None


def finish(
    account: Account, request: Request, letter: Letter | None, outcome: Mapping[str, Any], *, waits: timedelta = PAGE_WAITS, **fields: Any
) -> None:
    """The answer can be fetched, or is done; its letter goes out, and the page of the request stays that long.

    Raises Conflict when the request was closed meanwhile.
    """
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.VERIFIED, State.WORKING})
        now = timezone.now()
        change(use, request, "job:requests", state=State.READY, answered_at=now, closes_at=now + waits, outcome=dict(outcome), **fields)
        point("requests:ready")
        if letter is not None:
            outbox.post(use, request, letter(account, request))

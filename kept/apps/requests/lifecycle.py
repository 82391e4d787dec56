"""What may follow what in the life of a request: the whole of it, in one table.

Nothing else decides which state a request may take; tests/test_lifecycle.py explores it, and drives the room along it.
"""

from __future__ import annotations

from collections.abc import Mapping

from kept.apps.requests.models import State

FOLLOWS: Mapping[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.VERIFIED, State.REFUSED, State.REFERRED, State.REVOKED, State.EXPIRED}),
    State.VERIFIED: frozenset(
        {State.DECIDING, State.WORKING, State.NOBODY, State.REFUSED, State.REFERRED, State.REVOKED, State.READY, State.DONE}
    ),
    State.DECIDING: frozenset({State.VERIFIED, State.REFUSED, State.REVOKED, State.DONE}),
    State.WORKING: frozenset({State.HIDDEN, State.READY, State.DONE, State.NOBODY}),
    State.HIDDEN: frozenset({State.WORKING, State.REVOKED, State.DONE}),
    State.READY: frozenset({State.DONE}),
    State.REFUSED: frozenset(),
    State.NOBODY: frozenset(),
    State.REFERRED: frozenset(),
    State.REVOKED: frozenset(),
    State.EXPIRED: frozenset(),
    State.DONE: frozenset(),
}
OPEN = frozenset({State.RECEIVED, State.VERIFIED, State.DECIDING, State.WORKING, State.HIDDEN})
"""Before the answer: the clock runs."""
BEFORE_DOING = frozenset({State.RECEIVED, State.VERIFIED, State.DECIDING})
"""Where it can still be refused, or taken back."""
REVOCABLE = BEFORE_DOING | {State.HIDDEN}


def may_follow(before: str, after: str) -> bool:
    """Whether a request may go from one state to the other. To stay where it is is no move."""
    return before == after or State(after) in FOLLOWS[State(before)]

"""What this room keeps of a person outside the guarded tables: packages and letters of their earlier requests."""

from __future__ import annotations

from kept.apps.requests import actions
from kept.apps.requests.models import Kind, Request, State
from kept.platform.privacy.bookkeeping import bookkeeping

UNDER_WAY = (State.VERIFIED, State.DECIDING, State.WORKING, State.HIDDEN, State.READY)


class RequestStore:
    """A `privacy.registry.Store`. The erasure under way keeps its own address until its certificate is fetched, as promised."""

    name = "requests"

    def erase(self, account_id: int, subject_id: int, reference: str) -> int:
        """Close the person's other requests; how many."""
        held = self._held(account_id, reference)
        for request in held:
            actions.close(request)
        return len(held)

    def find(self, account_id: int, subject_id: int, reference: str) -> int:
        """How many of their other requests are not closed."""
        return len(self._held(account_id, reference))

    def _held(self, account_id: int, reference: str) -> list[Request]:
        with bookkeeping(account_id) as use:
            held = Request.under(use).filter(subject_reference=reference, closed_at=None)
            return list(held.exclude(kind=Kind.ERASE, state__in=UNDER_WAY))


REQUEST_STORE = RequestStore()

"""What retention and proof ask of this room: when requests were closed, and whether any is past its due day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Kind, OutboxMessage, Request, State
from kept.apps.requests.queries import RIGHT
from kept.platform.data.use import Use
from kept.platform.privacy.registry import Clock, Desk

ANSWERED = (State.READY, State.DONE)
CHANNELS = frozenset({"web", "email", "phone", "post"})
"""The privacy centre; and what the team takes in of mails, calls and letters."""
FORMATS = frozenset({"html", "json", "csv"})
"""What a package holds."""


def due(use: Use, right: str, now: datetime) -> Desk:
    """How the requests under a right stand."""
    asked = Request.under(use).filter(kind__in=[kind for kind in Kind if RIGHT.get(kind, kind) == right])
    waiting = asked.filter(state__in=OPEN)
    answered = asked.filter(answered_at__isnull=False)
    return Desk(
        answered=answered.count(),
        open=waiting.count(),
        late=list(waiting.filter(due_at__lt=now).values_list("reference", flat=True)),
        unverified=list(answered.filter(verified_at=None, state__in=ANSWERED).values_list("reference", flat=True)),
        channels=CHANNELS,
        formats=FORMATS if right == Kind.ACCESS else frozenset(),
    )


def forget_letters(use: Use, requests: QuerySet[Any]) -> None:
    """Letters go with their request."""
    OutboxMessage.under(use).filter(request__in=requests.values("reference")).delete()


CLOSED = Clock("request-closed", Request, "closed_at", "request", forget_letters)

"""What retention and proof ask of this room: when requests were closed, and whether any is past its due day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from kept.apps.requests.models import OutboxMessage, Request
from kept.apps.requests.queries import OPEN, RIGHT
from kept.platform.data.use import Use
from kept.platform.privacy.registry import Clock, Desk


def due(use: Use, right: str, now: datetime) -> Desk:
    """How the requests under a right stand."""
    asked = Request.under(use).filter(kind__in=[kind for kind, one in RIGHT.items() if one == right])
    waiting = asked.filter(state__in=OPEN)
    late = list(waiting.filter(due_at__lt=now).values_list("reference", flat=True))
    return Desk(answered=asked.filter(answered_at__isnull=False).count(), open=waiting.count(), late=late)


def forget_letters(use: Use, requests: QuerySet[Any]) -> None:
    """Letters go with their request."""
    OutboxMessage.under(use).filter(request__in=requests.values("reference")).delete()


CLOSED = Clock("request-closed", Request, "closed_at", "request", forget_letters)

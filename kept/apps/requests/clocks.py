"""What retention asks of this room: when requests were closed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from kept.apps.requests.models import OutboxMessage, Request, Telling
from kept.platform.data.use import Use
from kept.platform.privacy.registry import Clock


def forget_letters(use: Use, requests: QuerySet[Any]) -> None:
    """Letters go with their request, and who was told of it."""
    for model in (OutboxMessage, Telling):
        model.under(use).filter(request__in=requests.values("reference")).delete()


CLOSED = Clock("request-closed", Request, "closed_at", "request", forget_letters)

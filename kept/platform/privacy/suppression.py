"""Keeping the erased away: keyed digests of what they were known by."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy.models import Suppression


def add(use: Use, digests: Sequence[tuple[str, bytes]], *, rule: str) -> None:
    """Keep these identifiers from coming back."""
    held, now = found(use, digests), timezone.now()
    new = [(*one, rule, now) for one in dict.fromkeys(digests) if one not in held]
    rows.insert(use, Suppression, ("kind", "digest", "rule", "at"), new)


def found(use: Use, digests: Sequence[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Which of these must not come back."""
    held = Suppression.under(use).filter(digest__in=[one for _, one in digests])
    return {(row.kind, bytes(row.digest)) for row in held} & set(digests)

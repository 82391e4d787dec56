"""Keeping the erased away: keyed digests of what they were known by."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Suppression


def add(use: Use, digests: Sequence[tuple[str, bytes]], *, rule: str) -> None:
    """Keep these identifiers from coming back."""
    held, now = found(use, digests), timezone.now()
    new = [(*one, rule, now) for one in dict.fromkeys(digests) if one not in held]
    rows.insert(use, Suppression, ("kind", "digest", "rule", "at"), new)


def found(use: Use, digests: Sequence[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Which of these must not come back."""
    held: set[tuple[str, bytes]] = set()
    for kind in {kind for kind, _ in digests}:
        if not Suppression.under(use).filter(kind=kind).exists():
            continue
        held |= {(kind, one) for one, _ in rows_of(use, Suppression, kind, [one for other, one in digests if other == kind], "id")}
    return held

"""Two lists of keyed digests of what people are known by: of the erased, who stay away, and of those whom nobody sells or shares.

Each is used for nothing else, and nothing on either can be turned into an address again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from django.utils import timezone

from kept.platform.data import rows
from kept.platform.data.lookup import remove as remove_rows
from kept.platform.data.use import Use
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Suppression

Scope = Literal["erased", "sale"]
Digest = tuple[str, bytes]


def add(use: Use, digests: Sequence[Digest], *, rule: str, scope: Scope = "erased") -> None:
    """Put these identifiers on a list. In an action."""
    held, now = found(use, digests, scope), timezone.now()
    new = [(scope, *one, rule, now) for one in dict.fromkeys(digests) if one not in held]
    rows.insert(use, Suppression, ("scope", "kind", "digest", "rule", "at"), new)


def found(use: Use, digests: Sequence[Digest], scope: Scope = "erased") -> set[Digest]:
    """Which of these are on the list."""
    return {(kind, one) for kind, one, _ in _rows(use, digests, scope)}


def remove(use: Use, digests: Sequence[Digest], scope: Scope) -> None:
    """Take these identifiers off a list. In an action."""
    remove_rows(use, Suppression, [pk for *_, pk in _rows(use, digests, scope)])


def _rows(use: Use, digests: Iterable[Digest], scope: Scope) -> list[tuple[str, bytes, int]]:
    by_kind: dict[str, list[bytes]] = {}
    for kind, one in digests:
        by_kind.setdefault(kind, []).append(one)
    held: list[tuple[str, bytes, int]] = []
    for kind, some in by_kind.items():
        if Suppression.under(use).filter(scope=scope, kind=kind).exists():
            held += [(kind, *row) for row in rows_of(use, Suppression, kind, some, "id", f"t.scope = '{scope}'")]
    return held

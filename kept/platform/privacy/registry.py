"""Where rooms tell the platform what it must know of them: news travels down through here, never by an upward import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from kept.platform.data.use import Use

Born = Callable[[Use, Sequence[int]], dict[int, date]]


class Store(Protocol):
    """Something outside the guarded tables that may hold a person's data: files, queues."""

    name: str

    def erase(self, account_id: int, subject_id: int, reference: str) -> int:
        """Remove what it holds of the subject; how many things."""
        ...

    def find(self, account_id: int, subject_id: int, reference: str) -> int:
        """How many things it still holds of the subject."""
        ...


@dataclass
class Registry:
    """Filled by the rooms when the application starts."""

    born: list[Born] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)

    def birth_dates(self, use: Use, subject_ids: Sequence[int]) -> dict[int, date]:
        """Known dates of birth, by subject."""
        return {subject: day for source in self.born for subject, day in source(use, subject_ids).items()}


registry = Registry()

"""Where rooms tell the platform what it must know of them: news travels down through here, never by an upward import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from django.db.models import QuerySet

from kept.platform.data.personal import AccountModel
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


@dataclass(frozen=True)
class Clock:
    """Where a room keeps the moment at which a retention clock starts: the rows of `model`, their field `moment`, empty until it happened.

    `event` is the vocabulary's. `record` is the vocabulary's word for what the rows are, where a notice may name it (``request``).
    `along` removes what hangs on rows that are about to be erased.
    """

    event: str
    model: type[AccountModel]
    moment: str
    record: str = ""
    along: Callable[[Use, QuerySet[Any]], None] | None = None


@dataclass(frozen=True)
class Desk:
    """How the requests of one right stand. `late` are the references of those that are open past their due date."""

    answered: int
    open: int
    late: Sequence[str] = ()


Due = Callable[[Use, str, datetime], Desk]
"""Asked with the kind of a right (``access``, ``erase``…) and the time."""


@dataclass
class Registry:
    """Filled by the rooms when the application starts."""

    born: list[Born] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)

    def birth_dates(self, use: Use, subject_ids: Sequence[int]) -> dict[int, date]:
        """Known dates of birth, by subject."""
        return {subject: day for source in self.born for subject, day in source(use, subject_ids).items()}


registry = Registry()

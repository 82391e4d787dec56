"""Where rooms tell the platform what it must know of them: news travels down through here, never by an upward import."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from django.db.models import QuerySet

from kept.core.notice import Rule
from kept.core.notice.bindings import ROOM, needs
from kept.core.notice.vocabulary import Vocabulary
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
    """How the requests under a rule stand. `faults` are references by what is wrong with them, in words that go on from “2 requests …”.

    `channels` are the ways in which it can be asked for here, `formats` the forms in which a copy is given.
    """

    answered: int
    open: int
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()


Due = Callable[[Use, Rule, datetime], Desk]
"""Asked with a right, a role or the notice's own rule, and the time."""


@dataclass(frozen=True)
class Missing:
    """Something that a rule needs and this deployment does not have. `name` is as `bindings.needs` names it."""

    name: str
    what: Literal["enforcer", "prover", "room"]

    def __str__(self) -> str:
        if self.what == "room":
            return f"there is no room “{self.name.removeprefix(ROOM)}”"
        return f"nothing {'enforces' if self.what == 'enforcer' else 'proves'} {self.name}"


@dataclass
class Registry:
    """Filled by the rooms when the application starts.

    `rooms` are those that are there. `by_row` are the categories whose values stand in rows of their own, which no column shows.
    `enforcers` maps what rules need (``kind``, ``kind.key``, ``kind.key=word``) to the modules that keep the opposite from happening;
    an event after which a rule retains is enforced where a clock tells it.
    """

    born: list[Born] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    rooms: set[str] = field(default_factory=set)
    by_row: set[str] = field(default_factory=set)
    enforcers: dict[str, set[str]] = field(default_factory=dict)
    proved: set[str] = field(default_factory=set)

    def enforces(self, module: str, *names: str) -> None:
        """Say that a module enforces these: only what its code does today."""
        for name in names:
            self.enforcers.setdefault(name, set()).add(module)

    def proves(self, kind: str, *keys: str) -> None:
        """Say that the prover of a kind looks at these keys of it."""
        self.proved.update((kind, *(f"{kind}.{key}" for key in keys)))

    def unbound(self, rule: Rule, vocabulary: Vocabulary) -> tuple[Missing, ...]:
        """What this rule needs and nothing here provides; empty where it is bound."""
        found: list[Missing] = []
        timed = {f"retain.after={clock.event}" for clock in self.clocks}
        for name in needs(rule, vocabulary):
            either = {name, name.partition("=")[0]}
            if name.startswith(ROOM):
                found += [Missing(name, "room")] if name.removeprefix(ROOM) not in self.rooms else []
                continue
            found += [] if either & (self.enforcers.keys() | timed) else [Missing(name, "enforcer")]
            found += [] if either & self.proved else [Missing(name, "prover")]
        return tuple(found)

    def birth_dates(self, use: Use, subject_ids: Sequence[int]) -> dict[int, date]:
        """Known dates of birth, by subject."""
        return {subject: day for source in self.born for subject, day in source(use, subject_ids).items()}


registry = Registry()

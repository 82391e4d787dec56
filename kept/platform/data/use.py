"""A `Use`: for which account, by whom, for which purpose personal data is touched.

Every door enters one; entering arms the database connection, so that the engine itself answers within it.
Reading and writing without one raises `NoPurpose`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from django.db import connections, transaction

from kept.core.errors import NoPurpose

if TYPE_CHECKING:
    from kept.platform.data.engine.arming import Arming

ALIAS = "default"
SUBJECT = "data_subject"
"""The table of subjects, whose masks every personal row copies."""
PROTECTED = frozenset({"id", "account_id", "permits"})
"""Columns that no statement sets: an insert says the first two, the engine's own functions the mask."""
RESERVED_BIT = 62
"""Set in every mask: the bit that reserved purposes act with."""
PEOPLE_BIT = 61
"""Clear in the fence of a value that a limit closes to people (`humans`): programs alone may process it, for its purposes."""
OPEN_MASK = (1 << 63) - 1
"""All 63 bits: a value that stands under no fence."""
EVERYTHING = frozenset({"*"})
"""The category set that names every column, whatever the notice declares."""
NOTHING: frozenset[str] = frozenset()
SEALED = "sealed:"
"""How a sealed value begins; sealed values are not searched."""


@dataclass(frozen=True)
class Columns:
    """The columns a purpose reaches, by category."""

    readable: frozenset[str]
    writable: frozenset[str]

    def reads(self, category: str | None) -> bool:
        """Whether a column of this category (None: a plain column) may be read."""
        return category is None or "*" in self.readable or category in self.readable

    def writes(self, category: str | None) -> bool:
        """Whether a column of this category may be written."""
        return category is None or "*" in self.writable or category in self.writable


RESERVED: Mapping[str, Columns] = {
    "matching": Columns(NOTHING, EVERYTHING),  # finds people by blind index alone: it writes what an import brings and reads no value
    "rights": Columns(EVERYTHING, EVERYTHING),
    "retention": Columns(EVERYTHING, EVERYTHING),
    "proof": Columns(EVERYTHING, NOTHING),
    "security": Columns(NOTHING, NOTHING),
}
"""Purposes that no notice declares. They ignore the mask, never the account; tests/test_reserved.py names who may enter each."""


class Explains(Protocol):
    """What a Use needs of a compiled policy: the rule that closes a category to a purpose."""

    def why_withheld(self, purpose: str, category: str) -> object: ...


@dataclass(frozen=True)
class Opened:
    """Rows closed to people that somebody, on a stated ground, may read all the same until a moment, by the database's clock."""

    rows: frozenset[tuple[str, int]]
    """Table and id."""
    until: datetime


@dataclass(frozen=True)
class Use:
    """One account, one actor, one purpose. Made by `privacy.gate`, never by hand outside tests of the guard."""

    account_id: int
    actor: str
    purpose: str
    bit: int
    columns: Columns
    policy: Explains | None = field(default=None, compare=False, repr=False)
    opened: Opened | None = None

    @property
    def people(self) -> bool:
        """Whether a human being reads: whoever is not known for a program, or for the person whose data it is."""
        return not self.reserved and not self.actor.startswith(("job:", "person:"))

    @property
    def mask(self) -> int:
        """The bits that a fence must leave: the purpose's, and that of people where a human being reads."""
        return 1 << self.bit | (1 << PEOPLE_BIT if self.people else 0)

    @property
    def reserved(self) -> bool:
        """Whether this purpose ignores the mask."""
        return self.purpose in RESERVED

    def why(self, category: str) -> tuple[str, str]:
        """The rule, and a sentence, that close this category to this purpose."""
        if self.policy is None or self.reserved:
            return "", f"The purpose “{self.purpose}” does not read {category}."
        reason = self.policy.why_withheld(self.purpose, category)
        return str(getattr(reason, "rule", "")), str(getattr(reason, "text", reason))


def arming() -> Arming:
    """The arming of this thread's connection."""
    return cast("Arming", getattr(connections[ALIAS], "arming"))  # noqa: B009 (only our two engines have it)


def current() -> Use | None:
    """The Use this thread's connection is armed for."""
    return arming().use


def require(use: Use) -> None:
    """Refuse to build a question for a Use that has not been entered."""
    if current() != use:
        raise NoPurpose(f"The use “{use.purpose}” of account {use.account_id} has not been entered.", cure="Ask inside `reading(use)`.")


@contextmanager
def reading(use: Use) -> Iterator[Use]:
    """Arm the connection for questions. Nested uses restore the outer one."""
    with arming().holding(use, writing=False):
        yield use


@contextmanager
def writing(use: Use) -> Iterator[Use]:
    """Arm the connection for one action: one transaction, whole or not at all."""
    with arming().holding(use, writing=True), transaction.atomic(using=ALIAS):
        yield use

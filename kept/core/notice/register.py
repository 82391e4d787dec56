"""The register of promises that a set of notices is to keep, and which rules carry each of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kept.core.errors import BadInput
from kept.core.notice.model import Notice, Rule

MISSING = "missing"
ORDER = (MISSING, "broken", "unbound", "unproven", "kept", "bound", "statement")
"""Worst first: a promise stands as the worst of its rules. ``bound`` is what a rule is where no account was asked."""
_KEYS = frozenset({"says", "kinds", "shown_by"})


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the register: its id, what it says, the kinds of rules it is made of, what shows that it is kept."""

    id: str
    says: str
    kinds: tuple[str, ...]
    shown_by: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """A rule that carries a promise, in the notice of this id."""

    notice: str
    rule: Rule


def read(text: str, *, filename: str = "register.toml") -> tuple[Promise, ...]:
    """The register, in its order. Raises BadInput with the place of what is wrong."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"The register is not TOML: {error}.", place=filename, cure="Write it as TOML.") from error
    return tuple(_promise(name, row, filename) for name, row in rows.items())


def _promise(name: str, row: object, filename: str) -> Promise:
    place, cure = f"{filename}, [{name}]", "Write says and shown_by as text, and kinds as a list of texts."
    if not isinstance(row, dict) or set(row) != _KEYS:
        raise BadInput("A promise has says, kinds and shown_by, and nothing else.", place=place, cure=cure)
    kinds = row["kinds"]
    if not isinstance(row["says"], str) or not isinstance(row["shown_by"], str) or not isinstance(kinds, list):
        raise BadInput("A promise of the register is not written as it should be.", place=place, cure=cure)
    return Promise(name, row["says"], tuple(map(str, kinds)), row["shown_by"])


def carriers(promises: Iterable[Promise], notices: Iterable[Notice]) -> Mapping[str, tuple[Carrier, ...]]:
    """The rules that carry each promise by their `because`, in document order; an empty tuple where none does.

    An id belongs to no one notice: a row that says “as the other system” is carried by rules of both.
    """
    found: dict[str, list[Carrier]] = {one.id: [] for one in promises}
    for notice in notices:
        for rule in notice.rules:
            for name in rule.because:
                if name in found:
                    found[name].append(Carrier(notice.id, rule))
    return {name: tuple(rules) for name, rules in found.items()}


def strays(promises: Iterable[Promise], notices: Iterable[Notice]) -> tuple[str, ...]:
    """Ids that a rule names and the register does not have."""
    known = {one.id for one in promises}
    return tuple(dict.fromkeys(name for notice in notices for rule in notice.rules for name in rule.because if name not in known))


def worst(states: Iterable[str]) -> str:
    """How a promise stands whose rules stand so; ``missing`` where it has none."""
    return min(states, key=ORDER.index, default=MISSING)


__all__ = ["MISSING", "ORDER", "Carrier", "Promise", "carriers", "read", "strays", "worst"]

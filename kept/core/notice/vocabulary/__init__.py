"""The built-in vocabulary: trees of terms as TOML data, each mapped to the W3C Data Privacy Vocabulary 2.2.

A notice speaks these terms and adds its own under them. Naming a term names everything under it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Tree = Literal["category", "purpose", "source", "recipient", "event", "record", "occasion", "basis"]

FILES: Mapping[Tree, str] = {
    "category": "categories.toml",
    "purpose": "purposes.toml",
    "source": "sources.toml",
    "recipient": "recipients.toml",
    "event": "events.toml",
    "record": "records.toml",
    "occasion": "occasions.toml",
    "basis": "bases.toml",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One term. `dpv` is a compact IRI (``dpv:`` or ``pd:``); `ccpa` is a class of ccpa.toml, for categories only.

    `room` is the room that must be there to act on it; empty where every door may.
    """

    id: str
    title: str
    dpv: str
    under: str | None = None
    ccpa: str | None = None
    sensitive: bool = False
    reserved: bool = False
    room: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a person's word does to a purpose on this lawful basis: see bases.toml."""

    id: str
    title: str
    dpv: str
    choice: Literal["gives", "refuses", "none"]
    restrictable: bool


def nearest(term: str, known: Mapping[str, object] | frozenset[str] | tuple[str, ...]) -> str | None:
    """The known word closest to `term`, or None when nothing is close."""
    found = get_close_matches(term, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


@dataclass(frozen=True)
class Terms:
    """One tree of terms."""

    all: Mapping[str, Term]

    def __contains__(self, term: object) -> bool:
        return term in self.all

    def __getitem__(self, term: str) -> Term:
        return self.all[term]

    @cached_property
    def _families(self) -> Mapping[str, frozenset[str]]:
        families: dict[str, set[str]] = {term: {term} for term in self.all}
        for term in self.all:
            for ancestor in self.above(term):
                families[ancestor].add(term)
        return {term: frozenset(family) for term, family in families.items()}

    def under(self, *terms: str) -> frozenset[str]:
        """The terms and everything below them."""
        return frozenset().union(*(self._families[term] for term in terms))

    def above(self, term: str) -> tuple[str, ...]:
        """The ancestors of a term, nearest first, without the term."""
        parent = self.all[term].under
        return () if parent is None else (parent, *self.above(parent))

    def nearest(self, term: str) -> str | None:
        """The term closest in spelling, or None."""
        return nearest(term, self.all)

    def adding(self, term: str, title: str, under: str, *, ccpa: str | None = None, sensitive: bool = False) -> Terms:
        """The tree with one more leaf, which takes its mapping from its parent unless it states its own."""
        parent = self.all[under]
        leaf = replace(parent, id=term, title=title, under=under, ccpa=ccpa or parent.ccpa, sensitive=sensitive or parent.sensitive)
        return Terms(MappingProxyType({**self.all, term: leaf}))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All trees together, as one notice sees them."""

    trees: Mapping[Tree, Terms]

    def __getitem__(self, tree: Tree) -> Terms:
        return self.trees[tree]

    def having(self, tree: Tree, terms: Terms) -> Vocabulary:
        """The vocabulary with one tree exchanged."""
        return Vocabulary(MappingProxyType({**self.trees, tree: terms}))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))


def _terms(name: str) -> Terms:
    terms: dict[str, Term] = {}
    for key, entry in _read(name).items():
        parent = terms.get(entry.get("under", ""))
        if parent is not None:
            entry = {"ccpa": parent.ccpa, "sensitive": parent.sensitive, "room": parent.room} | entry
        terms[key] = Term(id=key, **{word: value for word, value in entry.items() if word not in ("choice", "restrictable")})
    return Terms(MappingProxyType(terms))


BASE = Vocabulary(MappingProxyType({tree: _terms(name) for tree, name in FILES.items()}))
BASES: Mapping[str, Basis] = MappingProxyType({key: Basis(id=key, **entry) for key, entry in _read(FILES["basis"]).items()})
CUSTOMERS_BASIS = "instruction"
"""The basis of a processor: the customer's own comes with the data."""
CCPA: Mapping[str, Mapping[str, str]] = MappingProxyType(_read("ccpa.toml"))
RESERVED = frozenset(term.id for term in BASE["purpose"].all.values() if term.reserved)

_REGIONS = _read("regions.toml")
_GROUPS: Mapping[str, frozenset[str]] = {name: frozenset(members.split()) for name, members in _REGIONS["groups"].items()}
REGIONS = (
    frozenset(_REGIONS["countries"].split())
    | frozenset(_GROUPS)
    | frozenset(f"{country}-{part}" for country, parts in _REGIONS["subdivisions"].items() for part in parts.split())
)


@lru_cache(maxsize=1024)
def regions_of(region: str) -> tuple[str, ...]:
    """The region and every region that contains it, most specific first: ``US-CA`` gives ``("US-CA", "US")``."""
    country, _, part = region.partition("-")
    chain = (region, country) if part else (region,)
    for group, members in _GROUPS.items():
        if members.intersection(chain):
            chain = (*chain, group)
    return chain


def category(term: str) -> Term:
    """A built-in category; KeyError when there is none."""
    return BASE["category"][term]


def purpose(term: str) -> Term:
    """A built-in purpose; KeyError when there is none."""
    return BASE["purpose"][term]


def source(term: str) -> Term:
    """A built-in source; KeyError when there is none."""
    return BASE["source"][term]

"""What a policy declares, in the form that tables and exports read: by purpose, by recipient, by category."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from kept.core.notice.policy import Policy
from kept.core.notice.rules import EVERYBODY
from kept.core.notice.terms import CollectTerms, DiscloseTerms, PurposeTerms, RetainTerms
from kept.core.notice.vocabulary import BASES, Tree

ROOT = "personal-data"
THEN = {"erase": "erased", "nullify": "emptied", "anonymise": "made anonymous"}
MECHANISMS: Mapping[str, str] = MappingProxyType(
    {
        "adequacy": "an adequacy decision",
        "dpf": "the Data Privacy Framework",
        "privacy-shield": "the Privacy Shield",
        "scc": "standard contractual clauses",
        "bcr": "binding corporate rules",
        "consent": "explicit consent",
        "derogation": "a derogation for the case at hand",
    }
)
"""What lets data leave a region, as people read it."""
OF_CUSTOMERS = "of-customers"
"""The people in what customers keep with us."""


@dataclass(frozen=True, slots=True)
class People:
    """A group of people, by the occasions on which they come to us, with its term in other vocabularies."""

    id: str
    title: str
    dpv: str
    fides: str
    occasions: frozenset[str]


def _people() -> Mapping[str, People]:
    read: dict[str, dict[str, Any]] = tomllib.loads(files(__package__).joinpath("people.toml").read_text(encoding="utf-8"))
    made = {key: People(key, one["title"], one["dpv"], one["fides"], frozenset(one["occasions"])) for key, one in read.items()}
    return MappingProxyType(made)


PEOPLE = _people()


def title(policy: Policy, tree: Tree, term: str) -> str:
    """A term as people read it."""
    if tree == "purpose" and term in policy.purposes:
        return policy.purposes[term].title
    return policy.notice.vocabulary[tree][term].title


def titles(policy: Policy, tree: Tree, terms: Iterable[str]) -> tuple[str, ...]:
    """Terms as people read them, each once."""
    return tuple(dict.fromkeys(title(policy, tree, one) for one in terms))


def tops(policy: Policy, tree: Tree, terms: Collection[str]) -> tuple[str, ...]:
    """Of these terms those that stand under none of the others: they name the rest. In the order of the vocabulary."""
    all_terms, found = policy.notice.vocabulary[tree], set(terms)
    return tuple(one for one in all_terms.all if one in found and not found.intersection(all_terms.above(one)))


def branch(policy: Policy, tree: Tree, term: str, *roots: str) -> str:
    """The topmost term above one (or itself) that stands right under one of the roots, or under none."""
    chain = (term, *policy.notice.vocabulary[tree].above(term))
    kept = [one for one in chain if one not in roots]
    return kept[-1] if kept else term


def is_ours(terms: PurposeTerms | CollectTerms | DiscloseTerms | RetainTerms) -> bool:
    """Whether the rule is about our own data, not about what customers keep with us."""
    return terms.rule.body.data == "own"


def recipient(policy: Policy, outlet: DiscloseTerms) -> str:
    """The recipient's name; where an event or somebody's act decides who it is, the class."""
    return title(policy, "recipient", outlet.recipient_class) if outlet.body.to == EVERYBODY else outlet.to


def inlets_for(policy: Policy, purpose: PurposeTerms) -> tuple[CollectTerms, ...]:
    """The inlets whose data is said to be for a purpose; where none is, those of the categories that it reads."""
    named = tuple(one for one in policy.collects if purpose.id in one.purposes)
    return named or tuple(one for one in policy.collects if one.categories & purpose.categories and is_ours(one) == is_ours(purpose))


def people_of(policy: Policy, purpose: PurposeTerms) -> tuple[People, ...]:
    """The groups of people whom a purpose is about, as far as the occasions of its inlets tell."""
    if not is_ours(purpose):
        return (PEOPLE[OF_CUSTOMERS],)
    occasions = {occasion for inlet in inlets_for(policy, purpose) for occasion in inlet.occasions}
    return tuple(one for one in PEOPLE.values() if one.occasions & occasions) or (PEOPLE["person"],)


def outlets_for(policy: Policy, purpose: str) -> tuple[DiscloseTerms, ...]:
    """The outlets through which data goes out for a purpose."""
    return tuple(one for one in policy.outlets.values() if purpose in one.purposes)


def retention_of(policy: Policy, categories: Collection[str], *, ours: bool = True) -> tuple[RetainTerms, ...]:
    """The retention rules about these categories, and those about whole records where they leave a category out."""
    held = [one for one in policy.retains if is_ours(one) == ours]
    about = [one for one in held if one.categories.intersection(categories)]
    covered = frozenset().union(*(one.categories for one in about))
    return (*about, *([] if covered.issuperset(categories) else [one for one in held if one.records]))


def length(policy: Policy, terms: RetainTerms) -> str:
    """How long something is kept, in words."""
    if terms.keep.unit == "until withdrawn":
        return f"until consent is withdrawn, then {THEN[terms.then]}"
    after = policy.notice.vocabulary["event"][terms.after].title.removeprefix("when ")
    return f"{terms.keep} after {after}, then {THEN[terms.then]}"


def bases_of(purpose: PurposeTerms) -> tuple[tuple[str, str], ...]:
    """The basis of a purpose by region, ``default`` first; of the regions only those that differ from it."""
    general = purpose.basis.get("default", "")
    found = [("default", general)] if general else []
    return (*found, *((region, basis) for region, basis in purpose.basis.items() if basis not in ("", general)))


def basis_title(basis: str) -> str:
    """A lawful basis as people read it."""
    return BASES[basis].title

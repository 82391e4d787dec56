"""The table of the California Consumer Privacy Act (Cal. Civ. Code § 1798.130(a)(5), 11 CCR § 7011): for each class of personal
information what is collected, from where, what for, to whom it goes, and how long it is kept: as declared, and as it happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from kept.core.notice.declared import is_ours, length, recipient, retention_of, title, titles, tops
from kept.core.notice.policy import Policy
from kept.core.notice.terms import CollectTerms, DiscloseTerms
from kept.core.notice.vocabulary import CCPA

WHERE = "US-CA"
PolicyAt = Callable[[datetime], Policy | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """One collection or disclosure, as the clear header of its ledger entry tells it. `people` is how many it names."""

    kind: Literal["collection", "disclosure"]
    at: datetime
    categories: tuple[str, ...]
    recipient: str = ""
    purpose: str = ""
    rule: str = ""
    people: int = 0


@dataclass(frozen=True, slots=True)
class To:
    """Recipients of one class, with what for."""

    recipient_class: str
    names: tuple[str, ...]
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One class of personal information. `collected` and `disclosed` count entries of the period, `went_to` names who had some."""

    id: str
    title: str
    citation: str
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    purposes: tuple[str, ...]
    disclosed_to: tuple[To, ...]
    sold_to: tuple[To, ...]
    shared_to: tuple[To, ...]
    retention: tuple[str, ...]
    collected: int = 0
    disclosed: int = 0
    went_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something done that the notice in force at the time did not declare: a broken promise."""

    kind: Literal["collection", "disclosure"]
    category: str
    recipient: str
    purpose: str
    times: int
    people: int
    last: datetime
    why: Literal["category", "recipient", "purpose", "rule"]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows, what was done outside the notice, and what was done under a version that no longer holds."""

    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class _Done:
    collected: Counter[str] = field(default_factory=Counter)
    disclosed: Counter[str] = field(default_factory=Counter)
    went_to: dict[str, dict[str, None]] = field(default_factory=dict)
    wrong: dict[tuple[str, ...], list[Deed]] = field(default_factory=dict)


def table(policy: Policy, deeds: Iterable[Deed] = (), policy_at: PolicyAt | None = None) -> Table:
    """The table for California. `deeds` are those of the last twelve months; `policy_at` gives the policy in force at a moment (None: no
    notice was), without it the policy itself is asked. Declared and not done is no difference; done and not declared is one.
    """
    at = policy_at or (lambda _: policy)
    done = _Done()
    for deed in deeds:
        _count(done, deed, at(deed.at), policy)
    return Table(tuple(_rows(policy, done)), tuple(_difference(key, found) for key, found in sorted(done.wrong.items())))


# As declared


def _rows(policy: Policy, done: _Done) -> Iterable[Row]:
    outlets = [one.terms for one in policy.region(WHERE).outlets.values() if is_ours(one.terms) and one.terms.body.form != "aggregate"]
    inlets = [one for one in policy.collects if is_ours(one)]
    declared = frozenset().union(*(one.categories for one in inlets), *(one.categories for one in outlets)) - policy.refused
    by_class: dict[str, set[str]] = {}
    for category in declared:
        by_class.setdefault(policy.notice.vocabulary["category"][category].ccpa or "", set()).add(category)
    for name, about in CCPA.items():
        if held := by_class.get(name):
            yield _row(policy, name, about, frozenset(held), inlets, outlets, done)


def _row(
    policy: Policy,
    name: str,
    about: Mapping[str, str],
    held: frozenset[str],
    inlets: list[CollectTerms],
    outlets: list[DiscloseTerms],
    done: _Done,
) -> Row:
    here = [one for one in outlets if one.categories & held]
    purposes = [
        one for one in policy.purposes.values() if one.categories & held and is_ours(one) and one.id in policy.region(WHERE).clauses
    ]
    return Row(
        id=name,
        title=about["title"],
        citation=about["citation"],
        categories=titles(policy, "category", tops(policy, "category", held)),
        sources=titles(policy, "source", (one.source for one in inlets if one.categories & held)),
        purposes=tuple(one.title for one in purposes),
        disclosed_to=_to(policy, [one for one in here if not one.sale and not one.share]),
        sold_to=_to(policy, [one for one in here if one.sale]),
        shared_to=_to(policy, [one for one in here if one.share]),
        retention=tuple(dict.fromkeys(length(policy, one) for one in retention_of(policy, held))),
        collected=done.collected[name],
        disclosed=done.disclosed[name],
        went_to=tuple(done.went_to.get(name, ())),
    )


def _to(policy: Policy, outlets: Iterable[DiscloseTerms]) -> tuple[To, ...]:
    """By class of recipient."""
    by_class: dict[str, list[DiscloseTerms]] = {}
    for one in outlets:
        by_class.setdefault(one.recipient_class, []).append(one)
    return tuple(
        To(
            title(policy, "recipient", kind),
            tuple(dict.fromkeys(name for one in group if (name := recipient(policy, one)) != title(policy, "recipient", kind))),
            titles(policy, "purpose", (purpose for one in group for purpose in one.purposes)),
        )
        for kind, group in by_class.items()
    )


# As it happened


def _count(done: _Done, deed: Deed, then: Policy | None, now: Policy) -> None:
    terms = now.notice.vocabulary["category"]
    classes = {terms[one].ccpa or "" for one in deed.categories if one in terms}
    for name in classes:
        if deed.kind == "collection":
            done.collected[name] += 1
        else:
            done.disclosed[name] += 1
            done.went_to.setdefault(name, {})[_name(now, deed)] = None
    for category in deed.categories:
        why = _fault(then, deed, category)
        if why:
            done.wrong.setdefault((deed.kind, deed.recipient, deed.purpose, category, why), []).append(deed)


def _name(policy: Policy, deed: Deed) -> str:
    outlet = policy.outlets.get(deed.rule.removeprefix("disclose:"))
    return recipient(policy, outlet) if outlet and deed.recipient in (outlet.id, outlet.to) else deed.recipient


def _fault(policy: Policy | None, deed: Deed, category: str) -> str:
    """What about this category of a deed the notice of its day did not declare; empty where all is well."""
    if policy is None:
        return "rule"
    if deed.kind == "collection":
        inlets = [one for one in policy.collects if one.held_by is None and deed.rule in ("", one.rule.name)]
        return "" if any(category in one.categories for one in inlets) else "category"
    named = policy.outlets.get(deed.rule.removeprefix("disclose:"))
    outlets = [named] if named else [one for one in policy.outlets.values() if deed.recipient in (one.to, one.id)]
    if not outlets or (named and named.body.to != "*" and deed.recipient not in (named.to, named.id)):
        return "recipient"
    if not any(category in one.categories for one in outlets):
        return "category"
    return "" if any(category in one.categories and deed.purpose in one.purposes for one in outlets) else "purpose"


def _difference(key: tuple[str, ...], found: list[Deed]) -> Difference:
    kind, to, purpose, category, why = key
    last = max(one.at for one in found)
    return Difference(kind, category, to, purpose, len(found), sum(one.people for one in found), last, why)  # type: ignore[arg-type]

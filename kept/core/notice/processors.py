"""Who works for us: the named recipients that act as processors, and what changes among them from one version to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from kept.core.notice.declared import MECHANISMS, is_ours, title, titles, tops
from kept.core.notice.policy import Policy
from kept.core.notice.rules import EVERYBODY


@dataclass(frozen=True, slots=True)
class Processor:
    """One of them. `of_customers`: they work on what customers keep with us (subprocessors in the strict sense, Article 28(2) GDPR)."""

    rule: str
    name: str
    recipient_class: str
    countries: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    safeguard: str
    agreement: str
    announced: str
    of_customers: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of `what` (the names of fields of `Processor`) where it is there before and after."""

    kind: Literal["added", "changed", "removed"]
    processor: Processor
    what: tuple[str, ...] = ()


def processors(policy: Policy) -> Mapping[str, Processor]:
    """By rule, in the order of the notice."""
    return {
        outlet.rule.name: Processor(
            rule=outlet.rule.name,
            name=outlet.to,
            recipient_class=title(policy, "recipient", outlet.recipient_class),
            countries=outlet.countries,
            purposes=titles(policy, "purpose", outlet.purposes),
            categories=titles(policy, "category", tops(policy, "category", outlet.categories)),
            safeguard=MECHANISMS.get(outlet.safeguard or "", ""),
            agreement=outlet.agreement or "",
            announced=str(outlet.body.announce or ""),
            of_customers=not is_ours(outlet),
        )
        for outlet in policy.outlets.values()
        if outlet.role == "processor" and outlet.body.to != EVERYBODY
    }


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """What changes among them. Another name under the same rule is one that goes and one that comes."""
    return tuple(_changes(processors(old), processors(new)))


def _changes(old: Mapping[str, Processor], new: Mapping[str, Processor]) -> Iterator[Change]:
    for rule, now in new.items():
        before = old.get(rule)
        if before is None or before.name != now.name:
            yield Change("added", now)
        elif before != now:
            yield Change("changed", now, tuple(one.name for one in fields(now) if getattr(now, one.name) != getattr(before, one.name)))
    for rule, gone in old.items():
        if rule not in new or new[rule].name != gone.name:
            yield Change("removed", gone)

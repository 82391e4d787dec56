"""The highlights of a notice, computed from its rules: for reference only, they change nothing (a layered notice, WP 260 rev.01 § 35)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from kept.core.notice.declared import ROOT, branch, is_ours, recipient, title, tops
from kept.core.notice.policy import Policy
from kept.core.notice.rules import US
from kept.core.notice.vocabulary import Tree

EVERY_PURPOSE = "all"


@dataclass(frozen=True, slots=True)
class Item:
    """A group of things of one branch of the vocabulary. `rule` is the first that speaks of it, `count` how many terms it stands for."""

    title: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How long: the shortest and the longest, in words, and how many rules there are."""

    shortest: str
    longest: str
    rules: int
    rule: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One screen. `sold` and `shared` are the recipients to whom data is sold, or shared for advertising across sites, in the region.

    `choices` are titled by what they govern, `rights` are kinds; both with the rule that offers them.
    """

    ours: bool
    categories: tuple[Item, ...]
    purposes: tuple[Item, ...]
    recipients: tuple[Item, ...]
    sold: tuple[str, ...]
    shared: tuple[str, ...]
    kept: Kept | None
    choices: tuple[Item, ...]
    rights: tuple[tuple[str, str], ...]


def summary(policy: Policy, region: str = "") -> Summary:
    """The highlights as they stand in a region. They are about our own data, or, where the notice has none, about customers'."""
    terms = policy.region(region)
    declared = [policy.purposes[one] for one in terms.clauses]
    ours = any(is_ours(one) for one in declared)
    purposes = [one for one in declared if is_ours(one) == ours]
    outlets = [one.terms for one in terms.outlets.values() if is_ours(one.terms) == ours]
    inlets = [one for one in policy.collects if is_ours(one) == ours]
    return Summary(
        ours=ours,
        categories=_grouped(
            policy, "category", ((one, inlet.rule.anchor) for inlet in inlets for one in tops(policy, "category", inlet.categories)), ROOT
        ),
        purposes=_grouped(policy, "purpose", ((one.id, one.rule.anchor) for one in purposes), EVERY_PURPOSE),
        recipients=_grouped(policy, "recipient", ((one.recipient_class, one.rule.anchor) for one in outlets)),
        sold=tuple(dict.fromkeys(recipient(policy, one) for one in outlets if one.sale)),
        shared=tuple(dict.fromkeys(recipient(policy, one) for one in outlets if one.share)),
        kept=_kept(policy, ours=ours),
        choices=tuple(_choices(policy, region)),
        rights=tuple((one.kind, one.rule.anchor) for one in terms.rights.values()),
    )


def _grouped(policy: Policy, tree: Tree, found: Iterable[tuple[str, str]], *roots: str) -> tuple[Item, ...]:
    """Terms by their branch of the vocabulary, the fullest first; a branch of one term bears that term's title."""
    members: dict[str, dict[str, str]] = {}
    for term, rule in found:
        members.setdefault(branch(policy, tree, term, *roots), {}).setdefault(term, rule)
    size = Counter({top: len(terms) for top, terms in members.items()})
    return tuple(
        Item(title(policy, tree, next(iter(members[top])) if count == 1 else top), next(iter(members[top].values())), count)
        for top, count in size.most_common()
    )


def _kept(policy: Policy, *, ours: bool) -> Kept | None:
    held = sorted((one for one in policy.retains if is_ours(one) == ours), key=lambda one: one.keep.days_at_most)
    timed = [one for one in held if one.keep.unit != "until withdrawn"]
    return Kept(str(timed[0].keep), str(timed[-1].keep), len(held), timed[0].rule.name) if timed else None


def _choices(policy: Policy, region: str) -> Iterable[Item]:
    """One for each thing governed, under the first choice that governs it."""
    said = {"sale": "Sale of data", "sharing": "Sharing for advertising across sites"}
    seen = set[str]()
    for choice in policy.choices(region).values():
        names = [policy.purposes[one].title for one in choice.governs if one in policy.purposes]
        names += [said[one] for one in choice.body.governs if one in said]
        names += [tracker for tracker in _trackers(policy, choice.moves) if tracker != US]
        for name in names:
            if name not in seen:
                seen.add(name)
                yield Item(name, choice.rule.anchor, 1)


def _trackers(policy: Policy, moves: Iterable[str]) -> list[str]:
    """Whose trackers a choice moves."""
    named = (policy.trackers.get(one.removeprefix("tracker:")) for one in moves if one.startswith("tracker:"))
    return [one.body.provider for one in named if one is not None]

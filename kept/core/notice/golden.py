"""The golden decision table: every answer of a policy in every kind of situation, as text that a reviewer can read.

It is committed beside the notice, so that a change of the notice, or of the engine, is a change of this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from kept.core.notice.rules import DEFAULT, LimitBody
from kept.core.notice.terms import UNFENCED, Ask, ChoiceFact, Decision, SubjectFacts

if TYPE_CHECKING:
    from kept.core.notice.policy import Policy

_NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
_YES = ChoiceFact("given", _NOW - 9 * _DAY)
_NO = ChoiceFact("withdrawn", _NOW - _DAY)
_OPEN = SubjectFacts(_NOW, choices={"all": _YES})


def table(policy: Policy) -> str:
    """The whole table. A cell says yes, or names the rule that stands against it or would be needed."""
    sections = [
        *_people(policy),
        ("Columns: which categories a purpose reads, in every situation in which it is open", _columns(policy)),
        ("Fences: which purposes a value of limited provenance may serve", _fences(policy)),
        ("Inlets: what may come in, by source", _inlets(policy)),
        ("Outlets: what may be disclosed, by recipient", _outlets(policy)),
    ]
    head = f"Decisions of the notice {policy.notice.id!r}, as its rules and the engine make them."
    return "\n\n\n".join([head, *(f"{title}\n\n{_grid(rows)}" for title, rows in sections if len(rows) > 1)]) + "\n"


def _people(policy: Policy) -> Iterator[tuple[str, list[list[str]]]]:
    """One table of situations and purposes for each set of regions that are answered alike."""
    alike: dict[str, tuple[list[str], list[list[str]]]] = {}
    for region in policy.regions:
        rows = _situation_rows(policy, region)
        alike.setdefault(repr(rows), ([], rows))[0].append("everywhere else" if region == DEFAULT else region)
    for regions, rows in alike.values():
        yield f"Purposes: what is open to whom ({', '.join(regions)})", rows


def _situation_rows(policy: Policy, region: str) -> list[list[str]]:
    asks = [(one, Ask(one)) for one in policy.purposes]
    channels = [(one, choice.channel) for choice in policy.choices(region).values() if choice.channel for one in choice.governs]
    asks += [(f"{one} by {channel}", Ask(one, channel=channel)) for one, channel in channels]
    asks += [(f"{one} otherwise", Ask(one, channel="otherwise")) for one in dict(channels)]
    rows = [["", *(words for words, _ in asks), "mask", "changes by itself"]]
    for words, facts in situations(policy, region):
        mask, changes = policy.permits(facts)
        cells = [_cell(policy.decide(ask, facts)) for _, ask in asks]
        rows.append([words, *cells, f"{mask:016x}", f"{changes:%Y-%m-%d %H:%M}" if changes else "never"])
    return rows


def situations(policy: Policy, region: str) -> Iterator[tuple[str, SubjectFacts]]:
    """The situations that the notice can tell apart in a region, in words and in facts."""
    base = SubjectFacts(_NOW, "" if region == DEFAULT else region)

    def said(all_: ChoiceFact, **others: ChoiceFact) -> SubjectFacts:
        return replace(base, choices={"all": all_} | others)

    agreed = said(_YES)
    yield "has said nothing", base
    yield "agreed to all", agreed
    yield "agreed to all until tomorrow", said(replace(_YES, until=_NOW + _DAY))
    yield "agreed to all until yesterday", said(replace(_YES, until=_NOW - _DAY))
    yield "agreed to all from tomorrow", said(replace(_YES, at=_NOW + _DAY))
    yield "agreed to all, then objected to all", said(replace(_NO, state="objected"))
    for choice in policy.choices(base.region):
        yield f"gave {choice}", replace(base, choices={choice: _YES})
        yield f"withdrew {choice}", replace(base, choices={choice: _NO})
        yield f"agreed to all, then withdrew {choice}", said(_YES, **{choice: _NO})
        yield f"withdrew {choice}, then agreed to all", said(replace(_YES, at=_NOW), **{choice: _NO})
        yield f"gave {choice} and withdrew all at one moment", said(_NO, **{choice: replace(_YES, at=_NO.at)})
    for purpose in _named(policy):
        yield f"agreed to all, then objected to {purpose}", said(_YES, **{purpose: replace(_NO, state="objected")})
    for purpose in ("all", *_named(policy)):
        yield f"agreed to all, restricted {purpose}", replace(agreed, restricted=frozenset({purpose}))
    age = policy.minimum_age(base.region)
    if age is not None:
        birthday = date(_NOW.year - age, _NOW.month, _NOW.day)
        yield f"agreed to all, {age} today", replace(agreed, born=birthday)
        yield f"agreed to all, {age} tomorrow", replace(agreed, born=birthday + _DAY)


def _named(policy: Policy) -> Iterable[str]:
    """The declared purposes and the terms above them, without `all`."""
    terms = (term for one in policy.purposes.values() for term in (one.id, *one.parents))
    return (term for term in dict.fromkeys(terms) if term != "all")


def _columns(policy: Policy) -> list[list[str]]:
    """A category is read wherever its purpose is open, or never; anything between would be shown as such."""
    everybody = [facts for region in policy.regions for _, facts in situations(policy, region)]

    def cell(purpose: str, category: str) -> str:
        there = [facts for facts in everybody if policy.decide(Ask(purpose), facts).allowed]
        read = [policy.decide(Ask(purpose, category), facts) for facts in there]
        cells = dict.fromkeys(_cell(one) for one in read)
        return " or ".join(cells) or "never open"

    return _cross(sorted(policy.categories | policy.refused), policy.purposes, lambda category, purpose: cell(purpose, category))


def _fences(policy: Policy) -> list[list[str]]:
    """What may come in from each source that a rule names and is then limited."""
    limits = [one.rule.body for one in policy.fences]
    named = [source for body in limits if isinstance(body, LimitBody) for source in body.applies_to.source]
    rows = [["", *policy.purposes, "fence"]]
    for source in dict.fromkeys([*(one.source for one in policy.collects), *named]):
        for category in sorted(policy.categories):
            fence = policy.fence(source, category)
            if fence != UNFENCED and policy.may_collect(category, source).allowed:
                cells = [_cell(policy.decide(Ask(purpose, category, source), _OPEN)) for purpose in policy.purposes]
                rows.append([f"{category} from {source}", *cells, f"{fence:016x}"])
    return rows


def _inlets(policy: Policy) -> list[list[str]]:
    sources = dict.fromkeys(one.source for one in policy.collects)
    return _cross(sorted(policy.categories | policy.refused), sources, lambda category, source: _cell(policy.may_collect(category, source)))


def _outlets(policy: Policy) -> list[list[str]]:
    rows = [["", *policy.purposes]]
    for to in policy.recipients:
        for category in sorted(policy.categories):
            cells = [_cell(policy.decide(Ask(purpose, category, recipient=to), _OPEN)) for purpose in policy.purposes]
            if "yes" in cells:
                rows.append([f"{category} to {to}", *cells])
    return rows


def _cross(down: Iterable[str], across: Mapping[str, object], cell: Callable[[str, str], str]) -> list[list[str]]:
    return [["", *across], *([row, *(cell(row, column) for column in across)] for row in down)]


def _cell(decision: Decision) -> str:
    return "yes" if decision.allowed else " ".join(decision.because) or "no"


def _grid(rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)

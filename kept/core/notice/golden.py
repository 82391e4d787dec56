"""The golden decision table: every answer of a policy in every kind of situation, as text that a reviewer can read.

It is committed beside the notice, so that a change of the notice, or of the engine, is a change of this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from kept.core.notice.rules import DEFAULT
from kept.core.notice.terms import Ask, ChoiceFact, SubjectFacts

if TYPE_CHECKING:
    from kept.core.notice.policy import Policy

_NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a person has said and is, in words and in facts."""

    words: str
    facts: SubjectFacts


def table(policy: Policy) -> str:
    """The whole table. The first part holds the masks, the second the reasons, the third the columns, the last the inlets."""
    parts = [_open(policy), _reasons(policy), _columns(policy), _provenance(policy), _outlets(policy), _channels(policy)]
    title = f"Decisions of the notice {policy.notice.id!r}. Made by `golden`; compared by a test."
    return "\n\n".join([title, *(part for part in parts if part)]) + "\n"


def situations(policy: Policy, region: str) -> Iterator[Situation]:
    """The situations that the notice can tell apart in a region."""
    base = SubjectFacts(_NOW, "" if region == DEFAULT else region)
    yes = ChoiceFact("given", _NOW - 9 * _DAY)
    agreed = replace(base, choices={"all": yes})
    yield Situation("has said nothing", base)
    yield Situation("agreed to all", agreed)
    yield Situation("agreed until tomorrow", replace(base, choices={"all": replace(yes, until=_NOW + _DAY)}))
    yield Situation("agreed until yesterday", replace(base, choices={"all": replace(yes, until=_NOW - _DAY)}))
    yield Situation("agreed from tomorrow", replace(base, choices={"all": replace(yes, at=_NOW + _DAY)}))
    for state in ("withdrawn", "objected", "opted-out"):
        yield Situation(f"{state}, all", replace(base, choices={"all": ChoiceFact(state, _NOW - _DAY)}))  # type: ignore[arg-type]
    for choice in policy.choices(base.region):
        no = ChoiceFact("withdrawn", _NOW - _DAY)
        yield Situation(f"gave {choice}", replace(base, choices={choice: yes}))
        yield Situation(f"withdrew {choice}", replace(base, choices={choice: no}))
        yield Situation(f"agreed to all, then withdrew {choice}", replace(base, choices={"all": yes, choice: no}))
        yield Situation(f"withdrew {choice}, then agreed to all", replace(base, choices={"all": replace(yes, at=_NOW), choice: no}))
        yield Situation(f"gave {choice} and withdrew all at once", replace(base, choices={choice: yes, "all": replace(no, at=yes.at)}))
    for purpose in policy.purposes:
        yield Situation(f"agreed to all, objected to {purpose}", replace(agreed, choices={"all": yes, purpose: ChoiceFact("objected", _NOW)}))
    for restricted in ("all", *_reaching(policy)):
        yield Situation(f"agreed to all, restricted {restricted}", replace(agreed, restricted=frozenset({restricted})))
    age = policy.minimum_age(base.region)
    if age is not None:
        birthday = date(_NOW.year - age, _NOW.month, _NOW.day)
        yield Situation(f"agreed to all, {age} today", replace(agreed, born=birthday))
        yield Situation(f"agreed to all, {age} tomorrow", replace(agreed, born=birthday + _DAY))
        yield Situation(f"agreed to all, {age} on 1 March", replace(agreed, now=datetime(2027, 2, 28, 12, tzinfo=UTC), born=date(2027 - age, 3, 1)))


def _reaching(policy: Policy) -> Iterable[str]:
    """The purposes, and the terms above them that reach more than one."""
    parents = (parent for one in policy.purposes.values() for parent in one.parents if parent != "all")
    return dict.fromkeys((*policy.purposes, *parents))

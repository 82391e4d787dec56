"""What a policy says in one region, in the form that runs: no models, no trees, only look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from kept.core.notice import law
from kept.core.notice.terms import EVERYTHING, ChoiceFact, ChoiceTerms, Decision, DiscloseTerms, RightTerms, SubjectFacts

PARENTAL_CONSENT = "parental-consent"


def last_word(keys: frozenset[str], choices: Mapping[str, ChoiceFact], now: datetime) -> bool | None:
    """What a person last said about any of these: yes, no, or nothing.

    Of a yes and a no at one moment the no counts, and a yes that has lapsed was never said.
    """
    yes: datetime | None = None
    no: datetime | None = None
    for key, fact in choices.items():
        if key not in keys:
            continue
        if fact.state != "given":
            if no is None or fact.at > no:
                no = fact.at
        elif fact.at <= now and (fact.until is None or now < fact.until) and (yes is None or fact.at > yes):
            yes = fact.at
    if yes is None:
        return None if no is None else False
    return no is None or yes > no


@dataclass(frozen=True, slots=True)
class Clause:
    """One purpose in one region.

    `heard` holds, for each channel on which a choice governs the purpose (None where none names a channel), the keys of facts that
    speak to it; `unaddressed` those that count on any other channel; `columns` are the categories it reads whatever their provenance.
    The decisions are made beforehand: deciding is choosing one.
    """

    bit: int
    choice: Literal["gives", "refuses", "none"]
    restrictable: bool
    columns: frozenset[str]
    names: frozenset[str]
    heard: Mapping[str | None, frozenset[str]]
    unaddressed: frozenset[str]
    granted: Decision
    declined: Decision
    restricted: Decision

    def restricts(self, facts: SubjectFacts) -> bool:
        """Whether a restriction closes the purpose: one that is about it, and after which the person did not agree to it."""
        about = self.restrictable and not self.names.isdisjoint(facts.restricted)
        return about and self.names.isdisjoint(facts.agreed)

    def willing(self, choices: Mapping[str, ChoiceFact], now: datetime) -> bool:
        """Whether the person's word leaves the purpose open on at least one channel."""
        if self.choice == "none":
            return True
        if not choices:
            return self.choice == "refuses"
        for keys in self.heard.values():  # noqa: SIM110 - a generator would double the cost of a decision
            if self._hears(keys, choices, now):
                return True
        return False

    def willing_on(self, channel: str, choices: Mapping[str, ChoiceFact], now: datetime) -> bool:
        """Whether it leaves the purpose open on this channel."""
        return self.choice == "none" or self._hears(self.heard.get(channel, self.unaddressed), choices, now)

    def _hears(self, keys: frozenset[str], choices: Mapping[str, ChoiceFact], now: datetime) -> bool:
        word = last_word(keys, choices, now)
        return self.choice == "refuses" if word is None else word


@dataclass(frozen=True, slots=True)
class Ways:
    """The choices that move an outlet or a tracker, all of which must leave it open.

    For each the keys of facts that speak to it, how it stands before anybody spoke, and the answer where it closes.
    """

    parts: tuple[tuple[frozenset[str], bool, Decision], ...]

    def refusal(self, facts: SubjectFacts) -> Decision | None:
        """The answer of the first choice that keeps it closed, or None."""
        for heard, stands, declined in self.parts:
            word = last_word(heard, facts.choices, facts.now)
            if not (stands if word is None else word):
                return declined
        return None


@dataclass(frozen=True, slots=True)
class Outlet:
    """A disclosure as it stands in one region. `until` is the last day of its mechanism, `abroad` the answer where it has none."""

    terms: DiscloseTerms
    ways: Ways
    abroad: Decision | None
    until: date | None

    def refusal(self, facts: SubjectFacts, ground: str | None) -> Decision | None:
        """Why nothing of this person may go out here, or None."""
        stated = self.terms.stated
        if stated and ground not in stated:
            return Decision(False, (self.terms.rule.name,), (f"state one of: {', '.join(sorted(stated))}",))
        if self.abroad is not None and (self.until is None or facts.now.date() > self.until):
            return self.abroad
        if too_young_to_sell(self.terms, facts):
            return Decision(False, (self.terms.rule.name,))
        return self.ways.refusal(facts)


@dataclass(frozen=True, slots=True)
class Age:
    """The age in years below which nothing is done (without a parent's consent, where `consent` says so), and the answer to a child."""

    minimum: int
    refused: Decision
    consent: bool = False

    def closes(self, facts: SubjectFacts, now: datetime) -> bool:
        """Whether this person is too young at a moment."""
        if not self.below(facts.born, now):
            return False
        return not (self.consent and last_word(_PARENT, facts.choices, now))

    def reached(self, born: date, now: datetime) -> datetime:
        """The start of the birthday on which it is reached, in the time zone of `now`; 29 February becomes 1 March."""
        year = born.year + self.minimum
        try:
            return datetime(year, born.month, born.day, tzinfo=now.tzinfo)
        except ValueError:
            return datetime(year, 3, 1, tzinfo=now.tzinfo)

    def below(self, born: date | None, now: datetime) -> bool:
        """Whether a person born then is too young now."""
        if born is None or now.year - born.year > self.minimum:
            return False
        return now < self.reached(born, now)


_SALE = law.age(("ccpa",), "sale", "US-CA")
assert _SALE is not None
SALE = Age(_SALE.years, Decision(False))
"""Nobody known to be younger is sold or shared; below that age we take no opt-in."""


def too_young_to_sell(terms: DiscloseTerms, facts: SubjectFacts) -> bool:
    """Whether this would sell or share somebody known to be too young for it."""
    return (terms.sale or terms.share) and SALE.below(facts.born, facts.now)


_PARENT = frozenset({PARENTAL_CONSENT})


@dataclass(frozen=True, slots=True)
class RegionTerms:
    """Everything that may differ by region.

    `gates` are ages that hold on one occasion only, by occasion. `offered` are all rights, `rights` the one of each kind that we answer.
    """

    clauses: Mapping[str, Clause]
    age: Age | None
    gates: Mapping[str, Age]
    offered: tuple[RightTerms, ...]
    rights: Mapping[str, RightTerms]
    choices: Mapping[str, ChoiceTerms]
    outlets: Mapping[str, Outlet]
    trackers: Mapping[str, Ways]

    def refusal(self, clause: Clause, facts: SubjectFacts, now: datetime) -> Decision | None:
        """Why this purpose is closed to this person at a moment, or None where it is open."""
        if self.age is not None and self.age.closes(facts, now):
            return self.age.refused
        if facts.restricted and clause.restricts(facts):
            return clause.restricted
        return None if clause.willing(facts.choices, now) else clause.declined

    def mask(self, facts: SubjectFacts, now: datetime) -> int:
        """The bits of the purposes that are open to this person at a moment."""
        mask = EVERYTHING
        for clause in self.clauses.values():
            if self.refusal(clause, facts, now) is None:
                mask |= 1 << clause.bit
        return mask

    def moments(self, facts: SubjectFacts) -> Iterator[datetime]:
        """The later moments at which the mask may change by itself."""
        if self.age is not None and self.age.below(facts.born, facts.now):
            yield self.age.reached(facts.born or date.min, facts.now)
        for fact in facts.choices.values():
            if fact.state == "given":
                yield from (moment for moment in (fact.at, fact.until) if moment is not None and moment > facts.now)

"""What a policy says in one region, in the form that runs: no models, no trees, only look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from kept.core.notice.terms import EVERYTHING, ChoiceFact, ChoiceTerms, Decision, RightTerms, SubjectFacts


@dataclass(frozen=True, slots=True)
class Clause:
    """One purpose in one region.

    `heard` holds, for each channel on which a choice governs the purpose (None where none names a channel), the keys of facts that
    speak to it; `unaddressed` those that count on any other channel. The decisions are made beforehand: deciding is choosing one.
    """

    bit: int
    choice: Literal["gives", "refuses", "none"]
    restrictable: bool
    names: frozenset[str]
    heard: Mapping[str | None, frozenset[str]]
    unaddressed: frozenset[str]
    granted: Decision
    declined: Decision
    restricted: Decision

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
        """The last word counts. Of a yes and a no at one moment the no counts, and a yes that has lapsed was never said."""
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
            return no is None and self.choice == "refuses"
        return no is None or yes > no


@dataclass(frozen=True, slots=True)
class Age:
    """The age in years below which nothing is done, and the answer to a child."""

    minimum: int
    refused: Decision

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


@dataclass(frozen=True, slots=True)
class RegionTerms:
    """Everything that may differ by region."""

    clauses: Mapping[str, Clause]
    age: Age | None
    rights: Mapping[str, RightTerms]
    choices: Mapping[str, ChoiceTerms]

    def refusal(self, clause: Clause, facts: SubjectFacts, now: datetime) -> Decision | None:
        """Why this purpose is closed to this person at a moment, or None where it is open."""
        if self.age is not None and self.age.below(facts.born, now):
            return self.age.refused
        if facts.restricted and clause.restrictable and not clause.names.isdisjoint(facts.restricted):
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

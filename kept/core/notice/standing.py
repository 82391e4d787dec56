"""What holds for somebody whose data was collected under an earlier version of the notice and who has not agreed to the one in force:
what both allow, and every right that either gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from kept.core.notice.diff import Change, Diff, diff
from kept.core.notice.durations import Duration
from kept.core.notice.model import Notice
from kept.core.notice.policy import Policy
from kept.core.notice.terms import EVERYTHING, Ask, ChoiceFact, ChoiceTerms, Decision, RightTerms, SubjectFacts
from kept.core.notice.vocabulary import RESERVED

Offered = TypeVar("Offered", RightTerms, ChoiceTerms)
_OUTLETS = ("recipients", "shared", "countries", "safeguards", "telling")


@dataclass(frozen=True)
class Standing:
    """The same questions as `Policy`, answered for a person who stands under `earlier` while `active` is in force.

    A purpose that only the active version declares is closed to them until they consent to that very purpose. A purpose that only the
    earlier one declares is closed to everybody.
    """

    earlier: Policy
    active: Policy

    @cached_property
    def diff(self) -> Diff:
        """What the active version would change for them."""
        return diff(self.earlier, self.active)

    @cached_property
    def asks(self) -> bool:
        """Whether the active version waits for their word."""
        return self.diff.acceptance != "none"

    @cached_property
    def inexpressible(self) -> tuple[Change, ...]:
        """What no mask can keep from them: a purpose has one set of columns for everybody, so what it gains it would read of them too."""
        return tuple(one for one in self.diff.changes if one.facet == "categories" and one.kind == "gained") if self.asks else ()

    @cached_property
    def _moved(self) -> Mapping[str, str]:
        """Recipients of whom the active version says more, and the rule that does."""
        wider = (one for one in self.diff.changes if one.facet in _OUTLETS and one.direction == "wider")
        return {key[0]: one.after or one.before for one in wider for key in one.keys}

    def permits(self, facts: SubjectFacts) -> tuple[int, datetime | None]:
        """The mask, and a moment at which it may next change by itself."""
        mask, changes = self.active.permits(facts)
        held, others = self.earlier.permits(facts)
        shared = sum(1 << one.bit for one in self.active.purposes.values() if one.id in self.earlier.purposes)
        agreed = [(one.bit, fact) for one in self.active.purposes.values() if (fact := self._named(one.id, facts))]
        mask &= EVERYTHING | held & shared | sum(1 << bit for bit, fact in agreed if _given(fact, facts.now))
        moments = [moment for _, fact in agreed if fact.state == "given" for moment in (fact.at, fact.until)]
        return mask, min((one for one in (changes, others, *moments) if one is not None and one > facts.now), default=None)

    def _named(self, purpose: str, facts: SubjectFacts) -> ChoiceFact | None:
        """What they said of a purpose that is new to them, by its own name."""
        return None if purpose in self.earlier.purposes else facts.choices.get(purpose)

    def decide(self, ask: Ask, facts: SubjectFacts) -> Decision:
        """Whether both versions allow it."""
        decision = self.active.decide(ask, facts)
        if not decision.allowed or ask.purpose in RESERVED:
            return decision
        if ask.recipient is not None and ask.recipient in self._moved:
            return Decision(False, (self._moved[ask.recipient],))
        if ask.purpose in self.earlier.purposes:
            earlier = self.earlier.decide(ask, facts)
            return Decision(True, decision.because, tuple(dict.fromkeys(earlier.duties + decision.duties))) if earlier.allowed else earlier
        fact = self._named(ask.purpose, facts)
        return decision if fact and _given(fact, facts.now) else Decision(False, (f"purpose:{ask.purpose}",))

    @property
    def notice(self) -> Notice:
        """The notice in force."""
        return self.active.notice

    def fence(self, source: str | None, category: str | None) -> int:
        """The fence of a value of theirs."""
        return self.active.fence(source, category) & self.earlier.fence(source, category)

    def rights(self, region: str = "") -> Mapping[str, RightTerms]:
        """Every right that either version offers; of one in both, the faster."""
        return _better(self.earlier.rights(region), self.active.rights(region), lambda one: one.within)

    def choices(self, region: str = "") -> Mapping[str, ChoiceTerms]:
        """Every choice that either version offers."""
        return _better(self.earlier.choices(region), self.active.choices(region), lambda one: one.effective_within)


@dataclass(frozen=True)
class Together:
    """What the versions that people are under offer together: for somebody of whom it is not known yet who they are."""

    active: Policy
    earlier: tuple[Standing, ...]

    @property
    def notice(self) -> Notice:
        """The notice in force."""
        return self.active.notice

    def rights(self, region: str = "") -> Mapping[str, RightTerms]:
        """Every right that any of them offers; of one in several, the fastest."""
        found = self.active.rights(region)
        for one in self.earlier:
            found = _better(one.rights(region), found, lambda right: right.within)
        return found


def _given(fact: ChoiceFact, now: datetime) -> bool:
    return fact.state == "given" and fact.at <= now and (fact.until is None or now < fact.until)


def _better(
    earlier: Mapping[str, Offered], active: Mapping[str, Offered], clock: Callable[[Offered], Duration | None]
) -> Mapping[str, Offered]:
    """Of two offers of the same the one with the shorter clock, and the earlier where they are equal."""

    def days(one: Offered) -> float:
        length = clock(one)
        return length.days_at_most if length else float("inf")

    slower = {key for key, one in earlier.items() if key in active and days(active[key]) < days(one)}
    return {**active, **{key: one for key, one in earlier.items() if key not in slower}}

"""The compiled policy: one question, its bulk form, and the tables behind them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kept.core.notice import golden
from kept.core.notice.model import Notice, Rule
from kept.core.notice.region import Clause, RegionTerms, too_young_to_sell
from kept.core.notice.rules import DEFAULT, RoleBody
from kept.core.notice.terms import (
    EVERYTHING_BIT,
    UNFENCED,
    Ask,
    ChangeTerms,
    ChoiceTerms,
    CollectTerms,
    Decision,
    DiscloseTerms,
    FenceTerms,
    GroupTerms,
    NeverAskTerms,
    PurposeTerms,
    Reason,
    RetainTerms,
    RightTerms,
    SubjectFacts,
    TrackerTerms,
    TransferTerms,
)
from kept.core.notice.vocabulary import RESERVED, regions_of

_RESERVED = Decision(True)


@dataclass(frozen=True, eq=False)
class Policy:
    """What a notice allows. Immutable; made by `compile`.

    `bits` holds every bit allotted so far in the account, those of purposes no longer declared included, so that none is used twice.
    `role` is what we are for our own data. `regions` are the regions the notice tells apart, with `default` for everywhere else.
    """

    notice: Notice
    role: str
    roles: tuple[tuple[Rule, RoleBody], ...]
    bits: Mapping[str, int]
    purposes: Mapping[str, PurposeTerms]
    categories: frozenset[str]
    collects: tuple[CollectTerms, ...]
    outlets: Mapping[str, DiscloseTerms]
    transfers: tuple[TransferTerms, ...]
    trackers: Mapping[str, TrackerTerms]
    retains: tuple[RetainTerms, ...]
    sealed: frozenset[str]
    fences: tuple[FenceTerms, ...]
    change: ChangeTerms | None
    groups: tuple[GroupTerms, ...]
    never_ask: tuple[NeverAskTerms, ...]
    truncated: Mapping[str, Rule]
    refusals: Mapping[str, Rule]
    refusals_by_source: Mapping[tuple[str, str], Rule]
    regions: Mapping[str, RegionTerms]

    # The question

    def decide(self, ask: Ask, facts: SubjectFacts) -> Decision:
        """Whether this may be done with this person's data, and on which rules the answer rests."""
        region = self.regions.get(facts.region) or self.region(facts.region)
        clause = region.clauses.get(ask.purpose)
        if clause is None:
            return _RESERVED if ask.purpose in RESERVED else Decision(False, (f"purpose:{ask.purpose}",))
        refusal = region.refusal(clause, facts, facts.now)
        if refusal is not None:
            return refusal
        about = ask.source is None and ask.recipient is None and ask.channel is None and ask.tracker is None and ask.record is None
        if about and (ask.category is None or ask.category in clause.columns):
            return clause.granted
        return self._closer(ask, facts, clause, region)

    def _closer(self, ask: Ask, facts: SubjectFacts, clause: Clause, region: RegionTerms) -> Decision:
        """The rest of the question, once the purpose itself is open."""
        if ask.category is not None and ask.category not in self.purposes[ask.purpose].categories:
            return Decision(False, (self.why_withheld(ask.purpose, ask.category).rule,))
        fenced = self._fenced_by(ask, clause.bit)
        if fenced and ask.recipient is None:
            return Decision(False, fenced)
        because, duties = clause.granted.because, list(clause.granted.duties)
        if ask.channel is not None:
            if not clause.willing_on(ask.channel, facts.choices, facts.now):
                return clause.declined
            ways = (one for one in region.choices.values() if one.channel in (None, ask.channel) and ask.purpose in one.governs)
            duties += [f"offer {one.rule.name}" for one in ways]
        if ask.tracker is not None:
            tracked = region.trackers.get(ask.tracker)
            if tracked is None or ask.purpose not in self.trackers[ask.tracker].purposes:
                return Decision(False, (f"tracker:{ask.tracker}",))
            handed = self.outlets.get(self.trackers[ask.tracker].body.recipient or "")
            if handed is not None and too_young_to_sell(handed, facts):
                return Decision(False, (handed.rule.name,))
            refusal = tracked.refusal(facts)
            if refusal is not None:
                return refusal
            because = (*because, f"tracker:{ask.tracker}")
        if ask.recipient is not None:
            answer = self._out(ask, facts, region)
            if not answer.allowed:
                return answer
            because, duties = (*because, *answer.because), [*duties, *answer.duties]
        return Decision(True, because, tuple(duties))

    def _out(self, ask: Ask, facts: SubjectFacts, region: RegionTerms) -> Decision:
        """Whether it may go to the recipient: by the first outlet to them that is open."""
        to = [one for one in region.outlets.values() if ask.recipient in (one.terms.to, one.terms.id)]
        fitting = [one for one in to if ask.purpose in one.terms.purposes and ask.category in (None, *one.terms.categories)]
        refusal: Decision | None = None
        for outlet in fitting:
            terms = outlet.terms
            fenced = self._kept_from(terms, ask)
            refused = Decision(False, fenced) if fenced else outlet.refusal(facts, ask.ground)
            if refused is None:
                duties = ("record the disclosure", *([f"tell the person {terms.tell}"] if terms.tell else []))
                return Decision(True, (terms.rule.name,), duties)
            refusal = refusal or refused
        return refusal or Decision(False, tuple(one.terms.rule.name for one in to) or (f"disclose:{ask.recipient}",))

    def permits(self, facts: SubjectFacts) -> tuple[int, datetime | None]:
        """The mask of the open purposes, and the moment at which it next changes without anybody doing anything."""
        region = self.region(facts.region)
        mask = region.mask(facts, facts.now)
        changes = (moment for moment in sorted(region.moments(facts)) if region.mask(facts, moment) != mask)
        return mask, next(changes, None)

    # Purposes and categories

    def bit(self, purpose: str) -> int:
        """The bit a purpose acts with; reserved purposes act with the one that every mask has. KeyError when it is not declared."""
        return EVERYTHING_BIT if purpose in RESERVED else self.purposes[purpose].bit

    def opens(self, term: str) -> tuple[str, ...]:
        """The declared purposes that are this term or stand under it."""
        return tuple(one.id for one in self.purposes.values() if one.id == term or term in one.parents)

    def basis(self, purpose: str, region: str) -> str:
        """The lawful basis of a declared purpose in a region; empty where the notice gives it none."""
        bases = self.purposes[purpose].basis
        return bases[next((one for one in regions_of(region) if one in bases), DEFAULT)]

    def why_withheld(self, purpose: str, category: str) -> Reason:
        """Why a column of this category is closed under this purpose. Only asked where it is."""
        refused = self.refusals.get(category)
        if refused is not None:
            return Reason(refused.name, f"{refused.name} refuses {category} at every inlet, so it is not held.")
        rule = f"purpose:{purpose}"
        if purpose not in self.purposes:
            return Reason(rule, f"The notice does not declare the purpose {purpose}. A rule {rule} that lists {category} would open it.")
        if category not in self.categories:
            return Reason(rule, f"The notice declares {category} nowhere. Listing it in {rule} and in a collect rule would open it.")
        others = ", ".join(one.id for one in self.purposes.values() if category in one.categories)
        served = f" It serves {others}." if others else ""
        return Reason(rule, f"{rule} does not list {category}.{served}")

    # Outlets

    @cached_property
    def recipients(self) -> Mapping[str, tuple[DiscloseTerms, ...]]:
        """The outlets to each recipient, by name."""
        found: dict[str, tuple[DiscloseTerms, ...]] = {}
        for outlet in self.outlets.values():
            found[outlet.to] = (*found.get(outlet.to, ()), outlet)
        return found

    # Inlets

    @property
    def refused(self) -> frozenset[str]:
        """The categories that some limit refuses at every inlet."""
        return frozenset(self.refusals)

    def refused_by(self, category: str) -> Rule:
        """The limit that refuses a category at every inlet; KeyError when none does."""
        return self.refusals[category]

    def collect_for(self, source: str) -> tuple[CollectTerms, ...]:
        """The inlets for data from a source; a rule for a source covers those under it."""
        terms = self.notice.vocabulary["source"]
        wider = (source, *terms.above(source)) if source in terms else (source,)
        return tuple(one for one in self.collects if one.source in wider)

    def may_collect(self, category: str, source: str | None = None) -> Decision:
        """Whether a category may come in, from this source or from any. The duties name what the supplier must attest."""
        refused = self.refusals.get(category) or self.refusals_by_source.get((source or "", category))
        if refused is not None:
            return Decision(False, (refused.name,))
        open_to = self.collects if source is None else self.collect_for(source)
        inlets = [one for one in open_to if category in one.categories and one.held_by is None]
        attest = dict.fromkeys(f"attest {what}" for one in inlets for what in one.attest)
        return Decision(bool(inlets), tuple(one.rule.name for one in inlets), tuple(attest))

    # Fences

    def fence(self, source: str | None, category: str | None, record: str | None = None) -> int:
        """The mask of the purposes a value of this provenance may serve: all ones where no limit is about it. Bit 62 is always set, bit 61
        unless a limit closes such values to people."""
        mask = UNFENCED
        for fence in self.fences:
            if fence.about(source, category, record):
                mask &= fence.mask
        for purpose in self.purposes.values():
            if purpose.sources is not None and source not in purpose.sources:
                mask &= ~(1 << purpose.bit)
        return mask

    def humans(self, source: str | None, category: str | None, record: str | None = None) -> FenceTerms | None:
        """The limit under which a human reader of such a value states a ground; None where none is needed."""
        return next((one for one in self.fences if one.humans and one.about(source, category, record)), None)

    def group_minimum(self, categories: Collection[str]) -> tuple[int, str]:
        """The smallest group, in people, that an aggregate over these categories may show, and the rule; ``(1, "")`` where none says."""
        found = [one for one in self.groups if not one.categories or not one.categories.isdisjoint(categories)]
        strictest = max(found, key=lambda one: one.minimum, default=None)
        return (strictest.minimum, strictest.rule.name) if strictest else (1, "")

    def _fenced_by(self, ask: Ask, bit: int, outlet: DiscloseTerms | None = None) -> tuple[str, ...]:
        """The limits that keep such a value from the purpose, but for those that a disclosure lifts."""
        purpose = self.purposes[ask.purpose]
        standing = (one for one in self.fences if one.about(ask.source, ask.category, ask.record))
        found = [one.rule.name for one in standing if not one.mask >> bit & 1 and not (outlet and one.lifted(outlet))]
        if ask.source is not None and purpose.sources is not None and ask.source not in purpose.sources:
            found.append(purpose.rule.name)
        return tuple(found)

    def _kept_from(self, outlet: DiscloseTerms, ask: Ask) -> tuple[str, ...]:
        """The limits that keep such a value from an outlet."""
        about = (one for one in self.fences if one.about(ask.source, ask.category, ask.record) and not one.lifted(outlet))
        barred = tuple(one.rule.name for one in about if one.outlets is not None and outlet.id not in one.outlets)
        return self._fenced_by(ask, self.purposes[ask.purpose].bit, outlet) + barred

    # Regions

    def region(self, region: str) -> RegionTerms:
        """What holds in a region: the most specific the notice tells apart."""
        return self.regions[next((one for one in regions_of(region) if one in self.regions), DEFAULT)]

    def rights(self, region: str = "") -> Mapping[str, RightTerms]:
        """The rights offered in a region, by kind."""
        return self.region(region).rights

    def choices(self, region: str = "") -> Mapping[str, ChoiceTerms]:
        """The choices offered in a region, by id."""
        return self.region(region).choices

    def minimum_age(self, region: str = "") -> int | None:
        """The age in years below which nothing is done with a person's data, or None."""
        age = self.region(region).age
        return age.minimum if age else None

    def golden(self) -> str:
        """The golden decision table: what is decided in every situation, in readable text."""
        return golden.table(self)

"""The compiled policy: one question, its bulk form, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kept.core.notice import golden
from kept.core.notice.model import Notice, Rule
from kept.core.notice.region import Clause, RegionTerms
from kept.core.notice.rules import DEFAULT
from kept.core.notice.terms import (
    EVERYTHING_BIT,
    UNFENCED,
    Ask,
    ChoiceTerms,
    CollectTerms,
    Decision,
    DiscloseTerms,
    FenceTerms,
    PurposeTerms,
    Reason,
    RetainTerms,
    RightTerms,
    SubjectFacts,
)
from kept.core.notice.vocabulary import RESERVED, regions_of

_RESERVED = Decision(True)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What a notice allows. Immutable; made by `compile`.

    `bits` holds every bit allotted so far in the account, those of purposes no longer declared included, so that none is used twice.
    `role` is what we are for our own data. `regions` are the regions the notice tells apart, with `default` for everywhere else.
    """

    notice: Notice
    role: str
    bits: Mapping[str, int]
    purposes: Mapping[str, PurposeTerms]
    categories: frozenset[str]
    collects: tuple[CollectTerms, ...]
    recipients: Mapping[str, tuple[DiscloseTerms, ...]]
    retains: tuple[RetainTerms, ...]
    sealed: frozenset[str]
    fences: tuple[FenceTerms, ...]
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
        if ask.category is None and ask.source is None and ask.recipient is None and ask.channel is None:
            return clause.granted
        return self._closer(ask, facts, clause, region)

    def _closer(self, ask: Ask, facts: SubjectFacts, clause: Clause, region: RegionTerms) -> Decision:
        """The rest of the question, once the purpose itself is open."""
        if ask.category is not None and ask.category not in self.purposes[ask.purpose].categories:
            return Decision(False, (self.why_withheld(ask.purpose, ask.category).rule,))
        fenced = self._fenced_by(ask.source, ask.category, clause.bit)
        if fenced:
            return Decision(False, fenced)
        if ask.channel is None and ask.recipient is None:
            return clause.granted
        because, duties = clause.granted.because, list[str]()
        if ask.channel is not None:
            if not clause.willing_on(ask.channel, facts.choices, facts.now):
                return clause.declined
            ways = (one for one in region.choices.values() if one.channel in (None, ask.channel) and ask.purpose in one.governs)
            duties += [f"offer {one.rule.name}" for one in ways]
        if ask.recipient is not None:
            outlets = self.recipients.get(ask.recipient, ())
            outlet = next((one for one in outlets if ask.purpose in one.purposes and ask.category in (None, *one.categories)), None)
            if outlet is None:
                return Decision(False, tuple(one.rule.name for one in outlets) or (f"disclose:{ask.recipient}",))
            because = (*because, outlet.rule.name)
            duties += ["record the disclosure", *([f"tell the person {outlet.tell}"] if outlet.tell else [])]
        return Decision(True, because, tuple(duties))

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
        inlets = [one for one in (self.collects if source is None else self.collect_for(source)) if category in one.categories]
        attest = dict.fromkeys(f"attest {what}" for one in inlets for what in one.attest)
        return Decision(bool(inlets), tuple(one.rule.name for one in inlets), tuple(attest))

    # Fences

    def fence(self, source: str | None, category: str | None) -> int:
        """The mask of the purposes a value of this provenance may serve: all ones where no limit is about it. Bit 62 is always set."""
        mask = UNFENCED
        for fence in self.fences:
            if self._stands(fence, source, category):
                mask &= fence.mask
        return mask

    def _stands(self, fence: FenceTerms, source: str | None, category: str | None) -> bool:
        return (not fence.sources or source in fence.sources) and (not fence.categories or category in fence.categories)

    def _fenced_by(self, source: str | None, category: str | None, bit: int) -> tuple[str, ...]:
        if not self.fences:
            return ()
        return tuple(one.rule.name for one in self.fences if self._stands(one, source, category) and not one.mask >> bit & 1)

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

"""`compile`: from a notice to the policy that runs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from kept.core.errors import BadInput
from kept.core.notice import law
from kept.core.notice.findings import unreadable
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.region import Age, Clause, RegionTerms
from kept.core.notice.rules import (
    DEFAULT,
    AgeBody,
    ChoiceBody,
    CollectBody,
    DiscloseBody,
    LimitBody,
    PurposeBody,
    RetainBody,
    RightBody,
    RoleBody,
    SecureBody,
    pick,
)
from kept.core.notice.terms import (
    BITS,
    EVERYTHING,
    UNFENCED,
    ChoiceTerms,
    CollectTerms,
    Decision,
    DiscloseTerms,
    FenceTerms,
    PurposeTerms,
    RetainTerms,
    RightTerms,
)
from kept.core.notice.vocabulary import BASES


def compile(notice: Notice, *, bits: Mapping[str, int] | None = None) -> Policy:  # noqa: A001
    """Make the policy of a notice. `bits` are those the account allotted earlier; new purposes take the next free ones.

    Raises NoticeError when more than 62 purposes would need a bit, BadInput when `bits` gives one twice or out of range.
    """
    return _Compiler(notice, bits or {}).policy()


class _Compiler:
    def __init__(self, notice: Notice, bits: Mapping[str, int]) -> None:
        self.notice, self.terms = notice, notice.vocabulary
        self.declared = _declared(notice)
        self.bits = self.allot(bits)
        self.purposes = MappingProxyType({purpose: self.purpose(rule) for purpose, rule in self.declared.items()})

    def allot(self, earlier: Mapping[str, int]) -> Mapping[str, int]:
        """A bit for every purpose; an earlier one is never used again."""
        bits = dict(earlier)
        if len(set(bits.values())) < len(bits) or not all(0 <= bit < BITS for bit in bits.values()):
            raise BadInput("The bits allotted earlier are wrong.", cure=f"Give each purpose a bit of its own from 0 to {BITS - 1}.")
        free = (bit for bit in range(BITS) if bit not in earlier.values())
        for purpose, rule in self.declared.items():
            if purpose not in bits:
                bit = next(free, None)
                if bit is None:
                    cure = "Put purposes together under a common parent."
                    raise unreadable([self.notice.finding(rule, "malformed", f"an account has {BITS} purposes at most", cure)])
                bits[purpose] = bit
        return MappingProxyType(bits)

    def policy(self) -> Policy:
        """All tables together."""
        notice = self.notice
        role = next((body.is_ for _, body in notice.saying(RoleBody) if body.data == "own"), "controller")
        collects = tuple(self.collect(rule, body) for rule, body in notice.saying(CollectBody))
        refusals = {category: rule for rule, body in self.refusing() if not body.applies_to.source for category in self.refused(body)}
        by_source = {
            (source, category): rule
            for rule, body in self.refusing()
            for source in self.terms["source"].under(*body.applies_to.source)
            for category in self.refused(body)
        }
        sealed = frozenset(chain.from_iterable(self.categories(body.seal) for _, body in notice.saying(SecureBody)))
        held = chain((one.categories for one in self.purposes.values()), (one.categories for one in collects))
        outlets: dict[str, tuple[DiscloseTerms, ...]] = {}
        for rule, body in notice.saying(DiscloseBody):
            outlets[body.to] = (*outlets.get(body.to, ()), self.disclose(rule, body))
        return Policy(
            notice=notice,
            role=role,
            bits=self.bits,
            purposes=self.purposes,
            categories=frozenset(chain.from_iterable(held)) - frozenset(refusals),
            collects=collects,
            recipients=MappingProxyType(outlets),
            retains=tuple(self.retain(rule, body) for rule, body in notice.saying(RetainBody)),
            sealed=sealed,
            fences=tuple(self.fence(rule, body) for rule, body in notice.saying(LimitBody) if body.only_purposes or body.never),
            refusals=MappingProxyType(refusals),
            refusals_by_source=MappingProxyType(by_source),
            regions=MappingProxyType({region: self.region(region) for region in told_apart(notice)}),
        )

    # Terms to declared things

    def categories(self, named: tuple[str, ...] | None) -> frozenset[str]:
        return self.terms["category"].under(*named or ())

    def under(self, named: tuple[str, ...] | None) -> tuple[str, ...]:
        """The declared purposes that these terms name."""
        family = self.terms["purpose"].under(*named or ())
        return tuple(purpose for purpose in self.declared if purpose in family)

    def refusing(self) -> list[tuple[Rule, LimitBody]]:
        return [(rule, body) for rule, body in self.notice.saying(LimitBody) if body.refuse]

    def refused(self, body: LimitBody) -> frozenset[str]:
        return self.categories(body.refuse)

    # Rules for everybody

    def purpose(self, rule: Rule) -> PurposeTerms:
        assert isinstance(rule.body, PurposeBody)
        bases = {region: self.basis(rule.id, region) or "" for region in told_apart(self.notice)}
        term = self.terms["purpose"]
        refused = [self.refused(body) for _, body in self.refusing() if not body.applies_to.source]
        return PurposeTerms(
            id=rule.id,
            title=rule.body.title or term[rule.id].title,
            parents=term.above(rule.id),
            bit=self.bits[rule.id],
            categories=self.categories(rule.body.categories).difference(*refused),
            basis=MappingProxyType(bases),
            rule=rule,
        )

    def collect(self, rule: Rule, body: CollectBody) -> CollectTerms:
        required = self.categories(body.required)
        return CollectTerms(rule.id, self.categories(body.categories), required, body.from_, self.under(body.for_), body.attest, rule)

    def disclose(self, rule: Rule, body: DiscloseBody) -> DiscloseTerms:
        return DiscloseTerms(
            id=rule.id,
            to=body.to,
            recipient_class=body.class_,
            role=body.as_,
            categories=self.categories(body.categories),
            purposes=self.under(body.for_),
            country=body.country,
            safeguard=body.safeguard,
            tell=body.tell,
            rule=rule,
        )

    def retain(self, rule: Rule, body: RetainBody) -> RetainTerms:
        return RetainTerms(rule.id, self.categories(body.categories), body.records or (), body.keep, body.after, body.then, rule)

    def fence(self, rule: Rule, body: LimitBody) -> FenceTerms:
        mask = UNFENCED if body.only_purposes is None else EVERYTHING | self.mask(body.only_purposes)
        mask &= ~self.mask(body.never)
        sources = self.terms["source"].under(*body.applies_to.source)
        return FenceTerms(sources, self.categories(body.applies_to.category), mask, rule)

    def mask(self, named: tuple[str, ...] | None) -> int:
        return sum(1 << self.bits[purpose] for purpose in self.under(named))

    # Rules by region

    def region(self, region: str) -> RegionTerms:
        where = "" if region == DEFAULT else region
        choices = {rule.id: self.choice(rule, body) for rule, body in self.notice.saying(ChoiceBody, where)}
        rights: dict[str, RightTerms] = {body.kind: self.right(rule, body, where) for rule, body in self.notice.saying(RightBody, where)}
        clauses = {one: self.clause(one, region, choices, rights) for one in self.declared if self.basis(one, region)}
        ages = [(minimum, rule) for rule, body in self.notice.saying(AgeBody, where) if (minimum := pick(body.minimum, where))]
        strictest = max(ages, key=lambda one: one[0], default=None)
        age = Age(strictest[0], Decision(False, (strictest[1].name,))) if strictest else None
        return RegionTerms(MappingProxyType(clauses), age, MappingProxyType(rights), MappingProxyType(choices))

    def basis(self, purpose: str, region: str) -> str | None:
        """The basis of a purpose in a region, from the rule in force there; None where it has none."""
        where = "" if region == DEFAULT else region
        bodies = (body for rule, body in self.notice.saying(PurposeBody, where) if rule.id == purpose)
        return next((pick(body.basis, where) for body in bodies), None)

    def clause(self, purpose: str, region: str, choices: Mapping[str, ChoiceTerms], rights: Mapping[str, RightTerms]) -> Clause:
        basis = BASES[self.basis(purpose, region) or ""]
        names = frozenset((purpose, *self.terms["purpose"].above(purpose)))
        ways = [one for one in choices.values() if purpose in one.governs]
        shared = names.union(one.id for one in ways if one.channel is None)
        channels: set[str | None] = {one.channel for one in ways if one.channel} or {None}
        heard = {channel: shared.union(one.id for one in ways if one.channel == channel) for channel in channels}
        rule = f"purpose:{purpose}"
        words = tuple(one.rule.name for one in ways)
        objecting = (rights["object"].rule.name,) if "object" in rights and basis.choice == "refuses" else ()
        restricting = (rights["restrict"].rule.name,) if "restrict" in rights else ()
        return Clause(
            bit=self.bits[purpose],
            choice=basis.choice,
            restrictable=basis.restrictable,
            names=names,
            heard=MappingProxyType(heard),
            unaddressed=shared,
            granted=Decision(True, (rule, *(words if basis.choice != "none" else ()))),
            declined=Decision(False, words or objecting or (rule,)),
            restricted=Decision(False, restricting or (rule,)),
        )

    def right(self, rule: Rule, body: RightBody, region: str) -> RightTerms:
        clock = law.clock(self.notice.identity.law, body.kind, region)
        stated = body.within is not None
        return RightTerms(
            id=rule.id,
            kind=body.kind,
            within=body.within or (clock.within if clock else None),
            extend=body.extend or (clock.extend if clock and not stated else None),
            confirm_within=body.confirm_within or (clock.confirm_within if clock else None),
            verify=body.verify,
            formats=body.formats,
            channels=body.channels,
            citation=clock.citation if clock and not stated else "",
            rule=rule,
        )

    def choice(self, rule: Rule, body: ChoiceBody) -> ChoiceTerms:
        return ChoiceTerms(rule.id, self.under(body.governs), body.channel, body.effective_within, rule)


def _declared(notice: Notice) -> dict[str, Rule]:
    """The rule that declares each purpose: the one for everybody, or else the first supplement that knows it."""
    rules = [rule for rule in notice.rules if rule.kind == "purpose"]
    declared: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda one: one.region is not None):
        declared.setdefault(rule.id, rule)
    return declared


def told_apart(notice: Notice) -> tuple[str, ...]:
    """Everywhere (`default`), then the regions that a supplement, a table or a law of the notice names."""
    bases = [body.basis for rule in notice.rules if isinstance(body := rule.body, PurposeBody)]
    ages = [body.minimum for rule in notice.rules if isinstance(body := rule.body, AgeBody)]
    laws = [law.PACKS[name].regions for name in notice.identity.law]
    return tuple(dict.fromkeys(chain((DEFAULT,), notice.regions(), *bases, *ages, *laws)))

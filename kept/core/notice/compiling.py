"""`compile`: from a notice to the policy that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from types import MappingProxyType
from typing import TypeVar

from kept.core.errors import BadInput
from kept.core.notice import law
from kept.core.notice.findings import unreadable
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.region import Age, Clause, Outlet, RegionTerms, Ways
from kept.core.notice.rules import (
    DEFAULT,
    EVERYBODY,
    MAJORITY,
    MARKETS,
    US,
    AgeBody,
    Body,
    ChangeBody,
    ChoiceBody,
    CollectBody,
    DiscloseBody,
    LimitBody,
    PurposeBody,
    RetainBody,
    RightBody,
    RoleBody,
    SecureBody,
    TrackerBody,
    TransferBody,
    pick,
)
from kept.core.notice.terms import (
    BITS,
    EVERYTHING,
    PEOPLE,
    UNFENCED,
    ChangeTerms,
    ChoiceTerms,
    CollectTerms,
    Decision,
    DiscloseTerms,
    FenceTerms,
    GroupTerms,
    NeverAskTerms,
    PurposeTerms,
    RetainTerms,
    RightTerms,
    TrackerTerms,
    TransferTerms,
)
from kept.core.notice.vocabulary import BASES, regions_of

B = TypeVar("B", bound=Body)


def compile(notice: Notice, *, bits: Mapping[str, int] | None = None) -> Policy:  # noqa: A001
    """Make the policy of a notice. `bits` are those the account allotted earlier; new purposes take the next free ones.

    Raises NoticeError when more than 61 purposes would need a bit, BadInput when `bits` gives one twice or out of range.
    """
    return _Compiler(notice, bits or {}).policy()


class _Compiler:
    def __init__(self, notice: Notice, bits: Mapping[str, int]) -> None:
        self.notice, self.terms = notice, notice.vocabulary
        self.declared = _declared(notice)
        self.bits = self.allot(bits)
        self.outlets = MappingProxyType({rule.id: self.disclose(rule, body) for rule, body in _all(notice, DiscloseBody)})
        self.transfers = tuple(self.transfer(rule, body) for rule, body in notice.saying(TransferBody))
        self.fences = tuple(self.fence(rule, body) for rule, body in notice.saying(LimitBody) if _fences(body))
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
        roles = notice.saying(RoleBody)
        role = next((body.is_ for _, body in sorted(roles, key=lambda one: one[1].data != "own")), "controller")
        refusals = {category: rule for rule, body in self.refusing() if not body.applies_to.source for category in self.refused(body)}
        by_source = {
            (source, category): rule
            for rule, body in self.refusing()
            for source in self.terms["source"].under(*body.applies_to.source)
            for category in self.refused(body)
        }
        sealed = frozenset(chain.from_iterable(self.categories(body.seal) for _, body in notice.saying(SecureBody)))
        collects = tuple(self.collect(rule, body) for rule, body in notice.saying(CollectBody))
        limits = notice.saying(LimitBody)
        held = chain((one.categories for one in self.purposes.values()), (one.categories for one in collects))
        return Policy(
            notice=notice,
            role=role,
            roles=tuple(roles),
            bits=self.bits,
            purposes=self.purposes,
            categories=frozenset(chain.from_iterable(held)) - frozenset(refusals),
            collects=collects,
            outlets=self.outlets,
            transfers=self.transfers,
            trackers=MappingProxyType({rule.id: self.tracker(rule, body) for rule, body in _all(notice, TrackerBody)}),
            retains=tuple(self.retain(rule, body) for rule, body in notice.saying(RetainBody)),
            sealed=sealed,
            fences=self.fences,
            change=next((ChangeTerms(rule.id, body, rule) for rule, body in notice.saying(ChangeBody)), None),
            groups=tuple(self.group(rule, body) for rule, body in limits if body.min_group),
            never_ask=tuple(self.never_ask(rule, body) for rule, body in limits if body.never_ask),
            truncated=MappingProxyType({one: rule for rule, body in limits for one in self.categories(body.truncate)}),
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
        sources = self.terms["source"].under(*rule.body.only_sources) if rule.body.only_sources else None
        return PurposeTerms(
            id=rule.id,
            title=rule.body.title or term[rule.id].title,
            parents=term.above(rule.id),
            bit=self.bits[rule.id],
            categories=self.categories(rule.body.categories).difference(*refused),
            basis=MappingProxyType(bases),
            sources=sources,
            body=rule.body,
            rule=rule,
        )

    def collect(self, rule: Rule, body: CollectBody) -> CollectTerms:
        return CollectTerms(
            id=rule.id,
            categories=self.categories(body.categories),
            required=self.categories(body.required),
            source=body.from_,
            purposes=self.under(body.for_),
            attest=body.attest,
            occasions=body.on,
            held_by=body.held_by,
            rule=rule,
        )

    def disclose(self, rule: Rule, body: DiscloseBody) -> DiscloseTerms:
        recipient = self.terms["recipient"]
        return DiscloseTerms(
            id=rule.id,
            to=rule.id if body.to == EVERYBODY else body.to,
            recipient_class=body.class_,
            classes=frozenset((body.class_, *recipient.above(body.class_))),
            role=body.as_,
            categories=self.categories(body.categories),
            purposes=self.under(body.for_),
            countries=body.country,
            safeguard=body.safeguard,
            agreement=body.agreement,
            sale=body.sale,
            share=body.share,
            needs=body.needs,
            grounds=frozenset(body.grounds),
            tell=body.tell,
            body=body,
            rule=rule,
        )

    def transfer(self, rule: Rule, body: TransferBody) -> TransferTerms:
        allow = MappingProxyType({str(one.by): one.valid_until for one in body.allow})
        return TransferTerms(rule.id, body.from_, body.to, allow, body.agreement, body.copy_, rule)

    def tracker(self, rule: Rule, body: TrackerBody) -> TrackerTerms:
        return TrackerTerms(rule.id, self.categories(body.categories), self.under(body.for_), body, rule)

    def retain(self, rule: Rule, body: RetainBody) -> RetainTerms:
        longest = max(body.keep, key=lambda one: one.days_at_most)
        categories, duty = self.categories(body.categories), body.duty is not None
        return RetainTerms(rule.id, categories, body.records or (), longest, body.after, body.then, body.unless, duty, rule)

    def fence(self, rule: Rule, body: LimitBody) -> FenceTerms:
        mask = UNFENCED if body.only_purposes is None else EVERYTHING | PEOPLE | self.mask(body.only_purposes)
        mask &= ~PEOPLE if body.humans else UNFENCED
        mask &= ~self.mask(tuple(one for one in body.never if one not in MARKETS))
        outlets = None
        if body.only_recipients or set(MARKETS).intersection(body.never):
            outlets = frozenset(one.id for one in self.outlets.values() if self.leaves(one, body))
        about = body.applies_to
        humans = body.humans.only_when if body.humans else ()
        sources, categories = self.terms["source"].under(*about.source), self.categories(about.category)
        return FenceTerms(sources, categories, frozenset(about.records), about.derived, mask, outlets, humans, body.unless, rule)

    def leaves(self, outlet: DiscloseTerms, body: LimitBody) -> bool:
        """Whether a limit leaves an outlet open."""
        if outlet.rule.name in body.except_:
            return True
        sold = (outlet.sale and "sale" in body.never) or (outlet.share and "sharing" in body.never)
        named = not body.only_recipients or outlet.id in body.only_recipients or not outlet.classes.isdisjoint(body.only_recipients)
        return named and not sold

    def group(self, rule: Rule, body: LimitBody) -> GroupTerms:
        about = body.applies_to
        return GroupTerms(self.terms["source"].under(*about.source), self.categories(about.category), body.min_group or 1, rule)

    def never_ask(self, rule: Rule, body: LimitBody) -> NeverAskTerms:
        assert body.never_ask
        return NeverAskTerms(self.categories(body.never_ask.categories), body.never_ask.channels, rule)

    def mask(self, named: tuple[str, ...] | None) -> int:
        return sum(1 << self.bits[purpose] for purpose in self.under(named))

    # Rules by region

    def region(self, region: str) -> RegionTerms:
        where = "" if region == DEFAULT else region
        choices = {rule.id: self.choice(rule, body) for rule, body in self.notice.saying(ChoiceBody, where)}
        offered = tuple(self.right(rule, body, where) for rule, body in self.notice.saying(RightBody, where))
        general = {rule.name for rule in self.notice.rules if rule.region is None}
        rights = _by_kind(offered, general)
        clauses = {one: self.clause(one, region, choices, rights) for one in self.declared if self.basis(one, region)}
        outlets = {rule.id: self.outlet(self.outlets[rule.id], where, choices) for rule, _ in self.notice.saying(DiscloseBody, where)}
        trackers = {rule.id: self.observed(rule, body, where, choices) for rule, body in self.notice.saying(TrackerBody, where)}
        return RegionTerms(
            MappingProxyType(clauses),
            self.age(where),
            MappingProxyType(self.gates(where)),
            offered,
            MappingProxyType(rights),
            MappingProxyType(choices),
            MappingProxyType(outlets),
            MappingProxyType(trackers),
        )

    def age(self, where: str) -> Age | None:
        """The strictest age of those that hold in a region."""
        held = [(rule, body) for rule, body in self.notice.saying(AgeBody, where) if not body.on]
        return max((age for rule, body in held if (age := _age(rule, body, where))), key=lambda one: one.minimum, default=None)

    def gates(self, where: str) -> dict[str, Age]:
        """The strictest age of those that hold on some occasions only, by occasion."""
        gates: dict[str, Age] = {}
        for rule, body in self.notice.saying(AgeBody, where):
            age = _age(rule, body, where)
            for occasion in body.on if age else ():
                gates[occasion] = max((one for one in (gates.get(occasion), age) if one), key=lambda one: one.minimum)
        return gates

    def outlet(self, terms: DiscloseTerms, where: str, choices: Mapping[str, ChoiceTerms]) -> Outlet:
        ways = self.handed(terms, where, choices)
        for transfer in self.transfers:
            if _leaves(terms.countries, where, transfer):
                valid = terms.safeguard is not None and terms.safeguard in transfer.allow
                until = (transfer.allow[terms.safeguard or ""] or date.max) if valid else None
                return Outlet(terms, ways, Decision(False, (transfer.rule.name,)), until)
        return Outlet(terms, ways, None, None)

    def handed(self, terms: DiscloseTerms, where: str, choices: Mapping[str, ChoiceTerms]) -> Ways:
        """The choices that move an outlet."""
        names = {terms.rule.name, *(word for meant, word in ((terms.sale, "sale"), (terms.share, "sharing")) if meant)}
        moving = [one for one in choices.values() if names.intersection(one.moves)]
        return _ways(names, moving, where, terms.rule, stands=terms.needs not in ("choice", "consent"))

    def observed(self, rule: Rule, body: TrackerBody, where: str, choices: Mapping[str, ChoiceTerms]) -> Ways:
        """Those that move a tracker, and its recipient. Our own that needs no choice is there from the start; every other waits for one."""
        moving = [one for one in choices.values() if rule.name in one.moves or one.id == body.needs]
        ours = body.needs is None and body.provider == US and not body.cross_site
        ways = _ways({rule.name}, moving, where, rule, stands=ours)
        outlet = self.outlets.get(body.recipient or "")
        return Ways((*ways.parts, *self.handed(outlet, where, choices).parts)) if outlet else ways

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
            columns=self.unfenced(purpose),
            names=names,
            heard=MappingProxyType(heard),
            unaddressed=shared,
            granted=Decision(True, (rule, *(words if basis.choice != "none" else ())), _duties(self.purposes[purpose].body)),
            declined=Decision(False, words or objecting or (rule,)),
            restricted=Decision(False, restricting or (rule,)),
        )

    def unfenced(self, purpose: str) -> frozenset[str]:
        """The categories of a purpose about which no limit without a source keeps it from a value."""
        bit = self.bits[purpose]
        about = [one.categories for one in self.fences if not one.sources and not one.records and not one.mask >> bit & 1]
        return self.purposes[purpose].categories.difference(*about)

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
            body=body,
            rule=rule,
        )

    def choice(self, rule: Rule, body: ChoiceBody) -> ChoiceTerms:
        terms = self.terms["purpose"]
        governs = self.under(tuple(one for one in body.governs if one in terms))
        moves = tuple(one for one in body.governs if one not in terms)
        return ChoiceTerms(rule.id, governs, moves, body.channel, body.effective_within, body, rule)


def _declared(notice: Notice) -> dict[str, Rule]:
    """The rule that declares each purpose: the one for everybody, or else the first supplement that knows it."""
    rules = [rule for rule in notice.rules if rule.kind == "purpose"]
    declared: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda one: one.region is not None):
        declared.setdefault(rule.id, rule)
    return declared


def _all(notice: Notice, model: type[B]) -> list[tuple[Rule, B]]:
    """The rules of one kind of all regions, the one for everybody before those of supplements, one for each id."""
    rules = sorted((rule for rule in notice.rules if isinstance(rule.body, model)), key=lambda one: one.region is not None)
    found: dict[str, tuple[Rule, B]] = {}
    for rule in rules:
        if isinstance(rule.body, model):
            found.setdefault(rule.id, (rule, rule.body))
    return list(found.values())


def _duties(body: PurposeBody) -> tuple[str, ...]:
    """What whoever acts under a purpose must be or have; the gate holds them to it."""
    needs = (f"have an {body.needs} on file",) if body.needs else ()
    return (*needs, f"be {' or '.join(body.by)}") if body.by else needs


def _ways(names: set[str], moving: Sequence[ChoiceTerms], where: str, rule: Rule, *, stands: bool) -> Ways:
    """How choices move what bears these names. Each must leave it open: a later yes to one does not lift a no to another."""
    parts = []
    for one in moving:
        said = pick(one.body.default, where)
        parts.append((frozenset(names) | {one.id}, said != "out" if said else stands, Decision(False, (one.rule.name,))))
    return Ways(tuple(parts) or ((frozenset(names), stands, Decision(False, (rule.name,))),))


def _fences(body: LimitBody) -> bool:
    return bool(body.only_purposes or body.never or body.only_recipients or body.humans)


def _age(rule: Rule, body: AgeBody, where: str) -> Age | None:
    minimum = pick(body.minimum, where)
    years = law.majority(where) if minimum == MAJORITY else minimum
    return Age(years, Decision(False, (rule.name,)), consent=body.below == "parental-consent") if years else None


def _by_kind(offered: tuple[RightTerms, ...], general: set[str]) -> dict[str, RightTerms]:
    """One right of each kind: ours before that of customers' data, a supplement's own, one it restates, the general one; then the first."""

    def order(one: RightTerms) -> tuple[bool, bool, bool]:
        return one.rule.body.data != "own", one.rule.region is None, one.rule.name in general

    found: dict[str, RightTerms] = {}
    for one in sorted(offered, key=order):
        found.setdefault(one.kind, one)
    return found


def _leaves(countries: tuple[str, ...], where: str, transfer: TransferTerms) -> bool:
    """Whether data of a region's residents leaves the regions that a transfer rule is about, for any of these countries."""
    home = set(regions_of(where)).intersection(transfer.regions) if where else set()
    abroad = [country for country in countries if not home.intersection(regions_of(country))]
    named = transfer.to is None or any(set(regions_of(country)).intersection(transfer.to) for country in abroad)
    return bool(home and abroad and named)


def told_apart(notice: Notice) -> tuple[str, ...]:
    """Everywhere (`default`), then the regions that a supplement, a table, a transfer or a law of the notice names."""
    bodies = [rule.body for rule in notice.rules]
    bases = [body.basis for body in bodies if isinstance(body, PurposeBody)]
    ages = [body.minimum for body in bodies if isinstance(body, AgeBody)]
    defaults = [body.default for body in bodies if isinstance(body, ChoiceBody)]
    transfers = [body.from_ for body in bodies if isinstance(body, TransferBody)]
    laws = [law.PACKS[name].regions for name in notice.identity.law]
    return tuple(dict.fromkeys(chain((DEFAULT,), notice.regions(), *bases, *ages, *defaults, *transfers, *laws)))

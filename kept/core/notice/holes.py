"""What a notice leaves open: data without use, end or basis, words that nobody can give, recipients without safeguard."""

from __future__ import annotations

from collections.abc import Iterator

from kept.core.notice.findings import Finding
from kept.core.notice.model import Notice
from kept.core.notice.policy import Policy
from kept.core.notice.region import RegionTerms
from kept.core.notice.rules import DEFAULT, US, CategoryBody, CollectBody, DiscloseBody, IncentiveBody, RoleBody, SourceBody, TrackerBody
from kept.core.notice.terms import DiscloseTerms, PurposeTerms
from kept.core.notice.vocabulary import BASES, regions_of

_SENSITIVE_ON = frozenset({"explicit-consent", "legal-obligation", "vital-interests", "instruction"})


def role(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Nobody says who decides about the data."""
    if not notice.saying(RoleBody):
        cure = 'Add a rule: role = "…", is = "controller".'
        yield notice.finding(notice.rules[0], "hole", "no rule says whether you are the controller or a processor", cure)
    theirs = next((rule for rule in notice.rules if rule.body.data == "customer"), None)
    if theirs and not any(body.data == "customer" for _, body in notice.saying(RoleBody)):
        cure = 'Add a rule: role = "…", data = "customer", is = "processor".'
        yield notice.finding(theirs, "hole", f"{theirs.name} is about customers' data, and no rule says what we are for it", cure, "data")


def undeclared_purposes(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Something is for a purpose that no rule declares."""
    for rule in notice.rules:
        if isinstance(rule.body, CollectBody | DiscloseBody | TrackerBody):
            for named in rule.body.for_:
                if not policy.opens(named):
                    message = f"{rule.name} is for {named}, which no rule declares"
                    yield notice.finding(rule, "hole", message, f'Add a rule: purpose = "{named}".', "for", value=named)


def collected(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A category is collected, and never used or never retained. What others take directly is not ours to keep."""
    tree = notice.vocabulary["category"]
    kept = frozenset().union(*(one.categories for one in policy.retains))
    for rule, body in notice.saying(CollectBody):
        uses = [policy.purposes[one].body.categories for named in body.for_ for one in policy.opens(named)]
        used = frozenset().union(*(tree.under(*named) for named in uses))
        for named in body.categories:
            family = tree.under(named)
            if family.isdisjoint(used):
                cure = f"Leave it out, or list it in one of {', '.join(f'purpose:{one}' for one in body.for_)}."
                message = f"{named} is collected, and none of its purposes uses it"
                yield notice.finding(rule, "hole", message, cure, "categories", value=named)
            if not body.held_by and not family - policy.refused <= kept:
                message = f"{named} is collected, and no rule says how long it is kept"
                yield notice.finding(rule, "hole", message, "List it in a retain rule.", "categories", value=named)


def unread(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A recipient gets, or a tracker observes, what none of its purposes reads: the engine would refuse it. A tracker's data has no end."""
    tree = notice.vocabulary["category"]
    kept = frozenset().union(*(one.categories for one in policy.retains))
    for rule in notice.rules:
        body = rule.body
        if not isinstance(body, DiscloseBody | TrackerBody):
            continue
        read = (policy.purposes[one].body.categories for named in body.for_ for one in policy.opens(named))
        used = frozenset().union(*(tree.under(*named) for named in read))
        for named in body.categories:
            if tree.under(named).isdisjoint(used):
                message = f"{rule.name} names {named}, and none of its purposes reads it"
                cure = f"Leave it out, or list it in one of {', '.join(f'purpose:{one}' for one in body.for_)}."
                yield notice.finding(rule, "hole", message, cure, "categories", value=named)
            if isinstance(body, TrackerBody) and body.provider == US and not tree.under(named) - policy.refused <= kept:
                message = f"{named} is observed, and no rule says how long it is kept"
                yield notice.finding(rule, "hole", message, "List it in a retain rule.", "categories", value=named)


def bases(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A purpose without a basis somewhere, consent nobody can give or take back, interest nobody can object to."""
    for region, terms in policy.regions.items():
        place = "everywhere else" if region == DEFAULT else region
        for purpose in policy.purposes.values():
            if purpose.id in terms.clauses:
                yield from _basis(notice, purpose, terms, purpose.basis[region], place)
            elif purpose.rule.region is None:
                cure = "Give `basis` a default."
                yield notice.finding(purpose.rule, "hole", f"{purpose.rule.name} has no basis for {place}", cure, "basis")


def _basis(notice: Notice, purpose: PurposeTerms, terms: RegionTerms, basis: str, place: str) -> Iterator[Finding]:
    governed = any(purpose.id in choice.governs for choice in terms.choices.values())
    word = BASES[basis].choice
    rule = purpose.rule
    if word == "gives" and not governed:
        message = f"{rule.name} rests on {basis} ({place}), and no choice lets a person give or withdraw it"
        yield notice.finding(rule, "hole", message, f'Add a rule: choice = "…", governs = ["{purpose.id}"].', "basis")
    if word == "refuses" and not governed and "object" not in terms.rights and purpose.body.data == "own":
        message = f"{rule.name} rests on {basis} ({place}), and nothing lets a person object"
        yield notice.finding(rule, "hole", message, 'Add a rule: right = "…", kind = "object", or a choice.', "basis")
    sensitive = sorted(one for one in purpose.categories if notice.vocabulary["category"][one].sensitive)
    if sensitive and basis not in _SENSITIVE_ON:
        message = f"{rule.name} reads {sensitive[0]}, which is sensitive, on {basis} ({place})"
        yield notice.finding(rule, "hole", message, 'Write basis = "explicit-consent", or leave the category out.', "categories")


def clocks(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A right without a deadline. A complaint goes to others, who keep their own time; no retaliation has none."""
    for terms in policy.regions.values():
        for right in terms.offered:
            if right.within is None and right.kind not in ("complain", "no-retaliation") and not right.body.how:
                cure = 'Write within = "1 month", or name a law in the notice rule.'
                yield notice.finding(right.rule, "hole", f"nothing says how soon {right.rule.name} is answered", cure)


def abroad(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A recipient outside the territory of the law that is named, or of a transfer rule, without a safeguard."""
    european = {"gdpr", "uk-gdpr"}.intersection(notice.identity.law)
    for rule, body in notice.saying(DiscloseBody):
        out = [one for one in body.country if not {"EEA", "GB"}.intersection(regions_of(one))]
        moved = any(terms.outlets[rule.id].abroad for terms in policy.regions.values() if rule.id in terms.outlets)
        if body.safeguard is None and ((european and out) or moved):
            message = f"{rule.name} sends data to {(out or body.country)[0]}, and no safeguard is stated"
            yield notice.finding(rule, "hole", message, 'Write safeguard = "adequacy", "scc" or another that holds.', "country")


def outlets(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A disclosure needs a word that nobody can give, is sold with no way out, or shows groups of no least size."""
    for terms in policy.regions.values():
        for outlet in terms.outlets.values():
            yield from _outlet(notice, policy, terms, outlet.terms)


def _outlet(notice: Notice, policy: Policy, region: RegionTerms, outlet: DiscloseTerms) -> Iterator[Finding]:
    rule = outlet.rule
    moving = [one for one in region.choices.values() if rule.name in one.moves]
    selling = [word for meant, word in ((outlet.sale, "sale"), (outlet.share, "sharing")) if meant]
    if outlet.needs == "choice" and not moving:
        message = f"{rule.name} needs a person's choice, and no choice governs it"
        yield notice.finding(rule, "hole", message, f'Add a rule: choice = "…", governs = ["{rule.name}"].', "needs")
    for word in selling:
        if not moving and not any(word in one.moves for one in region.choices.values()):
            message = f"{rule.name} is a {word}, and no choice lets a person opt out"
            cure = f'Add a rule: choice = "…", governs = ["{word}"].'
            yield notice.finding(rule, "hole", message, cure, "sale" if word == "sale" else "share")
    if outlet.body.form == "aggregate" and policy.group_minimum(outlet.categories)[0] == 1:
        message = f"{rule.name} gives aggregates away, and no limit says how small a group may be"
        yield notice.finding(rule, "hole", message, 'Add a rule: limit = "…", min_group = 20.', "form")


def unasked_trackers(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Somebody else's tracker, or one that follows people across sites, loads before anybody chose."""
    for rule in notice.rules:
        if isinstance(rule.body, TrackerBody) and rule.body.needs is None and (rule.body.provider != US or rule.body.cross_site):
            message = f"{rule.name} loads without a choice"
            yield notice.finding(rule, "hole", message, 'Write needs = "…", the id of the choice that it waits for.', "tracker")


def incentives(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """What is given for an incentive is not collected."""
    known = frozenset().union(*(one.categories for one in policy.collects))
    for rule in notice.rules:
        for named in rule.body.gives if isinstance(rule.body, IncentiveBody) else ():
            if notice.vocabulary["category"].under(named).isdisjoint(known):
                message = f"{rule.name} takes {named}, and nothing collects it"
                yield notice.finding(rule, "hole", message, "List it in a collect rule.", "gives", value=named)


def unused_terms(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A category or source of the notice's own that nothing collects, uses or limits."""
    about = [fence.sources for fence in policy.fences]
    sources = frozenset().union(*about, (one.source for one in policy.collects), *(one.sources or () for one in policy.purposes.values()))
    for rule, _ in notice.saying(CategoryBody):
        named = notice.vocabulary["category"].under(rule.id)
        if named.isdisjoint(policy.categories | policy.refused):
            message = f"{rule.name} is declared, and nothing collects, uses or refuses it"
            yield notice.finding(rule, "hole", message, "Leave it out, or list it where it is used.")
    for rule, _ in notice.saying(SourceBody):
        if notice.vocabulary["source"].under(rule.id).isdisjoint(sources):
            message = f"{rule.name} is declared, and nothing comes from it"
            yield notice.finding(rule, "hole", message, "Leave it out, or name it in a collect rule.")


ALL = (
    role,
    undeclared_purposes,
    collected,
    unread,
    bases,
    clocks,
    abroad,
    outlets,
    unasked_trackers,
    incentives,
    unused_terms,
)

"""`check`: what is wrong with a notice that can be read: contradictions, holes, promises without a rule, laxer supplements."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kept.core.notice import compiling
from kept.core.notice.compiling import told_apart
from kept.core.notice.findings import Finding, in_order
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.region import RegionTerms
from kept.core.notice.rules import (
    DEFAULT,
    AgeBody,
    CategoryBody,
    ChoiceBody,
    CollectBody,
    DiscloseBody,
    PurposeBody,
    RightBody,
    RoleBody,
    pick,
)
from kept.core.notice.terms import BITS, PurposeTerms
from kept.core.notice.unbacked import unbacked
from kept.core.notice.vocabulary import BASES, regions_of

_SENSITIVE_ON = frozenset({"explicit-consent", "legal-obligation", "vital-interests"})


def check(notice: Notice) -> list[Finding]:
    """Every finding on a well-formed notice, in document order. Malformed notices do not get here: `parse` refuses them."""
    purposes = dict.fromkeys(rule.id for rule in notice.rules if rule.kind == "purpose")
    if len(purposes) > BITS:
        last = next(rule for rule in reversed(notice.rules) if rule.kind == "purpose")
        cure = "Put purposes together under a common parent."
        return [notice.finding(last, "malformed", f"there are {len(purposes)} purposes, and an account has {BITS} bits", cure)]
    policy = compiling.compile(notice)
    found = [one for find in _CHECKS for one in find(notice, policy)]
    return in_order(list(dict.fromkeys([*found, *unbacked(notice)])))


# Contradictions


def _refused_yet_named(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A rule reaches a category that a limit refuses."""
    tree = notice.vocabulary["category"]
    for rule in notice.rules:
        body = rule.body
        if not isinstance(body, CollectBody | PurposeBody | DiscloseBody) or "categories" not in rule.data:
            continue
        source = body.from_ if isinstance(body, CollectBody) else ""
        for named in body.categories:
            for category in sorted(tree.under(named)):
                limit = policy.refusals.get(category) or policy.refusals_by_source.get((source, category))
                if limit is None:
                    continue
                names = f"names {named}" if named == category else f"names {named}, which includes {category}"
                cure = f"Leave {named} out." if named == category else f"Name only what is meant under {named}."
                yield notice.finding(
                    rule, "contradiction", f"{rule.name} {names}, and {limit.name} refuses it", cure, "categories", value=named
                )


def _fenced_yet_meant(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Data is collected for a purpose that a limit keeps it from."""
    for inlet in policy.collects:
        for purpose in inlet.purposes:
            terms = policy.purposes[purpose]
            for category in sorted(inlet.categories & terms.categories):
                if not policy.fence(inlet.source, category) >> terms.bit & 1:
                    message = f"{inlet.rule.name} collects {category} for {purpose}, and a limit keeps it from there"
                    yield notice.finding(inlet.rule, "contradiction", message, f"Leave {purpose} out of `for`, or ease the limit.", "for")
                    break


def _idle_choices(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A choice governs nothing, or bears the name of a purpose it does not govern."""
    for region, where in _regions(notice):
        terms = policy.regions[region]
        for rule, body in notice.saying(ChoiceBody, where):
            for named in body.governs:
                moved = [one for one in policy.opens(named) if one in terms.clauses and terms.clauses[one].choice != "none"]
                if not moved:
                    bases = ", ".join(f"{one} rests on {policy.basis(one, where)}" for one in policy.opens(named) if one in terms.clauses)
                    why = f": {bases}" if bases else ": no rule declares it"
                    message = f"{rule.name} governs nothing in {named}{why}"
                    cure = f"Leave {named} out, or give it a basis that a choice can move."
                    yield notice.finding(rule, "contradiction", message, cure, "governs", value=named)
            if rule.id in notice.vocabulary["purpose"] and not set(policy.opens(rule.id)) <= set(terms.choices[rule.id].governs):
                cure = "Govern that purpose, or give the choice another id."
                yield notice.finding(rule, "contradiction", f"{rule.name} is named like a purpose it does not govern", cure, "choice")


def _regional_columns(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A supplement changes the columns of a purpose: one store has one set of columns."""
    for rule in notice.rules:
        if isinstance(rule.body, PurposeBody) and rule.region and policy.purposes[rule.id].rule is not rule:
            general = policy.purposes[rule.id].rule.body
            if isinstance(general, PurposeBody) and set(general.categories) != set(rule.body.categories):
                cure = "Leave `categories` out of the supplement, or declare a purpose of its own under this one."
                message = f"{rule.name} reads other categories in {rule.region} than elsewhere"
                yield notice.finding(rule, "contradiction", message, cure, "categories")


# Holes


def _role(notice: Notice, policy: Policy) -> Iterator[Finding]:
    if not notice.saying(RoleBody):
        cure = 'Add a rule: role = "…", is = "controller".'
        yield notice.finding(notice.rules[0], "hole", "no rule says whether you are the controller or a processor", cure)


def _undeclared_purposes(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Something is for a purpose that no rule declares."""
    for rule in notice.rules:
        if isinstance(rule.body, CollectBody | DiscloseBody):
            for named in rule.body.for_:
                if not policy.opens(named):
                    message = f"{rule.name} is for {named}, which no rule declares"
                    yield notice.finding(rule, "hole", message, f'Add a rule: purpose = "{named}".', "for", value=named)


def _collected(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A category is collected, and never used or never retained."""
    tree = notice.vocabulary["category"]
    kept = frozenset().union(*(one.categories for one in policy.retains))
    for rule, body in notice.saying(CollectBody):
        used = frozenset().union(*(policy.purposes[one].categories for named in body.for_ for one in policy.opens(named)))
        for named in body.categories:
            family = tree.under(named)
            if family.isdisjoint(used):
                cure = f"Leave it out, or list it in one of {', '.join(f'purpose:{one}' for one in body.for_)}."
                message = f"{named} is collected, and none of its purposes uses it"
                yield notice.finding(rule, "hole", message, cure, "categories", value=named)
            if not family - policy.refused <= kept:
                message = f"{named} is collected, and no rule says how long it is kept"
                yield notice.finding(rule, "hole", message, "List it in a retain rule.", "categories", value=named)
        for named in body.required:
            if named not in tree.under(*body.categories):
                cure = "List it in `categories`, or leave it out of `required`."
                yield notice.finding(rule, "contradiction", f"{named} is required and not collected", cure, "required", value=named)


def _bases(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A purpose without a basis somewhere, consent nobody can give or take back, interest nobody can object to."""
    for region, _ in _regions(notice):
        terms, place = policy.regions[region], "everywhere else" if region == DEFAULT else region
        for purpose in policy.purposes.values():
            if purpose.id in terms.clauses:
                yield from _basis(notice, purpose, terms, policy.purposes[purpose.id].basis[region], place)
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
    if word == "refuses" and not governed and "object" not in terms.rights:
        message = f"{rule.name} rests on {basis} ({place}), and nothing lets a person object"
        yield notice.finding(rule, "hole", message, 'Add a rule: right = "…", kind = "object", or a choice.', "basis")
    sensitive = sorted(one for one in purpose.categories if notice.vocabulary["category"][one].sensitive)
    if sensitive and basis not in _SENSITIVE_ON:
        message = f"{rule.name} reads {sensitive[0]}, which is sensitive, on {basis} ({place})"
        yield notice.finding(rule, "hole", message, 'Write basis = "explicit-consent", or leave the category out.', "categories")


def _clocks(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A right without a deadline. A complaint goes to others, who keep their own time."""
    for region, _ in _regions(notice):
        for right in policy.regions[region].rights.values():
            if right.within is None and right.kind != "complain":
                cure = 'Write within = "1 month", or name a law in the notice rule.'
                yield notice.finding(right.rule, "hole", f"nothing says how soon {right.rule.name} is answered", cure)


def _abroad(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A recipient outside the territory of the law that is named, without a safeguard."""
    if not {"gdpr", "uk-gdpr"}.intersection(notice.identity.law):
        return
    for rule, body in notice.saying(DiscloseBody):
        if not {"EEA", "GB"}.intersection(regions_of(body.country)) and body.safeguard is None:
            message = f"{body.to} is in {body.country}, and no safeguard is stated"
            yield notice.finding(rule, "hole", message, 'Write safeguard = "adequacy" or "scc".', "country")


def _unused_terms(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A category of the notice's own that nothing collects or uses."""
    for rule, _ in notice.saying(CategoryBody):
        if rule.id not in policy.categories and rule.id not in policy.refused:
            message = f"{rule.name} is declared, and nothing collects, uses or refuses it"
            yield notice.finding(rule, "hole", message, "Leave it out, or list it where it is used.")


# Laxer supplements


def _laxer(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A supplement gives less than the rule for everybody."""
    for rule in notice.rules:
        general = next((one for one in notice.rules if one.name == rule.name and one.region is None), None)
        if rule.region is None or general is None:
            continue
        for key in _less(general, rule, rule.region):
            message = f"{rule.name} gives less in {rule.region} than elsewhere"
            yield notice.finding(rule, "laxer", message, f"Leave out `{key}`, if that is not meant.", key, warning=True)


def _less(general: Rule, local: Rule, region: str) -> Iterator[str]:
    """The keys in which a rule gives less than the general one."""
    pair = (general.body, local.body)
    match pair:
        case RightBody() as wide, RightBody() as near:
            lengths = ((key, getattr(wide, key), getattr(near, key)) for key in ("within", "extend", "confirm_within"))
            yield from (key for key, one, other in lengths if one and other and other.days_at_most > one.days_at_most)
        case ChoiceBody() as wide, ChoiceBody() as near:
            if near.effective_within.days_at_most > wide.effective_within.days_at_most:
                yield "effective_within"
            if not set(wide.governs) <= set(near.governs):
                yield "governs"
        case AgeBody() as wide, AgeBody() as near:
            if (pick(near.minimum, region) or 0) < (pick(wide.minimum, "") or 0):
                yield "minimum"
        case PurposeBody() as wide, PurposeBody() as near:
            before, after = pick(wide.basis, ""), pick(near.basis, region)
            if before and after and BASES[before].choice == "gives" != BASES[after].choice:
                yield "basis"


def _regions(notice: Notice) -> Iterator[tuple[str, str]]:
    """Each region told apart, as the policy's key and as `notice.saying` takes it."""
    for region in told_apart(notice):
        yield region, "" if region == DEFAULT else region


_CHECKS: tuple[Callable[[Notice, Policy], Iterator[Finding]], ...] = (
    _refused_yet_named,
    _fenced_yet_meant,
    _idle_choices,
    _regional_columns,
    _role,
    _undeclared_purposes,
    _collected,
    _bases,
    _clocks,
    _abroad,
    _unused_terms,
    _laxer,
)

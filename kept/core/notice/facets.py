"""What two notices are compared in: a table of facets, each of which reads one kind of effect out of a compiled policy.

A facet holds *cells*. Their keys say what is compared (the last part is listed with its neighbours in one sentence), their values
whether it changed, and their widths in which direction: the wider, the more may be done with data, or the less a person has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from kept.core.notice.durations import Duration
from kept.core.notice.policy import Policy
from kept.core.notice.terms import DiscloseTerms, FenceTerms, RightTerms
from kept.core.notice.vocabulary import BASES, Tree

Key = tuple[str, ...]
Direction = Literal["wider", "narrower", "neutral"]
_CONTROL = {"gives": 0, "refuses": 1, "none": 2}
_BURDEN = ("none", "link", "sign-in", "match-2", "match-3", "human")
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Cell:
    """What a policy holds at one key: its value and width, the rule it stands in, and words for a sentence."""

    rule: str
    item: str
    head: str = ""
    value: object = None
    width: float = 0
    said: str = ""


Cells = Iterator[tuple[Key, Cell]]


@dataclass(frozen=True, slots=True)
class Facet:
    """One kind of effect.

    `has` is the direction of gaining a cell. `counts` is the word of a ``change`` rule's `material` that covers it; empty where a change
    of it is never material. `promised`: people may hold us to it, so that a wider change reduces their rights. `within` names the facet
    whose cells both notices must hold at the first part of the key: what hangs on an added purpose is told with the purpose.
    """

    name: str
    counts: str
    has: Direction
    read: Callable[[Policy, str], Cells]
    gained: str
    lost: str
    changed: str = ""
    promised: bool = False
    within: str = ""
    regional: bool = False


def listed(names: Iterable[str]) -> str:
    """Words in a row."""
    *most, last = ("", *names)
    return f"{', '.join(most[1:])} and {last}" if most[1:] else last


def title(policy: Policy, tree: Tree, term: str) -> str:
    """A term as people read it."""
    if tree == "purpose" and term in policy.purposes:
        return policy.purposes[term].title
    terms = policy.notice.vocabulary[tree]
    found = terms[term].title if term in terms else term
    return found[:1].lower() + found[1:] if found[1:2].islower() else found


def _days(length: Duration | None) -> float:
    return length.days_at_most if length else FOREVER


def _within(length: Duration | None) -> str:
    return f"within {length}" if length else "without a date"


def _purposes(policy: Policy, region: str) -> Cells:
    for purpose in policy.region(region).clauses:
        terms, basis = policy.purposes[purpose], BASES[policy.basis(purpose, region)]
        width = _CONTROL[basis.choice] + (0 if basis.restrictable else 0.5)
        yield (purpose,), Cell(terms.rule.name, terms.title, value=(basis.id, terms.parents), width=width, said=basis.title.lower())


def _categories(policy: Policy, region: str) -> Cells:
    for purpose in policy.purposes.values():
        for category in purpose.categories:
            yield (purpose.id, category), Cell(purpose.rule.name, title(policy, "category", category), purpose.title)


def _inlets(policy: Policy, region: str) -> Cells:
    """By source and category; several rules may let the same in."""
    for source in dict.fromkeys(one.source for one in policy.collects):
        for category in sorted(frozenset().union(*(one.categories for one in policy.collect_for(source)))):
            decision = policy.may_collect(category, source)
            if decision.allowed:
                words = title(policy, "category", category), title(policy, "source", source)
                yield (source, category), Cell(decision.because[0], *words, value=(decision.because, decision.duties))


def _outlets(policy: Policy, region: str) -> Iterator[DiscloseTerms]:
    return (one.terms for one in policy.region(region).outlets.values())


def _recipients(policy: Policy, region: str) -> Cells:
    found: dict[str, list[DiscloseTerms]] = {}
    for outlet in _outlets(policy, region):
        found.setdefault(outlet.to, []).append(outlet)
    for to, outlets in found.items():
        roles = sorted({one.role for one in outlets})
        named = listed(sorted({title(policy, "recipient", one.recipient_class) for one in outlets}))
        value = (tuple(roles), frozenset(one.recipient_class for one in outlets), tuple(one.rule.name for one in outlets))
        said = f"as {listed(roles)}"
        yield (to,), Cell(outlets[0].rule.name, f"{to} ({named})", value=value, width=int("controller" in roles), said=said)


def _received(policy: Policy, region: str) -> Cells:
    for one in _outlets(policy, region):
        for purpose in one.purposes:
            for category in one.categories:
                head = f"{one.to}, for {title(policy, 'purpose', purpose)}"
                yield (one.to, purpose, category), Cell(one.rule.name, title(policy, "category", category), head)


def _countries(policy: Policy, region: str) -> Cells:
    for one in _outlets(policy, region):
        for country in one.countries:
            yield (one.to, country), Cell(one.rule.name, country, one.to)


def _markets(policy: Policy, region: str) -> Cells:
    """What makes a recipient's use their own: sale, sharing for advertising, data that names people."""
    for one in _outlets(policy, region):
        named = {"sold": one.sale, "shared for advertising": one.share, "given with names": one.body.form != "aggregate"}
        for how in (how for how, on in named.items() if on):
            yield (one.to, how), Cell(one.rule.name, how, one.to)


def _safeguards(policy: Policy, region: str) -> Cells:
    for one in _outlets(policy, region):
        held = (one.safeguard, one.agreement, f"the need of {one.needs}" if one.needs else None, *sorted(one.grounds))
        for safeguard in (safeguard for safeguard in held if safeguard):
            yield (one.to, safeguard), Cell(one.rule.name, _MECHANISMS.get(safeguard, safeguard), one.to)


def _told(policy: Policy, region: str) -> Cells:
    for one in _outlets(policy, region):
        if one.tell:
            yield (one.to, one.tell), Cell(one.rule.name, one.tell, one.to)


def _transfers(policy: Policy, region: str) -> Cells:
    for one in policy.transfers:
        for start in one.regions:
            for mechanism, until in one.allow.items():
                width = until.toordinal() if until else FOREVER
                said = f"until {until}" if until else "without an end"
                where = (start, ",".join(one.to or ()), mechanism)
                value = (str(until), one.agreement, one.copy, one.rule.name)
                yield where, Cell(one.rule.name, _MECHANISMS.get(mechanism, mechanism), start, value, width, said)


def _trackers(policy: Policy, region: str) -> Cells:
    for one in policy.trackers.values():
        if one.id in policy.region(region).trackers:
            yield (one.id,), Cell(one.rule.name, f"{one.id} ({one.body.provider})", value=str(one.body), said="otherwise")


def _observed(policy: Policy, region: str) -> Cells:
    """What a tracker sees, for what, and where."""
    for one in policy.trackers.values():
        across = ("across sites",) if one.body.cross_site else ()
        seen = (*(title(policy, "category", category) for category in sorted(one.categories)), *across)
        for what in (*seen, *(f"for {title(policy, 'purpose', purpose)}" for purpose in one.purposes)):
            yield (one.id, what), Cell(one.rule.name, what, one.body.provider)


def _asked(policy: Policy, region: str) -> Cells:
    """Trackers that wait for a person's choice."""
    for one in policy.trackers.values():
        if one.body.needs:
            yield (one.id, "needs"), Cell(one.rule.name, one.body.provider)


def _retention(policy: Policy, region: str) -> Cells:
    """By what is kept and the event after which: of several rules the shortest."""
    shortest: dict[Key, Cell] = {}
    for rule in policy.retains:
        for tree, terms in (("category", rule.categories), ("record", rule.records)):
            for term in terms:
                key, event = (rule.after, term), title(policy, "event", rule.after)
                wanted = ", as the law wants" if rule.duty else ""
                said = f"{rule.keep} after {event}{wanted} (then {_ENDS[rule.then]})"
                item = title(policy, tree, term)  # type: ignore[arg-type]
                cell = Cell(rule.rule.name, item, event, (str(rule.keep), rule.then, wanted), _days(rule.keep), said)
                if key not in shortest or cell.width < shortest[key].width:
                    shortest[key] = cell
    yield from shortest.items()


_MECHANISMS = {
    "adequacy": "a decision that protection there is adequate",
    "dpf": "the Data Privacy Framework",
    "privacy-shield": "the Privacy Shield",
    "scc": "standard contractual clauses",
    "bcr": "binding corporate rules",
    "consent": "your consent",
}
_ENDS = {"erase": "erased", "nullify": "emptied", "anonymise": "made anonymous"}
_RIGHTS = {
    "know": "to know what is held",
    "access": "to a copy",
    "portability": "to take data elsewhere",
    "correct": "to have it corrected",
    "erase": "to have it erased",
    "restrict": "to have its use restricted",
    "object": "to object",
    "opt-out-sale": "to opt out of its sale",
    "limit-sensitive": "to limit the use of sensitive data",
    "withdraw": "to withdraw consent",
    "direct-marketing-disclosures": "to know who got it for marketing",
    "complain": "to complain",
    "no-retaliation": "not to be treated worse for asking",
}


def _rights(policy: Policy, region: str) -> Cells:
    for kind, one in policy.rights(region).items():
        value = (str(one.within), one.rule.name)
        yield (kind,), Cell(one.rule.name, _RIGHTS[kind], value=value, width=_days(one.within), said=_within(one.within))


def _ways(policy: Policy, region: str) -> Cells:
    """How a right is asked for and answered: the more the better."""
    for kind, one in policy.rights(region).items():
        for way in (*one.channels, *one.formats, *one.body.contents, *one.body.tells):
            yield (kind, way), Cell(one.rule.name, way, _RIGHTS[kind])


def _exceptions(policy: Policy, region: str) -> Cells:
    """What narrows a right."""
    for kind, one in policy.rights(region).items():
        body = one.body
        named = (*body.except_, *body.withhold, *body.not_for, *body.agent, *(f"asked for {what}" for what in body.asks))
        once = (f"once in {body.once_per}",) if body.once_per else ()
        fee = (f"a fee beyond {body.fee.free} copies",) if body.fee else ()
        for what in (*named, *(f"only on {basis}" for basis in body.of_basis), *once, *fee):
            yield (kind, what), Cell(one.rule.name, what, _RIGHTS[kind])


def _burdens(policy: Policy, region: str) -> Cells:
    """How hard it is made to prove who one is, and how long an answer may be put off."""
    for kind, one in policy.rights(region).items():
        hardest = max(_BURDEN.index(way) for way in one.verify)
        yield (kind, "proof"), _burden(one, kind, "proof of identity", str(one.verify), hardest, listed(list(one.verify)))
        yield (
            (kind, "extension"),
            _burden(one, kind, "extension", str(one.extend), one.extend.days_at_most if one.extend else 0, one.extend),
        )
        said, width = _within(one.confirm_within), _days(one.confirm_within)
        yield (kind, "confirmation"), _burden(one, kind, "confirmation", said, width, said)


def _burden(one: RightTerms, kind: str, item: str, value: str, width: float, said: object) -> Cell:
    return Cell(one.rule.name, item, _RIGHTS[kind], value, width, str(said or "none"))


def _choices(policy: Policy, region: str) -> Cells:
    for one in policy.choices(region).values():
        for purpose in one.governs:
            item = title(policy, "purpose", purpose) + (f" by {one.channel}" if one.channel else "")
            said = "at once" if not one.effective_within.count else f"within {one.effective_within}"
            value = (str(one.effective_within), one.rule.name)
            yield (purpose, one.channel or ""), Cell(one.rule.name, item, value=value, width=_days(one.effective_within), said=said)


def _moved(policy: Policy, region: str) -> Cells:
    """Recipients that a choice moves."""
    for one in policy.choices(region).values():
        for name in (rule.removeprefix("disclose:") for rule in one.moves if rule.startswith("disclose:")):
            to = policy.outlets[name].to
            yield (to, one.channel or "", name), Cell(one.rule.name, to, value=one.rule.name)


def _observers(policy: Policy, region: str) -> Cells:
    """Trackers that a choice moves."""
    for one in policy.choices(region).values():
        for name in (rule.removeprefix("tracker:") for rule in one.moves if rule.startswith("tracker:")):
            yield (name, one.channel or ""), Cell(one.rule.name, policy.trackers[name].body.provider, value=one.rule.name)


def _choosing(policy: Policy, region: str) -> Cells:
    """By which ways and signals a choice can be made, and how it stands before."""
    for one in policy.choices(region).values():
        for purpose in one.governs or ("",):
            head = title(policy, "purpose", purpose) if purpose else one.id
            for way in (*one.body.ways, *one.body.signals):
                yield (purpose, one.channel or "", way), Cell(one.rule.name, way, head)


def _fences(policy: Policy, region: str) -> Cells:
    for fence in policy.fences:
        for key, words in _provenances(policy, fence):
            for purpose in policy.purposes.values():
                if not fence.mask >> purpose.bit & 1:
                    yield (purpose.id, *key), Cell(fence.rule.name, words, purpose.title, value=(fence.rule.name, fence.derived))


def _provenances(policy: Policy, fence: FenceTerms) -> Iterator[tuple[Key, str]]:
    """What a fence is about, taken apart."""
    for source in sorted(fence.sources) or [""]:
        for category in sorted(fence.categories) or [""]:
            for record in sorted(fence.records) or [""]:
                words = [title(policy, "category", category)] if category else ["data"]
                words += [f"from {title(policy, 'source', source)}"] if source else []
                words += [f"in {title(policy, 'record', record)}"] if record else []
                yield (source, category, record), " ".join(words)


def _barred(policy: Policy, region: str) -> Cells:
    """Limits of recipients, and of human readers."""
    for fence in policy.fences:
        for key, words in _provenances(policy, fence):
            for outlet in policy.outlets.values() if fence.outlets is not None else ():
                if outlet.id not in (fence.outlets or ()):
                    yield (outlet.to, *key), Cell(fence.rule.name, words, outlet.to, value=(fence.rule.name, fence.unless))


def _unread(policy: Policy, region: str) -> Cells:
    for fence in policy.fences:
        for key, words in _provenances(policy, fence) if fence.humans else ():
            yield key, Cell(fence.rule.name, words, value=fence.humans, width=len(fence.humans), said=listed(list(fence.humans)))


def _refusals(policy: Policy, region: str) -> Cells:
    for category, rule in policy.refusals.items():
        yield ("", category), Cell(rule.name, title(policy, "category", category), "anybody", value=rule.name)
    for (source, category), rule in policy.refusals_by_source.items():
        words = title(policy, "category", category), title(policy, "source", source)
        yield (source, category), Cell(rule.name, *words, value=rule.name)


def _ages(policy: Policy, region: str) -> Cells:
    here = policy.region(region)
    for occasion, age in [("", here.age), *here.gates.items()]:
        if age is not None:
            rule, said = age.refused.because[0], f"under {age.minimum}" + (" without a parent's consent" if age.consent else "")
            item = said + (f", for {occasion}" if occasion else "")
            yield (occasion,), Cell(rule, item, value=(age.minimum, age.consent, rule), width=-age.minimum + 0.5 * age.consent, said=said)


def _sealing(policy: Policy, region: str) -> Cells:
    for category in policy.sealed:
        yield (category,), Cell("secure", title(policy, "category", category))


def _identity(policy: Policy, region: str) -> Cells:
    """Who answers for the data, as whom, and where one can turn."""
    identity, name = policy.notice.identity, f"notice:{policy.notice.id}"
    contacts = ", ".join(one.value for one in identity.contact)
    yield ("controller",), Cell(name, "who answers for your data", value=identity.controller, said=identity.controller)
    yield ("contact",), Cell(name, "where to write", value=str(identity.contact), said=contacts)
    yield ("role",), Cell(name, "whether we decide about your data ourselves", value=policy.role, said=policy.role)
    for rule, body in policy.roles:
        said = f"{body.is_}, we {body.requests}"
        yield ("role", rule.id), Cell(rule.name, f"what we are for {rule.id}", value=str(body), said=said)


def _disputes(policy: Policy, region: str) -> Cells:
    for one in policy.notice.identity.dispute:
        yield (one.name,), Cell(f"notice:{policy.notice.id}", one.name, value=str(one), said="otherwise")


def _staff(policy: Policy, region: str) -> Cells:
    """Who may act under a purpose; without a word, every role."""
    for one in policy.purposes.values():
        for role in one.body.by or _ROLES:
            yield (one.id, role), Cell(one.rule.name, role, one.title)


def _sources(policy: Policy, region: str) -> Cells:
    """The sources a purpose may use; without a word, any."""
    for one in policy.purposes.values():
        for source in sorted(one.sources) if one.sources is not None else [""]:
            yield (one.id, source), Cell(one.rule.name, title(policy, "source", source) if source else "any source", one.title)


def _conditions(policy: Policy, region: str) -> Cells:
    for one in policy.purposes.values():
        if one.body.needs:
            yield (one.id, one.body.needs), Cell(one.rule.name, one.body.needs, one.title)


def _groups(policy: Policy, region: str) -> Cells:
    for one in policy.groups:
        about = listed(sorted(title(policy, "category", category) for category in one.categories)) or "anything"
        key = (",".join(sorted(one.sources)), ",".join(sorted(one.categories)))
        value = (one.minimum, one.rule.name)
        yield key, Cell(one.rule.name, f"groups by {about}", value=value, width=-one.minimum, said=f"from {one.minimum} people on")


def _unasked(policy: Policy, region: str) -> Cells:
    for one in policy.never_ask:
        for channel in one.channels:
            for category in one.categories:
                yield (channel, category), Cell(one.rule.name, title(policy, "category", category), channel)


def _truncated(policy: Policy, region: str) -> Cells:
    for category, rule in policy.truncated.items():
        yield (category,), Cell(rule.name, title(policy, "category", category))


def _changing(policy: Policy, region: str) -> Cells:
    """What the notice promises of its own changes."""
    if policy.change is not None:
        body, name = policy.change.body, policy.change.rule.name
        promised = (
            *body.tell,
            *(f"{way} (or another way)" for way in body.tell_any),
            *(f"{one} count as material" for one in body.material),
        )
        for one in (*promised, *(("rights only with your consent",) if body.reduce_rights else ())):
            yield ("promise", one), Cell(name, one)
        width = -(body.before.days_at_most if body.before else 0)
        yield ("before",), Cell(name, "how long before", value=str(body.before), width=width, said=str(body.before or "not at all"))
        yield ("accept",), Cell(name, "how you accept a change", value=body.accept, width=int(body.accept != "explicit"), said=body.accept)


_ROLES = ("owner", "privacy-lead", "member", "read-only")


_NEW = "We use data for a further purpose: {items}."
_GONE = "We no longer use data for {items}."

FACETS: Mapping[str, Facet] = {
    one.name: one
    for one in (
        Facet("purposes", "purposes", "wider", _purposes, _NEW, _GONE, "We base {items} on {new}, before on {old}.", True, "", True),
        Facet("categories", "categories", "wider", _categories, "For {head} we also use {items}.", "For {head} we no longer use {items}.",
              within="purposes"),
        Facet("inlets", "categories", "wider", _inlets, "We also take {items} from {head}.", "We no longer take {items} from {head}."),
        Facet("staff", "", "wider", _staff, "{items} may work with data for {head}.", "{items} no longer work with data for {head}.",
              promised=True, within="purposes"),
        Facet("sources", "purposes", "wider", _sources, "For {head} we use data from {items}.",
              "For {head} we no longer use data from {items}.", within="purposes"),
        Facet("conditions", "purposes", "narrower", _conditions, "{head} needs an {items} on file.",
              "{head} no longer needs an {items} on file.", promised=True, within="purposes"),
        Facet("recipients", "recipients", "wider", _recipients, "We also share data with {items}.", "We no longer share data with {items}.",
              "We share data with {items} {new}, before {old}.", regional=True),
        Facet("shared", "recipients", "wider", _received, "We also give {items} to {head}.", "We no longer give {items} to {head}.",
              within="recipients", regional=True),
        Facet("markets", "recipients", "wider", _markets, "What goes to {head} is {items}.", "What goes to {head} is no longer {items}.",
              within="recipients", regional=True),
        Facet("countries", "transfers", "wider", _countries, "{head} holds data in {items} too.", "{head} no longer holds data in {items}.",
              within="recipients", regional=True),
        Facet("safeguards", "transfers", "narrower", _safeguards, "{head} is bound by {items}.", "{head} is no longer bound by {items}.",
              within="recipients", regional=True),
        Facet("telling", "rights", "narrower", _told, "We tell you {items} we give data to {head}.",
              "We no longer tell you {items} we give data to {head}.", promised=True, within="recipients", regional=True),
        Facet("transfers", "transfers", "wider", _transfers, "Data of people in {head} may leave on {items}.",
              "Data of people in {head} no longer leaves on {items}.", "Data of people in {head} leaves on {items} {new}, before {old}."),
        Facet("trackers", "purposes", "wider", _trackers, "We also use {items} to see what visitors do.",
              "We no longer use {items} to see what visitors do.", "{items} works otherwise.", regional=True),
        Facet("observed", "purposes", "wider", _observed, "{head} also sees {items}.", "{head} no longer sees {items}.", within="trackers"),
        Facet("asked", "choices", "narrower", _asked, "{items} waits for your choice.", "{items} no longer waits for your choice.",
              promised=True, within="trackers"),
        Facet("retention", "retention", "narrower", _retention, "We keep {items} {new}.", "We no longer say that we keep {items} {old}.",
              "We keep {items} {new}, before {old}."),
        Facet("rights", "rights", "narrower", _rights, "You have the right {items}.", "You no longer have the right {items}.",
              "Your right {items} is answered {new}, before {old}.", True, "", True),
        Facet("ways", "rights", "narrower", _ways, "Your right {head} can also be used by {items}.",
              "Your right {head} can no longer be used by {items}.", "", True, "rights", True),
        Facet("exceptions", "rights", "wider", _exceptions, "Your right {head} has a further limit: {items}.",
              "Your right {head} no longer has the limit: {items}.", "", True, "rights", True),
        Facet("burdens", "rights", "wider", _burdens, "", "", "For your right {head}, {items}: {new}, before {old}.", True, "rights", True),
        Facet("choices", "choices", "narrower", _choices, "You can decide about {items}.", "You can no longer decide about {items}.",
              "Your decision about {items} counts {new}, before {old}.", True, "purposes", True),
        Facet(
            "outlets",
            "choices",
            "narrower",
            _moved,
            "You can decide whether {items} gets data.",
            "You can no longer decide whether {items} gets data.",
            promised=True,
            within="recipients",
            regional=True,
        ),
        Facet(
            "observers",
            "choices",
            "narrower",
            _observers,
            "You can decide whether {items} watches.",
            "You can no longer decide whether {items} watches.",
            promised=True,
            within="trackers",
            regional=True,
        ),
        Facet("choosing", "choices", "narrower", _choosing, "About {head} you can also decide by {items}.",
              "About {head} you can no longer decide by {items}.", "", True, "purposes", True),
        Facet("limits", "purposes", "narrower", _fences, "We no longer use {items} for {head}.", "We may use {items} for {head}.",
              promised=True, within="purposes"),
        Facet("barred", "recipients", "narrower", _barred, "{items} no longer goes to {head}.", "{items} may go to {head}.",
              promised=True, within="recipients"),
        Facet("unread", "rights", "narrower", _unread, "None of us reads {items} without a ground.", "We may read {items}.",
              "We read {items} on the ground of {new}, before {old}.", True),
        Facet("groups", "rights", "narrower", _groups, "We show figures of {items} {new}.", "We no longer hold back figures of {items}.",
              "We show figures of {items} {new}, before {old}.", True),
        Facet("unasked", "rights", "narrower", _unasked, "By {head} we never ask for {items}.", "By {head} we may ask for {items}.",
              promised=True),
        Facet("truncated", "categories", "narrower", _truncated, "We keep {items} only in part.", "We keep {items} whole.", promised=True),
        Facet("refusals", "categories", "narrower", _refusals, "We refuse {items} from {head}.", "We no longer refuse {items} from {head}.",
              promised=True),
        Facet("ages", "rights", "narrower", _ages, "We do nothing with data of anybody {items}.",
              "We no longer leave out people {items}.", "We leave out people {new}, before {old}.", True, "", True),
        Facet("sealing", "rights", "narrower", _sealing, "We keep {items} encrypted with a key of your own.",
              "We no longer keep {items} encrypted with a key of your own.", promised=True),
        Facet("disputes", "rights", "narrower", _disputes, "You can turn to {items}.", "You can no longer turn to {items}.",
              "You turn to {items} {new}.", True),
        Facet("changing", "rights", "narrower", _changing, "Of changes of the notice we promise: {items}.",
              "Of changes of the notice we no longer promise: {items}.", "Of changes of the notice, {items}: {new}, before {old}.", True),
        Facet("identity", "", "neutral", _identity, "", "", "Another answer to {items}: {new}, before {old}."),
    )
}  # fmt: skip
"""In the order in which a summary tells them."""

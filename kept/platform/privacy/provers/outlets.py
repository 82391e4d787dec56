"""`disclose` and `transfer`: nothing went out except as the notice says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kept.core.ledger import Header
from kept.core.notice import Policy, Rule
from kept.core.notice.region import SALE
from kept.core.notice.rules import EVERYBODY, DiscloseBody, TransferBody
from kept.core.notice.terms import DiscloseTerms
from kept.core.notice.vocabulary import regions_of
from kept.platform.data.models import Subject
from kept.platform.privacy import evidence
from kept.platform.privacy.models import Choice, Derivation, Disclosure
from kept.platform.privacy.provers.base import BATCH, Asked, Finding, Look, broken, kept, many, prover, unproven
from kept.platform.privacy.provers.papers import CUSTOMER, on_file
from kept.platform.privacy.provers.persons import NO
from kept.platform.privacy.registry import registry

PAPERS = frozenset({"instruction", "legal-order", "agreement"})
"""What a disclosure may need that is a paper on file."""


@dataclass(frozen=True)
class Outgoing:
    """A disclosure as the ledger has it, and what was written down beside it (None: nothing was)."""

    entry: int
    header: Header
    more: Disclosure | None

    def pieces(self, look: Look) -> Iterator[tuple[str, str]]:
        """Category and source of what went out; of what was derived, those of its origins too. Without a record, categories alone."""
        if self.more is None:
            yield from ((category, "") for category in self.header.categories)
            return
        for category, source, *_ in self.more.passed:
            plain, _, made = source.partition("/")
            yield category, plain
            if made.isdecimal():
                yield from Derivation.under(look.use).filter(provenance_id=int(made)).values_list("category", "source")


def outgoing(look: Look) -> list[Outgoing]:
    """The disclosures that this run looks at."""
    found = list(look.entries("disclosure"))
    more: dict[int, Disclosure] = {}
    for start in range(0, len(found), BATCH):
        ids = [row.pk for row, _ in found[start : start + BATCH]]
        more |= {one.entry: one for one in Disclosure.under(look.use).filter(entry__in=ids)}
    return [Outgoing(row.pk, header, more.get(row.pk)) for row, header in found]


def outlet_of(policy: Policy, entry: Header) -> DiscloseTerms | str:
    """The outlet that a disclosure went through, or what is wrong with it."""
    rule = entry.rule or ""
    outlet = policy.outlets.get(rule.removeprefix("disclose:"))
    to = {entry.recipient or ""}
    if not any(to & {one.to, one.id} for one in policy.outlets.values()) and (outlet is None or outlet.body.to != EVERYBODY):
        return f"went to {entry.recipient or 'nobody named'}, whom the notice does not name"
    if outlet is None or (outlet.body.to != EVERYBODY and not to & {outlet.to, outlet.id}):
        return "named no rule that allows it"
    return outlet


def _faults(look: Look, one: Outgoing) -> Iterator[str]:
    """What a disclosure did outside the notice of its day."""
    outlet = outlet_of(look.policy_at(one.header.at), one.header)
    if isinstance(outlet, str):
        yield outlet
        return
    if one.header.purpose not in outlet.purposes:
        yield f"was for {one.header.purpose or 'no purpose'}, which the rule does not allow"
    if beyond := sorted(set(one.header.categories) - outlet.categories):
        yield f"held {', '.join(beyond)}, which the rule does not allow"
    yield from _form(look, one, outlet)
    yield from _stated(look, one, outlet)
    yield from _announced(look, one, outlet)


def _form(look: Look, one: Outgoing, outlet: DiscloseTerms) -> Iterator[str]:
    figures = outlet.body.form == "aggregate"
    if figures and (one.header.subjects or one.more is None or one.more.form != "aggregate"):
        yield "named persons, where figures about groups alone may go"
    if one.more is not None and not evidence.intact(look.use, one.more):
        yield "was written down otherwise than the ledger committed to"


def _stated(look: Look, one: Outgoing, outlet: DiscloseTerms) -> Iterator[str]:
    """The ground, and the papers that were on file at that time."""
    ground = one.more.ground if one.more else ""
    if outlet.stated and ground not in outlet.stated:
        yield "stated none of the grounds that it needs"
    parties = (outlet.to, outlet.id, outlet.recipient_class)
    at, terms = one.header.at, {"purpose": one.header.purpose or "", "rule": outlet.rule.name}
    if outlet.agreement and not on_file(look, ("agreement",), at, parties=parties, title=outlet.agreement, **terms):
        yield f"came before “{outlet.agreement}” was on file"
    for kind in sorted(PAPERS & {outlet.needs, ground}):
        if not on_file(look, (str(kind),), at, parties=(*parties, CUSTOMER), **terms):
            yield f"needed a paper on file ({kind}), and there was none"


def _announced(look: Look, one: Outgoing, outlet: DiscloseTerms) -> Iterator[str]:
    """A recipient that a later version brought in was on the public list so long before."""
    if outlet.body.announce is None:
        return
    since = next((row for row in look.versions.values() if outlet.id in look.policy_of(row).outlets), None)
    due = outlet.body.announce.after(since.activated_at) if since and since.number > min(look.versions) else None
    if due is not None and one.header.at < due:
        yield f"came before {due:%Y-%m-%d}, until when the recipient was to be announced"


def people_of(look: Look, found: Sequence[Outgoing]) -> dict[str, Subject]:
    """Those of the people named in these disclosures who are still here."""
    references = sorted({reference for one in found for reference in one.header.subjects})
    parts = (references[start : start + BATCH] for start in range(0, len(references), BATCH))
    return {one.reference: one for part in parts for one in Subject.under(look.use).filter(reference__in=part)}


def refused(look: Look, found: Sequence[Outgoing]) -> list[str]:
    """Disclosures of people who had said no to them, had not said yes where that is needed, or were children where it is a sale."""
    there = people_of(look, found)
    words: dict[int, list[Choice]] = defaultdict(list)
    ids = [one.pk for one in there.values()]
    for start in range(0, len(ids), BATCH):
        for row in Choice.under(look.use).filter(subject_id__in=ids[start : start + BATCH]).exclude(state=""):
            words[row.subject_id].append(row)
    born = registry.birth_dates(look.use, ids)
    return [
        f"entry {one.entry}"
        for one in found
        for reference in one.header.subjects
        if (subject := there.get(reference)) is not None and _unwilling(look, one, subject, words[subject.pk], born.get(subject.pk))
    ]


def _unwilling(look: Look, one: Outgoing, subject: Subject, said: Sequence[Choice], born: date | None) -> bool:
    policy = look.policy_at(one.header.at)
    outlet = policy.region(subject.region).outlets.get((one.header.rule or "").removeprefix("disclose:"))
    if outlet is None:
        return False
    if (outlet.terms.sale or outlet.terms.share) and SALE.below(born, one.header.at):
        return True
    return any(_against(heard, stands, said, one.header.at) for heard, stands, _ in (outlet.ways.parts if outlet.ways else ()))


def _against(heard: frozenset[str], stands: bool, said: Sequence[Choice], at: datetime) -> bool:
    """Whether one of the choices that move an outlet kept it closed then. Of who chose again since, the tables do not say."""
    spoken = [row for row in said if row.purpose in heard]
    last = max(spoken, key=lambda row: (row.at, row.state in NO), default=None)
    if last is None:
        return not stands
    return last.at < at and last.state in NO


@prover("disclose", "for", "categories", "agreement", "form", "sale", "share", "needs", "grounds", "announce")
def disclose(rule: Rule, look: Look) -> Finding:
    """Every disclosure to this recipient names this rule, a purpose and categories within it; none went to somebody unnamed."""
    assert isinstance(rule.body, DiscloseBody)
    asked = Asked(
        "Disclosures in the ledger to this recipient, or to any whom the notice does not name: rule, purpose and categories of each; "
        "ground, papers on file at the time, announcement; and the choices of the people named.",
        "SELECT e.* FROM privacy_entry e LEFT JOIN privacy_disclosure d ON d.entry = e.id WHERE e.kind = 'disclosure' AND "
        "(e.rule = :rule OR e.recipient = :to OR e.recipient NOT IN (named))",
    )
    known = {name for one in look.policy.outlets.values() for name in (one.to, one.id)}
    mine = {rule.body.to, rule.id}
    everything = look.once(outgoing)
    own = [one for one in everything if one.header.rule == rule.name or one.header.recipient in mine or _unnamed(look, one, known)]
    wrong = [f"entry {one.entry} {fault}" for one in own for fault in _faults(look, one)]
    wrong += [f"{one} went out against the word of a person" for one in dict.fromkeys(refused(look, own))]
    to = "whoever it is bound to" if rule.body.to == EVERYBODY else rule.body.to
    if wrong:
        said = f"{many(len(wrong), 'disclosure was', 'disclosures were')} outside the notice: one {wrong[0].split(' ', 2)[2]}."
        return broken(len(own), wrong, said, asked)
    if not own:
        return unproven(f"Nothing has been given to {to}, or to anybody else.", asked)
    said = (
        f"{many(len(own), 'disclosure', 'disclosures')} to {to}, each within the rule; none to anybody unnamed. Looked at: {look.extent}."
    )
    return kept(len(own), said, asked)


def _unnamed(look: Look, one: Outgoing, known: set[str]) -> bool:
    outlet = look.policy.outlets.get((one.header.rule or "").removeprefix("disclose:"))
    return one.header.recipient not in known and (outlet is None or outlet.body.to != EVERYBODY)


@prover("transfer", "allow")
def transfer(rule: Rule, look: Look) -> Finding:
    """Every disclosure of somebody who lives there to a country outside went under a mechanism in force at that time."""
    assert isinstance(rule.body, TransferBody)
    asked = Asked(
        f"Disclosures of people in {', '.join(rule.body.from_)} to recipients in other countries, with the mechanism that the notice of "
        "the day named for each, and the day until which it was valid.",
        "SELECT e.id FROM privacy_entry e JOIN data_subject s ON s.reference IN e.subjects WHERE e.kind = 'disclosure' "
        "AND s.region IN (from) AND country(e.rule) NOT IN (from) AND NOT valid(safeguard(e.rule), e.at)",
    )
    found = look.once(outgoing)
    there = people_of(look, found)
    count, wrong = 0, []
    for one in found:
        policy = look.policy_at(one.header.at)
        outlet = policy.outlets.get((one.header.rule or "").removeprefix("disclose:"))
        terms = next((each for each in policy.transfers if each.id == rule.id), None)
        regions = {there[reference].region for reference in one.header.subjects if reference in there}
        if outlet is None or terms is None or not _leaves(outlet.countries, regions, rule.body):
            continue
        count += 1
        if not _in_force(terms.allow, outlet.safeguard, one.header.at):
            wrong.append(f"entry {one.entry}, to {outlet.to}")
    if wrong:
        return broken(count, wrong, f"{many(len(wrong), 'disclosure', 'disclosures')} abroad without a mechanism in force.", asked)
    if not count:
        return unproven("Nobody's data has been given to a recipient outside.", asked)
    return kept(
        count, f"{many(count, 'disclosure', 'disclosures')} abroad, each under a mechanism in force. Looked at: {look.extent}.", asked
    )


def _leaves(countries: Sequence[str], regions: set[str], body: TransferBody) -> bool:
    """Whether any of these people live where the rule is about and any of these countries is outside of it."""
    for region in regions:
        home = set(regions_of(region)) & set(body.from_) if region else set()
        abroad = [one for one in countries if home and home.isdisjoint(regions_of(one))]
        if any(body.to is None or set(regions_of(one)) & set(body.to) for one in abroad):
            return True
    return False


def _in_force(allow: Mapping[str, date | None], safeguard: str | None, at: datetime) -> bool:
    if safeguard is None or safeguard not in allow:
        return False
    until = allow[safeguard]
    return until is None or at.date() <= until

"""`purpose`, `choice`, `age`: the stored permission of everybody is what their own words and the notice give, no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q

from kept.core.notice import Rule
from kept.core.notice.rules import MARKETS, AgeBody, ChoiceBody, pick
from kept.core.notice.terms import PurposeTerms
from kept.core.notice.vocabulary import regions_of
from kept.platform.accounts.models import Member
from kept.platform.data.datamap import tables
from kept.platform.data.models import Subject
from kept.platform.privacy import fences
from kept.platform.privacy.models import Choice, Identifier, Suppression
from kept.platform.privacy.provers.base import Asked, Finding, Look, broken, kept, many, people, prover, requests_amiss, unproven
from kept.platform.privacy.provers.collecting import held
from kept.platform.privacy.provers.papers import CUSTOMER, on_file
from kept.platform.privacy.provers.persons import late, persons
from kept.platform.privacy.registry import registry


@dataclass
class Looks:
    """What the ledger says was shown: under each purpose the categories and, for each actor, a moment; who looked on nobody's word."""

    count: int = 0
    shown: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    """Category and number of the version in force at the time."""
    actors: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    moments: dict[str, list[tuple[int, datetime]]] = field(default_factory=lambda: defaultdict(list))
    """Of purposes that need a paper: every look, by entry and time."""
    operator: list[tuple[int, datetime, str | None]] = field(default_factory=list)


OPERATOR = "operator:"
HEARD = ("email", "phone", "post", "settings", "form")
"""Ways of making a choice that a room which handles requests can hear."""


def looks(look: Look) -> Looks:
    """Read the entries that say who looked at data."""
    found = Looks()
    papers = {one.id for one in look.policy.purposes.values() if one.body.needs}
    for row, entry in look.entries("look"):
        version = look.version_at(entry.at)
        purpose = entry.purpose or ""
        found.count += 1
        found.shown[purpose].update((category, version.number if version else 0) for category in entry.categories)
        found.actors[purpose].add(entry.actor)
        if purpose in papers:
            found.moments[purpose].append((row.pk, entry.at))
        if entry.actor.startswith(OPERATOR):
            found.operator.append((row.pk, entry.at, entry.request))
    return found


@prover("purpose", "categories", "basis", "by", "only_sources", "needs", "additional")
def purpose(rule: Rule, look: Look) -> Finding:
    """Open to a purpose are those whom the notice and their own words leave open, on every row; looks keep to its terms."""
    asked = Asked(
        "The permission stored on people, recomputed from their choices, age, region and version of the notice; the copy on every row of "
        "theirs; the categories, roles and papers of every look under this purpose that the ledger has; values of sources it may not use.",
        "SELECT * FROM data_subject s WHERE s.permits <> due(s) & declared; per table: WHERE permits <> s.permits; "
        "SELECT header FROM privacy_entry WHERE kind = 'look' AND purpose = :purpose; values: WHERE source NOT IN (…) AND fence & bit",
    )
    terms, found = look.policy.purposes[rule.id], look.once(persons)
    off, rows = found.wrong[terms.bit], found.rows[terms.bit]
    strayed = sorted({one for one, version in look.once(looks).shown[rule.id] if one not in _readable(look, version, rule.id)})
    faults = {
        f"The stored permission of {people(len(off))} is not what the notice gives.": off,
        f"Records stand otherwise than their person: {', '.join(rows)}.": rows,
        f"Shown beyond this purpose: {', '.join(strayed)}.": [f"{one} was shown" for one in strayed],
        f"It is open for {people(len(found.unasked[rule.id]))} whose data is older than it, and who were not asked.": found.unasked[
            rule.id
        ],
        "Somebody whose role may not acted under it.": list(_roles(look, terms)),
        f"It was used without the {terms.body.needs} that it needs.": list(_papers(look, terms)),
        "It reaches values from sources that it may not use.": list(_sources(look, terms)),
    }
    wrong = [one for some in faults.values() for one in some]
    if wrong:
        return broken(found.looked, wrong, " ".join(said for said, some in faults.items() if some), asked)
    if not found.looked:
        return unproven("Nobody's data is held yet.", asked)
    opened = found.open[terms.bit]
    said = f"The data of {opened:,} of {people(found.looked)} may serve this; looked at: {look.extent}."
    return kept(found.looked, said, asked, open=opened)


def _readable(look: Look, version: int, purpose_id: str) -> frozenset[str]:
    """The categories a purpose read under a version."""
    policy = look.policy_of(look.versions[version]) if version in look.versions else look.policy
    declared = policy.purposes.get(purpose_id)
    return declared.categories if declared else frozenset()


def _roles(look: Look, terms: PurposeTerms) -> Iterator[str]:
    """Members who acted under a purpose that is not for their role. Roles are those of today; who left is not looked at."""
    if not terms.body.by:
        return
    roles = dict(Member.objects.filter(account_id=look.use.account_id).values_list("pk", "role"))
    for actor in sorted(look.once(looks).actors[terms.id]):
        kind, _, number = actor.partition(":")
        role = "staff" if kind == "operator" else roles.get(int(number)) if kind == "member" and number.isdecimal() else None
        if role is not None and role not in terms.body.by:
            yield actor


def _papers(look: Look, terms: PurposeTerms) -> Iterator[str]:
    """Looks under a purpose at a time when the paper it needs was not on file."""
    needed = terms.body.needs or ""
    for entry, at in look.once(looks).moments[terms.id] if needed else ():
        if not on_file(look, (needed,), at, parties=(CUSTOMER,), purpose=terms.id, rule=terms.rule.name):
            yield f"entry {entry}"


def _sources(look: Look, terms: PurposeTerms) -> Iterator[str]:
    """Values that a purpose reaches although they are from a source it may not use."""
    if terms.sources is None:
        return
    for table in tables():
        model: Any = table.model
        for rows in look.rows(model) if table.by_row else ():
            groups = rows.filter(category__in=terms.categories).values("source", "fence").annotate(n=Count("pk")).order_by()
            for one in groups:
                if one["source"] not in terms.sources and one["fence"] >> terms.bit & 1:
                    yield f"{many(one['n'], 'value', 'values')} in {table.name} from {one['source'] or 'nowhere'}"
    values = {key: count for key, count in look.once(held).items() if key[2] in terms.categories}
    origins = look.origins(origin for _, origin, _ in values)
    fenced = {table.name for table in tables() if table.fenced}
    for (name, origin, category), count in values.items():
        came = origins.get(origin or 0)
        if name not in fenced and came is not None and came.source not in terms.sources:
            yield f"{many(count, 'value', 'values')} of {category} in {name} from {came.source}"
    others = [pk for pk, one in origins.items() if one.source not in terms.sources]
    for table in tables():
        for column, category in table.model.personal.columns.items() if others and table.fenced and not table.by_row else ():
            for rows in look.rows(table.model) if category in terms.categories else ():
                for found in fences.holding(look.use, rows, column, Q(provenance_id__in=others)):
                    if count := found.annotate(shown=F("fence").bitand(1 << terms.bit)).exclude(shown=0).count():
                        yield f"{many(count, 'value', 'values')} of {category} in {table.name} from another source"


@prover("age", "below", "on_discovery", "delete_within")
def age(rule: Rule, look: Look) -> Finding:
    """Nothing is open for anybody who is known to be too young; and who was found to be is gone in time."""
    assert isinstance(rule.body, AgeBody)
    minimum = pick(rule.body.minimum, rule.region or "")
    asked = Asked(
        f"People whose date of birth says they are under {minimum or 'age'}, with any purpose open and no consent of a parent; and those "
        "who are still here longer after they were found than was promised.",
        "SELECT reference FROM data_subject s JOIN births b WHERE age(b.date) < :minimum AND (s.permits <> 0 OR found_at < :limit)",
    )
    found = look.once(persons)
    earlier = look.before[rule.name].evidence.get("known", {}) if rule.name in look.before else {}
    known = {one: earlier.get(one, look.now.isoformat()) for one in found.children}
    known = known if look.whole else {**earlier, **known}
    stayed = [one for one, since in known.items() if one in found.children and _overdue(rule.body, datetime.fromisoformat(since), look.now)]
    opened = [one for one, is_open in found.children.items() if is_open]
    if opened or stayed:
        said = f"The data of {people(len(opened))} below the age may still be used. " if opened else ""
        said += (
            f"{people(len(stayed)).capitalize()} found to be below the age are still here after {rule.body.delete_within}."
            if stayed
            else ""
        )
        return broken(found.births, [*opened, *stayed], said.strip(), asked, known=known)
    if not found.births:
        return unproven("No date of birth is held, so nobody is known to be too young.", asked)
    dates = many(found.births, "date", "dates")
    said = f"{dates} of birth looked at; {people(len(found.children))} under {minimum or 'age'}, closed to every use."
    return kept(found.births, said, asked, known=known)


def _overdue(body: AgeBody, since: datetime, now: datetime) -> bool:
    """Whether a child who was found then should be gone by now, a night's grace aside."""
    due = body.delete_within.after(since) if body.delete_within and body.on_discovery == "erase" else None
    return due is not None and due < now - timedelta(days=1)


def _unheeded(look: Look) -> list[str]:
    """References of people known by an identifier on the Do-Not-Sell list who are not opted out."""
    listed = Suppression.under(look.use).filter(scope="sale", kind=OuterRef("kind"), digest=OuterRef("digest"))
    known = Identifier.under(look.use).filter(Exists(listed)).values_list("subject_id", flat=True)
    out = Choice.under(look.use).filter(purpose__in=MARKETS, state="opted-out", subject_id=OuterRef("pk"))
    return list(Subject.under(look.use).filter(~Exists(out), pk__in=known.distinct()).values_list("reference", flat=True))


@prover("choice", "governs", "channel", "effective_within", "list", "opt_in", *(f"ways={one}" for one in HEARD))
def choice(rule: Rule, look: Look) -> Finding:
    """Nobody whose last word is a no is open, and the choices stored are those the ledger holds; who stands on a list is opted out."""
    assert isinstance(rule.body, ChoiceBody)
    asked = Asked(
        "People whose last word on this was no, with the permission still open past the promised time; and the entries of the ledger "
        "replayed against the choices stored; people known by an identifier on the list who are not opted out; requests about it.",
        "SELECT s.reference FROM privacy_choice c JOIN data_subject s WHERE last(c.state) IN ('withdrawn', 'objected', 'opted-out') "
        "AND s.permits & bit AND c.at + effective_within < now(); replay(privacy_entry) <> privacy_choice",
    )
    terms, found = look.policy.choices(rule.region or "")[rule.id], look.once(persons)
    inside = [one for purpose in terms.governs for one in found.still[purpose] if rule.region is None or rule.region in regions_of(one[2])]
    regions = [region for purpose in terms.governs for region in found.no[purpose]]
    said_no = sum(rule.region is None or rule.region in regions_of(region) for region in regions)
    still = late(inside, terms.effective_within.after, look.now)
    unheeded = look.once(_unheeded) if rule.body.list_ else []
    desks = [due(look.use, rule, look.now) for due in registry.due]
    faults, ways = requests_amiss(desks), {one for one in rule.body.ways if f"choice.ways={one}" in registry.enforcers}
    if unheard := sorted(ways - frozenset[str]().union(*(desk.channels for desk in desks))) if desks else []:
        faults[f"It cannot be made by {', '.join(unheard)}."] = unheard
    if still or found.differing or unheeded or faults:
        said = f"{people(len(still))} said no, and it is still open. " if still else ""
        differing = people(len(found.differing))
        said += f"The choices of {differing} are stored otherwise than the ledger has them. " if found.differing else ""
        said += f"{people(len(unheeded))} on the list are not opted out. " if unheeded else ""
        wrong = [*still, *found.differing, *unheeded, *(one for some in faults.values() for one in some)]
        return broken(said_no, wrong, (said + " ".join(faults)).strip(), asked)
    if not found.replayed and not said_no:
        return unproven("Nobody has chosen yet.", asked)
    said = f"{people(said_no)} said no, and it is closed for each of them. " if said_no else ""
    said += f"The stored choices of {people(found.replayed)} are those in the ledger; looked at: {look.extent}."
    return kept(said_no + found.replayed, said, asked, replayed=found.replayed)

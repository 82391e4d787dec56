"""Questions about people and companies. Each takes a `Use`, and answers within what its purpose may read.

A value of a category that the purpose does not read comes as `Closed`, with the rule; people whom the mask hides do not come at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.core.errors import NotFound
from kept.platform.data.models import Subject
from kept.platform.data.search import search
from kept.platform.data.use import Use
from kept.platform.privacy import provenance, values
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Identifier, Provenance
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.provenance import Why
from kept.platform.ui.keyset import Fetch, Page, Position, walk

POINTS: tuple[Literal["email", "phone"], ...] = ("email", "phone")
PARTS = ("street", "city", "state", "postcode", "country")
Line = TypeVar("Line")
MOST_FOUND = 1000
"""Records that one search takes from each table."""


@dataclass(frozen=True)
class Closed:
    """Stands for values that the purpose may not read: the rule that closes them or would open them, and a sentence."""

    category: str
    rule: str
    text: str


def closed(use: Use, *categories: str) -> dict[str, Closed]:
    """Those of the categories that this use may not read."""
    return {one: Closed(one, *use.why(one)) for one in categories if not use.columns.reads(one)}


@dataclass(frozen=True)
class Filters:
    """Which people. Empty: all of them. `has` names categories of contact points; `basis` is the one a record came in on."""

    q: str = ""
    city: str = ""
    company: str = ""
    owner: int | None = None
    has: tuple[str, ...] = ()
    basis: str = ""


@dataclass(frozen=True)
class PersonLine:
    """A person in a list."""

    id: int
    subject_id: int
    name: str
    job_title: str
    company_id: int | None
    company: str
    email: str
    phone: str
    basis: str
    changed_at: datetime


@dataclass(frozen=True)
class CompanyLine:
    """A company in a list."""

    id: int
    name: str
    city: str
    website: str
    people: int


@dataclass(frozen=True)
class Value:
    """A value of a record, with the answer to “why do we hold this?”. `key` names it on the page, `parts` are what a form edits."""

    key: str
    category: str
    text: str = ""
    label: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)
    why: Why | None = None
    closed: Closed | None = None


@dataclass(frozen=True)
class Record:
    """A person, as far as the use may see them. `story` and what else the ledger tells is in `history`."""

    id: int
    subject: Subject
    name: str
    company_id: int | None
    owner_id: int | None
    created_at: datetime
    changed_at: datetime
    origin: Provenance | None
    values: tuple[Value, ...]

    def value(self, key: str) -> Value:
        """The value of that key. Raises NotFound."""
        for one in self.values:
            if one.key == key:
                return one
        raise NotFound(_("This record has no such value."), place=key)

    @property
    def shown(self) -> list[str]:
        """Categories of which it shows values."""
        return sorted({one.category for one in self.values if one.text})


# Lists


def people(use: Use, filters: Filters, cursor: str = "", size: int = 50) -> Page[PersonLine]:
    """One page of people by family name, given name and id; the count is capped."""
    rows, capped = _matching(use, filters)
    found = walk(_fetch(use, rows), _position(use), name="contacts.people", cursor=cursor, size=size, count=lambda most: _count(rows, most))
    return _as(found, _lines(use, found.items), capped)


def any_people(use: Use) -> bool:
    """Whether anybody is there to be seen."""
    return bool(Person.under(use).exists())


def neighbours(use: Use, filters: Filters, person_id: int) -> tuple[int | None, int | None]:
    """The people before and after this one in the same list."""
    rows, _ = _matching(use, filters)
    here = _position(use)(_person(use, person_id))
    fetch = _fetch(use, rows)
    before, after = fetch(here, True, 1), fetch(here, False, 1)
    return (before[0].pk if before else None, after[0].pk if after else None)


def _matching(use: Use, filters: Filters) -> tuple[QuerySet[Person], bool]:
    """The people, and whether the search stopped before its end."""
    rows, capped = Person.under(use), False
    if filters.q:
        ids, capped = _found(use, filters.q)
        rows = rows.filter(pk__in=ids)
    if filters.city:
        rows = rows.filter(pk__in=PostalAddress.under(use).filter(city__in=_spellings(filters.city)).values("person_id"))
    if filters.company:
        named = Company.under(use)
        named = named.filter(name__in=_spellings(filters.company)) if use.columns.reads("organisation") else named.none()
        rows = rows.filter(company__in=named.values("pk"))
    if filters.owner is not None:
        rows = rows.filter(owner_id=filters.owner)
    for category in filters.has:
        rows = rows.filter(Exists(ContactPoint.under(use).filter(person_id=OuterRef("pk"), category=category)))
    if filters.basis:
        rows = rows.filter(provenance_id__in=Provenance.under(use).filter(basis=filters.basis).values("pk"))
    return rows, capped


def _found(use: Use, text: str) -> tuple[set[int], bool]:
    """Ids of people who, or whose contact points or addresses, hold every word."""
    found = search(use, Person, text, MOST_FOUND)
    ids, capped = set(found), len(found) == MOST_FOUND
    for model in (ContactPoint, PostalAddress):
        rows = search(use, model, text, MOST_FOUND)
        ids |= set(model.under(use).filter(pk__in=rows).values_list("person_id", flat=True))
        capped = capped or len(rows) == MOST_FOUND
    return ids, capped


def _spellings(text: str) -> set[str]:
    """The usual ways to write a name, for a look-up that an index answers."""
    plain = text.strip()
    return {plain, plain.lower(), plain.upper(), plain.title(), plain.capitalize()}


def _by_name(use: Use) -> bool:
    return use.columns.reads("name")


def _position(use: Use) -> Callable[[Person], Position]:
    named = _by_name(use)
    return lambda person: Position([person.family_name, person.given_name] if named else [], person.pk)


def _fetch(use: Use, rows: QuerySet[Person]) -> Fetch[Person]:
    """Walks by name; where the purpose does not read names, by id, for an order would tell them."""
    named = _by_name(use)

    def fetch(after: Position | None, backwards: bool, limit: int) -> Sequence[Person]:
        way, sign = ("lt", "-") if backwards else ("gt", "")
        found = rows
        if after is not None:
            beyond = Q(**{f"pk__{way}": after.id})
            if named:
                family, given = after.value
                beyond = Q(**{f"given_name__{way}": given}) | Q(given_name=given) & beyond
                # The outer bound is a plain range over the index; the inner ones settle ties.
                beyond = Q(**{f"family_name__{way}e": family}) & (Q(**{f"family_name__{way}": family}) | Q(family_name=family) & beyond)
            found = found.filter(beyond)
        order = ("family_name", "given_name", "pk") if named else ("pk",)
        return list(found.order_by(*(sign + column for column in order))[:limit])

    return fetch


def _as(page: Page[Any], lines: Sequence[Line], capped: bool = False) -> Page[Line]:
    """The same page, of lines."""
    return Page(lines, page.next, page.previous, page.count, page.capped or capped)


def _count(rows: QuerySet[Any], most: int) -> int:
    return rows.order_by().values("pk")[:most].count()


def _lines(use: Use, people: Sequence[Person]) -> list[PersonLine]:
    """What a list shows of them, in a fixed number of questions."""
    values.opened(use, people)
    hidden = Person.withheld_fields(use)
    first: dict[tuple[int, str], str] = {}
    points = ContactPoint.under(use).filter(person_id__in=[one.pk for one in people]).order_by("pk")
    for point in values.opened(use, list(points)):
        first.setdefault((point.person_id, point.category), point.value)
    names = company_names(use, {one.company_id for one in people if one.company_id})
    origins = Provenance.under(use).filter(pk__in={one.provenance_id for one in people})
    bases = dict(origins.values_list("pk", "basis"))
    return [
        PersonLine(
            id=one.pk,
            subject_id=one.subject_id,
            name=_name(one, hidden),
            job_title="" if "job_title" in hidden else one.job_title,
            company_id=one.company_id,
            company=names.get(one.company_id or 0, ""),
            email=first.get((one.pk, "email"), ""),
            phone=first.get((one.pk, "phone"), ""),
            basis=bases.get(one.provenance_id or 0, ""),
            changed_at=one.changed_at,
        )
        for one in people
    ]


def _name(person: Person, hidden: Iterable[str] = ()) -> str:
    """The name on one line; empty when it is unknown, or withheld."""
    if "given_name" in hidden:
        return ""
    return f"{person.given_name} {person.family_name}".strip()


def company_names(use: Use, ids: Iterable[int]) -> dict[int, str]:
    """Names of these companies; none when the purpose does not read them."""
    if not use.columns.reads("organisation"):
        return {}
    return dict(Company.under(use).filter(pk__in=set(ids)).values_list("pk", "name"))


def references(use: Use, subject_ids: Iterable[int]) -> list[str]:
    """The ledger's names of these subjects."""
    return list(Subject.under(use).filter(pk__in=set(subject_ids)).values_list("reference", flat=True))


# A record


def _person(use: Use, person_id: int) -> Person:
    """Raises NotFound, for somebody else's record as for a hidden one."""
    found: Person | None = Person.under(use).filter(pk=person_id).first()
    if found is None:
        raise NotFound(_("There is no such person here."), place=f"people/{person_id}")
    return found


def record(use: Use, person_id: int) -> Record:
    """A person with everything held on them that the use may see. Raises NotFound."""
    (person,) = values.opened(use, [_person(use, person_id)])
    points = values.opened(use, list(ContactPoint.under(use).filter(person_id=person_id).order_by("pk")))
    addresses = values.opened(use, list(PostalAddress.under(use).filter(person_id=person_id).order_by("pk")))
    subject = Subject.under(use).get(pk=person.subject_id)
    reasons = why(use, person, [*points, *addresses])
    own = (
        *_own_values(use, person, reasons),
        *_points(use, points, reasons),
        *_addresses(use, addresses, reasons),
        *_birth(use, person, reasons),
    )
    return Record(
        id=person.pk,
        subject=subject,
        name=_name(person, Person.withheld_fields(use)),
        company_id=person.company_id,
        owner_id=person.owner_id,
        created_at=person.created_at,
        changed_at=person.changed_at,
        origin=Provenance.under(use).filter(pk=person.provenance_id or 0).first(),
        values=own,
    )


Reasons = Mapping[tuple[str, int, str], Why]


def why(use: Use, person: Person, rows: Sequence[ContactPoint | PostalAddress]) -> Reasons:
    """“Why do we hold this?” for every value of a record: by table, row and column, the company's name among them."""
    masks = {person.subject_id: person.permits or 0}
    reasons = provenance.explain(use, [person, *rows], masks)
    place = (Person._meta.db_table, person.pk)
    origins = provenance.origins(use, [person])
    origin = origins.get((*place, "company"), origins.get((*place, "")))
    if person.company_id and origin is not None:
        reasons[*place, "company"] = provenance.why(policy_of(use.account_id), origin, "organisation", masks[person.subject_id])
    return reasons


def _own_values(use: Use, person: Person, reasons: Reasons) -> list[Value]:
    """Name, job title and company: one value each, empty or closed as the case may be."""
    shut = closed(use, "name", "job-title", "organisation")
    place = (Person._meta.db_table, person.pk)
    made = []
    if "name" in shut:
        made.append(Value("name", "name", closed=shut["name"]))
    else:
        parts = {"given_name": person.given_name, "family_name": person.family_name}
        reason = reasons.get((*place, "family_name" if person.family_name else "given_name"))
        made.append(Value("name", "name", _name(person), parts=parts, why=reason))
    if "job-title" in shut:
        made.append(Value("job-title", "job-title", closed=shut["job-title"]))
    else:
        parts = {"job_title": person.job_title}
        made.append(Value("job-title", "job-title", person.job_title, parts=parts, why=reasons.get((*place, "job_title"))))
    if "organisation" in shut:
        made.append(Value("company", "organisation", closed=shut["organisation"]))
    else:
        name = company_names(use, [person.company_id or 0]).get(person.company_id or 0, "")
        made.append(Value("company", "organisation", name, parts={"company": name}, why=reasons.get((*place, "company"))))
    return made


def _birth(use: Use, person: Person, reasons: Reasons) -> list[Value]:
    shut = closed(use, "birth-date")
    if shut:
        return [Value("birth-date", "birth-date", closed=shut["birth-date"])]
    reason = reasons.get((Person._meta.db_table, person.pk, "birth_date"))
    return [Value("birth-date", "birth-date", person.birth_date, parts={"birth_date": person.birth_date}, why=reason)]


def _points(use: Use, points: Sequence[ContactPoint], reasons: Reasons) -> list[Value]:
    shut = closed(use, *POINTS)
    made = []
    for category in POINTS:
        if category in shut:
            made.append(Value(category, category, closed=shut[category]))
        for point in points:
            if point.category == category:
                reason = reasons.get((ContactPoint._meta.db_table, point.pk, "value"))
                parts = {"value": point.value, "label": point.label}
                made.append(Value(f"{category}-{point.pk}", category, point.value, point.label, parts, reason))
    return made


def _addresses(use: Use, addresses: Sequence[PostalAddress], reasons: Reasons) -> list[Value]:
    category = "postal-address"
    shut = closed(use, category)
    if shut:
        return [Value("address", category, closed=shut[category])]
    return [
        Value(
            f"address-{one.pk}",
            category,
            one.value,
            parts={part: getattr(one, part) for part in PARTS},
            why=reasons.get((PostalAddress._meta.db_table, one.pk, "value")),
        )
        for one in addresses
    ]


def known_by(use: Use, kind: str, digest: bytes) -> tuple[int, str] | None:
    """The record that an identifier leads to, and its name, as far as the use may see it."""
    owners = [subject_id for _, subject_id in rows_of(use, Identifier, kind, [digest], "subject_id")]
    found = Person.under(use).filter(subject_id__in=owners).order_by("pk").first()
    if found is None:
        return None
    values.opened(use, [found])
    return found.pk, _name(found, Person.withheld_fields(use))


def visible(use: Use, person_id: int) -> bool:
    """Whether this purpose sees the person."""
    return bool(Person.under(use).filter(pk=person_id).exists())


def is_the_only_record(use: Use, subject_id: int) -> bool:
    """Whether the subject has this one record alone, as far as the use may see."""
    return _count(Person.under(use).filter(subject_id=subject_id), 2) < 2


# Companies


def _company_order(use: Use) -> tuple[str, ...]:
    return ("name", "pk") if use.columns.reads("organisation") else ("pk",)


def companies(use: Use, q: str = "", cursor: str = "", size: int = 50) -> Page[CompanyLine]:
    """One page of companies by name, each with the number of its people."""
    rows: QuerySet[Company] = Company.under(use)
    capped = False
    if q:
        ids = search(use, Company, q, MOST_FOUND)
        rows, capped = rows.filter(pk__in=ids), len(ids) == MOST_FOUND
    named = use.columns.reads("organisation")

    def fetch(after: Position | None, backwards: bool, limit: int) -> Sequence[Company]:
        way, sign = ("lt", "-") if backwards else ("gt", "")
        found = rows
        if after is not None:
            beyond = Q(**{f"pk__{way}": after.id})
            if named:
                beyond = Q(**{f"name__{way}e": after.value}) & (Q(**{f"name__{way}": after.value}) | beyond)
            found = found.filter(beyond)
        return list(found.order_by(*(sign + column for column in _company_order(use)))[:limit])

    found = walk(
        fetch,
        lambda company: Position(company.name if named else "", company.pk),
        name="contacts.companies",
        cursor=cursor,
        size=size,
        count=lambda most: _count(rows, most),
    )
    return _as(found, _company_lines(use, found.items), capped)


def _company_lines(use: Use, companies: Sequence[Company]) -> list[CompanyLine]:
    people = Person.under(use).filter(company_id__in=[one.pk for one in companies]).order_by()
    counts = dict(people.values_list("company_id").annotate(many=Count("pk")))
    named = use.columns.reads("organisation")
    return [
        CompanyLine(one.pk, one.name if named else "", one.city if named else "", one.website if named else "", counts.get(one.pk, 0))
        for one in companies
    ]


def company(use: Use, company_id: int) -> CompanyLine:
    """One company. Raises NotFound."""
    found = list(Company.under(use).filter(pk=company_id))
    if not found:
        raise NotFound(_("There is no such company here."), place=f"companies/{company_id}")
    return _company_lines(use, found)[0]


def people_of(use: Use, company_id: int, cursor: str = "", size: int = 50) -> Page[PersonLine]:
    """One page of a company's people."""
    rows = Person.under(use).filter(company_id=company_id)
    found = walk(
        _fetch(use, rows), _position(use), name="contacts.company", cursor=cursor, size=size, count=lambda most: _count(rows, most)
    )
    return _as(found, _lines(use, found.items))


# What the platform asks


def born(use: Use, subject_ids: Sequence[int]) -> dict[int, date]:
    """Dates of birth for `privacy.registry`. Of several records of one subject the latest day counts: it is the more careful answer."""
    if not use.columns.reads("birth-date"):
        return {}
    held = Person.under(use).filter(subject_id__in=subject_ids).exclude(birth_date="")
    days: dict[int, date] = {}
    for person in values.opened(use, list(held)):
        try:
            day = date.fromisoformat(person.birth_date)
        except ValueError:
            continue
        days[person.subject_id] = max(day, days.get(person.subject_id, day))
    return days

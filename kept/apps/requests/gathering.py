"""Everything held on one person, read from the data map: for the copies that are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.text import capfirst

from kept.apps.requests.period import Period
from kept.apps.requests.redaction import Cover
from kept.apps.requests.terms import Terms
from kept.core.notice.rules import CategoryBody
from kept.platform.data.datamap import Table, of_subjects, table_of
from kept.platform.data.models import Subject
from kept.platform.data.personal import SYSTEM_FIELDS, AccountModel, PersonalModel, ValueModel
from kept.platform.data.use import Use
from kept.platform.privacy import fences, provenance, values
from kept.platform.privacy.models import Choice, Identifier, Provenance, ValueOrigin
from kept.platform.privacy.provenance import Why

FREE_TEXT = "communication"
"""The category whose values, and those under it, people wrote freely: other people may be named in them."""
ADDRESS = "postal-address"
"""What a household shares names nobody of it."""
DESCRIBED = "describe"
"""Why a category is withheld from everybody: the notice names it and never discloses it."""
_MOMENTS = frozenset({"created_at", "changed_at", "at"})
"""Columns that say when a record came in or changed, beside its origin."""


@dataclass(frozen=True)
class Value:
    """One value: what it is, its category, and why it is held. `place` is its table, row and column; `source`, `basis` and `fence` say what
    it stands under. `made_of` names what it was concluded from, `covered` that another person was covered in it, `parts` the columns into
    which a row that is one value is divided.
    """

    label: str
    category: str
    text: str
    why: Why | None
    place: tuple[str, int, str]
    source: str
    basis: str
    at: datetime | None
    fence: int
    made_of: tuple[str, ...] = ()
    covered: bool = False
    parts: tuple[tuple[str, str], ...] = ()


@dataclass
class Place:
    """One table: its rows as plain data, and the values in them that are somebody's."""

    table: Table
    rows: list[dict[str, Any]] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Its name in words."""
        return capfirst(str(self.table.model._meta.verbose_name_plural))


@dataclass(frozen=True)
class Read:
    """A field of a record as it is told: its name, category (None: a plain column), label and text."""

    name: str
    category: str | None
    label: str
    text: str
    covered: bool


class Gathering:
    """What is read for one copy. `use` is of the purpose `rights`.

    `withheld` are categories that are described rather than disclosed in this one case, each with its reason; those that the notice never
    discloses come to them. What came in or changed outside the `period` is left out, and counted: `left_out` by table, `described` by
    category.
    """

    def __init__(self, use: Use, subject: Subject, terms: Terms, *, period: Period, withheld: Mapping[str, str]) -> None:
        self.use, self.subject, self.terms, self.period = use, subject, terms, period
        self.cover = Cover(use, subject.pk, subject.region)
        self.free, self._address = terms.under(FREE_TEXT), terms.under(ADDRESS)
        never = {
            rule.id: DESCRIBED for policy in terms.policies for rule, body in policy.notice.saying(CategoryBody) if body.access == DESCRIBED
        }
        self.withheld = {one: why for term, why in {**withheld, **never}.items() for one in terms.under(term)}
        self.left_out: dict[str, int] = {}
        self.described: dict[str, int] = {}
        self._whys: dict[tuple[int, str], Why] = {}

    @cached_property
    def places(self) -> list[Place]:
        """Every table that holds rows of the subject, in the order of the data map."""
        found = []
        for table in reversed(of_subjects()):
            if table.model in (Identifier, ValueOrigin, Choice):  # each has a section of its own
                continue
            model: Any = table.model
            records = values.opened(self.use, list(model.under(self.use).filter(subject_id=self.subject.pk).order_by("id")))
            place = self._place(table, records) if records else None
            if place is not None and place.rows:
                found.append(place)
        return found

    @property
    def values(self) -> list[Value]:
        """Every value, table by table."""
        return [value for place in self.places for value in place.values]

    def _place(self, table: Table, records: Sequence[PersonalModel]) -> Place:
        place = Place(table)
        origins = provenance.origins(self.use, records)
        within = [one for one in records if self.period.holds(*_moments(one, origins))]
        if len(within) < len(records):
            self.left_out[place.label] = len(records) - len(within)
        made_of = fences.derivations(self.use, {one.pk for one in origins.values()})
        others = self._referred(table, within)
        for record in within:
            self._record(place, record, origins, made_of, others)
        return place

    def _record(
        self,
        place: Place,
        record: PersonalModel,
        origins: Mapping[tuple[str, int, str], Provenance],
        made_of: Mapping[int | None, Sequence[fences.Origin]],
        others: Mapping[str, Mapping[int, Sequence[Read]]],
    ) -> None:
        table = place.table
        if isinstance(record, ValueModel) and record.category in self.withheld:
            self._describe(record.category)
            return
        row: dict[str, Any] = {}
        own = origins.get((table.name, record.pk, ""))
        fields = list(self._fields(record))
        parts = tuple((one.name, one.text) for one in fields if table.by_row and one.category and one.name != "value")
        for one in fields:
            origin = origins.get((table.name, record.pk, one.name), own)
            if self._told(row, one.name, one) and (not table.by_row or one.name == "value"):
                place.values.append(replace(self._value(one, (table.name, record.pk, one.name), record, origin, made_of), parts=parts))
        for column, known in others.items():
            for one in known.get(getattr(record, column) or 0, ()):
                name = f"{column.removesuffix('_id')}.{one.name}"
                if self._told(row, name, one):
                    origin = origins.get((table.name, record.pk, column.removesuffix("_id")), own)
                    place.values.append(self._value(one, (table.name, record.pk, name), record, origin, made_of))
        row["origin"] = self._origin(own, made_of) if own else None
        place.rows.append(row)

    def _told(self, row: dict[str, Any], name: str, one: Read) -> bool:
        """Put it into the row, unless it is withheld; whether it is a value that says something."""
        if one.category in self.withheld:
            if one.text:
                self._describe(str(one.category))
            return False
        row[name] = one.text
        return bool(one.category and one.text)

    def _describe(self, category: str) -> None:
        self.described[category] = self.described.get(category, 0) + 1

    def _value(
        self,
        one: Read,
        place: tuple[str, int, str],
        record: PersonalModel,
        origin: Provenance | None,
        made_of: Mapping[int | None, Sequence[fences.Origin]],
    ) -> Value:
        source = record.source if isinstance(record, ValueModel) else origin.source if origin else ""
        return Value(
            label=one.label,
            category=str(one.category),
            text=one.text,
            why=self._why(origin, str(one.category)) if origin else None,
            place=place,
            source=source,
            basis=origin.basis if origin else "",
            at=origin.at if origin else None,
            fence=record.fence,
            made_of=self._made_of(made_of.get(origin.pk, ()) if origin else ()),
            covered=one.covered,
        )

    def _fields(self, record: AccountModel) -> Iterator[Read]:
        """Each field that says something; keys and what only the guard needs are left out."""
        by_row = record.personal.by_row
        for one in record._meta.local_concrete_fields:
            category = record.personal.columns.get(one.name)
            if by_row and one.name == "value":
                category = record.category  # type: ignore[attr-defined]
            if category is None and not _speaks(one, by_row=by_row):
                continue
            held = _text(getattr(record, one.attname))
            text = self._covered(held, category) if isinstance(one, models.CharField | models.TextField) else held
            label = self.terms.title("category", category) if by_row and category else capfirst(str(one.verbose_name))
            yield Read(one.name, category, label, text, text != held)

    def _covered(self, text: str, category: str | None) -> str:
        if category in self.free:
            return self.cover.text(text)
        return text if not text or category in self._address else self.cover.value(text)

    def _referred(self, table: Table, records: Sequence[PersonalModel]) -> dict[str, dict[int, list[Read]]]:
        """What is held of the things that these records name and that are nobody's in particular, such as the person's firm."""
        found: dict[str, dict[int, list[Read]]] = {}
        for one in table.model._meta.local_concrete_fields:
            target = one.related_model
            if one.name == "subject" or not (isinstance(target, type) and issubclass(target, AccountModel)) or table_of(target).of_subject:
                continue
            ids = {getattr(record, one.attname) for record in records} - {None}
            held = target.under(self.use).filter(pk__in=ids)
            found[one.attname] = {row.pk: [read for read in self._fields(row) if read.category and read.text] for row in held}
        return found

    # Where they are from

    def _made_of(self, origins: Sequence[fences.Origin]) -> tuple[str, ...]:
        named = (f"{self.terms.title('category', one.category)} ({self.terms.title('source', one.source)})" for one in origins)
        return tuple(dict.fromkeys(named))

    def _origin(self, origin: Provenance, made_of: Mapping[int | None, Sequence[fences.Origin]]) -> dict[str, Any]:
        told = {
            "source": self.terms.title("source", origin.source),
            "occasion": self.cover.text(origin.occasion),
            "held_since": origin.at,
            "basis": self.terms.title("basis", origin.basis),
            "rule": origin.rule,
            "notice_version": origin.notice_version,
        }
        return told | ({"concluded_from": self._made_of(made_of[origin.pk])} if origin.pk in made_of else {})

    def _why(self, origin: Provenance, category: str) -> Why:
        """Why it is held, in the words of the version that it came in under."""
        key = (origin.pk, category)
        if key not in self._whys:
            why = provenance.why(self.terms.active, origin, category, self.subject.permits)
            promise = self.terms.promise(origin.notice_version, origin.rule) or why.promise
            self._whys[key] = replace(why, occasion=self.cover.text(why.occasion), promise=promise)
        return self._whys[key]


def _moments(record: PersonalModel, origins: Mapping[tuple[str, int, str], Provenance]) -> list[datetime]:
    """When a record came in and when it changed, as far as anything says so."""
    noted = [getattr(record, one.name) for one in record._meta.local_concrete_fields if one.name in _MOMENTS]
    place = record._meta.db_table, record.pk
    columns = ("", *record.personal.columns, "value")
    return [one for one in noted if one is not None] + [found.at for column in columns if (found := origins.get((*place, column)))]


def _speaks(one: models.Field[Any, Any], *, by_row: bool) -> bool:
    """Whether a plain field says something: dates, words and numbers do, ids and digests do not."""
    if one.name in SYSTEM_FIELDS and not (by_row and one.name in ("category", "source")):
        return False
    identifies = one.is_relation or one.name.endswith("_id") or isinstance(one, models.BinaryField)
    return not identifies


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)

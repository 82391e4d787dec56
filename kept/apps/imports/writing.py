"""Writing what a chunk decided, set by set: new people, and what existing ones gain."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.apps.imports.columns import SOURCE
from kept.apps.imports.matching import Digest, Somebody
from kept.apps.imports.models import Before, Import
from kept.apps.imports.records import ADDRESS, PERSON, Fault, Record, whole_address
from kept.apps.imports.staging import context
from kept.core.notice import Policy
from kept.platform.data import rows
from kept.platform.data.lookup import lookup
from kept.platform.data.personal import PersonalModel
from kept.platform.data.use import OPEN_MASK, Use
from kept.platform.privacy import optouts, subjects, values
from kept.platform.privacy.fences import Origin, readers, record_of, row_fence
from kept.platform.privacy.models import Identifier, ValueOrigin
from kept.platform.privacy.secrets import vault

POINT = ("subject", "permits", "provenance_id", "category", "source", "fence", "value", "person")
POSTAL = ("subject", "permits", "provenance_id", "category", "source", "fence", "person", "value", *ADDRESS)


@dataclass
class Chunk:
    """What writing a chunk needs. `matching` writes and reads no value; people who are here are changed under `retention`."""

    run: Import
    policy: Policy
    now: datetime
    matching: Use

    def fence(self, category: str) -> int:
        """The mask of the purposes that a value of this category from a file may serve."""
        return self.policy.fence(SOURCE, category)

    @cached_property
    def shut(self) -> dict[str, int]:
        """By column of a person's record: those who read such records and would miss one that a value from a file is written to."""
        record = record_of(Person)
        left = {name: row_fence(self.policy, Origin(SOURCE, category, record)) for name, category in Person.personal.columns.items()}
        return {name: ~fence & readers(self.policy, Person) for name, fence in left.items()}


def company_ids(keeping: Use, names: Collection[str], now: datetime) -> tuple[dict[str, int], list[int]]:
    """Companies by name, and which of them were created for it."""
    found = dict(reversed(lookup(keeping, Company, "name", names, ("name", "id"))))
    new = sorted(set(names) - found.keys())
    made = values.insert(keeping, Company, ("name", "created_at"), [(name, now) for name in new])
    return found | dict(zip(new, made, strict=True)), made


def add_people(chunk: Chunk, people: Sequence[Somebody], keys: Sequence[int], companies: dict[str, int]) -> None:
    """Insert newcomers with all they bring. `matching` is entered, in its action."""
    use, origin = chunk.matching, chunk.run.provenance_id
    records = [one.record for one in people]
    made = subjects.add_many(use, chunk.policy, [subjects.Newcomer(one.region, one.born) for one in records], keys)
    holders = {one.id: (one.key_id, one.reference) for one in made}
    known = [(one.id, one.permits, origin) for one in made]
    digests = [(*head, *one) for head, record in zip(known, records, strict=True) for one in dict.fromkeys(record.digests)]
    rows.insert(use, Identifier, ("subject", "permits", "provenance_id", "kind", "digest"), digests)
    optouts.heed(use, [(subject_id, (kind, one)) for subject_id, _, _, kind, one in digests], origin)
    names = ("subject", "permits", "provenance_id", *PERSON, "company", "import_id", "created_at", "changed_at")
    tail = (chunk.run.pk, chunk.now, chunk.now)
    lines = [
        (*head, *(record.person[name] for name in PERSON), companies.get(record.company), *tail)
        for head, record in zip(known, records, strict=True)
    ]
    persons = values.insert(use, Person, names, lines, holders)
    heads = list(zip(known, persons, records, strict=True))
    points = [
        (*head, category, SOURCE, chunk.fence(category), value, person)
        for head, person, record in heads
        for category, value in record.points
    ]
    values.insert(use, ContactPoint, POINT, points, holders)
    fence = chunk.fence("postal-address")
    addresses = [
        (*head, "postal-address", SOURCE, fence, person, whole_address(record.address), *(record.address[part] for part in ADDRESS))
        for head, person, record in heads
        if record.address
    ]
    values.insert(use, PostalAddress, POSTAL, addresses, holders)


@dataclass
class Image:
    """What an import changed of somebody: (table, row, column) → before and after; rows it added; moments and origins before."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    added: dict[str, list[int]] = field(default_factory=dict)
    changed_at: dict[str, str] = field(default_factory=dict)
    origins: dict[str, int | None] = field(default_factory=dict)

    def note(self, table: str, row_id: int, column: str, before: Any, after: Any) -> None:
        """Remember a change; of several the first before and the last after."""
        place = f"{table}/{row_id}/{column}"
        self.columns[place] = [self.columns.get(place, [before])[0], after]

    def packed(self) -> bytes:
        """As it is sealed."""
        return json.dumps(self.__dict__, ensure_ascii=False).encode()


def seal_image(run: Import, subject_id: int, image: Image) -> tuple[int, bytes, str]:
    """An item for the vault."""
    return (run.key_id or 0, image.packed(), context(run.pk, f"before:{subject_id}"))


def open_image(run: Import, subject_id: int, sealed: bytes | None) -> Image:
    """What was remembered of this person; nothing where nothing was changed."""
    if not sealed:
        return Image()
    return Image(**json.loads(vault().open(run.key_id or 0, bytes(sealed), context(run.pk, f"before:{subject_id}"))))


def mark_met(run: Import, keeping: Use, subject_ids: Sequence[int], created: set[int]) -> dict[int, tuple[int, bytes | None]]:
    """Note whom the import met: their marks (id, sealed image) by subject. It holds each subject, so that no erasure overtakes us."""
    found = lookup(keeping, Before, "subject_id", subject_ids, ("subject_id", "id", "sealed"), f"t.run_id = {run.pk}")
    marks = {subject_id: (pk, sealed) for subject_id, pk, sealed in found}
    new = [one for one in subject_ids if one not in marks and one not in created]
    names = ("subject", "provenance_id", "run")
    made = rows.insert(keeping, Before, names, [(one, run.provenance_id, run.pk) for one in new])
    return marks | {one: (pk, None) for one, pk in zip(new, made, strict=True)}


def _of_subjects(use: Use, model: type[PersonalModel], subject_ids: Sequence[int], names: Sequence[str]) -> dict[int, list[Any]]:
    """Rows of these subjects with sealed values opened, oldest first, by subject."""
    columns = [str(getattr(model._meta.get_field(name), "column", name)) for name in names]
    found = sorted(lookup(use, model, "subject_id", subject_ids, columns), key=lambda row: int(row[0]))
    held = values.opened(use, [model(**dict(zip(columns, row, strict=True))) for row in found])
    by_subject: dict[int, list[Any]] = {}
    for row in held:
        by_subject.setdefault(row.subject_id, []).append(row)
    return by_subject


class Updates:
    """Everything a chunk changes of people who are here already, gathered and written at once. `keeping` is entered, in the action."""

    def __init__(
        self, chunk: Chunk, keeping: Use, people: dict[int, Somebody], companies: dict[str, int], owners: dict[Digest, list[int]]
    ) -> None:
        self.chunk, self.use, self.people, self.companies, self.owners = chunk, keeping, people, companies, owners
        self.images: dict[int, Image] = {}
        self.persons: dict[int, Person] = {}
        self.changed: dict[str, dict[int, dict[str, Any]]] = {}
        self.new_points: list[tuple[Any, ...]] = []
        self.new_addresses: list[tuple[Any, ...]] = []
        self.faults: list[Fault] = []

    def write(self) -> None:
        """Do it."""
        ids = list(self.people)
        chunk = self.chunk
        persons = _of_subjects(self.use, Person, ids, ("id", "subject", "fence", "import_id", *PERSON, "company", "changed_at"))
        self.persons = {subject_id: held[0] for subject_id, held in persons.items()}
        created = {subject_id for subject_id, person in self.persons.items() if person.import_id == chunk.run.pk}
        marks = mark_met(chunk.run, self.use, ids, created)
        for subject_id, (_, sealed) in marks.items():
            self.images[subject_id] = open_image(chunk.run, subject_id, sealed)
        self._add_persons([one for one in ids if one not in self.persons])
        points = _of_subjects(self.use, ContactPoint, ids, ("id", "subject", "category", "value"))
        addresses = _of_subjects(self.use, PostalAddress, ids, ("id", "subject", "category", "fence", "value", *ADDRESS))
        for subject_id, somebody in self.people.items():
            self._person(subject_id, somebody.record)
            self._points(subject_id, somebody.record, points.get(subject_id, []))
            self._address(subject_id, somebody.record, addresses.get(subject_id, []))
        self._write_changes(created)
        self._write_added()
        sealing = [one for one in marks if self.images[one] != Image()]
        blobs = vault().seal_many([seal_image(chunk.run, one, self.images[one]) for one in sealing])
        rows.update(self.use, Before, ("sealed",), [(marks[one][0], blob) for one, blob in zip(sealing, blobs, strict=True)])

    def _image(self, subject_id: int) -> Image:
        """Of people whom this import created nothing is remembered: undoing it removes them."""
        return self.images.get(subject_id) or Image()

    def _add_persons(self, missing: Sequence[int]) -> None:
        """Somebody may be known to the account without being in its address book."""
        names = ("subject", "provenance_id", "created_at", "changed_at")
        chunk = self.chunk
        made = values.insert(self.use, Person, names, [(one, chunk.run.provenance_id, chunk.now, chunk.now) for one in missing])
        empty: dict[str, Any] = {"fence": OPEN_MASK, "changed_at": chunk.now, **dict.fromkeys(PERSON, "")}
        for subject_id, pk in zip(missing, made, strict=True):
            self.persons[subject_id] = Person(id=pk, subject_id=subject_id, **empty)
            self._image(subject_id).added.setdefault(Person._meta.db_table, []).append(pk)

    def _change(self, subject_id: int, row: PersonalModel, wanted: dict[str, Any]) -> bool:
        """Note what differs from the row; whether anything does."""
        table, image = row._meta.db_table, self._image(subject_id)
        differs = {name: value for name, value in wanted.items() if value not in ("", None) and getattr(row, name) != value}
        for name, value in differs.items():
            image.note(table, row.pk, name, getattr(row, name), value)
        if differs:
            self.changed.setdefault(table, {})[row.pk] = {"row": row, **differs}
        return bool(differs)

    def _person(self, subject_id: int, record: Record) -> None:
        person = self.persons[subject_id]
        wanted = {**record.person, "company_id": self.companies.get(record.company)}
        for name in self._withheld(person, record):
            header = next((one for one, target in self.chunk.run.mapping.items() if target == name), name)
            self.faults.append(Fault(record.line, "fenced", header))
            del wanted[name]
        if self._change(subject_id, person, wanted):
            self._image(subject_id).changed_at.setdefault(str(person.pk), str(person.changed_at))

    def _withheld(self, person: Person, record: Record) -> list[str]:
        """Columns whose new value would hide the record, with what else it holds, from a purpose that it serves now (privacy.values)."""
        new = [name for name in PERSON if record.person[name] and record.person[name] != getattr(person, name)]
        stay = any(getattr(person, name) for name in PERSON if name not in new)
        return [name for name in new if stay and person.fence & self.chunk.shut[name]]

    def _points(self, subject_id: int, record: Record, held: Sequence[ContactPoint]) -> None:
        there = {(point.category, point.value) for point in held}
        chunk, person = self.chunk, self.persons[subject_id].pk
        self.new_points += [
            (subject_id, None, chunk.run.provenance_id, category, SOURCE, chunk.fence(category), value, person)
            for category, value in record.points
            if (category, value) not in there
        ]

    def _address(self, subject_id: int, record: Record, held: Sequence[PostalAddress]) -> None:
        if not record.address:
            return
        chunk = self.chunk
        fence = chunk.fence("postal-address")
        own = next((one for one in held if one.fence == fence), None)
        if own is None:
            parts = tuple(record.address[part] for part in ADDRESS)
            head = (subject_id, None, chunk.run.provenance_id, "postal-address", SOURCE, fence, self.persons[subject_id].pk)
            self.new_addresses.append((*head, whole_address(record.address), *parts))
            return
        merged = {part: record.address[part] or getattr(own, part) for part in ADDRESS}
        if any(merged[part] != getattr(own, part) for part in ADDRESS):
            self._change(subject_id, own, {**merged, "value": whole_address(merged)})

    def _write_changes(self, created: set[int]) -> None:
        """One statement for each set of columns, sealed where the notice says so; then where the new values are from."""
        origins: list[tuple[int, str, int, str]] = []
        for model in (Person, PostalAddress):
            table = model._meta.db_table
            by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
            for change in self.changed.get(table, {}).values():
                by_columns.setdefault(tuple(sorted(change.keys() - {"row"})), []).append(change)
            for names, changes in by_columns.items():
                self._update(model, names, changes)
                for change in changes:
                    row = change["row"]
                    if row.subject_id not in created:
                        origins += [(row.subject_id, table, row.pk, name) for name in names]
        self._write_origins(origins)
        moved = [pk for pk, change in self.changed.get(Person._meta.db_table, {}).items() if change["row"].subject_id not in created]
        rows.update(self.use, Person, ("changed_at",), [(pk, self.chunk.now) for pk in moved])

    def _update(self, model: type[PersonalModel], names: tuple[str, ...], changes: Sequence[dict[str, Any]]) -> None:
        fields = tuple(name.removesuffix("_id") for name in names)
        head = ("subject", "category", "fence") if model.personal.by_row else ("subject", "fence")
        lines = [
            (*(getattr(change["row"], "subject_id" if name == "subject" else name) for name in head), *map(change.get, names))
            for change in changes
        ]
        ready = values.prepare(self.use, model, (*head, *fields), lines, source=SOURCE)  # of two sources now: it obeys the limits of both
        place = head.index("fence")
        for change, line in zip(changes, ready, strict=True):
            row = change["row"]
            if line[place] != row.fence:
                self._image(row.subject_id).note(model._meta.db_table, row.pk, "fence", row.fence, line[place])
        done = [(change["row"].pk, *line[place:]) for change, line in zip(changes, ready, strict=True)]
        rows.update(self.use, model, ("fence", *fields), done)

    def _write_origins(self, wanted: Sequence[tuple[int, str, int, str]]) -> None:
        """Each changed value is now from this import; where it was from before is remembered."""
        use, origin = self.use, self.chunk.run.provenance_id
        names = ("id", "table", "row_id", "column", "provenance_id")
        found = lookup(use, ValueOrigin, "subject_id", {one[0] for one in wanted}, names)
        held = {(table, row_id, column): (pk, provenance) for pk, table, row_id, column, provenance in found}
        moved, new = [], []
        for subject_id, table, row_id, column in wanted:
            pk, before = held.get((table, row_id, column), (None, None))
            self._image(subject_id).origins.setdefault(f"{table}/{row_id}/{column}", before)
            if pk is None:
                new.append((subject_id, origin, table, row_id, column))
            else:
                moved.append((pk, origin))
        rows.update(use, ValueOrigin, ("provenance_id",), moved)
        rows.insert(use, ValueOrigin, ("subject", "provenance_id", "table", "row_id", "column"), new)

    def _write_added(self) -> None:
        use, origin = self.use, self.chunk.run.provenance_id
        identifiers = [
            (subject_id, None, origin, *one)
            for subject_id, somebody in self.people.items()
            for one in dict.fromkeys(somebody.record.digests)
            if subject_id not in self.owners.get(one, ())
        ]
        kinds = ("subject", "permits", "provenance_id", "kind", "digest")
        for model, made, lines in (
            (Identifier, rows.insert(use, Identifier, kinds, identifiers), identifiers),
            (ContactPoint, values.insert(use, ContactPoint, POINT, self.new_points), self.new_points),
            (PostalAddress, values.insert(use, PostalAddress, POSTAL, self.new_addresses), self.new_addresses),
        ):
            for pk, line in zip(made, lines, strict=True):
                self._image(line[0]).added.setdefault(model._meta.db_table, []).append(pk)
        optouts.heed(use, [(subject_id, (kind, one)) for subject_id, _, _, kind, one in identifiers], origin)

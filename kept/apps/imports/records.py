"""From a row's cells to a person's record: each value in its one spelling, identifiers as digests, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from kept.apps.imports.columns import TARGETS
from kept.core.errors import BadInput
from kept.core.notice import Policy
from kept.core.notice.vocabulary import REGIONS
from kept.core.vault import normalise
from kept.platform.data.use import SEALED
from kept.platform.privacy.secrets import blind_index
from kept.platform.privacy.subjects import source_kind

LONGEST = 1024  # characters of a value
_OLDEST = 1870  # nobody alive was born before
PERSON = ("given_name", "family_name", "job_title", "birth_date")
ADDRESS = ("street", "city", "state", "postcode", "country")


@dataclass(slots=True)
class Record:
    """What a row says of a person. Empty text means that it says nothing. Digests are (kind, digest)."""

    line: int
    person: dict[str, str]
    company: str
    points: list[tuple[str, str]]
    address: dict[str, str]
    digests: list[tuple[str, bytes]]
    region: str
    born: date | None


@dataclass(slots=True)
class Fault:
    """Something left out, and why: a cell of a row that came in, or (`column` empty) a whole row, then with its cells."""

    line: int
    reason: str
    column: str = ""
    said: str = ""
    cells: list[str] = field(default_factory=list)

    def packed(self) -> list[Any]:
        """As it is stored."""
        return [self.line, self.reason, self.column, self.said, self.cells]


class Reader:
    """Turns staged rows into records under one mapping. Pure: it asks no database."""

    def __init__(
        self, account_id: int, region: str, source: str, policy: Policy, names: Sequence[str], mapping: Mapping[str, str], now: datetime
    ):
        self.policy, self.region, self.now = policy, region, now
        self.names = names
        self.day_first = not region.startswith("US")
        digest, kind = blind_index().digest, source_kind(source)
        self._source: Callable[[str], bytes] = lambda text: digest(account_id, kind, text)
        self._email: Callable[[str], bytes] = lambda text: digest(account_id, "email", text)
        self._phone: Callable[[str], bytes] = lambda text: digest(account_id, "phone", text)
        self._places = [(place, name, mapping[name]) for place, name in enumerate(names, 1) if name in mapping]
        categories = {TARGETS[target].category for target in mapping.values()}
        inlets = policy.collect_for("import")
        self._required = frozenset().union(*(one.required for one in inlets)) & (categories | {"name"}) if inlets else frozenset[str]()
        self._age = lru_cache(256)(lambda where: policy.region(where).age)

    def read(self, staged: Mapping[str, Any]) -> tuple[list[Record], list[Fault]]:
        """The records of a batch, and what is left out of it."""
        faults = [Fault(line, "cells", said=str(count)) for line, count in staged["misfits"]]
        faults += [Fault(line, f"refused-{category}", name) for line, name, category in staged["refused"]]
        faults += [Fault(line, "identifier") for line in staged.get("blank", ())]
        records = []
        for row in staged["rows"]:
            dropped: list[Fault] = []
            record = self._record(row, dropped)
            against = self._objection(record)
            if against is None:
                records.append(record)
                faults += dropped
            else:
                against.cells = [str(cell)[:LONGEST] for cell in row[1:]]
                faults.append(against)
        return records, faults

    def digests(self, row: list[Any]) -> list[tuple[str, bytes]]:
        """What somebody could be recognised by in this row."""
        return self._record(row, []).digests

    def _record(self, row: list[Any], dropped: list[Fault]) -> Record:
        line: int = row[0]
        found: dict[str, str] = {}
        several: dict[str, list[tuple[str, str]]] = {"email": [], "phone": [], "street": []}
        for place, name, target in self._places:
            text = row[place].strip()
            if not text:
                continue
            if len(text) > LONGEST or text.startswith(SEALED):
                dropped.append(Fault(line, "long" if len(text) > LONGEST else "form", name))
            elif target in several:
                several[target].append((name, text))
            else:
                found[target] = text
        region = self._region(found.get("country", ""), found.get("state", ""))
        record = Record(line, self._person(found), found.get("company", ""), [], self._address(found, several["street"]), [], region, None)
        self._identify(record, found, several, dropped)
        if "birth_date" in found:
            self._birth(record, found["birth_date"], dropped)
        return record

    def _objection(self, record: Record) -> Fault | None:
        """Why a whole record is left out."""
        if not record.digests:
            return Fault(record.line, "identifier")
        if "name" in self._required and not (record.person["given_name"] or record.person["family_name"]):
            return Fault(record.line, "name")
        age = self._age(record.region)
        if age is not None and age.below(record.born, self.now):
            return Fault(record.line, "age", said=str(age.minimum))
        return None

    def _person(self, found: dict[str, str]) -> dict[str, str]:
        given, family = found.get("given_name", ""), found.get("family_name", "")
        if "full_name" in found and not (given or family):
            given, family = split_name(found["full_name"])
        return {"given_name": given, "family_name": family, "job_title": found.get("job_title", ""), "birth_date": ""}

    def _identify(self, record: Record, found: dict[str, str], several: dict[str, list[tuple[str, str]]], dropped: list[Fault]) -> None:
        if "source_id" in found:
            try:
                record.digests.append(("source", self._source(normalise.source_id(found["source_id"]))))
            except BadInput:
                dropped.append(Fault(record.line, "source_id", self._name_of("source_id")))
        for name, text in several["email"]:
            try:
                address = email(text)
            except BadInput:
                dropped.append(Fault(record.line, "email", name))
                continue
            self._point(record, "email", address, self._email)
        for name, text in several["phone"]:
            try:
                number = normalise.phone(text, record.region.partition("-")[0])
            except BadInput:
                dropped.append(Fault(record.line, "phone", name))
                continue
            self._point(record, "phone", number, self._phone)

    def _point(self, record: Record, category: str, value: str, digest: Callable[[str], bytes]) -> None:
        if (category, value) not in record.points:
            record.points.append((category, value))
            record.digests.append((category, digest(value)))

    def _birth(self, record: Record, text: str, dropped: list[Fault]) -> None:
        day = birth_date(text, self.day_first)
        if day is None or day > self.now.date():
            dropped.append(Fault(record.line, "birth_date", self._name_of("birth_date")))
        else:
            record.born = day
            record.person["birth_date"] = day.isoformat()

    def _address(self, found: dict[str, str], streets: list[tuple[str, str]]) -> dict[str, str]:
        parts = [text for _, text in streets]
        if "street_number" in found:
            parts[:1] = [" ".join([found["street_number"], *parts[:1]])]
        whole = {"street": ", ".join(parts)} | {part: found.get(part, "") for part in ADDRESS[1:]}
        return whole if any(whole.values()) else {}

    def _region(self, country: str, state: str) -> str:
        """Where the person lives, as far as a country's code says it; else where the account is."""
        code = country.upper()
        if len(code) != 2 or code not in REGIONS:
            return self.region
        part = f"{code}-{state.upper()}"
        return part if part in REGIONS else code

    def _name_of(self, target: str) -> str:
        return next(name for _, name, one in self._places if one == target)


_LOCAL = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*")


@lru_cache(4096)
def _domain(text: str) -> str:
    return normalise.email(f"x@{text}")[2:]


def email(text: str) -> str:
    """`normalise.email`, which for plain addresses looks at each domain once only. Raises BadInput."""
    local, _, domain = text.lower().rpartition("@")
    if text.isascii() and len(local) <= 64 and len(text) <= 254 and _LOCAL.fullmatch(local):
        return f"{local}@{_domain(domain)}"
    return normalise.email(text)


def whole_address(address: Mapping[str, str]) -> str:
    """An address on one line."""
    place = " ".join(part for part in (address["city"], address["state"], address["postcode"]) if part)
    return ", ".join(part for part in (address["street"], place, address["country"]) if part)


def split_name(text: str) -> tuple[str, str]:
    """Given and family name: "Reyes, Dana" or "Dana Reyes"; of more words the last is the family name."""
    family, comma, given = text.partition(",")
    if comma:
        return given.strip(), family.strip()
    given, _, family = text.rpartition(" ")
    return given.strip(), family.strip()


_FORMS = (
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), (0, 1, 2)),
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00)?)?"), (0, 1, 2)),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), (2, 1, 0)),
)
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


@lru_cache(65536)
def birth_date(text: str, day_first: bool) -> date | None:
    """A day as files write it: 19720824, 1972-08-24, 24.8.1972, 24/8/1972 (8/24/1972 in the United States). None when it is no day."""
    for form, (year, month, day) in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groups()
            return _day(parts[year], parts[month], parts[day])
    if match := _SLASHED.fullmatch(text):
        first, second, last = match.groups()
        return _day(last, second, first) if day_first else _day(last, first, second)
    return None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year >= _OLDEST else None


__all__ = ["ADDRESS", "PERSON", "Fault", "Reader", "Record", "birth_date", "split_name", "whole_address"]

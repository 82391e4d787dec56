"""A person's copy of everything held on them, generated from the data map: a page to read, JSON, and a CSV file for each table."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import models
from django.template import engines
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kept.apps.requests.redaction import Cover
from kept.core.ledger import Header
from kept.core.notice import Policy, Rule
from kept.core.notice.rules import pick
from kept.core.notice.vocabulary import Tree
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import Table, of_subjects, table_of
from kept.platform.data.models import Subject
from kept.platform.data.personal import SYSTEM_FIELDS, AccountModel, PersonalModel
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, provenance, values
from kept.platform.privacy.models import Choice, Identifier, ValueOrigin
from kept.platform.privacy.notices import in_force, policy_of
from kept.platform.privacy.provenance import Why

FORMAT = "kept-access-1"
FREE_TEXT = "communication"
"""The category whose values, and those under it, people wrote freely: other people may be named in them."""
MOST_ENTRIES = 2000
_TEMPLATES = Path(__file__).parent / "templates/requests"


@dataclass(frozen=True)
class Package:
    """The files of a copy by name, and counts of what is in it."""

    files: Mapping[str, bytes]
    summary: Mapping[str, int]

    def zipped(self) -> bytes:
        """All files in one archive."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return out.getvalue()


@dataclass(frozen=True)
class Value:
    """One value: what it is, its category, and why it is held."""

    label: str
    category: str
    text: str
    why: Why | None


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


def build(use: Use, account: Account, subject: Subject, reference: str, now: datetime) -> Package:
    """Gather everything held on a subject. `use` is of the purpose `rights`; `reference` is that of the request."""
    gathered = _Gathering(use, subject)
    places = gathered.places()
    document = {
        "format": FORMAT,
        "controller": account.name,
        "request": reference,
        "made": now,
        "region": subject.region,
        **gathered.context(),
        "held": {place.table.name: place.rows for place in places},
        "found_by": sorted(set(Identifier.under(use).filter(subject_id=subject.pk).values_list("kind", flat=True))),
    }
    counted = {"entries": sum(len(place.rows) for place in places), "places": len(places), "covered": gathered.cover.count}
    files = {
        "your-data.html": _page(account, document, places, gathered).encode(),
        "your-data.json": json.dumps(document, ensure_ascii=False, indent=2, default=_plain).encode(),
        **{f"csv/{place.table.name}.csv": _csv(place) for place in places},
    }
    return Package(files, counted)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Why):
        return value.__dict__
    return str(value)


def _csv(place: Place) -> bytes:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in place.rows for name in row if name != "origin"))
    writer = csv.DictWriter(out, [*names, "source", "occasion", "held_since", "basis"], extrasaction="ignore")
    writer.writeheader()
    for row in place.rows:
        writer.writerow({**row, **(row.get("origin") or {})})
    return out.getvalue().encode("utf-8-sig")  # the mark by which spreadsheets know UTF-8


def _page(account: Account, document: Mapping[str, Any], places: Sequence[Place], gathered: _Gathering) -> str:
    by_category: dict[str, list[Value]] = {}
    for value in (value for place in places for value in place.values):
        by_category.setdefault(value.category, []).append(value)
    titles = gathered.policy.notice.vocabulary["category"]
    held = sorted(((titles[category].title, found) for category, found in by_category.items()), key=lambda one: one[0])
    identity = gathered.policy.notice.identity
    context = {
        **document,
        "account": account,
        "css": (_TEMPLATES / "package.css").read_text(),
        "held": held,
        "covered": gathered.cover.count,
        "authority": pick(identity.authority, gathered.subject.region) or "",
        "contact": identity.address,
        "files": [place.table.name for place in places],
    }
    return str(engines["jinja2"].get_template("requests/package.html").render(context))


class _Gathering:
    """What is read for one copy."""

    def __init__(self, use: Use, subject: Subject) -> None:
        self.use, self.subject = use, subject
        self.policy: Policy = policy_of(use.account_id)
        self.cover = Cover(use, subject.pk, subject.region)
        self.free = self.policy.notice.vocabulary["category"].under(FREE_TEXT)
        self._whys: dict[tuple[int, str], Why] = {}

    # Records

    def places(self) -> list[Place]:
        """Every table that holds rows of the subject, the order of the data map."""
        found = []
        for table in reversed(of_subjects()):
            if table.model in (Identifier, ValueOrigin, Choice):  # each has a section of its own
                continue
            model: Any = table.model
            records = values.opened(self.use, list(model.under(self.use).filter(subject_id=self.subject.pk).order_by("id")))
            if records:
                found.append(self._place(table, records))
        return found

    def _place(self, table: Table, records: Sequence[PersonalModel]) -> Place:
        place = Place(table)
        origins = provenance.origins(self.use, records)
        others = self._referred(table, records)
        for record in records:
            row: dict[str, Any] = {}
            for name, category, label, text in self._fields(record):
                row[name] = text
                if category is not None and text:
                    origin = origins.get((table.name, record.pk, name), origins.get((table.name, record.pk, "")))
                    why = self._why(origin, category) if origin else None
                    if not table.by_row or name == "value":
                        place.values.append(Value(label, category, text, why))
            for column, known in others.items():
                for name, category, label, text in known.get(getattr(record, column) or 0, ()):
                    row[f"{column.removesuffix('_id')}.{name}"] = text
                    place.values.append(Value(label, category, text, None))
            own = origins.get((table.name, record.pk, ""))
            row["origin"] = self._origin(own) if own else None
            place.rows.append(row)
        return place

    def _fields(self, record: AccountModel) -> Iterator[tuple[str, str | None, str, str]]:
        """Name, category, label and text of each field that says something; keys and what only the guard needs are left out."""
        by_row = record.personal.by_row
        for one in record._meta.local_concrete_fields:
            category = record.personal.columns.get(one.name)
            if by_row and one.name == "value":
                category = record.category  # type: ignore[attr-defined]
            if category is None and not _speaks(one, by_row=by_row):
                continue
            text = _text(getattr(record, one.attname))
            if category in self.free:
                text = self.cover.text(text)
            label = self.policy.notice.vocabulary["category"][category].title if by_row and category else capfirst(str(one.verbose_name))
            yield one.name, category, label, text

    def _referred(self, table: Table, records: Sequence[PersonalModel]) -> dict[str, dict[int, list[tuple[str, str, str, str]]]]:
        """What is held of the things that these records name and that are nobody's in particular, such as the person's firm."""
        found: dict[str, dict[int, list[tuple[str, str, str, str]]]] = {}
        for one in table.model._meta.local_concrete_fields:
            target = one.related_model
            if one.name == "subject" or not (isinstance(target, type) and issubclass(target, AccountModel)) or table_of(target).of_subject:
                continue
            ids = {getattr(record, one.attname) for record in records} - {None}
            held = target.under(self.use).filter(pk__in=ids)
            found[one.attname] = {
                row.pk: [(name, category, label, text) for name, category, label, text in self._fields(row) if category and text]
                for row in held
            }
        return found

    def _origin(self, origin: Any) -> dict[str, Any]:
        return {
            "source": self._title("source", origin.source),
            "occasion": self.cover.text(origin.occasion),
            "held_since": origin.at,
            "basis": self._title("basis", origin.basis),
            "rule": origin.rule,
            "notice_version": origin.notice_version,
        }

    def _why(self, origin: Any, category: str) -> Why:
        key = (origin.pk, category)
        if key not in self._whys:
            origin.occasion = self.cover.text(origin.occasion)
            self._whys[key] = provenance.why(self.policy, origin, category, self.subject.permits)
        return self._whys[key]

    # What stands around them

    def context(self) -> dict[str, Any]:
        """The notice's answers: purposes, recipients, how long; the person's choices; what the ledger tells."""
        version = in_force(self.use.account_id)
        headers = [ledger.header_of(entry) for entry in ledger.entries_of(self.use, self.subject.reference, MOST_ENTRIES)]
        return {
            "notice": {"title": self.policy.notice.title, "version": version.number, "in_force_since": version.activated_at},
            "purposes": self._purposes(),
            "sources": self._sources(),
            "recipients": self._recipients(),
            "disclosures": [self._entry(one) for one in headers if one.kind == "disclosure"],
            "retention": self._retention(),
            "choices": self._choices(),
            "looks": [self._entry(one) for one in headers if one.kind == "look"],
            "history": [self._entry(one) for one in headers if one.kind not in ("look", "disclosure")],
        }

    def _title(self, tree: Tree, term: str) -> str:
        known = self.policy.notice.vocabulary[tree]
        return known[term].title if term in known else term

    def _categories(self, rule: Rule) -> list[str]:
        return sorted(self._title("category", term) for term in rule.data["categories"])

    def _purposes(self) -> list[dict[str, Any]]:
        return [
            {
                "purpose": one.title or one.id,
                "basis": self._title("basis", self.policy.basis(one.id, self.subject.region)),
                "in_use": bool(self.subject.permits >> one.bit & 1),
                "categories": self._categories(one.rule),
                "promise": one.rule.promise,
            }
            for one in self.policy.purposes.values()
        ]

    def _sources(self) -> list[dict[str, Any]]:
        return [{"from": self._title("source", one.source), "promise": one.rule.promise} for one in self.policy.collects]

    def _recipients(self) -> list[dict[str, Any]]:
        return [
            {
                "to": one.to,
                "kind": self._title("recipient", one.recipient_class),
                "categories": self._categories(one.rule),
                "country": ", ".join(one.countries),
                "safeguard": one.safeguard,
                "promise": one.rule.promise,
            }
            for outlets in self.policy.recipients.values()
            for one in outlets
        ]

    def _retention(self) -> list[dict[str, str]]:
        return [
            {"keep": str(one.keep), "after": self._title("event", one.after), "promise": one.rule.promise} for one in self.policy.retains
        ]

    def _choices(self) -> list[dict[str, Any]]:
        held = Choice.under(self.use).filter(subject_id=self.subject.pk).order_by("purpose")
        titles = {one.id: one.title for one in self.policy.purposes.values()}
        return [
            {"purpose": titles.get(row.purpose) or row.purpose, "state": row.state, "restricted": row.restricted, "since": row.at}
            for row in held
        ]

    def _entry(self, header: Header) -> dict[str, Any]:
        who = {"member": _("our team"), "person": _("you"), "job": _("a program of ours"), "command": _("whoever runs our computers")}
        purpose = self._title("purpose", header.purpose or "")
        kind = _KINDS.get(header.kind, header.kind)
        return {"at": header.at, "what": _(kind), "who": who.get(header.actor.partition(":")[0], header.actor), "for": purpose}


_KINDS = {
    "consent": "Consent given or withdrawn",
    "objection": "Objection",
    "opt-out": "Opting out",
    "restriction": "Restriction",
    "look": "Your data was shown",
    "disclosure": "Your data was given to somebody",
    "instrument": "A paper about your data was put on file",
    "request": "A request of yours moved a step",
    "collection": "Data came in",
    "correction": "Data was corrected",
    "release": "A copy was handed over",
}


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

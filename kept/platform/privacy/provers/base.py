"""What every prover stands on: the finding it makes, the look it takes, and the registry by kind of rule.

The first run looks at everything, as does any run under another version of the notice or while a promise that is proved in parts is
broken. Every other run looks at what is new (rows, ledger entries), at the people whose choices changed since, and at one part in
`NIGHTS` of the rest: within so many nightly runs everything is seen again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar

from django.db.models import Max, Min, Q, QuerySet
from django.utils.dateparse import parse_datetime

from kept.core import ledger as core
from kept.core.notice import Policy, Rule
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel
from kept.platform.data.use import Use
from kept.platform.privacy import notices
from kept.platform.privacy.ledger import header_of
from kept.platform.privacy.models import Entry, EntrySubject, NoticeVersion, Proof, Provenance
from kept.platform.privacy.registry import Desk, registry

T = TypeVar("T")
State = Literal["kept", "broken", "unproven", "statement"]
NIGHTS = 14
"""After so many nightly runs everything was looked at again."""
ROUND = timedelta(days=NIGHTS + 1)
MARKS = 2
"""The form of what a run notes for the next; another form starts anew."""
CHANGES = ("consent", "objection", "opt-out", "restriction", "acceptance", "correction")
"""Kinds of entries after which a person is looked at again."""
MOST_SHOWN = 20
"""References that the evidence lists."""
BATCH = 1000
PARTLY = frozenset(
    {"source", "category", "collect", "purpose", "disclose", "transfer", "right", "choice", "limit", "age", "secure", "role", "change"}
)
"""Kinds whose provers look at a part of the tables in one run."""


class Asked(NamedTuple):
    """What a prover asked: in words, and much as it was asked of the database."""

    words: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a prover found. `said` is a plain sentence with numbers; the evidence has the question, a count, and references."""

    state: State
    counted: int
    said: str
    evidence: Mapping[str, Any]


def _evidence(asked: Asked, wrong: Sequence[object] = (), **more: Any) -> dict[str, Any]:
    shown = [str(one) for one in list(dict.fromkeys(wrong))[:MOST_SHOWN]]
    return {"query": asked.words, "sql": asked.sql, "count": len(wrong), "references": shown, **more}


def kept(counted: int, said: str, asked: Asked, **more: Any) -> Finding:
    """The promise holds for everything counted."""
    return Finding("kept", counted, said, _evidence(asked, **more))


def unproven(said: str, asked: Asked, **more: Any) -> Finding:
    """There is nothing to look at yet."""
    return Finding("unproven", 0, said, _evidence(asked, **more))


def broken(counted: int, wrong: Sequence[object], said: str, asked: Asked, **more: Any) -> Finding:
    """What must not be there, is. `wrong` names each by reference, never by value."""
    return Finding("broken", counted, said, _evidence(asked, wrong, **more))


def many(count: int, one: str, several: str) -> str:
    """“1 person”, “1,204 people”."""
    return f"{count:,} {one if count == 1 else several}"


def people(count: int) -> str:
    """“1 person”, “1,204 people”."""
    return many(count, "person", "people")


def requests_amiss(desks: Sequence[Desk]) -> dict[str, Sequence[str]]:
    """What rooms say is wrong with requests, as sentences."""
    found: dict[str, list[str]] = {}
    for desk in desks:
        for words, references in desk.faults.items():
            if references:
                found.setdefault(words, []).extend(references)
    return {f"{many(len(some), 'request', 'requests')} {words}.": some for words, some in found.items()}


def batches(rows: QuerySet[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """The rows in batches, by id."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1].pk


@dataclass(frozen=True)
class Piece:
    """A part of a table: ids behind `first` up to `last`, and where `subjects` are given, of these people only and outside `but`."""

    first: int
    last: int
    subjects: tuple[int, ...] | None = None
    but: tuple[int, int] = (0, 0)

    def where(self, key: str = "pk", subject: str = "subject_id") -> Q:
        """The condition, on the field that holds the id and the one that names the person."""
        found = Q(**{f"{key}__gt": self.first, f"{key}__lte": self.last})
        if self.subjects is not None:
            found &= Q(**{f"{subject}__in": self.subjects}) & ~Q(**{f"{key}__gt": self.but[0], f"{key}__lte": self.but[1]})
        return found


@dataclass(frozen=True, eq=False)
class Look:
    """One run of the provers over one account, under the purpose `proof`. What several provers need is gathered once.

    `before` is the last proof of each rule. `marks` is what the next run goes on from.
    """

    policy: Policy
    use: Use
    now: datetime
    before: Mapping[str, Proof] = field(default_factory=dict)
    _gathered: dict[object, Any] = field(default_factory=dict)
    _tables: dict[str, list[int]] = field(default_factory=dict)
    _pieces: dict[str, tuple[Piece, ...]] = field(default_factory=dict)

    def once(self, gather: Callable[[Look], T]) -> T:
        """What `gather` finds, asked once in a run however many rules need it."""
        if gather not in self._gathered:
            self._gathered[gather] = gather(self)
        found: T = self._gathered[gather]
        return found

    # How much is looked at

    @cached_property
    def version(self) -> int:
        """The number of the version in force."""
        return notices.in_force(self.use.account_id).number

    @cached_property
    def earlier(self) -> Mapping[str, Any]:
        """The marks that this run goes on from; none where everything is looked at."""
        found: Mapping[str, Any] = next((one.evidence["marks"] for one in self.before.values() if "marks" in one.evidence), {})
        failed = any(one.state == "broken" and rule.partition(":")[0] in PARTLY for rule, one in self.before.items())
        fits = found.get("form") == MARKS and found.get("version") == self.version
        return found if fits and not failed else {}

    @property
    def whole(self) -> bool:
        """Whether this run looks at everything."""
        return not self.earlier

    @property
    def marks(self) -> dict[str, Any]:
        """For each table that was looked at, how far new rows were seen and how far the round has come."""
        tables = {**self.earlier.get("tables", {}), **self._tables}
        return {"form": MARKS, "version": self.version, "at": self.now.isoformat(), "tables": tables}

    @property
    def extent(self) -> str:
        """What was looked at, in words."""
        since = parse_datetime(self.earlier["at"]) if self.earlier else None
        if since is None:
            return "everything"
        return f"what is new since {since:%Y-%m-%d %H:%M}, whom it changed, and a part of the rest, all of which is seen in {NIGHTS} runs"

    def pieces(self, model: type[AccountModel]) -> tuple[Piece, ...]:
        """The parts of a table that this run looks at; no row is in two."""
        name = model._meta.db_table
        if name not in self._pieces:
            self._pieces[name] = tuple(self._cut(model, name))
        return self._pieces[name]

    def _cut(self, model: type[AccountModel], name: str) -> Iterator[Piece]:
        ends = model.under(self.use).aggregate(first=Min("pk"), last=Max("pk"))
        lowest, highest = (ends["first"] or 1) - 1, ends["last"] or 0
        newest, turned = self.earlier.get("tables", {}).get(name, (lowest, lowest))
        newest, turned = min(newest, highest), max(turned, lowest)
        stop = min(turned + -(-(newest - lowest) // NIGHTS), newest)
        self._tables[name] = [highest, lowest if stop >= newest else stop]
        if highest > newest:
            yield Piece(newest, highest)
        if stop > turned:
            yield Piece(turned, stop)
        if newest and (model is Subject or any(field.name == "subject" for field in model._meta.local_concrete_fields)):
            for start in range(0, len(self.changed), BATCH):
                yield Piece(0, newest, tuple(self.changed[start : start + BATCH]), (turned, stop))

    def rows(self, model: type[AccountModel]) -> Iterator[QuerySet[Any]]:
        """The rows of a table that this run looks at, in parts."""
        for piece in self.pieces(model):
            yield model.under(self.use).filter(piece.where(subject="pk" if model is Subject else "subject_id"))

    @cached_property
    def changed(self) -> list[int]:
        """People about whom the ledger says something new that bears on what may be done with their data."""
        if self.whole:
            return []
        named = EntrySubject.under(self.use).filter(pk__gt=self._seen(EntrySubject), entry__kind__in=CHANGES)
        references = sorted(set(named.values_list("reference", flat=True)))
        parts = (references[start : start + BATCH] for start in range(0, len(references), BATCH))
        return sorted(pk for part in parts for pk in Subject.under(self.use).filter(reference__in=part).values_list("pk", flat=True))

    def _seen(self, model: type[AccountModel]) -> int:
        """Up to which id a table was seen before; this run then sees the rest."""
        name = model._meta.db_table
        self._tables[name] = [model.under(self.use).aggregate(last=Max("pk"))["last"] or 0, 0]
        return int(self.earlier.get("tables", {}).get(name, (0, 0))[0])

    # What everybody asks

    @cached_property
    def people(self) -> int:
        """How many people the account holds."""
        return Subject.under(self.use).count()

    @cached_property
    def versions(self) -> dict[int, NoticeVersion]:
        """Every version of the notice, by number."""
        return {row.number: row for row in NoticeVersion.objects.filter(account_id=self.use.account_id).order_by("number")}

    def policy_of(self, version: NoticeVersion) -> Policy:
        """What a version said."""
        return notices.compiled(version.pk)

    def version_at(self, moment: datetime) -> NoticeVersion | None:
        """The version in force at a moment."""
        return next((row for row in reversed(self.versions.values()) if row.activated_at <= moment), None)

    def policy_at(self, moment: datetime) -> Policy:
        """What the notice said at a moment."""
        version = self.version_at(moment)
        return self.policy_of(version) if version else self.policy

    def origins(self, ids: Iterable[int | None]) -> dict[int, Provenance]:
        """Occasions on which data came in, by id; each is read once in a run."""
        known: dict[int, Provenance | None] = self._gathered.setdefault("origins", {})
        lacking = sorted({pk for pk in ids if pk is not None} - known.keys())
        for start in range(0, len(lacking), BATCH):
            part = lacking[start : start + BATCH]
            known |= dict.fromkeys(part)
            known |= {row.pk: row for row in Provenance.under(self.use).filter(pk__in=part)}
        return {pk: row for pk in ids if pk is not None and (row := known.get(pk)) is not None}

    def entries(self, kind: str) -> Iterator[tuple[Entry, core.Header]]:
        """The entries of one kind that this run looks at."""
        for rows in self.rows(Entry):
            for batch in batches(rows.filter(kind=kind).defer("payload")):
                yield from ((row, header_of(row)) for row in batch)


Prover = Callable[[Rule, Look], Finding]
PROVERS: dict[str, Prover] = {}
"""By kind of rule. A rule of another kind is bound by nothing here."""


def prover(kind: str, *keys: str) -> Callable[[Prover], Prover]:
    """Register the prover of a kind, and the keys of it that it looks at."""

    def register(function: Prover) -> Prover:
        PROVERS[kind] = function
        registry.proves(kind, *keys)
        return function

    return register

"""Retention: what has passed its date is erased or emptied as the notice's `retain` rules say, each night, all of it.

A clock starts at an event. Events of the person (the last dealing, the last order) are one moment for everything held on them, the
latest of all that rooms register; events of a record (issued, closed) are a moment of each row. Where a person's time has come under
a rule that erases, the person is erased whole, unless another rule still keeps something of theirs: then what the rule names goes.

Rules of an older version that the one in force changed hold for the people still under it, beside those in force: the shorter counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from kept.core.errors import NotFound
from kept.core.notice import Duration
from kept.core.notice.durations import add_months
from kept.core.notice.standing import Standing
from kept.core.notice.terms import RetainTerms
from kept.platform.data.datamap import of_subjects
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, PersonalModel
from kept.platform.data.use import Use, writing
from kept.platform.privacy import erasure, ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.registry import Clock, registry

OF_PERSON = frozenset({"last-activity", "last-order", "purpose-ended", "consent-withdrawn", "contract-ended", "account-closed"})
"""Events that are one moment for everything held on a person; the others are a moment of each record."""
BATCH = 500
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What one rule asked for. `people` are erased whole; `rows` are erased or emptied beyond them, by table.

    Where no room keeps the clock of the rule, `measured` is False and nothing was done. `version` is that of an older version's rule.
    """

    rule: str
    then: str
    measured: bool
    people: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    version: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether nothing is past its date."""
        return not self.people and not self.rows


@dataclass(frozen=True)
class Part:
    """Rows of one table that a rule is about; `empty` names the fields that go, or is empty where the rows go themselves.

    `along` removes what hangs on those rows.
    """

    model: type[AccountModel]
    rows: QuerySet[Any]
    empty: tuple[str, ...] = ()
    along: Callable[[Use, QuerySet[Any]], None] | None = None


@dataclass(frozen=True)
class Duty:
    """A rule, the rules it stands among, and the older version whose people alone it is about."""

    rule: RetainTerms
    among: tuple[RetainTerms, ...]
    version: int | None = None


def duties(account_id: int) -> list[Duty]:
    """What is to be kept to: the rules in force, and those of older versions that they changed, for the people under these."""
    ruling = notices.ruling(account_id)
    active = ruling.policy.retains
    found, known = [Duty(rule, active) for rule in active], {_effect(rule) for rule in active}
    with bookkeeping(account_id) as use:
        older = Subject.under(use).exclude(notice_version__in=(0, ruling.number)).values_list("notice_version", flat=True)
        numbers = sorted(set(older.distinct().order_by()))
    for number in numbers:
        terms = ruling.over(number)
        earlier = terms.earlier.retains if isinstance(terms, Standing) else ()
        found += [Duty(rule, earlier, number) for rule in earlier if _effect(rule) not in known]
    return found


def _effect(rule: RetainTerms) -> tuple[object, ...]:
    return rule.categories, rule.records, rule.keep, rule.after, rule.then


def cutoff(keep: Duration, now: datetime) -> datetime | None:
    """The moment before which an event is past its date now; None where only a withdrawal ends it. Never early at the ends of months."""
    if keep.unit == "until withdrawn":
        return None
    if keep.unit in ("months", "years"):
        return add_months(now, -keep.count * (12 if keep.unit == "years" else 1))
    if keep.unit == "days":
        return now - timedelta(days=keep.count)
    start, left = now, keep.count
    while left:
        left -= start.weekday() < 5
        start -= timedelta(days=1)
    return start


def clocks_of(rule: RetainTerms) -> tuple[Clock, ...]:
    """The clocks that tell when the time of a rule starts. An event of a record counts for the records and categories the rule names."""
    found = [clock for clock in registry.clocks if clock.event == rule.after]
    if rule.after in OF_PERSON:
        return tuple(clock for clock in found if issubclass(clock.model, PersonalModel))
    return tuple(clock for clock in found if clock.record in rule.records or set(clock.model.personal.columns.values()) & rule.categories)


def _since(clock: Clock, limit: datetime) -> Q:
    """Rows whose event is not past: it happened since, or has not happened."""
    return Q(**{f"{clock.moment}__gte": limit}) | Q(**{f"{clock.moment}__isnull": True})


def _of_subject(use: Use, clock: Clock) -> QuerySet[Any]:
    model: Any = clock.model
    rows: QuerySet[Any] = model.under(use).filter(subject_id=OuterRef("pk"))
    return rows


def _any(conditions: Sequence[Exists]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= Q(condition)
    return found


def _people(use: Use, duty: Duty) -> QuerySet[Subject]:
    found = Subject.under(use)
    return found if duty.version is None else found.filter(notice_version=duty.version)


def _past(use: Use, duty: Duty, limit: datetime) -> QuerySet[Subject]:
    """People of whom the event is known, and past."""
    clocks = clocks_of(duty.rule)
    started = _any([Exists(_of_subject(use, clock)) for clock in clocks])
    alive = _any([Exists(_of_subject(use, clock).filter(_since(clock, limit))) for clock in clocks])
    return _people(use, duty).filter(started).exclude(alive)


def _kept_otherwise(use: Use, duty: Duty, now: datetime) -> Q:
    """People of whom another rule still keeps something."""
    held = []
    for other in duty.among:
        limit = cutoff(other.keep, now)
        if other is not duty.rule and limit is not None:
            own = [clock for clock in clocks_of(other) if issubclass(clock.model, PersonalModel)]
            held += [Exists(_of_subject(use, clock).filter(_since(clock, limit))) for clock in own]
    return _any(held)


def covered(model: type[AccountModel], rule: RetainTerms) -> tuple[str, ...]:
    """The fields of a model whose values a rule names."""
    return tuple(name for name, category in model.personal.columns.items() if category in rule.categories)


def parts(use: Use, rule: RetainTerms, people: Sequence[int] | QuerySet[Any, Any]) -> Iterator[Part]:
    """What is still held of the categories of a rule, of these people."""
    for table in of_subjects():
        model: Any = table.model
        rows = model.under(use).filter(subject_id__in=people)
        names = covered(table.model, rule)
        if table.erase == "keep":
            continue
        if table.by_row:
            yield Part(model, rows.filter(category__in=rule.categories))
        elif names:
            yield Part(model, rows.exclude(**dict.fromkeys(names, "")), names)


def run(
    account_id: int, now: datetime, *, dry_run: bool = False, actor: str = "job:retention", progress: Progress | None = None
) -> list[Outcome]:
    """Do what every `retain` rule asks for by now, or with `dry_run` say what that would be. May be interrupted and run again."""
    due, found = duties(account_id), []
    for position, duty in enumerate(due):
        found.append((_preview if dry_run else _carry_out)(account_id, actor, duty, now))
        if progress:
            progress(position + 1, len(due))
    return found


def _entered(account_id: int, actor: str, rule: RetainTerms) -> Any:
    return reserved(account_id, actor, "retention", rule=rule.rule.name)


def _preview(account_id: int, actor: str, duty: Duty, now: datetime) -> Outcome:
    rule = duty.rule
    limit, rows = cutoff(rule.keep, now), dict[str, int]()
    if limit is None or not clocks_of(rule):
        return Outcome(rule.rule.name, rule.then, measured=False, version=duty.version)
    with _entered(account_id, actor, rule) as use:
        if rule.after not in OF_PERSON:
            people, left = 0, list(_records(use, duty, limit))
        else:
            past, others = _past(use, duty, limit), _kept_otherwise(use, duty, now)
            people = past.exclude(others).count() if rule.then == "erase" else 0
            left = list(parts(use, rule, (past.filter(others) if rule.then == "erase" else past).values("pk")))
        for part in left:
            rows[part.model._meta.db_table] = part.rows.count()
    return Outcome(rule.rule.name, rule.then, True, people, {table: count for table, count in rows.items() if count}, duty.version)


def _carry_out(account_id: int, actor: str, duty: Duty, now: datetime) -> Outcome:
    rule = duty.rule
    limit = cutoff(rule.keep, now)
    if limit is None or not clocks_of(rule):
        return Outcome(rule.rule.name, rule.then, measured=False, version=duty.version)
    if rule.after not in OF_PERSON:
        with _entered(account_id, actor, rule) as use:
            gone = _remove(use, rule, list(_records(use, duty, limit)), [])
        return Outcome(rule.rule.name, rule.then, True, 0, gone, duty.version)
    people, rows, last = 0, dict[str, int](), 0
    while True:
        with _entered(account_id, actor, rule) as use:
            past = _past(use, duty, limit).filter(pk__gt=last).order_by("pk")
            held = set(past.filter(_kept_otherwise(use, duty, now)).values_list("pk", flat=True)[:BATCH])
            batch = list(past.values_list("pk", "reference")[:BATCH])
            if not batch:
                return Outcome(rule.rule.name, rule.then, True, people, rows, duty.version)
            part = [one for one in batch if rule.then != "erase" or one[0] in held]
            left = list(parts(use, rule, [pk for pk, _ in part]))
            for table, count in _remove(use, rule, left, [reference for _, reference in part]).items():
                rows[table] = rows.get(table, 0) + count
        whole = [one for one in batch if one not in part]
        people, last = people + _erase(account_id, actor, rule, whole), batch[-1][0]


def _erase(account_id: int, actor: str, rule: RetainTerms, people: Sequence[tuple[int, str]]) -> int:
    """Erase people whole; how many. The request is named after person and rule, so that an interrupted night goes on where it stopped."""
    done = []
    for subject_id, reference in people:
        request = hashlib.sha256(f"retention/{account_id}/{reference}/{rule.rule.name}".encode()).hexdigest()[:32]
        with suppress(NotFound):  # erased by request meanwhile
            erasure.erase(account_id, actor, subject_id, request, rule.rule.name)
            done.append(reference)
        point("retention:erased")
    if done:
        with _entered(account_id, actor, rule) as use, writing(use):
            _note(use, rule, done)
    return len(done)


def _records(use: Use, duty: Duty, limit: datetime) -> Iterator[Part]:
    """Records past their date, by a moment of their own. Those that name no person keep to the rules in force."""
    rule = duty.rule
    for clock in clocks_of(rule):
        model: Any = clock.model
        rows = model.under(use).filter(**{f"{clock.moment}__lt": limit})
        if duty.version is not None and not issubclass(model, PersonalModel):
            continue
        if duty.version is not None:
            rows = rows.filter(subject_id__in=_people(use, duty).values("pk"))
        names = covered(clock.model, rule)
        if rule.then == "erase":
            yield Part(model, rows, along=clock.along)
        elif names:
            yield Part(model, rows.exclude(**dict.fromkeys(names, "")), names)


def _remove(use: Use, rule: RetainTerms, left: Sequence[Part], references: Sequence[str]) -> dict[str, int]:
    """Delete or empty these rows, in one transaction with its entry in the ledger; how many, by table."""
    gone: dict[str, int] = {}
    with writing(use):
        for part in left:
            if part.along is not None:
                part.along(use, part.rows)
            count = part.rows.update(**dict.fromkeys(part.empty, "")) if part.empty else part.rows.delete()[0]
            if count:
                gone[part.model._meta.db_table] = count
        if gone:
            _note(use, rule, references)
    return gone


def _note(use: Use, rule: RetainTerms, references: Sequence[str]) -> None:
    ledger.append(use, "retention", categories=sorted(rule.categories), rule=rule.rule.name, subjects=references)

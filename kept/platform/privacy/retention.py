"""Retention: what has passed its date is erased or emptied as the notice's `retain` rules say, each night, all of it.

A clock starts at an event. Events of the person (the last dealing, the last order) are one moment for everything held on them, the
latest of all that rooms register; events of a record (issued, closed) are a moment of each row. Where a person's time has come under
a rule that erases, the person is erased whole, unless another rule still keeps something of theirs: then what the rule names goes.

What a case holds, and what another rule keeps because the law wants it, stays whatever a rule says: a person of whom anything is held is
not erased whole, and of what the rule names only the rest goes.

Rules of an older version that the one in force changed hold for the people still under it, beside those in force: the shorter counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from kept.core.errors import NotFound
from kept.core.notice.standing import Standing
from kept.core.notice.terms import RetainTerms
from kept.platform.data.datamap import of_subjects
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, PersonalModel
from kept.platform.data.use import Use, writing
from kept.platform.privacy import erasure, holds, ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.clocks import OF_PERSON, clocks_of, cutoff, since
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.registry import Clock
from kept.platform.privacy.staying import HeldBack

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
    """Rows of one table that a rule is about; `empty` names the fields that go, each with the rows in which it does, or is empty where
    the rows go themselves.

    `along` removes what hangs on those rows.
    """

    model: type[AccountModel]
    rows: QuerySet[Any]
    empty: Mapping[str, Q] = field(default_factory=dict)
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


def _of_subject(use: Use, clock: Clock) -> QuerySet[Any]:
    model: Any = clock.model
    rows: QuerySet[Any] = model.under(use).filter(subject_id=OuterRef("pk"))
    return rows


def _any(conditions: Iterable[Exists | Q]) -> Q:
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
    alive = _any([Exists(_of_subject(use, clock).filter(since(clock, limit))) for clock in clocks])
    return _people(use, duty).filter(started).exclude(alive)


def _kept_otherwise(use: Use, duty: Duty, now: datetime) -> Q:
    """People of whom another rule, or a case, still keeps something."""
    held = Q(pk__in=holds.held(use, now))
    for other in {*duty.among, *(rule for rule in policy_of(use.account_id).retains if rule.duty)} - {duty.rule}:
        limit, clocks = cutoff(other.keep, now), clocks_of(other)
        own = [clock for clock in clocks if issubclass(clock.model, PersonalModel)]
        if limit is not None:
            held |= _any([Exists(_of_subject(use, clock).filter(since(clock, limit))) for clock in own])
        if other.duty and not clocks:  # nobody can know that its time is over
            mine = parts(use, other, None, now)
            held |= _any([Exists(part.rows.filter(subject_id=OuterRef("pk"))) for part in mine])
    return held


def covered(model: type[AccountModel], rule: RetainTerms) -> tuple[str, ...]:
    """The fields of a model whose values a rule names."""
    return tuple(name for name, category in model.personal.columns.items() if category in rule.categories)


def parts(use: Use, rule: RetainTerms, people: Sequence[int] | QuerySet[Any, Any] | None, now: datetime) -> Iterator[Part]:
    """What is still there of the categories of a rule, of these people (None: of all), and held back by nothing else."""
    back = HeldBack(use, now)
    for table in of_subjects():
        model: Any = table.model
        rows = model.under(use) if people is None else model.under(use).filter(subject_id__in=people)
        if table.erase == "keep":
            continue
        if table.by_row:
            kept = _any(Q(category=one) & back.of(model, one, besides=rule) for one in rule.categories) if back.any else Q(pk__in=[])
            yield Part(model, rows.filter(category__in=rule.categories).exclude(kept))
        elif covered(model, rule):
            yield emptying(use, rule, model, rows, now)


def emptying(use: Use, rule: RetainTerms, model: type[AccountModel], rows: QuerySet[Any], now: datetime) -> Part:
    """What a rule that names categories empties of these rows."""
    columns, back = model.personal.columns, HeldBack(use, now)
    empty = {name: ~Q(**{name: ""}) & ~back.of(model, columns[name], besides=rule) for name in covered(model, rule)}
    return Part(model, rows.filter(_any(list(empty.values()))), empty)


def free(use: Use, rule: RetainTerms, model: type[AccountModel], rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Those of these rows of which nothing is held back but by this rule. A record that names a person by reference is held with all
    that there is of them.
    """
    back = HeldBack(use, now)
    if not issubclass(model, PersonalModel):
        names = {one.name for one in model._meta.local_concrete_fields}
        return rows.exclude(subject_reference__in=holds.whole(use, now)) if back.holds and "subject_reference" in names else rows
    if not back.any:
        return rows
    if model.personal.by_row:
        named = rows.values_list("category", flat=True).order_by().distinct()
        return rows.exclude(_any([Q(category=one) & back.of(model, one, besides=rule) for one in named]))
    held = [~Q(**{name: ""}) & back.of(model, one, besides=rule) for name, one in model.personal.columns.items()]
    return rows.exclude(_any([back.of(model, None, besides=rule), *held]))


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
            people, left = 0, list(_records(use, duty, limit, now))
        else:
            past, others = _past(use, duty, limit), _kept_otherwise(use, duty, now)
            people = past.exclude(others).count() if rule.then == "erase" else 0
            left = list(parts(use, rule, (past.filter(others) if rule.then == "erase" else past).values("pk"), now))
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
            gone = _remove(use, rule, list(_records(use, duty, limit, now)), [])
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
            left = list(parts(use, rule, [pk for pk, _ in part], now))
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


def _records(use: Use, duty: Duty, limit: datetime, now: datetime) -> Iterator[Part]:
    """Records past their date, by a moment of their own. Those that name no person keep to the rules in force."""
    rule = duty.rule
    for clock in clocks_of(rule):
        model: Any = clock.model
        rows = model.under(use).filter(**{f"{clock.moment}__lt": limit})
        if duty.version is not None and not issubclass(model, PersonalModel):
            continue
        if duty.version is not None:
            rows = rows.filter(subject_id__in=_people(use, duty).values("pk"))
        if rule.then == "erase":
            yield Part(model, free(use, rule, model, rows, now), along=clock.along)
        elif covered(model, rule):
            yield emptying(use, rule, model, rows, now)


def _remove(use: Use, rule: RetainTerms, left: Sequence[Part], references: Sequence[str]) -> dict[str, int]:
    """Delete or empty these rows, in one transaction with its entry in the ledger; how many, by table."""
    gone: dict[str, int] = {}
    with writing(use):
        for part in left:
            if part.along is not None:
                part.along(use, part.rows)
            count = part.rows.count() if part.empty else part.rows.delete()[0]
            for name, where in part.empty.items():
                part.rows.filter(where).update(**{name: ""})
            if count:
                gone[part.model._meta.db_table] = count
        if gone:
            _note(use, rule, references)
    return gone


def _note(use: Use, rule: RetainTerms, references: Sequence[str]) -> None:
    ledger.append(use, "retention", categories=sorted(rule.categories), rule=rule.rule.name, subjects=references)

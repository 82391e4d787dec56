"""What stays of a person at their erasure, and why: what a case holds, and what the law wants kept until its time is over.

Everything here is a condition on rows (`Q`), asked by the plan, by the deletion and by the verification alike, so that the three agree.
A value that stays keeps its row. Other values of the row are emptied; a row that one which stays refers to is emptied whole. While
anything stays, so does the person, with what the platform itself knows of them: their choices, and the digests by which they are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from kept.core.notice.terms import RetainTerms
from kept.platform.data.datamap import Table, of_subjects
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, PersonalModel
from kept.platform.data.use import Use
from kept.platform.privacy import holds
from kept.platform.privacy.clocks import OF_PERSON, clocks_of, cutoff, since
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.registry import registry

ALL, NONE = ~Q(pk__in=[]), Q(pk__in=[])
BESIDE = "needed-with-it"
"""Why the person's own row, their digests and emptied rows stay: because something else does."""


@dataclass(frozen=True)
class Stay:
    """Something that stays, and why (``hold:GROUND`` or ``retain:ID``), until when if that is known.

    `categories` of None are all, plain rows and stores included; with `rows`, only those rows of these models.
    """

    why: str
    until: datetime | None
    categories: frozenset[str] | None = None
    rows: Mapping[type[AccountModel], Q] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing at all may go."""
        return self.categories is None and self.rows is None

    def of(self, table: Table) -> Q:
        """The rows of a table that it is about, whatever they hold."""
        return ALL if self.rows is None else self.rows.get(table.model, NONE)

    def about(self, category: str | None) -> bool:
        """Whether it is about values of this category; None is what stands in plain columns."""
        return self.categories is None or category in self.categories


@dataclass(frozen=True)
class Planned:
    """What an erasure will do in one place, a table or a store: so many `rows` go or, with a reason, stay. Of a row that is emptied
    and left the values of `category` alone count.
    """

    table: str
    rows: int
    stays: bool = False
    why: str = ""
    until: datetime | None = None
    category: str = ""


def stays_of(use: Use, subject: Subject, now: datetime | None = None) -> list[Stay]:
    """Everything that keeps something of this person now."""
    moment = now or timezone.now()
    found = [
        Stay(f"hold:{one.case.ground}", one.until, None if one.category == holds.EVERYTHING else holds.under(use, one.category))
        for one in holds.standing(use, subject.reference, moment)
    ]
    for rule in policy_of(use.account_id).retains:
        found += _by_law(use, rule, subject.pk, moment) if rule.duty else []
    return found


def _by_law(use: Use, rule: RetainTerms, subject_id: int, now: datetime) -> Iterator[Stay]:
    """What a rule keeps under a legal duty. Where no room keeps the rule's clock its time cannot be known to be over."""
    limit, clocks = cutoff(rule.keep, now), [one for one in clocks_of(rule) if issubclass(one.model, PersonalModel)]
    assert limit is not None  # the language wants a time for a duty
    if not clocks:
        yield Stay(rule.rule.name, None, rule.categories)
    for clock in clocks:
        model: Any = clock.model
        rows = model.under(use).filter(since(clock, limit), subject_id=subject_id)
        waiting = rows.filter(**{f"{clock.moment}__isnull": True}).exists()
        last = rows.aggregate(last=Max(clock.moment))["last"]
        if last is None and not waiting:
            continue
        until = None if waiting else rule.keep.after(last)
        if rule.after in OF_PERSON:
            yield Stay(rule.rule.name, until, rule.categories)
        else:
            named = clock.record in rule.records
            yield Stay(rule.rule.name, until, None if named else rule.categories, {clock.model: since(clock, limit)})


class HeldBack:
    """The same for everybody of an account at once, for retention: conditions on rows, made once for a run."""

    def __init__(self, use: Use, now: datetime) -> None:
        self.use, self.now = use, now
        self.holds = holds.held(use, now).exists()
        self.duties = [rule for rule in policy_of(use.account_id).retains if rule.duty]

    @property
    def any(self) -> bool:
        """Whether anything is held back at all."""
        return self.holds or bool(self.duties)

    def of(self, model: type[AccountModel], category: str | None, *, besides: RetainTerms | None = None) -> Q:
        """Rows of which a value of this category (None: a plain one) stays, by a case or by law; `besides` what one rule says itself."""
        found = NONE
        if not issubclass(model, PersonalModel):
            return found
        if self.holds:
            found |= Q(subject_id__in=holds.held(self.use, self.now, [category or holds.EVERYTHING]))
        for rule in self.duties:
            if rule is not besides:
                found |= self._by_law(model, category, rule)
        return found

    def _by_law(self, model: type[PersonalModel], category: str | None, rule: RetainTerms) -> Q:
        limit, clocks, named = cutoff(rule.keep, self.now), clocks_of(rule), category in rule.categories
        assert limit is not None
        if not clocks:
            return ALL if named else NONE
        if rule.after not in OF_PERSON:
            own = [clock for clock in clocks if clock.model is model and (named or clock.record in rule.records)]
            return _any(since(clock, limit) for clock in own)
        if not named:
            return NONE
        whose = {"subject_id": OuterRef("subject_id")}
        return _any(Q(Exists(_under(clock.model, self.use).filter(since(clock, limit), **whose))) for clock in clocks)


def _under(model: Any, use: Use) -> QuerySet[Any]:
    found: QuerySet[Any] = model.under(use)
    return found


# Conditions


def _any(conditions: Iterable[Q]) -> Q:
    found = NONE
    for one in conditions:
        found |= one
    return found


def _held(column: str) -> Q:
    return ~Q(**{column: ""})


def _bookkeeping(table: Table) -> bool:
    """Whether a table is the platform's own about a person, which stays as long as they do."""
    return not table.room and not table.personal


def rows_of(use: Use, table: Table, subject_id: int) -> QuerySet[Any]:
    """The rows of a person in one table."""
    model: Any = table.model
    rows: QuerySet[Any] = model.under(use).filter(subject_id=subject_id)
    return rows


def value_stays(table: Table, category: str | None, stays: Sequence[Stay]) -> Q:
    """Rows of which a value of this category stays, if there is one."""
    return _any(one.of(table) for one in stays if one.about(category))


def _columns(table: Table) -> dict[str, str]:
    return {} if table.by_row else {column: category for column, category in table.columns.items() if category is not None}


def _valued(table: Table, stays: Sequence[Stay]) -> Q:
    """Rows that stay for what they hold."""
    if table.by_row:
        return _any(one.of(table) & (ALL if one.categories is None else Q(category__in=one.categories)) for one in stays)
    return value_stays(table, None, stays) | _any(
        _held(column) & value_stays(table, category, stays) for column, category in _columns(table).items()
    )


def stays_in(use: Use, table: Table, stays: Sequence[Stay]) -> Q:
    """Rows that stay: for what they hold, or because one that stays refers to them."""
    if _bookkeeping(table):
        return ALL
    found = _valued(table, stays)
    for other in of_subjects():
        for column, target in other.references.items():
            if target == table.name and other is not table and not _bookkeeping(other):
                model: Any = other.model
                found |= Q(Exists(model.under(use).filter(**{column: OuterRef("pk")}).filter(stays_in(use, other, stays))))
    return found


def emptied(table: Table, stays: Sequence[Stay]) -> Iterator[tuple[str, Q]]:
    """Columns of rows that stay, each with a condition on the rows in which it goes."""
    if table.by_row:
        named = ("value", *(column for column, category in table.columns.items() if category is not None))
        yield from ((column, ~_valued(table, stays) & _held(column)) for column in named)
    for column, category in _columns(table).items():
        yield column, ~value_stays(table, category, stays) & _held(column)


def anything(use: Use, subject_id: int, stays: Sequence[Stay]) -> bool:
    """Whether any of these finds something to keep."""
    tables = [table for table in of_subjects() if not _bookkeeping(table)]
    return any(one.whole for one in stays) or (
        bool(stays) and any(rows_of(use, table, subject_id).filter(_valued(table, stays)).exists() for table in tables)
    )


# What stays, what goes


def kept(use: Use, subject_id: int, stays: Sequence[Stay]) -> list[dict[str, Any]]:
    """What stays: by table and category, how many rows, why, until when where that is known."""
    found = []
    for table in of_subjects():
        rows = rows_of(use, table, subject_id)
        known = NONE
        for category in sorted(_categories(table, rows)):
            here = _with_value(table, category)
            reasons = [one for one in stays if one.about(category) and rows.filter(here & one.of(table)).exists()]
            count = rows.filter(here & value_stays(table, category, stays)).count()
            known |= here & value_stays(table, category, stays)
            found += [_line(table, category, count, reasons)] if count else []
        beside = rows.filter(stays_in(use, table, stays) & ~known).count()
        plain = [one for one in stays if one.about(None) and not _bookkeeping(table)]
        found += [_line(table, "", beside, plain)] if beside else []
    return found


def standing(use: Use, subject_id: int, table_name: str, category: str) -> int:
    """How many rows of a person there are with a value of this category; with any, where none is named."""
    table = next(one for one in of_subjects() if one.name == table_name)
    rows = rows_of(use, table, subject_id)
    return (rows.filter(_with_value(table, category)) if category else rows).count()


def _categories(table: Table, rows: QuerySet[Any]) -> set[str]:
    return set(rows.values_list("category", flat=True).order_by().distinct()) if table.by_row else set(_columns(table).values())


def _with_value(table: Table, category: str) -> Q:
    if table.by_row:
        return Q(category=category)
    return _any(_held(column) for column, one in _columns(table).items() if one == category)


def _line(table: Table, category: str, count: int, reasons: Sequence[Stay]) -> dict[str, Any]:
    """One line of what stays. Of several reasons the longest counts, and one without a date is the longest."""
    dates = [one.until for one in reasons]
    until = max((one for one in dates if one is not None), default=None) if None not in dates else None
    return {
        "table": table.name,
        "category": category,
        "rows": count,
        "why": sorted({one.why for one in reasons}) or [BESIDE],
        "until": until.isoformat() if until else None,
    }


def remove(use: Use, subject_id: int, stays: Sequence[Stay]) -> dict[str, int]:
    """Delete what goes and empty what goes of the rest, set-based; how many rows were deleted, by table. In an action."""
    counts: dict[str, int] = {}
    leaves = anything(use, subject_id, stays)
    for table in of_subjects():
        rows = rows_of(use, table, subject_id)
        if leaves:
            for column, where in emptied(table, stays):
                rows.filter(where).update(**{_name(table, column): ""})
            rows = rows.exclude(stays_in(use, table, stays))
        counts[table.name] = rows.delete()[0]
        point(f"erasure:{table.name}")
    return {name: count for name, count in counts.items() if count}


def _name(table: Table, column: str) -> str:
    return next(field.name for field in table.model._meta.local_concrete_fields if field.column == column)


def _emptying(table: Table, rows: QuerySet[Any], stays: Sequence[Stay]) -> Iterator[Planned]:
    """What goes of rows that stay."""
    for category in sorted(set(_columns(table).values())):
        yield Planned(
            table.name, rows.filter(_with_value(table, category) & ~value_stays(table, category, stays)).count(), category=category
        )


def plan(use: Use, subject: Subject, excepted: Mapping[str, str] | None = None) -> list[Planned]:
    """What an erasure would do: what goes, where, how much; what stays, why, and until when. Tables first, then stores.

    `excepted` are the categories that it would leave under an exception of the notice. Raises BadInput for a category unknown.
    """
    holds.check_categories(use, excepted or {})
    stays = [*stays_of(use, subject), *(Stay(f"hold:{word}", None, holds.under(use, one)) for one, word in (excepted or {}).items())]
    leaves = anything(use, subject.pk, stays)
    found = []
    for table in of_subjects():
        rows = rows_of(use, table, subject.pk)
        going = rows.exclude(stays_in(use, table, stays)) if leaves else rows
        found.append(Planned(table.name, going.count()))
        found += _emptying(table, rows.filter(stays_in(use, table, stays)), stays) if leaves else []
    for line in kept(use, subject.pk, stays) if leaves else []:
        until = datetime.fromisoformat(line["until"]) if line["until"] else None
        found.append(Planned(line["table"], line["rows"], True, ", ".join(line["why"]), until, line["category"]))
    whole = [one for one in stays if one.whole]
    for store in registry.stores:
        count = store.find(use.account_id, subject.pk, subject.reference)
        reasons = sorted({one.why for one in whole})
        found.append(Planned(store.name, count, bool(whole), ", ".join(reasons)))
    return [one for one in found if one.rows]

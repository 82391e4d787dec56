"""How an account answered in a calendar year: the figures that 11 CCR § 7102 asks for, and the same by law, region and channel.

A request counts in the year in which it was received. Days are those from receipt to the answer, which no pause shortens.
All of it is counted by the database; a median is the middle of what the database has put in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet, Window
from django.db.models.fields.json import KT
from django.db.models.functions import RowNumber
from django.utils import timezone

from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Kind, Request, State
from kept.core.errors import BadInput
from kept.platform.data.use import Use

Facet = Literal["kind", "rule", "region", "channel"]
FACETS: tuple[Facet, ...] = ("kind", "rule", "region", "channel")
COUNTED = tuple(kind for kind in Kind if kind not in (Kind.CHOICES, Kind.OPT_IN_SALE))
"""What counts as a request under a right."""
_ANSWERED = Q(answered_at__isnull=False)
_DENIED = Q(state=State.REFUSED)
_PARTLY = Q(decision__has_key="exceptions") | Q(decision__has_key="withheld") | Q(outcome__has_key="kept")
_COMPLIED = _ANSWERED & Q(state__in=(State.READY, State.DONE))
_TIME = ExpressionWrapper(F("answered_at") - F("received_at"), output_field=DurationField())
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """The figures of one group: of a kind of request, a rule, a region or a channel. `mean` and `median` are days, None without answers."""

    of: str
    received: int = 0
    whole: int = 0
    part: int = 0
    nothing: int = 0
    denied: int = 0
    other: int = 0
    open: int = 0
    mean: float | None = None
    median: float | None = None

    @property
    def complied(self) -> int:
        """In whole or in part."""
        return self.whole + self.part


@dataclass(frozen=True)
class Year:
    """All figures of one year."""

    year: int
    rows: Mapping[Facet, list[Row]]
    total: Row
    reasons: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """As data."""
        groups: dict[str, Any] = {f"by_{facet}": [_document(row) for row in rows] for facet, rows in self.rows.items()}
        return {"year": self.year, "total": _document(self.total), **groups, "denied_because": dict(self.reasons)}


def _document(row: Row) -> dict[str, Any]:
    days = {"mean_days": row.mean, "median_days": row.median}
    counts = {name: getattr(row, name) for name in ("received", "whole", "part", "nothing", "denied", "other", "open")}
    return {"of": row.of, **counts, **days}


def year_of(use: Use, year: int) -> Year:
    """The figures of one year. Raises BadInput for a year that cannot be."""
    zone = timezone.get_current_timezone()
    if not 2000 <= year <= 2999:
        raise BadInput("This is no year.", place="year", cure="Write it as 2026.")
    within = {"received_at__gte": datetime(year, 1, 1, tzinfo=zone), "received_at__lt": datetime(year + 1, 1, 1, tzinfo=zone)}
    asked = Request.under(use).filter(kind__in=COUNTED, **within)
    return Year(year, {facet: _rows(asked, facet) for facet in FACETS}, _rows(asked, None)[0], _reasons(asked))


def years(use: Use) -> list[int]:
    """The years of which there is anything to tell, this one among them, the newest first."""
    now = timezone.localtime()
    first = Request.under(use).aggregate(first=Min("received_at"))["first"]
    return list(range(now.year, (timezone.localtime(first) if first else now).year - 1, -1))


def _rows(asked: QuerySet[Request], facet: Facet | None) -> list[Row]:
    counts = {
        "received": Count("pk"),
        "whole": Count("pk", filter=_COMPLIED & ~_PARTLY),
        "part": Count("pk", filter=_COMPLIED & _PARTLY),
        "nothing": Count("pk", filter=Q(state=State.NOBODY)),
        "denied": Count("pk", filter=_DENIED),
        "other": Count("pk", filter=Q(state__in=(State.REFERRED, State.REVOKED, State.EXPIRED))),
        "open": Count("pk", filter=Q(state__in=OPEN)),
        "mean": Avg(_TIME, filter=_substantive()),
    }
    if facet is None:
        found = asked.aggregate(**counts)
        return [Row("", **_days(found, _medians(asked, None).get("")))]
    medians = _medians(asked, facet)
    grouped = asked.order_by().values(facet).annotate(**counts).order_by("-received", facet)
    return [Row(line[facet], **_days({name: line[name] for name in counts}, medians.get(line[facet]))) for line in grouped]


def _substantive() -> Q:
    """What was answered, rather than passed on, taken back or never confirmed."""
    return _COMPLIED | _DENIED | Q(state=State.NOBODY)


def _days(line: dict[str, Any], median: float | None) -> dict[str, Any]:
    mean = line.pop("mean")
    return {**line, "mean": None if mean is None else round(mean / _DAY, 1), "median": median}


def _medians(asked: QuerySet[Request], facet: Facet | None) -> dict[str, float]:
    """The middle of each group, or of its two middles the mean: the database numbers each group in the order of time taken."""
    by = [F(facet)] if facet else None
    answered = asked.filter(_substantive(), _ANSWERED).annotate(
        took=_TIME,
        place=Window(RowNumber(), partition_by=by, order_by=[_TIME.asc(), F("pk").asc()]),
        many=Window(Count("pk"), partition_by=by),
    )
    middle = answered.filter(place__gte=(F("many") + 1) / 2, place__lte=(F("many") + 2) / 2)
    found = defaultdict[str, list[timedelta]](list)
    for *key, took in middle.values_list(*([facet] if facet else []), "took"):
        found["".join(key)].append(took)
    return {key: round(sum(times, timedelta()) / len(times) / _DAY, 1) for key, times in found.items()}


def _reasons(asked: QuerySet[Request]) -> dict[str, int]:
    """Why requests were denied: the word that the team chose, or that they could not be verified."""
    denied = asked.filter(_DENIED).annotate(why=KT("decision__why"), how=KT("decision__outcome"))
    found = defaultdict[str, int](int)
    for why, how, count in denied.values_list("why", "how").annotate(count=Count("pk")).order_by():
        found[why or ("not-verifiable" if how == "unverified" else "other")] += count
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

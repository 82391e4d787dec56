"""When the time of a `retain` rule starts, and what it is about: one reading for retention, for its proof, and for erasures that leave
what the law wants kept.

Events of the person (the last dealing, the last order) are one moment for everything held on them, the latest of all that rooms
register; events of a record (issued, closed) are a moment of each row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from kept.core.notice import Duration
from kept.core.notice.durations import add_months
from kept.core.notice.terms import RetainTerms
from kept.platform.data.personal import PersonalModel
from kept.platform.privacy.registry import Clock, registry

OF_PERSON = frozenset({"last-activity", "last-order", "purpose-ended", "consent-withdrawn", "contract-ended", "account-closed"})
"""Events that are one moment for everything held on a person; the others are a moment of each record."""


def cutoff(keep: Duration, now: datetime) -> datetime | None:
    """The moment before which an event is past its date now; None where only a withdrawal ends it. Never early at the ends of months."""
    if keep.unit == "until withdrawn":
        return None
    if keep.unit == "calendar years":
        return now.replace(year=now.year - keep.count + 1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
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


def since(clock: Clock, limit: datetime) -> Q:
    """Rows whose event is not past: it happened since, or has not happened."""
    return Q(**{f"{clock.moment}__gte": limit}) | Q(**{f"{clock.moment}__isnull": True})

"""Durations as notices write them: ``10 days``, ``10 business days``, ``1 month``, ``7 years``, ``until withdrawn``."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from holidays import HolidayBase, country_holidays

Unit = Literal["days", "business days", "months", "years", "calendar years", "until withdrawn"]

_FORM = re.compile(r"(\d{1,5}) (days?|business days?|months?|years?)")
# A year is twelve months, so that it compares as they do.
_DAYS_AT_MOST = {"days": 1.0, "business days": 1.4, "months": 31.0, "years": 12 * 31.0, "calendar years": 12 * 31.0}


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day where the month is shorter."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


@lru_cache(maxsize=256)
def _calendar(region: str) -> HolidayBase | None:
    country, _, part = region.partition("-")
    for subdivision in dict.fromkeys((part or None, None)):
        try:
            return country_holidays(country, subdiv=subdivision)
        except NotImplementedError:
            continue
    return None


def is_business_day(day: date, region: str = "") -> bool:
    """Whether business is done on a day: no weekend and no public holiday of the whole region.

    Where no calendar is known (no region, EEA) holidays count as business days, so that a deadline falls early rather than late.
    """
    calendar = _calendar(region)
    return day.weekday() < 5 if calendar is None else calendar.is_working_day(day)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time on the calendar it names; `count` is 0 for ``until withdrawn``."""

    count: int
    unit: Unit

    @classmethod
    def read(cls, text: str) -> Duration:
        """Read one; ValueError says how a duration is written."""
        if text == "until withdrawn":
            return cls(0, "until withdrawn")
        if text == "calendar year":
            return cls(1, "calendar years")
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError("a duration is written like '10 days', '10 business days', '1 month', '7 years' or 'until withdrawn'")
        units: dict[str, Unit] = {"day": "days", "business day": "business days", "month": "months", "year": "years"}
        return cls(int(found[1]), units[found[2].removesuffix("s")])

    def after(self, start: datetime, region: str = "") -> datetime | None:
        """The moment this long after `start`, at the same time of day on the calendar of its time zone; None where a withdrawal ends it.

        The laws give the whole of the last day, so this is never later. Business days are those of `region`.
        """
        if self.unit == "until withdrawn":
            return None
        if self.unit == "calendar years":
            return start.replace(year=start.year + self.count, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        if self.unit in ("months", "years"):
            return add_months(start, self.count * (12 if self.unit == "years" else 1))
        if self.unit == "days":
            return start + timedelta(days=self.count)
        end, left = start, self.count
        while left:
            end += timedelta(days=1)
            left -= is_business_day(end.date(), region)
        return end

    @property
    def days_at_most(self) -> float:
        """An upper bound in calendar days, by which deadlines are compared; infinite for ``until withdrawn``."""
        return self.count * _DAYS_AT_MOST.get(self.unit, 1) if self.unit != "until withdrawn" else float("inf")

    def __str__(self) -> str:
        if self.unit == "until withdrawn":
            return self.unit
        if self.unit == "calendar years":
            return "calendar year"
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"

"""Durations as notices write them: ``10 days``, ``10 business days``, ``1 month``, ``7 years``, ``until withdrawn``."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Unit = Literal["days", "business days", "months", "years", "until withdrawn"]

_FORM = re.compile(r"(\d{1,5}) (days?|business days?|months?|years?)")
_DAYS_AT_MOST = {"days": 1.0, "business days": 1.4, "months": 31.0, "years": 366.0}


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day where the month is shorter."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


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
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError("a duration is written like '10 days', '10 business days', '1 month', '7 years' or 'until withdrawn'")
        units: dict[str, Unit] = {"day": "days", "business day": "business days", "month": "months", "year": "years"}
        return cls(int(found[1]), units[found[2].removesuffix("s")])

    def after(self, start: datetime) -> datetime | None:
        """The moment this long after `start`; None when only a withdrawal ends it. Business days are Monday to Friday."""
        if self.unit == "until withdrawn":
            return None
        if self.unit in ("months", "years"):
            return add_months(start, self.count * (12 if self.unit == "years" else 1))
        if self.unit == "days":
            return start + timedelta(days=self.count)
        end, left = start, self.count
        while left:
            end += timedelta(days=1)
            left -= end.weekday() < 5
        return end

    @property
    def days_at_most(self) -> float:
        """An upper bound in calendar days, by which deadlines are compared; infinite for ``until withdrawn``."""
        return self.count * _DAYS_AT_MOST.get(self.unit, 1) if self.unit != "until withdrawn" else float("inf")

    def __str__(self) -> str:
        if self.unit == "until withdrawn":
            return self.unit
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"

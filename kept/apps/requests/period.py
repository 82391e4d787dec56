"""The time that a copy is asked about: from a day, up to a day, or all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.core.errors import BadInput


@dataclass(frozen=True)
class Period:
    """From a moment, up to and without another; None where it has no such end."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, details: Mapping[str, str]) -> Period:
        """From the details of a request: `since` and `until`, both days whole and counted in (ISO 8601). Raises BadInput."""
        since, until = _day(details, "since"), _day(details, "until")
        if since and until and until < since:
            raise BadInput(_("The time asked about ends before it begins."), place="until", cure=_("Exchange the two days."))
        return cls(_begins(since) if since else None, _begins(until + timedelta(days=1)) if until else None)

    @classmethod
    def asked(cls, details: Mapping[str, str]) -> Period:
        """As `read`, for an answer: days that nobody can read narrow nothing."""
        try:
            return cls.read(details)
        except BadInput:
            return cls()

    def holds(self, *moments: datetime) -> bool:
        """Whether one of these moments lies in it; what has none is never left out."""
        return not moments or any((self.since is None or self.since <= one) and (self.until is None or one < self.until) for one in moments)

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.since is None and self.until is None

    @property
    def last_day(self) -> date | None:
        """The last day of it."""
        return timezone.localtime(self.until - timedelta(microseconds=1)).date() if self.until else None


def _day(details: Mapping[str, str], name: str) -> date | None:
    text = details.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(_("This is no day."), place=name, cure=_("Write it as year-month-day: 2026-03-01.")) from None


def _begins(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))

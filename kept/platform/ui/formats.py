"""Dates, numbers and names as a reader of the active language expects them; times in the active zone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NOTHING = mark_safe('<span class="none">—</span>')

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def date(value: dt.date | None) -> SafeString:
    """14 Aug 2026, in a <time> element."""
    if value is None:
        return NOTHING
    shown = _local(value)
    return _time(shown.date() if isinstance(shown, dt.datetime) else shown, formats.date_format(shown, "DATE_FORMAT"))


def day(value: dt.date | None) -> SafeString:
    """14 Aug within this year, else the full date: for dense columns."""
    if value is None:
        return NOTHING
    shown = _local(value)
    if shown.year != timezone.localdate().year:
        return date(value)
    # Translators: a day without its year, in Django's date format letters.
    return _time(shown, format_date(shown, _("j M")))


def moment(value: dt.datetime | None) -> SafeString:
    """14 Aug 2026, 09:31, in a <time> element."""
    return NOTHING if value is None else _time(_local(value), _full(value))


def ago(value: dt.datetime | None, now: dt.datetime | None = None) -> SafeString:
    """4 minutes ago, in 3 days; beyond thirty days the date. The exact time stands in the title."""
    if value is None:
        return NOTHING
    seconds = ((now or timezone.now()) - value).total_seconds()
    text = _relative(abs(seconds), past=seconds >= 0)
    return _time(_local(value), text or formats.date_format(_local(value), "DATE_FORMAT"), title=_full(value))


def number(value: int | float | Decimal | None, places: int | None = None) -> SafeString | str:
    """1,204 or 1.204, as the language groups it."""
    return NOTHING if value is None else formats.number_format(value, places, use_l10n=True, force_grouping=True)


def percent(value: float | None, places: int = 0) -> SafeString | str:
    """A share between 0 and 1 as a percentage."""
    if value is None:
        return NOTHING
    return _("%(number)s%%") % {"number": formats.number_format(value * 100, places, use_l10n=True)}


def size(value: int | None) -> SafeString | str:
    """A number of bytes in the unit that suits it."""
    return NOTHING if value is None else filesizeformat(value)


def initials(name: object) -> str:
    """At most two letters that stand for a name: first and last word."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def _relative(seconds: float, *, past: bool) -> str:
    """Empty beyond thirty days."""
    if seconds < _MINUTE:
        return _("just now") if past else _("in a moment")
    if seconds < _HOUR:
        n = int(seconds // _MINUTE)
        text = ngettext("%(n)d minute ago", "%(n)d minutes ago", n) if past else ngettext("in %(n)d minute", "in %(n)d minutes", n)
    elif seconds < _DAY:
        n = int(seconds // _HOUR)
        text = ngettext("%(n)d hour ago", "%(n)d hours ago", n) if past else ngettext("in %(n)d hour", "in %(n)d hours", n)
    elif seconds < 31 * _DAY:
        n = int(seconds // _DAY)
        text = ngettext("%(n)d day ago", "%(n)d days ago", n) if past else ngettext("in %(n)d day", "in %(n)d days", n)
    else:
        return ""
    return text % {"n": n}


def _local(value: dt.date) -> dt.date:
    return timezone.localtime(value) if isinstance(value, dt.datetime) and timezone.is_aware(value) else value


def _full(value: dt.datetime) -> str:
    shown = _local(value)
    return _("%(date)s, %(time)s") % {
        "date": formats.date_format(shown, "DATE_FORMAT"),
        "time": formats.date_format(shown, "TIME_FORMAT"),
    }


def _time(value: dt.date, text: str, title: str = "") -> SafeString:
    extra = format_html(' title="{}"', title) if title else ""
    return format_html('<time datetime="{}"{}>{}</time>', value.isoformat(), extra, text)

"""Dates, numbers and names for a reader of the active language."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone, translation

from kept.platform.ui import formats

AT = dt.datetime(2026, 8, 14, 9, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (dt.timedelta(seconds=20), "just now"),
        (dt.timedelta(minutes=1), "1 minute ago"),
        (dt.timedelta(hours=5, minutes=59), "5 hours ago"),
        (dt.timedelta(days=2), "2 days ago"),
        (dt.timedelta(days=-3), "in 3 days"),
        (dt.timedelta(minutes=-90), "in 1 hour"),
        (dt.timedelta(seconds=-5), "in a moment"),
        (dt.timedelta(days=31), "14 Aug 2026"),
    ],
)
def test_relative_times(gap: dt.timedelta, text: str) -> None:
    shown = formats.ago(AT, now=AT + gap)
    assert f">{text}</time>" in shown
    assert 'datetime="2026-08-14T09:31:00+00:00"' in shown
    assert 'title="14 Aug 2026, ' in shown


def test_dates_and_numbers_follow_the_language() -> None:
    with translation.override("en-gb"):
        assert ">14 Aug 2026</time>" in formats.date(AT)
        assert formats.number(1204) == "1,204"
    with translation.override("de"):
        assert ">14. August 2026</time>" in formats.date(AT)
        assert formats.number(1204.5, 1) == "1.204,5"


def test_times_stand_in_the_active_zone() -> None:
    with timezone.override("Pacific/Auckland"):
        assert "21:31" in formats.moment(AT) or "9:31 p.m." in formats.moment(AT)
        assert 'datetime="2026-08-15"' in formats.date(dt.datetime(2026, 8, 14, 20, tzinfo=dt.UTC))


def test_a_day_of_another_year_bears_its_year() -> None:
    assert ">2 Jan 1999</time>" in formats.day(dt.date(1999, 1, 2))
    assert str(timezone.localdate().year) not in formats.day(timezone.localdate()).partition(">")[2]


def test_nothing_is_a_dash() -> None:
    for shown in (formats.date, formats.day, formats.moment, formats.ago, formats.number, formats.percent, formats.size):
        assert shown(None) == formats.NOTHING


def test_shares_and_sizes() -> None:
    assert formats.percent(0.9997, 2) == "99.97%"
    assert "2.1" in formats.size(2_200_000)


@pytest.mark.parametrize(("name", "letters"), [("Dana Marsh", "DM"), ("Ada", "A"), ("Jean Paul van Dyk", "JD"), ("", "?"), ("— x", "X")])
def test_initials(name: str, letters: str) -> None:
    assert formats.initials(name) == letters

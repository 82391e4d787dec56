"""The geometry of charts."""

from __future__ import annotations

import pytest

from kept.platform.ui.charts import Chart, Series


def chart(*series: Series, kind: str = "lines", percent: bool = False) -> Chart:
    labels = [str(n) for n in range(len(series[0].values))]
    return Chart("id", "Title", "Words.", labels, series, kind, percent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [1, 0]), (1, [1, 0]), (3, [3, 2, 1, 0]), (7, [8, 6, 4, 2, 0]), (61, [80, 60, 40, 20, 0]), (227, [300, 200, 100, 0])],
)
def test_ticks_are_round_and_reach_over_the_highest(most: int, ticks: list[float]) -> None:
    assert chart(Series("a", [0, most])).ticks == ticks


def test_shares_are_drawn_against_the_whole() -> None:
    one = chart(Series("a", [0.5, 1.0]), percent=True)
    assert one.ticks[0] == 1
    assert one.path(one.series[0]) == "M0.0 50.0h.5L100.0 0.0"
    assert one.said(0.5) == "50%"


def test_a_line_is_broken_where_there_is_no_value() -> None:
    series = Series("a", [1, None, 1, 0])
    assert chart(series).path(series) == "M0.0 0.0h.5M66.67 0.0h.5L100.0 100.0"
    assert chart(series).area(series) == "M66.67 100V0.0L100.0 100.0V100z"


def test_bars_stand_on_each_other_and_nothing_has_no_bar() -> None:
    below, above = Series("a", [1, 1]), Series("b", [1, 0])
    both = chart(below, above, kind="bars")
    assert both.ticks == [2, 1, 0]
    assert both.bars(below) == "M5.0 100.0V50.0H45.0V100.0zM55.0 100.0V50.0H95.0V100.0z"
    assert both.bars(above) == "M5.0 50.0V0.0H45.0V50.0z"


def test_labels_keep_the_first_and_the_last() -> None:
    series = Series("a", [0] * 90)
    shown = chart(series).shown_labels
    assert len(shown) == 90
    assert [one for one in shown if one] == ["0", "15", "30", "44", "59", "74", "89"]
    assert chart(Series("a", [0])).shown_labels == ["0"]
    assert chart(Series("a", [])).shown_labels == []

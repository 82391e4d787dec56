"""Charts drawn by the server: geometry only. What is drawn, and the table beside it, is templates/ui/components/charts.html."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from kept.platform.ui import formats

STEPS = (1, 2, 5, 10)
LABELS = 7
"""Most labels under a chart."""


@dataclass(frozen=True)
class Series:
    """One line, or one layer of the bars. `tone` is a state (see states.html) or empty; None leaves a gap."""

    label: str
    values: Sequence[float | None]
    tone: str = ""


@dataclass(frozen=True)
class Chart:
    """Values over steps of time, `labels` one for each. `percent`: the values are shares between 0 and 1.

    Drawn in a square of 100 by 100 that is stretched to its place; words stand outside it, so that they keep their size.
    """

    id: str
    title: str
    description: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Literal["lines", "bars"] = "lines"
    percent: bool = False

    @cached_property
    def ticks(self) -> list[float]:
        """Values at even distances from the top to 0."""
        if self.percent:
            return [1.0, 0.75, 0.5, 0.25, 0.0]
        most = max(self._totals(), default=0)
        rough = max(most, 1) / 4
        size = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
        step = next(size * one for one in STEPS if size * one >= rough)
        return [step * n for n in range(max(math.ceil(most / step), 1), -1, -1)]

    def _totals(self) -> list[float]:
        columns = zip(*(one.values for one in self.series), strict=True)
        found = [[value for value in column if value is not None] for column in columns]
        return [sum(column) if self.kind == "bars" else max(column, default=0) for column in found]

    @property
    def shown_labels(self) -> list[str]:
        """The labels, all but a few of them empty: the first and the last are there, the others at about even distances."""
        last, count = len(self.labels) - 1, min(LABELS, len(self.labels))
        shown = {round(last * n / (count - 1)) for n in range(count)} if count > 1 else {0}
        return [label if n in shown else "" for n, label in enumerate(self.labels)]

    def said(self, value: float | None) -> str:
        """A value in words."""
        return str(formats.percent(value) if self.percent else formats.number(value))

    def _y(self, value: float) -> float:
        return round(100 - 100 * value / self.ticks[0], 2)

    def path(self, series: Series) -> str:
        """The line of a series, broken where there is no value; a value between two gaps is a short stroke."""
        width = 100 / max(len(self.labels) - 1, 1)
        found: list[str] = []
        for n, value in enumerate(series.values):
            if value is not None:
                drawn = n > 0 and series.values[n - 1] is not None
                found.append(f"{'L' if drawn else 'M'}{round(n * width, 2)} {self._y(value)}{'' if drawn else 'h.5'}")
        return "".join(found)

    def area(self, series: Series) -> str:
        """What lies under the line of a series, between its gaps."""
        width = 100 / max(len(self.labels) - 1, 1)
        found: list[str] = []
        for (n, one), (_, other) in pairwise(enumerate(series.values)):
            if one is not None and other is not None:
                left, right = round(n * width, 2), round((n + 1) * width, 2)
                found.append(f"M{left} 100V{self._y(one)}L{right} {self._y(other)}V100z")
        return "".join(found)

    def bars(self, series: Series) -> str:
        """The layer of a series in the bars: each stands on the layers before it."""
        width, place = 100 / max(len(self.labels), 1), list(self.series).index(series)
        found: list[str] = []
        for n, value in enumerate(series.values):
            below = sum(one.values[n] or 0 for one in self.series[:place])
            if value:
                left, right = round((n + 0.1) * width, 2), round((n + 0.9) * width, 2)
                found.append(f"M{left} {self._y(below)}V{self._y(below + value)}H{right}V{self._y(below)}z")
        return "".join(found)

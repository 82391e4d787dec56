"""Timing: two ways of doing one thing, alternated in one run, compared by their medians."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """Medians of both ways, in seconds; and the quickest of ours and of the peer's, to compare with another time of the same run."""

    what: str
    ours: float
    peer: float
    quickest: tuple[float, float] = (0, 0)

    def __str__(self) -> str:
        ours, peer = (f"{seconds:8.2f} s " if seconds >= 1 else f"{seconds * 1000:8.2f} ms" for seconds in (self.ours, self.peer))
        return f"{self.what:<58} {ours}  {peer}  {self.ours / self.peer:6.2f}x"


def seconds(work: Work) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(what: str, ours: Work, peer: Work, runs: int = 40) -> Ratio:
    """Both ways in turn, after one unmeasured turn each."""
    ours()
    peer()
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        took[0].append(seconds(ours))
        took[1].append(seconds(peer))
    return Ratio(what, statistics.median(took[0]), statistics.median(took[1]), (min(took[0]), min(took[1])))


def say(line: object) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

"""Access and erasure of one person against plain SQL doing the same set-based work, and how each grows.

`python -m bench.subjects --rows 1000000 --engine sqlite`: with the size of the tables (people of five rows each), with the rows of
one person, and with the erasures that were done before. `--rows 10000000` takes 6 GB of disk, on PostgreSQL more, and a quarter of an hour.
"""

from __future__ import annotations

import sys

from bench import engines

SIZES = (100_000, 1_000_000, 10_000_000)
"""Rows in the tables."""
RUNS = {20: 40, 200: 20, 2_000: 10, 20_000: 5}
"""How often each is measured, by rows of the person."""
USUAL = 20


def measure(engine: str, rows: int, most: int, erased: int) -> None:
    """Grow the tables to `rows`, then people up to `most` rows each, then the journal by so many who are `erased` already."""
    from bench import clocking, rights
    from bench.filling import fill
    from bench.measure import Ratio, say, seconds

    account = engines.deployment()
    say(f"\n{engines.ENGINES[engine]}{'':<58} {'ours':>12}  {'plain SQL':>11}    ratio")
    found: dict[int, list[Ratio]] = {}
    held = 0
    for size in [*(one for one in SIZES if one < rows), rows]:
        took = seconds(lambda more=size - held: fill(account, more))  # type: ignore[misc]
        say(f"{size:,} rows in the tables ({(size - held) / took:,.0f} rows a second)")
        held = size
        found[size] = list(rights.compare(account, USUAL, RUNS[USUAL]))
        for ratio in found[size]:
            say(ratio)
    for ratios in zip(*found.values(), strict=True) if len(found) > 1 else ():
        what = ratios[0].what.partition("(")[0]
        grew, theirs = (ratios[-1].quickest[one] / ratios[0].quickest[one] for one in (0, 1))
        say(f"    {what}at {rows:,} rows over at {min(found):,}, the quickest of each: ours {grew:.2f}x, plain SQL {theirs:.2f}x")
    for person, runs in RUNS.items():
        if USUAL < person <= most:
            for ratio in rights.compare(account, person, runs):
                say(ratio)
    for person, runs in RUNS.items():
        if person in (USUAL, most):
            say(f"stages, {person:,} rows")
            for line in clocking.lines(rights.clocks(account, person, runs)):
                say(line)
    rights.remember(account, erased)
    say(f"{erased:,} more erasures done before")
    for ratio in rights.compare(account, USUAL, RUNS[USUAL]):
        say(ratio)


if __name__ == "__main__":
    parser = engines.parser("bench.subjects", "Access and erasure of one person, and how they grow.")
    parser.add_argument("--rows", type=int, default=200_000, help="rows in the tables at the end")
    parser.add_argument("--most", type=int, choices=RUNS, default=20_000, help="rows of the largest person")
    parser.add_argument("--erased", type=int, default=2_000, help="people erased before, for the last lines")
    given = parser.parse_args()
    sys.exit(engines.each(given.engine, measure, given.rows, given.most, given.erased))

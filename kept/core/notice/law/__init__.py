"""Law packs: deadlines as data, each with its citation and the date of the version it was taken from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from kept.core.notice.durations import Duration
from kept.core.notice.vocabulary import regions_of


@dataclass(frozen=True, slots=True)
class Clock:
    """A statutory deadline for answering a request, from its receipt."""

    within: Duration
    extend: Duration | None
    confirm_within: Duration | None
    citation: str


@dataclass(frozen=True, slots=True)
class Pack:
    """What one law asks, and of whose residents' data. `version` is the date of the text the numbers come from."""

    id: str
    title: str
    version: date
    regions: tuple[str, ...]
    clocks: Mapping[str, Clock]


def _read(name: str) -> Pack:
    data = tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    clocks: dict[str, Clock] = {}
    for entry in data["clock"]:
        lengths = {key: Duration.read(entry[key]) if key in entry else None for key in ("extend", "confirm_within")}
        clock = Clock(Duration.read(entry["within"]), citation=entry["citation"], **lengths)
        clocks |= dict.fromkeys(entry["rights"], clock)
    return Pack(name, data["title"], data["version"], tuple(data["regions"]), clocks)


PACKS: Mapping[str, Pack] = {name: _read(name) for name in ("gdpr", "uk-gdpr", "ccpa")}


def clock(laws: tuple[str, ...], right: str, region: str) -> Clock | None:
    """The strictest deadline for a right among the named laws that apply in a region, or among all of them where none does."""
    named = [PACKS[law] for law in laws if right in PACKS[law].clocks]
    applying = [pack for pack in named if set(pack.regions).intersection(regions_of(region))]
    clocks = [pack.clocks[right] for pack in applying or named]
    return min(clocks, key=lambda one: one.within.days_at_most, default=None)

"""Law packs: what laws ask, as data; each number with its citation and the date of the text it was taken from.

A jurisdiction is a TOML file in this folder. Its sections are the classes below, by their names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from kept.core.notice.durations import Duration
from kept.core.notice.vocabulary import REGIONS, regions_of


def _length(value: str | Duration) -> Duration:
    return value if isinstance(value, Duration) else Duration.read(value)


Length = Annotated[Duration, BeforeValidator(_length), PlainSerializer(str)]
Words = Annotated[tuple[str, ...], BeforeValidator(tuple)]


class Entry(BaseModel):
    """One thing a law asks, for residents of `regions`. `version` is the date of the text; unless `confirmed`, check it first."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    pack: str
    regions: Words
    citation: str
    version: date
    confirmed: bool = True

    def holds_in(self, region: str) -> bool:
        """Whether it protects residents of a region."""
        return not set(self.regions).isdisjoint(regions_of(region))


class Pause(Entry):
    """What the deadline may wait for. `guidance`: by reading of the authorities, and not by the words of the law."""

    while_: Annotated[str, Field(alias="while")]
    guidance: bool = False


class Clock(Entry):
    """A deadline for answering requests, from receipt. `elsewhere`: where they came in at another address than the one published."""

    rights: Words
    within: Length
    elsewhere: Length | None = None
    extend: Length | None = None
    extend_if: Words = ()
    confirm_within: Length | None = None
    pause: Annotated[tuple[Pause, ...], BeforeValidator(tuple)] = ()


class Offer(Entry):
    """Rights of which one must be offered, always or `when` something is done with data.

    `portable`: by consent or contract; `interest`: without a person's word; `sale`: sold or shared; `sensitive`: sensitive data serves
    one of the `purposes`; `disclosed`: somebody else gets data for one of them.
    """

    rights: Words
    when: Literal["always", "portable", "interest", "sale", "sensitive", "disclosed"] = "always"
    purposes: Words = ()


class Outside(Entry):
    """Whom or what the law leaves out, up to the day `until`."""

    whom: Words
    until: date | None = None


class Proof(Entry):
    """How surely a person must be known before an answer, at least and at most."""

    rights: Words
    least: str | None = None
    most: str | None = None


class Answer(Entry):
    """How often an answer is free (in all, or within each `per`), how seldom it may be asked for at most, and what it holds."""

    rights: Words
    free: int
    per: Length | None = None
    once_per: Length | None = None
    contents: Words = ()


class OptOut(Entry):
    """How soon an opt-out counts, on these channels or on all. `practice`: no law, and yet slower is refused by those who carry mail."""

    of: Words
    channels: Words = ()
    within: Length
    practice: bool = False


class OptIn(Entry):
    """What stands off until a person turns it on."""

    of: Literal["tracker", "consent"]


class Ways(Entry):
    """How many ways to opt out there must be, one of them a signal; those `not_alone` do not count."""

    of: Words
    count: int
    signal: str
    not_alone: Words


class AskAgain(Entry):
    """How long who opted out is left in peace."""

    of: Words
    after: Length


class Age(Entry):
    """The years of age below which a person cannot consent alone, be sold, be served without a parent, or contract."""

    of: Literal["consent", "everything", "sale", "sale-by-parent", "majority"]
    years: int


class Keep(Entry):
    """How long records must be kept at least."""

    records: Words
    at_least: Length


class Indefinite(Entry):
    """Children's data is kept for a stated time only."""


class Mechanism(Entry):
    """A mechanism of transfer, and the days on which it admits data: from `since`, up to and without `until`."""

    by: str
    since: date
    until: date | None = None


class Fence(Entry):
    """What data from these sources may be used for."""

    sources: Words
    only_purposes: Words
    never: Words
    humans: Words


class Recording(Entry):
    """Who must agree to the recording of a call: one, or all who are on it."""

    consent: Literal["one", "all"]


class Figure(Entry):
    """A number that nothing measures a notice against, by name."""

    name: str
    value: str


_SECTIONS: Mapping[str, type[Entry]] = {
    "clock": Clock,
    "offer": Offer,
    "outside": Outside,
    "proof": Proof,
    "answer": Answer,
    "opt_out": OptOut,
    "opt_in": OptIn,
    "ways": Ways,
    "ask_again": AskAgain,
    "age": Age,
    "keep": Keep,
    "indefinite": Indefinite,
    "mechanism": Mechanism,
    "fence": Fence,
    "recording": Recording,
    "figure": Figure,
}
E_ = TypeVar("E_", bound=Entry)


@dataclass(frozen=True, slots=True)
class Pack:
    """What one law asks, and of whose residents' data."""

    id: str
    title: str
    version: date
    regions: tuple[str, ...]
    entries: tuple[Entry, ...]


def _read(file: Traversable) -> Pack:
    name, data = file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8"))
    known = {"pack": name, "regions": data.pop("regions"), "version": data.pop("version")}
    title = data.pop("title")
    entries = (_SECTIONS[section].model_validate(_filled(entry, known)) for section, made in data.items() for entry in made)
    return Pack(name, title, known["version"], tuple(known["regions"]), tuple(entries))


def _filled(entry: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    pauses = [{**known, **one} for one in entry.get("pause", ())]
    return {**known, **entry, **({"pause": pauses} if pauses else {})}


_FILES = sorted((file for file in files(__name__).iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
PACKS: Mapping[str, Pack] = MappingProxyType({pack.id: pack for pack in map(_read, _FILES)})
NAMES = tuple(PACKS)
_MAJORITY = _read(files(__name__) / "tables" / "majority.toml")


def saying(kind: type[E_], laws: Iterable[str], region: str | None = None) -> Iterator[E_]:
    """What the named laws ask of one kind, everywhere or of the residents of a region."""
    for name in laws:
        for entry in PACKS[name].entries:
            if isinstance(entry, kind) and (region is None or entry.holds_in(region)):
                yield entry


def clocks(laws: Iterable[str], right: str, region: str) -> tuple[Clock, ...]:
    """The deadlines of a right under the named laws that apply in a region, or under all of them where none does."""
    named = [entry for entry in saying(Clock, laws) if right in entry.rights]
    return tuple(entry for entry in named if entry.holds_in(region)) or tuple(named)


def clock(laws: Iterable[str], right: str, region: str) -> Clock | None:
    """The strictest of them, or None."""
    return min(clocks(laws, right, region), key=lambda one: one.within.days_at_most, default=None)


def age(laws: Iterable[str], of: str, region: str) -> Age | None:
    """The highest age that the named laws set for something in a region; of one law the most specific counts. None where none does."""
    return max(_nearest(region, (one for one in saying(Age, laws, region) if one.of == of)), key=lambda one: one.years, default=None)


def majority(region: str) -> int:
    """The age in years at which a person is of legal age there: 18, unless their law says later."""
    return max(entry.years for entry in _MAJORITY.entries if isinstance(entry, Age) and (not entry.regions or entry.holds_in(region)))


def _nearest(region: str, ages: Iterable[Age]) -> Iterator[Age]:
    """Of each law the entry whose region is the most specific."""
    chain = regions_of(region)
    by_law: dict[str, Age] = {}
    for one in ages:
        held = by_law.get(one.pack)
        if held is None or _depth(one, chain) < _depth(held, chain):
            by_law[one.pack] = one
    yield from by_law.values()


def _depth(entry: Entry, chain: tuple[str, ...]) -> int:
    return min(chain.index(region) for region in entry.regions if region in chain)


def mechanisms(by: str, region: str) -> tuple[Mechanism, ...]:
    """When a mechanism of transfer admits data from a region, by any law; empty where its validity is not limited in time."""
    return tuple(entry for entry in saying(Mechanism, PACKS) if entry.by == by and entry.holds_in(region))


assert all(set(entry.regions) <= REGIONS for pack in (*PACKS.values(), _MAJORITY) for entry in pack.entries)

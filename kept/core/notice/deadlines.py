"""The clock engine: by when a request is answered, under the notice and every law that applies.

A period starts at receipt and ends at the same time of day on its last day, on the calendar of the time zone of that moment; the laws
give the whole of that day, so no answer in time by this clock is late by theirs. A period that ends on a day of rest is not moved.
Of several clocks the one that ends first decides. Nothing stops or lengthens a period unless every one of its clocks allows that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from kept.core.errors import BadInput, Refused
from kept.core.notice import law
from kept.core.notice.durations import Duration
from kept.core.notice.law import Length
from kept.core.notice.model import Notice
from kept.core.notice.terms import RightTerms

_A_MONTH = Duration(1, "months")
"""Where neither the notice nor a law sets a clock: as strict as the strictest law that does."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Clock(_Stored):
    """A clock that runs: the notice's own (`by` is then the rule, `version` the date of the notice), or a law's (`by` is then the pack).

    `extend_if` and `pauses` are the only reasons it takes; the notice's own takes any reason to extend, where it extends at all.
    """

    by: str
    citation: str = ""
    version: date | None = None
    within: Length
    extend: Length | None = None
    extend_if: tuple[str, ...] = ()
    confirm_within: Length | None = None
    pauses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is cited."""
        return self.citation or self.by


class Pause(_Stored):
    """A time that does not count, and why."""

    why: str
    start: datetime
    end: datetime


class Extension(_Stored):
    """Why there is more time, and when the person was told so."""

    why: str
    told: datetime


class Deadline(_Stored):
    """By when a request is answered, with all that decided it: it is stored with the request, and outlives the notice and the packs."""

    received: datetime
    region: str
    clocks: tuple[Clock, ...]
    pauses: tuple[Pause, ...] = ()
    extension: Extension | None = None

    @property
    def decided(self) -> Clock:
        """The clock that ends first."""
        return min(self.clocks, key=self._end)

    @property
    def due(self) -> datetime:
        """When it ends."""
        return self._end(self.decided)

    @property
    def confirm_by(self) -> datetime | None:
        """By when receipt is confirmed; None where nothing asks for that."""
        ends = (one.confirm_within.after(self.received, self.region) for one in self.clocks if one.confirm_within)
        return min((end for end in ends if end), default=None)

    def _end(self, clock: Clock) -> datetime:
        end = clock.within.after(self.received, self.region) or self.received
        if self.extension is not None and clock.extend is not None:
            end = clock.extend.after(end, self.region) or end
        return sum((pause.end - pause.start for pause in self.pauses), timedelta()) + end

    def paused(self, why: str, start: datetime, end: datetime) -> Deadline:
        """The deadline when this time does not count. Raises Refused where a clock does not pause for that, BadInput for a wrong time."""
        for clock in self.clocks:
            if why not in clock.pauses:
                takes = f"It pauses only for: {', '.join(clock.pauses)}." if clock.pauses else "Answer by the day that stands."
                raise Refused(f"{clock.name} does not pause for {why!r}.", place=clock.by, cure=takes)
        since = self.pauses[-1].end if self.pauses else self.received
        if not since <= start <= end or start > self.due:
            raise BadInput("This pause does not lie in the time that runs.", place="pause", cure=f"It begins from {since} to {self.due}.")
        return self.model_copy(update={"pauses": (*self.pauses, Pause(why=why, start=start, end=end))})

    def extended(self, why: str, told: datetime) -> Deadline:
        """The deadline when the person was told that it takes longer. Raises Refused where a clock gives no more time, or not for that."""
        if self.extension is not None:
            raise Refused("It was extended before.", place=self.decided.by, cure="Answer by the day that stands.")
        for clock in self.clocks:
            if clock.extend is None:
                raise Refused(f"{clock.name} gives no more time.", place=clock.by, cure="Answer by the day that stands.")
            if clock.extend_if and why not in clock.extend_if:
                takes = f"It gives more only for: {', '.join(clock.extend_if)}."
                raise Refused(f"{clock.name} gives no more time for {why!r}.", place=clock.by, cure=takes)
        if not self.received <= told <= self.due:
            cure = f"They are told by {self.due}."
            raise Refused(f"{self.decided.name} asks that the person is told in time.", place=self.decided.by, cure=cure)
        return self.model_copy(update={"extension": Extension(why=why, told=told)})

    def as_dict(self) -> dict[str, Any]:
        """The decision as it is stored; `Deadline.model_validate` reads it again."""
        return self.model_dump(mode="json")


class Offers(Protocol):
    """Whatever offers rights under a notice: a policy, or several versions of it."""

    @property
    def notice(self) -> Notice: ...

    def rights(self, region: str = "") -> Mapping[str, RightTerms]: ...


def deadline(policy: Offers, kind: str, region: str, received: datetime) -> Deadline:
    """The deadline of a request under a right, by the notice and by each law it names that applies in the region."""
    right, identity = policy.rights(region).get(kind), policy.notice.identity
    running = [
        Clock(
            by=one.pack,
            citation=one.citation,
            version=one.version,
            within=one.within,
            extend=one.extend,
            extend_if=one.extend_if,
            confirm_within=one.confirm_within,
            pauses=tuple(pause.while_ for pause in one.pause),
        )
        for one in law.clocks(identity.law, kind, region)
    ]
    if right is not None and right.body.within is not None:
        body, name, version = right.body, right.rule.name, identity.effective
        own = Clock(by=name, version=version, within=right.body.within, extend=body.extend, confirm_within=body.confirm_within)
        running.append(own)
    return Deadline(received=received, region=region, clocks=tuple(running) or (Clock(by="default", within=_A_MONTH),))

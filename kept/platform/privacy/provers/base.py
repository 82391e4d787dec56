"""What every prover stands on: the finding it makes, the look it takes, and the registry by kind of rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, TypeVar

from django.db.models import Max, Min, QuerySet

from kept.core import ledger as core
from kept.core.notice import Policy, Rule
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import notices
from kept.platform.privacy.ledger import header_of
from kept.platform.privacy.models import Entry, NoticeVersion, Provenance

T = TypeVar("T")
State = Literal["kept", "broken", "unproven", "statement"]
MOST_PEOPLE = 20_000
"""People looked at one by one in one run; beyond that a random sample."""
MOST_ENTRIES = 50_000
"""Ledger entries of one kind read in one run, the newest."""
MOST_SHOWN = 20
"""References that the evidence lists."""
BATCH = 1000


@dataclass(frozen=True)
class Finding:
    """What a prover found. `said` is a plain sentence with numbers; the evidence has the query in words, a count, and references."""

    state: State
    counted: int
    said: str
    evidence: Mapping[str, Any]


def kept(counted: int, said: str, query: str, **more: Any) -> Finding:
    """The promise holds for everything counted."""
    return Finding("kept", counted, said, {"query": query, "count": 0, "references": [], **more})


def unproven(said: str, query: str, **more: Any) -> Finding:
    """There is nothing to look at yet."""
    return Finding("unproven", 0, said, {"query": query, "count": 0, "references": [], **more})


def broken(counted: int, wrong: Sequence[object], said: str, query: str, **more: Any) -> Finding:
    """What must not be there, is. `wrong` names each by reference, never by value."""
    shown = [str(one) for one in list(dict.fromkeys(wrong))[:MOST_SHOWN]]
    return Finding("broken", counted, said, {"query": query, "count": len(wrong), "references": shown, **more})


def many(count: int, one: str, several: str) -> str:
    """“1 person”, “1,204 people”."""
    return f"{count:,} {one if count == 1 else several}"


def people(count: int) -> str:
    """“1 person”, “1,204 people”."""
    return many(count, "person", "people")


def some(rows: QuerySet[Any, Any], most: int) -> list[Any]:
    """So many rows from a random place on, round to the first; all where there are no more."""
    span = rows.aggregate(first=Min("pk"), last=Max("pk"))
    if span["first"] is None:
        return []
    start = random.SystemRandom().randint(span["first"], span["last"])
    found = list(rows.filter(pk__gte=start).order_by("pk")[:most])
    return found + list(rows.filter(pk__lt=start).order_by("pk")[: most - len(found)])


@dataclass(frozen=True, eq=False)
class Look:
    """One run of the provers over one account, under the purpose `proof`. What several provers need is gathered once.

    `before` is the evidence of each rule's last proof, for searches that go on where they stopped.
    """

    policy: Policy
    use: Use
    now: datetime
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _gathered: dict[object, Any] = field(default_factory=dict)

    def once(self, gather: Callable[[Look], T]) -> T:
        """What `gather` finds, asked once in a run however many rules need it."""
        if gather not in self._gathered:
            self._gathered[gather] = gather(self)
        found: T = self._gathered[gather]
        return found

    @cached_property
    def people(self) -> int:
        """How many people the account holds."""
        return Subject.under(self.use).count()

    def batches(self) -> Iterator[list[Subject]]:
        """Everybody, or beyond `MOST_PEOPLE` a random sample of as many, in batches."""
        rows = Subject.under(self.use).order_by("pk")
        if self.people <= MOST_PEOPLE:
            last = 0
            while batch := list(rows.filter(pk__gt=last)[:BATCH]):
                yield batch
                last = batch[-1].pk
            return
        span, last = rows.aggregate(first=Min("pk"), last=Max("pk")), 0
        starts = sorted(random.SystemRandom().randint(span["first"], span["last"]) for _ in range(MOST_PEOPLE // BATCH))
        for start in starts:
            if batch := list(rows.filter(pk__gte=max(start, last + 1))[:BATCH]):
                yield batch
                last = batch[-1].pk

    @property
    def extent(self) -> str:
        """How many people `batches` looks at, in words."""
        if self.people <= MOST_PEOPLE:
            return f"all {people(self.people)}" if self.people > 1 else people(self.people)
        return f"a random sample of {MOST_PEOPLE:,} of {people(self.people)}"

    @cached_property
    def versions(self) -> Mapping[int, NoticeVersion]:
        """Every version of the notice, by number."""
        return {row.number: row for row in NoticeVersion.objects.filter(account_id=self.use.account_id).order_by("number")}

    def policy_of(self, version: NoticeVersion) -> Policy:
        """What a version said."""
        return notices.compiled(version.pk)

    def policy_at(self, moment: datetime) -> Policy:
        """What the notice said at a moment."""
        earlier = [row for row in self.versions.values() if row.activated_at <= moment]
        return self.policy_of(earlier[-1]) if earlier else self.policy

    @cached_property
    def origins(self) -> Mapping[int, Provenance]:
        """Every occasion on which data came in, by id."""
        return {row.pk: row for row in Provenance.under(self.use).only("pk", "account_id", "source", "basis", "rule", "notice_version")}

    def entries(self, kind: str) -> list[core.Header]:
        """The newest entries of one kind."""
        return [header_of(row) for row in Entry.under(self.use).filter(kind=kind).order_by("-id")[:MOST_ENTRIES]]

    @cached_property
    def looks(self) -> list[core.Header]:
        """The newest entries that say who looked at data."""
        return self.entries("look")


Prover = Callable[[Rule, Look], Finding]
PROVERS: dict[str, Prover] = {}
"""By kind of rule. A rule of another kind is bound by nothing here."""


def prover(kind: str) -> Callable[[Prover], Prover]:
    """Register the prover of a kind."""

    def register(function: Prover) -> Prover:
        PROVERS[kind] = function
        return function

    return register

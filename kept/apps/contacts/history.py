"""What the ledger tells about a person: their story, their choices, and who was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max

from kept.apps.contacts.queries import Record
from kept.core.notice.vocabulary import BASES
from kept.platform.data.use import Use
from kept.platform.privacy import ledger
from kept.platform.privacy.models import Choice, Entry, EntrySubject
from kept.platform.privacy.notices import policy_of

MOST = 100
"""Entries of a story, looks apart."""
SAME_OCCASION = timedelta(minutes=1)


@dataclass(frozen=True)
class Event:
    """Something that happened. `said` is the sealed part of the entry, where it opens; `number` counts what is summarised."""

    kind: str
    at: datetime
    actor: str = ""
    purpose: str = ""
    recipient: str = ""
    categories: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)
    number: int = 1


@dataclass(frozen=True)
class Standing:
    """Where a person stands on one purpose that is theirs to decide. `open` is what the engine enforces now."""

    purpose: str
    title: str
    basis: str
    open: bool
    state: str = ""
    restricted: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class History:
    """Newest first."""

    story: tuple[Event, ...]
    standings: tuple[Standing, ...]
    told: tuple[Event, ...]


def history(use: Use, record: Record) -> History:
    """The story of a record, in a fixed number of questions."""
    about = EntrySubject.under(use).filter(reference=record.subject.reference).values("entry_id")
    entries = list(Entry.under(use).filter(pk__in=about).exclude(kind="look").order_by("-pk")[:MOST])
    payloads = ledger.payloads_of(entries)
    events = [_event(entry, payloads.get(entry.pk, {})) for entry in entries]
    looks = Entry.under(use).filter(pk__in=about, kind="look").aggregate(number=Count("pk"), at=Max("at"))
    if looks["number"]:
        events.append(Event("look", looks["at"], number=looks["number"]))
    origin = record.origin
    if origin is not None and not any(one.kind == "collection" and abs(one.at - origin.at) < SAME_OCCASION for one in events):
        events.append(Event("collection", origin.at, origin.by, said={"source": origin.source, "occasion": origin.occasion}))
    events.sort(key=lambda one: one.at, reverse=True)
    return History(tuple(events), standings(use, record), tuple(one for one in events if one.kind == "disclosure"))


def _event(entry: Entry, said: Mapping[str, Any]) -> Event:
    header = ledger.header_of(entry)
    return Event(entry.kind, header.at, header.actor, header.purpose or "", header.recipient or "", header.categories, said)


def standings(use: Use, record: Record) -> tuple[Standing, ...]:
    """Each purpose on which the person's word counts, and any that they restricted."""
    policy = policy_of(use.account_id)
    held = {row.purpose: row for row in Choice.under(use).filter(subject_id=record.subject.pk)}
    made = []
    for purpose in policy.purposes.values():
        choice, basis = held.get(purpose.id), policy.basis(purpose.id, record.subject.region)
        theirs = basis in BASES and BASES[basis].choice != "none"
        if choice is None and not theirs:
            continue
        title, is_open = purpose.title or purpose.id, bool(record.subject.permits >> purpose.bit & 1)
        if choice is None:
            made.append(Standing(purpose.id, title, basis, is_open))
        else:
            made.append(Standing(purpose.id, title, basis, is_open, choice.state, choice.restricted, choice.at))
    return tuple(made)

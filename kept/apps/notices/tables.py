"""The tables that are published with a notice: computed from what it declares and, where it says what was done, from the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args

from django.utils import timezone

from kept.apps.notices.queries import Published
from kept.core import ledger as core
from kept.core.errors import NotFound
from kept.core.notice import Notice, compile, parse
from kept.core.notice import processors as working
from kept.core.notice.california import Deed, Table, table
from kept.core.notice.durations import add_months
from kept.core.notice.exports.record import Record, record
from kept.core.notice.rules import US, NoticeBody, TrackerBody
from kept.platform.accounts.models import Account, Member, User
from kept.platform.accounts.queries import membership
from kept.platform.accounts.roles import may
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Activation, Entry, NoticeVersion
from kept.platform.privacy.registry import registry

Name = Literal["california", "processing", "subprocessors", "cookies"]
KINDS = ("collection", "disclosure")
registry.enforces(__name__, *(f"notice.tables={name}" for name in get_args(Name)))
MONTHS = 12


def require_open(here: Published, name: Name, user: User | None) -> None:
    """Raises NotFound where the notice does not publish this table and the asker is not of the team."""
    if name in published_with(here.notice):
        return
    if user is None or not _reads(user, here.account):
        raise NotFound(
            f"{here.account.name} does not publish this table.", place=name, cure=f'A notice publishes it by tables = ["{name}"].'
        )


def published_with(notice: Notice) -> tuple[str, ...]:
    """The tables that a notice publishes, in its text or in a supplement."""
    bodies = (rule.body for rule in notice.rules)
    return tuple(dict.fromkeys(one for body in bodies if isinstance(body, NoticeBody) for one in body.tables))


def _reads(user: User, account: Account) -> bool:
    try:
        member: Member = membership(user, account.slug)
    except NotFound:
        return False
    return may(member, "notice.read")


# California


@dataclass(frozen=True)
class California:
    """The table, with the period its figures are about."""

    table: Table
    since: datetime
    until: datetime


def california(here: Published) -> California:
    """As declared now, and as it happened in the twelve months before: everybody counts, wherever they live."""
    with bookkeeping(here.account.pk) as use:
        newest = Entry.under(use).filter(kind__in=KINDS).order_by("-id").values_list("pk", flat=True).first()
    now = timezone.now()
    return _california(here.account.pk, here.version.pk, newest or 0, timezone.localdate(now))


@lru_cache(maxsize=64)
def _california(account_id: int, version_id: int, newest: int, day: date) -> California:
    """Read anew when an entry comes in, the notice changes or a day has passed."""
    now = timezone.now()
    since = add_months(now, -MONTHS)
    return California(table(notices.compiled(version_id), deeds(account_id, since), notices.policy_at(account_id)), since, now)


def deeds(account_id: int, since: datetime) -> list[Deed]:
    """What was collected and disclosed since a moment, as the ledger's clear headers tell it."""
    with bookkeeping(account_id) as use:
        rows = Entry.under(use).filter(kind__in=KINDS, at__gte=since).order_by("pk").values_list("header", flat=True)
        return [_deed(core.Header.from_document(json.loads(header))) for header in rows.iterator(chunk_size=2000)]


def _deed(header: core.Header) -> Deed:
    return Deed(
        kind="disclosure" if header.kind == "disclosure" else "collection",
        at=header.at,
        categories=header.categories,
        recipient=header.recipient or "",
        purpose=header.purpose or "",
        rule=header.rule or "",
        people=len(header.subjects),
    )


# The record of processing, subprocessors, cookies


def processing(here: Published) -> Record:
    """The record of processing activities."""
    return record(here.policy)


@dataclass(frozen=True)
class News:
    """A change among those who work for us: when it was decided, since when it holds, and whether that is still to come."""

    number: int
    change: working.Change
    decided: datetime
    since: datetime
    coming: bool
    digest: str

    @property
    def id(self) -> str:
        """Its place in the page and in the feed."""
        return f"{self.number}-{self.change.kind}-{self.change.processor.rule.removeprefix('disclose:')}"


def subprocessors(here: Published) -> Sequence[working.Processor]:
    """Who works for us under the notice in force."""
    return list(working.processors(here.policy).values())


def subprocessor_news(account: Account) -> list[News]:
    """Every change among them, newest first: what the versions of the notice brought, and what is announced."""
    rows = list(NoticeVersion.objects.filter(account_id=account.pk).order_by("number"))
    decided = dict(Activation.objects.filter(account_id=account.pk, version_id__isnull=False).values_list("version_id", "decided_at"))
    found = [
        News(new.number, one, decided.get(new.pk, new.activated_at), new.activated_at, False, new.digest)
        for old, new in pairwise(rows)
        for one in working.changes(notices.compiled(old.pk), notices.compiled(new.pk))
    ]
    waiting = Activation.objects.filter(account_id=account.pk, version_id=None, stopped_at=None).order_by("-number").first()
    if waiting is not None and rows:
        changes = working.changes(notices.compiled(rows[-1].pk), compile(parse(waiting.text)))
        found += [News(waiting.number, one, waiting.decided_at, waiting.effective_at, True, waiting.digest) for one in changes]
    return found[::-1]


@dataclass(frozen=True)
class Tracker:
    """A tracker as the cookie list shows it. `needs` is the choice without which it does not load."""

    rule: str
    body: TrackerBody
    categories: Sequence[str]
    purposes: Sequence[str]


def cookies(here: Published, region: str) -> list[Tracker]:
    """The trackers in force in a region, ours first."""
    terms = here.notice.vocabulary
    found = [
        Tracker(
            rule.name,
            body,
            [terms["category"][one].title for one in body.categories],
            [here.policy.purposes[one].title for one in here.policy.trackers[rule.id].purposes],
        )
        for rule, body in here.notice.saying(TrackerBody, region)
    ]
    return sorted(found, key=lambda one: one.body.provider != US)

"""What the team's pages ask about requests: the queue and its lists, the calendar. Nothing here is personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.queries import SOON_DAYS
from kept.core.errors import BadInput
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import members
from kept.platform.accounts.roles import may
from kept.platform.data.use import Use

LISTS = ("open", "decide", "soon", "overdue", "mine", "answered", "all")
SPOKEN = frozenset({Channel.PHONE, Channel.PERSON})
"""Where somebody speaks for themselves, and could be anybody."""
NOBODY = "nobody"
"""The assignee of what is assigned to none."""


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; empty or None: not at all."""

    kind: str = ""
    channel: str = ""
    assigned: str = ""
    day: date | None = None

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Filters:
        """From an address. Raises BadInput for a day that is none; an unknown kind or channel finds nothing."""
        try:
            day = date.fromisoformat(told["day"]) if told.get("day") else None
        except ValueError as error:
            raise BadInput(_("This is no day."), place="day", cure=_("Write it as 2026-11-22.")) from error
        return cls(told.get("kind", ""), told.get("channel", ""), told.get("assigned", ""), day)

    def condition(self) -> Q:
        """As a condition on requests."""
        found = Q()
        found &= Q(kind=self.kind) if self.kind else Q()
        found &= Q(channel=self.channel) if self.channel else Q()
        found &= Q(assigned="" if self.assigned == NOBODY else self.assigned) if self.assigned else Q()
        if self.day is not None:
            start, end = _bounds(self.day, self.day)
            found &= Q(due_at__gte=start, due_at__lt=end)
        return found


def _bounds(first: date, last: date) -> tuple[datetime, datetime]:
    zone = timezone.get_current_timezone()
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def _lists(member: str, now: datetime) -> dict[str, Q]:
    waiting = Q(state__in=OPEN)
    asks = Q(state__in=(State.DECIDING, State.VERIFIED)) | Q(state=State.RECEIVED, channel__in=(*SPOKEN, Channel.POST))
    return {
        "open": waiting,
        "decide": asks & Q(closed_at=None),
        "soon": waiting & Q(due_at__gte=now, due_at__lt=now + timedelta(days=SOON_DAYS)),
        "overdue": waiting & Q(due_at__lt=now),
        "mine": waiting & Q(assigned=member),
        "answered": ~waiting,
        "all": Q(),
    }


def listed(use: Use, which: str, member: str, filters: Filters = Filters()) -> QuerySet[Request]:
    """One of the lists, narrowed. `member` is whose list “mine” is."""
    return Request.under(use).defer("sealed").filter(_lists(member, timezone.now())[which], filters.condition())


def counts(use: Use, member: str, filters: Filters = Filters()) -> dict[str, int]:
    """How many stand in each list, in one query."""
    lists = _lists(member, timezone.now())
    asked = {which: Count("pk", filter=condition) if condition else Count("pk") for which, condition in lists.items()}
    return dict(Request.under(use).filter(filters.condition()).aggregate(**asked))


def pressing(use: Use, now: datetime) -> QuerySet[Request]:
    """What is due within a week or overdue, the first due first."""
    waiting = Request.under(use).defer("sealed").filter(state__in=OPEN, due_at__lt=now + timedelta(days=SOON_DAYS))
    return waiting.order_by("due_at", "id")


@dataclass(frozen=True)
class Day:
    """A day of the calendar: how many open requests are due on it."""

    date: date
    due: int
    inside: bool
    today: bool
    over: bool


@dataclass(frozen=True)
class Month:
    """A month of due days, in whole weeks from Monday."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def before(self) -> str:
        """The month before, as an address names it."""
        return (self.first - timedelta(days=1)).strftime("%Y-%m")

    @property
    def after(self) -> str:
        """The month after."""
        return (self.first + timedelta(days=31)).strftime("%Y-%m")

    @property
    def due(self) -> int:
        """How many are due in it."""
        return sum(day.due for week in self.weeks for day in week if day.inside)


def month(use: Use, text: str, filters: Filters) -> Month:
    """The due days of a month, ``2026-11``, or of this one where `text` is empty. Raises BadInput."""
    today = timezone.localdate()
    try:
        first = date.fromisoformat(f"{text}-01") if text else today.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        start = first - timedelta(days=first.weekday())
    except (ValueError, OverflowError) as error:
        raise BadInput(_("This is no month."), place="month", cure=_("Write it as 2026-11.")) from error
    weeks = (following - start + timedelta(days=6)).days // 7
    begin, end = _bounds(start, start + timedelta(days=7 * weeks - 1))
    open_ones = Request.under(use).filter(replace(filters, day=None).condition(), state__in=OPEN, due_at__gte=begin, due_at__lt=end)
    found = dict(open_ones.values_list(TruncDate("due_at")).annotate(count=Count("pk")).order_by())
    days = [start + timedelta(days=n) for n in range(7 * weeks)]
    made = [Day(one, found.get(one, 0), one.month == first.month, one == today, one < today) for one in days]
    return Month(first, tuple(tuple(made[n : n + 7]) for n in range(0, len(made), 7)))


def handlers(account: Account) -> dict[str, str]:
    """Who may handle requests: each member's reference and name."""
    return {one.actor.reference: str(one.user) for one in members(account) if may(one, "requests.handle")}


def kinds_and_channels(use: Use) -> tuple[list[str], list[str]]:
    """Which kinds and channels there are, for the filters."""
    found = set(Request.under(use).values_list("kind", "channel").order_by().distinct())
    kinds, channels = {kind for kind, _channel in found}, {channel for _kind, channel in found}
    return [one.value for one in Kind if one in kinds], [one.value for one in Channel if one in channels]

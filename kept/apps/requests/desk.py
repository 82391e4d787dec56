"""The team's queue: every request with its clock, in lists, on a calendar; and the frame of all the team's pages of requests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from kept.apps.requests import desk_queries, queries
from kept.apps.requests.desk_queries import LISTS, NOBODY, Filters
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.queries import SOON_DAYS
from kept.core.notice.deadlines import Clock
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.ui import keyset
from kept.platform.ui.jinja import href
from kept.platform.ui.pages import Link, render
from kept.platform.ui.shell import shell

TONES = {
    State.VERIFIED: "info",
    State.WORKING: "info",
    State.READY: "ok",
    State.DONE: "ok",
    State.NOBODY: "ok",
    State.REFUSED: "warn",
    State.DECIDING: "warn",
    State.HIDDEN: "info",
    State.REFERRED: "ok",
    State.REVOKED: "",
    State.EXPIRED: "",
    State.RECEIVED: "",
}


def page(request: TeamRequest, template: str, context: dict[str, Any], *, here: str = "queue", status: int = 200) -> HttpResponse:
    """One of the team's pages, in its frame: what is overdue is told on each of them. `here` is the part it belongs to."""
    with bookkeeping(request.account.pk) as use:
        counted = desk_queries.counts(use, request.actor.reference)
    slug = request.account.slug
    parts = {
        "queue": _("Queue"),
        "metrics": _("Figures"),
        "holds": _("Legal holds"),
        "agents": _("Agents"),
        "correspondents": _("Recipients"),
    }
    around = {
        "account": request.account,
        "shell": shell(request, "requests:queue", _("people’s rights")),
        "parts": [Link(name, reverse(f"requests:{key}", args=[slug]), current=key == here) for key, name in parts.items()],
        "banner": _banner(counted),
    }
    return render(request, f"requests/{template}", {**around, **context}, status=status)


def _banner(counted: dict[str, int]) -> dict[str, str]:
    """What is due or overdue, in a sentence, with the list that shows it; empty when nothing presses."""
    late, soon = counted["overdue"], counted["soon"]
    said = []
    if late:
        said.append(ngettext("%(n)d request is overdue.", "%(n)d requests are overdue.", late) % {"n": late})
    if soon:
        words = ngettext("%(n)d request is due within %(days)d days.", "%(n)d requests are due within %(days)d days.", soon)
        said.append(words % {"n": soon, "days": SOON_DAYS})
    return {"says": " ".join(said), "tone": "bad" if late else "warn", "list": "overdue" if late else "soon"} if said else {}


def clock(request: Request, now: datetime) -> tuple[str, str]:
    """The days left in words, and the tone of the label; nothing once it is answered."""
    if request.state not in OPEN or request.closed_at is not None:
        return "", ""
    if request.paused_at is not None:
        return _("stands still"), "info"
    days = (request.due_at - now).days
    if request.due_at < now:
        late = max(1, (now - request.due_at).days)
        return ngettext("%(n)d day overdue", "%(n)d days overdue", late) % {"n": late}, "bad"
    left = ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days} if days else _("due today")
    return left, "warn" if days < SOON_DAYS else ""


def law(clock: Clock) -> str:
    """What set a clock, as it is cited."""
    return _("our own, of a month") if clock.by == "default" else clock.name


def row(request: Request, now: datetime, members: dict[str, str]) -> dict[str, Any]:
    """What a list shows of a request."""
    words, tone = clock(request, now)
    state = State(request.state)
    return {
        "reference": request.reference,
        "what": capfirst(str(Kind(request.kind).label)),
        "erases": request.kind == Kind.ERASE,
        "state": str(state.label),
        "tone": TONES[state],
        "proposed": bool(request.decision.get("proposed")) and state in OPEN,
        "clock": words,
        "clock_tone": tone,
        "due": request.due_at,
        "by": law(queries.decided(request)) if words else "",
        "channel": str(Channel(request.channel).label),
        "received": request.received_at,
        "assigned": members.get(request.assigned, "") if request.assigned else "",
    }


@team("requests.handle")
@require_GET
def queue(request: TeamRequest) -> HttpResponseBase:
    """The queue, by due date, and the days on a calendar. It shows nothing personal, so looking at it leaves no entry."""
    asked = request.GET.get("list", "open")
    which = asked if asked in LISTS else "open"
    filters, me = Filters.read(request.GET.dict()), request.actor.reference
    members = desk_queries.handlers(request.account)
    with bookkeeping(request.account.pk) as use:
        order = "-due_at" if which in ("answered", "all") else "due_at"
        found = keyset.page(desk_queries.listed(use, which, me, filters), order=order, cursor=request.GET.get("cursor", ""))
        counted = desk_queries.counts(use, me, filters)
        month = desk_queries.month(use, request.GET.get("month", ""), filters)
        menus = _menus(use, request, filters, members)
    now = timezone.now()
    context = {
        "page": found,
        "rows": [row(one, now, members) for one in found.items],
        "lists": _lists(request, which, counted),
        "filters": _in_force(request, filters, members),
        "menus": menus,
        "calendar": _calendar(request, month, filters),
        "members": [("", _("nobody")), *members.items()],
    }
    return page(request, "queue.html", context)


def _lists(request: TeamRequest, which: str, counted: dict[str, int]) -> list[Link]:
    names = {
        "open": _("Open"),
        "decide": _("To decide"),
        "soon": _("Due soon"),
        "overdue": _("Overdue"),
        "mine": _("Mine"),
        "answered": _("Answered"),
        "all": _("All"),
    }
    return [Link(names[key], href(request, list=key, cursor=None), current=key == which, badge=str(counted[key])) for key in LISTS]


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _in_force(request: TeamRequest, filters: Filters, members: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the address that takes it away."""
    shown = {
        "kind": (_("Kind"), _named(Kind, filters.kind)),
        "channel": (_("Came by"), _named(Channel, filters.channel)),
        "assigned": (_("Assigned to"), _("nobody") if filters.assigned == NOBODY else members.get(filters.assigned, filters.assigned)),
        "day": (_("Due on"), _day(filters.day) if filters.day else ""),
    }
    return [
        {"label": label, "value": value, "url": href(request, **{name: None}, cursor=None)}
        for name, (label, value) in shown.items()
        if value
    ]


def _named(words: type[Kind] | type[Channel], value: str) -> str:
    return str(words(value).label) if value in words.values else value


def _menus(use: Use, request: TeamRequest, filters: Filters, members: dict[str, str]) -> list[tuple[str, list[Link]]]:
    """What can be filtered by that is not yet."""
    kinds, channels = desk_queries.kinds_and_channels(use)
    offered = {
        "kind": (_("Kind"), [(one, _named(Kind, one)) for one in kinds]),
        "channel": (_("Came by"), [(one, _named(Channel, one)) for one in channels]),
        "assigned": (_("Assigned to"), [(NOBODY, _("nobody")), *members.items()]),
    }
    return [
        (label, [Link(capfirst(text), href(request, **{name: value}, cursor=None)) for value, text in choices])
        for name, (label, choices) in offered.items()
        if not getattr(filters, name) and choices
    ]


def _calendar(request: TeamRequest, month: desk_queries.Month, filters: Filters) -> dict[str, Any]:
    def cell(day: desk_queries.Day) -> dict[str, Any]:
        due = ngettext("%(day)s: %(n)d request due", "%(day)s: %(n)d requests due", day.due) % {"day": _day(day.date), "n": day.due}
        url = href(request, day=day.date.isoformat(), list="open", cursor=None) if day.due else ""
        return {"day": day, "says": due, "url": url, "current": day.date == filters.day}

    return {
        "title": date_format(month.first, "YEAR_MONTH_FORMAT"),
        "before": href(request, month=month.before),
        "after": href(request, month=month.after),
        "days": [(str(WEEKDAYS[n]), str(WEEKDAYS_ABBR[n])) for n in range(7)],
        "weeks": [[cell(day) for day in week] for week in month.weeks],
        "due": month.due,
    }

"""Legal holds: the cases, whom they hold, and what they hold back."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from kept.apps.requests import actions, desk_queries
from kept.apps.requests.desk import page
from kept.apps.requests.desk_forms import REASONS, CaseForm, PlaceForm, ReleaseForm
from kept.core.errors import BadInput, KeptError, NotFound
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.privacy import holds
from kept.platform.privacy.models import Case, Hold
from kept.platform.privacy.notices import policy_of


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def cases(request: TeamRequest) -> HttpResponseBase:
    """The cases, and opening one."""
    form = CaseForm(request.POST or None, grounds=holds.GROUNDS, initial={"ground": "legal-claim"})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.open_case(request.account, request.actor, **form.cleaned_data)
        except KeptError as error:
            form.add_error(error.place if error.place in form.fields else None, f"{error.message} {error.cure}")
        else:
            return redirect("requests:case", request.account.slug, made.pk)
    members = desk_queries.handlers(request.account)
    found = actions.cases(request.account)
    rows = [{"case": case, "ground": _ground(case), "people": people, "by": members.get(case.opened_by, "")} for case, people in found]
    return page(request, "holds.html", {"rows": rows, "form": form}, here="holds", status=400 if form.errors else 200)


def _ground(case: Case) -> str:
    return capfirst(str(REASONS.get(case.ground, case.ground)))


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def case(request: TeamRequest, case_id: int) -> HttpResponseBase:
    """One case: whom it holds, what of them, until when; holding more people."""
    found, placed = actions.case(request.account, case_id)
    form = PlaceForm(request.POST or None, categories=_categories(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            people = actions.hold(
                *(request.account, request.actor, case_id, given["known_by"], given["value"].splitlines()),
                categories=given["categories"],
                until=_end_of(given["until"]),
            )
        except KeptError as error:
            place = error.place if error.place in form.fields else "value" if isinstance(error, BadInput | NotFound) else None
            form.add_error(place, f"{error.message} {error.cure}")
        else:
            messages.success(request, ngettext("%(n)d hold is placed.", "%(n)d holds are placed.", people) % {"n": people})
            return redirect("requests:case", request.account.slug, case_id)
    return _shown(request, found, placed, form, ReleaseForm(), status=400 if form.errors else 200)


def _shown(request: TeamRequest, found: Case, placed: list[Hold], form: PlaceForm, release: ReleaseForm, status: int) -> HttpResponse:
    titles, members, now = dict(_categories(request)), desk_queries.handlers(request.account), timezone.now()
    rows = [
        {
            "person": one.subject_reference,
            "what": _("everything") if one.category == holds.EVERYTHING else titles.get(one.category, one.category),
            "until": one.until,
            "placed": one.placed_at,
            "state": _("released") if one.released_at else _("over") if one.until and one.until <= now else _("held"),
            "held": not one.released_at and not (one.until and one.until <= now),
        }
        for one in placed
    ]
    context: dict[str, Any] = {
        "case": found,
        "ground": _ground(found),
        "rows": rows,
        "people": len({one["person"] for one in rows if one["held"]}),
        "form": form,
        "release": release,
        "opened_by": members.get(found.opened_by, ""),
        "released_by": members.get(found.released_by, ""),
    }
    return page(request, "case.html", context, here="holds", status=status)


@team("requests.handle")
@require_POST
def release(request: TeamRequest, case_id: int) -> HttpResponseBase:
    """Release a case, with the reason: what it alone held back goes with the next run."""
    form = ReleaseForm(request.POST)
    if form.is_valid():
        try:
            ended = actions.release(request.account, request.actor, case_id, form.cleaned_data["because"])
        except BadInput as error:
            form.add_error("because", f"{error.message} {error.cure}")
        else:
            words = ngettext("Released: %(n)d hold ended.", "Released: %(n)d holds ended.", ended)
            messages.success(request, words % {"n": ended})
            return redirect("requests:case", request.account.slug, case_id)
    found, placed = actions.case(request.account, case_id)
    return _shown(request, found, placed, PlaceForm(categories=_categories(request)), form, status=400)


def _categories(request: TeamRequest) -> list[tuple[str, str]]:
    policy = policy_of(request.account.pk)
    tree = policy.notice.vocabulary["category"]
    return sorted(((one, tree[one].title) for one in policy.categories if one in tree), key=lambda one: one[1])


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.max, timezone.get_current_timezone()) if day else None

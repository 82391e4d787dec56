"""The same act for many requests: what would happen, then how far it has come."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kept.apps.requests import actions, desk_queries
from kept.apps.requests.desk import page, row
from kept.apps.requests.models import Batch
from kept.core.errors import BadInput
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.ui.pages import render


def _titles(act: str, assignee: str) -> str:
    return {
        "assign": _("Assign to %(name)s") % {"name": assignee} if assignee else _("Assign to nobody"),
        "start": _("Vouch for them, and answer"),
        "grant": _("Grant what they ask"),
    }.get(act, act)


@team("requests.handle")
@require_POST
def bulk(request: TeamRequest) -> HttpResponseBase:
    """What an act would do with each of the chosen requests; done once it is confirmed."""
    act, chosen, assignee = request.POST.get("act", ""), request.POST.getlist("requests"), request.POST.get("member", "")
    members = desk_queries.handlers(request.account)
    if act == "assign" and assignee and assignee not in members:
        raise BadInput(_("This is nobody who handles requests."), place="member", cure=_("Choose one of the list."))
    lines = actions.preview(request.account, request.member, act, chosen)
    doable = [line.request.reference for line in lines if not line.against]
    if request.POST.get("confirmed") and doable:
        made = actions.begin(request.account, request.actor, act, doable, assignee=assignee)
        return redirect("requests:batch", request.account.slug, made.pk)
    now = timezone.now()
    context = {
        "title": _titles(act, members.get(assignee, "")),
        "act": act,
        "member": assignee,
        "rows": [{**row(line.request, now, members), "against": line.against} for line in lines],
        "doable": doable,
        "kinds": sorted(Counter(capfirst(str(line.request.get_kind_display())) for line in lines if not line.against).items()),
        "erases": act != "assign" and any(line.request.kind == "erase" and not line.against for line in lines),
    }
    return page(request, "bulk.html", context)


@team("requests.handle")
@require_GET
def batch(request: TeamRequest, batch_id: int) -> HttpResponseBase:
    """How far it has come; a fragment for the page that polls it."""
    found = actions.batch(request.account, batch_id)
    context = _progress(request, found)
    if request.headers.get("HX-Request"):
        if found.finished_at is not None:
            return HttpResponse(headers={"HX-Redirect": reverse("requests:batch", args=[request.account.slug, found.pk])})
        return render(request, "requests/bulk_progress.html", context)
    return page(request, "bulk_done.html", context)


def _progress(request: TeamRequest, found: Batch) -> dict[str, Any]:
    members = desk_queries.handlers(request.account)
    total = len(found.requests)
    running = found.finished_at is None
    return {
        "title": _titles(found.act, members.get(found.member, "")),
        "done": found.position,
        "total": total,
        "carried_out": total - len(found.skipped),
        "skipped": sorted(found.skipped.items()),
        "poll_url": reverse("requests:batch", args=[request.account.slug, found.pk]) if running else "",
    }

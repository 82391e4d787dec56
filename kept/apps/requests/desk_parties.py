"""Agents who may act for people, and recipients who are told what people asked: listed, added, ended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kept.apps.requests import actions
from kept.apps.requests.desk import page
from kept.apps.requests.desk_forms import AgentForm, CorrespondentForm
from kept.apps.requests.models import Agent, Correspondent
from kept.core.errors import BadInput, Conflict
from kept.platform.accounts.door import TeamRequest, team


def _refused(form: forms.Form, error: BadInput | Conflict) -> None:
    form.add_error(error.place if error.place in form.fields else None, f"{error.message} {error.cure}")


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def agents(request: TeamRequest) -> HttpResponseBase:
    """Whom we let act for people by the Data Rights Protocol."""
    form = AgentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_agent(request.account, request.actor, **form.cleaned_data)
        except (BadInput, Conflict) as error:
            _refused(form, error)
        else:
            messages.success(request, _("The agent may act for people from now on."))
            return redirect("requests:agents", request.account.slug)
    context: dict[str, Any] = {"rows": actions.parties(request.account, Agent), "form": form}
    return page(request, "agents.html", context, here="agents", status=400 if form.errors else 200)


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def correspondents(request: TeamRequest) -> HttpResponseBase:
    """How the recipients of the notice hear what people asked."""
    recipients = actions.recipients(request.account)
    form = CorrespondentForm(request.POST or None, recipients=recipients)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_correspondent(request.account, request.actor, **form.cleaned_data)
        except (BadInput, Conflict) as error:
            _refused(form, error)
        else:
            messages.success(request, _("They are told from now on."))
            return redirect("requests:correspondents", request.account.slug)
    rows = actions.parties(request.account, Correspondent)
    told = {one.recipient for one in rows if one.ended_at is None}
    untold = {rule: name for rule, name in recipients.items() if rule not in told}
    context: dict[str, Any] = {"rows": rows, "form": form, "recipients": recipients, "untold": untold}
    return page(request, "correspondents.html", context, here="correspondents", status=400 if form.errors else 200)


@team("requests.handle")
@require_POST
def end_agent(request: TeamRequest, party_id: int) -> HttpResponseBase:
    """An agent acts for nobody any more."""
    actions.end(request.account, request.actor, Agent, party_id)
    messages.success(request, _("The agent has ended: nothing is taken from it any more."))
    return redirect("requests:agents", request.account.slug)


@team("requests.handle")
@require_POST
def end_correspondent(request: TeamRequest, party_id: int) -> HttpResponseBase:
    """A recipient is told at this address no more."""
    actions.end(request.account, request.actor, Correspondent, party_id)
    messages.success(request, _("Nothing is told at this address any more."))
    return redirect("requests:correspondents", request.account.slug)

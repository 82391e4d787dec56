"""Pages of the privacy lead's board: promises and incidents, what is not bound, what people chose, and who sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kept.apps.notices import board, board_actions, editor_queries, promise_page, queries
from kept.apps.notices.web import _inside
from kept.core.errors import BadInput, KeptError
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.models import Member
from kept.platform.accounts.queries import member as member_of
from kept.platform.accounts.roles import may
from kept.platform.privacy import incidents
from kept.platform.ui.pages import render


@team("notice.read")
def desk(request: TeamRequest) -> HttpResponseBase:
    """Every promise with its state, what is open about it, and how it went."""
    here = queries.published(request.account.slug)
    found = incidents.open_of(request.account)
    context = {
        "overview": promise_page.overview(here, promise_page.filter_of(request)),
        "incidents": found,
        "names": editor_queries.names(request.account, [f"member:{one.owner}" for one in found if one.owner]),
        "words": {one.rule: one.words for one in queries.promises(here)},
        "chart": board.proofs_over_time(here),
        "job": queries.proving(request.account.pk),
        "may_prove": may(request.member, "proof.run"),
        "may_manage": may(request.member, "settings.manage"),
    }
    return render(request, "notices/desk.html", _inside(request, here, "desk") | context)


@team("settings.manage")
@require_POST
def visibility(request: TeamRequest) -> HttpResponseBase:
    """Keep the promise page to the team, or show it to everybody."""
    private = request.POST.get("private") == "yes"
    board_actions.keep_private(request.account, request.actor.reference, private)
    messages.success(request, _("Only your team sees the promises now.") if private else _("Everybody sees the promises now."))
    return redirect("notices:desk", slug=request.account.slug)


@team("notice.read")
def incident(request: TeamRequest, incident_id: int) -> HttpResponseBase:
    """One incident: what was found, who looks after it, and what was done."""
    here = queries.published(request.account.slug)
    one = incidents.one_of(request.account, incident_id)
    steps = incidents.history_of(request.account, incident_id)
    people = [step.actor for step in steps] + [f"member:{owner}" for owner in (one.owner, *(step.owner for step in steps)) if owner]
    context = {
        "incident": one,
        "steps": steps[::-1],
        "promise": next((of for of in queries.promises(here) if of.rule == one.rule), None),
        "names": editor_queries.names(request.account, people),
        "handlers": board.handlers(request.account),
        "may_handle": may(request.member, "incidents.handle"),
    }
    return render(request, "notices/board_incident.html", _inside(request, here, "desk") | context)


@team("incidents.handle")
@require_POST
def act(request: TeamRequest, incident_id: int) -> HttpResponseBase:
    """Take an incident up, give it to somebody, write something down, or resolve it with a reason."""
    account, said = request.account, request.POST.get("said", "")
    verbs: Mapping[str, tuple[Callable[[], object], str]] = {
        "acknowledge": (partial(incidents.acknowledge, account, request.actor, incident_id), _("You have taken it up.")),
        "assign": (lambda: incidents.assign(account, request.actor, incident_id, _chosen(request)), _("Given over.")),
        "comment": (partial(incidents.comment, account, request.actor, incident_id, said), _("Written down.")),
        "resolve": (partial(incidents.resolve, account, request.actor, incident_id, said), _("Resolved.")),
    }
    what = request.POST.get("what", "")
    incidents.one_of(account, incident_id)
    if what not in verbs:
        raise BadInput(_("There is no such step."), place="what", cure=_("Use the buttons of the page."))
    verb, done = verbs[what]
    try:
        verb()
    except KeptError as refused:
        messages.error(request, f"{refused.message} {refused.cure}")
    else:
        messages.success(request, done)
    return redirect("notices:incident", slug=account.slug, incident_id=incident_id)


def _chosen(request: TeamRequest) -> Member | None:
    owner = request.POST.get("owner", "")
    return member_of(request.account, int(owner)) if owner.isdecimal() and len(owner) < 10 else None


@team("notice.read")
def gaps(request: TeamRequest) -> HttpResponseBase:
    """What rules need and this deployment does not have."""
    here = queries.published(request.account.slug)
    words = {one.rule: one.words for one in queries.promises(here)}
    context = {"gaps": board.gaps(here), "words": words, "titles": promise_page.KINDS}
    return render(request, "notices/board_gaps.html", _inside(request, here, "gaps") | context)


@team("notice.read")
def consent(request: TeamRequest) -> HttpResponseBase:
    """How people decided, purpose by purpose; counts only."""
    here = queries.published(request.account.slug)
    return render(request, "notices/board_choices.html", _inside(request, here, "consent") | {"rates": board.rates(here)})

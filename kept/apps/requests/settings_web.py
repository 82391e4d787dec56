"""“Your data” in the settings of somebody who is signed in: what they can ask of each of their accounts, as who they are."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kept.apps.requests import actions, limits, offers, private, queries
from kept.apps.requests.models import Channel, Kind
from kept.core.errors import NoNotice, Refused
from kept.platform.accounts.models import Account, User
from kept.platform.accounts.queries import account_by_slug, memberships, proved_address
from kept.platform.ui.pages import Link, Masthead, render

ONE_CLICK = (Kind.KNOW, Kind.ACCESS, Kind.PORTABILITY)
"""What can be asked without another word, and without anything to think over first."""


@login_required
@require_GET
def your_data(request: HttpRequest) -> HttpResponse:
    """The accounts somebody belongs to, and under each published notice what they can ask there."""
    user = cast(User, request.user)
    accounts = [_shown(place.account) for place in memberships(user)]
    masthead = Masthead("Kept", "/", [Link(_("Your profile"), "/settings/"), Link(_("Your data"), request.path, current=True)])
    context = {
        "masthead": masthead,
        "email": proved_address(user),
        "accounts": [one for one in accounts if one is not None],
        "one_click": ONE_CLICK,
    }
    return render(request, "requests/your_data.html", context)


def _shown(account: Account) -> dict[str, Any] | None:
    """One account; None where no notice of it is published."""
    try:
        policy = queries.offered(account)
    except NoNotice:
        return None
    groups = offers.groups(account, policy, account.region)
    return {"account": account, "groups": groups, "complaint": queries.complaint(account, account.region)}


@login_required
@require_POST
def ask(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Ask as the address one is signed in with. Raises Refused for an address that is not proved, and for the fourth time in a day."""
    account, user = account_by_slug(slug), cast(User, request.user)
    policy = queries.offered(account)
    if kind not in ONE_CLICK or not offers.has(policy, Kind(kind), account.region):
        raise Http404
    email = proved_address(user)
    if not email:
        raise Refused(_("Your address is not confirmed yet."), place="email", cure=_("Ask in the privacy centre, by a letter to it."))
    told = {"channel": Channel.SETTINGS, "proof": "sign-in", "data": queries.whose(account)}
    made = actions.ask(account, Kind(kind), email, account.region, limits.network_of(request), **told)
    if made is None:
        cure = _("What you asked for is on its way already.")
        raise Refused(_("You have asked for this several times today."), place="email", cure=cure)
    return redirect("requests:status", account.slug, private.open_private(made).page)

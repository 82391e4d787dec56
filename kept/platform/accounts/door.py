"""The door of an account's pages: who is there, of which account, and may they."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from http import HTTPStatus
from typing import Concatenate, ParamSpec, Protocol, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member, User
from kept.platform.accounts.queries import membership
from kept.platform.accounts.roles import Capability, require

P = ParamSpec("P")


class TeamRequest(HttpRequest):
    """A request that came through `team`."""

    user: User
    account: Account
    member: Member
    actor: Actor


TeamView = Callable[Concatenate[TeamRequest, P], HttpResponseBase]


class SlugView(Protocol[P]):
    """What `team` makes of a view, for the addresses under ``<slug:slug>/``."""

    def __call__(self, request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase: ...


def team(capability: Capability) -> Callable[[TeamView[P]], SlugView[P]]:
    """Open a page at ``/<slug>/…`` to members whose role has the capability; the view takes the request without the slug.

    Signed out: to the sign-in page and back. Not a member: `NotFound`, as for an account that does not exist. Role too
    small: `NotPermitted`. The wrapped view carries `capability`, so that a test can walk every address.
    """

    def door(view: TeamView[P]) -> SlugView[P]:
        def opened(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request, slug)
            member = membership(request.user, slug)
            require(member, capability)
            within = cast(TeamRequest, request)
            within.account, within.member, within.actor = member.account, member, member.actor
            return view(within, *args, **kwargs)

        update_wrapper(opened, view)
        opened.__dict__["capability"] = capability
        return opened

    return door


def _to_sign_in(request: HttpRequest, slug: str) -> HttpResponse:
    """To the sign-in page and back; for what cannot be asked again by its address, back to the account."""
    fragment = "HX-Request" in request.headers
    back = request.get_full_path() if request.method in ("GET", "HEAD") and not fragment else f"/{slug}/"
    address = f"{reverse('account_login')}?{urlencode({'next': back})}"
    if fragment:  # a redirect would put the sign-in page inside the fragment that was asked for
        return HttpResponse(status=HTTPStatus.OK, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)

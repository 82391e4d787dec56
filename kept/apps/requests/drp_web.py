"""The addresses of the Data Rights Protocol. Programs speak here: no cookie, no session, and every refusal in the protocol's own shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kept.apps.requests import drp, drp_actions
from kept.apps.requests.models import Agent
from kept.platform.accounts.queries import account_by_slug

View = Callable[..., HttpResponse]


def _speaks(view: View) -> View:
    """Answer faults as section 3.06 writes them."""

    @csrf_exempt
    @wraps(view)
    def speaking(request: HttpRequest, slug: str, **given: str) -> HttpResponse:
        try:
            return view(request, slug, **given)
        except drp.Fault as fault:
            return JsonResponse(fault.as_dict(), status=fault.status)

    return speaking


def _bearer(request: HttpRequest, slug: str) -> Agent:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise drp.Fault(403, "A bearer token is needed: pair first.")
    return drp_actions.agent_of(account_by_slug(slug), token=token.strip())


@_speaks
@require_POST
def exercise(request: HttpRequest, slug: str) -> HttpResponse:
    """An agent asks for somebody."""
    account, agent = account_by_slug(slug), _bearer(request, slug)
    return JsonResponse(drp_actions.status(account, drp_actions.exercise(account, agent, request.body)))


@_speaks
@require_http_methods(["GET", "DELETE"])
def one(request: HttpRequest, slug: str, request_id: str) -> HttpResponse:
    """How a request of the agent's own stands; or it is taken back."""
    account, agent = account_by_slug(slug), _bearer(request, slug)
    found = drp_actions.request_of(account, agent, request_id)
    if request.method == "DELETE":
        found = drp_actions.revoke(account, agent, found, request.body)
    return JsonResponse(drp_actions.status(account, found))


@_speaks
@require_http_methods(["GET", "POST"])
def agent(request: HttpRequest, slug: str, agent_id: str) -> HttpResponse:
    """Pairing, which answers every failure with 403 and nothing else; or whether the token still holds."""
    account = account_by_slug(slug)
    if request.method == "POST":
        try:
            token = drp_actions.pair(account, agent_id, request.body)
        except drp.Fault:
            return HttpResponse(status=403)
        return JsonResponse({"agent-id": agent_id, "token": token})
    if _bearer(request, slug).identifier != agent_id:
        raise drp.Fault(403, "This token is another agent's.")
    return JsonResponse({})


@require_GET
def business(request: HttpRequest, slug: str) -> HttpResponse:
    """The account's entry for a directory of businesses."""
    return JsonResponse(drp_actions.directory_entry(account_by_slug(slug)))

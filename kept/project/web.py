"""The two addresses that belong to no room."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse

from kept.platform.accounts.door import TeamRequest, team
from kept.platform.ui.shell import shell


@team("records.read")
def home(request: TeamRequest) -> HttpResponseBase:
    """An account's own address leads into its first room."""
    return HttpResponseRedirect(shell(request, "", "").home_url)


def health(request: HttpRequest) -> HttpResponse:
    """For a load balancer: this process serves."""
    return JsonResponse({"serving": True})

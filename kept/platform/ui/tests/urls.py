"""Addresses that end in each kind of error, for the tests of the middleware."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from kept.core import errors
from kept.platform.ui.pages import render
from kept.platform.ui.tests.gallery import MASTHEAD

handler400 = "kept.platform.ui.errors.bad_request"
handler403 = "kept.platform.ui.errors.forbidden"
handler404 = "kept.platform.ui.errors.not_found"
handler500 = "kept.platform.ui.errors.server_error"

RAISED: dict[str, Exception] = {
    "withheld": errors.Withheld("Email is closed here.", place="people.email", cure="Choose another purpose.", rule="limit:email"),
    "drift": errors.GuardDrift("A policy is missing."),
    "missing": Http404(),
    "denied": PermissionDenied(),
    "broken": ZeroDivisionError("secret detail"),
}


def fail(request: HttpRequest, kind: str) -> HttpResponse:
    """Raises what the address names."""
    raise RAISED[kind]


def show(request: HttpRequest) -> HttpResponse:
    """A page that renders."""
    context: dict[str, Any] = {"masthead": MASTHEAD}
    return render(request, "ui/reading.html", context)


urlpatterns = [path("fail/<kind>/", fail), path("show/", show)]

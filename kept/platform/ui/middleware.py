"""What every response carries: the content security policy and its kin, errors in their one form, messages for fragments."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from kept.core.errors import KeptError
from kept.platform.ui.errors import respond

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=(), browsing-topics=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Pages hold personal data: no shared or leftover copy, unless a view says otherwise.
    "Cache-Control": "private, no-store",
}


def headers(get_response: GetResponse) -> GetResponse:
    """Outermost: a fresh nonce for the request, the security headers for whatever answers it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        nonce = secrets.token_urlsafe(18)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


class Errors:
    """A KeptError that leaves a view becomes its page or its JSON; those of our own making are logged."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django calls this for an exception that a view let out."""
        if not isinstance(exception, KeptError):
            return None
        if exception.status >= 500:
            log.error("%s at %s", exception.code, exception.place or "?", exc_info=exception)
        return respond(request, exception)


def toasts(get_response: GetResponse) -> GetResponse:
    """Inside Django's message middleware: a fragment has no page to show messages on, so they travel in a header."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if is_fragment(request) and response.status_code == 200 and not response.has_header("HX-Redirect"):
            waiting = [{"text": str(message.message), "level": message.level_tag} for message in get_messages(request)]
            if waiting:
                response["HX-Trigger"] = json.dumps({"kept:toasts": waiting})
        return response

    return middleware


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page, not for a page."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")

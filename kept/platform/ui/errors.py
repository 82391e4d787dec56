"""Every error as one JSON shape for programs, one page for people: what happened, what it means, what to do."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from kept.core import errors


class Words(NamedTuple):
    """What a person reads about one kind of error; the error's own cure takes the place of `cure`."""

    what: Promise
    meaning: Promise
    cure: Promise


WORDS: dict[type[errors.KeptError], Words] = {
    errors.KeptError: Words(
        later("Something went wrong here"),
        later("The fault is ours. Nothing of what you asked for was done by halves."),
        later("Try again in a minute. If it happens again, tell whoever runs this service and at what time it happened."),
    ),
    errors.BadInput: Words(
        later("This could not be read"),
        later("What came in is incomplete or has a form that we cannot use. Nothing was changed."),
        later("Go back, correct it and send it again."),
    ),
    errors.Refused: Words(
        later("This is not allowed"),
        later("The privacy notice of this account stands against it. The refusal is enforced by the database itself."),
        later("Ask whoever looks after the privacy notice whether this purpose should be declared."),
    ),
    errors.RoomClosed: Words(
        later("This room is closed"),
        later("The privacy notice declares no purpose that opens it, so it holds and shows no data."),
        later("To open it, the notice must first declare such a purpose."),
    ),
    errors.NotPermitted: Words(
        later("Your role does not include this"),
        later("Others in your team may do it. Nothing was changed."),
        later("Ask an owner of the account to do it, or to change your role."),
    ),
    errors.NotFound: Words(
        later("There is nothing here"),
        later("The address is wrong, or what stood here is gone, or it belongs to another account."),
        later("Check the address, or begin from the start page."),
    ),
    errors.Conflict: Words(
        later("Something came in between"),
        later("It changed while you worked on it, or the same work is under way already. Nothing was overwritten."),
        later("Load the page again and look at what changed."),
    ),
    errors.Closed: Words(
        later("Closed until this is mended"),
        later("A safeguard does not stand as it should. Until it does, no data is served to anybody."),
        later("Tell whoever runs this service."),
    ),
    errors.NoNotice: Words(
        later("No privacy notice is in force"),
        later("Without a notice nothing says what data may be used for, so none is shown."),
        later("Activate a notice for this account."),
    ),
}


def words(error: errors.KeptError) -> Words:
    """The words of the nearest class of the error tree that has some."""
    return next(WORDS[kind] for kind in type(error).__mro__ if kind in WORDS)


def respond(request: HttpRequest, error: errors.KeptError) -> HttpResponse:
    """The error as JSON for programs and htmx, as a page for people.

    The page is rendered without the request: it must stand even where session and database do not.
    """
    if wants_json(request):
        return JsonResponse(error.as_dict(), status=error.status)
    said = words(error)
    context = {
        "status": error.status,
        "what": said.what,
        "message": error.message,
        "meaning": said.meaning,
        "cure": error.cure or said.cure,
        "place": error.place,
        "rule": error.rule,
    }
    return HttpResponse(engines["jinja2"].get_template("ui/error.html").render(context), status=error.status)


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: htmx, a JSON body, or JSON preferred over HTML."""
    if request.headers.get("HX-Request") or request.content_type == "application/json":
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return respond(request, errors.BadInput(_("The request is malformed.")))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return respond(request, errors.NotPermitted(_("You may not open this page.")))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return respond(request, errors.NotFound(_("No page stands at this address.")))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return respond(request, errors.KeptError(_("The page could not be made.")))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    error = errors.NotPermitted(
        _("The form could not be tied to your visit."),
        cure=_("Load the page again and send the form once more. Cookies must be allowed for this address."),
    )
    return respond(request, error)

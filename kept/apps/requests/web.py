"""What the public pages of this room have in common, and the demonstration's mailbox. Its doors: centre_web, status_web, settings_web."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from kept.apps.requests import outbox, queries
from kept.platform.accounts.models import Account
from kept.platform.ui.announced import banner
from kept.platform.ui.pages import Link, Masthead, render


def _masthead(account: Account, current: str = "") -> Masthead:
    centre = reverse("requests:centre", args=[account.slug])
    links = [Link(_("Privacy notice"), f"/{account.slug}/notice/"), Link(_("Your data"), centre, current=current == "centre")]
    return Masthead(account.name, centre, links, banner(account))


def page(
    request: HttpRequest, template: str, account: Account, context: dict[str, Any], *, current: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    """A public page of an account; only the centre itself is for search engines."""
    known = {"account": account, "masthead": _masthead(account, current), "complaint": queries.complaint(account)}
    response = render(request, f"requests/{template}", {**known, **context}, status=status)
    if current != "centre":
        response["X-Robots-Tag"] = "noindex"
    return response


def attachment(content: bytes, name: str, kind: str) -> HttpResponse:
    """A file to keep, which nothing on the way keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    return HttpResponse(content, content_type=kind, headers=headers)


# The demonstration's mailbox


def _demo() -> Masthead:
    if not settings.DEMO:
        raise Http404
    return Masthead("Kept", "/", [Link(_("Mailbox"), reverse("requests:outbox"), current=True)])


@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """The letters in the outbox folder, so that whoever tries the demonstration can read a person's mail."""
    masthead = _demo()
    found = [
        {"id": number, "subject": mail["Subject"], "to": mail["To"], "at": mail["Date"].datetime}
        for number, mail in outbox.letters_in_folder()
    ]
    return render(request, "requests/outbox.html", {"masthead": masthead, "letters": found})


@require_GET
def letter(request: HttpRequest, message_id: int) -> HttpResponse:
    """One of them."""
    masthead = _demo()
    mail = next((mail for number, mail in outbox.letters_in_folder() if number == message_id), None)
    if mail is None:
        raise Http404
    body = mail.get_body(("plain",))
    shown = {
        "subject": mail["Subject"],
        "to": mail["To"],
        "sender": mail["From"],
        "text": body.get_content().replace("\r\n", "\n") if body else "",
    }
    return render(request, "requests/message.html", {"masthead": masthead, "letter": shown})

"""The public privacy centre: asking, proving it was you, the page of a request, and what can be fetched there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kept.apps.requests import actions, choosing, forms, limits, outbox, progress, queries, words
from kept.apps.requests.models import Kind, State
from kept.core.errors import NotFound
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug
from kept.platform.privacy import ledger
from kept.platform.privacy.versions import offering
from kept.platform.ui.announced import banner
from kept.platform.ui.pages import Link, Masthead, render


def _masthead(account: Account, current: str = "") -> Masthead:
    centre = reverse("requests:centre", args=[account.slug])
    links = [Link(_("Privacy notice"), f"/{account.slug}/notice/"), Link(_("Your data"), centre, current=current == "centre")]
    return Masthead(account.name, centre, links, banner(account))


def _page(
    request: HttpRequest, template: str, account: Account, context: dict[str, Any], *, current: str = "", status: int = 200
) -> HttpResponse:
    known = {"account": account, "masthead": _masthead(account, current), "complaint": queries.complaint(account)}
    response = render(request, f"requests/{template}", {**known, **context}, status=status)
    if current != "centre":
        response["X-Robots-Tag"] = "noindex"
    return response


def _offered(account: Account) -> list[Kind]:
    """What can be asked for by button here: what the notice grants."""
    policy = offering(account.pk)
    return [kind for kind in Kind if kind != Kind.OPT_IN_SALE and (kind == Kind.CHOICES or queries.right_of(policy, kind, account.region))]


@require_GET
def centre(request: HttpRequest, slug: str) -> HttpResponse:
    """What one can ask, and where to begin."""
    account = account_by_slug(slug)
    context = {
        "doors": [(kind.value, words.title(kind), words.says(kind, account.name), words.WORDS[kind].icon) for kind in _offered(account)]
    }
    return _page(request, "centre.html", account, context, current="centre")


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Give an address. The answer is the same whether we know it or not."""
    account = account_by_slug(slug)
    if kind not in _offered(account):
        raise Http404
    policy, asked = offering(account.pk), Kind(kind)
    form = forms.AskForm(request.POST or None, regions=forms.regions(policy.notice.regions(), account.region))
    if request.method == "POST" and form.is_valid():
        region = form.cleaned_data.get("region") or account.region
        actions.ask(account, asked, form.cleaned_data["email"], region, limits.network_of(request))
        return redirect("requests:sent", account.slug)
    title, text = words.title(asked), words.says(asked, account.name)
    right = queries.right_of(policy, kind, account.region)
    within = str(right.within) if right is not None and right.within is not None and asked != Kind.CHOICES else ""
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return _page(request, "ask.html", account, {"form": form, "title": title, "text": text, "within": within}, status=status)


@require_GET
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """Look into your mail."""
    return _page(request, "sent.html", account_by_slug(slug), {"demo": settings.DEMO and not settings.SMTP_URL})


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, slug: str, link: str) -> HttpResponse:
    """The mailed link. Opening it does nothing: programs that scan mail open links too."""
    account = account_by_slug(slug)
    if request.method == "POST":
        try:
            return redirect("requests:status", account.slug, actions.confirm(account, link))
        except NotFound:
            return _page(request, "confirm.html", account, {"kind": ""}, status=HTTPStatus.GONE)
    found = queries.by_link(account.pk, link)
    if found is None:
        return _page(request, "confirm.html", account, {"kind": ""}, status=HTTPStatus.GONE)
    says = _("Somebody %(asked)s.") % {"asked": words.asked(found.kind, account.name)}
    return _page(request, "confirm.html", account, {"kind": found.kind, "says": says})


@require_GET
def status(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The page of one request, like that of a parcel."""
    account = account_by_slug(slug)
    found = queries.by_page(account.pk, token)
    shown = progress.shown(account, found)
    _key, public = ledger.signing_key(account.pk)
    key_url = settings.SITE + reverse("requests:ledger-key", args=[account.slug])
    context = {
        "token": token,
        "switches": choosing.switches(account, found) if found.kind == Kind.CHOICES and found.state == State.READY else [],
        "key_url": key_url,
        "commands": f"curl -O {key_url}\nkept verify kept-certificate.json --key ledger-key.pem",
        "key_id": public.id,
        "complaint": queries.complaint(account, found.region),
        **shown,
    }
    return _page(request, "status.html", account, context)


@require_POST
def package(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The copy itself. By POST, so that no program that follows links fetches it."""
    account = account_by_slug(slug)
    found = queries.by_page(account.pk, token)
    return attachment(actions.fetch_package(account, found, actions.person(found)), "your-data.zip", "application/zip")


@require_GET
def certificate(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The certificate, byte for byte as it verifies."""
    account = account_by_slug(slug)
    found = queries.by_page(account.pk, token)
    return attachment(actions.fetch_certificate(account, found), "kept-certificate.json", "application/json")


def attachment(content: bytes, name: str, kind: str) -> HttpResponse:
    """A file to keep, which nothing on the way keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    return HttpResponse(content, content_type=kind, headers=headers)


@require_POST
def choose(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Turn one use on or off, at once."""
    account = account_by_slug(slug)
    found = queries.by_page(account.pk, token)
    choosing.choose(account, found, request.POST.get("purpose", ""), on=bool(request.POST.get("on")))
    return redirect("requests:status", account.slug, token)


@require_GET
def ledger_key(request: HttpRequest, slug: str) -> HttpResponse:
    """The public key that the account's ledger is signed with."""
    account = account_by_slug(slug)
    _key, public = ledger.signing_key(account.pk)
    headers = {"Cache-Control": "public, max-age=3600", "Content-Disposition": 'inline; filename="ledger-key.pem"'}
    return HttpResponse(public.to_pem(), content_type="application/x-pem-file", headers=headers)


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

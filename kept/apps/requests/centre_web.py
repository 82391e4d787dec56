"""The privacy centre: what can be asked, asking it, and proving by the mailed link that it was you."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kept.apps.requests import actions, attachments, limits, offers, phrases, private, queries, regions, words
from kept.apps.requests.asking import AskForm
from kept.apps.requests.models import Channel, Kind, Request
from kept.apps.requests.status_web import looked_at
from kept.apps.requests.talking import File
from kept.apps.requests.web import page
from kept.core.errors import BadInput, NotFound, Refused
from kept.core.notice.deadlines import Offers
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug, proved_address
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping


@require_GET
def centre(request: HttpRequest, slug: str) -> HttpResponse:
    """What one can ask where one lives, with all there is to know of it, and where to begin."""
    account = account_by_slug(slug)
    policy = queries.offered(account)
    region = _region(request, account, policy)
    fair = offers.fairness(policy, region)
    context = {
        "groups": offers.groups(account, policy, region),
        "regions": regions.told_apart(policy.notice, account.region),
        "region": region,
        "fair": fair,
        "others": offers.others_data(account) if queries.whose(account) == "customer" else None,
        "contacts": phrases.contacts(policy.notice.identity_in(region), ("email", "phone", "post")),
        "complaint": queries.complaint(account, region),
    }
    return page(request, "centre.html", account, context, current="centre")


def _region(request: HttpRequest, account: Account, policy: Offers) -> str:
    """Where somebody says that they live, as far as it is told apart here; else where the account is at home."""
    said = request.POST.get("region") or request.GET.get("region", "")
    return said if said in dict(regions.told_apart(policy.notice, account.region)) else account.region


def _kind(policy: Offers, kind: str) -> Kind:
    """The kind named in the address. Raises Http404 for one that is offered nowhere."""
    places = ("", *policy.notice.regions())
    if kind not in Kind.values or not any(offers.has(policy, Kind(kind), one) for one in places):
        raise Http404
    return Kind(kind)


def known_address(request: HttpRequest) -> str:
    """The proved address of whoever is signed in, unless they ask for another; empty for everybody else."""
    if not request.user.is_authenticated or request.GET.get("as") == "other":
        return ""
    return proved_address(request.user)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Ask. The answer is the same whether we know the address or not."""
    account = account_by_slug(slug)
    policy = queries.offered(account)
    asked, region = _kind(policy, kind), _region(request, account, policy)
    if not offers.has(policy, asked, region):
        cure = _("See what can be asked for there in the privacy centre.")
        raise NotFound(_("The notice offers this in other places than where you live."), place=regions.name(region), cure=cure)
    known = known_address(request)
    form = AskForm(request.POST or None, request.FILES or None, asking=offers.asking_of(account, policy, asked, region, known))
    if request.method == "POST" and form.is_valid():
        try:
            return _taken(request, account, policy, form)
        except (BadInput, Refused) as error:
            form.add_error(None, f"{error.message} {error.cure}")
    offer = offers.offer(account, policy, asked, region)
    data = queries.whose(account)
    context = {
        "form": form,
        "parts": form.parts(),
        "offer": offer,
        "known": known,
        "agent": offers.agent(form.asking.right),
        "stays": _stays(form.asking.right, asked),
        "next": offers.follows(account, policy, asked, region, data=data) if not known else "",
        "region": region,
        "complaint": queries.complaint(account, region),
    }
    return page(request, "ask.html", account, context, status=HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK)


def _stays(right: RightTerms | None, kind: str) -> str:
    """What an erasure may have to leave, which one reads before one asks, and again before one says yes."""
    return offers.exceptions(right) if right is not None and right.body.except_ and kind == Kind.ERASE else ""


def _taken(request: HttpRequest, account: Account, policy: Offers, form: AskForm) -> HttpResponse:
    """Take in a request that is filled in. Raises BadInput, Refused for what cannot be taken."""
    kind, region, told = form.asking.kind, form.asking.region, form.told()
    capacity = form.cleaned_data.get("capacity", "")
    if offers.outside(form.asking.right, capacity):
        wider = offers.general(policy, kind, capacity, account)
        if wider is None:
            return _outside(request, account, form, capacity)
        region = wider
    told |= {"data": queries.whose(account)} if "data" not in told else {}
    known, files = form.asking.known, looked_at(form.files_told())
    if known:
        told |= {"channel": Channel.SETTINGS, "proof": "sign-in"}
    made = actions.ask(account, kind, form.email, region, limits.network_of(request), **told)
    if made is not None:
        attach(made, files)
        if known:
            return redirect("requests:status", account.slug, private.open_private(made).page)
    follows = offers.follows(account, policy, kind, region, data=told["data"], by=told["by"])
    if known:
        raise BadInput(
            _("You have asked for this several times today."), place="email", cure=_("What you asked for is on its way already.")
        )
    return redirect(sent_address(account, kind, region, follows, capacity))


def attach(request: Request, files: Sequence[File]) -> None:
    """Keep files with a request. Raises BadInput where there are too many."""
    for what, name, content in files:
        with bookkeeping(request.account_id, writing=True) as use:
            attachments.add(use, request, what, name, content)


def _outside(request: HttpRequest, account: Account, form: AskForm, capacity: str) -> HttpResponse:
    """The stated answer to somebody whom the right leaves out, and to whom the notice gives nothing in its place."""
    right = form.asking.right
    context = {
        "title": words.title(form.asking.kind),
        "promise": right.rule.promise if right is not None else "",
        "who": phrases.said(phrases.OUTSIDE, capacity),
        "complaint": queries.complaint(account, form.asking.region),
    }
    return page(request, "outside.html", account, context)


def sent_address(account: Account, kind: Kind, region: str, follows: offers.Follows, capacity: str = "") -> str:
    """Where one reads what comes next: without a word about who asked, so that it tells nobody anything."""
    address = reverse("requests:sent", args=[account.slug])
    if follows == "letter" and not capacity:
        return address
    told = {"kind": kind.value, "region": region, "next": follows} | ({"as": capacity} if capacity else {})
    return f"{address}?{urlencode(told)}"


@require_GET
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """What comes next: look into your mail, or nothing more to do."""
    account = account_by_slug(slug)
    policy, kind, region = queries.offered(account), request.GET.get("kind", ""), request.GET.get("region", "")
    known = kind in Kind.values and offers.has(policy, Kind(kind), region)
    right = queries.right_of(policy, kind, region) if known else None
    role, capacity = offers.others_data(account), request.GET.get("as", "")
    context = {
        "demo": settings.DEMO and not settings.SMTP_URL,
        "next": request.GET.get("next", "letter") if known else "letter",
        "offer": offers.offer(account, policy, Kind(kind), region) if known else None,
        "consequence": (right.body.consequence or "") if right is not None else "",
        "to": (role.to or "") if role is not None else "",
        "outside": phrases.said(phrases.OUTSIDE, capacity) if capacity in phrases.CAPACITIES else "",
        "contacts": phrases.contacts(policy.notice.identity_in(region), ("email", "phone", "post")),
    }
    return page(request, "sent.html", account, context)


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, slug: str, link: str) -> HttpResponse:
    """The mailed link. Opening it does nothing: programs that scan mail open links too."""
    account = account_by_slug(slug)
    if request.method == "POST":
        try:
            return redirect("requests:status", account.slug, actions.confirm(account, link))
        except NotFound:
            return page(request, "confirm.html", account, {"kind": ""}, status=HTTPStatus.GONE)
    found = queries.by_link(account.pk, link)
    if found is None:
        return page(request, "confirm.html", account, {"kind": ""}, status=HTTPStatus.GONE)
    right = queries.right_of(queries.offered(account), found.kind, found.region)
    agent = private.open_private(found).details.get("agent", "")
    asked = words.asked(found.kind, account.name)
    context = {
        "kind": found.kind,
        "says": _("%(who)s %(asked)s.") % {"who": agent or _("Somebody"), "asked": asked},
        "agent": agent,
        "consequence": (right.body.consequence or "") if right is not None else "",
        "exceptions": _stays(right, found.kind),
    }
    return page(request, "confirm.html", account, context)


@require_GET
def ledger_key(request: HttpRequest, slug: str) -> HttpResponse:
    """The public key that the account's ledger is signed with."""
    account = account_by_slug(slug)
    _key, public = ledger.signing_key(account.pk)
    headers = {"Cache-Control": "public, max-age=3600", "Content-Disposition": 'inline; filename="ledger-key.pem"'}
    return HttpResponse(public.to_pem(), content_type="application/x-pem-file", headers=headers)

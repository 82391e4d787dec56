"""Pages of the tables and exports of a notice, and what stands at well-known addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from kept.apps.notices import exports, published, queries, tables, well_known
from kept.apps.notices.queries import Published
from kept.apps.notices.web import _public
from kept.core.notice.exports import dpv, fides
from kept.platform.accounts.models import User
from kept.platform.ui.pages import render

INDENT = {"indent": 2}
HOUR = {"Cache-Control": "public, max-age=3600"}


def _open(request: HttpRequest, slug: str, name: tables.Name) -> Published:
    here = queries.published(slug)
    tables.require_open(here, name, request.user if isinstance(request.user, User) else None)
    return here


def _page(request: HttpRequest, here: Published, name: str, context: dict[str, Any]) -> HttpResponse:
    open_to_all = name in tables.published_with(here.notice)
    return render(request, f"notices/table_{name}.html", _public(here, "notice") | {"open_to_all": open_to_all} | context)


# Tables


@require_GET
def california(request: HttpRequest, slug: str) -> HttpResponse:
    """The table for California: as declared, and as it happened in the last twelve months."""
    here = _open(request, slug, "california")
    found = tables.california(here)
    terms = here.notice.vocabulary["category"]
    titles = {one.category: terms[one.category].title if one.category in terms else one.category for one in found.table.differences}
    purposes = {one.id: one.title for one in here.policy.purposes.values()}
    return _page(request, here, "california", {"found": found, "titles": titles, "purposes": purposes})


@require_GET
def processing(request: HttpRequest, slug: str) -> HttpResponse:
    """The record of processing activities."""
    here = _open(request, slug, "processing")
    return _page(request, here, "processing", {"record": tables.processing(here)})


@require_GET
def workbook(request: HttpRequest, slug: str) -> HttpResponse:
    """The record of processing as a workbook."""
    here = _open(request, slug, "processing")
    headers = {"Content-Disposition": f'attachment; filename="{slug}-record-of-processing.xlsx"'}
    return HttpResponse(exports.workbook(tables.processing(here), here.version.activated_at), content_type=exports.XLSX, headers=headers)


@require_GET
def subprocessors(request: HttpRequest, slug: str) -> HttpResponse:
    """Who works for us, and what changed among them."""
    here = _open(request, slug, "subprocessors")
    news = tables.subprocessor_news(here.account)
    return _page(request, here, "subprocessors", {"processors": tables.subprocessors(here), "news": news})


@require_GET
def subprocessor_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """The same changes as an Atom feed: what is announced has the date from which it holds."""
    here = _open(request, slug, "subprocessors")
    address = settings.SITE + reverse("notices:subprocessors", args=[slug])
    made = Atom1Feed(
        title=_("%(account)s: who works for us") % {"account": here.account.name},
        link=address,
        description="",
        feed_url=settings.SITE + reverse("notices:subprocessor-feed", args=[slug]),
        author_name=here.account.name,
    )
    titles = {"added": _("%(name)s comes"), "changed": _("%(name)s changes"), "removed": _("%(name)s goes")}
    for one in tables.subprocessor_news(here.account):
        when = _("From %(day)s.") if one.coming else _("Since %(day)s.")
        says = [
            when % {"day": one.since.date().isoformat()},
            f"{one.change.processor.recipient_class}: {', '.join(one.change.processor.purposes)}.",
        ]
        made.add_item(
            title=titles[one.change.kind] % {"name": one.change.processor.name},
            link=f"{address}#{one.id}",
            unique_id=f"urn:sha256:{one.digest}:{one.id}",
            description=" ".join(says),
            pubdate=one.decided,
            updateddate=one.decided if one.coming else one.since,
        )
    return HttpResponse(made.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@require_GET
def cookies(request: HttpRequest, slug: str) -> HttpResponse:
    """What cookies and other trackers gather, and the choices."""
    here = _open(request, slug, "cookies")
    region = queries.known_region(here.notice, request.GET.get("region", ""))
    context = {"trackers": tables.cookies(here, region), "region": region, "regions": published.regions(here.notice)}
    return _page(request, here, "cookies", context)


# Exports


def _notice_url(slug: str) -> str:
    return str(settings.SITE + reverse("notices:notice", args=[slug]))


@require_GET
def jsonld(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice in the Data Privacy Vocabulary."""
    here = queries.published(slug)
    return JsonResponse(dpv.document(here.policy, _notice_url(slug)), content_type="application/ld+json", json_dumps_params=INDENT)


@require_GET
def fides_manifest(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice as a manifest of Fides. JSON is YAML."""
    here = queries.published(slug)
    found = fides.manifest(here.policy, _notice_url(slug))
    return JsonResponse(found, content_type="application/yaml", json_dumps_params=INDENT)


# Well-known addresses: with a slug of that account, without one of the account that speaks for the host

Answer = Callable[[Published, str], HttpResponse]


def _at(request: HttpRequest, slug: str, answer: Answer) -> HttpResponse:
    own = urlsplit(settings.SITE).hostname or ""
    here = queries.published(slug) if slug else well_known.of_host(request.get_host(), own)
    response = answer(here, here.account.slug)
    response["Cache-Control"] = HOUR["Cache-Control"]
    return response


@require_GET
def gpc(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Whether the Global Privacy Control is honoured."""
    return _at(request, slug, lambda here, _slug: JsonResponse(well_known.gpc(here)))


@require_GET
def security(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Where to report what threatens security."""

    def answer(here: Published, name: str) -> HttpResponse:
        canonical = settings.SITE + (reverse("notices:security-txt", args=[slug]) if slug else reverse("notices:host-security-txt"))
        return HttpResponse(well_known.security(here, canonical, _notice_url(name)), content_type="text/plain; charset=utf-8")

    return _at(request, slug, answer)


@require_GET
def machine(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The notice for machines."""

    def answer(here: Published, name: str) -> HttpResponse:
        names = {"notice": "notice", "text": "source", "dpv": "jsonld", "fides": "fides", "key": "ledger-key"}
        names |= {"head": "ledger-head", "consistency": "ledger-consistency"}
        addresses = {word: settings.SITE + reverse(f"notices:{address}", args=[name]) for word, address in names.items()}
        return JsonResponse(well_known.machine(here, addresses), json_dumps_params=INDENT)

    return _at(request, slug, answer)


@require_GET
def ledger_key(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The public key that the ledger is signed with."""
    return _at(request, slug, lambda here, _slug: HttpResponse(well_known.key(here), content_type="application/x-pem-file"))

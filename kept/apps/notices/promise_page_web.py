"""The public page of the promises, and the evidence for each."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from kept.apps.notices import promise_page, queries
from kept.apps.notices.web import _public
from kept.platform.privacy import proofs
from kept.platform.ui.pages import render


@require_GET
def promises(request: HttpRequest, slug: str) -> HttpResponse:
    """Every promise, how it stands, and how it stood."""
    here = queries.published(slug)
    promise_page.require_open(request, here.account)
    found = promise_page.overview(here, promise_page.filter_of(request))
    return render(request, "notices/promises.html", _public(here, "promises") | {"overview": found})


@require_GET
def evidence(request: HttpRequest, slug: str, rule: str) -> HttpResponse:
    """The newest proof of one rule, as a file to keep and to verify."""
    here = queries.published(slug)
    promise_page.require_open(request, here.account)
    name = rule.replace(":", "-").replace("@", "-")
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{name}.json"'}
    return JsonResponse(proofs.evidence(here.account.pk, rule), json_dumps_params={"indent": 2}, headers=headers)

"""The figures of a year, to read and to hand in."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from kept.apps.requests import metrics, outcomes
from kept.apps.requests.desk import page
from kept.apps.requests.metrics import FACETS, Facet, Row, Year
from kept.apps.requests.models import Channel, Kind
from kept.core.errors import BadInput
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.ui.pages import Link

COLUMNS = ("received", "complied", "whole", "part", "nothing", "denied", "other", "open", "mean_days", "median_days")


def _year(request: TeamRequest) -> Year:
    text = request.GET.get("year", "") or str(timezone.localdate().year)
    if not text.isdecimal():
        raise BadInput(_("This is no year."), place="year", cure=_("Write it as 2026."))
    with bookkeeping(request.account.pk) as use:
        return metrics.year_of(use, int(text))


def name(facet: Facet, of: str) -> str:
    """A group in words."""
    if facet == "kind":
        return capfirst(str(Kind(of).label))
    if facet == "channel":
        return capfirst(str(Channel(of).label))
    return of or _("none named")


@team("requests.handle")
@require_GET
def show(request: TeamRequest) -> HttpResponseBase:
    """The figures, on a page."""
    found = _year(request)
    with bookkeeping(request.account.pk) as use:
        years = metrics.years(use)
    titles = {
        "kind": (_("By what was asked"), _("Asked for")),
        "rule": (_("By rule"), _("Rule")),
        "region": (_("By region"), _("Region")),
        "channel": (_("By how it came in"), _("Came by")),
    }
    address = reverse("requests:metrics", args=[request.account.slug])
    context: dict[str, Any] = {
        "found": found,
        "years": [Link(str(one), f"{address}?year={one}", one == found.year) for one in years],
        "tables": [(facet, *titles[facet], [(name(facet, one.of), one) for one in found.rows[facet]]) for facet in FACETS],
        "reasons": [(outcomes.name_of(why), count) for why, count in found.reasons.items()],
    }
    return page(request, "metrics.html", context, here="metrics")


@team("requests.handle")
@require_GET
def as_json(request: TeamRequest) -> HttpResponseBase:
    """The figures as JSON."""
    found = _year(request)
    return JsonResponse({"account": request.account.name, **found.document()}, headers=_file(found, "json"))


@team("requests.handle")
@require_GET
def as_csv(request: TeamRequest) -> HttpResponseBase:
    """The figures as CSV: one line for each group."""
    found, out = _year(request), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("year", "by", "of", *COLUMNS))
    writer.writerow((found.year, "total", "", *_cells(found.total)))
    writer.writerows((found.year, facet, one.of, *_cells(one)) for facet in FACETS for one in found.rows[facet])
    writer.writerows((found.year, "denied because", why, count) for why, count in found.reasons.items())
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=_file(found, "csv"))


def _cells(one: Row) -> tuple[Any, ...]:
    days = tuple("" if value is None else value for value in (one.mean, one.median))
    return (one.received, one.complied, one.whole, one.part, one.nothing, one.denied, one.other, one.open, *days)


def _file(found: Year, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="requests-{found.year}.{ending}"'}

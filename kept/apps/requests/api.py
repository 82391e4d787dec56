"""Asking as a program: the same questions as the privacy centre's forms, with the same proof to follow. Nobody needs a key for it, and
nobody learns from the answer whether anybody is known here.

GET lists what can be asked for and what each takes; POST asks, in a JSON object with `kind` and the fields listed.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from kept.apps.requests import actions, limits, offers, queries
from kept.apps.requests.asking import AskForm
from kept.apps.requests.models import Channel, Kind
from kept.core.errors import BadInput, NotFound
from kept.core.notice.deadlines import Offers
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug

MOST_BYTES = 64 * 1024


@csrf_exempt
@require_http_methods(["GET", "POST"])
def requests(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be asked for; or asking. 202 says that it was taken in, and what comes next."""
    account = account_by_slug(slug)
    policy = queries.offered(account)
    if request.method == "GET":
        region = request.GET.get("region", account.region)
        kinds = [kind for kind in Kind if offers.has(policy, kind, region)]
        return JsonResponse({"account": account.slug, "region": region, "offers": [_listed(account, policy, one, region) for one in kinds]})
    told = _read(request)
    kind, region = str(told.pop("kind", "")), str(told.get("region") or account.region)
    if kind not in Kind.values or not offers.has(policy, Kind(kind), region):
        raise NotFound(_("The notice offers no such right here."), place="kind", cure=_("GET this address: it lists what it offers."))
    asking = offers.asking_of(account, policy, Kind(kind), region)
    usual = {name: one.initial for name, one in AskForm(asking=asking).fields.items() if one.initial is not None}
    return _taken(request, account, policy, AskForm({**usual, **told}, asking=asking))


def _read(request: HttpRequest) -> dict[str, Any]:
    try:
        told = json.loads(request.body[: MOST_BYTES + 1]) if len(request.body) <= MOST_BYTES else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise BadInput(_("This is no JSON object."), place="body", cure=_('Send {"kind": …, "email": …}, up to 64 KB.'))
    return told


def _taken(request: HttpRequest, account: Account, policy: Offers, form: AskForm) -> HttpResponse:
    if not form.is_valid():
        return JsonResponse({"error": "bad-input", "fields": form.errors.get_json_data()}, status=400)
    kind, region, told = form.asking.kind, form.asking.region, form.told()
    if offers.outside(form.asking.right, form.cleaned_data.get("capacity", "")):
        raise NotFound(_("This right leaves out whoever asks in this capacity."), place="capacity", cure=_("See the privacy centre."))
    told |= {"data": queries.whose(account)} if "data" not in told else {}
    actions.ask(account, kind, form.email, region, limits.network_of(request), **told, channel=Channel.API)
    follows = offers.follows(account, policy, kind, region, data=told["data"], by=told["by"])
    return JsonResponse({"kind": kind.value, "region": region, "next": follows}, status=202)


def _listed(account: Account, policy: Offers, kind: Kind, region: str) -> dict[str, Any]:
    """One thing that can be asked for, with the fields that it takes."""
    offer, form = offers.offer(account, policy, kind, region), AskForm(asking=offers.asking_of(account, policy, kind, region))
    return {
        "kind": kind.value,
        "title": offer.title,
        "promise": offer.promise,
        "within": offer.within,
        "fields": [_field(name, one) for name, one in form.fields.items() if not isinstance(one, forms.FileField)],
    }


def _field(name: str, one: forms.Field) -> dict[str, Any]:
    choices = [str(value) for value, _title in list(one.widget.choices)] if isinstance(one, forms.ChoiceField) else []
    return {"name": name, "label": str(one.label), "required": one.required, **({"choices": choices} if choices else {})}

"""Taking in what somebody asked by telephone, by letter or at the counter."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods

from kept.apps.requests import actions, queries, words
from kept.apps.requests.desk import page
from kept.apps.requests.desk_forms import DetailsForm, TakeInForm
from kept.apps.requests.models import Channel, Kind
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.models import Account
from kept.platform.privacy.notices import policy_of


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def new(request: TeamRequest) -> HttpResponseBase:
    """Take in a request on somebody's behalf: first what they ask for, then the rest."""
    asked = request.POST.get("kind") or request.GET.get("kind", "")
    line = request.GET.get("line", "")
    kind = asked if asked in _kinds(request.account) else _opened_by(request.account, line)
    if not kind:
        kinds = [(one, capfirst(str(one.label)), words.WORDS[one].icon) for one in _kinds(request.account)]
        return page(request, "new.html", {"kinds": kinds, "line": line, "lines": _first_lines(request.account)})
    right = queries.offered(request.account).rights(request.account.region).get(queries.RIGHT.get(Kind(kind), kind))
    data = request.POST if request.method == "POST" else None
    form = TakeInForm(data, grounds=right.body.grounds if right else (), initial={"channel": Channel.POST if line else Channel.PHONE})
    details = DetailsForm(data, kind=kind, purposes=_purposes(request.account))
    if data is not None and form.is_valid() and details.is_valid():
        given = actions.TakenIn(kind=Kind(kind), details=details.told(), **form.cleaned_data)
        try:
            taken = actions.take_in(request.account, request.actor, given)
        except (BadInput, NotFound, Conflict, Refused) as error:
            place = error.place if error.place in form.fields else "value"
            form.add_error(place, f"{error.message} {error.cure}".strip())
        else:
            return redirect("requests:record", request.account.slug, taken.reference)
    context = {"kind": kind, "title": words.title(kind), "form": form, "details": details}
    return page(request, "new_details.html", context, status=400 if form.errors or details.errors else 200)


def _kinds(account: Account) -> list[Kind]:
    """What the notice lets people ask for."""
    offered = queries.offered(account).rights(account.region)
    found = [one for one in Kind if queries.RIGHT.get(one, one) in offered or one == Kind.COMPLAIN]
    return [one for one in found if one != Kind.CHOICES]


def _first_lines(account: Account) -> dict[str, Kind]:
    """The first lines that open a request, as the notice says, and which."""
    rights = queries.offered(account).rights(account.region)
    return {right.body.first_line: Kind(kind) for kind, right in rights.items() if right.body.first_line and kind in Kind.values}


def _opened_by(account: Account, line: str) -> str:
    given = " ".join(line.casefold().split()).strip(" .:!")
    known = ((" ".join(first.casefold().split()).strip(" .:!"), kind) for first, kind in _first_lines(account).items())
    return next((kind.value for first, kind in known if given and given.startswith(first)), "")


def _purposes(account: Account) -> list[tuple[str, str]]:
    tree = policy_of(account.pk).notice.vocabulary["purpose"]
    return [(one, tree[one].title if one in tree else one) for one in policy_of(account.pk).purposes]

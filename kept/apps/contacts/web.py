"""Pages of people and companies. Everything on them is read and written for the purpose `customer-relations`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from kept.apps.contacts import actions, queries, words
from kept.apps.contacts.actions import NewPerson
from kept.apps.contacts.forms import EDITS, CompanyForm, Edit, FilterForm, NewPersonForm, OwnerEdit
from kept.apps.contacts.history import history
from kept.apps.contacts.queries import PersonLine, Record, Value
from kept.core.errors import BadInput, Conflict, KeptError, NotFound, Refused
from kept.platform.accounts.door import SlugView, TeamRequest, team
from kept.platform.accounts.models import Member
from kept.platform.accounts.queries import members
from kept.platform.accounts.roles import Capability, may
from kept.platform.data.use import Use
from kept.platform.privacy import gate
from kept.platform.privacy.notices import policy_of
from kept.platform.ui.pages import render
from kept.platform.ui.shell import shell

PURPOSE = "customer-relations"
KEY = re.compile(r"(?P<own>name|job-title|company|birth-date|owner)|(?P<many>email|phone|address)-(?P<row>\d{1,18}|new)")
CATEGORIES = {"company": "organisation", "address": "postal-address"}
"""Of keys that are not named as their category is."""
HERE = ("edit", "at", "cursor")
"""Parameters that say where one stands on a page, not which list one came from."""

P = ParamSpec("P")
RoomView = Callable[Concatenate[TeamRequest, Use, P], HttpResponseBase]


def room(capability: Capability) -> Callable[[RoomView[P]], SlugView[P]]:
    """`team`, and the room's purpose entered round the view."""

    def door(view: RoomView[P]) -> SlugView[P]:
        def entered(request: TeamRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            with gate.acting(request.account.pk, request.actor, PURPOSE) as use:
                return view(request, use, *args, **kwargs)

        update_wrapper(entered, view)
        return team(capability)(entered)

    return door


# People


@room("records.read")
@require_safe
def people(request: TeamRequest, use: Use) -> HttpResponseBase:
    """The list, filtered and searched."""
    team_members = members(request.account)
    form = _filter_form(request, team_members)
    page = queries.people(use, form.filters(), request.GET.get("cursor", ""))
    shut = queries.closed(use, "name", "organisation", "email", "phone")
    _looked(use, page.items, [one for one in ("name", "job-title", "organisation", "email", "phone") if use.columns.reads(one)])
    context = {
        "page": page,
        "closed": shut,
        "form": form,
        "chips_in_force": _chips(request, form, team_members),
        "anybody": bool(page.items) or queries.any_people(use),
        "keep": _kept_query(request),
        "may_write": may(request.member, "records.write"),
        "import_url": _url("imports:new", request) if may(request.member, "records.import") else "",
        **_around(request, use, "contacts:people"),
    }
    return render(request, "contacts/people.html", context)


@sensitive_post_parameters()
@room("records.write")
def new_person(request: TeamRequest, use: Use) -> HttpResponseBase:
    """Enter somebody by hand."""
    sources = actions.enterable(use)
    offered = list(dict.fromkeys(one for each in sources.values() for one in each))
    initial = {"region": request.account.region, "source": "staff" if "staff" in offered else next(iter(offered), "")}
    form = NewPersonForm(request.POST or None, sources=offered, enterable=sources, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_person(use, NewPerson(owner_id=request.member.pk, **form.cleaned_data))
        except (BadInput, Refused, Conflict) as error:
            form.place("email" if isinstance(error, Conflict) else error.place, _said(request, error))
        else:
            messages.success(request, _("The record is made."))
            return redirect("contacts:person", slug=request.account.slug, person_id=made)
    return render(request, "contacts/new_person.html", {"form": form, **_around(request, use, "contacts:people")})


@room("records.read")
@require_safe
def person(request: TeamRequest, use: Use, person_id: int) -> HttpResponseBase:
    """A record; with ``?edit=`` one of its values is open for a change."""
    record, key = queries.record(use, person_id), request.GET.get("edit", "")
    form = _edit_form(request, use, record, key) if key and may(request.member, "records.write") else None
    return _record_page(request, use, record, key, form)


@sensitive_post_parameters()
@room("records.write")
@require_POST
def change_value(request: TeamRequest, use: Use, person_id: int, key: str) -> HttpResponseBase:
    """Change a value of a record, or add one (`key` ends in ``-new``)."""
    record = queries.record(use, person_id)
    form, clash = _edit_form(request, use, record, key, request.POST), False
    if form.is_valid():
        try:
            _apply(use, record, key, dict(form.cleaned_data))
        except (BadInput, Refused, Conflict) as error:
            clash = isinstance(error, Conflict) and error.place == f"people/{person_id}"
            if clash:
                record = queries.record(use, person_id)
                form = _edit_form(request, use, record, key, {**request.POST.dict(), "seen": record.changed_at.isoformat()})
            else:
                form.place("value" if "value" in form.fields else error.place, _said(request, error))
        else:
            messages.success(request, _("Saved."))
            return _to_record(request, use, person_id, key)
    return _record_page(request, use, record, key, form, clash=clash)


@room("records.write")
@require_POST
def remove_value(request: TeamRequest, use: Use, person_id: int, key: str) -> HttpResponseBase:
    """Delete a contact point or an address."""
    kind, row = _parse(key)
    queries.record(use, person_id).value(key)
    if kind == "address":
        actions.remove_address(use, int(row))
    else:
        actions.remove_point(use, int(row))
    messages.success(request, _("Removed."))
    return _to_record(request, use, person_id, f"{kind}-new")


@room("records.write")
@require_POST
def remove_person(request: TeamRequest, use: Use, person_id: int) -> HttpResponseBase:
    """Delete a record."""
    actions.remove_person(use, person_id)
    messages.success(request, _("The record is removed."))
    return redirect("contacts:people", slug=request.account.slug)


@room("choices.set")
@require_POST
def choose(request: TeamRequest, use: Use, person_id: int, purpose: str) -> HttpResponseBase:
    """Record what the person told the team about a purpose."""
    actions.choose(use, person_id, purpose, "agreed" in request.POST)
    messages.success(request, _("Noted in the ledger, and in force."))
    return _to_record(request, use, person_id, "")


# Companies


@room("records.read")
@require_safe
def companies(request: TeamRequest, use: Use) -> HttpResponseBase:
    """The list of companies."""
    q = request.GET.get("q", "").strip()
    page = queries.companies(use, q, request.GET.get("cursor", ""))
    context = {"page": page, "q": q, "closed": queries.closed(use, "organisation"), **_around(request, use, "contacts:companies")}
    return render(request, "contacts/companies.html", context)


@sensitive_post_parameters()
@room("records.read")
def company(request: TeamRequest, use: Use, company_id: int) -> HttpResponseBase:
    """A company and its people; whoever may write changes its own data here."""
    found = queries.company(use, company_id)
    writing = may(request.member, "records.write") and "organisation" in actions.enterable(use)
    initial = {"name": found.name, "website": found.website, "city": found.city}
    form = CompanyForm(request.POST or None, initial=initial) if writing else None
    if request.method == "POST":
        if form is None:
            raise Refused(_("Companies are read-only here."), place=request.account.slug)
        if form.is_valid():
            try:
                actions.change_company(use, company_id, form.cleaned_data)
            except (BadInput, Refused) as error:
                form.place("name", _said(request, error))
            else:
                messages.success(request, _("Saved."))
                return redirect("contacts:company", slug=request.account.slug, company_id=company_id)
    page = queries.people_of(use, company_id, request.GET.get("cursor", ""))
    _looked(use, page.items, [one for one in ("name", "job-title", "email", "phone") if use.columns.reads(one)])
    context = {
        "company": found,
        "page": page,
        "form": form,
        "closed": queries.closed(use, "name", "organisation", "email", "phone"),
        **_around(request, use, "contacts:companies"),
    }
    return render(request, "contacts/company.html", context)


# What the pages share


def _around(request: TeamRequest, use: Use, current: str) -> dict[str, Any]:
    """The shell, and the purpose in words."""
    policy = policy_of(use.account_id)
    title = (policy.purposes[use.purpose].title or use.purpose).lower()
    url = reverse(current if current == "contacts:companies" else "contacts:people", args=[request.account.slug])
    return {"shell": shell(request, current, title, search_url=url), "slug": request.account.slug, "words": words}


def _looked(use: Use, lines: Sequence[PersonLine], categories: Sequence[str]) -> None:
    if lines:
        gate.looked(use, queries.references(use, [one.subject_id for one in lines]), categories=categories)


def _url(name: str, request: TeamRequest, *args: object) -> str:
    """The address of a page of a room above this one; empty where the deployment has no such room."""
    try:
        return reverse(name, args=[request.account.slug, *args])
    except NoReverseMatch:
        return ""


def _filter_form(request: TeamRequest, team_members: Sequence[Member]) -> FilterForm:
    return FilterForm(request.GET, members=[(one.pk, one.actor.name) for one in team_members])


def _kept_query(request: HttpRequest) -> str:
    """The list one came from, as a query string with its question mark; empty for the whole list."""
    query = request.GET.copy()
    for name in HERE:
        query.pop(name, None)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}" if query else ""


def _chips(request: TeamRequest, form: FilterForm, team_members: Sequence[Member]) -> list[dict[str, str]]:
    """The filters in force, each with the address that takes it away."""
    filters = form.filters()
    owners = {one.pk: one.actor.name for one in team_members}
    said = [
        ("q", _("Search"), filters.q),
        ("city", _("City is"), filters.city),
        ("company", _("Company is"), filters.company),
        ("owner", _("Owner is"), owners.get(filters.owner or 0, "")),
        ("basis", _("Held because"), words.basis(filters.basis)),
        *((f"has_{one}", _("Has"), words.label(one).lower()) for one in filters.has),
    ]
    made = []
    for name, label, value in said:
        if value:
            query = request.GET.copy()
            for gone in (name, "cursor"):
                query.pop(gone, None)
            made.append({"label": label, "value": value, "url": f"{request.path}?{query.urlencode()}" if query else request.path})
    return made


def _parse(key: str) -> tuple[str, str]:
    """The kind of value, and the row it stands in (``new``, or empty for what stands in the record itself). Raises NotFound."""
    match = KEY.fullmatch(key)
    if match is None:
        raise NotFound(_("This record has no such value."), place=key)
    return match["own"] or match["many"], match["row"] or ""


def _edit_form(request: TeamRequest, use: Use, record: Record, key: str, data: Mapping[str, Any] | None = None) -> Edit:
    """The form that changes this value. Raises NotFound where nothing may."""
    kind, row = _parse(key)
    initial: dict[str, Any] = {"seen": record.changed_at.isoformat()}
    if kind == "owner":
        team_members = [(one.pk, one.actor.name) for one in members(request.account)]
        return OwnerEdit(data, members=team_members, initial={**initial, "owner_id": record.owner_id})
    category = CATEGORIES.get(kind, kind)
    sources = actions.enterable(use).get(category)
    if sources is None:
        raise NotFound(_("The notice lets nobody change this by hand."), place=key)
    if row != "new":
        initial |= record.value(key).parts
    initial["source"] = "staff" if "staff" in sources else sources[0]
    return EDITS[kind](data, sources=sources, initial=initial)


def _apply(use: Use, record: Record, key: str, data: dict[str, Any]) -> None:
    """The action that a valid form asks for."""
    kind, row = _parse(key)
    try:
        seen = datetime.fromisoformat(data.pop("seen"))
    except ValueError:
        raise BadInput(_("The form does not say what it was made from."), place="record", cure=_("Load the page again.")) from None
    source = data.pop("source", "staff")
    if kind in queries.POINTS:
        value, label = data["value"], data["label"]
        if not value:
            raise BadInput(_("This is empty."), place=kind, cure=_("Fill it in, or remove it."))
        if row == "new":
            actions.add_point(use, record.id, kind, value, label=label, source=source)
        else:
            actions.change_point(use, int(row), seen, value, label=label, source=source)
    elif kind == "address":
        if row == "new":
            actions.add_address(use, record.id, data, source=source)
        else:
            actions.change_address(use, int(row), seen, data, source=source)
    else:
        actions.change_person(use, record.id, seen, data, source=source)


def _said(request: TeamRequest, error: KeptError) -> str:
    """An error at a field: what happened, what to do, the rule, and the record it leads to."""
    rule = f" ({error.rule})" if error.rule else ""
    text = f"{error.message} {error.cure}{rule}".strip()
    found = re.fullmatch(r"people/(\d+)", error.place)
    if found is None:
        return text
    address = reverse("contacts:person", args=[request.account.slug, int(found[1])])
    return format_html('{} <a href="{}">{}</a>', text, address, _("Open it"))


def _to_record(request: TeamRequest, use: Use, person_id: int, key: str) -> HttpResponse:
    """Back to the record, at the value; to the list when this purpose does not see the person any more."""
    if not queries.visible(use, person_id):
        return redirect("contacts:people", slug=request.account.slug)
    query = request.GET.copy()
    for name in HERE:
        query.pop(name, None)
    if key:
        query["at"] = key
    address = reverse("contacts:person", args=[request.account.slug, person_id])
    return redirect(f"{address}?{query.urlencode()}" if query else address)


def _record_page(request: TeamRequest, use: Use, record: Record, key: str, form: Edit | None, *, clash: bool = False) -> HttpResponse:
    """The record, with at most one value open for a change."""
    around = _around(request, use, "contacts:people")
    team_members, policy = members(request.account), policy_of(use.account_id)
    actors = {one.actor.reference: one.actor.name for one in team_members}
    told, enterable = history(use, record), actions.enterable(use)
    before, after = queries.neighbours(use, _filter_form(request, team_members).filters(), record.id)
    gate.looked(use, [record.subject.reference], categories=record.shown)
    notice_url = _url("notices:notice", request)
    context = {
        "record": record,
        "rows": [_row(one, around["shell"].purpose, notice_url) for one in record.values],
        "edit": key if form else "",
        "at": request.GET.get("at", ""),
        "form": form,
        "clash": clash,
        "adds": [one for one in ("email", "phone", "address") if CATEGORIES.get(one, one) in enterable],
        "enterable": enterable,
        "story": [words.story(one, actors, policy) for one in told.story],
        "told": told.told,
        "standings": told.standings,
        "owner": next((one.actor.name for one in team_members if one.pk == record.owner_id), ""),
        "before": before,
        "after": after,
        "keep": _kept_query(request),
        "only": queries.is_the_only_record(use, record.subject.pk),
        "may_write": may(request.member, "records.write"),
        "may_choose": may(request.member, "choices.set"),
        "request_url": _url("requests:new", request) if may(request.member, "requests.handle") else "",
        **around,
    }
    return render(request, "contacts/person.html", context)


def _row(value: Value, purpose: str, notice_url: str) -> dict[str, Any]:
    rule = value.closed.rule if value.closed else value.why.rule if value.why else ""
    why = words.why(value, purpose, f"{notice_url}#{rule}" if notice_url and rule else "")
    return {"value": value, "shown": words.shown(value), "label": value.label or words.label(value.category), "why": why}

"""The team's queue: every request with its clock, taking one in, answering it or refusing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kept.apps.requests import actions, forms, private, queries
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.web import attachment
from kept.core.errors import BadInput, Conflict, NotFound
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.roles import may, require
from kept.platform.data.datamap import of_subjects
from kept.platform.data.use import Use
from kept.platform.privacy import erasure
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.ui import keyset
from kept.platform.ui.pages import Link, render
from kept.platform.ui.shell import shell

SOON_DAYS = 7
TONES = {
    State.VERIFIED: "info",
    State.WORKING: "info",
    State.READY: "ok",
    State.DONE: "ok",
    State.NOBODY: "ok",
    State.REFUSED: "warn",
    State.DECIDING: "warn",
    State.HIDDEN: "info",
    State.REFERRED: "ok",
    State.REVOKED: "",
    State.EXPIRED: "",
    State.RECEIVED: "",
}


def _page(request: TeamRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    around = {"account": request.account, "shell": shell(request, "requests:queue", _("people’s rights"))}
    return render(request, f"requests/{template}", {**around, **context}, status=status)


def clock(request: Request, now: datetime) -> tuple[str, str]:
    """The days left in words, and the tone of the label; nothing once it is answered."""
    if request.state not in OPEN or request.closed_at is not None:
        return "", ""
    days = (request.due_at - now).days
    if request.due_at < now:
        late = max(1, (now - request.due_at).days)
        return ngettext("%(n)d day overdue", "%(n)d days overdue", late) % {"n": late}, "bad"
    left = ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days} if days else _("due today")
    return left, "warn" if days < SOON_DAYS else ""


def _row(request: Request, now: datetime) -> dict[str, Any]:
    words, tone = clock(request, now)
    state = State(request.state)
    return {
        "reference": request.reference,
        "what": capfirst(str(Kind(request.kind).label)),
        "erases": request.kind == Kind.ERASE,
        "state": str(state.label),
        "tone": TONES[state],
        "clock": words,
        "clock_tone": tone,
        "decided": queries.decided(request) if words else None,
        "channel": str(Channel(request.channel).label),
        "received": request.received_at,
    }


@team("requests.handle")
@require_GET
def queue(request: TeamRequest) -> HttpResponseBase:
    """The queue, by due date. It shows nothing personal, so looking at it leaves no entry."""
    which = request.GET.get("list", "open")
    names = {
        "open": _("Open"),
        "decide": _("To decide"),
        "soon": _("Due soon"),
        "overdue": _("Overdue"),
        "answered": _("Answered"),
        "all": _("All"),
    }
    which = which if which in names else "open"
    with bookkeeping(request.account.pk) as use:
        order = "-due_at" if which in ("answered", "all") else "due_at"
        page = keyset.page(queries.listed(use, which), order=order, cursor=request.GET.get("cursor", ""))
        counts = queries.count_by_list(use)
    lists = [Link(name, f"?list={key}", current=key == which, badge=str(counts[key])) for key, name in names.items()]
    now = timezone.now()
    return _page(request, "queue.html", {"page": page, "rows": [_row(one, now) for one in page.items], "lists": lists})


@team("requests.handle")
@require_http_methods(["GET", "POST"])
def new(request: TeamRequest) -> HttpResponseBase:
    """Take in a request on somebody's behalf."""
    form = forms.TakeInForm(request.POST or None, initial={"kind": Kind.ACCESS, "known_by": "email"})
    if request.method == "POST" and form.is_valid():
        given = actions.TakenIn(**{**form.cleaned_data, "kind": Kind(form.cleaned_data["kind"])})
        try:
            taken = actions.take_in(request.account, request.actor, given)
        except (BadInput, NotFound, Conflict) as error:
            form.add_error("value", f"{error.message} {error.cure}")
        else:
            return redirect("requests:record", request.account.slug, taken.reference)
    return _page(request, "new.html", {"form": form}, status=400 if form.errors else 200)


@team("requests.handle")
@require_GET
def record(request: TeamRequest, reference: str) -> HttpResponseBase:
    """One request: whom it concerns is looked up under the purpose `rights`, which leaves an entry."""
    account, found = request.account, queries.by_reference(request.account.pk, reference)
    held = private.open_private(found)
    with reserved(account.pk, request.actor, "rights", rule=found.rule, request=reference) as use:
        context: dict[str, Any] = {
            "history": _history(use, found),
            "letters": _letters(use, reference),
            "plan": _plan(use, found) if found.state in OPEN else None,
        }
    row = _row(found, timezone.now())
    startable = found.state in (State.RECEIVED, State.VERIFIED) and found.closed_at is None and found.kind != Kind.CHOICES
    context |= {
        "row": row,
        "lead": _lead(found),
        "due": found.due_at,
        "rule": found.rule,
        "contact": held.email,
        "gone": _("destroyed") if found.closed_at else _("nobody: handed over by the team"),
        "note_text": held.note,
        "can_start": startable and bool(context["plan"]) and (not row["erases"] or may(request.member, "requests.erase")),
        "can_refuse": startable,
        "start_label": _("It is them: erase") if row["erases"] else _("It is them: prepare the copy"),
        "start_says": _start_says(found),
        "package": found.kind == Kind.ACCESS and found.state == State.READY,
        "certificate": found.kind == Kind.ERASE and found.answered_at is not None and found.state in (State.READY, State.DONE),
    }
    return _page(request, "record.html", context)


def _lead(found: Request) -> str:
    match State(found.state):
        case State.RECEIVED if found.channel == Channel.WEB:
            return _("A letter went to the address that was given. Until its owner confirms, there is nothing to do.")
        case State.RECEIVED:
            return _("Make sure that it is them, for instance by calling back on a number you know. Then go on.")
        case State.VERIFIED if actions.looked_over(found):
            return _("Its owner confirmed the address. The notice wants one of you to look before it is answered.")
        case State.VERIFIED | State.WORKING:
            return _("Confirmed. It is answered by itself within moments.")
        case State.READY if found.kind == Kind.ERASE:
            return _("Erased. The certificate waits to be fetched.")
        case State.READY:
            return _("The copy waits to be fetched.")
        case State.EXPIRED:
            return _("The link was never opened.")
        case State.NOBODY:
            return _("Nothing is held under the address that was proved.")
    return ""


def _start_says(found: Request) -> str:
    if found.kind == Kind.ERASE:
        return _("Everything shown here is erased and their key destroyed. It cannot be taken back. You vouch that it is them.")
    return _("The copy is made for them. You vouch that it is them.")


def _history(use: Use, found: Request) -> list[dict[str, Any]]:
    steps = {
        State.RECEIVED: _("Received"),
        State.VERIFIED: _("Confirmed that it is them"),
        State.WORKING: _("Begun"),
        State.READY: _("Answered"),
        State.DONE: _("Closed"),
        State.NOBODY: _("Nothing held under this address"),
        State.REFUSED: _("Refused"),
        State.EXPIRED: _("Never confirmed"),
    }
    words = {
        "look": _("Looked at"),
        "erasure": _("Erased, or certified"),
        "key-destruction": _("A key was destroyed"),
        "release": _("Handed over"),
    }
    who = {"member": _("by the team"), "person": _("by the person"), "job": _("by itself"), "command": _("by command")}
    return [
        {
            "text": words.get(step.header.kind) or (steps[State(step.state)] if step.state else _("A choice was made")),
            "note": who.get(step.header.actor.partition(":")[0], ""),
            "at": step.header.at,
            "mark": True,
        }
        for step in queries.history(use, found)
    ]


def _letters(use: Use, reference: str) -> list[dict[str, Any]]:
    names = {
        "confirm": _("Is it you?"),
        "ready": _("Your copy is ready"),
        "erased": _("Your data is erased"),
        "cleared": _("Your certificate"),
        "nobody": _("We hold nothing"),
        "refused": _("Refused"),
    }
    found = queries.letters(use, reference)
    return [
        {"text": names[one.letter], "note": _("sent") if one.sent_at else _("waiting"), "at": one.sent_at or one.created_at}
        for one in found
    ]


def _plan(use: Use, found: Request) -> list[dict[str, Any]]:
    """What stands about the person now; empty when there is nobody. Only once they are known: an unproved address is not looked up."""
    if not found.subject_reference and found.verified_at is None:
        return []
    subject = queries.subject_of(use, found)
    if subject is None:
        return []
    names = {table.name: capfirst(str(table.model._meta.verbose_name_plural)) for table in of_subjects()}
    planned = erasure.plan(use, subject)
    return [{"place": names[name], "rows": rows, "what": _("deleted")} for name, rows in planned.items()]


@team("requests.handle")
@require_POST
def start(request: TeamRequest, reference: str) -> HttpResponseBase:
    """Vouch for who asks. Erasing takes the capability to erase."""
    found = queries.by_reference(request.account.pk, reference)
    if found.kind == Kind.ERASE:
        require(request.member, "requests.erase")
    if found.kind == Kind.CHOICES or (not found.subject_reference and found.verified_at is None):
        raise BadInput(_("Nobody has proved this address yet."), place=reference, cure=_("Wait for its owner to open the link."))
    actions.start(request.account, request.actor, found)
    return redirect("requests:record", request.account.slug, reference)


@team("requests.handle")
@require_POST
def refuse(request: TeamRequest, reference: str) -> HttpResponseBase:
    """Refuse, with a reason."""
    actions.refuse(request.account, request.actor, queries.by_reference(request.account.pk, reference), request.POST.get("reason", ""))
    return redirect("requests:record", request.account.slug, reference)


@team("requests.handle")
@require_POST
def hand_over(request: TeamRequest, reference: str) -> HttpResponseBase:
    """The copy, for whoever hands it over on paper or in person."""
    found = queries.by_reference(request.account.pk, reference)
    content = actions.fetch_package(request.account, found, request.actor.reference)
    return attachment(content, f"request-{reference[:8]}.zip", "application/zip")


@team("requests.handle")
@require_GET
def certificate(request: TeamRequest, reference: str) -> HttpResponseBase:
    """The certificate, for the files of the team."""
    return attachment(actions.certificate(request.account.pk, reference), "kept-certificate.json", "application/json")

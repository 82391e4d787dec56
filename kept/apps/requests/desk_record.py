"""One request, as the team works on it: what is asked, by when, of whom, what would happen, what was said and done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kept.apps.requests import actions, attachments, desk_queries, outcomes, queries, telling
from kept.apps.requests.desk import law, page, row
from kept.apps.requests.desk_acts import POWERS, Acts
from kept.apps.requests.desk_forms import CLOCK_REASONS, GROUNDS, HOW, REASONS, DetailsForm
from kept.apps.requests.desk_sight import Sight, sight
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.telling import How, Told
from kept.apps.requests.web import attachment
from kept.core.errors import Conflict, KeptError, NotFound
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.roles import require
from kept.platform.data.datamap import of_subjects
from kept.platform.privacy.erasure import Planned
from kept.platform.privacy.gate import reserved

FILES = {
    "evidence": gettext_lazy("Evidence"),
    "identity": gettext_lazy("Proof of identity"),
    "power-of-attorney": gettext_lazy("Power of attorney"),
    "permission": gettext_lazy("Signed permission"),
    "mail": gettext_lazy("The mail itself"),
}
GROUPS = ("identity", "decide", "clock", "talk")


@team("requests.handle")
@require_GET
def record(request: TeamRequest, reference: str) -> HttpResponseBase:
    """One request: whom it concerns is looked up under the purpose `rights`, which leaves an entry."""
    found = queries.by_reference(request.account.pk, reference)
    seen = sight(request, found)
    return _shown(request, found, seen, Acts(request, found, seen).all())


@team("requests.handle")
@require_http_methods(["POST"])
def act(request: TeamRequest, reference: str, verb: str) -> HttpResponseBase:
    """Do something with a request. What stands against it is shown where it was filled in; erasing takes the capability to erase."""
    found = queries.by_reference(request.account.pk, reference)
    if found.kind == Kind.ERASE and verb in ("start", "grant"):
        require(request.member, "requests.erase")
    seen = sight(request, found)
    offered = Acts(request, found, seen).all(verb)
    if verb not in offered:
        raise Conflict(_("This cannot be done with the request as it stands."), place=verb, cure=_("Look at it again."))
    chosen, status = offered[verb], 400
    if chosen.form.is_valid():
        try:
            said = chosen.do(request, found, chosen.form)
        except KeptError as error:
            chosen.form.add_error(error.place if error.place in chosen.form.fields else None, f"{error.message} {error.cure}".strip())
            status = error.status
        else:
            messages.success(request, said)
            return redirect("requests:record", request.account.slug, reference)
    return _shown(request, found, seen, offered, status=status)


@team("requests.handle")
@require_POST
def call_back(request: TeamRequest, reference: str) -> HttpResponseBase:
    """The numbers to call back on, which leaves an entry."""
    found = queries.by_reference(request.account.pk, reference)
    numbers = actions.numbers(request.account, request.actor, found)
    seen = sight(request, found)
    return _shown(request, found, seen, Acts(request, found, seen).all(), numbers=numbers or [_("We hold no number of theirs.")])


def _shown(
    request: TeamRequest, found: Request, seen: Sight, acts: dict[str, Any], *, status: int = 200, numbers: list[str] | None = None
) -> HttpResponse:
    members = desk_queries.handlers(request.account)
    context = {
        "row": row(found, timezone.now(), members),
        "request_": found,
        "seen": seen,
        "acts": {group: [one for one in acts.values() if one.group == group] for group in GROUPS},
        "lead": _lead(found, seen),
        "numbers": numbers,
        "facts": _facts(found, members),
        "clock": _clock(found, seen, acts),
        "details": _details(found, seen),
        "places": _places(seen.plan) if seen.plan is not None else None,
        "decision": _decision(found, seen, members),
        "lacking": [str(POWERS.get(one, one)) for one in seen.lacking],
        "said": _said(seen),
        "told": [_told(one) for one in seen.tellings],
        "file_words": FILES,
        "history": _history(seen, members),
        "gone": _("destroyed") if found.closed_at else _("nobody: handed over by the team"),
        "package": found.kind in actions.COPIES and found.state == State.READY,
        "certificate": found.kind == Kind.ERASE and found.answered_at is not None and found.state in (State.READY, State.DONE),
    }
    return page(request, "record.html", context, status=status)


def _lead(found: Request, seen: Sight) -> str:
    if seen.hidden:
        return _("Somebody spoke to us. Until you have made sure that it is them, this page does not say whom it is about.")
    match State(found.state):
        case State.RECEIVED if found.channel in (Channel.WEB, Channel.EMAIL, Channel.API) and not seen.lacking:
            return _("A letter went to the address that was given. Until its owner confirms, there is nothing to do.")
        case State.RECEIVED if seen.lacking:
            return _("Somebody asks for another person, and has not shown yet that they may.")
        case State.RECEIVED:
            return _("Make sure that it is them, for instance by calling back on a number you know. Then go on.")
        case State.VERIFIED if actions.looked_over(found):
            return _("Its owner confirmed the address. The notice wants one of you to look before it is answered.")
        case State.VERIFIED | State.WORKING:
            return _("Confirmed. It is answered by itself within moments.")
        case State.DECIDING:
            return _("They are known, and it waits for your decision.")
        case State.HIDDEN:
            return _("Everything of theirs is hidden. It is erased on its day; until then they can take it back.")
        case State.READY if found.kind == Kind.ERASE:
            return _("Erased. The certificate waits to be fetched.")
        case State.READY if found.kind in actions.COPIES:
            return _("The copy waits to be fetched.")
        case State.EXPIRED:
            return _("The link was never opened.")
        case State.NOBODY:
            return _("Nothing is held under the address that was proved.")
    return ""


def _facts(found: Request, members: dict[str, str]) -> dict[str, str]:
    proofs = {
        "link": _("opened the link we mailed"),
        "sign-in": _("signed in"),
        "human": _("one of you vouched"),
        "match-2": _("two facts matched"),
        "match-3": _("three facts matched"),
    }
    decision = found.decision
    sure = HOW.get(decision.get("sure", ""))
    by = {"agent": _("an authorised agent"), "parent": _("a parent or guardian")}
    return {
        "proof": proofs.get(found.proof, ""),
        "sure": str(sure) if sure else "",
        "sure_by": members.get(decision.get("sure_by", ""), ""),
        "by": by.get(decision.get("by", ""), ""),
        "powers": ", ".join(str(POWERS.get(one, one)) for one in decision.get("powers", ())),
        "ground": str(GROUNDS.get(decision.get("ground", ""), "")),
    }


def _clock(found: Request, seen: Sight, acts: dict[str, Any]) -> dict[str, Any]:
    clock = seen.clock
    others = [one for one in clock.clocks if one != clock.decided]
    extension = clock.extension
    return {
        "decided": clock.decided,
        "by": law(clock.decided),
        "others": [(one, clock.model_copy(update={"clocks": (one,)}).due) for one in others],
        "confirm_by": clock.confirm_by,
        "paused_at": found.paused_at,
        "paused_why": str(CLOCK_REASONS.get(found.paused_why, found.paused_why)),
        "extended": str(CLOCK_REASONS.get(extension.why, extension.why)) if extension else "",
        "fixed": "assign" in acts and extension is None and not {"pause", "resume", "extend"} & acts.keys(),
    }


def _details(found: Request, seen: Sight) -> list[tuple[str, str]]:
    """What they said beyond what they ask, in words."""
    labels = {name: str(field.label) for name, field in DetailsForm.base_fields.items()}
    labels |= {"child": _("Child")}
    known = {"email": _("email address"), "phone": _("telephone"), "source": _("number in an old file")}
    told = [(labels.get(name, name), _("yes") if text == "1" else text) for name, text in seen.held.details.items()]
    if seen.held.value:
        told.insert(0, (_("Known by"), f"{known.get(seen.held.known_by, seen.held.known_by)}: {seen.held.value}"))
    return told


def _places(plan: list[Planned]) -> list[dict[str, Any]]:
    """What is held, where and how much, what stays and why."""
    names = {table.name: capfirst(str(table.model._meta.verbose_name_plural)) for table in of_subjects()}
    return [
        {"place": names.get(one.table, capfirst(one.table)), "rows": one.rows, "stays": one.stays, "why": _why(one), "until": one.until}
        for one in plan
        if one.rows
    ]


def _why(one: Planned) -> str:
    kind, _colon, word = one.why.partition(":")
    match kind:
        case "hold":
            return _("held: %(ground)s") % {"ground": REASONS.get(word, word)}
        case "retain":
            return _("kept by law (%(rule)s)") % {"rule": one.why}
        case "needed-with-it":
            return _("needed with what stays")
    return str(REASONS.get(one.why, one.why))


def _decision(found: Request, seen: Sight, members: dict[str, str]) -> dict[str, Any]:
    decision = found.decision
    titles = seen.categories
    proposed = decision.get("proposed", "")
    return {
        "proposed": members.get(proposed, _("a former member")) if proposed and found.state != State.REFUSED else "",
        "why": outcomes.name_of(decision.get("why", "")),
        "reason": seen.held.reason,
        "outcome": decision.get("outcome", ""),
        "by": members.get(decision.get("by_member", ""), ""),
        "first": members.get(proposed, "") if found.state == State.REFUSED else "",
        "kept": [(titles.get(one, one), str(REASONS.get(why, why))) for one, why in decision.get("exceptions", {}).items()],
        "withheld": [(titles.get(one, one), str(REASONS.get(why, why))) for one, why in decision.get("withheld", {}).items()],
    }


def _letter(name: str) -> str:
    names = {
        "confirm": _("Is it you?"),
        "received": _("We have your request"),
        "referred": _("Passed on"),
        "unverified": _("Not verified"),
        "ready": _("Your copy is ready"),
        "hidden": _("Hidden, erased soon"),
        "erased": _("Your data is erased"),
        "cleared": _("Your certificate"),
        "nobody": _("We hold nothing"),
        "done": _("Done"),
        "answered": _("Our answer"),
        "refused": _("Refused"),
        "revoked": _("Taken back"),
        "paused": _("We wait for you"),
        "extended": _("It takes longer"),
        "message": _("Our message"),
    }
    return names.get(name, capfirst(name))


def _said(seen: Sight) -> list[dict[str, Any]]:
    return [
        {
            "who": _letter(one.name) if one.ours else _("From them"),
            "ours": one.ours,
            "text": one.text.strip(),
            "at": one.at,
            "note": _("waiting") if one.waits else "",
        }
        for one in seen.said
    ]


def _told(one: Told) -> dict[str, Any]:
    tones = {How.COMPLETED: "ok", How.RECEIVED: "info", How.IN_PROGRESS: "info", How.IMPOSSIBLE: "", How.DENIED: "bad", How.NOT_TOLD: "bad"}
    done = one.confirmed_at is not None
    return {
        "id": one.id,
        "recipient": one.name,
        "due": one.due_at,
        "at": one.confirmed_at or one.sent_at,
        "state": _("overdue") if one.late else _("confirmed") if done else one.how.label,
        "tone": "bad" if one.late else "ok" if done else tones.get(one.how, "warn"),
        "why": one.why,
        "by_hand": not done and one.how == How.BY_HAND,
    }


def _history(seen: Sight, members: dict[str, str]) -> list[dict[str, Any]]:
    states = {
        State.RECEIVED: _("Received"),
        State.VERIFIED: _("It is them"),
        State.DECIDING: _("Waits for a decision"),
        State.WORKING: _("Begun"),
        State.HIDDEN: _("Hidden, to be erased"),
        State.READY: _("Answered"),
        State.DONE: _("Closed"),
        State.NOBODY: _("Nothing held under this address"),
        State.REFUSED: _("Refused"),
        State.REFERRED: _("Passed on"),
        State.REVOKED: _("Taken back"),
        State.EXPIRED: _("Never confirmed"),
    }
    noted = {
        "assigned": _("Assigned"),
        "paused": _("The clock paused"),
        "resumed": _("The clock let run again"),
        "extended": _("More time taken, and the person told"),
        "wrote": _("Wrote to the person"),
        "granted": _("Granted"),
        "corrected": _("Put right"),
        "refusal-proposed": _("A refusal proposed"),
        "refusal-withdrawn": _("The proposed refusal taken back"),
        "vouched": _("Vouched that it is them"),
        "made-sure": _("Noted how it is sure that it is them"),
        "compared": _("Compared what they said with what is held"),
        "power-shown": _("A power to act for them was shown"),
        "not-matched": _("What they said did not match"),
    }
    kinds = {
        "look": _("Looked at"),
        "erasure": _("Erased, or certified"),
        "key-destruction": _("A key was destroyed"),
        "release": _("Handed over"),
        "hold": _("Held, or released"),
        "correction": _("Corrected"),
        "disclosure": _("A recipient was told"),
    }
    who = {"person": _("by the person"), "job": _("by itself"), "command": _("by command"), "member": _("by a former member")}
    found: list[dict[str, Any]] = []
    before = ""
    for step in reversed(seen.history):
        if step.state and step.state != before:
            said = states[State(step.state)]
        else:
            said = kinds.get(step.header.kind, _("Worked on") if step.state else _("A choice was made"))
        before = step.state or before
        by = _("by %(name)s") % {"name": members[step.header.actor]} if step.header.actor in members else ""
        found.append(
            {
                "text": noted.get(step.noted, said),
                "note": by or who.get(step.header.actor.partition(":")[0], ""),
                "at": step.header.at,
                "mark": True,
            }
        )
    return found[::-1]


@team("requests.handle")
@require_POST
def hand_over(request: TeamRequest, reference: str) -> HttpResponseBase:
    """The copy, for whoever hands it over on paper or in person."""
    found = queries.by_reference(request.account.pk, reference)
    content = actions.fetch_package(request.account, found, request.actor.reference)
    return attachment(content, f"request-{reference[:8]}.zip", "application/zip")


@team("requests.handle")
@require_GET
def attached(request: TeamRequest, reference: str, attachment_id: int) -> HttpResponseBase:
    """A file that came with it. Whom it is about stays hidden as on the record."""
    found = queries.by_reference(request.account.pk, reference)
    if actions.unsure(found):
        raise Conflict(_("Nobody has made sure yet who asked."), place=reference, cure=_("Make sure that it is them first."))
    with reserved(request.account.pk, request.actor, "rights", rule=found.rule, request=reference) as use:
        one = next((one for one in attachments.listed(use, found) if one.id == attachment_id), None)
    if one is None:
        raise NotFound(_("This file is not there any more."), place=str(attachment_id))
    return attachment(attachments.content(found, attachment_id), one.name, one.media_type)


@team("requests.handle")
@require_POST
def whom_to_tell(request: TeamRequest, reference: str, telling_id: int) -> HttpResponseBase:
    """As whom a recipient knows the person, to tell them by hand: a file to keep nowhere, and a look in the ledger."""
    found = queries.by_reference(request.account.pk, reference)
    with reserved(request.account.pk, request.actor, "rights", rule=found.rule, request=reference) as use:
        mine = {one.id for one in telling.told(use, found)}
    if telling_id not in mine or actions.unsure(found):
        raise NotFound(_("There is no such recipient of this request."), place=str(telling_id))
    known = telling.identities(request.account, request.actor, telling_id)
    lines = [f"{one['identity_type']}: {one['identity_value']}" for one in known]
    return attachment("\n".join(lines).encode(), f"tell-{found.reference[:8]}.txt", "text/plain; charset=utf-8")


@team("requests.handle")
@require_GET
def certificate(request: TeamRequest, reference: str) -> HttpResponseBase:
    """The certificate, for the files of the team."""
    return attachment(actions.certificate(request.account.pk, reference), "kept-certificate.json", "application/json")

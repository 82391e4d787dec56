"""How far a request has come, in words, for the person who asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from kept.apps.requests import phrases, private, queries, words
from kept.apps.requests.actions import answering
from kept.apps.requests.actions.closing import COPIES
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.core.notice import Policy
from kept.core.notice.deadlines import Deadline
from kept.platform.accounts.models import Account
from kept.platform.privacy.notices import policy_of
from kept.platform.ui.formats import size

Step = dict[str, str]


def day(when: datetime) -> str:
    """14 August, or with the year when it is another."""
    return str(formats.date_format(localtime(when), "DATE_FORMAT"))


def moment(when: datetime) -> str:
    """14 August, 09:31."""
    return f"{day(when)}, {formats.date_format(localtime(when), 'TIME_FORMAT')}"


def masked(email: str) -> str:
    """An address that its owner recognises, and nobody else learns."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}•••{at}{domain}"


def shown(account: Account, request: Request) -> dict[str, Any]:
    """What the page of a request shows: title, steps, what can be fetched, what was decided, whether it is still moving."""
    held = queries.erasure_of(request) if request.kind == Kind.ERASE else None
    certificate = held is not None and "proof" in (held.certificate or {})
    final = certificate and answering.final(request)
    steps = [_received(request), _verified(request), *_decided(request), *_answered(request, final=final)]
    moving = request.state in (State.VERIFIED, State.WORKING) or (request.kind == Kind.ERASE and request.state == State.READY and not final)
    personal = private.open_private(request)
    return {
        "title": words.title(request.kind),
        "subtitle": _("Request %(number)s, %(what)s") % {"number": request.reference[:8], "what": Kind(request.kind).label},
        "steps": [] if request.kind == Kind.CHOICES and request.state == State.READY else steps,
        "moving": moving and not (held is not None and held.kept is not None),
        "clock": clock(request) if request.state in OPEN else [],
        "package": request.kind in COPIES
        and request.state == State.READY
        and request.closed_at is None
        and bool(request.outcome.get("bytes")),
        "fetched": request.fetched,
        "certificate": (_("Download your certificate") if final else _("Download the certificate so far")) if certificate else "",
        "final": final,
        "reason": personal.reason if "proposed" not in request.decision or request.state == State.REFUSED else "",
        "decided": decided(account, request),
        "kept": kept(account, request),
    }


def clock(request: Request) -> list[tuple[str, str]]:
    """By when there is an answer, who says so, and what has moved it."""
    deadline = Deadline.model_validate(request.clock)
    decided_by, found = deadline.decided, list[tuple[str, str]]()
    by = decided_by.citation or (_("our own rule") if decided_by.by == "default" else _("our notice"))
    told = _("By %(day)s: %(time)s from the day it came in, as %(who)s says.")
    found.append((_("Our answer"), told % {"day": day(request.due_at), "time": phrases.length(decided_by.within), "who": by}))
    if deadline.extension is not None:
        why = phrases.said(phrases.EXTENSIONS, deadline.extension.why)
        longer = _("On %(day)s we told you that it takes longer: %(why)s.") % {"day": day(deadline.extension.told), "why": why}
        found.append((_("Taking longer"), longer))
    if request.paused_at is not None:
        why = phrases.said(phrases.PAUSES, request.paused_why)
        found.append((_("Standing still"), _("Since %(day)s: %(why)s.") % {"day": day(request.paused_at), "why": why}))
    for pause in deadline.pauses:
        stood = {"start": day(pause.start), "end": day(pause.end), "why": phrases.said(phrases.PAUSES, pause.why)}
        found.append((_("Stood still"), _("From %(start)s to %(end)s: %(why)s.") % stood))
    return found


def decided(account: Account, request: Request) -> list[tuple[str, str]]:
    """What the team kept or described rather than showed, by category, each with its reason."""
    notice, found = policy_of(account.pk).notice, list[tuple[str, str]]()
    for name, known, sentence in (
        ("exceptions", phrases.EXCEPTIONS, _("Stays: %s.")),
        ("withheld", phrases.WITHHELD, _("Described rather than shown: %s.")),
    ):
        for category, why in dict[str, str](request.decision.get(name) or {}).items():
            found.append((capfirst(phrases.category(notice, category)), sentence % phrases.said(known, why)))
    return found


def kept(account: Account, request: Request) -> list[tuple[str, str]]:
    """What an erasure left for now, by category: why, and until when where that is known."""
    policy, found = policy_of(account.pk), dict[str, str]()
    for one in request.outcome.get("kept") or ():
        title = capfirst(phrases.category(policy.notice, one["category"])) if one["category"] else _("What belongs to it")
        until = _("until %(day)s") % {"day": day(datetime.fromisoformat(one["until"]))} if one["until"] else _("as long as that lasts")
        why = phrases.listed(_why(policy, reason) for reason in one["why"])
        found[title] = f"{capfirst(why)}, {until}."
    return list(found.items())


def _why(policy: Policy, reason: str) -> str:
    """A reason for keeping, as the erasure noted it: a case, or a rule of the notice."""
    kind, _colon, name = reason.partition(":")
    if kind == "hold":
        return phrases.said(phrases.EXCEPTIONS, name)
    rule = next((one.rule for one in policy.retains if one.rule.name == reason), None)
    return rule.promise.rstrip(".") if rule is not None and rule.promise else _("what goes with it")


def _sentence(text: str) -> str:
    """With a full stop, which some times of day bring along."""
    return text if text.endswith(".") else f"{text}."


def _received(request: Request) -> Step:
    text = moment(request.received_at)
    if request.answered_at is None:
        text = _("%(when)s We answer by %(day)s.") % {"when": _sentence(text), "day": day(request.due_at)}
    return {"title": _("Received"), "text": text, "state": "done"}


def _verified(request: Request) -> Step:
    title = _("It is you")
    if request.state == State.REFERRED and request.verified_at is None:
        return {"title": title, "text": _("Nothing to prove here: it goes to whoever is responsible."), "state": "done"}
    if request.verified_at is None:
        ended = request.closed_at is not None or request.state in (State.REFUSED, State.EXPIRED)
        text = _("Not confirmed.")
        if request.decision.get("outcome") == "unverified":
            text = _("What you told us did not show that it is you.")
        elif not ended:
            text = _awaited(request)
        return {"title": title, "text": text, "state": "failed" if ended else "current"}
    return {"title": title, "text": _proved(request), "state": "done"}


def _awaited(request: Request) -> str:
    by = request.decision.get("by", "self")
    if by == "parent":
        return _("One of us makes sure that you may ask for this child, and writes to you.")
    if by == "agent":
        return _("One of us looks at what the person who asks for you has brought.")
    return _("We know that the address is yours. One thing more is needed.") if request.proof == "link" else _("Not confirmed yet.")


def _proved(request: Request) -> str:
    email = private.open_private(request).email
    if request.decision.get("by", "self") != "self":
        return _("We made sure that it may be asked for you.")
    if request.channel in (Channel.PHONE, Channel.POST, Channel.PERSON) or request.proof == "human":
        return _("Our team made sure of it.")
    if request.proof == "sign-in":
        return _("You are signed in with the address you ask for.")
    if request.proof.startswith("match-"):
        return _("You opened the link we sent you, and what you told us matched.")
    if not request.proof:
        return _("Nothing had to be proved for this.")
    if email:
        return _("You opened the link we sent to %(email)s.") % {"email": masked(email)}
    return _("You opened the link we sent you.")


def _decided(request: Request) -> list[Step]:
    """Where the team looks at it first: that it does, and what came of it."""
    if request.state == State.DECIDING:
        return [{"title": _("We look at it"), "text": _("One of our team decides, and gives the reason."), "state": "current"}]
    if request.decision.get("outcome") == "granted" and request.kind != Kind.COMPLAIN:
        partly = request.decision.get("exceptions") or request.decision.get("withheld")
        text = _("In part; what it leaves out is listed below.") if partly else _("In full.")
        return [{"title": _("Granted"), "text": text, "state": "done"}]
    return []


def _answered(request: Request, *, final: bool) -> list[Step]:
    match request.state:
        case State.NOBODY:
            return [{"title": _("Nothing found"), "text": _("We hold nothing under this address."), "state": "done"}]
        case State.REFUSED:
            return [{"title": _("Refused"), "text": _on(request), "state": "failed"}]
        case State.REVOKED:
            return [{"title": _("Taken back"), "text": _("%(when)s Everything stays as it was.") % {"when": _on(request)}, "state": "done"}]
        case State.REFERRED:
            return [{"title": _("Passed on"), "text": _on(request), "state": "done"}]
        case State.EXPIRED:
            return []
    if request.kind in COPIES:
        return _copy(request)
    if request.kind == Kind.ERASE:
        return _erasure(request, final=final)
    if request.answered_at is None:
        return [{"title": str(DONE.get(Kind(request.kind), ANSWERED)[0]), "text": "", "state": _waits(request)}]
    if request.kind == Kind.CHOICES:
        return [{"title": _("Closed"), "text": _("Ask for a new link to change your choices again."), "state": "done"}]
    title, text = DONE.get(Kind(request.kind), ANSWERED)
    steps: list[Step] = [{"title": str(title), "text": f"{_on(request)} {text}".strip(), "state": "done"}]
    if "lifted" in request.decision and request.kind == Kind.RESTRICT:
        when = moment(datetime.fromisoformat(request.decision["lifted"]))
        steps.append({"title": _("Used again"), "text": _sentence(when), "state": "done"})
    return steps


ANSWERED = (lazy("Answered"), "")
DONE: Mapping[Kind, tuple[Any, Any]] = {
    Kind.CORRECT: (lazy("Put right"), ""),
    Kind.RESTRICT: (lazy("Left alone"), lazy("From then on your data is stored, and nothing else.")),
    Kind.OBJECT: (lazy("Ended"), ""),
    Kind.WITHDRAW: (lazy("Ended"), lazy("What rested on your consent rests on nothing any more.")),
    Kind.OPT_OUT_SALE: (lazy("In force"), lazy("Nothing of yours is sold, or shared for advertising, from then on.")),
    Kind.OPT_IN_SALE: (lazy("Allowed again"), lazy("You can take it back at any time.")),
    Kind.LIMIT_SENSITIVE: (lazy("In force"), lazy("Sensitive data of yours serves what you asked for, and nothing beyond.")),
    Kind.CHOICES: (lazy("Ready"), ""),
}
"""What the last step of a kind is called, and what holds once it is taken. A kind that is not here is answered in words."""


def _on(request: Request) -> str:
    return _sentence(moment(request.answered_at)) if request.answered_at is not None else ""


def _waits(request: Request) -> str:
    return "current" if request.state in (State.VERIFIED, State.WORKING) else "ahead"


def _counted(request: Request) -> str:
    entries, places = request.outcome.get("entries", 0), request.outcome.get("places", 0)
    return _("%(entries)s from %(places)s.") % {
        "entries": ngettext("%(n)d entry", "%(n)d entries", entries) % {"n": entries},
        "places": ngettext("%(n)d place", "%(n)d places", places) % {"n": places},
    }


def _copy(request: Request) -> list[Step]:
    if request.answered_at is None:
        gathered: Step = {"title": _("Gathered"), "text": "", "state": _waits(request)}
        return [gathered, {"title": _("Ready to download"), "text": "", "state": "ahead"}]
    if not request.outcome.get("bytes"):
        return [{"title": _("Answered"), "text": _on(request), "state": "done"}]
    text, covered = _counted(request), request.outcome.get("covered", 0)
    if covered:
        mentions = ngettext("%(n)d mention of another person was covered.", "%(n)d mentions of other people were covered.", covered)
        text = f"{text} {mentions % {'n': covered}}"
    steps: list[Step] = [{"title": _("Gathered"), "text": text, "state": "done"}]
    if request.closed_at is not None:
        gone = _("The copy and its key were destroyed on %(day)s.") % {"day": day(request.closed_at)}
        return [*steps, {"title": _("Closed"), "text": gone, "state": "done"}]
    waits = _("Until %(day)s. %(size)s, for you alone.") % {
        "day": day(request.closes_at or request.answered_at),
        "size": size(request.outcome.get("bytes", 0)),
    }
    return [*steps, {"title": _("Ready to download"), "text": waits, "state": "current"}]


def _erasure(request: Request, *, final: bool) -> list[Step]:
    hidden: list[Step] = []
    if request.effective_at is not None:
        state = "current" if request.state == State.HIDDEN else "done"
        hides = _("Nobody reads it, and nothing is done with it. On %(day)s it is erased.") % {"day": day(request.effective_at)}
        hidden = [{"title": _("Hidden"), "text": hides, "state": state}]
    return [*hidden, *_erased(request, final=final)]


def _erased(request: Request, *, final: bool) -> list[Step]:
    if request.answered_at is None:
        return [
            {"title": _("Erased"), "text": "", "state": _waits(request)},
            {"title": _("Last scraps cleared"), "text": "", "state": "ahead"},
            {"title": _("Certified"), "text": "", "state": "ahead"},
        ]
    if request.outcome.get("kept"):
        partly = _("%(counted)s What must stay for now is listed below; the rest of it goes when its time is over.")
        return [{"title": _("Erased in part"), "text": partly % {"counted": _counted(request)}, "state": "current"}]
    erased = _("%(counted)s The key that opened them is destroyed.") % {"counted": _counted(request)}
    steps: list[Step] = [{"title": _("Erased"), "text": erased, "state": "done"}]
    if not final:
        scraps = _("The database rewrites the pages it kept of them. This takes some minutes.")
        return [
            *steps,
            {"title": _("Last scraps cleared"), "text": scraps, "state": "current"},
            {"title": _("Certified"), "text": "", "state": "ahead"},
        ]
    steps.append({"title": _("Last scraps cleared"), "text": _("Nothing of you is found any more."), "state": "done"})
    if request.closed_at is None:
        fetch = _("Fetch it, and we destroy your address too.")
        return [*steps, {"title": _("Certified"), "text": fetch, "state": "current"}]
    return [*steps, {"title": _("Certified"), "text": _("We hold nothing of you. This page names nobody."), "state": "done"}]

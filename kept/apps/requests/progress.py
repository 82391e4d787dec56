"""How far a request has come, in words, for the person who asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kept.apps.requests import private, queries, words
from kept.apps.requests.models import Kind, Request, State
from kept.platform.accounts.models import Account
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
    """What the page of a request shows: title, steps, what can be fetched, whether it is still moving."""
    title, what = words.title(request.kind), Kind(request.kind).label
    held = queries.erasure_of(request) if request.kind == Kind.ERASE else None
    certificate = held is not None and "proof" in (held.certificate or {})
    final = certificate and held is not None and held.residue_at is not None
    steps = [_received(request), _verified(request), *_answered(request, final=final)]
    moving = request.state in (State.VERIFIED, State.WORKING) or (request.kind == Kind.ERASE and request.state == State.READY and not final)
    return {
        "title": title,
        "subtitle": _("Request %(number)s, %(what)s") % {"number": request.reference[:8], "what": what},
        "steps": [] if request.kind == Kind.CHOICES and request.state == State.READY else steps,
        "moving": moving,
        "package": request.kind == Kind.ACCESS and request.state == State.READY and request.closed_at is None,
        "certificate": (_("Download your certificate") if final else _("Download the certificate so far")) if certificate else "",
        "final": final,
        "reason": private.open_private(request).reason if request.state == State.REFUSED else "",
    }


def _received(request: Request) -> Step:
    text = moment(request.received_at)
    if request.answered_at is None:
        text = _("%(when)s. We answer by %(day)s.") % {"when": text, "day": day(request.due_at)}
    return {"title": _("Received"), "text": text, "state": "done"}


def _verified(request: Request) -> Step:
    if request.verified_at is None:
        state = "failed" if request.closed_at or request.state == State.REFUSED else "current"
        return {"title": _("It is you"), "text": _("Not confirmed."), "state": state}
    email = private.open_private(request).email
    if request.channel in ("phone", "post", "in-person"):
        text = _("Our team made sure of it.")
    elif email:
        text = _("You opened the link we sent to %(email)s.") % {"email": masked(email)}
    else:
        text = _("You opened the link we sent you.")
    return {"title": _("It is you"), "text": text, "state": "done"}


def _answered(request: Request, *, final: bool) -> list[Step]:
    if request.state == State.NOBODY:
        return [{"title": _("Nothing found"), "text": _("We hold nothing under this address."), "state": "done"}]
    if request.state == State.REFUSED:
        return [{"title": _("Refused"), "text": "", "state": "failed"}]
    if request.state == State.EXPIRED:
        return []
    if request.kind == Kind.ACCESS:
        return _access(request)
    if request.kind == Kind.ERASE:
        return _erasure(request, final=final)
    return [{"title": _("Closed"), "text": _("Ask for a new link to change your choices again."), "state": "done"}]


def _waits(request: Request) -> str:
    return "current" if request.state in (State.VERIFIED, State.WORKING) else "ahead"


def _counted(request: Request) -> str:
    entries, places = request.outcome.get("entries", 0), request.outcome.get("places", 0)
    return _("%(entries)s from %(places)s.") % {
        "entries": ngettext("%(n)d entry", "%(n)d entries", entries) % {"n": entries},
        "places": ngettext("%(n)d place", "%(n)d places", places) % {"n": places},
    }


def _access(request: Request) -> list[Step]:
    if request.answered_at is None:
        gathered: Step = {"title": _("Gathered"), "text": "", "state": _waits(request)}
        return [gathered, {"title": _("Ready to download"), "text": "", "state": "ahead"}]
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
    if request.answered_at is None:
        return [
            {"title": _("Erased"), "text": "", "state": _waits(request)},
            {"title": _("Last scraps cleared"), "text": "", "state": "ahead"},
            {"title": _("Certified"), "text": "", "state": "ahead"},
        ]
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

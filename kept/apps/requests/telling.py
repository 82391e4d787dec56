"""Telling those who had a person's data what was done for them, and keeping track of who has done it too.

What they are told stands sealed under the request's key until they have done it, and goes with that key. Each step is one of the request
in the ledger, and names the recipient; it is no disclosure, for it serves the person's right and no purpose of the notice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from kept.apps.requests import jobs, private, queries, telling_whom, telling_wire
from kept.apps.requests.models import Correspondent, Request, Telling
from kept.apps.requests.story import outlet_of
from kept.apps.requests.telling_whom import TYPES, What
from kept.apps.requests.telling_wire import ORDER, Status
from kept.core.errors import BadInput, Conflict, KeptError, NotFound, Refused, Shredded
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.jobs import outgoing
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import looked, reserved
from kept.platform.privacy.inlets import refused_category
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

REMINDED = timedelta(days=10)
"""How long those who are late are reminded, once a day."""
JOB = "job:requests"
_FIELDS = ("request", "recipient", "what", "key_id", "sealed", "made_at", "due_at", "how")


class How(models.TextChoices):
    """How a recipient is told, and how it stands with them: what `Telling.how` holds."""

    ADDRESS = "address", lazy("to be told")
    BY_HAND = "by-hand", lazy("to be told by the team")
    RECEIVED = "received", lazy("they have it")
    IN_PROGRESS = "in_progress", lazy("they are at it")
    DENIED = "denied", lazy("they refuse")
    COMPLETED = "completed", lazy("they have done it")
    IMPOSSIBLE = "impossible", lazy("cannot be told")
    NOT_TOLD = "not-told", lazy("was not told")


AWAITED = (How.ADDRESS, How.RECEIVED, How.IN_PROGRESS)
"""Told at their address, and not done."""
SETTLED = (How.COMPLETED, How.IMPOSSIBLE, How.NOT_TOLD)
"""Nothing more comes of it."""


# Gathering and sending


def prepare(account: Account, request: Request, subject: Subject) -> int:
    """Write down who hears of an erasure, where the notice or a law wants it, while it is still there who they are; how many.

    Nothing goes out before `send`. May be called again at any time: nobody is written down twice.
    """
    with reserved(account.pk, JOB, "rights", rule=request.rule, request=request.reference) as use:
        right = queries.right_of(queries.terms_of(use, request), request.kind, request.region)
    return _gather(account, request, subject, "erase") if telling_whom.owed(policy_of(account.pk), right, request.region, "erase") else 0


def tell(account: Account, request: Request, what: What) -> int:
    """Tell everybody who had a person's data what was done for them; how many. May be called again: nobody is told twice."""
    with reserved(account.pk, JOB, "rights", rule=request.rule, request=request.reference) as use:
        subject = queries.subject_of(use, request)
    count = _gather(account, request, subject, what) if subject is not None else 0
    point("telling:gathered")
    send(account, request)
    return count


def _gather(account: Account, request: Request, subject: Subject, what: What) -> int:
    with reserved(account.pk, JOB, "rights", rule=request.rule, request=request.reference) as use:
        found = telling_whom.whom(use, request, subject, what)
        if found:
            known, about = telling_whom.known_as(use, request, subject), telling_whom.about(request, what)
            with writing(use):
                _write(use, request, what, found, known, about)
    return len(found)


def _write(use: Use, request: Request, what: What, found: list[tuple[str, ...]], known: list[tuple[str, str]], about: list[str]) -> None:
    """One line for each recipient: hashed identities for those who have an address, and what the team needs to tell the others."""
    held, now, policy = Request.under(use).select_for_update().get(pk=request.pk), timezone.now(), policy_of(use.account_id)
    if held.closed_at is not None:
        raise Conflict("This request is closed.", place=request.reference)
    told = set(Telling.under(use).filter(request=request.reference, what=what).values_list("recipient", flat=True))
    addresses = {one.recipient: one for one in Correspondent.under(use).filter(ended_at=None)}
    key_id, lines = held.key_id or vault().create()[0], []  # a request of the command line has none until now
    for rules in found:
        if told.intersection(rules):
            continue
        rule = next((one for one in rules if one in addresses), rules[0])
        how = How.ADDRESS if rule in addresses and known else How.BY_HAND
        content = {"identities": telling_wire.identities(known, hashed=how == How.ADDRESS), "about": about}
        sealed = private.seal_under(key_id, request.reference, json.dumps(content).encode(), "telling")
        due = telling_whom.due(policy, request, what, addresses.get(rule), now)
        lines.append((request.reference, rule, what, key_id, sealed, now, due, how))
    rows.insert(use, Telling, _FIELDS, lines)
    Request.under(use).filter(pk=request.pk).update(key_id=key_id)
    request.key_id = key_id


def send(account: Account, request: Request) -> None:
    """Have everybody told who was written down and has an address. May be called again."""
    with bookkeeping(account.pk, writing=True) as use:
        waiting = Telling.under(use).filter(request=request.reference, how=How.ADDRESS, sent_at=None)
        for telling_id in waiting.values_list("pk", flat=True):
            jobs.tell.enqueue(account_id=account.pk, telling_id=telling_id)


def remind(account_id: int, now: datetime) -> int:
    """Have everybody told who was not reached, and again who is late; how many."""
    unreached = Q(sent_at=None, how=How.ADDRESS, sealed__isnull=False, made_at__lt=now - timedelta(hours=12))
    late = Q(sent_at__isnull=False, how__in=AWAITED, confirmed_at=None, due_at__range=(now - REMINDED, now))
    with bookkeeping(account_id, writing=True) as use:
        found = list(Telling.under(use).filter(unreached | late).values_list("pk", flat=True))
        for telling_id in found:
            jobs.tell.enqueue(account_id=account_id, telling_id=telling_id)
    return len(found)


def deliver(account_id: int, telling_id: int) -> None:
    """Tell one recipient, or remind them. Raises Closed, to be tried again, when nobody takes it; Refused for an address in the house."""
    account = Account.objects.get(pk=account_id)
    with bookkeeping(account_id) as use:
        one = Telling.under(use).filter(pk=telling_id, how__in=AWAITED, confirmed_at=None).first()
        if one is None or (one.sent_at is not None and one.due_at > timezone.now()):
            return
        request = Request.under(use).get(reference=one.request)
        whose = _correspondent(use, one)
    content = _content(one)
    if one.sent_at is None and content is None:  # closed meanwhile, which says so
        return
    if whose is None:
        _update(account_id, one, how=How.BY_HAND, failed=_("They have no address any more."))
        return
    body, headers = _signed(account, request, one, content or {})
    try:
        said = telling_wire.answered(outgoing.post(whose.address, body, headers))
    except KeptError as error:
        _update(account_id, one, failed=error.message)
        raise
    point("telling:posted")
    _sent(account, one, content or {})
    _moved(account, one, said, f"correspondent:{whose.pk}")


def _correspondent(use: Use, one: Telling) -> Correspondent | None:
    found: Correspondent | None = Correspondent.under(use).filter(recipient=one.recipient, ended_at=None).first()
    return found


def _content(one: Telling) -> dict[str, Any] | None:
    """What was sealed for a recipient; None once it is gone."""
    if one.sealed is None or one.key_id is None:
        return None
    try:
        found: dict[str, Any] = json.loads(private.open_bytes(one.key_id, one.request, bytes(one.sealed), "telling"))
    except Shredded:
        return None
    return found


def _update(account_id: int, one: Telling, **known: Any) -> None:
    with bookkeeping(account_id, writing=True) as use:
        Telling.under(use).filter(pk=one.pk).update(**known)


def request_id(one: Telling) -> str:
    """The id by which one recipient knows a request: no other has the same, and who does not know the request cannot make it up."""
    made = hashlib.sha256(f"{one.request}/{one.recipient}/{one.what}".encode()).digest()
    return str(uuid.UUID(bytes=made[:16], version=4))


def callback(account: Account, one: Telling) -> str:
    """Where a recipient says how it stands."""
    return settings.SITE + reverse("requests:telling", args=[account.slug, f"{one.pk}.{request_id(one)}"])


def _signed(account: Account, request: Request, one: Telling, content: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    order = telling_wire.Order(
        id=request_id(one),
        what=one.what,
        laws=telling_whom.laws(policy_of(account.pk), request.region),
        submitted=request.received_at,
        callback=callback(account, one),
        controller=urlsplit(settings.SITE).hostname or "",
        key=settings.SITE + reverse("notices:ledger-key", args=[account.slug]),
        about=content.get("about", ()),
        identities=content.get("identities", ()),
    )
    body, (key, _public) = order.document(), ledger.signing_key(account.pk)
    return body, telling_wire.headers(key.sign(body))


def _sent(account: Account, one: Telling, content: Mapping[str, Any]) -> None:
    """They have it. The first time is a step of the request; a reminder is none."""
    with bookkeeping(account.pk, writing=True) as use:
        held = Telling.under(use).select_for_update().get(pk=one.pk)
        if held.sent_at is None:
            held.sent_at = timezone.now()
            held.how = How.ADDRESS  # also where the request was closed in between
            _step(use, held, JOB, "told", _categories(content))
        held.tries, held.failed = held.tries + 1, ""
        held.save(update_fields=["sent_at", "how", "tries", "failed"])


def _categories(content: Mapping[str, Any]) -> list[str]:
    types = {known["identity_type"] for known in content.get("identities", ())}
    return [category for category, kind in TYPES.items() if kind in types]


def _step(use: Use, one: Telling, actor: str, noted: str, categories: Iterable[str] = ()) -> None:
    """A step of the request that names the recipient. Its state stays what it is."""
    request = Request.under(use).select_for_update().get(reference=one.request)
    made = ledger.append(
        use,
        "request",
        actor=actor,
        purpose="rights",
        categories=tuple(categories),
        recipient=name_of(use, one),
        rule=one.recipient,
        subjects=[request.subject_reference] if request.subject_reference else (),
        request=one.request,
    )
    Request.under(use).filter(pk=request.pk).update(entries=[*request.entries, [made.id, request.state, noted]])


def name_of(use: Use, one: Telling) -> str:
    """Who a recipient is, as the notice names them; where an event or somebody's act decides that, the rule's own word."""
    outlet = outlet_of(policy_of(use.account_id), one.recipient)
    return outlet.to if outlet is not None else one.recipient.partition(":")[2]


# What they answer


def answer(account: Account, token: str, body: bytes, domain: str, signature: str) -> Status:
    """Take a recipient's signed word on how it stands; how it stands then. The same word again changes nothing.

    Raises NotFound for an address that is none, Refused for whoever did not sign as the recipient, BadInput for what cannot be read.
    """
    number, _point, given = token.partition(".")
    with bookkeeping(account.pk) as use:
        one = Telling.under(use).filter(pk=int(number)).first() if number.isascii() and number.isdecimal() and len(number) < 19 else None
        if one is None or not hmac.compare_digest(request_id(one).encode(), given.encode()):
            raise NotFound("There is no such address.", place="address", cure="Use the one that came with the request.")
        whose = _correspondent(use, one)
    if whose is None or not whose.verify_key:
        raise Refused("No key of this recipient is known here.", place=telling_wire.SIGNATURE, cure="Give it to whoever asked you.")
    if domain.lower() != urlsplit(whose.address).hostname:
        raise Refused("This is not the domain that was told.", place=telling_wire.DOMAIN, cure="Name the domain of your own address.")
    said = telling_wire.opened(body, signature, whose.verify_key)
    if (said.status_callback_url, said.subject_request_id) != (callback(account, one), request_id(one)):
        cure = "Repeat the id and the address that came with the request."
        raise BadInput("The body is about another request.", place="subject_request_id", cure=cure)
    return _moved(account, one, telling_wire.STATUSES[said.request_status], f"correspondent:{whose.pk}")


def _moved(account: Account, one: Telling, said: Status, actor: str) -> Status:
    """How it stands with a recipient from now on: further, and never back; what the team settled stays."""
    with bookkeeping(account.pk, writing=True) as use:
        held = Telling.under(use).select_for_update().get(pk=one.pk)
        settled = held.confirmed_at is not None or held.how not in (*AWAITED, How.DENIED)
        if settled or (held.how in ORDER and ORDER.index(said) <= ORDER.index(held.how)):
            return "completed" if held.confirmed_at is not None else next((known for known in ORDER if known == held.how), "received")
        held.how = said
        if said == "completed":
            held.confirmed_at, held.sealed, held.key_id = timezone.now(), None, None
        held.save(update_fields=["how", "confirmed_at", "sealed", "key_id"])
        if said in ("denied", "completed"):
            _step(use, held, actor, f"told-{said}")
    return said


# What the team does


def identities(account: Account, actor: Actor, telling_id: int) -> list[dict[str, str]]:
    """As whom a recipient knows the person, for the member who tells them by hand: a look. Raises NotFound once it is gone."""
    with bookkeeping(account.pk) as use:
        one = Telling.under(use).filter(pk=telling_id, confirmed_at=None).first()
    content = _content(one) if one is not None else None
    if one is None or content is None:
        raise NotFound(_("Nothing is held of them here any more."), place=str(telling_id))
    found: list[dict[str, str]] = content["identities"]
    with reserved(account.pk, actor, "rights", request=one.request) as use:
        looked(use, [queries.by_reference(account.pk, one.request).subject_reference], categories=_categories(content))
    return found


def confirm_by_hand(account: Account, actor: Actor, telling_id: int, note: str) -> None:
    """A member says that a recipient was told and has done it. The note says how that is known, and goes when the request is closed.

    Raises BadInput without one, Conflict once it is settled, NotFound.
    """
    text = _written(note, "note", _("A confirmation says how it is known."), _("Write how and when they confirmed it."))
    with bookkeeping(account.pk, writing=True) as use:
        one, now = _unsettled(use, telling_id), timezone.now()
        one.sent_at, one.confirmed_at, one.how, one.failed = one.sent_at or now, now, How.BY_HAND, ""
        one.sealed = private.seal_under(one.key_id, one.request, json.dumps({"note": text}).encode(), "telling") if one.key_id else None
        one.save(update_fields=["sent_at", "confirmed_at", "how", "failed", "sealed"])
        _step(use, one, actor.reference, "told-completed")


def impossible(account: Account, actor: Actor, telling_id: int, reason: str) -> None:
    """A member says why a recipient cannot be told, or only with an effort out of proportion: Article 19 GDPR, 11 CCR § 7022(b)(3).

    The person reads it, and it stays on file. Raises BadInput without a reason, Conflict once it is settled, NotFound.
    """
    text = _written(reason, "reason", _("This needs its reason."), _("Write why they cannot be told, and name nobody."))
    with bookkeeping(account.pk, writing=True) as use:
        one = _unsettled(use, telling_id)
        one.how, one.failed, one.sealed, one.key_id = How.IMPOSSIBLE, text, None, None
        one.save(update_fields=["how", "failed", "sealed", "key_id"])
        _step(use, one, actor.reference, "told-impossible")


def _written(text: str, place: str, says: str, cure: str) -> str:
    if not text.strip():
        raise BadInput(says, place=place, cure=cure)
    if refused_category(text):
        raise BadInput(_("This holds a number that is refused everywhere."), place=place, cure=_("Leave the number out."))
    return text.strip()


def _unsettled(use: Use, telling_id: int) -> Telling:
    found: Telling | None = Telling.under(use).select_for_update().filter(pk=telling_id).first()
    if found is None:
        raise NotFound(_("There is no such recipient of this request."), place=str(telling_id))
    if found.confirmed_at is not None or found.how == How.IMPOSSIBLE:
        raise Conflict(_("This is settled already."), place=str(telling_id), cure=_("Look at it again."))
    return found


# How it stands


@dataclass(frozen=True)
class Told:
    """How it stands with one recipient. `why` is what stands against it; `late`: they should have done it by now."""

    id: int
    request: str
    name: str
    rule: str
    what: str
    how: How
    why: str
    due_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    late: bool


def told(use: Use, request: Request) -> list[Told]:
    """Everybody who is told of a request."""
    now = timezone.now()
    return [_told(use, one, now) for one in Telling.under(use).filter(request=request.reference).order_by("id")]


def overdue(use: Use, now: datetime) -> list[Told]:
    """Everybody who should have done it and has not, the longest first. Who refuses, or cannot be told, is not late."""
    late = Telling.under(use).filter(confirmed_at=None, due_at__lt=now, how__in=(*AWAITED, How.BY_HAND))
    return [_told(use, one, now) for one in late.order_by("due_at", "id")]


def _told(use: Use, one: Telling, now: datetime) -> Told:
    late = one.confirmed_at is None and one.due_at < now and one.how in (*AWAITED, How.BY_HAND)
    when = (one.due_at, one.sent_at, one.confirmed_at)
    return Told(one.pk, one.request, name_of(use, one), one.recipient, one.what, How(one.how), one.failed, *when, late)


def told_in_words(use: Use, request: Request) -> str:
    """How many were told and did it, and who could not be told and why; empty where there is nobody to tell."""
    found = list({one.rule: one for one in told(use, request)}.values())
    sent, done = [one for one in found if one.sent_at], [one for one in found if one.confirmed_at]
    waiting = [one for one in found if not one.sent_at and one.how in (How.ADDRESS, How.BY_HAND)]
    said = []
    if sent:
        first = ngettext("We told %(count)d company that had your data", "We told %(count)d companies that had your data", len(sent))
        then = ngettext("%(count)d confirmed that it is done", "%(count)d confirmed that it is done", len(done))
        said.append(f"{first % {'count': len(sent)}}; {then % {'count': len(done)}}.")
    if waiting:
        said.append(ngettext("%(count)d is still to be told.", "%(count)d are still to be told.", len(waiting)) % {"count": len(waiting)})
    for one in found:
        if one.how == How.DENIED:
            said.append(_("%(name)s refuses.") % {"name": one.name})
        elif one.how in (How.IMPOSSIBLE, How.NOT_TOLD):
            said.append(_("%(name)s could not be told: %(why)s") % {"name": one.name, "why": one.why})
    return " ".join(said)


def waits(request: Request) -> bool:
    """Whether somebody is still to be told, and in time: what they are told goes with the request's key."""
    with bookkeeping(request.account_id) as use:
        unsent = Telling.under(use).filter(request=request.reference, sent_at=None, how__in=(How.ADDRESS, How.BY_HAND))
        return bool(unsent.filter(due_at__gt=timezone.now()).exists())


def closed(use: Use, request: Request) -> None:
    """The request is closed and its key gone: whoever was not told by now is not told, and why stays."""
    mine = Telling.under(use).filter(request=request.reference)
    unsent = mine.filter(sent_at=None, how__in=(How.ADDRESS, How.BY_HAND))
    unsent.filter(failed="").update(failed=_("The request was closed before they were told."))
    unsent.update(how=How.NOT_TOLD)
    mine.update(sealed=None, key_id=None)

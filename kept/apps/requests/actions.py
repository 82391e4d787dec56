"""What happens to a request: asked, proved, answered, fetched, closed. Each verb is one transaction, and safe to repeat.

The key of a request goes last of all that it opened, and everything that it opened goes with it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, letters, limits, outbox, private, queries
from kept.apps.requests.models import Channel, Kind, OutboxMessage, Request, State
from kept.apps.requests.package import Package, build
from kept.apps.requests.private import Private
from kept.core.errors import BadInput, Conflict, NotFound, Shredded
from kept.core.ledger import encode
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import erasure, journal, ledger, subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Erasure
from kept.platform.privacy.notices import accounts_in_force
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.versions import offering

PACKAGE_WAITS = timedelta(days=14)
GRACE = timedelta(days=3)
"""How long a package that was fetched stays, so that it can be fetched again."""
CERTIFICATE_WAITS = timedelta(days=30)
CHOICES_WAIT = timedelta(days=1)
LOST = timedelta(hours=1)
_FIELDS = (
    *("reference", "kind", "state", "channel", "rule", "region", "subject_reference", "received_at", "due_at", "verified_at"),
    *("clock", "closes_at", "link", "page", "key_id", "sealed", "outcome", "entries"),
)


def packages() -> Path:
    """Where sealed packages lie until they are fetched."""
    return Path(settings.DATA) / "packages"


def _package_path(reference: str) -> Path:
    return packages() / f"{reference}.sealed"


def _who(actor: Actor | str) -> str:
    return actor if isinstance(actor, str) else actor.reference


def person(request: Request) -> str:
    """How the ledger names the person who asks."""
    return f"person:{request.subject_reference or request.reference}"


# Coming in


def _receive(use: Use, actor: str, kind: Kind, channel: Channel, region: str, contents: Private, **known: Any) -> Request:
    """Store a new request and its entry. `known`: what is known already (state, subject_reference, link)."""
    now, reference = timezone.now(), secrets.token_hex(16)
    policy = offering(use.account_id)
    right, deadline = queries.right_of(policy, kind, region), queries.deadline(policy, kind, region, now)
    key_id = vault().create()[0] if channel != Channel.COMMAND else None
    values: dict[str, Any] = {
        "reference": reference,
        "kind": kind,
        "state": State.RECEIVED,
        "channel": channel,
        "rule": right.rule.name if right else "",
        "region": region,
        "subject_reference": "",
        "received_at": now,
        "due_at": deadline.due,
        "clock": deadline.as_dict(),
        "verified_at": None,
        "closes_at": None,
        "link": "",
        "page": private.digest(contents.page) if contents.page else "",
        "key_id": key_id,
        "sealed": private.seal(key_id, reference, contents) if key_id else None,
        "outcome": {},
        "entries": [],
        **known,
    }
    (made,) = rows.insert(use, Request, _FIELDS, [[values[name] for name in _FIELDS]])
    request = Request.under(use).get(pk=made)
    _change(use, request, actor or person(request))
    return request


def _change(use: Use, request: Request, actor: str, *, entry: str = "request", **fields: Any) -> None:
    """Change a request, and say so in the ledger."""
    subject = fields.get("subject_reference", request.subject_reference)
    made = ledger.append(
        use, entry, actor=actor, rule=request.rule or None, subjects=[subject] if subject else (), request=request.reference
    )
    fields["entries"] = [*request.entries, [made.id, fields.get("state", request.state)]]
    for name, value in fields.items():
        setattr(request, name, value)
    request.save(update_fields=list(fields))


def _again(use: Use, request: Request, *states: State) -> Request:
    """The request as it stands now, inside the action that changes it. Raises Conflict when it is in none of these states any more."""
    found = Request.under(use).select_for_update().filter(pk=request.pk, state__in=states, closed_at=None).first()
    if found is None:
        raise Conflict(_("This request has moved on."), place=request.reference, cure=_("Look at it again."))
    return found


def ask(account: Account, kind: Kind, email: str, region: str, network: str) -> None:
    """Somebody asks in the privacy centre. Whether we know the address is not looked up: a letter goes to it in any case.

    Raises BadInput for what is no address.
    """
    address = email.strip()
    if not limits.may_write(account.pk, kind, address, region):
        return
    token, later = private.new_token(), limits.delay(account.pk, network)
    with bookkeeping(account.pk, writing=True) as use:
        until = timezone.now() + timedelta(hours=private.LINK_HOURS)
        contents = Private(email=address, page=private.new_token())
        request = _receive(use, "", kind, Channel.CENTRE, region, contents, link=private.digest(token), closes_at=until)
        outbox.post(use, request, letters.confirm(account, request, token), delay=later)


@dataclass(frozen=True)
class TakenIn:
    """What the team writes down of a request by telephone, letter or word of mouth. `how` is one of the right's channels."""

    kind: Kind
    known_by: str
    value: str
    email: str
    note: str


def take_in(account: Account, actor: Actor, given: TakenIn) -> Request:
    """Take in a request on somebody's behalf. Raises BadInput for a malformed identifier, NotFound when nobody is known by it."""
    with reserved(account.pk, actor, "rights") as use:
        subject = subjects.find(use, given.known_by, given.value.strip(), account.region)
    email = given.email.strip()
    if email:
        subjects.normalised("email", email, account.region)
    contents = Private(email=email, page=private.new_token(), note=given.note.strip())
    with bookkeeping(account.pk, writing=True) as use:
        known = {"subject_reference": subject.reference}
        return _receive(use, actor.reference, given.kind, Channel.STAFF, subject.region, contents, **known)


# Proving, refusing


def looked_over(request: Request) -> bool:
    """Whether one of the team looks at it before it is answered, as the version says that the person is under."""
    with reserved(request.account_id, person(request), "rights", rule=request.rule, request=request.reference) as use:
        right = queries.right_of(queries.terms_of(use, request), request.kind, request.region)
    return right is not None and "human" in right.verify


def confirm(account: Account, link: str) -> str:
    """The person says that it was them; the token of their request's page. Raises NotFound when the link is used or too old."""
    request = queries.by_link(account.pk, link)
    if request is None:
        raise NotFound(_("This link has been used, or is too old."), cure=_("Ask again: a new letter comes at once."))
    waits = looked_over(request)
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.RECEIVED)
        token = private.open_private(request).page
        _change(use, request, person(request), state=State.VERIFIED, verified_at=timezone.now(), link="", closes_at=None)
        point("requests:verified")
        if not waits:
            jobs.answer.enqueue(account_id=account.pk, reference=request.reference)
    if request.kind == Kind.CHOICES and not waits:
        answer(account.pk, request.reference)  # the switches stand on the page that comes next
    return token


def start(account: Account, actor: Actor, request: Request) -> None:
    """The team vouches for who asks, and the answer is made."""
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.RECEIVED, State.VERIFIED)
        verified = request.verified_at or timezone.now()
        _change(use, request, actor.reference, state=State.VERIFIED, verified_at=verified, link="", closes_at=None)
        jobs.answer.enqueue(account_id=account.pk, reference=request.reference)


def refuse(account: Account, actor: Actor, request: Request, reason: str) -> None:
    """The team refuses, with a reason that the person reads."""
    if not reason.strip():
        raise BadInput(_("A refusal needs its reason."), place="reason", cure=_("Write what stands against it; the person reads it."))
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.RECEIVED, State.VERIFIED)
        held = replace(private.open_private(request), reason=reason.strip())
        sealed = private.seal(request.key_id or 0, request.reference, held)
        now = timezone.now()
        changes: dict[str, Any] = {
            "state": State.REFUSED,
            "answered_at": now,
            "closes_at": now + CERTIFICATE_WAITS,
            "link": "",
            "sealed": sealed,
        }
        _change(use, request, actor.reference, **changes)
        authority = queries.complaint(account, request.region).authority
        outbox.post(use, request, letters.refused(account, request, reason.strip(), authority))


# Answering


def answer(account_id: int, reference: str) -> None:
    """Answer a verified request. May be called again at any time: it carries on where it stood."""
    request = queries.by_reference(account_id, reference)
    if request.state not in (State.VERIFIED, State.WORKING) or request.closed_at is not None:
        return
    account = Account.objects.get(pk=account_id)
    if request.kind == Kind.ERASURE and journal.find(reference) is not None:
        _erased(account, request)
        return
    with reserved(account_id, person(request), "rights", rule=request.rule, request=reference) as use:
        subject = queries.subject_of(use, request)
    if subject is None:
        _nobody(account, request)
        return
    with bookkeeping(account_id, writing=True) as use:
        request = _again(use, request, State.VERIFIED, State.WORKING)
        Request.under(use).filter(pk=request.pk).update(state=State.WORKING, subject_reference=subject.reference)
    request.state, request.subject_reference = State.WORKING, subject.reference
    point("requests:working")
    if request.kind == Kind.ACCESS:
        _pack(account, request)
    elif request.kind == Kind.ERASURE:
        erasure.erase(account_id, person(request), subject.pk, reference, request.rule)
        _erased(account, request)
    else:
        _ready(account, request, CHOICES_WAIT, {})


def _ready(account: Account, request: Request, waits: timedelta, outcome: Mapping[str, Any]) -> None:
    """The answer can be fetched, and the letter that says so goes out."""
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.VERIFIED, State.WORKING)
        now = timezone.now()
        _change(use, request, "job:requests", state=State.READY, answered_at=now, closes_at=now + waits, outcome=dict(outcome))
        point("requests:ready")
        if request.kind == Kind.ACCESS:
            outbox.post(use, request, letters.ready(account, request))
        elif request.kind == Kind.ERASURE:
            outbox.post(use, request, letters.erased(account, request))


def _nobody(account: Account, request: Request) -> None:
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.VERIFIED, State.WORKING)
        now = timezone.now()
        _change(use, request, "job:requests", state=State.NOBODY, answered_at=now, closes_at=now + PACKAGE_WAITS)
        if request.kind != Kind.CHOICES:  # whoever asked for the choices reads it on the page at once
            outbox.post(use, request, letters.nobody(account, request))


def _pack(account: Account, request: Request) -> None:
    """Gather, seal into a file, then say that it is there."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        subject = queries.subject_of(use, request)
        if subject is None:
            raise Conflict("The person was erased meanwhile.", place=request.reference)
        package = build(use, account, subject, request.reference, timezone.now())
    content = package.zipped()
    packages().mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _package_path(request.reference)
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(private.seal_bytes(request, content, "package"))
    point("requests:packed")
    try:
        _ready(account, request, PACKAGE_WAITS, {**package.summary, "bytes": len(content)})
    except Conflict:
        path.unlink(missing_ok=True)  # an erasure closed the request meanwhile
        raise


def _erased(account: Account, request: Request) -> None:
    """Carry the erasure to its first certificate. Raises Conflict, to be tried again, while verification still finds something."""
    intent = journal.find(request.reference)
    assert intent is not None
    done = erasure.resume(intent)
    point("requests:erased")
    if done.findings:
        raise Conflict("The erasure left something, and is carried on.", place=request.reference)
    _ready(account, request, CERTIFICATE_WAITS, {"entries": sum(done.counts.values()), "places": len(done.counts)})
    jobs.residue.using(run_after=timezone.now() + timedelta(seconds=jobs.RESIDUE_AFTER_SECONDS)).enqueue()


def clear_residue() -> None:
    """The second stage for all who wait for it, then the letters that say so. Raises Conflict while a reader holds old pages."""
    erasure.clear_residue()
    for account in accounts_in_force():
        with bookkeeping(account.pk) as use:
            answered = Request.under(use).filter(kind=Kind.ERASURE, state=State.READY, closed_at=None)
            waiting = [request for request in answered if "cleared" not in request.outcome]
        for request in waiting:
            if _final(queries.erasure_of(request)):
                with bookkeeping(account.pk, writing=True) as use:
                    request = _again(use, request, State.READY)
                    _change(use, request, "job:requests", outcome={**request.outcome, "cleared": True})
                    outbox.post(use, request, letters.cleared(account, request))


def _final(held: Erasure | None) -> bool:
    return held is not None and held.residue_at is not None and "proof" in (held.certificate or {})


# Fetching


def fetch_package(account: Account, request: Request, actor: str) -> bytes:
    """The package, for the person or for who hands it over. Counted; it goes a few days after. Raises NotFound once it is gone."""
    try:
        sealed = _package_path(request.reference).read_bytes()
        content = private.open_bytes(request.key_id or 0, request.reference, sealed, "package")
    except (FileNotFoundError, Shredded) as error:
        raise NotFound(_("This copy is not there any more."), cure=_("Ask for a new one.")) from error
    with bookkeeping(account.pk, writing=True) as use:
        request = _again(use, request, State.READY)
        closes = min(request.closes_at or timezone.now(), timezone.now() + GRACE)
        _change(use, request, actor, entry="release", fetched=request.fetched + 1, closes_at=closes)
    return content


def certificate(account_id: int, reference: str) -> bytes:
    """The certificate of an erasure as it stands, byte for byte as it verifies. Raises NotFound before the first stage."""
    with bookkeeping(account_id) as use:
        held = Erasure.under(use).filter(request=reference).first()
    if held is None or "proof" not in (held.certificate or {}):
        raise NotFound(_("There is no certificate yet."), cure=_("It is made within moments of the erasure."))
    return encode(held.certificate or {})


def fetch_certificate(account: Account, request: Request) -> bytes:
    """The certificate, for the person. Once the final one is fetched nothing of them is left here, and the request is closed."""
    content = certificate(account.pk, request.reference)
    if _final(queries.erasure_of(request)) and request.closed_at is None:
        with bookkeeping(account.pk, writing=True) as use:
            request = _again(use, request, State.READY)
            _change(use, request, person(request), entry="release", fetched=request.fetched + 1, closes_at=timezone.now())
        point("requests:fetched")
        close(request)
    return content


# Closing


def close(request: Request) -> int:
    """Destroy the request's key and all that it opened: letters, package, address. How many files there were."""
    with bookkeeping(request.account_id) as use:
        messages = list(OutboxMessage.under(use).filter(request=request.reference).values_list("pk", flat=True))
    if request.key_id is not None:
        vault().shred([request.key_id])
    point("requests:shredded")
    package = _package_path(request.reference)
    removed = outbox.remove_files(messages) + package.exists()
    package.unlink(missing_ok=True)
    point("requests:unlinked")
    with bookkeeping(request.account_id, writing=True) as use:
        held = Request.under(use).select_for_update().get(pk=request.pk)
        if held.closed_at is None:
            OutboxMessage.under(use).filter(request=request.reference).update(sealed=None)
            state = {State.READY: State.DONE, State.RECEIVED: State.EXPIRED}.get(State(held.state), held.state)
            if held.state in (State.VERIFIED, State.WORKING):
                state = State.DONE
            changes = {"state": state, "closed_at": timezone.now(), "key_id": None, "sealed": None, "link": ""}
            _change(use, held, "job:requests", entry="key-destruction", **changes)
    return removed


def sweep(now: datetime) -> int:
    """Close what has lapsed: links nobody opened, packages nobody fetched; how many. Files that nothing stands for go too.

    An answer that was begun and is nobody's work any more is taken up again.
    """
    lapsed: list[Request] = []
    letters_held: set[int] = set()
    open_references: set[str] = set()
    for account_id in Account.objects.values_list("pk", flat=True):
        with bookkeeping(account_id) as use:
            lapsed += Request.under(use).filter(closed_at=None, closes_at__lte=now)
            begun = list(Request.under(use).filter(closed_at=None, closes_at=None, state=State.WORKING, verified_at__lte=now - LOST))
            letters_held |= set(OutboxMessage.under(use).filter(sealed__isnull=False).values_list("pk", flat=True))
            open_references |= set(Request.under(use).filter(closed_at=None, kind=Kind.ACCESS).values_list("reference", flat=True))
        for request in begun:
            jobs.answer.enqueue(account_id=account_id, reference=request.reference)
    for request in lapsed:
        close(request)
    outbox.remove_files([int(path.stem) for path in outbox.folder().glob("*.eml") if int(path.stem) not in letters_held])
    for path in packages().glob("*.sealed"):
        if path.stem not in open_references:
            path.unlink(missing_ok=True)
    return len(lapsed)


# For the command line


def run_access(account: Account, subject_id: int, actor: Actor | str) -> Package:
    """A package at once, for whoever runs the command; nothing of it is kept. Raises NotFound."""
    reference = _commanded(account, subject_id, _who(actor), Kind.ACCESS)
    request = queries.by_reference(account.pk, reference)
    with reserved(account.pk, actor, "rights", rule=request.rule, request=reference) as use:
        package = build(use, account, Subject.under(use).get(pk=subject_id), reference, timezone.now())
    _finish(request, _who(actor), "release", package.summary)
    return package


def run_erasure(account: Account, subject_id: int, actor: Actor | str) -> Erasure:
    """An erasure at once, up to the certificate of the first stage. Raises NotFound; Conflict while something is still found."""
    reference = _commanded(account, subject_id, _who(actor), Kind.ERASURE)
    request = queries.by_reference(account.pk, reference)
    done = erasure.erase(account.pk, _who(actor), subject_id, reference, request.rule)
    if done.findings:
        raise Conflict("The erasure left something, and is carried on.", place=str(done.findings))
    _finish(request, _who(actor), "request", {"entries": sum(done.counts.values()), "places": len(done.counts)})
    return done


def _commanded(account: Account, subject_id: int, actor: str, kind: Kind) -> str:
    with reserved(account.pk, actor, "rights") as use:
        subject = Subject.under(use).filter(pk=subject_id).first()
    if subject is None:
        raise NotFound("Nobody here has this number.", place="subject", cure="Look them up by their email address, telephone or id.")
    with bookkeeping(account.pk, writing=True) as use:
        now = timezone.now()
        known: dict[str, Any] = {"subject_reference": subject.reference, "state": State.WORKING, "verified_at": now}
        if kind == Kind.ACCESS:  # there is nothing to carry on: a command that died is given again
            known["closes_at"] = now + LOST
        return _receive(use, actor, kind, Channel.COMMAND, subject.region, Private(), **known).reference


def _finish(request: Request, actor: str, entry: str, outcome: Mapping[str, Any]) -> None:
    with bookkeeping(request.account_id, writing=True) as use:
        now = timezone.now()
        held = _again(use, request, State.WORKING)
        _change(use, held, actor, entry=entry, state=State.DONE, answered_at=now, closed_at=now, outcome=dict(outcome))

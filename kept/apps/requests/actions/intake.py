"""Coming in: every door leads here, and every request is confirmed with the dates it promises."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, letters, limits, outbox, private, queries, verifying
from kept.apps.requests.actions.base import change, person
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.private import Private
from kept.core.errors import BadInput, NotFound
from kept.core.notice import Policy
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices, subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.versions import offering

PAGE_STAYS = timedelta(days=30)
"""How long the page of a request that was passed on stays."""
_ABOUT: Mapping[Kind, choices.Verb] = {Kind.RESTRICT: "restrict", Kind.OBJECT: "object", Kind.WITHDRAW: "withdraw"}
"""The kinds that may be about one purpose."""
ANYBODY = (Kind.COMPLAIN, Kind.QUESTION)
"""What anybody may say without proving who they are: it opens nothing and changes nothing."""
_FIELDS = (
    *("reference", "kind", "state", "channel", "data", "rule", "region", "subject_reference", "agent_id", "received_at", "due_at", "clock"),
    *("confirmed_at", "verified_at", "proof", "decision", "answered_at", "closes_at", "link", "page", "key_id", "sealed", "outcome"),
    "entries",
)


@dataclass(frozen=True)
class Asked:
    """What somebody asks, by whatever door. Receipt is now.

    `email` is where the answer goes. `known_by` and `value` say what the person is known by (email, phone, source) where that is not the
    address. `data` is whose records it is about: our own, or our customers'. `details` is what the kind needs (the answers say what),
    `ground` one of the right's grounds. `by` is who writes; an agent is named by `agent_id` where it is known, and `powers` are what it
    has shown so far. `proof` is what the door itself has proved: ``sign-in``, ``link`` or ``human``.
    """

    kind: Kind
    channel: Channel
    region: str
    email: str = ""
    known_by: str = "email"
    value: str = ""
    data: Literal["own", "customer"] = "own"
    details: Mapping[str, str] = field(default_factory=dict)
    ground: str = ""
    note: str = ""
    by: Literal["self", "agent", "parent"] = "self"
    agent_id: int | None = None
    powers: tuple[str, ...] = ()
    proof: str = ""


@dataclass(frozen=True)
class TakenIn:
    """What the team writes down of a request by telephone, by letter or word of mouth."""

    kind: Kind
    known_by: str
    value: str
    email: str
    note: str
    channel: Channel = Channel.PHONE
    ground: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def ask(account: Account, kind: Kind, email: str, region: str, network: str, **told: Any) -> Request | None:
    """Somebody asks in the privacy centre; None where this address has had its letters for today. Whether we know the address is not
    looked up: a letter goes to it in any case. `told` is what else `Asked` takes; without an address it names what they are known by.
    Raises BadInput for what is no address.
    """
    address = email.strip()
    known_by, value = ("email", address) if address else (told["known_by"], told["value"])
    if not limits.may_write(account.pk, kind, value, region, network, known_by):
        return None
    asked = Asked(kind, **{"channel": Channel.WEB, "region": region, "email": address, **told})
    return receive(account, asked, delay=limits.delay(account.pk, network))


def take_in(account: Account, actor: Actor, given: TakenIn) -> Request:
    """Take in a request on somebody's behalf. Raises BadInput for a malformed identifier, NotFound when nobody is known by it, but for
    what means something all the same.
    """
    subject = _told_of(account, actor, given)
    email = given.email.strip()
    asked = Asked(
        given.kind,
        given.channel,
        subject.region if subject else account.region,
        email,
        given.known_by,
        given.value.strip(),
        queries.whose(account),
        given.details,
        given.ground,
        given.note.strip(),
    )
    return receive(account, asked, actor=actor.reference, subject_reference=subject.reference if subject else "")


def _told_of(account: Account, actor: Actor, given: TakenIn) -> Subject | None:
    from kept.apps.requests.answers import ANSWERS

    try:
        with reserved(account.pk, actor, "rights") as use:
            return subjects.find(use, given.known_by, given.value.strip(), account.region)
    except NotFound:
        if ANSWERS[given.kind].unknown is None:
            raise
        return None


def receive(
    account: Account,
    asked: Asked,
    *,
    actor: str = "",
    subject_reference: str = "",
    memory: Mapping[str, Any] | None = None,
    delay: timedelta = timedelta(),
) -> Request:
    """Take in what was asked: store it with its clock, confirm it, and let it go on as far as its proof carries it. `memory` goes into its
    `decision`: what the door wants to find it by.

    Raises BadInput for a malformed address or ground, NotFound for a right that the notice does not offer.
    """
    if asked.email:
        subjects.normalised("email", asked.email, asked.region)
    if asked.kind in ANYBODY:
        asked = replace(asked, data="own")  # it is about us, whomever we keep records for
    right = queries.right_of(offering(account.pk), asked.kind, asked.region)
    _check(policy_of(account.pk), asked, right)
    token = private.new_token()
    contents = Private(
        email=asked.email,
        page=private.new_token(),
        note=asked.note,
        known_by=asked.known_by,
        value=asked.value,
        details=dict(asked.details),
    )
    with bookkeeping(account.pk, writing=True) as use:
        request = store(use, account, asked, contents, actor, memory or {}, subject_reference=subject_reference)
        if queries.passed_on(account, asked.data) is not None and not actor:
            _to_be_passed_on(use, account, request, token, delay)
        elif not _sure(asked, right) or (actor and not verifying.proved("", right)):
            _wait_for_proof(use, account, request, right, token, delay)
        else:
            now = timezone.now()
            change(use, request, actor or person(request), state=State.VERIFIED, verified_at=now)
            outbox.post(use, request, letters.received(account, request))
            jobs.answer.enqueue(account_id=account.pk, reference=request.reference)
    return request


def _sure(asked: Asked, right: RightTerms | None) -> bool:
    """Whether whoever asks is known well enough by what the door has proved. To be sold again takes two words of the person's own."""
    if asked.kind == Kind.OPT_IN_SALE:
        return False
    if asked.by == "self":
        return asked.kind in ANYBODY or verifying.proved(asked.proof, right)
    return asked.by == "agent" and not verifying.agent_lacks(right, asked.powers)


def _check(policy: Policy, asked: Asked, right: RightTerms | None) -> None:
    if right is None and asked.kind not in (Kind.CHOICES, Kind.OPT_IN_SALE, *ANYBODY) and asked.data == "own":
        raise NotFound(_("The notice offers no such right here."), place="kind", cure=_("See what can be asked for in the privacy centre."))
    grounds = right.body.grounds if right is not None else ()
    if asked.ground and asked.ground not in grounds:
        raise BadInput(_("This is no ground of this right."), place="ground", cure=_("Use one of: %s.") % ", ".join(grounds))
    verb, purpose = _ABOUT.get(asked.kind), asked.details.get("purpose", "")
    if verb and purpose and asked.data == "own":
        choices.check_subject_matter(policy, purpose, verb)


def _to_be_passed_on(use: Use, account: Account, request: Request, token: str, delay: timedelta) -> None:
    """As a processor we do not answer: once the address is proved the request goes to who does. Referred ones need no proof."""
    role = queries.passed_on(account, request.data)
    if role is not None and role.requests == "refer":
        now = timezone.now()
        change(use, request, person(request), state=State.REFERRED, answered_at=now, closes_at=now + PAGE_STAYS)
        outbox.post(use, request, letters.referred(account, request), delay=delay)
    else:
        _send_link(use, account, request, token, delay)


def _wait_for_proof(use: Use, account: Account, request: Request, right: RightTerms | None, token: str, delay: timedelta) -> None:
    """What the team took in it makes sure of itself; to everybody else a link goes, wherever one is a step of the proof."""
    if request.channel in (Channel.PHONE, Channel.POST, Channel.PERSON) or not private.open_private(request).email:
        outbox.post(use, request, letters.received(account, request))
    elif verifying.by_link(right):
        _send_link(use, account, request, token, delay)


def _send_link(use: Use, account: Account, request: Request, token: str, delay: timedelta) -> None:
    until = timezone.now() + timedelta(hours=private.LINK_HOURS)
    request.link, request.closes_at = private.digest(token), until
    request.save(update_fields=["link", "closes_at"])
    outbox.post(use, request, letters.confirm(account, request, token), delay=delay)


def store(use: Use, account: Account, asked: Asked, contents: Private, actor: str, memory: Mapping[str, Any], **known: Any) -> Request:
    """Store a new request and its entry. `memory` goes into its decision; `known`: what is known already (state, subject_reference, …)."""
    now, reference = timezone.now(), secrets.token_hex(16)
    policy = offering(account.pk)
    right, deadline = queries.right_of(policy, asked.kind, asked.region), queries.deadline(policy, asked.kind, asked.region, now)
    role = queries.passed_on(account, asked.data)
    if role is not None and role.within is not None:
        deadline = queries.own_clock(policy, role, asked.region, now)
    key_id = vault().create()[0] if asked.channel != Channel.COMMAND else None
    decision = {name: value for name, value in memory.items() if value}
    decision |= {"ground": asked.ground} if asked.ground else {}
    decision |= {"consequence": True} if right is not None and right.body.consequence and contents.email else {}
    decision |= {"by": asked.by, "powers": list(asked.powers)} if asked.by != "self" else {}
    values: dict[str, Any] = {
        "reference": reference,
        "kind": asked.kind,
        "state": State.RECEIVED,
        "channel": asked.channel,
        "data": asked.data,
        "rule": right.rule.name if right else "",
        "region": asked.region,
        "subject_reference": "",
        "agent_id": asked.agent_id,
        "received_at": now,
        "due_at": deadline.due,
        "clock": deadline.as_dict(),
        "confirmed_at": now if contents.email else None,
        "verified_at": None,
        "proof": asked.proof,
        "decision": decision,
        "answered_at": None,
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
    change(use, request, actor or person(request))
    return request

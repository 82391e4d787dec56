"""What authorised agents do by the Data Rights Protocol: pair, ask for somebody, look how it stands, take it back, be told."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from kept.apps.requests import actions, drp, limits, private, queries
from kept.apps.requests.models import Agent, Channel, Kind, Request, State
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.platform.accounts.models import Account
from kept.platform.jobs import outgoing
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping

CALIFORNIA = "US-CA"


# Agents


def agent_of(account: Account, *, token: str = "", identifier: str = "") -> Agent:
    """The agent of this bearer token, or of this id. Raises Fault."""
    with bookkeeping(account.pk) as use:
        found = Agent.under(use).filter(ended_at=None)
        known = found.filter(token=private.digest(token)) if token else found.filter(identifier=identifier)
        agent = known.first() if token or identifier else None
    if agent is None:
        raise drp.Fault(403, "This agent is not known here.")
    return agent


def pair(account: Account, identifier: str, body: bytes) -> str:
    """A new bearer token for an agent that signed for it; the one before is void. Raises Fault."""
    agent = agent_of(account, identifier=identifier)
    found = drp.opened(body, drp.verify_key(agent.verify_key))
    drp.checked(found, identifier, drp.business_id(account.slug), timezone.now())
    drp.envelope(found)
    token = secrets.token_urlsafe(32)
    with bookkeeping(account.pk, writing=True) as use:
        Agent.under(use).filter(pk=agent.pk).update(token=private.digest(token), paired_at=timezone.now())
        ledger.append(use, "account", actor=f"agent:{agent.pk}", document={"agent": identifier, "paired": True})
    return token


# Requests


def exercise(account: Account, agent: Agent, body: bytes) -> Request:
    """Take in an agent's request; the same message, or the same `agent-request-id`, is one request. Raises Fault."""
    found = drp.opened(body, drp.verify_key(agent.verify_key))
    drp.checked(found, agent.identifier, drp.business_id(account.slug), timezone.now())
    asked = drp.exercise(found)
    if asked.status_callback:
        try:
            outgoing.check(asked.status_callback)
        except (BadInput, Refused) as error:
            raise drp.Fault(400, f"status_callback: {error.message}", fatal=True) from error
    message = hashlib.sha256(body.strip()).hexdigest()
    with bookkeeping(account.pk) as use:
        mine = Request.under(use).filter(agent_id=agent.pk)
        known = mine.filter(decision__message=message).first()
        if known is None and asked.agent_request_id:
            known = mine.filter(decision__agent_request_id=asked.agent_request_id).first()
    return known or _received(account, agent, asked, message)


def _received(account: Account, agent: Agent, asked: drp.Exercise, message: str) -> Request:
    kind, region = drp.KINDS[asked.exercise], _region(account, asked)
    details = {"status_callback": asked.status_callback, "name": asked.name, "power-of-attorney": asked.power_of_attorney}
    known = ("email", asked.email) if asked.email else ("phone", asked.phone_number)
    told = actions.Asked(
        kind,
        Channel.API,
        region,
        asked.email,
        *known,
        details={name: value for name, value in details.items() if value},
        by="agent",
        agent_id=agent.pk,
        powers=("signed-permission", *(("identity",) if asked.verified else ())),
    )
    memory = {"message": message, "agent_request_id": asked.agent_request_id}
    try:
        if not limits.may_write(account.pk, kind, asked.email or f"{asked.phone_number}@phone.invalid", region):
            raise drp.Fault(429, "Too many requests for this person today.")
        return actions.receive(account, told, memory=memory)
    except NotFound as error:
        raise drp.Fault(400, "This right is not offered here.", fatal=True) from error
    except BadInput as error:
        raise drp.Fault(400, error.message, fatal=True) from error


def _region(account: Account, asked: drp.Exercise) -> str:
    """Where the person lives, as far as it is told. Under the ccpa that is California, unless their address says otherwise."""
    country, region = asked.address.country.upper(), asked.address.region.upper()
    if country in ("", "US", "USA") and (region in ("CA", "CALIFORNIA") or (asked.regime == "ccpa" and not region)):
        return CALIFORNIA
    return "US" if country in ("US", "USA") or region else account.region


def request_of(account: Account, agent: Agent, request_id: str) -> Request:
    """An agent's own request. Raises Fault 403 for any other, whether it is there or not."""
    try:
        found = queries.by_reference(account.pk, uuid.UUID(request_id).hex)
    except (ValueError, NotFound) as error:
        raise drp.Fault(403, "This agent has no such request.") from error
    if found.agent_id != agent.pk:
        raise drp.Fault(403, "This agent has no such request.")
    return found


def revoke(account: Account, agent: Agent, request: Request, body: bytes) -> Request:
    """Take a request back. Raises Fault; 409 once it is done."""
    drp.revocation(drp.opened(body, drp.verify_key(agent.verify_key)))
    if request.state != State.REVOKED:
        try:
            actions.revoke(account, request, f"agent:{agent.pk}")
        except Conflict as error:
            raise drp.Fault(409, "It is too late: this request is closed.") from error
    return queries.by_reference(account.pk, request.reference)


def status(account: Account, request: Request) -> dict[str, Any]:
    """How a request stands: section 3.03."""
    state = State(request.state)
    found: dict[str, Any] = {
        "request_id": str(uuid.UUID(request.reference)),
        "received_at": request.received_at.isoformat(),
        "expected_by": request.due_at.isoformat(),
        "status": drp.STATUS[state],
    }
    if given := request.decision.get("agent_request_id"):
        found["agent_request_id"] = given
    if request.closes_at is not None:
        found["expires_at"] = request.closes_at.isoformat()
    match state:
        case State.RECEIVED:
            found["reason"] = "need_user_verification"
            found["user_verification_url"] = settings.SITE + reverse("requests:sent", args=[account.slug])
            found["processing_details"] = "A letter went to the person's own address. What is missing: " + ", ".join(
                actions.lacking(request) or ("their proof",)
            )
        case State.NOBODY:
            found["reason"] = "no_match"
        case State.REFERRED:
            found |= {"reason": "claim_not_covered", "processing_details": "We keep these records for others, who answer."}
        case State.REFUSED:
            unverified = request.decision.get("outcome") == "unverified"
            found["reason"] = "insuf_verification" if unverified else request.decision.get("denied", "other")
        case State.READY if _may_fetch(request):
            page = private.open_private(request).page
            found["results_url"] = settings.SITE + reverse("requests:status", args=[account.slug, page])
    return found


def _may_fetch(request: Request) -> bool:
    """Whether the agent gets the copy itself: where the person confirmed directly, or gave a power of attorney that was looked at."""
    trusted = {"direct-confirmation", "power-of-attorney"} & set(request.decision.get("powers", ()))
    return bool(trusted) and request.kind in (Kind.ACCESS, Kind.KNOW) and request.closed_at is None


def call_back(account_id: int, reference: str) -> None:
    """Tell the agent how its request stands now, where it asked to be told. Raises Closed, to be tried again."""
    request, account = queries.by_reference(account_id, reference), Account.objects.get(pk=account_id)
    address = private.open_private(request).details.get("status_callback", "")
    if address:
        outgoing.post(address, json.dumps(status(account, request)).encode(), {"Content-Type": "application/json"})


def directory_entry(account: Account) -> dict[str, Any]:
    """How the account stands in a directory of businesses: section 3.05.2."""
    policy = queries.offered(account)
    offered = [
        name
        for name, kind in drp.KINDS.items()
        if queries.right_of(policy, kind, CALIFORNIA) or queries.right_of(policy, kind, account.region)
    ]
    return {
        "id": drp.business_id(account.slug),
        "name": account.name,
        "logo": None,
        "api_base": f"{settings.SITE}/{account.slug}/drp",
        "supported_actions": offered,
        "supported_verifications": ["email", "phone_number"],
        "privacy_policy_url": f"{settings.SITE}/{account.slug}/notice/",
        "web_url": policy.notice.identity.sites[0] if policy.notice.identity.sites else settings.SITE,
        "technical_contact": policy.notice.identity.reach("support")[0].value,
        "business_contact": policy.notice.identity.reach("requests")[0].value,
    }

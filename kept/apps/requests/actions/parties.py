"""Whom we deal with about requests: the agents who may act for people, and the recipients who hear what people asked for."""

from __future__ import annotations

import base64
import re
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import drp
from kept.apps.requests.models import Agent, Correspondent
from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice.durations import Duration
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.jobs import outgoing
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_AGENT = ("identifier", "name", "verify_key", "added_by", "added_at")
_CORRESPONDENT = ("recipient", "address", "verify_key", "confirms_within", "added_by", "added_at")


def recipients(account: Account) -> dict[str, str]:
    """The recipients that the notice names: each rule, and the name of whom it is about."""
    return {terms.rule.name: terms.to for terms in policy_of(account.pk).outlets.values()}


def public_key(text: str) -> str:
    """An Ed25519 public key in base64, as it is stored. Raises BadInput."""
    try:
        raw = drp.verify_key(text.strip())
    except ValueError:
        cure = _("Give its 32 bytes in base64: 44 characters.")
        raise BadInput(_("This is no Ed25519 public key."), place="verify_key", cure=cure) from None
    return base64.b64encode(raw).decode()


def add_agent(account: Account, actor: Actor, identifier: str, name: str, verify_key: str) -> None:
    """Let an authorised agent act for people. One that was ended before is taken back. Raises BadInput, Conflict for a known one."""
    if not _IDENTIFIER.fullmatch(identifier):
        cure = _("Use letters, digits, points and hyphens, as its entry in the directory has them.")
        raise BadInput(_("This is no agent's id."), place="identifier", cure=cure)
    key = public_key(verify_key)
    with bookkeeping(account.pk, writing=True) as use:
        held = Agent.under(use).select_for_update().filter(identifier=identifier).first()
        if held is not None and held.ended_at is None:
            raise Conflict(_("This agent is known already."), place="identifier", cure=_("End it first to give it another key."))
        if held is None:
            rows.insert(use, Agent, _AGENT, [(identifier, name.strip(), key, actor.reference, timezone.now())])
        else:
            changes = {"name": name.strip(), "verify_key": key, "token": "", "paired_at": None, "ended_at": None}
            Agent.under(use).filter(pk=held.pk).update(**changes, added_by=actor.reference, added_at=timezone.now())
        ledger.append(use, "account", actor=actor.reference, document={"agent": identifier, "key": key})


def add_correspondent(account: Account, actor: Actor, recipient: str, address: str, verify_key: str, confirms_within: str) -> None:
    """Say how a recipient of the notice is told. Raises BadInput for a recipient, address, key or length that is none; Refused for an
    address inside the house; Conflict for a recipient who has one already.
    """
    if recipient not in recipients(account):
        raise BadInput(_("The notice names no such recipient."), place="recipient", cure=_("Choose one that it names."))
    outgoing.check(address.strip())
    try:
        Duration.read(confirms_within.strip())
    except ValueError as error:
        raise BadInput(_("This is no length of time."), place="confirms_within", cure=_("Write for instance 10 business days.")) from error
    key = public_key(verify_key) if verify_key.strip() else ""
    with bookkeeping(account.pk, writing=True) as use:
        if Correspondent.under(use).filter(recipient=recipient, ended_at=None).exists():
            raise Conflict(_("This recipient has an address already."), place="recipient", cure=_("End it first."))
        line = (recipient, address.strip(), key, confirms_within.strip(), actor.reference, timezone.now())
        rows.insert(use, Correspondent, _CORRESPONDENT, [line])
        ledger.append(use, "account", actor=actor.reference, document={"recipient": recipient, "address": address.strip(), "key": key})


def end(account: Account, actor: Actor, model: type[Agent] | type[Correspondent], party_id: int) -> None:
    """End an agent or a correspondent: nothing is taken from it or told to it from now on, and a token is void. Raises NotFound."""
    known: Any = model
    void = {"token": ""} if model is Agent else {}
    with bookkeeping(account.pk, writing=True) as use:
        if not known.under(use).filter(pk=party_id, ended_at=None).update(ended_at=timezone.now(), **void):
            raise NotFound(_("There is no such entry, or it has ended."), place=str(party_id))
        ledger.append(use, "account", actor=actor.reference, document={"ended": model._meta.model_name, "number": party_id})


def parties(account: Account, model: type[Agent] | type[Correspondent]) -> list[Any]:
    """All of one sort: those that count first, the newest first."""
    known: Any = model
    with bookkeeping(account.pk) as use:
        found = list(known.under(use).order_by("-id"))
    return sorted(found, key=lambda one: one.ended_at is not None)

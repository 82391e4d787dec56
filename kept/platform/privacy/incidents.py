"""Incidents: a promise found broken has somebody who looks after it, and a history, until it is proved kept again or resolved by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kept.core.errors import BadInput, Conflict, NotFound
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import Role
from kept.platform.data import rows
from kept.platform.data.use import ALIAS, Use
from kept.platform.privacy import inlets, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Incident, IncidentStep, Proof

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"
PROVER = "job:proof"


# Questions


def open_of(account: Account) -> list[Incident]:
    """What is not resolved, the oldest first."""
    with bookkeeping(account.pk) as use:
        return list(Incident.under(use).exclude(state=RESOLVED).order_by("opened_at", "pk"))


def resolved_of(account: Account, most: int = 50) -> list[Incident]:
    """What was resolved, the newest first."""
    with bookkeeping(account.pk) as use:
        return list(Incident.under(use).filter(state=RESOLVED).order_by("-resolved_at", "-pk")[:most])


def one_of(account: Account, incident_id: int) -> Incident:
    """One incident of this account. Raises NotFound."""
    with bookkeeping(account.pk) as use:
        return _one(use, incident_id)


def history_of(account: Account, incident_id: int) -> list[IncidentStep]:
    """Everything that happened to an incident, the oldest first. Raises NotFound."""
    with bookkeeping(account.pk) as use:
        return list(IncidentStep.under(use).filter(incident_id=_one(use, incident_id).pk).order_by("pk"))


def _one(use: Use, incident_id: int, *, for_update: bool = False) -> Incident:
    found = Incident.under(use).filter(pk=incident_id)
    one = (found.select_for_update() if for_update else found).first()
    if one is None:
        raise NotFound(_("There is no such incident."), place=f"incidents/{incident_id}")
    return one


# What people do


def acknowledge(account: Account, actor: Actor, incident_id: int) -> Incident:
    """Somebody has seen it and takes it up. Raises Conflict where it is acknowledged or resolved already."""
    return _act(account, actor, incident_id, "acknowledged", state=ACKNOWLEDGED, only=(OPEN,))


def assign(account: Account, actor: Actor, incident_id: int, member: Member | None) -> Incident:
    """Give it to a member of this account to look after, or to nobody. Raises NotFound for a member of another."""
    if member is not None and member.account_id != account.pk:
        raise NotFound(_("There is no such member."), place=account.slug)
    return _act(account, actor, incident_id, "owner", owner=member.pk if member else None)


def comment(account: Account, actor: Actor, incident_id: int, text: str) -> Incident:
    """Write something down. Raises BadInput for nothing, or for a number that is refused everywhere."""
    return _act(account, actor, incident_id, "comment", said=_words(text), only=(OPEN, ACKNOWLEDGED, RESOLVED))


def resolve(account: Account, actor: Actor, incident_id: int, reason: str) -> Incident:
    """Resolve it by hand, with a reason. What it was about opens no other; anything new does. Raises BadInput, Conflict."""
    return _act(account, actor, incident_id, "resolved", state=RESOLVED, said=_words(reason), by_hand=True)


def _words(text: str) -> str:
    if not text.strip():
        raise BadInput(_("Nothing is written here."), place="text", cure=_("Say what was found, or what was done."))
    if inlets.refused_category(text):
        raise BadInput(_("This holds a number that is refused everywhere."), place="text", cure=_("Leave the number out."))
    return text.strip()


def _act(
    account: Account,
    actor: Actor,
    incident_id: int,
    what: str,
    *,
    said: str = "",
    only: Sequence[str] = (OPEN, ACKNOWLEDGED),
    **fields: object,
) -> Incident:
    with bookkeeping(account.pk, writing=True) as use:
        one = _one(use, incident_id, for_update=True)
        if one.state not in only:
            raise Conflict(_("This incident has moved on."), place=f"incidents/{incident_id}", cure=_("Look at it again."))
        return _change(use, one, actor.reference, what, said, **fields)


def _change(use: Use, one: Incident, actor: str, what: str, words: str, **fields: object) -> Incident:
    """Change an incident, write the step down, and note it in the ledger."""
    if fields.get("state") == RESOLVED:
        fields["resolved_at"] = timezone.now()
    for name, value in fields.items():
        setattr(one, name, value)
    if fields:
        one.save(update_fields=list(fields))
    document = {"incident": one.pk, "what": what, "state": one.state, "owner": one.owner, "said": words}
    made = ledger.append(use, "incident", actor=actor, rule=one.rule.partition("@")[0], document=document)
    names = ("incident", "what", "state", "owner", "actor", "said", "at", "entry", "salt")
    rows.insert(use, IncidentStep, names, [(one.pk, what, one.state, one.owner, actor, words, timezone.now(), made.id, made.salt)])
    return one


# What proofs do


def follow(account_id: int, proofs: Sequence[Proof]) -> None:
    """Open an incident for each promise found broken, one for a rule at a time, and resolve those of promises proved kept again.

    What was resolved by hand and is found again, and nothing beside it, opens no other.
    """
    with bookkeeping(account_id, writing=True) as use:
        standing = {one.rule: one for one in Incident.under(use).exclude(state=RESOLVED).select_for_update()}
        opened = []
        for proof in proofs:
            one = standing.get(proof.rule)
            if one is not None and proof.state == "kept":
                _change(use, one, PROVER, "kept", proof.said, state=RESOLVED)
            elif proof.state == "broken" and one is not None:
                _found_again(use, one, proof)
            elif proof.state == "broken" and not _settled(use, proof):
                opened.append(_open(use, proof))
        if opened:
            transaction.on_commit(partial(_tell, account_id, opened), using=ALIAS, robust=True)


def _references(proof: Proof) -> list[str]:
    return list(proof.evidence.get("references", ()))


def _open(use: Use, proof: Proof) -> Incident:
    found, count = _references(proof), int(proof.evidence.get("count", 0))
    names = ("rule", "state", "opened_at", "said", "found", "count", "proof")
    (pk,) = rows.insert(use, Incident, names, [(proof.rule, OPEN, timezone.now(), proof.said, found, count, proof.pk)])
    return _change(use, Incident.under(use).get(pk=pk), PROVER, "opened", proof.said)


def _found_again(use: Use, one: Incident, proof: Proof) -> None:
    fields = {"said": proof.said, "found": _references(proof), "count": int(proof.evidence.get("count", 0)), "proof": proof.pk}
    if (one.found, one.count) != (fields["found"], fields["count"]):
        _change(use, one, PROVER, "found", proof.said, **fields)
    else:
        Incident.under(use).filter(pk=one.pk).update(said=proof.said, proof=proof.pk)


def _settled(use: Use, proof: Proof) -> bool:
    """Whether somebody has resolved just this."""
    last = Incident.under(use).filter(rule=proof.rule, state=RESOLVED, by_hand=True).order_by("-pk").first()
    return last is not None and int(proof.evidence.get("count", 0)) <= last.count and set(_references(proof)) <= set(last.found)


def _tell(account_id: int, opened: Sequence[Incident]) -> None:
    """Write to the account's privacy leads, or where it has none to its owners."""
    account = Account.objects.get(pk=account_id)
    members = Member.objects.filter(account=account, user__is_active=True).select_related("user")
    to = [one.user.email for one in members if one.role == Role.PRIVACY_LEAD] or [
        one.user.email for one in members if one.role == Role.OWNER
    ]
    subject = ngettext("A promise of %(account)s is broken", "%(count)s promises of %(account)s are broken", len(opened))
    text = _(
        "The proof of your privacy notice found what must not be.\n\n%(found)s\n\n"
        "Each is an incident of %(account)s until the promise is proved kept again, or you resolve it with a reason.\n"
    )
    said = {"account": account.name, "count": len(opened), "found": "\n".join(f"{one.rule}: {one.said}" for one in opened)}
    send_mail(subject % said, text % said, None, to)


__all__ = ["acknowledge", "assign", "comment", "follow", "history_of", "one_of", "open_of", "resolve", "resolved_of"]

"""The one way into personal data: every door enters here, saying who acts and for which purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils import timezone

from kept.core.errors import NotPermitted, RoomClosed
from kept.core.notice import Policy
from kept.platform.accounts.actor import Actor
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED, RESERVED_BIT, Columns, Use, reading, writing
from kept.platform.privacy import instruments, ledger, masks
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of


def declared(policy: Policy, term: str) -> str:
    """The declared purpose that opens a room acting under this vocabulary term. Raises RoomClosed, with the rule that would open it."""
    opened = policy.opens(term)
    if not opened:
        raise RoomClosed(
            f"The notice declares no purpose “{term}”, so this room is closed.",
            rule=f"purpose:{term}",
            cure=f'Add to the notice, under a sentence that says so: purpose = "{term}" with its categories and basis.',
        )
    return term if term in opened else opened[0]


def use_for(account_id: int, actor: Actor | str, term: str) -> Use:
    """The use of a declared purpose. Raises NoNotice; RoomClosed where it is not declared, or needs a paper that is not on file;
    NotPermitted for the operator's staff, whom nobody instructed.
    """
    policy = policy_of(account_id)
    purpose = declared(policy, term)
    _need(account_id, policy, purpose)
    categories = policy.purposes[purpose].categories
    reference = actor if isinstance(actor, str) else actor.reference
    instruction(account_id, reference)
    return Use(account_id, reference, purpose, policy.bit(purpose), Columns(categories, categories), policy)


def _need(account_id: int, policy: Policy, purpose: str) -> None:
    """Raise RoomClosed unless the agreement or instruction that a purpose needs is on file and in its time."""
    terms = policy.purposes[purpose]
    needed = terms.body.needs
    if needed is None:
        return
    with bookkeeping(account_id) as use:
        held = instruments.on_file(use, (needed,), (instruments.CUSTOMER,), purpose=purpose, rule=terms.rule.name)
    if held is None:
        raise RoomClosed(
            f"{terms.rule.name} needs an {needed}, and none is on file.",
            rule=terms.rule.name,
            cure=f"Put the customer's {needed} for “{purpose}” on file, or renew it.",
        )


OPERATOR = "operator:"
"""How the operator's staff are referred to."""


def instruction(account_id: int, actor: str) -> str:
    """By which paper the operator's staff act: ``instrument:12``; empty for anybody else. Raises NotPermitted without one: whoever hosts
    an account reads in it on the customer's instruction or because the law orders it, as far as its role names these (`role.except`).
    """
    if not actor.startswith(OPERATOR):
        return ""
    named = tuple(dict.fromkeys(kind for _, role in policy_of(account_id).roles for kind in role.except_ if kind != "consent"))
    with bookkeeping(account_id) as use:
        held = instruments.on_file(use, named or ("instruction", "legal-order"))
    if held is None:
        raise NotPermitted(
            "The operator's staff read nothing here without the customer's instruction or a legal order.",
            rule=next((rule.name for rule, _ in policy_of(account_id).roles), ""),
            cure="Put the instruction or order on file.",
        )
    return f"instrument:{held.pk}"


def bring_up(account_id: int) -> None:
    """Apply the changes that time has brought, before any read past them."""
    with bookkeeping(account_id) as looking:
        due = Subject.under(looking).filter(changes_at__lte=timezone.now()).exists()
    if due:
        masks.apply_due(account_id)


@contextmanager
def acting(account_id: int, actor: Actor | str, term: str) -> Iterator[Use]:
    """Enter a declared purpose. Changes that time has brought are applied first."""
    use = use_for(account_id, actor, term)
    bring_up(account_id)
    with reading(use):
        yield use


@contextmanager
def reserved(account_id: int, actor: Actor | str, purpose: str, *, rule: str = "", request: str = "") -> Iterator[Use]:
    """Enter a reserved purpose, which ignores masks and never the account. Each use leaves an entry in the ledger."""
    reference = actor if isinstance(actor, str) else actor.reference
    request = request or instruction(account_id, reference)
    use = Use(account_id, reference, purpose, RESERVED_BIT, RESERVED[purpose], policy_of(account_id))
    with writing(use):
        ledger.append(use, "look", purpose=purpose, rule=rule or None, request=request or None)
    with reading(use):
        yield use


def looked(use: Use, references: Sequence[str], *, categories: Sequence[str] = ()) -> None:
    """Record that these people's data was shown, one entry for the whole response."""
    if references:
        with writing(use):
            request = instruction(use.account_id, use.actor) or None
            ledger.append(use, "look", purpose=use.purpose, subjects=references, categories=categories, request=request)

"""The one way into personal data: every door enters here, saying who acts and for which purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils import timezone

from kept.core.errors import RoomClosed
from kept.core.notice import Policy
from kept.platform.accounts.actor import Actor
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED, RESERVED_BIT, Columns, Use, reading, writing
from kept.platform.privacy import ledger, masks
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
    """The use of a declared purpose. Raises NoNotice, RoomClosed."""
    policy = policy_of(account_id)
    purpose = declared(policy, term)
    categories = policy.purposes[purpose].categories
    reference = actor if isinstance(actor, str) else actor.reference
    return Use(account_id, reference, purpose, policy.bit(purpose), Columns(categories, categories), policy)


@contextmanager
def acting(account_id: int, actor: Actor | str, term: str) -> Iterator[Use]:
    """Enter a declared purpose. Changes that time has brought are applied first."""
    use = use_for(account_id, actor, term)
    with bookkeeping(account_id) as looking:
        due = Subject.under(looking).filter(changes_at__lte=timezone.now()).exists()
    if due:
        masks.apply_due(account_id, policy_of(account_id))
    with reading(use):
        yield use


@contextmanager
def reserved(account_id: int, actor: Actor | str, purpose: str, *, rule: str = "", request: str = "") -> Iterator[Use]:
    """Enter a reserved purpose, which ignores masks and never the account. Each use leaves an entry in the ledger."""
    reference = actor if isinstance(actor, str) else actor.reference
    use = Use(account_id, reference, purpose, RESERVED_BIT, RESERVED[purpose], policy_of(account_id))
    with writing(use):
        ledger.append(use, "look", purpose=purpose, rule=rule or None, request=request or None)
    with reading(use):
        yield use


def looked(use: Use, references: Sequence[str], *, categories: Sequence[str] = ()) -> None:
    """Record that these people's data was shown, one entry for the whole response."""
    if references:
        with writing(use):
            ledger.append(use, "look", purpose=use.purpose, subjects=references, categories=categories)

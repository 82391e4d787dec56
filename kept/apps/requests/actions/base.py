"""What every change of a request has in common: one transaction, its entry in the ledger, and a state that may follow the one before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, lifecycle
from kept.apps.requests.models import Request
from kept.core.errors import Conflict
from kept.platform.accounts.actor import Actor
from kept.platform.data.use import Use
from kept.platform.privacy import ledger


def packages() -> Path:
    """Where sealed packages lie until they are fetched."""
    return Path(settings.DATA) / "packages"


def package_path(reference: str) -> Path:
    """Where the package of a request lies."""
    return packages() / f"{reference}.sealed"


def who(actor: Actor | str) -> str:
    """How the ledger names an actor."""
    return actor if isinstance(actor, str) else actor.reference


def person(request: Request) -> str:
    """How the ledger names the person who asks."""
    return f"person:{request.subject_reference or request.reference}"


def change(use: Use, request: Request, actor: str, *, entry: str = "request", noted: str = "", **fields: Any) -> None:
    """Change a request, and say so in the ledger; `noted` is what was done, in a word, where the state does not tell.

    Raises Conflict for a state that cannot follow the one it is in.
    """
    before, after = request.state, fields.get("state", request.state)
    if not lifecycle.may_follow(before, after):
        raise Conflict(f"A request that is {before} does not become {after}.", place=request.reference)
    subject = fields.get("subject_reference", request.subject_reference)
    made = ledger.append(
        use, entry, actor=actor, rule=request.rule or None, subjects=[subject] if subject else (), request=request.reference
    )
    fields["entries"] = [*request.entries, [made.id, after, noted]]
    for name, value in fields.items():
        setattr(request, name, value)
    request.save(update_fields=list(fields))
    if request.agent_id is not None and before != after and request.closed_at is None:
        jobs.call_back.enqueue(account_id=use.account_id, reference=request.reference)


def again(use: Use, request: Request, states: Iterable[str]) -> Request:
    """The request as it stands now, inside the action that changes it. Raises Conflict when it is in none of these states any more."""
    found = Request.under(use).select_for_update().filter(pk=request.pk, state__in=list(states), closed_at=None).first()
    if found is None:
        raise Conflict(_("This request has moved on."), place=request.reference, cure=_("Look at it again."))
    return found

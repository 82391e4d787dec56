"""Rights at once, for whoever runs the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from kept.apps.requests import queries, telling
from kept.apps.requests.actions.base import again, change, who
from kept.apps.requests.actions.closing import LOST
from kept.apps.requests.actions.intake import Asked, store
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.package import Package, build
from kept.apps.requests.private import Private
from kept.core.errors import Conflict, NotFound
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import erasure
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Erasure


def run_access(account: Account, subject_id: int, actor: Actor | str) -> Package:
    """A package at once, for whoever runs the command; nothing of it is kept. Raises NotFound."""
    reference = _commanded(account, subject_id, who(actor), Kind.ACCESS)
    request = queries.by_reference(account.pk, reference)
    with reserved(account.pk, actor, "rights", rule=request.rule, request=reference) as use:
        package = build(use, account, Subject.under(use).get(pk=subject_id), reference, timezone.now())
    _finish(request, who(actor), "release", package.summary)
    return package


def run_erasure(account: Account, subject_id: int, actor: Actor | str) -> Erasure:
    """An erasure at once, up to the certificate of the first stage. Raises NotFound; Conflict while something is still found."""
    reference = _commanded(account, subject_id, who(actor), Kind.ERASE)
    request = queries.by_reference(account.pk, reference)
    with reserved(account.pk, actor, "rights", rule=request.rule, request=reference) as use:
        subject = Subject.under(use).get(pk=subject_id)
    telling.prepare(account, request, subject)
    done = erasure.erase(account.pk, who(actor), subject_id, reference, request.rule)
    if done.findings:
        raise Conflict("The erasure left something, and is carried on.", place=str(done.findings))
    telling.send(account, request)
    _finish(request, who(actor), "request", {"entries": sum(done.counts.values()), "places": len(done.counts)})
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
        asked = Asked(kind, Channel.COMMAND, subject.region, data=queries.whose(account), proof="human")
        return store(use, account, asked, Private(), actor, {}, **known).reference


def _finish(request: Request, actor: str, entry: str, outcome: Mapping[str, Any]) -> None:
    with bookkeeping(request.account_id, writing=True) as use:
        now = timezone.now()
        held = again(use, request, {State.WORKING})
        if held.key_id is not None:  # what others are told stands under it: it is closed as soon as they are
            change(use, held, actor, entry=entry, state=State.READY, answered_at=now, closes_at=now, outcome=dict(outcome))
        else:
            change(use, held, actor, entry=entry, state=State.DONE, answered_at=now, closed_at=now, outcome=dict(outcome))

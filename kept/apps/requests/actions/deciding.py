"""What the team decides: to grant, in whole or in part; to refuse, by two of them; to wait, to take longer, who works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, letters, outbox, private, queries
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.actions.intake import PAGE_STAYS
from kept.apps.requests.lifecycle import BEFORE_DOING, OPEN, REVOCABLE
from kept.apps.requests.models import Kind, Request, State
from kept.core.errors import BadInput, NotPermitted, Refused
from kept.core.notice.deadlines import Deadline
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import PERMISSIONS
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import bookkeeping


def grant(
    account: Account,
    actor: Actor,
    request: Request,
    *,
    reason: str = "",
    exceptions: Mapping[str, str] | None = None,
    withheld: Mapping[str, str] | None = None,
    ground: str = "",
    free: bool = False,
) -> None:
    """Grant what was asked; categories in `exceptions` are kept, those in `withheld` described rather than disclosed, each for its reason.

    `reason` is the team's reasoned outcome, which the person reads. `ground` is the one of the right that the request rests on, where it
    states none. `free`: a copy beyond the free ones costs nothing this time.

    Raises BadInput for a reason or ground that the notice does not name, Refused for exceptions from what is absolute.
    """
    right = queries.right_of(queries.offered(account), request.kind, request.region)
    on = ground or request.decision.get("ground", "")
    if right is not None and right.body.grounds and on not in right.body.grounds:
        cure = _("The notice names: %s.") % ", ".join(right.body.grounds)
        raise BadInput(_("A decision states the ground on which it is made."), place="ground", cure=cure)
    if exceptions:
        _not_absolute(request)
    for given, known in ((exceptions, right.body.except_ if right else ()), (withheld, right.body.withhold if right else ())):
        for category, why in (given or {}).items():
            if why not in known:
                cure = _("The notice names: %s.") % (", ".join(known) or "–")
                raise BadInput(_("The notice does not name this reason."), place=category, cure=cure)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.VERIFIED, State.DECIDING})
        decision = {**request.decision, "outcome": "granted", "by_member": actor.reference}
        decision |= {"ground": on} if on else {}
        decision |= {"exceptions": dict(exceptions)} if exceptions else {}
        decision |= {"withheld": dict(withheld)} if withheld else {}
        decision |= {"free": True} if free else {}
        change(
            use, request, actor.reference, noted="granted", state=State.VERIFIED, decision=decision, sealed=_with_reason(request, reason)
        )
        jobs.answer.enqueue(account_id=account.pk, reference=request.reference)


def _with_reason(request: Request, reason: str) -> bytes:
    held = private.open_private(request)
    return private.seal(request.key_id or 0, request.reference, replace(held, reason=reason.strip() or held.reason))


def refuse(account: Account, actor: Actor, request: Request, reason: str, *, why: str = "") -> bool:
    """Refuse, with a reason that the person reads; whether it is refused now. A first member proposes, a second one confirms; where only
    one may, that one's word is enough. `why` is the reason in a word, which metrics count.

    Raises NotPermitted where the same member would confirm, BadInput without a reason, Refused for what nobody may refuse.
    """
    _not_absolute(request)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, BEFORE_DOING)
        if why:
            request.decision = {**request.decision, "why": why}
        proposed = request.decision.get("proposed", "")
        text = reason.strip() or (private.open_private(request).reason if proposed else "")
        if not text:
            cure = _("Write what stands against it; the person reads it.")
            raise BadInput(_("A refusal needs its reason."), place="reason", cure=cure)
        if proposed == actor.reference:
            raise NotPermitted(
                _("Somebody else must confirm a refusal."), place="refuse", cure=_("Ask another member who handles requests.")
            )
        if not proposed and _handlers(account) > 1:
            decision = {**request.decision, "proposed": actor.reference}
            change(use, request, actor.reference, noted="refusal-proposed", decision=decision, sealed=_with_reason(request, text))
            return False
        _refuse(use, account, actor, request, text)
    return True


def withdraw_refusal(account: Account, actor: Actor, request: Request) -> None:
    """Take a proposed refusal back: the request waits for its decision as before."""
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, BEFORE_DOING)
        decision = {name: value for name, value in request.decision.items() if name not in ("proposed", "why")}
        sealed = private.seal(request.key_id or 0, request.reference, replace(private.open_private(request), reason=""))
        change(use, request, actor.reference, noted="refusal-withdrawn", decision=decision, sealed=sealed)


def _not_absolute(request: Request) -> None:
    """Raise Refused for a request against which nothing can be held."""
    from kept.apps.requests.answers import ANSWERS

    if ANSWERS[Kind(request.kind)].absolute(request):
        cure = _("Article 21(3) GDPR leaves nothing to weigh: it ends at once, whatever is claimed.")
        raise Refused(_("Against this nothing can be held."), place=request.reference, rule=request.rule, cure=cure)


def _after(account: Account, request: Request) -> None:
    """What follows for the person when a request is refused or taken back."""
    from kept.apps.requests.answers import ANSWERS

    follows = ANSWERS[Kind(request.kind)].refused
    if follows is not None:
        follows(account, request)


def _handlers(account: Account) -> int:
    return Member.objects.filter(account=account, role__in=PERMISSIONS["requests.handle"]).count()


def _refuse(use: Use, account: Account, actor: Actor, request: Request, reason: str) -> None:
    now = timezone.now()
    changes: dict[str, Any] = {
        "state": State.REFUSED,
        "answered_at": now,
        "closes_at": now + PAGE_STAYS,
        "link": "",
        "sealed": _with_reason(request, reason),
        "decision": {**request.decision, "outcome": "refused", "by_member": actor.reference},
    }
    change(use, request, actor.reference, **changes)
    outbox.post(use, request, letters.refused(account, request, reason, queries.complaint(account, request.region)))
    _after(account, request)


def revoke(account: Account, request: Request, actor: str = "") -> None:
    """The person, or who acts for them, takes a request back, as long as nothing is done that cannot be undone. Raises Conflict after."""
    from kept.apps.requests.answers import erasing

    with bookkeeping(account.pk, writing=True) as use:
        held = again(use, request, REVOCABLE)
        now = timezone.now()
        hidden = held.state == State.HIDDEN
        change(use, held, actor or person(held), state=State.REVOKED, answered_at=now, closes_at=now + PAGE_STAYS, link="")
        outbox.post(use, held, letters.revoked(account, held))
        _after(account, held)
    if hidden:
        erasing.show_again(account, held)


def assign(account: Account, actor: Actor, request: Request, member: str) -> None:
    """Say who of the team works on it; nobody where `member` is empty. `member` is a member's reference."""
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        change(use, request, actor.reference, noted="assigned", assigned=member)


def pause(account: Account, actor: Actor, request: Request, why: str) -> None:
    """Let the clock stand still, for a reason that every one of its clocks takes. Raises Refused else."""
    now = timezone.now()
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        if request.paused_at is not None:
            raise BadInput(_("The clock stands still already."), place="pause")
        Deadline.model_validate(request.clock).paused(why, now, now)
        change(use, request, actor.reference, noted="paused", paused_at=now, paused_why=why)
        outbox.post(use, request, letters.paused(account, request, why))


def resume(account: Account, actor: Actor | str, request: Request) -> None:
    """Let the clock run again; the day of the answer moves by the time it stood."""
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        if request.paused_at is None:
            return
        clock = Deadline.model_validate(request.clock).paused(request.paused_why, request.paused_at, timezone.now())
        by = actor if isinstance(actor, str) else actor.reference
        change(use, request, by, noted="resumed", clock=clock.as_dict(), due_at=clock.due, paused_at=None, paused_why="")


def extend(account: Account, actor: Actor, request: Request, why: str, words: str) -> None:
    """Take longer, as far as every clock allows, and tell the person so with the reason. Raises Refused where one does not."""
    if not words.strip():
        raise BadInput(_("Taking longer needs its reason."), place="reason", cure=_("Write why; the person reads it."))
    now = timezone.now()
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        clock = Deadline.model_validate(request.clock).extended(why, now)
        change(use, request, actor.reference, noted="extended", clock=clock.as_dict(), due_at=clock.due)
        outbox.post(use, request, letters.extended(account, request, words.strip()))


def write(account: Account, actor: Actor, request: Request, text: str) -> None:
    """Write to the person. Raises BadInput for an empty message, or where there is no address to write to."""
    if not text.strip() or not private.open_private(request).email:
        raise BadInput(_("There is nothing to send, or nobody to send it to."), place="message", cure=_("Write something."))
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, (*OPEN, State.READY))
        change(use, request, actor.reference, noted="wrote")
        outbox.post(use, request, letters.message(account, request, text.strip()))

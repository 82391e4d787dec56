"""Restriction: the engine closes a person to the purposes named, at once and without weighing, until it is lifted.

Other requests restrict as well, for as long as they are being decided: a correction that is contested, an objection that is weighed. A
purpose opens again with the last of them. Before that the person is told: Article 18(3) GDPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, letters, outbox, private, queries
from kept.apps.requests.actions.base import again, change, person, who
from kept.apps.requests.answers.base import PAGE_WAITS, UNDER_WAY, Answer, finish, unfounded
from kept.apps.requests.answers.telling import tells
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Kind, OutboxMessage, Request, State
from kept.core.errors import BadInput, Conflict
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import choices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.notices import policy_of


def hold(account: Account, request: Request, subject: Subject, purposes: Sequence[str]) -> None:
    """Restrict a person to these purposes' being closed, in force when this returns. May be called again.

    `decision` keeps what was restricted (`holds`), and what was so before for other reasons than a request's (`stood`).
    """
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use, writing(use):
        held = again(use, request, UNDER_WAY)
        if "holds" not in held.decision:
            restricted, others = _restricted(use, subject), _held_by_others(use, held, subject)
            for purpose in purposes:
                if purpose not in restricted:
                    choices.choose(use, subject, "restrict", purpose, rule=request.rule, request=request.reference)
            stood = sorted(restricted.intersection(purposes) - others)
            decision = {**held.decision, "holds": list(purposes), "stood": stood}
            change(use, held, "job:requests", decision=decision, subject_reference=subject.reference)
        request.decision, request.entries, request.subject_reference = held.decision, held.entries, subject.reference


def holds(request: Request) -> bool:
    """Whether a restriction stands because of this request."""
    return bool(request.decision.get("holds")) and "lifted" not in request.decision


def ending(account: Account, request: Request, reason: str = "", *, told: bool = False) -> None:
    """The person is told that a restriction ends, unless the letter that goes out says so already; it ends when they have been told."""
    with bookkeeping(account.pk, writing=True) as use:
        held = Request.under(use).select_for_update().get(pk=request.pk)
        if not holds(held) or "lifting" in held.decision:
            return
        change(use, held, "job:requests", decision={**held.decision, "lifting": True})
        if not told:
            outbox.post(use, held, letters.lifting(account, held, reason))
        jobs.lift.enqueue(account_id=account.pk, reference=request.reference)


def lifted(account_id: int, reference: str) -> None:
    """Lift what a request restricted, but for what another one still keeps. Raises Conflict while the person was not told."""
    request = queries.by_reference(account_id, reference)
    if not holds(request) or "lifting" not in request.decision:
        return
    with bookkeeping(account_id) as use:
        if OutboxMessage.under(use).filter(request=reference, sent_at=None, sealed__isnull=False).exists():
            raise Conflict("The person was not told yet.", place=reference)
    point("requests:lifting")
    with reserved(account_id, person(request), "rights", rule=request.rule, request=reference) as use, writing(use):
        subject = queries.subject_of(use, request)
        theirs = Request.under(use).select_for_update().filter(subject_reference=request.subject_reference).order_by("pk")
        held = next((one for one in theirs if one.pk == request.pk), request)
        if subject is not None:
            keep = _held_by_others(use, held, subject).union(held.decision["stood"])
            for purpose in sorted(_restricted(use, subject).intersection(held.decision["holds"]) - keep):
                choices.choose(use, subject, "lift", purpose, rule=request.rule, request=reference)
        fields: dict[str, Any] = {"decision": {**held.decision, "lifted": timezone.now().isoformat()}}
        if held.kind == Kind.RESTRICT and held.closed_at is None:
            fields["closes_at"] = timezone.now() + PAGE_WAITS
        change(use, held, "job:requests", **fields)
    if held.kind == Kind.RESTRICT and held.closed_at is None:
        tells(Account.objects.get(pk=account_id), held, "lift")


def _restricted(use: Use, subject: Subject) -> set[str]:
    return set(Choice.under(use).filter(subject_id=subject.pk, restricted=True).values_list("purpose", flat=True))


def _held_by_others(use: Use, request: Request, subject: Subject) -> set[str]:
    """What other requests of the same person keep restricted now: those being decided, standing restrictions, erasures not complete."""
    found: set[str] = set()
    for one in Request.under(use).filter(subject_reference=subject.reference, closed_at=None).exclude(pk=request.pk):
        if one.kind == Kind.ERASE and (one.state == State.HIDDEN or "kept" in one.outcome):
            found.add("all")
        elif holds(one) and (one.kind == Kind.RESTRICT or one.state in OPEN):
            found.update(one.decision["holds"])
    return found


# The right itself


def _at_once(account: Account, request: Request, subject: Subject) -> None:
    purpose = private.open_private(request).details.get("purpose", "")
    hold(account, request, subject, [purpose] if purpose and policy_of(account.pk).opens(purpose) else ["all"])


def _restrict(account: Account, request: Request, subject: Subject) -> None:
    """For a purpose that the notice declares, or for all; until it is lifted the request stays open to the person."""
    _at_once(account, request, subject)
    purposes: list[str] = request.decision["holds"]
    point("requests:restricted")
    tells(account, request, "restrict")
    title = _titles(account, purposes)
    outcome = {"restricted": purposes, "from": timezone.now().isoformat()}

    def letter(account: Account, request: Request) -> letters.Letter:
        says = [_("from now on we only store what we hold about you: %(what)s.") % {"what": title}]
        says.append(_("Before we use it again you hear from us. You can end this yourself at any time, on the page of your request."))
        return letters.done(account, request, says)

    finish(account, request, letter, outcome, waits=None)


def _titles(account: Account, purposes: Sequence[str]) -> str:
    if "all" in purposes:
        return _("it is used for no purpose")
    tree = policy_of(account.pk).notice.vocabulary["purpose"]
    return _("it is not used for: %(purposes)s") % {"purposes": ", ".join(tree[one].title for one in purposes)}


def lift(account: Account, actor: Actor | str, request: Request, reason: str) -> None:
    """End a restriction: the letter goes first, and once it has gone the data is used again. `actor` is a member, or the person.

    Raises BadInput where the team gives no reason, Conflict where nothing is restricted any more.
    """
    own = who(actor) == person(request)
    if not own and not reason.strip():
        raise BadInput(_("Lifting a restriction needs its reason."), place="reason", cure=_("Write why; the person reads it."))
    with bookkeeping(account.pk, writing=True) as use:
        held = again(use, request, {State.READY})
        if held.kind != Kind.RESTRICT or not holds(held) or "lifting" in held.decision:
            raise Conflict(_("Nothing is restricted by this request any more."), place=request.reference, cure=_("Look at it again."))
        if reason.strip():
            sealed = private.seal(held.key_id or 0, held.reference, replace(private.open_private(held), reason=reason.strip()))
            change(use, held, who(actor), sealed=sealed)
        ending(account, held, reason.strip())


RESTRICT = Answer(_restrict, decides=lambda request, right, held: unfounded(request, right), meanwhile=_at_once, refused=ending)

"""The same act for many requests: looked at beforehand, one by one, and carried on in the background wherever it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import jobs, queries
from kept.apps.requests.actions.deciding import assign, grant
from kept.apps.requests.actions.identity import unsure
from kept.apps.requests.actions.proving import lacking, start
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Batch, Kind, Request, State
from kept.core.errors import BadInput, KeptError, NotFound
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import may
from kept.platform.data import rows
from kept.platform.privacy.bookkeeping import bookkeeping

ACTS = ("assign", "start", "grant")
MOST = 1000
_STEP = 10
_FIELDS = ("act", "member", "requests", "skipped", "made_by", "made_at")


@dataclass(frozen=True)
class Line:
    """What would become of one request: done, where `against` is empty."""

    request: Request
    against: str


def against(member: Member, request: Request, act: str) -> str:
    """What stands against this act of this member on this request now; empty when nothing does."""
    if request.state not in OPEN or request.closed_at is not None:
        return _("It is answered.")
    if act == "assign":
        return ""
    if request.kind == Kind.ERASE and not may(member, "requests.erase"):
        return _("Your role may not erase.")
    if request.decision.get("proposed"):
        return _("A refusal is proposed.")
    if act == "grant":
        return "" if request.state == State.DECIDING else _("It does not wait for a decision.")
    if request.state not in (State.RECEIVED, State.VERIFIED) or request.kind == Kind.CHOICES:
        return _("It does not wait for anybody to vouch.")
    if unsure(request):
        return _("Nobody has made sure who asked.")
    if not request.subject_reference and request.verified_at is None:
        return _("Nobody has proved this address yet.")
    if request.decision.get("by", "self") != "self" and lacking(request):
        return _("Who acts for them has not shown everything.")
    return ""


def preview(account: Account, member: Member, act: str, references: Sequence[str]) -> list[Line]:
    """What an act would do, request by request. Raises BadInput for an act unknown, none chosen or too many."""
    if act not in ACTS:
        raise BadInput(_("There is no such act."), place="act", cure=_("Use one of: %s.") % ", ".join(ACTS))
    if not 0 < len(references) <= MOST:
        raise BadInput(_("Choose from 1 to %(most)d requests.") % {"most": MOST}, place="requests", cure=_("Tick them in the list."))
    with bookkeeping(account.pk) as use:
        found = list(Request.under(use).filter(reference__in=references).defer("sealed").order_by("due_at", "id"))
    return [Line(one, _against_one_of_many(member, one, act)) for one in found]


def _against_one_of_many(member: Member, request: Request, act: str) -> str:
    """The same; and nobody vouches for many without having noted of each how they made sure, or its address being proved."""
    unproved = act == "start" and request.verified_at is None and not request.decision.get("sure")
    return against(member, request, act) or (_("Nobody has noted how they made sure.") if unproved else "")


def begin(account: Account, actor: Actor, act: str, references: Sequence[str], *, assignee: str = "") -> Batch:
    """Begin an act on these requests, in this order."""
    with bookkeeping(account.pk, writing=True) as use:
        (made,) = rows.insert(use, Batch, _FIELDS, [(act, assignee, list(references), {}, actor.reference, timezone.now())])
        jobs.batch.enqueue(account_id=account.pk, batch_id=made)
        found: Batch = Batch.under(use).get(pk=made)
        return found


def batch(account: Account, batch_id: int) -> Batch:
    """One batch of the account. Raises NotFound."""
    with bookkeeping(account.pk) as use:
        found: Batch | None = Batch.under(use).filter(pk=batch_id).first()
    if found is None:
        raise NotFound(_("There is no such work."), place=f"bulk/{batch_id}")
    return found


def carry_on(account_id: int, batch_id: int, progress: Callable[[int, int], None]) -> None:
    """Do what is not done yet. What an act would not be allowed to do now is skipped, with the reason."""
    account = Account.objects.get(pk=account_id)
    found = batch(account, batch_id)
    member = account.members.select_related("account", "user").filter(pk=int(found.made_by.partition(":")[2])).first()
    skipped = dict(found.skipped)
    for place in range(found.position, len(found.requests)):
        reference = found.requests[place]
        if why := _one(account, member, found, reference):
            skipped[reference] = why
        if (place + 1) % _STEP == 0:
            _note(found, place + 1, skipped)
            progress(place + 1, len(found.requests))
    _note(found, len(found.requests), skipped, finished=True)


def _note(found: Batch, position: int, skipped: dict[str, str], *, finished: bool = False) -> None:
    with bookkeeping(found.account_id, writing=True) as use:
        done = timezone.now() if finished else None
        Batch.under(use).filter(pk=found.pk).update(position=position, skipped=skipped, finished_at=done)


def _one(account: Account, member: Member | None, found: Batch, reference: str) -> str:
    if member is None or not may(member, "requests.handle"):
        return _("Whoever began this may not handle requests any more.")
    try:
        request = queries.by_reference(account.pk, reference)
        if why := _against_one_of_many(member, request, found.act):
            return why
        actor = member.actor
        match found.act:
            case "assign":
                assign(account, actor, request, found.member)
            case "start":
                start(account, actor, request)
            case "grant":
                grant(account, actor, request)
    except KeptError as error:
        return error.message
    return ""

"""Questions about requests. What is personal in them stays sealed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import private
from kept.apps.requests.models import Kind, OutboxMessage, Request, State
from kept.core.errors import NotFound
from kept.core.ledger import Header
from kept.core.notice import Policy, deadlines
from kept.core.notice.deadlines import Clock, Deadline, Offers
from kept.core.notice.rules import pick
from kept.core.notice.standing import Standing
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, notices, subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Entry, Erasure
from kept.platform.privacy.notices import policy_of

OPEN = (State.RECEIVED, State.VERIFIED, State.WORKING)
RIGHT = {Kind.ACCESS: "access", Kind.ERASURE: "erase", Kind.CHOICES: "object"}
"""The right, in the notice's words, that each kind of request exercises."""


def by_reference(account_id: int, reference: str) -> Request:
    """The request of this reference. Raises NotFound."""
    return _one(account_id, reference=reference)


def by_page(account_id: int, token: str) -> Request:
    """The request whose page has this token. Raises NotFound."""
    return _one(account_id, page=private.digest(token))


def by_link(account_id: int, link: str) -> Request | None:
    """The request that a mailed link confirms; None when the link is used, changed or too old."""
    token = private.read_link(link)
    try:
        return _one(account_id, link=private.digest(token), state=State.RECEIVED) if token else None
    except NotFound:
        return None


def _one(account_id: int, **known: str) -> Request:
    with bookkeeping(account_id) as use:
        found = Request.under(use).filter(**known).first()
    if found is None:
        raise NotFound(_("There is no such request."), place="request")
    return found


def listed(use: Use, which: str) -> QuerySet[Request]:
    """The queue: `open` ones, those that are `overdue`, `answered` ones, or all."""
    found = Request.under(use).defer("sealed")
    match which:
        case "open":
            return found.filter(state__in=OPEN)
        case "overdue":
            return found.filter(state__in=OPEN, due_at__lt=timezone.now())
        case "answered":
            return found.exclude(state__in=OPEN)
    return found


def count_by_list(use: Use) -> dict[str, int]:
    """How many stand in each list."""
    return {which: listed(use, which).count() for which in ("open", "overdue", "answered", "all")}


def letters(use: Use, reference: str) -> Sequence[OutboxMessage]:
    """The letters of a request, oldest first."""
    return list(OutboxMessage.under(use).filter(request=reference).order_by("id"))


def right_of(policy: Offers, kind: str, region: str) -> RightTerms | None:
    """The right of the notice that this kind of request exercises in a region; None where it offers none."""
    return policy.rights(region).get(RIGHT[Kind(kind)])


def deadline(policy: Offers, kind: str, region: str, received: datetime) -> Deadline:
    """By when it must be answered, and what decides that: the notice, or a law it names."""
    return deadlines.deadline(policy, RIGHT[Kind(kind)], region, received)


def decided(request: Request) -> Clock:
    """What decided by when it must be answered."""
    return Deadline.model_validate(request.clock).decided


def terms_of(use: Use, request: Request) -> Policy | Standing:
    """What holds for the person a request is about, under the version that they are under. `use` is of `rights`."""
    subject = subject_of(use, request)
    return notices.ruling(use.account_id).over(subject.notice_version if subject else 0)


def subject_of(use: Use, request: Request) -> Subject | None:
    """The person a request is about: by their reference once it is known, else by the address that they proved. `use` is of `rights`."""
    if request.subject_reference:
        return Subject.under(use).filter(reference=request.subject_reference).first()
    email = private.open_private(request).email
    if not email:
        return None
    try:
        return subjects.find(use, "email", email, request.region)
    except NotFound:
        return None


def erasure_of(request: Request) -> Erasure | None:
    """How far the erasure of this request has come."""
    with bookkeeping(request.account_id) as use:
        return Erasure.under(use).filter(request=request.reference).first()


@dataclass(frozen=True)
class Step:
    """One entry of the ledger about a request, and the state it brought where it is the request's own."""

    header: Header
    state: str


def history(use: Use, request: Request) -> list[Step]:
    """What the ledger holds of a request, newest first."""
    states = dict[int, str](request.entries)
    about = ledger.entries_of(use, request.subject_reference) if request.subject_reference else []
    ids = {entry.pk for entry in about if ledger.header_of(entry).request == request.reference} | set(states)
    found = Entry.under(use).filter(pk__in=ids).order_by("-id")
    return [Step(ledger.header_of(entry), states.get(entry.pk, "")) for entry in found]


@dataclass(frozen=True)
class Complaint:
    """To whom a person can complain, and the account's own address."""

    authority: str
    contact: str


def complaint(account: Account, region: str = "") -> Complaint:
    """Where to go for somebody who is not content."""
    identity = policy_of(account.pk).notice.identity
    return Complaint(pick(identity.authority, region or account.region) or "", identity.address)

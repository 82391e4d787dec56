"""Questions about requests. What is personal in them stays sealed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _

from kept.apps.requests import private, verifying
from kept.apps.requests.models import Kind, OutboxMessage, Request, State
from kept.core.errors import NotFound
from kept.core.ledger import Header
from kept.core.notice import Policy, deadlines
from kept.core.notice.deadlines import Clock, Deadline, Offers
from kept.core.notice.rules import pick
from kept.core.notice.rules.identity import Dispute, RoleBody
from kept.core.notice.standing import Standing
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Entry, Erasure
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.versions import offering

RIGHT: Mapping[Kind, str] = {Kind.CHOICES: "object", Kind.OPT_IN_SALE: "opt-out-sale"}
"""The right, in the notice's words, that a kind of request exercises, where it is not called like it."""
SOON_DAYS = 7
"""How long before its day a request is escalated."""


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


def letters(use: Use, reference: str) -> Sequence[OutboxMessage]:
    """The letters of a request, oldest first."""
    return list(OutboxMessage.under(use).filter(request=reference).order_by("id"))


def right_of(policy: Offers, kind: str, region: str) -> RightTerms | None:
    """The right of the notice that this kind of request exercises in a region; None where it offers none."""
    return policy.rights(region).get(RIGHT.get(Kind(kind), kind))


def offered(account: Account) -> Offers:
    """What is offered to somebody of whom it is not known yet under which version they are."""
    return offering(account.pk)


def deadline(policy: Offers, kind: str, region: str, received: datetime) -> Deadline:
    """By when it must be answered, and what decides that: the notice, or a law it names."""
    return deadlines.deadline(policy, RIGHT.get(Kind(kind), kind), region, received)


def own_clock(policy: Offers, role: RoleBody, region: str, received: datetime) -> Deadline:
    """By when a request is passed on, where we act for others."""
    assert role.within is not None
    clock = Clock(by="role", version=policy.notice.identity.effective, within=role.within)
    return Deadline(received=received, region=region, clocks=(clock,))


def passed_on(account: Account, data: str) -> RoleBody | None:
    """The role under which a person's request about this data is passed on rather than answered; None where we answer it."""
    if data == "own":
        return None
    roles = (body for rule, body in policy_of(account.pk).roles if body.data == data and body.requests != "answer")
    return next(roles, None)


def whose(account: Account) -> Literal["own", "customer"]:
    """Whose data an account answers for where nobody says: its own, unless it only acts for others."""
    roles = policy_of(account.pk).roles
    return "customer" if roles and all(body.requests != "answer" for _, body in roles) else "own"


def decided(request: Request) -> Clock:
    """What decided by when it must be answered."""
    return Deadline.model_validate(request.clock).decided


def terms_of(use: Use, request: Request) -> Policy | Standing:
    """What holds for the person a request is about, under the version that they are under. `use` is of `rights`."""
    subject = subject_of(use, request)
    return notices.ruling(use.account_id).over(subject.notice_version if subject else 0)


def subject_of(use: Use, request: Request) -> Subject | None:
    """The person a request is about: by their reference once it is known, else by what they are known by. `use` is of `rights`."""
    return verifying.find(use, request)


def erasure_of(request: Request) -> Erasure | None:
    """How far the erasure of this request has come."""
    with bookkeeping(request.account_id) as use:
        return Erasure.under(use).filter(request=request.reference).first()


@dataclass(frozen=True)
class Step:
    """One entry of the ledger about a request; where it is the request's own, the state it was in then and what was done, in a word."""

    header: Header
    state: str
    noted: str


def history(use: Use, request: Request) -> list[Step]:
    """What the ledger holds of a request, newest first."""
    own = {number: (state, noted) for number, state, noted in request.entries}
    about = ledger.entries_of(use, request.subject_reference) if request.subject_reference else []
    ids = {entry.pk for entry in about if ledger.header_of(entry).request == request.reference} | set(own)
    found = Entry.under(use).filter(pk__in=ids).order_by("-id")
    return [Step(ledger.header_of(entry), *own.get(entry.pk, ("", ""))) for entry in found]


@dataclass(frozen=True)
class Complaint:
    """To whom a person can complain, and the account's own address; `steps` are the ways to settle a dispute, in order; `regulator` is who
    else supervises the account.
    """

    authority: str
    contact: str
    steps: tuple[Dispute, ...] = ()
    regulator: str = ""


def complaint(account: Account, region: str = "") -> Complaint:
    """Where to go for somebody who is not content."""
    where = region or account.region
    identity = policy_of(account.pk).notice.identity_in(where)
    authority, regulator = (pick(one, where) or "" for one in (identity.authority, identity.regulator))
    return Complaint(authority, identity.reach("complaints")[0].value, identity.dispute, regulator)

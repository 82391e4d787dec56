"""What the requests say of themselves, for the proofs: each is held against the right it exercises, and against its own clock.

The provers of the platform ask here (`registry.due`); what is wrong comes back as sentences and references, never as values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kept.apps.requests import verifying
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, OutboxMessage, Request, State, Telling
from kept.apps.requests.queries import RIGHT, right_of
from kept.core.notice import Policy, Rule
from kept.core.notice.deadlines import Deadline
from kept.core.notice.rules import ChoiceBody, NoticeBody, RightBody, RoleBody
from kept.core.notice.terms import RightTerms
from kept.platform.data.use import Use
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.provers.base import batches
from kept.platform.privacy.registry import Desk

ANSWERED = (State.READY, State.DONE)
CHANNELS = frozenset({"web", "settings", "email", "phone", "post"})
"""The privacy centre, the pages of somebody signed in, the mail door, and what the team takes in of calls and letters."""
FORMATS: Mapping[str, frozenset[str]] = {
    "know": frozenset({"html", "json"}),
    "access": frozenset({"html", "json", "csv"}),
    "portability": frozenset({"json", "csv"}),
    "direct-marketing-disclosures": frozenset({"html", "json"}),
}
"""What the package of each kind of copy holds."""
BY_VOICE = (Channel.PHONE, Channel.PERSON, Channel.COMMAND)
"""Channels on which whoever takes a request in confirms it there and then."""
CONFIRMS = ("confirm", "received", "referred")
"""Letters that confirm receipt."""
ENDINGS = ("refused", "unverified", "answered")
"""Letters that end with where to go next."""


@dataclass(frozen=True)
class Looked:
    """One request, the right it exercises, when its receipt was confirmed, and what a proof may ask of it."""

    request: Request
    right: RightTerms
    clock: Deadline
    confirmed: datetime | None
    untold: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether what was asked for was done."""
        return self.request.state in ANSWERED and self.request.answered_at is not None


def _late(one: Looked, now: datetime) -> bool:
    return one.request.state in OPEN and one.request.due_at < now and one.request.paused_at is None


def _moved(one: Looked, now: datetime) -> bool:
    return one.clock.due != one.request.due_at


def _unconfirmed(one: Looked, now: datetime) -> bool:
    by = one.clock.confirm_by
    if by is None or by > now or one.request.channel in BY_VOICE or one.request.confirmed_at is None:
        return False
    return one.confirmed is None or one.confirmed > by


def _unproved(one: Looked, now: datetime) -> bool:
    if not one.answered or one.request.decision.get("by", "self") != "self":
        return False
    return not verifying.proved(one.request.proof, one.right)


def _powerless(one: Looked, now: datetime) -> bool:
    if not one.answered or one.request.decision.get("by") != "agent" or one.request.proof == "human":
        return False
    return bool(verifying.agent_lacks(one.right, one.request.decision.get("powers", ())))


def _groundless(one: Looked, now: datetime) -> bool:
    ground = one.request.decision.get("ground", "")
    return bool(ground) and ground not in one.right.body.grounds


def _excepted(one: Looked, now: datetime) -> bool:
    return bool(set(one.request.decision.get("exceptions", {}).values()) - set(one.right.body.except_))


def _withheld(one: Looked, now: datetime) -> bool:
    return bool(set(one.request.decision.get("withheld", {}).values()) - set(one.right.body.withhold))


def _alone(one: Looked, now: datetime) -> bool:
    """Refused by one member, where another had proposed nothing although they were several: the ledger then names one alone."""
    decision = one.request.decision
    return decision.get("outcome") == "refused" and bool(decision.get("proposed")) and decision["proposed"] == decision.get("by_member")


def _partial(one: Looked, now: datetime) -> bool:
    """An answer that lacks a part which the right lists, or a form in which it is given."""
    outcome = one.request.outcome
    if not one.answered or "contents" not in outcome:
        return False
    lacking = set(one.right.body.contents) - set(outcome["contents"])
    return bool(lacking) or bool(outcome.get("entries") and set(one.right.body.formats) - set(outcome["formats"]))


def _unfree(one: Looked, now: datetime) -> bool:
    """A copy that cost something although it was one of the free ones, or whose price was not told."""
    fee, outcome = one.right.body.fee, one.request.outcome
    if fee is None or "copy" not in outcome or not one.answered:
        return False
    return outcome.get("fee") not in (None, "waived", "told") or (outcome["copy"] <= fee.free and outcome.get("fee") == "told")


def _untold(one: Looked, now: datetime) -> bool:
    return bool(one.right.body.tells) and bool(one.untold)


def _curious(one: Looked, now: datetime) -> bool:
    """Facts were asked for beyond those that the notice names."""
    asked = set(one.request.decision.get("asked", ())) - {"email"}
    return bool(one.right.body.asks) and bool(asked - set(one.right.body.asks))


def _mislaid(one: Looked, now: datetime) -> bool:
    """It came by a subject or first line that is another right's."""
    line = one.request.decision.get("line", "")
    named = {"subject": one.right.body.subject_line, "first": one.right.body.first_line}
    return line in named and named[line] is None


def _unheard(one: Looked, now: datetime) -> bool:
    """What follows for the person, said before they confirmed."""
    needs = one.right.body.consequence is not None and one.request.confirmed_at is not None
    return needs and not one.request.decision.get("consequence")


Fault = Callable[[Looked, datetime], bool]
FAULTS: Mapping[str, Fault] = {
    "past due": _late,
    "with a day that its clock does not give": _moved,
    "without a timely confirmation of receipt": _unconfirmed,
    "answered to somebody who had not proved who they are": _unproved,
    "answered to an agent who had not brought what is asked": _powerless,
    "on a ground that the notice does not know": _groundless,
    "with something kept for no reason of the notice's": _excepted,
    "with something withheld for no reason of the notice's": _withheld,
    "refused by one member alone": _alone,
    "answered in part": _partial,
    "with a price that was not told, or not owed": _unfree,
    "of which recipients were not told in time": _untold,
    "for which more was asked than the notice names": _curious,
    "opened by a line that is another right's": _mislaid,
    "confirmed without knowing what follows": _unheard,
}
"""What can be wrong with a request, as it goes on from “2 requests …”."""


@dataclass
class _Found:
    answered: int = 0
    open: int = 0
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def stands(use: Use, rule: Rule, now: datetime) -> Desk:
    """How the requests under a rule stand: under a right, passed on under a role, or refused under the notice as a whole."""
    policy, found = policy_of(use.account_id), _Found()
    match rule.body:
        case RightBody():
            for one in _under(use, policy, rule, now):
                found.answered += one.request.answered_at is not None
                found.open += one.request.state in OPEN
                for words, wrong in FAULTS.items():
                    if wrong(one, now):
                        found.faults[words].append(one.request.reference)
        case RoleBody():
            _passed_on(use, rule.body, now, found)
        case ChoiceBody():
            _chosen(use, rule.body, now, found)
        case NoticeBody():
            _ended(use, rule.body, found)
    formats = FORMATS.get(rule.body.kind, frozenset()) if isinstance(rule.body, RightBody) else frozenset()
    ways = CHANNELS | {"form"} if isinstance(rule.body, ChoiceBody) else CHANNELS
    return Desk(found.answered, found.open, dict(found.faults), ways, formats)


def _under(use: Use, policy: Policy, rule: Rule, now: datetime) -> Iterator[Looked]:
    """The requests that exercise this very rule: of the same right in two regions each has its own."""
    assert isinstance(rule.body, RightBody)
    kinds = [kind for kind in Kind if RIGHT.get(kind, kind) == rule.body.kind]
    asked = Request.under(use).filter(kind__in=kinds).exclude(state=State.REFERRED)
    rights = {region: right_of(policy, kinds[0], region) for region in asked.values_list("region", flat=True).distinct().order_by()}
    mine = {region: right for region, right in rights.items() if right is not None and right.rule is rule}
    for rows in batches(asked.filter(region__in=list(mine)).defer("sealed")):
        references = [row.reference for row in rows]
        confirmed = dict(
            OutboxMessage.under(use).filter(request__in=references, letter__in=CONFIRMS).order_by("-id").values_list("request", "sent_at")
        )
        waiting = Telling.under(use).filter(request__in=references, confirmed_at=None, due_at__lt=now).exclude(how="impossible")
        untold = defaultdict[str, list[str]](list)
        for request, recipient in waiting.values_list("request", "recipient"):
            untold[request].append(recipient)
        for row in rows:
            yield Looked(
                row,
                mine[row.region],
                Deadline.model_validate(row.clock),
                confirmed.get(row.reference),
                untold=tuple(untold.get(row.reference, ())),
            )


def _passed_on(use: Use, role: RoleBody, now: datetime, found: _Found) -> None:
    """Where we answer: nothing past its day. Where we act for others: nothing answered in their name, and passed on in time."""
    asked = Request.under(use)
    if role.requests == "answer":
        found.open = asked.filter(state__in=OPEN, data="own").count()
        found.answered = asked.filter(answered_at__isnull=False, data="own").count()
        late = asked.filter(state__in=OPEN, data="own", due_at__lt=now, paused_at=None)
        found.faults["past due"] += late.values_list("reference", flat=True)
        return
    theirs = asked.filter(data=role.data).exclude(channel__in=[Channel.COMMAND, Channel.PHONE, Channel.POST, Channel.PERSON])
    found.open = theirs.filter(state__in=OPEN).count()
    found.answered = theirs.filter(state=State.REFERRED).count()
    late = theirs.filter(state__in=OPEN, due_at__lt=now)
    found.faults["not passed on in time"] += late.values_list("reference", flat=True)
    in_their_name = theirs.filter(state__in=[*ANSWERED, State.WORKING, State.NOBODY])
    found.faults["answered in the name of others"] += in_their_name.values_list("reference", flat=True)


def _chosen(use: Use, choice: ChoiceBody, now: datetime, found: _Found) -> None:
    """Where turning on again takes two words, both were said."""
    if choice.opt_in:
        again = Request.under(use).filter(kind=Kind.OPT_IN_SALE, state__in=ANSWERED)
        found.answered = again.count()
        wrong = [one.reference for one in again.only("reference", "decision") if not one.decision.get("confirmed_again")]
        found.faults["turned on again with one word alone"] += wrong


def _ended(use: Use, notice: NoticeBody, found: _Found) -> None:
    """Every refusal that could be written is a letter that names where to go next."""
    refused = Request.under(use).filter(state=State.REFUSED, confirmed_at__isnull=False)
    found.answered = refused.count()
    told = OutboxMessage.under(use).filter(letter__in=ENDINGS).values("request")
    found.faults["refused without a letter"] += refused.exclude(reference__in=told).values_list("reference", flat=True)

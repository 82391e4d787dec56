"""Objection: direct marketing, and choosing whom to write to, end at once with the person's word; for the rest their particular situation
is weighed, by a person and with reasons, and nothing is done meanwhile: Article 21 GDPR.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import letters, private
from kept.apps.requests.answers import restricting
from kept.apps.requests.answers.base import Answer, enter, finish, unfounded
from kept.apps.requests.answers.telling import tells
from kept.apps.requests.models import Request
from kept.core.notice import Policy
from kept.core.notice.standing import Standing
from kept.core.notice.terms import RightTerms
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of, ruling

MARKETING, SITUATION = "direct-marketing", "particular-situation"
"""Grounds."""
OVER_MARKETING = "marketing"
"""The term over every purpose to which one objects without a reason: direct marketing, and the profiling for it."""
UNSUBSCRIBE = "unsubscribe"


def versions(terms: Policy | Standing) -> tuple[Policy, ...]:
    """The versions of the notice that hold for somebody, the one in force last."""
    return (terms.earlier, terms.active) if isinstance(terms, Standing) else (terms,)


def bases(terms: Policy | Standing, region: str) -> dict[str, set[str]]:
    """The lawful bases that each declared purpose rests on for somebody: under every version that holds for them."""
    held = versions(terms)
    return {
        purpose: {policy.basis(purpose, region) for policy in held if purpose in policy.purposes} - {""} for purpose in held[-1].purposes
    }


def marketing(policy: Policy) -> tuple[str, ...]:
    """What one objects to without a reason: by the terms, and by the notice's own word where an unsubscribe ends it."""
    told = [one for choice in policy.choices().values() if UNSUBSCRIBE in choice.body.signals for one in choice.governs]
    return tuple(dict.fromkeys((*policy.opens(OVER_MARKETING), *(one for one in told if one in policy.purposes))))


def _named(request: Request) -> str:
    """The purpose that is objected to; empty for all. One that is declared no more stands for all."""
    purpose = private.open_private(request).details.get("purpose", "")
    return purpose if purpose and policy_of(request.account_id).opens(purpose) else ""


def _at_once(request: Request) -> list[str]:
    """The purposes that end with the person's word."""
    policy, named = policy_of(request.account_id), _named(request)
    free = marketing(policy)
    within = [one for one in free if one in policy.opens(named)] if named and named != OVER_MARKETING else list(free)
    return list(free) if request.decision.get("ground") == MARKETING and not within else within


def _weighed(request: Request, subject: Subject) -> list[str]:
    """The purposes that rest on an interest of ours, and are weighed where the notice says so."""
    if request.decision.get("ground") == MARKETING:
        return []
    policy, named = policy_of(request.account_id), _named(request)
    resting = bases(ruling(request.account_id).over(subject.notice_version), subject.region)
    moved = [one for one, held in resting.items() if any(BASES[basis].choice == "refuses" for basis in held)]
    return [one for one in moved if one not in marketing(policy) and (not named or one in policy.opens(named))]


def absolute(request: Request) -> bool:
    """Whether nothing can be held against it: it is about direct marketing and nothing else."""
    if request.decision.get("ground") == MARKETING:
        return True
    policy, named = policy_of(request.account_id), _named(request)
    return bool(named) and set(policy.opens(named)) <= set(marketing(policy))


def _decides(request: Request, right: RightTerms | None, held: private.Private) -> bool:
    """Where the notice weighs particular situations, whatever is not about marketing alone."""
    weighs = right is not None and SITUATION in right.body.grounds
    return not absolute(request) and (request.decision.get("ground") == SITUATION or weighs or unfounded(request, right))


def moved(resting: set[str]) -> bool:
    """Whether a person's word moves a purpose that rests on these bases."""
    return any(BASES[basis].choice != "none" for basis in resting)


def _object(account: Account, request: Request, subject: Subject, purposes: Sequence[str], step: str) -> None:
    """Enter the objection to each purpose. One that no word moves is restricted instead."""
    resting = bases(ruling(account.pk).over(subject.notice_version), subject.region)
    enter(account, request, subject, [("object" if moved(resting[one]) else "restrict", one) for one in purposes], step)


def _meanwhile(account: Account, request: Request, subject: Subject) -> None:
    """Marketing ends at once, whatever becomes of the rest; that is left alone until it is decided."""
    _object(account, request, subject, _at_once(request), "at-once")
    weighed = _weighed(request, subject)
    if weighed:
        restricting.hold(account, request, subject, weighed)


def _answer(account: Account, request: Request, subject: Subject) -> None:
    """Enter it, for what ended at once and for what was granted."""
    _object(account, request, subject, _at_once(request), "at-once")
    _object(account, request, subject, _weighed(request, subject), "weighed")
    ended = [*_at_once(request), *_weighed(request, subject)]
    point("requests:objected")
    tells(account, request, "object")
    tree, reason = policy_of(account.pk).notice.vocabulary["purpose"], private.open_private(request).reason

    def letter(account: Account, request: Request) -> letters.Letter:
        if not ended:
            says = [_("nothing that we do with your data rests on an interest of ours, so there is nothing to object to.")]
            says.append(_("You can still have your data restricted or erased."))
            return letters.done(account, request, says)
        purposes = ", ".join(tree[one].title for one in ended)
        says = [_("we have stopped, from now on: %(purposes)s.") % {"purposes": purposes}, *([reason] if reason else [])]
        return letters.done(account, request, says)

    with bookkeeping(account.pk, writing=True):
        finish(account, request, letter, {"objected": ended, "from": timezone.now().isoformat()})
        restricting.ending(account, request, told=True)


OBJECT = Answer(_answer, decides=_decides, meanwhile=_meanwhile, refused=restricting.ending, absolute=absolute)

"""What a person may turn on and off themselves: what a choice of the notice governs, and what is done in our own interest."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from kept.apps.requests import actions, queries
from kept.apps.requests.models import Request, State
from kept.core.errors import BadInput, NotFound
from kept.core.notice import Policy
from kept.core.notice.standing import Standing
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import choices
from kept.platform.privacy.choices import Verb
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of, ruling

NO: dict[str, Verb] = {"consent": "withdraw", "explicit-consent": "withdraw", "opt-out": "opt-out"}
"""How a no is called on each basis; on any other it is an objection."""


@dataclass(frozen=True)
class Switch:
    """One purpose, and whether it is open to this person's data now. `promise` is the notice's own sentence."""

    purpose: str
    title: str
    promise: str
    on: bool


def _movable(terms: Policy | Standing, subject: Subject) -> dict[str, str]:
    """The purposes that a person's word moves, and the basis that says how: under their own version too, where that is an older one.

    A purpose that is new to them opens by their word alone.
    """
    versions = (terms.earlier, terms.active) if isinstance(terms, Standing) else (terms,)
    found = {}
    for purpose in versions[-1].purposes:
        bases = [policy.basis(purpose, subject.region) for policy in versions if purpose in policy.purposes]
        moving = [basis for basis in bases if basis and BASES[basis].choice != "none"]
        if moving or len(bases) < len(versions):
            found[purpose] = moving[0] if moving else "consent"
    return found


def switches(account: Account, request: Request) -> list[Switch]:
    """What this person can decide, as it stands."""
    policy = policy_of(account.pk)
    with reserved(account.pk, actions.person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
    if subject is None:
        return []
    mine = ruling(account.pk).over(subject.notice_version)
    governed = {purpose: one.rule for one in mine.choices(subject.region).values() for purpose in one.governs}
    shown = []
    for purpose in _movable(mine, subject):
        terms = policy.purposes[purpose]
        rule = governed.get(purpose, terms.rule)
        shown.append(Switch(purpose, terms.title or purpose, rule.promise, bool(subject.permits >> terms.bit & 1)))
    return shown


def choose(account: Account, request: Request, purpose: str, *, on: bool) -> None:
    """Turn one purpose on or off, in force when this returns. Raises NotFound when the page has lapsed, BadInput for another purpose."""
    if request.state != State.READY or request.closed_at is not None:
        raise NotFound(_("This page has lapsed."), cure=_("Ask for a new link in the privacy centre."))
    with reserved(account.pk, actions.person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
        movable = _movable(ruling(account.pk).over(subject.notice_version), subject) if subject else {}
        if subject is None or purpose not in movable:
            raise BadInput(_("This cannot be turned on or off here."), place="purpose", cure=_("Choose one of those offered."))
        verb = "allow" if on else NO.get(movable[purpose], "object")
        choices.choose(use, subject, verb, purpose, request=request.reference)

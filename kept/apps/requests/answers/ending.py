"""What ends with a person's word, at once and without weighing: a consent they gave, and uses of sensitive data beyond what they asked."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import letters, private
from kept.apps.requests.actions.base import person
from kept.apps.requests.answers.base import Answer, enter, finish
from kept.apps.requests.answers.objecting import bases, moved
from kept.apps.requests.models import Request
from kept.core.notice import Policy, law
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of, ruling


def _finish(account: Account, request: Request, word: str, ended: Iterable[str], nothing: str, done: str) -> None:
    """The letter names what ended, in the notice's own titles."""
    about, tree = list(ended), policy_of(account.pk).notice.vocabulary["purpose"]
    point("requests:ended")

    def letter(account: Account, request: Request) -> letters.Letter:
        named = ", ".join(tree[one].title if one in tree else one for one in about)
        return letters.done(account, request, [f"{done} {named}." if about else nothing])

    finish(account, request, letter, {word: about, "from": timezone.now().isoformat()})


# Consent


def _withdraw(account: Account, request: Request, subject: Subject) -> None:
    """One consent, or all of them. What was done before stays lawful: Article 7(3) GDPR."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        about = _consents(use, request, subject)
    enter(account, request, subject, [("withdraw", one) for one in about], "withdrawn")
    nothing = _("we hold no consent of yours, so there is none to withdraw.")
    _finish(account, request, "withdrawn", about, nothing, _("your consent is withdrawn, from now on:"))


def _consents(use: Use, request: Request, subject: Subject) -> list[str]:
    named = private.open_private(request).details.get("purpose", "")
    if named:
        return [named]
    resting = bases(ruling(use.account_id).over(subject.notice_version), subject.region)
    gives = [one for one, found in resting.items() if any(BASES[basis].choice == "gives" for basis in found)]
    held = choices.held(use, subject.pk)
    return list(dict.fromkeys([*gives, *(one for one, (state, _restricted) in held.items() if state in ("given", "withdrawn"))]))


WITHDRAW = Answer(_withdraw)


# Sensitive data


def beyond(policy: Policy, region: str) -> tuple[list[str], list[str]]:
    """What is done with sensitive data other than what was asked for: purposes, as the law that grants the right lists them, and outlets
    that sell or share it (11 CCR § 7027(m)).
    """
    tree, sensitive = policy.notice.vocabulary["purpose"], _sensitive(policy)
    laws = policy.notice.identity.law
    offers = [*law.saying(law.Offer, laws, region), *law.saying(law.Offer, law.NAMES)]
    wide = next((one.purposes for one in offers if "limit-sensitive" in one.rights), ())
    others = tree.under(*wide)
    purposes = [one.id for one in policy.purposes.values() if one.id in others and not one.categories.isdisjoint(sensitive)]
    sold = [one for one in policy.outlets.values() if (one.sale or one.share) and not one.categories.isdisjoint(sensitive)]
    return purposes, [one.rule.name for one in sold]


def _sensitive(policy: Policy) -> frozenset[str]:
    terms = policy.notice.vocabulary["category"].all.values()
    return frozenset(one.id for one in terms if one.sensitive or one.ccpa == "sensitive")


def _limit(account: Account, request: Request, subject: Subject) -> None:
    """Each such purpose and outlet closes; where no word moves a purpose, it is restricted."""
    purposes, outlets = beyond(policy_of(account.pk), subject.region)
    resting = bases(ruling(account.pk).over(subject.notice_version), subject.region)
    words: list[tuple[choices.Verb, str]] = [("opt-out" if moved(resting[one]) else "restrict", one) for one in purposes]
    enter(account, request, subject, [*words, *(("opt-out", one) for one in outlets)], "limited")
    nothing = _("we use sensitive data of yours for what you asked for, and for nothing beyond. There is nothing to limit.")
    _finish(account, request, "limited", [*purposes, *outlets], nothing, _("from now on your sensitive data does not serve:"))


LIMIT_SENSITIVE = Answer(_limit)

"""Who had people's data for direct marketing of their own: Cal. Civ. Code § 1798.83, “Shine the Light”.

Covered are disclosures for a purpose at or under direct marketing, to recipients who decide for themselves. Who is known is answered
about their own data; who is not, about everybody's, in which nobody appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from kept.apps.contacts.models import Person
from kept.apps.requests import letters, package, private, queries
from kept.apps.requests.actions.base import again, person
from kept.apps.requests.answers import allowance
from kept.apps.requests.answers.base import Answer
from kept.apps.requests.answers.copies import answered_by, deliver
from kept.apps.requests.knowing import back
from kept.apps.requests.models import Request, State
from kept.apps.requests.package import Made, Package
from kept.apps.requests.redaction import at_address
from kept.core.notice import Policy
from kept.core.notice.declared import recipient, title, titles
from kept.core.notice.durations import Duration
from kept.core.notice.terms import DiscloseTerms, RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.search import words
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, notices, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Disclosure

FORMAT = "kept-direct-marketing-disclosures-1"
PURPOSE = "direct-marketing"
LOOKBACK = Duration(1, "calendar years")
"""Where the notice says nothing: the law's own, the calendar year before."""
BUSINESS = "business-contact"
ADDRESS = ("street", "locality", "postcode")


@dataclass(frozen=True)
class Given:
    """One disclosure: to whom, for what, which categories, when, under which rule."""

    to: str
    purpose: str
    rule: str
    categories: tuple[str, ...]
    at: datetime


# What is covered


def covered(outlet: DiscloseTerms | None, policy: Policy, purpose: str) -> bool:
    """Whether a disclosure was for direct marketing, to somebody who decides for themselves: who works for us is no third party."""
    marketing = policy.notice.vocabulary["purpose"].under(PURPOSE)
    return outlet is not None and outlet.role == "controller" and outlet.body.form == "identified" and purpose in marketing


def _of_person(use: Use, subject: Subject, since: datetime | None) -> Iterator[Given]:
    for entry in ledger.story(use, subject.reference, {"disclosure"}):
        if since is None or entry.at >= since:
            header = ledger.header_of(entry)
            yield Given(header.recipient or "", header.purpose or "", header.rule or "", header.categories, header.at)


def _of_anybody(account_id: int, since: datetime | None) -> Iterator[Given]:
    with bookkeeping(account_id) as use:
        rows = Disclosure.under(use).filter(form="identified", **({"at__gte": since} if since else {}))
        for one in rows.values_list("recipient", "purpose", "rule", "passed", "at").iterator():
            to, purpose, rule, passed, at = one
            yield Given(to, purpose, rule, tuple(dict.fromkeys(category for category, *_rest in passed)), at)


def listed(account_id: int, given: Iterable[Given]) -> list[dict[str, Any]]:
    """Those that are covered, by recipient: name, class, country, what they had, when last."""
    policy_at, newest = notices.policy_at(account_id), notices.policy_of(account_id)
    found: dict[str, dict[str, Any]] = {}
    for one in given:
        policy = policy_at(one.at) or newest
        outlet = policy.outlets.get(one.rule.removeprefix("disclose:"))
        if outlet is None or not covered(outlet, policy, one.purpose):
            continue
        name = one.to if one.to not in (outlet.id, outlet.to) else recipient(policy, outlet)
        held = found.setdefault(name, {"to": name, "categories": set(), "last": one.at})
        held["kind"], held["country"] = title(policy, "recipient", outlet.recipient_class), ", ".join(outlet.countries)
        held["categories"] |= set(titles(policy, "category", one.categories))
        held["last"] = max(held["last"], one.at)
    return [one | {"categories": sorted(one["categories"])} for _name, one in sorted(found.items())]


# The answer


def _decides(request: Request, right: RightTerms | None, held: private.Private) -> bool:
    """Who does not say that they dealt with us for themselves or their household may be a business, which the law does not reach."""
    return right is not None and BUSINESS in right.body.not_for and held.details.get("household") != "1"


def _answer(account: Account, request: Request, subject: Subject | None) -> None:
    right = allowance.right_of(account, request, subject) if subject else _offered(account, request)
    now = timezone.now()
    since = back(request.received_at, (right.body.lookback if right else None) or LOOKBACK)
    if subject is not None:
        with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
            found = listed(account.pk, _of_person(use, subject, since))
    else:
        found = listed(account.pk, _of_anybody(account.pk, since))
    made = _package(Made(account, subject, request.reference, now), request, right, since, found)
    by, known = answered_by(request, right), subject is not None
    letter = (lambda account, request: letters.disclosed(account, request, found, since, known=known)) if by == "email" else None
    deliver(account, request, made, letter, {"recipients": len(found), "by": by})


def _offered(account: Account, request: Request) -> RightTerms | None:
    return queries.right_of(queries.offered(account), request.kind, request.region)


def _package(made: Made, request: Request, right: RightTerms | None, since: datetime | None, found: list[dict[str, Any]]) -> Package:
    document = {
        **made.head(FORMAT, request.region),
        "about": "you" if made.subject else "everybody",
        "since": since,
        "recipients": found,
        "categories": sorted({category for one in found for category in one["categories"]}),
        "outside": package.outside(right),
    }
    files = {"your-answer.html": package.page("disclosures.html", made, None, document), "your-answer.json": package.as_json(document)}
    return Package(files, {"entries": len(found), "places": 1, "covered": 0}, ("categories", "recipients")).given_as(
        right.formats if right else ()
    )


def _perform(account: Account, request: Request, subject: Subject) -> None:
    _answer(account, request, subject)


def _unknown(account: Account, request: Request) -> None:
    """Look for them by the facts that the right asks for; else answer about everybody."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        subject = _by_facts(use, request, _offered(account, request))
    if subject is not None:
        if request.state == State.VERIFIED and allowance.stops(account, request, subject):
            return
        with bookkeeping(account.pk, writing=True) as use:
            request = again(use, request, {State.VERIFIED, State.WORKING})
            Request.under(use).filter(pk=request.pk).update(state=State.WORKING, subject_reference=subject.reference)
        request.state, request.subject_reference = State.WORKING, subject.reference
    _answer(account, request, subject)


def _by_facts(use: Use, request: Request, right: RightTerms | None) -> Subject | None:
    """The one person with this name at this address. Name, street and postcode are needed, and all that was told must be so."""
    details, asks = private.open_private(request).details, right.body.asks if right else ()
    told = {name: details.get(name, "").strip() for name in ("name", *ADDRESS) if name in asks}
    if not all(told.get(name) for name in ("name", "street", "postcode")):
        return None
    there = at_address(use, told["street"], told["postcode"], told.get("locality", ""))
    name = sorted(words(told["name"]))
    held = values.opened(use, list(Person.under(use).filter(subject_id__in=there)))
    found = {one.subject_id for one in held if sorted(words(f"{one.given_name} {one.family_name}")) == name}
    return Subject.under(use).get(pk=found.pop()) if len(found) == 1 else None


MARKETING_DISCLOSURES = Answer(_perform, decides=_decides, unknown=_unknown, stops=allowance.stops)

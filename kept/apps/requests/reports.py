"""What is told to somebody other than the person: an employer who pays for its people hears which of them have subscribed, and no more.

How a service is used in general, and the records of calls and faxes that communications law protects, are told once a room holds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from kept.apps.contacts.models import ContactPoint, Person
from kept.core.errors import RoomClosed
from kept.core.notice import Policy
from kept.core.notice.terms import DiscloseTerms
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import tables
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import gate, values
from kept.platform.privacy.disclosures import Disclosed, disclose
from kept.platform.privacy.notices import policy_of

EMPLOYER, SUBSCRIPTION = "employer", "subscription"


@dataclass(frozen=True)
class Subscriber:
    """One of an employer's people who has subscribed: what the notice lets it know."""

    name: str
    emails: tuple[str, ...]
    subscriptions: tuple[str, ...]


def subscribers(account: Account, actor: Actor | str, company_id: int) -> tuple[Subscriber, ...]:
    """Which people of a company have subscribed, for that company: a disclosure, with its entry in the ledger, person by person.

    Raises RoomClosed where the notice has no outlet to employers; Refused, with the rule, for what the outlet needs and does not have.
    """
    outlet = _outlet(policy_of(account.pk))
    with gate.acting(account.pk, actor, outlet.purposes[0]) as use:
        held = values.opened(use, list(Person.under(use).filter(company_id=company_id).order_by("id")))
        plans = dict(_subscriptions(use, {one.subject_id for one in held}))
        people = [one for one in held if one.subject_id in plans]
        if not people:
            return ()
        subjects = list(Subject.under(use).filter(pk__in=list(plans)))
        done = disclose(use, outlet.id, subjects, sorted(outlet.categories), reason=f"company {company_id}", rule=outlet.rule.name)
        points = values.opened(use, list(ContactPoint.under(use).filter(subject_id__in=list(plans), category="email").order_by("id")))
        references = {one.pk: one.reference for one in subjects}
        told = {one.subject_id for one in people if _goes(done, references[one.subject_id], SUBSCRIPTION)}
        return tuple(
            Subscriber(
                name=f"{one.given_name} {one.family_name}".strip() if _goes(done, references[one.subject_id], "name") else "",
                emails=tuple(point.value for point in points if point.subject_id == one.subject_id and done.covers(point)),
                subscriptions=tuple(plans[one.subject_id]),
            )
            for one in people
            if one.subject_id in told
        )


def _outlet(policy: Policy) -> DiscloseTerms:
    """The outlet through which employers hear of their people's subscriptions."""
    found = (one for one in policy.outlets.values() if one.body.bound_by == EMPLOYER and one.body.form == "identified")
    outlet = next((one for one in found if SUBSCRIPTION in one.categories), None)
    if outlet is None:
        cure = 'A disclose rule with bound_by = "employer" and the category subscription would open it.'
        raise RoomClosed("The notice tells employers nothing about their people's subscriptions.", rule="disclose:employer", cure=cure)
    return outlet


def _subscriptions(use: Use, subject_ids: Collection[int]) -> Iterator[tuple[int, list[str]]]:
    """What each of these people has subscribed to; nobody is here who has not."""
    found: dict[int, list[str]] = {}
    for table in tables():
        model: Any = table.model
        if table.by_row and table.of_subject:
            rows = model.under(use).filter(subject_id__in=subject_ids, category=SUBSCRIPTION).order_by("id")
            for row in values.opened(use, list(rows)):
                found.setdefault(row.subject_id, []).append(row.value)
    yield from found.items()


def _goes(done: Disclosed, reference: str, category: str) -> bool:
    """Whether all that is held of this category on a person may go."""
    kept = any(one.reference == reference and one.category == category for one in done.refused)
    return category in done.allowed.get(reference, ()) and not kept

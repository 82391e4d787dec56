"""Children found: each night, whoever is known to be younger than the notice takes is erased, or left alone, as its `age` rules say.

A date of birth is held where a room registers one (`registry.born`). A rule about an occasion only closes that occasion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from kept.core.errors import NotFound
from kept.core.notice import Policy, Rule
from kept.core.notice.region import PARENTAL_CONSENT
from kept.core.notice.rules import AgeBody
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices, erasure
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.registry import registry

ACTOR = "job:children"
BATCH = 1000


def run(account_id: int, now: datetime) -> int:
    """Do what the age rules ask for; how many people it was done for. May be interrupted and run again."""
    policy = policy_of(account_id)
    if not any(isinstance(rule.body, AgeBody) and not rule.body.on for rule in policy.notice.rules):
        return 0
    found, last = 0, 0
    while True:
        with reserved(account_id, ACTOR, "retention") as use:
            batch = list(Subject.under(use).filter(pk__gt=last).order_by("pk")[:BATCH])
            young = list(_young(use, policy, batch, now))
        if not batch:
            return found
        last = batch[-1].pk
        for subject, rule in young:
            found += _act(account_id, subject, rule)


def _young(use: Use, policy: Policy, people: list[Subject], now: datetime) -> Iterator[tuple[Subject, Rule]]:
    """Who of these is too young, and by which rule; nobody for whom a parent consented where that is enough."""
    born = registry.birth_dates(use, [one.pk for one in people])
    agreed = Choice.under(use).filter(subject_id__in=born, purpose=PARENTAL_CONSENT, state="given").values_list("subject_id", flat=True)
    consented = set(agreed)
    for one in people:
        age = policy.region(one.region).age
        if one.pk in born and age is not None and age.below(born[one.pk], now) and not (age.consent and one.pk in consented):
            yield one, next(rule for rule, _ in policy.notice.saying(AgeBody, one.region) if rule.name in age.refused.because)


def _act(account_id: int, subject: Subject, rule: Rule) -> bool:
    assert isinstance(rule.body, AgeBody)
    if rule.body.on_discovery == "restrict":
        with reserved(account_id, ACTOR, "rights", rule=rule.name) as use:
            if Choice.under(use).filter(subject_id=subject.pk, purpose="all", restricted=True).exists():
                return False
            choices.choose(use, subject, "restrict", "all", rule=rule.name)
        return True
    request = hashlib.sha256(f"children/{account_id}/{subject.reference}".encode()).hexdigest()[:32]
    with suppress(NotFound):  # erased by request meanwhile
        erasure.erase(account_id, ACTOR, subject.pk, request, rule.name)
        return True
    return False

"""What the requests say of themselves: for each thing that can be wrong a request that is right, and the same with a violation put in."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kept.apps.requests import provers, queries
from kept.apps.requests.models import OutboxMessage, Request, Telling
from kept.core.notice import Rule
from kept.core.notice.rules import RightBody
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.testing import cast

NOTICES = Path(__file__).resolve().parents[4] / "notices"
Change = dict[str, Any]


@cache
def account(name: str) -> Account:
    made = cast().account
    notices.activate(made, (NOTICES / name / "notice.md").read_text(), "command:test")
    return made


def rule_of(here: Account, kind: str, region: str) -> Rule:
    right = queries.right_of(policy_of(here.pk), kind, region)
    assert right is not None
    assert isinstance(right.rule.body, RightBody)
    return right.rule


def asked(here: Account, kind: str, region: str, received: datetime, change: Change) -> str:
    """An answered request that is right in everything, but for the change."""
    policy = policy_of(here.pk)
    clock, reference = queries.deadline(policy, kind, region, received), secrets.token_hex(16)
    rule = rule_of(here, kind, region)
    assert isinstance(rule.body, RightBody)
    known: Change = {
        "reference": reference,
        "kind": kind,
        "state": "ready",
        "channel": "web",
        "rule": rule.name,
        "region": region,
        "received_at": received,
        "due_at": clock.due,
        "clock": clock.as_dict(),
        "confirmed_at": received,
        "verified_at": received,
        "proof": "human",
        "decision": {"consequence": True},
        "answered_at": received,
        "outcome": {},
        "entries": [],
    }
    known |= {name: value for name, value in change.items() if name != "letter"}
    letter = ("request", "letter", "key_id", "created_at", "sent_at")
    with bookkeeping(here.pk, writing=True) as use:
        rows.insert(use, Request, tuple(known), [tuple(known.values())])
        if change.get("letter", True):
            rows.insert(use, OutboxMessage, letter, [(reference, "confirm", 1, received, received)])
    return reference


def faults(here: Account, kind: str, region: str) -> dict[str, list[str]]:
    with bookkeeping(here.pk) as use:
        return {words: list(some) for words, some in provers.stands(use, rule_of(here, kind, region), timezone.now()).faults.items()}


NOW = timezone.now()
VIOLATIONS: dict[str, tuple[str, str, str, Change]] = {
    "past due": ("cooper", "access", "DE", {"state": "verified", "answered_at": None}),
    "with a day that its clock does not give": ("cooper", "access", "DE", {"due_at": NOW + timedelta(days=400)}),
    "without a timely confirmation of receipt": ("concord", "access", "US-CA", {"letter": False}),
    "answered to somebody who had not proved who they are": ("cooper", "access", "DE", {"proof": ""}),
    "answered to an agent who had not brought what is asked": (
        *("concord", "access", "US-CA"),
        {"proof": "link", "decision": {"by": "agent", "powers": ["signed-permission"]}},
    ),
    "on a ground that the notice does not know": ("cooper", "erase", "DE", {"decision": {"ground": "whim"}}),
    "with something kept for no reason of the notice's": ("cooper", "erase", "DE", {"decision": {"exceptions": {"email": "research"}}}),
    "with something withheld for no reason of the notice's": (
        *("cooper", "access", "DE"),
        {"decision": {"withheld": {"email": "risk-to-business"}}},
    ),
    "refused by one member alone": (
        *("cooper", "access", "DE"),
        {"state": "refused", "decision": {"outcome": "refused", "proposed": "member:1", "by_member": "member:1"}},
    ),
    "answered in part": ("cooper", "know", "DE", {"outcome": {"contents": ["purposes"], "formats": ["html", "json", "csv"]}}),
    "with a price that was not told, or not owed": ("cooper", "access", "DE", {"outcome": {"copy": 1, "fee": "told"}}),
    "for which more was asked than the notice names": ("concord", "access", "US-CA", {"decision": {"asked": ["email", "birth-date"]}}),
    "opened by a line that is another right's": ("cooper", "access", "DE", {"decision": {"line": "first"}}),
    "confirmed without knowing what follows": ("copper", "erase", "DE", {"decision": {}}),
}


@pytest.mark.parametrize("words", VIOLATIONS)
def test_a_violation_is_found_and_its_absence_too(words: str) -> None:
    name, kind, region, change = VIOLATIONS[words]
    here = account(name)
    received = NOW - timedelta(days=120)
    right = asked(here, kind, region, received, {})
    assert right not in faults(here, kind, region).get(words, [])
    wrong = asked(here, kind, region, received, change)
    found = faults(here, kind, region)
    assert wrong in found[words]
    assert right not in found[words]


def test_recipients_who_were_not_told_in_time_are_found() -> None:
    here = account("cooper")
    wrong = asked(here, "erase", "DE", NOW - timedelta(days=20), {})
    names = ("request", "recipient", "what", "made_at", "due_at")
    with bookkeeping(here.pk, writing=True) as use:
        rows.insert(use, Telling, names, [(wrong, "disclose:agents", "erase", NOW - timedelta(days=20), NOW - timedelta(days=10))])
    assert wrong in faults(here, "erase", "DE")["of which recipients were not told in time"]


def test_every_fault_has_a_violation() -> None:
    assert set(provers.FAULTS) == {*VIOLATIONS, "of which recipients were not told in time"}


def test_a_processor_that_answers_in_its_customers_name_is_found() -> None:
    here = account("copper")
    role = next(rule for rule, body in policy_of(here.pk).roles if body.requests == "forward")
    wrong = asked(here, "access", "DE", NOW - timedelta(days=3), {"data": "customer", "channel": "web"})
    late = asked(here, "access", "DE", NOW - timedelta(days=90), {"data": "customer", "state": "received", "answered_at": None})
    with bookkeeping(here.pk) as use:
        found = provers.stands(use, role, timezone.now()).faults
    assert (wrong in found["answered in the name of others"], late in found["not passed on in time"]) == (True, True)

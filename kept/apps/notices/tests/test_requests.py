"""The promises about requests, proved and kept on the requests of the room below."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kept.apps.notices import actions
from kept.apps.requests import queries
from kept.apps.requests.models import Kind, OutboxMessage, Request, State
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data import rows
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.testing import with_notice

NOW = timezone.now()
YEAR = timedelta(days=366)


@pytest.fixture
def account() -> Account:
    return with_notice(cast().account)


def asked(account: Account, kind: Kind, state: State, due: datetime, closed: datetime | None = None) -> str:
    """A request with one letter, due within the three days up to `due`; its reference."""
    reference = secrets.token_hex(16)
    clock = queries.deadline(policy_of(account.pk), kind, "GB", due - timedelta(days=31))
    known = {
        "reference": reference,
        "kind": kind,
        "state": state,
        "channel": "centre",
        "rule": "right:access",
        "region": "GB",
        "received_at": clock.received,
        "due_at": clock.due,
        "clock": clock.as_dict(),
        "verified_at": closed,
        "proof": "link" if closed else "",
        "answered_at": closed,
        "closed_at": closed,
        "decision": {},
        "outcome": {},
        "entries": [],
    }
    with bookkeeping(account.pk, writing=True) as use:
        rows.insert(use, Request, tuple(known), [tuple(known.values())])
        rows.insert(use, OutboxMessage, ("request", "letter", "key_id", "sealed", "created_at"), [(reference, "answer", 0, b"", NOW)])
    return reference


def found(account: Account, rule: str) -> actions.Line:
    return next(line for line in actions.prove(account).lines if line.rule == rule)


def test_a_request_past_its_due_day_breaks_the_promise(account: Account) -> None:
    asked(account, Kind.ACCESS, State.READY, NOW + timedelta(days=9), closed=NOW)
    asked(account, Kind.ACCESS, State.VERIFIED, NOW + timedelta(days=9))
    assert found(account, "right:access").said == "1 request answered, 1 open, none past due."
    assert found(account, "right:erasure").state == "unproven"
    asked(account, Kind.ERASE, State.WORKING, NOW - timedelta(days=1))
    assert found(account, "right:access").state == "kept"
    assert found(account, "right:erasure").said == "1 request past due."


def test_requests_and_their_letters_go_two_years_after_they_closed(account: Account) -> None:
    old = asked(account, Kind.ACCESS, State.DONE, NOW - 3 * YEAR, closed=NOW - 3 * YEAR)
    late = asked(account, Kind.ACCESS, State.DONE, NOW - YEAR, closed=NOW - YEAR)
    waiting = asked(account, Kind.ACCESS, State.VERIFIED, NOW - 3 * YEAR)
    assert found(account, "retain:requests").state == "broken"
    done = {one.rule: one.rows for one in actions.keep_to_dates(account)}
    assert done["retain:requests"] == {"requests_request": 1}
    with bookkeeping(account.pk) as use:
        assert set(Request.under(use).values_list("reference", flat=True)) == {late, waiting}
        assert set(OutboxMessage.under(use).values_list("request", flat=True)) == {late, waiting}
    assert found(account, "retain:requests").said == "0 of 2 records past their date."
    assert old not in {late, waiting}

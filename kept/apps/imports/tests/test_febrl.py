"""Real input that nobody here wrote: person files with a social security column, header cells with leading spaces, no email."""

from __future__ import annotations

import csv
import io
import secrets

import pytest

from kept.apps.contacts.models import Person
from kept.apps.imports.tests.files import bring, everything, febrl, figures, found_in
from kept.platform.accounts.models import Account
from kept.platform.privacy import erasure, subjects
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import cast, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def people(account: Account) -> int:
    with reserved(account.pk, "command:test", "proof") as use:
        return Person.under(use).count()


def test_nobody_twice_and_nobody_back_and_no_social_security_number_anywhere(account: Account) -> None:
    raw = febrl()
    canaries = [f"canary-{secrets.token_hex(16)}" for _ in range(10)]
    lines = raw.decode().splitlines(keepends=True)
    for n, canary in enumerate(canaries, 1):
        at = n * 450
        lines[at] = f"{lines[at].rstrip().rpartition(',')[0]}, {canary}\n"
    data = "".join(lines).encode()

    first = bring(account, data)
    assert figures(first) == {"read": 5000, "created": 5000}
    assert [one["name"] for one in first.layout["refused"]] == ["soc_sec_id"]
    assert people(account) == 5000
    rows = list(csv.DictReader(io.StringIO(data.decode()), skipinitialspace=True))
    numbers = {row["soc_sec_id"].strip() for row in rows}
    others = {value.strip() for row in rows for name, value in row.items() if name != "soc_sec_id"}
    others |= {row["postcode"].strip() + row["street_number"].strip() for row in rows}  # SQLite puts nothing between two columns
    written = everything()
    assert b"neumann" in written
    assert found_in(written, numbers - others - set(canaries)) == set()
    assert [canary for canary in canaries if canary.encode() in written] == []

    assert figures(bring(account, data)) == {"read": 5000, "updated": 5000}
    assert people(account) == 5000
    with reserved(account.pk, "command:test", "rights") as use:
        dana = subjects.find(use, "source", "rec-1070-org", "GB")
    erasure.erase(account.pk, "command:test", dana.pk, secrets.token_hex(16), "right:erasure")
    assert figures(bring(account, data)) == {"read": 5000, "updated": 4999, "suppressed": 1}
    assert people(account) == 4999


def test_the_files_with_empty_and_impossible_days(account: Account) -> None:
    run = bring(account, febrl("dataset3"), "the third file")
    found = figures(run)
    assert found["read"] == found["created"] == 5000
    assert run.dropped_cells > 0

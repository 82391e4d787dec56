"""What a copy holds, and what it covers."""

from __future__ import annotations

import csv
import io
import json
import secrets
from typing import Any

import pytest

from kept.apps.requests import actions
from kept.apps.requests.redaction import Cover
from kept.apps.requests.tests.people import dana, requests_of
from kept.core.errors import Conflict, NotFound
from kept.core.ledger import encode, verify_receipt
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.privacy import erasure, ledger
from kept.platform.privacy.gate import looked, reserved
from kept.platform.privacy.testing import Subject, cast, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def test_a_copy_holds_every_table_of_the_person_and_what_stands_around_it(account: Account) -> None:
    known = dana(account)
    with reserved(account.pk, "member:7", "rights") as use:
        looked(use, [known.reference], categories=["email"])
    package = actions.run_access(account, known.id, "command:access")
    document = json.loads(package.files["your-data.json"])
    with reserved(account.pk, "command:test", "rights") as use:
        models: list[tuple[str, Any]] = [(table.name, table.model) for table in of_subjects() if table.room]
        rooms = {name for name, model in models if model.under(use).filter(subject_id=known.id).exists()}
    assert (
        rooms
        <= set(document["held"])
        == {name.removeprefix("csv/").removesuffix(".csv") for name in package.files if name.startswith("csv/")}
    )
    assert document["held"]["contacts_person"][0]["company.name"] == "Quayside Joinery"
    assert {"Customer relations", "Direct marketing"} <= {one["purpose"] for one in document["purposes"]}
    assert [one["in_use"] for one in document["purposes"] if one["purpose"] == "Direct marketing"] == [False]
    assert document["recipients"][0]["to"] == "Severn Carriers"
    assert document["retention"][0]["keep"] == "3 years"
    assert [one["who"] for one in document["looks"]] == ["our team"]
    assert document["notice"]["version"] == 1
    assert "digest" not in package.files["your-data.json"].decode()
    assert package.summary["entries"] == 4
    request = requests_of(account)[-1]
    assert (request.channel, request.state, request.key_id) == ("command", "done", None)
    assert package.zipped()[:2] == b"PK"


def test_the_page_stands_alone_and_escapes(account: Account) -> None:
    known = dana(account, given="<script>alert(1)</script>")
    page = actions.run_access(account, known.id, "command:access").files["your-data.html"].decode()
    assert "<script" not in page
    assert 'src="' not in page
    assert "Information Commissioner" in page
    assert all(value in page for value in known.values)


def test_csv_opens_with_its_origin(account: Account) -> None:
    files = actions.run_access(account, dana(account).id, "command:access").files
    rows = list(csv.DictReader(io.StringIO(files["csv/contacts_contactpoint.csv"].decode("utf-8-sig"))))
    assert [row["category"] for row in rows] == ["email", "phone"]
    assert rows[0]["label"] == "work"
    assert rows[0]["held_since"]


def test_other_people_are_covered_and_the_person_is_not(account: Account) -> None:
    known = dana(account, family="Coverley")
    other = dana(account, given="Jonas", family="Olsen")
    package = actions.run_access(account, known.id, "command:access")
    said = package.files["your-data.json"].decode()
    assert "Olsen" not in said
    assert "[covered: another person]" in said
    assert package.summary["covered"] >= 1
    with reserved(account.pk, "command:test", "rights") as use:
        cover = Cover(use, known.id, "GB")
        text = f"Dana Coverley ({known.email}) and Jonas Olsen, {other.email}, spoke on 2026-03-01 10:20 in Bristol."
        assert cover.text(text) == (
            f"Dana Coverley ({known.email}) and [covered: another person] [covered: another person], [covered: another person],"
            " spoke on 2026-03-01 10:20 in Bristol."
        )


def test_the_commands_erasure_is_certified(account: Account) -> None:
    known = dana(account)
    done = actions.run_erasure(account, known.id, "command:erase")
    _, key = ledger.signing_key(account.pk)
    assert verify_receipt(encode(done.certificate or {}), key).state == "valid"
    assert actions.certificate(account.pk, done.request) == encode(done.certificate or {})
    with pytest.raises(NotFound):
        actions.run_erasure(account, known.id, "command:erase")
    with pytest.raises(NotFound):
        actions.run_access(account, known.id, "command:access")


def test_one_request_erases_one_person(account: Account) -> None:
    one, other = dana(account), dana(account)
    request = secrets.token_hex(16)
    erasure.erase(account.pk, "command:test", one.id, request, "right:erasure")
    with pytest.raises(Conflict):
        erasure.erase(account.pk, "command:test", other.id, request, "right:erasure")
    with pytest.raises(NotFound):
        erasure.erase(account.pk, "command:test", one.id, secrets.token_hex(16), "right:erasure")
    with reserved(account.pk, "command:test", "rights") as use:
        assert Subject.under(use).filter(pk=other.id).exists()

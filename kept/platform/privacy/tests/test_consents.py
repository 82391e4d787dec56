"""A person's receipt: what they decided, in order, signed; and nothing of it once they are erased."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from kept.core.errors import NotFound, Shredded
from kept.core.ledger import encode, verify_receipt
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import choices, consents, erasure, ledger, notices, versions
from kept.platform.privacy.choices import Verb
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import cast, someone, with_notice
from kept.platform.privacy.tests.changing import first, second

ADDRESSES = {"notice": "https://larch.example/notice/", "changes": "https://larch.example/privacy/"}


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def decide(account: Account, subject_id: int, *decisions: tuple[Verb, str], **more: Any) -> None:
    """What a person decides on their own page."""
    with reserved(account.pk, "command:test", "rights") as use:
        subject = Subject.under(use).get(pk=subject_id)
    with reserved(account.pk, f"person:{subject.reference}", "rights") as use:
        for verb, purpose in decisions:
            choices.choose(use, subject, verb, purpose, **more)


def receipt(account: Account, subject_id: int) -> dict[str, Any]:
    with reserved(account.pk, "command:test", "rights") as use:
        return consents.receipt(use, Subject.under(use).get(pk=subject_id), **ADDRESSES)


def test_a_receipt_tells_what_dana_decided_in_order_and_verifies(account: Account) -> None:
    dana = someone(account, "dana.receipt@quayside.example")
    until = timezone.now() + timedelta(days=30)
    decide(account, dana.id, ("allow", "direct-marketing"), until=until)
    decide(account, dana.id, ("withdraw", "direct-marketing"), ("object", "analytics"), ("restrict", "billing"), ("lift", "billing"))
    made = receipt(account, dana.id)
    key = ledger.public_key(account.pk)
    assert verify_receipt(encode(made), key).state == "valid"
    said = made["document"]
    assert [(one["event_state"], one["about"]) for one in said["events"]] == [
        ("given", "direct-marketing"),
        ("withdrawn", "direct-marketing"),
        ("objected", "analytics"),
        ("restricted", "billing"),
        ("lifted", "billing"),
    ]
    assert said["events"][0]["validity_duration"]["value"] == until.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert {one["indication_method"] for one in said["events"]} == {"by themselves"}
    assert said["privacy_notice"][0]["digest"] == notices.in_force(account.pk).digest
    assert said["withdrawal_method"]["exercised_at"] == ADDRESSES["changes"]
    permitted = {one["@id"].rpartition(":")[2] for one in said["purposes"] if one["permitted"]}
    assert permitted == {"customer-relations", "billing", "legal-compliance"}
    assert made["entry"]["kind"] == "release"
    assert made["entry"]["subjects"] == [said["pii_principal_id"]]


def test_it_holds_nothing_of_the_person_but_a_random_reference(account: Account) -> None:
    dana = someone(account, "dana.nameless@quayside.example")
    decide(account, dana.id, ("allow", "direct-marketing"))
    text = encode(receipt(account, dana.id)).decode()
    assert dana.email not in text
    assert "quayside" not in text
    assert "member:" not in text


def test_one_byte_changed_fails(account: Account) -> None:
    dana = someone(account, "dana.byte@quayside.example")
    decide(account, dana.id, ("allow", "direct-marketing"))
    key, text = ledger.public_key(account.pk), encode(receipt(account, dana.id))
    changed = text.replace(b'"event_state":"given"', b'"event_state":"taken"')
    assert changed != text
    assert verify_receipt(changed, key).state == "invalid"
    for position in range(0, len(text), 97):
        one = text[:position] + bytes([text[position] ^ 1]) + text[position + 1 :]
        assert verify_receipt(one, key).state == "invalid", position


def test_each_person_has_their_own(account: Account) -> None:
    dana, other = (someone(account, f"dana.{one}@quayside.example") for one in ("first", "second"))
    decide(account, dana.id, ("allow", "direct-marketing"))
    assert receipt(account, other.id)["document"]["events"] == []
    first, second = receipt(account, dana.id)["document"], receipt(account, dana.id)["document"]
    assert first["events"] == second["events"]
    assert first["record_id"] != second["record_id"]
    assert first["pii_principal_id"] == second["pii_principal_id"]


def test_what_staff_recorded_is_said_to_be(account: Account) -> None:
    dana = someone(account, "dana.phoned@quayside.example")
    with reserved(account.pk, "member:7", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=dana.id), "object", "analytics")
    (event,) = receipt(account, dana.id)["document"]["events"]
    assert event["indication_method"] == "recorded by us"
    assert event["entity_id"] == receipt(account, dana.id)["document"]["pii_principal_id"]


def test_the_version_that_governs_dana_is_the_one_in_it_until_she_agrees_to_another() -> None:
    account = cast().account
    notices.activate(account, first(), "command:test")
    dana = someone(account, "dana.agreed@quayside.example")
    notices.activate(account, second(), "command:test")

    def told() -> tuple[list[int], set[str], list[tuple[str, str]]]:
        said = receipt(account, dana.id)["document"]
        purposes = {one["@id"].rpartition(":")[2] for one in said["purposes"]}
        return (
            [one["version"] for one in said["privacy_notice"]],
            purposes & {"research", "billing"},
            [(one["event_state"], one["about"]) for one in said["events"]],
        )

    assert told() == ([1, 2], {"billing"}, [])
    decide(account, dana.id, ("allow", "research"))
    assert told() == ([1, 2], {"billing", "research"}, [("given", "research")])
    with reserved(account.pk, "command:test", "rights") as use:
        assert versions.agree(use, Subject.under(use).get(pk=dana.id))
    assert told() == ([2], {"billing", "research"}, [("given", "research"), ("accepted", "notice version 2")])


def test_after_erasure_nothing_but_the_tombstone_remains(account: Account) -> None:
    dana = someone(account, "dana.tombstone@quayside.example")
    decide(account, dana.id, ("allow", "direct-marketing"), ("withdraw", "direct-marketing"))
    held = receipt(account, dana.id)
    with reserved(account.pk, "command:test", "rights") as use:
        subject = Subject.under(use).get(pk=dana.id)
    erasure.erase(account.pk, "command:test", dana.id, uuid4().hex, "right:erasure")
    with reserved(account.pk, "command:test", "rights") as use:
        with pytest.raises(NotFound, match="erased already"):
            consents.receipt(use, subject, **ADDRESSES)
        story = ledger.story(use, subject.reference, ("consent", "release", "erasure", "key-destruction"))
        kinds = [one.kind for one in story]
        for entry in story[:2]:
            with pytest.raises(Shredded):
                ledger.payload_of(entry)
        assert ledger.payloads_of(story) == {}
    assert kinds[:3] == ["consent", "consent", "release"]
    assert set(kinds[3:]) == {"erasure", "key-destruction"}
    left = entries_text(account)
    for secret in (held["salt"], held["document"]["record_id"], "withdrawn", dana.email):
        assert secret not in left
    key = ledger.public_key(account.pk)
    assert verify_receipt(encode(held), key).state == "valid"  # what Dana holds is Dana's
    assert ledger.faults(account.pk) == []


def entries_text(account: Account) -> str:
    """Everything that the ledger of the account has in clear."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT header FROM privacy_entry WHERE account_id = %s", [account.pk])
        return json.dumps([row[0] for row in cursor.fetchall()])

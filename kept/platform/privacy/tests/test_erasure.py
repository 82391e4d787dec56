"""Erasing in the face of crashes, restores, races and damage."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from kept.core.errors import Closed, Conflict, GuardDrift, NotFound
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import certificates, erasure, journal, ledger, subjects, suppression
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.registry import registry
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.testing import Known, cast, someone, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


@pytest.fixture
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of this test's own: only for what does not touch the database."""
    monkeypatch.setattr(settings, "DATA", tmp_path)
    return journal.path()


@pytest.fixture
def stubborn() -> Iterator[list[int]]:
    """A store that holds as many things as the list says, and lets go of none."""
    holding = [1]

    class Store:
        name = "stubborn"

        def erase(self, account_id: int, subject_id: int, reference: str) -> int:
            return 0

        def find(self, account_id: int, subject_id: int, reference: str) -> int:
            return sum(holding)

    store = Store()
    registry.stores.append(store)
    yield holding
    registry.stores.remove(store)


def dana(account: Account) -> Known:
    return someone(account, f"dana.{secrets.token_hex(4)}@quayside.example")


def request() -> str:
    return secrets.token_hex(16)


def subject_of(account: Account, known: Known) -> Subject:
    with reserved(account.pk, "command:test", "rights") as use:
        return Subject.under(use).get(pk=known.id)


def intent(**known: object) -> Intent:
    plain = Intent(request(), 1, 2, request(), 3, "", "command:test", "right:erasure", (("email", "ab" * 32),), "2026-03-01T12:00:00+00:00")
    return replace(plain, **known)  # type: ignore[arg-type]


def test_nothing_is_claimed_while_anything_is_found(account: Account, stubborn: list[int]) -> None:
    known, asked = dana(account), request()
    held = erasure.erase(account.pk, "command:test", known.id, asked, "right:erasure")
    assert held.findings == {"stubborn": 1}
    assert held.certificate is None
    erasure.clear_residue()
    assert journal.is_open(asked)
    stubborn.clear()
    erasure.clear_residue()
    held = erasure.erase(account.pk, "command:test", known.id, asked, "right:erasure")
    assert (held.findings, held.certificate["document"]["stage"]) == ({}, "residue cleared")  # type: ignore[index]
    assert not journal.is_open(asked)


@pytest.mark.sqlite
def test_no_residue_is_cleared_while_the_search_index_remembers(account: Account) -> None:
    erasure.erase(account.pk, "command:test", dana(account).id, request(), "right:erasure")
    words = "(account_id, value, rowid) VALUES ('1', 'quayside', 987654321)"
    index = "guard_fts_contacts_contactpoint"
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"INSERT INTO {index}{words}")
    with pytest.raises(GuardDrift, match="rows that are gone"):
        erasure.clear_residue()
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"INSERT INTO {index}({index}, account_id, value, rowid) VALUES ('delete', '1', 'quayside', 987654321)")
    assert erasure.clear_residue() >= 1


def test_a_restored_database_is_erased_again_and_nobody_else_with_it(account: Account) -> None:
    """After a restore ids are given out again: the person is known by reference, and their key by what it opens."""
    other = dana(account)
    bystander = subject_of(account, other)
    assert bystander.key_id
    forgotten = intent(account_id=account.pk, subject_id=other.id, key_id=bystander.key_id, mark="00" * 60)
    journal.intend(forgotten)
    journal.finish(forgotten.request)
    assert erasure.resume_all() >= 1
    assert subject_of(account, other).reference == bystander.reference
    assert vault().open(bystander.key_id, vault().seal(bystander.key_id, b"still here", "test"), "test") == b"still here"
    with reserved(account.pk, "command:test", "rights") as use:
        held = erasure.erase(account.pk, "command:test", other.id, forgotten.request, "right:erasure")
        assert held.findings == {}
        assert suppression.found(use, [("email", bytes.fromhex("ab" * 32))])
    assert journal.is_open(forgotten.request)  # until its residue is cleared too
    erasure.clear_residue()
    assert not journal.is_open(forgotten.request)


def test_a_journal_of_another_database_keeps_the_service_closed(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erasure.erase(account.pk, "command:test", dana(account).id, request(), "right:erasure")
    erasure.clear_residue()
    monkeypatch.setattr(journal, "path", lambda: tmp_path / "erasures.jsonl")
    with pytest.raises(Closed, match="journal"):
        erasure.resume_all()


def test_an_identifier_that_came_after_the_intent_is_kept_away_too(account: Account) -> None:
    known, asked = dana(account), request()
    held = subject_of(account, known)
    mark = vault().seal(held.key_id or 0, held.reference.encode(), certificates.MARK).hex()
    journal.intend(
        intent(request=asked, account_id=account.pk, subject_id=known.id, reference=held.reference, key_id=held.key_id, mark=mark)
    )
    late = ("email", subjects.digest(account.pk, "email", f"late.{asked}@quayside.example", "GB"))
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        subjects.identify(use, known.id, [late])
    erasure.erase(account.pk, "command:test", known.id, asked, "right:erasure")
    with reserved(account.pk, "command:test", "rights") as use:
        assert suppression.found(use, [late]) == {late}


def test_two_requests_for_one_person_both_end(account: Account) -> None:
    known, first, second = dana(account), request(), request()
    held = subject_of(account, known)
    mark = vault().seal(held.key_id or 0, held.reference.encode(), certificates.MARK).hex()
    same = {"account_id": account.pk, "subject_id": known.id, "reference": held.reference, "key_id": held.key_id, "mark": mark}
    for one in (first, second):
        journal.intend(intent(request=one, **same))
    for one in (first, second):
        assert erasure.erase(account.pk, "command:test", known.id, one, "right:erasure").certificate
    with pytest.raises(NotFound):
        erasure.erase(account.pk, "command:test", known.id, request(), "right:erasure")
    with pytest.raises(Conflict):
        erasure.erase(account.pk, "command:test", known.id + 1, first, "right:erasure")
    erasure.clear_residue()
    assert ledger.faults(account.pk) == []


def test_the_first_of_two_equal_intents_counts(own_journal: Path) -> None:
    asked = intent()
    journal.intend(asked)
    journal.intend(replace(asked, identifiers=()))
    assert journal.find(asked.request) == asked
    assert [one.request for one in journal.unfinished()] == [asked.request]
    journal.finish(asked.request)
    assert journal.unfinished() == []
    journal.intend(asked)
    assert journal.is_open(asked.request)


def test_a_line_that_a_dying_process_left_never_counted(own_journal: Path) -> None:
    first, second = intent(), intent()
    journal.intend(first)
    with own_journal.open("ab") as file:
        file.write(own_journal.read_bytes()[:-40])
    journal.intend(second)
    assert list(journal.intents()) == [first.request, second.request]


def test_a_changed_line_closes_the_journal(own_journal: Path) -> None:
    journal.intend(intent())
    own_journal.write_bytes(own_journal.read_bytes().replace(b"right:erasure", b"right:nothing"))
    with pytest.raises(Closed, match="changed"):
        journal.unfinished()

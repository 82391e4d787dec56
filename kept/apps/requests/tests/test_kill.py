"""The process dies at every step of an erasure, of a copy, of a letter; whoever comes next finishes it, and nothing is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from kept.apps.requests import actions, queries
from kept.apps.requests.models import Kind, Request, State
from kept.apps.requests.tests.people import Known, asked, dana, mail_to, requests_of, work
from kept.core.ledger import verify_receipt
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.privacy import erasure, journal, ledger
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import Subject, cast, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def killed(step: str, at: str, request: Request) -> None:
    """Run the step in another process, which dies at the fault point."""
    command = [sys.executable, "-m", "kept.apps.requests.tests.process", step, str(request.account_id), request.reference]
    done = subprocess.run(command, env={**os.environ, "KEPT_FAULT": at}, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def verified(account: Account, kind: str) -> tuple[Known, Request]:
    """A request that its sender has confirmed, and that nobody has answered."""
    known = dana(account)
    asked(account, known.email, kind)
    return known, requests_of(account)[-1]


def resumed(account: Account, request: Request) -> Request:
    """What a new start does: interrupted erasures first, then the jobs that were lost."""
    erasure.resume_all()
    actions.answer(account.pk, request.reference)
    return queries.by_reference(account.pk, request.reference)


def entries(account: Account, known: Known, request: Request) -> Counter[str]:
    with reserved(account.pk, "command:test", "rights") as use:
        headers = [ledger.header_of(entry) for entry in ledger.entries_of(use, known.reference)]
    return Counter(header.kind for header in headers if header.request == request.reference)


def assert_gone(account: Account, known: Known) -> None:
    with reserved(account.pk, "command:test", "rights") as use:
        assert not Subject.under(use).filter(reference=known.reference).exists()
        for table in of_subjects():
            model: Any = table.model
            assert not model.under(use).filter(subject_id=known.id).exists(), table.name


def assert_certified(account: Account, known: Known, request: Request) -> None:
    """Certified in both stages, each once, and the ledger verifies."""
    _, key = ledger.signing_key(account.pk)
    assert verify_receipt(actions.certificate(account.pk, request.reference), key).state == "valid"
    counted = entries(account, known, request)
    assert (counted["erasure"], counted["key-destruction"]) == (3, 1)
    assert not journal.is_open(request.reference)
    assert ledger.faults(account.pk) == []


ERASING = ["journalled", "deleting", "deleted", "shredded", "key", "stores", "files", "drafted", "certified"]


@pytest.mark.parametrize("at", ["requests:working", *(f"erasure:{step}" for step in ERASING), "requests:erased", "requests:ready"])
def test_an_erasure_that_is_killed_completes(account: Account, at: str) -> None:
    known, request = verified(account, "erase")
    killed("answer", at, request)
    if at != "requests:working":
        assert journal.is_open(request.reference)
    request = resumed(account, request)
    assert (request.state, request.kind) == (State.READY, Kind.ERASE)
    assert_gone(account, known)
    actions.clear_residue()
    assert_certified(account, known, request)
    work()
    assert len(mail_to(account, known.email)) == 3


@pytest.mark.parametrize("at", ["erasure:residue", "erasure:cleared", "erasure:drafted", "erasure:certified"])
def test_the_second_stage_that_is_killed_completes(account: Account, at: str) -> None:
    known, request = verified(account, "erase")
    actions.answer(account.pk, request.reference)
    killed("residue", at, request)
    actions.clear_residue()
    assert_certified(account, known, request)


@pytest.mark.parametrize("at", ["requests:fetched", "requests:shredded", "requests:unlinked"])
def test_closing_that_is_killed_completes(account: Account, at: str) -> None:
    known, request = verified(account, "erase")
    actions.answer(account.pk, request.reference)
    actions.clear_residue()
    work()
    killed("fetch", at, request)
    actions.sweep(timezone.now())
    request = queries.by_reference(account.pk, request.reference)
    assert (request.state, request.sealed, request.key_id) == (State.DONE, None, None)
    assert mail_to(account, known.email) == []
    assert ledger.faults(account.pk) == []


@pytest.mark.parametrize("at", ["requests:working", "requests:packed", "requests:ready"])
def test_a_copy_that_is_killed_is_made(account: Account, at: str) -> None:
    _known, request = verified(account, "access")
    killed("answer", at, request)
    request = resumed(account, request)
    assert request.state == State.READY
    assert (settings.DATA / "packages" / f"{request.reference}.sealed").exists()
    assert actions.fetch_package(account, request, "command:test")[:2] == b"PK"


def test_a_letter_that_is_killed_is_delivered(account: Account) -> None:
    known, request = verified(account, "access")
    actions.answer(account.pk, request.reference)
    killed("deliver", "outbox:delivered", request)
    work()
    assert "is ready" in mail_to(account, known.email)[-1]

"""The process dies between any two steps of an import: what follows is whole or resumable, and nobody comes in twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.imports import actions, committing, undoing
from kept.apps.imports.models import Batch, Before, Import
from kept.apps.imports.tests.files import ACTOR, bring, figures, staged
from kept.platform.accounts.models import Account
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.models import Subject
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Identifier
from kept.platform.privacy.testing import cast, with_notice

ROWS = 6500  # two chunks, the second one not full
KNOWN = 40


def data(given: str) -> str:
    lines = (f"n-{n},{given},p{n}@mail.example,{n} Quay Street,Firm {n % 7}" for n in range(ROWS))
    return "id,first name,email,street,company\n" + "\n".join(lines)


@pytest.fixture
def account() -> Account:
    made = with_notice(cast().account)
    earlier = "\n".join(f"n-{n},Before,p{n}@mail.example" for n in range(KNOWN))
    assert figures(bring(made, f"id,first name,email\n{earlier}\n")) == {"read": KNOWN, "created": KNOWN}
    return made


def die(point: str, verb: str, account: Account, what: int | Path) -> None:
    command = [sys.executable, "-m", "kept.apps.imports.tests.process", verb, str(account.pk), str(what)]
    done = subprocess.run(command, env=os.environ | {"KEPT_FAULT": point}, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def counts(account: Account) -> dict[str, int]:
    with reserved(account.pk, ACTOR, "proof") as use:
        models = (Subject, Person, ContactPoint, PostalAddress, Identifier)
        found = {model.__name__: model.under(use).count() for model in models}
        keys = [key or 0 for key in Subject.under(use).values_list("key_id", flat=True)]
    assert len(DatabaseKeyStore().get(keys)) == len(set(keys)) == found["Subject"]
    return found


WHOLE = {"Subject": ROWS, "Person": ROWS, "ContactPoint": ROWS, "PostalAddress": ROWS, "Identifier": 2 * ROWS}
BEFORE = {"Subject": KNOWN, "Person": KNOWN, "ContactPoint": KNOWN, "PostalAddress": 0, "Identifier": 2 * KNOWN}


@pytest.mark.parametrize("point", ["import:keys", "import:chunk", "import:chunk-committed", "import:committed"])
def test_a_commit_that_was_killed_is_carried_on_exactly(account: Account, point: str) -> None:
    run = staged(account, data("After"))
    actions.begin(account.pk, run.pk, ACTOR, background=False)
    die(point, "commit", account, run.pk)
    done = committing.commit_now(account.pk, run.pk)
    assert figures(done) == {"read": ROWS, "created": ROWS - KNOWN, "updated": KNOWN}
    assert counts(account) == WHOLE
    assert committing.commit_now(account.pk, run.pk).created == ROWS - KNOWN
    assert counts(account) == WHOLE
    assert ledger.faults(account.pk) == []


@pytest.mark.parametrize(
    "point",
    ["import:undo", "import:undo-restored", "import:undo-people", "import:undo-doomed", "import:undo-removed", "import:undo-key"],
)
def test_an_undoing_that_was_killed_is_carried_on_exactly(account: Account, point: str) -> None:
    run = bring(account, data("After"))
    actions_state(account, run)
    die(point, "undo", account, run.pk)
    done = undoing.undo_now(account.pk, run.pk)
    assert (done.state, done.undone, done.left, done.key_id, done.doomed_keys) == ("undone", ROWS - KNOWN, None, None, None)
    assert counts(account) == BEFORE
    with reserved(account.pk, ACTOR, "proof") as use:
        assert set(Person.under(use).values_list("given_name", flat=True)) == {"Before"}
        assert not Before.under(use).filter(run_id=run.pk).exists()


def actions_state(account: Account, run: Import) -> None:
    """Begin to undo, and leave the work to another process."""
    with bookkeeping(account.pk, writing=True) as use:
        Import.under(use).filter(pk=run.pk).update(state="undoing", position=0)


@pytest.mark.parametrize("point", ["import:staging", "import:staged"])
def test_an_upload_that_was_killed_leaves_nobody_and_nothing_readable(account: Account, point: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(data("After"))
    die(point, "start", account, file)
    assert counts(account) == BEFORE
    with bookkeeping(account.pk) as use:
        (run,) = Import.under(use).exclude(state="committed")
        assert Batch.under(use).filter(run_id=run.pk).exists()
        assert run.state == ("staged" if point == "import:staged" else "staging")
    assert figures(bring(account, data("After")))["created"] == ROWS - KNOWN

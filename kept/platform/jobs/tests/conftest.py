from __future__ import annotations

import uuid
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def evidence_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEPT_JOBS_EVIDENCE", str(tmp_path))
    return tmp_path


@pytest.fixture
def reference() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def account_id() -> int:
    """The number of an account that no other test uses."""
    return uuid.uuid4().int % 2**62


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    """Leaves no job of an earlier test here for a worker to take."""
    from kept.platform.jobs.models import Job

    Job.objects.filter(label__startswith="tests.").delete()

"""Workers as processes: killed in the middle, told to stop, several at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone
from django_tasks import TaskResultStatus as Status

from kept.platform.jobs.models import Job
from kept.platform.jobs.tests import samples
from kept.platform.jobs.worker import run_due


@contextmanager
def worker(*labels: str, lease_seconds: float = 1.5) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "kept.platform.jobs.tests.process", str(lease_seconds), *labels]
    process = subprocess.Popen(command)  # on the database of this test run, which the environment names
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("It did not come about within thirty seconds.")


def row_of(reference: str) -> Job:
    return Job.objects.get(arguments__reference=reference)


def test_a_job_whose_worker_is_killed_is_finished_once_by_another(account_id: int, reference: str) -> None:
    samples.hang_once.enqueue(account_id=account_id, reference=reference)
    with worker("tests.hang_once") as first:
        eventually(lambda: samples.notes(reference) == ["started"])
        first.kill()
        first.wait()
    assert row_of(reference).status == Status.RUNNING
    with worker("tests.hang_once"), worker("tests.hang_once"):
        eventually(lambda: row_of(reference).status == Status.SUCCESSFUL)
    assert samples.notes(reference) == ["started", "started", "finished"]
    assert (row_of(reference).attempts, row_of(reference).error_code) == (2, "")


def test_a_living_worker_keeps_a_long_job(account_id: int, reference: str) -> None:
    """The job says nothing of itself for several leases; beats from the worker's other thread keep it."""
    samples.hang_once.enqueue(account_id=account_id, reference=reference)
    with worker("tests.hang_once", lease_seconds=0.6), worker("tests.hang_once", lease_seconds=0.6):
        eventually(lambda: samples.notes(reference) == ["started"])
        first_lease = row_of(reference).lease_until
        assert first_lease is not None
        eventually(lambda: timezone.now() > first_lease + (first_lease - row_of(reference).enqueued_at) * 3)
        assert samples.notes(reference) == ["started"]


def test_a_worker_told_to_stop_gives_its_job_back(account_id: int, reference: str) -> None:
    samples.take_steps.enqueue(account_id=account_id, reference=reference)
    with worker("tests.steps") as process:
        eventually(lambda: row_of(reference).done > 0)
        process.terminate()
        assert process.wait(10) == 0
    row = row_of(reference)
    assert (row.status, row.attempts, row.holder) == (Status.READY, 0, "")
    run_due(timezone.now(), samples.take_steps)
    assert samples.notes(reference) == ["started", "started", "finished"]


def test_a_worker_stops_although_its_job_does_not(account_id: int, reference: str) -> None:
    samples.hang_once.enqueue(account_id=account_id, reference=reference)
    with worker("tests.hang_once") as process:
        eventually(lambda: samples.notes(reference) == ["started"])
        process.terminate()
        assert process.wait(20) == 0
    eventually(lambda: bool(run_due(timezone.now(), samples.hang_once)))
    assert samples.notes(reference) == ["started", "started", "finished"]


def test_several_workers_share_the_jobs_and_run_each_once(account_id: int, reference: str) -> None:
    for number in range(30):
        samples.write_note.enqueue(account_id=account_id, reference=reference, number=number)
    with worker("tests.note", lease_seconds=15), worker("tests.note", lease_seconds=15):
        eventually(lambda: not Job.objects.filter(account_id=account_id).exclude(status=Status.SUCCESSFUL).exists())
    assert sorted(samples.notes(reference), key=int) == [str(number) for number in range(30)]

"""Jobs for these tests. What they did stands in a file of evidence, named by a reference that the test chose."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from kept.platform.jobs.models import Job
from kept.platform.jobs.task import every, job
from kept.platform.jobs.worker import progress

SECRET = "Dana Doe, dana@people.example"


def evidence(reference: str) -> Path:
    return Path(os.environ["KEPT_JOBS_EVIDENCE"]) / reference


def note(reference: str, line: str) -> None:
    with evidence(reference).open("a") as file:
        file.write(f"{line}\n")


def notes(reference: str) -> list[str]:
    return evidence(reference).read_text().split() if evidence(reference).exists() else []


@job("tests.note")
def write_note(account_id: int, reference: str, number: int = 0) -> None:
    note(reference, str(number))


@job("tests.unique", unique=("reference",))
def write_once(account_id: int, reference: str) -> None:
    note(reference, "ran")


@job("tests.fail", retries=2)
def fail_always(account_id: int, reference: str) -> None:
    with transaction.atomic():
        Job.objects.create(label="tests.leftover", arguments={}, word=reference, run_after=timezone.now(), enqueued_at=timezone.now())
        raise ValueError(SECRET)


@job("tests.fail_unique", unique=("reference",))
def fail_unique(account_id: int, reference: str) -> None:
    raise ValueError(SECRET)


@job("tests.sees", unique=("reference",))
def see_label(account_id: int, reference: str) -> None:
    """Notes whether the job can see what the transaction that enqueued it had changed."""
    note(reference, "seen" if Job.objects.filter(word=reference[:40]).exists() else "unseen")


@job("tests.hang_once")
def hang_once(account_id: int, reference: str) -> None:
    """Hangs the first time it runs, so that its worker can be killed in the middle."""
    first = not notes(reference)
    note(reference, "started")
    if first:
        time.sleep(600)
    note(reference, "finished")


@job("tests.steps")
def take_steps(account_id: int, reference: str) -> None:
    """Takes endless steps the first time it runs, saying how far it is."""
    first = not notes(reference)
    note(reference, "started")
    step = 0
    while first:
        step += 1
        progress(min(step, 9), 10, "steps")
        time.sleep(0.02)
    note(reference, "finished")


@job("tests.report")
def report_two(account_id: int, reference: str) -> None:
    progress(2, 10, "rows")


@job("tests.tick", schedule=every(minutes=5))
def tick() -> None:
    """Its rows tell how often it ran."""

"""Every change of a job row. A worker's changes name the claim's holder, so one that lost its lease changes nothing."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus as Status

from kept.core.errors import KeptError, NotFound
from kept.platform.jobs.models import Job
from kept.platform.jobs.task import JobTask

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
ENQUEUE_TRIES = 10
KEEP_SUCCESSFUL = timedelta(days=7)
KEEP_FAILED = timedelta(days=90)

# Set when this process commits a job, so that a worker here need not wait for its next poll.
wake = threading.Event()
_random = random.SystemRandom()


def enqueue(task: JobTask[...], arguments: dict[str, Any]) -> Job:
    """A new job, or the one of its key that waits already, moved forward if this one is due earlier."""
    now = timezone.now()
    run_after = task.run_after or now
    row = Job(
        label=task.label,
        account_id=arguments.get("account_id"),
        arguments=arguments,
        priority=task.priority,
        key=task.key(arguments),
        run_after=run_after,
        enqueued_at=now,
    )
    with transaction.atomic():
        transaction.on_commit(wake.set)
        for tries_left in reversed(range(ENQUEUE_TRIES)):
            if waiting := _waiting(row.key):
                if run_after < waiting.run_after:
                    waiting.run_after = run_after
                    waiting.save(update_fields=["run_after"])
                return waiting
            try:
                with transaction.atomic():
                    row.save(force_insert=True)
                break
            except IntegrityError:  # another transaction committed the same key since we looked
                if row.key is None or not tries_left:
                    raise
    return row


def _waiting(key: str | None) -> Job | None:
    """The waiting job of this key, locked: it cannot start before the caller has committed what it is to find."""
    return Job.objects.select_for_update().filter(key=key, status=Status.READY).first() if key else None


def enqueue_slot(task: JobTask[...], slot: datetime) -> None:
    """A scheduled job for this due time, unless it has one or the last one still waits. The database decides between workers."""
    row = Job(label=task.label, arguments={}, priority=task.priority, key=task.key({}), slot=slot, run_after=slot, enqueued_at=slot)
    if not Job.objects.filter(label=task.label, slot__gte=slot).exists():
        Job.objects.bulk_create([row], ignore_conflicts=True)


def claim(now: datetime, lease: timedelta, labels: Collection[str] | None = None) -> Job | None:
    """Takes the next due job (of these labels). Two workers never take the same: SKIP LOCKED, or SQLite's one writer."""
    running = Job.objects.filter(status=Status.RUNNING, key=OuterRef("key"))
    due = Job.objects.filter(~Exists(running), status=Status.READY, run_after__lte=now).order_by("-priority", "run_after", "id")
    if labels is not None:
        due = due.filter(label__in=labels)
    if not due.exists():  # idle polls take no write lock on SQLite
        return None
    with transaction.atomic():
        row = due.select_for_update(skip_locked=True).first()
        if row is not None:
            row.status, row.holder, row.attempts = Status.RUNNING, uuid.uuid4().hex, row.attempts + 1
            row.started_at, row.lease_until = now, now + lease
            row.save(update_fields=["status", "holder", "attempts", "started_at", "lease_until"])
    return row


def beat(row: Job, until: datetime) -> bool:
    """Extends the lease; False when it was lost."""
    return bool(_held(row).update(lease_until=until))


def report(row: Job, done: int, total: int, word: str, until: datetime) -> bool:
    """Stores progress and extends the lease; False when it was lost."""
    return bool(_held(row).update(done=done, total=total, word=word, lease_until=until))


def succeed(row: Job, now: datetime) -> None:
    _held(row).update(status=Status.SUCCESSFUL, finished_at=now, holder="", lease_until=None, error_class="", error_code="")


def release(row: Job, now: datetime) -> None:
    """Gives back a job that was interrupted through no fault of its own: the attempt does not count."""
    _make_ready(_held(row), run_after=now, attempts=F("attempts") - 1)


def name_of(error: BaseException) -> tuple[str, str]:
    """All that is kept of an error: its class, and our code of it."""
    return f"{type(error).__module__}.{type(error).__qualname__}"[:200], error.code[:50] if isinstance(error, KeptError) else ""


def fail(row: Job, error_class: str, error_code: str, retries: int, now: datetime) -> None:
    """Records a failed attempt: retry later, or dead letter."""
    _end_attempt(row, retries, now, delay(row.attempts), error_class=error_class, error_code=error_code)


def lose(row: Job, retries: int, now: datetime) -> None:
    """Records that the worker died: retry at once, or dead letter if the job keeps killing its workers."""
    _end_attempt(row, retries, now, timedelta(), error_class="", error_code="worker-lost")


def _end_attempt(row: Job, retries: int, now: datetime, wait: timedelta, *, error_class: str, error_code: str) -> None:
    if row.attempts <= retries:
        _make_ready(_held(row), run_after=now + wait, error_class=error_class, error_code=error_code)
        return
    _held(row).update(status=Status.FAILED, finished_at=now, holder="", lease_until=None, error_class=error_class, error_code=error_code)


def delay(attempts: int) -> timedelta:
    """The wait after so many failed attempts: doubled each time up to a longest, with the upper half left to chance."""
    longest = min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_DELAY)
    return longest * _random.uniform(0.5, 1.0)


def retry(account_id: int | None, job_id: int) -> None:
    """Puts a dead letter of this account (None: of none) back into the queue. Raises NotFound."""
    dead = Job.objects.filter(pk=job_id, account_id=account_id, status=Status.FAILED)
    if not _make_ready(dead, run_after=timezone.now(), attempts=0, finished_at=None):
        raise NotFound("No failed job of this number.", place=f"job {job_id}", cure="Choose one of the list.")
    transaction.on_commit(wake.set)


def prune(now: datetime) -> None:
    """Deletes rows whose outcome nobody asks for any more."""
    for status, kept in ((Status.SUCCESSFUL, KEEP_SUCCESSFUL), (Status.FAILED, KEEP_FAILED)):
        Job.objects.filter(status=status, finished_at__lt=now - kept).delete()


def _held(row: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=row.pk, status=Status.RUNNING, holder=row.holder)


def _make_ready(rows: QuerySet[Job], **changes: Any) -> bool:
    """Lets a job wait again. If another of its key waits by now, that one does the work and this one goes."""
    try:
        with transaction.atomic():
            return bool(rows.update(status=Status.READY, holder="", lease_until=None, **changes))
    except IntegrityError:
        return bool(rows.delete()[0])

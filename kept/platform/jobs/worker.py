"""The worker: takes due jobs one by one, keeps their lease, records how they end.

A lease is kept by a beat every few seconds. A job whose worker died is found because its lease ran out **and** stayed unchanged
while we watched: on SQLite a long write transaction delays the holder's beats as much as it delays us, and clocks may differ.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import django.db
from django.db import close_old_connections, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus as Status

from kept.core.errors import BadInput, Closed, NotFound
from kept.platform.jobs import actions
from kept.platform.jobs.models import Job
from kept.platform.jobs.task import RETRIES, JobTask, declared

POLL_SECONDS = 0.5
STOP_SECONDS = 5.0
RECORD_TRIES = 10
LEASE = timedelta(seconds=15)

log = logging.getLogger("kept.jobs")


class Abandoned(BaseException):
    """Leaves the running job: the worker stops, or no longer holds it. Not an Exception, so that no job catches it."""


@dataclass
class Worker:
    """One thread's work. `labels` limits it to these jobs (None: all); it beats three times a lease."""

    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = timezone.now
    lease: timedelta = LEASE
    watch: timedelta = LEASE * 2 / 3
    elapsed: Callable[[], float] = time.monotonic
    labels: frozenset[str] | None = None
    running: Job | None = None
    _slots: dict[str, datetime] = field(default_factory=dict)
    _doubts: dict[tuple[int, str, datetime | None], float] = field(default_factory=dict)

    def loop(self) -> None:
        """Works until told to stop. A database that is away or busy is waited for."""
        while not self.stop.is_set():
            try:
                idle = not self.step()
            except django.db.Error as error:
                log.warning("The worker waits for the database: %s", type(error).__name__)
                close_old_connections()
                idle = True
            if idle:
                actions.wake.wait(POLL_SECONDS)
                actions.wake.clear()
        django.db.connections.close_all()

    def step(self) -> bool:
        """What is due now: slots, lost jobs, then one job. False when there was none."""
        now = self.clock()
        self._enqueue_slots(now)
        self._find_lost(now)
        row = actions.claim(now, self.lease, self.labels)
        if row is None:
            return False
        self._execute(row)
        close_old_connections()
        return True

    def beat(self) -> None:
        """Keeps the running job ours; called from another thread than the job's. A beat that fails is followed by the next."""
        if (row := self.running) is None:
            return
        try:
            actions.beat(row, self.clock() + self.lease)
        except django.db.Error as error:
            log.info("A beat of %s was missed: %s", row, type(error).__name__)
        finally:
            close_old_connections()

    def _tasks(self) -> Iterator[JobTask[...]]:
        return (task for label, task in declared().items() if self.labels is None or label in self.labels)

    def _enqueue_slots(self, now: datetime) -> None:
        for task in self._tasks():
            if task.schedule and self._slots.get(task.label) != (slot := task.schedule.slot(now)):
                actions.enqueue_slot(task, slot)
                self._slots[task.label] = slot

    def _find_lost(self, now: datetime) -> None:
        expired = Job.objects.filter(status=Status.RUNNING, lease_until__lt=now)
        if self.labels is not None:
            expired = expired.filter(label__in=self.labels)
        if not expired.exists():
            self._doubts.clear()
            return
        # Looking under the write lock matters: only then could the holder have beaten since our last look.
        with transaction.atomic():
            rows = {(row.pk, row.holder, row.lease_until): row for row in expired.select_for_update(skip_locked=True)}
            seen = self.elapsed()
            self._doubts = {key: self._doubts.get(key, seen) for key in rows}
            for key, since in self._doubts.items():
                if seen - since >= self.watch.total_seconds():
                    log.warning("%s is found again: its worker is gone", rows[key])
                    actions.lose(rows[key], _retries(rows[key]), now)

    def _execute(self, row: Job) -> None:
        with self._holding(row):
            record = self._attempt(row)
            for tries_left in reversed(range(RECORD_TRIES)):  # beats go on meanwhile, so that a busy database makes no job run twice
                try:
                    record()
                    break
                except django.db.Error as error:
                    if not tries_left:
                        raise
                    log.warning("The outcome of %s waits for the database: %s", row, type(error).__name__)
                    close_old_connections()
                    time.sleep(POLL_SECONDS)

    def _attempt(self, row: Job) -> Callable[[], None]:
        """Runs the job and says what to record: after its own transaction is over, in another."""
        task = declared().get(row.label)
        try:
            if task is None:
                raise NotFound("No job of this label is declared.", place=row.label)
            task.call(**row.arguments)
        except Abandoned:
            return lambda: actions.release(row, self.clock())
        except (Exception, SystemExit) as error:  # its message goes no further: it may hold what the job worked on
            log.warning("%s failed, attempt %d: %s", row, row.attempts, type(error).__name__)
            close_old_connections()
            kind, code = actions.name_of(error)
            return lambda: actions.fail(row, kind, code, _retries(row), self.clock())
        return lambda: actions.succeed(row, self.clock())

    @contextmanager
    def _holding(self, row: Job) -> Iterator[None]:
        token = _current.set((self, row))
        self.running = row
        try:
            yield
        finally:
            self.running = None
            _current.reset(token)


_current: ContextVar[tuple[Worker, Job] | None] = ContextVar("kept_job", default=None)


def _labels(tasks: tuple[JobTask[...], ...]) -> frozenset[str] | None:
    return frozenset(task.label for task in tasks) or None


def _retries(row: Job) -> int:
    task = declared().get(row.label)
    return task.retries if task else RETRIES


def progress(done: int, total: int, word: str = "") -> None:
    """Says how far the running job is: `done` of `total`, and a short word such as "rows". Outside a job it does nothing.

    Call it between transactions, several times a minute in a long job: pages see it then, the lease is extended, and a worker
    that is told to stop leaves the job here, to be run again. `word` is a lower-case word, never a value.
    """
    if not re.fullmatch(r"([a-z][a-z_-]{0,39})?", word, re.ASCII):
        raise BadInput("The word of a progress is one lower-case word.", place="progress(word)", cure="Write a word such as rows.")
    if (current := _current.get()) is None:
        return
    worker, row = current
    if worker.stop.is_set() or not actions.report(row, done, total, word, worker.clock() + worker.lease):
        raise Abandoned


def run(stop: threading.Event, *tasks: JobTask[...], lease: timedelta = LEASE) -> None:
    """Works (on these tasks, if given) until `stop` is set, then returns within seconds. The caller maps signals to `stop`.

    A job that does not come to its next `progress` in time is left running in a daemon thread: it ends with the process,
    and the next worker finds it again by its lease. Raises Closed when the working thread ended by itself.
    """
    worker = Worker(stop=stop, lease=lease, watch=lease * 2 / 3, labels=_labels(tasks))
    thread = threading.Thread(target=worker.loop, name="kept-jobs", daemon=True)
    thread.start()
    while thread.is_alive() and not stop.wait((lease / 3).total_seconds()):
        worker.beat()
    if not stop.is_set():
        raise Closed("The worker stopped by itself.", cure="The log above names the error; start it again once that is mended.")
    actions.wake.set()
    thread.join(STOP_SECONDS)


def run_due(now: datetime, *tasks: JobTask[...]) -> int:
    """Runs, in this thread, all that is due at `now` (of these tasks, if given), and returns how many ran. For tests and commands.

    A job of these that is marked as running with a lease before `now` counts as lost at once.
    """
    worker = Worker(clock=lambda: now, watch=timedelta(), labels=_labels(tasks))
    count = 0
    while worker.step():
        count += 1
    return count

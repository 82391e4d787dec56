"""The queue: transactions, keys, retries, dead letters, slots, progress, leases."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core import serializers
from django.db import connection, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus as Status

from kept.core.errors import BadInput, NotFound
from kept.platform.jobs import actions, queries
from kept.platform.jobs.models import Job
from kept.platform.jobs.tests import samples
from kept.platform.jobs.worker import Abandoned, Worker, progress, run, run_due

SOON = timedelta(seconds=1)
LATER = timedelta(hours=2)


def row_of(reference: str) -> Job:
    return Job.objects.get(arguments__reference=reference)


def in_threads(count: int, work: Callable[[], object]) -> None:
    """Does the same work in several threads at once."""
    gate = threading.Barrier(count)

    def each() -> None:
        try:
            gate.wait()
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=each) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_job_belongs_to_the_callers_transaction(account_id: int, reference: str) -> None:
    with transaction.atomic():
        samples.write_note.enqueue(account_id=account_id, reference=reference)
        assert row_of(reference).status == Status.READY
        transaction.set_rollback(True)
    assert not Job.objects.filter(account_id=account_id).exists()


def test_a_job_runs_once_and_keeps_its_ids(account_id: int, reference: str) -> None:
    result = samples.write_note.enqueue(account_id=account_id, reference=reference, number=7)
    run_due(timezone.now(), samples.write_note)
    run_due(timezone.now(), samples.write_note)
    row = queries.find(account_id, int(result.id))
    assert (row.status, row.attempts, row.holder, row.account_id) == (Status.SUCCESSFUL, 1, "", account_id)
    assert samples.notes(reference) == ["7"]
    with pytest.raises(NotFound):
        queries.find(account_id + 1, row.pk)


def test_a_job_waits_for_its_time(account_id: int, reference: str) -> None:
    now = timezone.now()
    samples.write_note.using(run_after=now + LATER).enqueue(account_id=account_id, reference=reference)
    run_due(now + SOON, samples.write_note)
    assert samples.notes(reference) == []
    run_due(now + LATER, samples.write_note)
    assert samples.notes(reference) == ["0"]


def test_a_higher_priority_goes_first(account_id: int, reference: str) -> None:
    samples.write_note.enqueue(account_id=account_id, reference=reference, number=1)
    samples.write_note.using(priority=50).enqueue(account_id=account_id, reference=reference, number=2)
    run_due(timezone.now(), samples.write_note)
    assert samples.notes(reference) == ["2", "1"]


def test_one_key_waits_once_and_takes_the_earlier_time(account_id: int, reference: str) -> None:
    later = timezone.now() + LATER
    first = samples.write_once.using(run_after=later).enqueue(account_id=account_id, reference=reference)
    second = samples.write_once.enqueue(account_id=account_id, reference=reference)
    samples.write_once.using(run_after=later).enqueue(account_id=account_id, reference=reference)
    assert first.id == second.id
    assert row_of(reference).run_after < later
    samples.write_once.enqueue(account_id=account_id + 1, reference=reference)
    assert Job.objects.filter(arguments__reference=reference).count() == 2


def test_the_database_decides_between_enqueuers(account_id: int, reference: str) -> None:
    in_threads(6, lambda: samples.write_once.enqueue(account_id=account_id, reference=reference))
    assert Job.objects.filter(account_id=account_id).count() == 1


def test_one_key_never_overlaps(account_id: int, reference: str) -> None:
    labels = frozenset({"tests.unique"})
    samples.write_once.enqueue(account_id=account_id, reference=reference)
    running = actions.claim(timezone.now(), SOON * 60, labels)
    assert running is not None
    samples.write_once.enqueue(account_id=account_id, reference=reference)
    assert Job.objects.filter(account_id=account_id).count() == 2
    assert actions.claim(timezone.now(), SOON, labels) is None
    actions.succeed(running, timezone.now())
    run_due(timezone.now(), samples.write_once)
    assert samples.notes(reference) == ["ran"]


def test_a_waiting_job_sees_what_its_latest_enqueuer_changed(account_id: int, reference: str) -> None:
    """Its key waits already when the transaction enqueues it: it must not run before that transaction's changes are there."""
    samples.see_label.enqueue(account_id=account_id, reference=reference)
    inside, ran = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            now = timezone.now()
            Job.objects.create(label="tests.change", arguments={}, word=reference, run_after=now + LATER, enqueued_at=now)
            samples.see_label.enqueue(account_id=account_id, reference=reference)
            inside.set()
            ran.wait(0.3)
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    inside.wait()
    run_due(timezone.now() + SOON, samples.see_label)
    ran.set()
    thread.join()
    run_due(timezone.now() + SOON, samples.see_label)
    assert samples.notes(reference) == ["seen"]


def test_a_failure_keeps_the_class_of_the_error_and_nothing_else(account_id: int, reference: str, caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()
    samples.fail_always.enqueue(account_id=account_id, reference=reference)
    run_due(now + SOON, samples.fail_always)
    row = row_of(reference)
    assert (row.status, row.attempts, row.error_class) == (Status.READY, 1, "builtins.ValueError")
    assert now + timedelta(seconds=5) <= row.run_after <= now + timedelta(seconds=11)
    assert not Job.objects.filter(word=reference).exists(), "the job's own transaction was rolled back"
    stored = json.dumps(serializers.serialize("python", Job.objects.filter(account_id=account_id)), default=str)
    assert "Dana" not in stored + caplog.text
    assert "Traceback" not in stored + caplog.text


def test_after_its_retries_a_job_is_a_dead_letter_until_it_is_retried(account_id: int, reference: str) -> None:
    now = timezone.now()
    job_id = int(samples.fail_always.enqueue(account_id=account_id, reference=reference).id)
    for hours in range(1, 4):
        assert not queries.dead_letters(account_id)
        run_due(now + hours * LATER, samples.fail_always)
    assert [(row.pk, row.attempts) for row in queries.dead_letters(account_id)] == [(job_id, 3)]
    assert not queries.dead_letters(account_id + 1)
    with pytest.raises(NotFound):
        actions.retry(account_id + 1, job_id)
    actions.retry(account_id, job_id)
    row = row_of(reference)
    assert (row.status, row.attempts, row.finished_at) == (Status.READY, 0, None)


def test_delays_double_up_to_the_longest() -> None:
    for attempts, seconds in ((1, 10), (2, 20), (5, 160), (9, 2560), (10, 3600), (60, 3600)):
        assert timedelta(seconds=seconds / 2) <= actions.delay(attempts) <= timedelta(seconds=seconds)


def test_our_own_errors_keep_their_code() -> None:
    assert actions.name_of(NotFound("No Dana.")) == ("kept.core.errors.NotFound", "not-found")


def test_a_job_that_nobody_declares_fails(account_id: int) -> None:
    now = timezone.now()
    row = Job.objects.create(label="tests.gone", account_id=account_id, arguments={}, run_after=now, enqueued_at=now)
    Worker(labels=frozenset({"tests.gone"})).step()
    row.refresh_from_db()
    assert (row.status, row.error_code) == (Status.READY, "not-found")


def test_a_retry_yields_to_one_of_its_key_that_waits(account_id: int, reference: str) -> None:
    samples.fail_unique.enqueue(account_id=account_id, reference=reference)
    running = actions.claim(timezone.now(), LATER, frozenset({"tests.fail_unique"}))
    assert running is not None
    waiting = samples.fail_unique.enqueue(account_id=account_id, reference=reference)
    actions.fail(running, "builtins.ValueError", "", 5, timezone.now())
    assert str(row_of(reference).pk) == waiting.id


def test_a_due_slot_runs_once_whoever_looks() -> None:
    slot = datetime(2026, 1, 1, tzinfo=UTC)
    in_threads(6, lambda: actions.enqueue_slot(samples.tick, slot))
    assert run_due(slot + SOON, samples.tick) == 1
    assert run_due(slot + SOON, samples.tick) == 0
    assert run_due(slot + timedelta(hours=1), samples.tick) == 1, "slots missed meanwhile are made up once"
    actions.enqueue_slot(samples.tick, slot + timedelta(hours=2))
    actions.enqueue_slot(samples.tick, slot + timedelta(hours=3))
    assert run_due(slot + timedelta(hours=3), samples.tick) == 1, "and once for those missed while the last one waited"


def test_progress_is_there_for_pages(account_id: int, reference: str) -> None:
    result = samples.report_two.enqueue(account_id=account_id, reference=reference)
    run_due(timezone.now(), samples.report_two)
    row = queries.find(account_id, int(result.id))
    assert (row.done, row.total, row.word) == (2, 10, "rows")
    progress(1, 2, "rows")  # outside a job: nothing to say it of
    with pytest.raises(BadInput):
        progress(1, 2, "Dana Doe")


def test_who_lost_the_lease_changes_nothing_and_leaves(account_id: int, reference: str) -> None:
    labels = frozenset({"tests.report"})
    samples.report_two.enqueue(account_id=account_id, reference=reference)
    worker = Worker(labels=labels)
    stale = actions.claim(timezone.now(), LATER, labels)
    assert stale is not None
    actions.release(stale, timezone.now())
    mine = actions.claim(timezone.now(), LATER, labels)
    assert mine is not None
    with pytest.raises(Abandoned), worker._holding(stale):
        progress(1, 2)
    assert not actions.beat(stale, timezone.now())
    actions.succeed(stale, timezone.now())
    actions.fail(stale, "builtins.ValueError", "", 0, timezone.now())
    actions.release(stale, timezone.now())
    assert actions.beat(mine, timezone.now() + LATER)
    assert (row_of(reference).status, row_of(reference).holder) == (Status.RUNNING, mine.holder)


def test_a_lease_that_ran_out_is_watched_before_it_is_taken(account_id: int, reference: str) -> None:
    labels = frozenset({"tests.report"})
    samples.report_two.enqueue(account_id=account_id, reference=reference)
    holder = actions.claim(timezone.now(), -SOON, labels)
    assert holder is not None
    seconds = [1000.0]
    other = Worker(watch=timedelta(seconds=10), elapsed=lambda: seconds[0], labels=labels)
    assert not other.step()
    seconds[0] += 9
    assert actions.beat(holder, timezone.now() - SOON), "alive, by a clock that is behind"
    assert not other.step()
    seconds[0] += 9
    assert not other.step(), "watched anew since the beat"
    seconds[0] += 1
    assert other.step()
    row = row_of(reference)
    assert (row.status, row.attempts) == (Status.SUCCESSFUL, 2)


def test_a_job_that_keeps_killing_its_workers_is_a_dead_letter(account_id: int, reference: str) -> None:
    samples.fail_always.enqueue(account_id=account_id, reference=reference)
    Job.objects.filter(account_id=account_id).update(status=Status.RUNNING, attempts=3, lease_until=timezone.now() - SOON)
    run_due(timezone.now(), samples.fail_always)
    assert [row.error_code for row in queries.dead_letters(account_id)] == ["worker-lost"]


def test_old_outcomes_are_pruned(account_id: int) -> None:
    now = timezone.now()
    for status, days in ((Status.SUCCESSFUL, 8), (Status.SUCCESSFUL, 6), (Status.FAILED, 89), (Status.FAILED, 91), (Status.READY, 99)):
        ended = now - timedelta(days=days)
        Job.objects.create(
            label="tests.old", account_id=account_id, arguments={}, status=status, attempts=days,
            run_after=now + LATER, enqueued_at=ended, finished_at=ended,
        )  # fmt: skip
    actions.prune(now)
    assert sorted(Job.objects.filter(account_id=account_id).values_list("attempts", flat=True)) == [6, 89, 99]


def test_a_worker_thread_takes_up_a_job_and_stops(account_id: int, reference: str) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop, samples.write_note))
    thread.start()
    samples.write_note.enqueue(account_id=account_id, reference=reference)
    for _ in range(500):
        if Job.objects.filter(account_id=account_id, status=Status.SUCCESSFUL).exists():
            break
        time.sleep(0.02)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert samples.notes(reference) == ["0"]

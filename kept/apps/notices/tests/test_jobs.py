"""The clockwork."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kept.apps.notices import actions, jobs, queries
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.jobs.models import Job
from kept.platform.jobs.task import declared
from kept.platform.jobs.worker import run_due
from kept.platform.privacy import choices, ledger, proofs
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.testing import someone, with_notice


@pytest.fixture
def account() -> Account:
    return with_notice(cast().account)


def test_when_what_runs() -> None:
    at = datetime(2026, 3, 1, 12, 0, 30, tzinfo=timezone.get_current_timezone())
    due = {
        label: task.schedule.slot(at).strftime("%H:%M")
        for label, task in declared().items()
        if label.startswith("notices.") and task.schedule
    }
    assert due == {
        "notices.sequence": "12:00",
        "notices.apply_due": "12:00",
        "notices.change_over": "12:00",
        "notices.retain_all": "02:30",
        "notices.prove_all": "03:30",
        "notices.clear_letters": "04:30",
    }


def test_each_minute_the_ledger_is_numbered_and_signed(account: Account) -> None:
    assert queries.ledger_state(account.pk).waiting
    jobs.sequence.call()
    stands = queries.ledger_state(account.pk)
    assert (stands.waiting, stands.signed > 0) == (0, True)
    assert ledger.faults(account.pk) == []
    assert actions.number_entries(account) == 0


def test_each_minute_what_time_has_changed_is_applied(account: Account) -> None:
    dana = someone(account, "dana.due@quayside.example")
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(
            use, Subject.under(use).get(pk=dana.id), "allow", "direct-marketing", until=timezone.now() + timedelta(milliseconds=1)
        )
    bit = policy_of(account.pk).bits["direct-marketing"]
    for _ in range(1000):
        jobs.apply_due.call()
        with reserved(account.pk, "command:test", "rights") as use:
            subject = Subject.under(use).get(pk=dana.id)
        if not subject.permits >> bit & 1:
            break
    assert not subject.permits >> bit & 1
    assert subject.changes_at is None


def test_each_night_every_account_gets_a_job_of_its_own(account: Account) -> None:
    jobs.retain_all.call()
    jobs.prove_all.call()
    waiting = Job.objects.filter(account_id=account.pk).values_list("label", "arguments")
    assert sorted(label for label, _ in waiting) == ["notices.prove", "notices.retain"]
    run_due(timezone.now(), jobs.retain, jobs.prove)
    (mine,) = {proof.at for proof in proofs.latest(account.pk)}
    assert mine
    done = Job.objects.get(account_id=account.pk, label="notices.prove")
    assert (done.done, done.word) == (done.total, "promises")

"""Work behind requests. Actions enqueue these, so they are imported inside the functions."""

from __future__ import annotations

from django.utils import timezone

from kept.platform.jobs.task import every, job

RESIDUE_AFTER_SECONDS = 20
"""So that the erasures of one moment share one rewriting of the database."""


@job("requests.answer", unique=("reference",))
def answer(account_id: int, reference: str) -> None:
    """Answer a request whose sender has been verified."""
    from kept.apps.requests import actions

    actions.answer(account_id, reference)


@job("requests.deliver", unique=("message_id",), retries=8)
def deliver(account_id: int, message_id: int) -> None:
    """Send one letter."""
    from kept.apps.requests import outbox

    outbox.deliver(account_id, message_id)


@job("requests.residue", retries=20, schedule=every(minutes=10))
def residue() -> None:
    """The second stage of every erasure that waits for it, and the letter that says so."""
    from kept.apps.requests import actions

    actions.clear_residue()


@job("requests.days", schedule=every(minutes=10))
def days() -> None:
    """Erasures whose day has come."""
    from kept.apps.requests.answers import erasing
    from kept.platform.accounts.models import Account

    for account_id in Account.objects.values_list("pk", flat=True):
        erasing.due(account_id, timezone.now())


@job("requests.sweep", schedule=every(minutes=15))
def sweep() -> None:
    """Close what has lapsed, and remove files that nothing stands for any more."""
    from kept.apps.requests import actions

    actions.sweep(timezone.now())

"""Work behind requests. Actions enqueue these, so they are imported inside the functions."""

from __future__ import annotations

from django.utils import timezone

from kept.platform.jobs.task import daily, every, job
from kept.platform.jobs.worker import progress

RESIDUE_AFTER_SECONDS = 20
"""So that the erasures of one moment share one rewriting of the database."""


@job("requests.answer", unique=("reference",))
def answer(account_id: int, reference: str) -> None:
    """Answer a request whose sender has been verified."""
    from kept.apps.requests import actions

    actions.answer(account_id, reference)


@job("requests.callback", unique=("reference",), retries=8)
def call_back(account_id: int, reference: str) -> None:
    """Tell the agent of a request how it stands."""
    from kept.apps.requests import drp_actions

    drp_actions.call_back(account_id, reference)


@job("requests.deliver", unique=("message_id",), retries=8)
def deliver(account_id: int, message_id: int) -> None:
    """Send one letter."""
    from kept.apps.requests import outbox

    outbox.deliver(account_id, message_id)


@job("requests.tell", unique=("telling_id",), retries=12)
def tell(account_id: int, telling_id: int) -> None:
    """Tell a recipient what was done for a person."""
    from kept.apps.requests import telling

    telling.deliver(account_id, telling_id)


@job("requests.remind", schedule=daily("07:00"))
def remind() -> None:
    """Recipients who were not reached, or who are late."""
    from kept.apps.requests import telling
    from kept.platform.privacy.notices import accounts_in_force

    for account in accounts_in_force():
        telling.remind(account.pk, timezone.now())


@job("requests.lift", unique=("reference",), retries=12)
def lift(account_id: int, reference: str) -> None:
    """Lift a restriction, once the person was told of it."""
    from kept.apps.requests.answers import restricting

    restricting.lifted(account_id, reference)


@job("requests.residue", retries=20, schedule=every(minutes=10))
def residue() -> None:
    """The second stage of every erasure that waits for it, and the letter that says so."""
    from kept.apps.requests import actions

    actions.clear_residue()


@job("requests.days", schedule=every(minutes=10))
def days() -> None:
    """Erasures whose day has come, and what earlier ones held back for as long as it was held."""
    from kept.apps.requests.answers import erasing
    from kept.platform.accounts.models import Account
    from kept.platform.privacy import erasure

    for account_id in Account.objects.values_list("pk", flat=True):
        erasing.due(account_id, timezone.now())
        erasure.carry_on_released(account_id)


@job("requests.sweep", schedule=every(minutes=15))
def sweep() -> None:
    """Close what has lapsed, and remove files that nothing stands for any more."""
    from kept.apps.requests import actions

    actions.sweep(timezone.now())


@job("requests.batch", unique=("batch_id",))
def batch(account_id: int, batch_id: int) -> None:
    """The same act for many requests."""
    from kept.apps.requests.actions import batches

    batches.carry_on(account_id, batch_id, lambda done, total: progress(done, total, "requests"))


@job("requests.escalate_all", schedule=daily("06:00"))
def escalate_all() -> None:
    """One job for each account."""
    from kept.platform.privacy.notices import accounts_in_force

    for account in accounts_in_force():
        escalate.enqueue(account_id=account.pk)


@job("requests.escalate", unique=())
def escalate(account_id: int) -> None:
    """Tell an account's privacy leads what is due."""
    from kept.apps.requests import actions

    actions.escalate(account_id, timezone.now())

"""The clockwork of the promises: the ledger signed each minute, dates and proofs each night."""

from __future__ import annotations

from functools import partial

from kept.apps.notices import actions, versions, versions_telling
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.jobs.task import daily, every, job
from kept.platform.jobs.worker import progress
from kept.platform.privacy.notices import accounts_in_force

NIGHTLY = Actor("job", "proof", "Nightly proof").reference


@job("notices.sequence", schedule=every(minutes=1), priority=10)
def sequence() -> None:
    """Number and sign what waits in every ledger."""
    for account in accounts_in_force():
        actions.number_entries(account)


@job("notices.apply_due", schedule=every(minutes=1), priority=10)
def apply_due() -> None:
    """Apply what time has changed in people's permissions."""
    for account in accounts_in_force():
        actions.apply_due(account)


@job("notices.change_over", schedule=every(minutes=1))
def change_over() -> None:
    """One job for each account with a version on its way."""
    for account in versions.on_the_way():
        bring_about.enqueue(account_id=account.pk)


@job("notices.bring_about", unique=())
def bring_about(account_id: int) -> None:
    """Carry the version on its way on: letters, and its coming into force."""
    versions.bring_about(account_id)


@job("notices.clear_letters", schedule=daily("04:30"))
def clear_letters() -> None:
    """Empty letters about versions that were sent a while ago."""
    for account in accounts_in_force():
        versions_telling.clear(account.pk)


@job("notices.retain_all", schedule=daily("02:30"))
def retain_all() -> None:
    """One job for each account."""
    for account in accounts_in_force():
        retain.enqueue(account_id=account.pk)


@job("notices.prove_all", schedule=daily("03:30"))
def prove_all() -> None:
    """One job for each account."""
    for account in accounts_in_force():
        prove.enqueue(account_id=account.pk)


@job("notices.retain", unique=())
def retain(account_id: int) -> None:
    """Keep one account to its dates."""
    actions.keep_to_dates(Account.objects.get(pk=account_id), partial(progress, word="rules"))


@job("notices.prove", unique=())
def prove(account_id: int, member_id: int | None = None) -> None:
    """Prove one account's promises, for the night or for a member who asked."""
    actor = f"member:{member_id}" if member_id else NIGHTLY
    actions.prove(Account.objects.get(pk=account_id), actor, partial(progress, word="promises"))

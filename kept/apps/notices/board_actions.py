"""What the board changes: who sees how the promises stand. What is done about incidents is `privacy.incidents`."""

from __future__ import annotations

from kept.platform.accounts.models import Account
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping


def keep_private(account: Account, actor: str, private: bool) -> None:
    """Keep how the promises stand, and the evidence, to the team, or show it to everybody. It stands in the ledger."""
    with bookkeeping(account.pk, writing=True) as use:
        if Account.objects.filter(pk=account.pk).exclude(promises_private=private).update(promises_private=private):
            ledger.append(use, "account", actor=actor, document={"setting": "promises_private", "value": private})

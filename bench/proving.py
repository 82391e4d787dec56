"""Proving every rule of the notice: the first run, which looks at everything, and the second, after a day's changes."""

from __future__ import annotations

from bench.measure import seconds
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import choices, proofs
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.provers.base import NIGHTS

CHANGED = 100
"""People who choose something between the two runs."""


def lines(account: Account) -> list[str]:
    """How long each run takes, and what one rule said of its extent."""
    first = seconds(lambda: proofs.prove(account.pk, "command:bench"))
    with reserved(account.pk, "command:bench", "rights") as use:
        for subject in Subject.under(use).order_by("pk")[:CHANGED]:
            choices.choose(use, subject, "withdraw", "direct-marketing")
    second = seconds(lambda: proofs.prove(account.pk, "command:bench"))
    broken = [f"{proof.rule}: {proof.said}" for proof in proofs.latest(account.pk) if proof.state == "broken"]
    return [
        f"prove, first run, everything{'':<30} {first:8.2f} s",
        f"prove, second run, {CHANGED} changed and 1/{NIGHTS} of the rest{'':<12} {second:8.2f} s",
        *broken,
    ]

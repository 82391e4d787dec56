"""Proving, keeping to dates, numbering the ledger: what this room does, for pages, jobs and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import children, ledger, masks, proofs, retention
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Entry

SOON = timedelta(days=30)
COMMAND = "command:prove"


@dataclass(frozen=True)
class Line:
    """One rule, its state, and what was found in a sentence."""

    rule: str
    state: str
    said: str
    counted: int


@dataclass(frozen=True)
class Report:
    """What a proof found, rule by rule in the order of the notice."""

    lines: Sequence[Line]

    @property
    def broken(self) -> tuple[Line, ...]:
        """The promises that are broken: findings, for an exit status."""
        return tuple(line for line in self.lines if line.state == "broken")


def prove(account: Account, actor: str = COMMAND, progress: proofs.Progress | None = None) -> Report:
    """Prove every rule of the account's notice now."""
    found = proofs.prove(account.pk, actor, progress)
    return Report([Line(proof.rule, proof.state, proof.said, proof.counted) for proof in found])


@dataclass(frozen=True)
class Upcoming:
    """What a `retain` rule will ask for: now, and within `SOON` (what is due now included)."""

    now: retention.Outcome
    soon: retention.Outcome


def upcoming(account: Account, actor: str) -> list[Upcoming]:
    """What retention would do now and soon, rule by rule. Changes nothing."""
    now = timezone.now()
    due = retention.run(account.pk, now, dry_run=True, actor=actor)
    soon = retention.run(account.pk, now + SOON, dry_run=True, actor=actor)
    return [Upcoming(*pair) for pair in zip(due, soon, strict=True)]


def keep_to_dates(account: Account, progress: retention.Progress | None = None) -> list[retention.Outcome]:
    """Erase or empty everything that is past its date, and what is held of children who were found."""
    children.run(account.pk, timezone.now())
    return retention.run(account.pk, timezone.now(), progress=progress)


def number_entries(account: Account) -> int:
    """Number what waits in the ledger and sign it; how many entries."""
    with bookkeeping(account.pk) as use:
        if not Entry.under(use).filter(number__isnull=True).exists():
            return 0
    count = 0
    while more := ledger.sequence(account.pk):
        count += more
    return count


def apply_due(account: Account) -> int:
    """Apply the changes of permission that time has brought; how many people's."""
    with bookkeeping(account.pk) as use:
        if not Subject.under(use).filter(changes_at__lte=timezone.now()).exists():
            return 0
    return masks.apply_due(account.pk)

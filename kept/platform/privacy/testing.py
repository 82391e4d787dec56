"""An account with a notice and people in it, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import notices, subjects
from kept.platform.privacy.gate import acting, reserved

NOTICE = Path(__file__).resolve().parents[3] / "notices" / "larch" / "notice.md"


@cache
def notice_text() -> str:
    """The example company's notice."""
    return NOTICE.read_text()


def with_notice(account: Account) -> Account:
    """Put the example notice in force."""
    notices.activate(account, notice_text(), "command:test")
    return account


@dataclass(frozen=True)
class Known:
    """A subject and the address they are known by."""

    id: int
    email: str


def someone(account: Account, email: str, region: str = "GB") -> Known:
    """A subject who is known by an email address, and nothing else."""
    with reserved(account.pk, "command:test", "matching") as use, writing(use):
        (made,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer(region)])
        subjects.identify(use, made, [("email", subjects.digest(account.pk, "email", email, region))])
    return Known(made, email)


__all__ = ["Known", "Subject", "acting", "cast", "notice_text", "someone", "with_notice"]

"""An account's notice: the version in force, its compiled policy, and what holds for people under an earlier one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from kept.core.errors import NoNotice
from kept.core.notice import Policy, compile, parse
from kept.core.notice.standing import Standing
from kept.platform.accounts.models import Account
from kept.platform.privacy.models import NoticeVersion


def activate(account: Account, text: str, actor: str, *, filename: str = "notice.md") -> NoticeVersion:
    """Put a notice in force at once: the first, or one that nobody need be told of beforehand. `versions.decide` does the rest.

    Raises NoticeError, with the findings, when it does not pass `check`.
    """
    from kept.platform.privacy import versions  # which asks here what is in force

    return versions.activate(account, text, actor, filename=filename)


@lru_cache(maxsize=256)
def compiled(version_id: int) -> Policy:
    """The policy of a version. Versions never change, so neither does this."""
    version = NoticeVersion.objects.get(pk=version_id)
    return compile(parse(version.text), bits=version.bits)


@lru_cache(maxsize=256)
def _standing(earlier_id: int, active: Policy) -> Standing:
    return Standing(compiled(earlier_id), active)


@dataclass(frozen=True)
class Ruling:
    """A version that is in force, or will be, and what it leaves to people under earlier ones."""

    account_id: int
    number: int
    policy: Policy

    def over(self, number: int) -> Policy | Standing:
        """What holds for a person under this version; 0 stands for the one in force."""
        if number in (0, self.number):
            return self.policy
        return _standing(_id_of(self.account_id, number), self.policy)

    def asks(self, number: int) -> bool:
        """Whether people under this version stay there until they agree."""
        terms = self.over(number)
        return isinstance(terms, Standing) and terms.asks


@lru_cache(maxsize=1024)
def _id_of(account_id: int, number: int) -> int:
    return NoticeVersion.objects.values_list("pk", flat=True).get(account_id=account_id, number=number)


def compiled_number(account_id: int, number: int) -> Policy:
    """The policy of a version by its number."""
    return compiled(_id_of(account_id, number))


def _active(account_id: int) -> int:
    pk = Account.objects.values_list("notice_version", flat=True).get(pk=account_id)
    if pk is None:
        raise NoNotice("This account has no active notice, so nothing may be read.", cure="Activate one: kept notice activate.")
    return pk


def in_force(account_id: int) -> NoticeVersion:
    """The version in force. Raises NoNotice."""
    return NoticeVersion.objects.get(pk=_active(account_id))


def policy_of(account_id: int) -> Policy:
    """The policy in force. Raises NoNotice: without a notice there is no data."""
    return compiled(_active(account_id))


def policy_at(account_id: int) -> Callable[[datetime], Policy | None]:
    """The policy in force at a moment; None before the first."""
    rows = list(NoticeVersion.objects.filter(account_id=account_id).order_by("activated_at", "number").values_list("activated_at", "pk"))
    starts = [at for at, _ in rows]

    def at(moment: datetime) -> Policy | None:
        place = bisect_right(starts, moment)
        return compiled(rows[place - 1][1]) if place else None

    return at


def ruling(account_id: int) -> Ruling:
    """The version in force, with what holds for people under earlier ones. Raises NoNotice."""
    version = in_force(account_id)
    return Ruling(account_id, version.number, compiled(version.pk))


def accounts_in_force() -> Iterator[Account]:
    """Accounts that have an active notice and are open."""
    yield from Account.objects.filter(notice_version__isnull=False, closed_at__isnull=True).order_by("pk")

"""The versions of a notice, what each changed in effect, and what one changes for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.core import signing

from kept.core.errors import NotFound
from kept.core.notice import Policy, compile, parse
from kept.core.notice.diff import Change, diff
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import notices, versions
from kept.platform.privacy.models import Activation, NoticeVersion

_SALT = "kept.notices.agree"


@dataclass(frozen=True)
class Line:
    """One version: `since` when it is or will be in force, `text_url` by its number once it is. The first version changes nothing."""

    number: int
    since: datetime
    decided: datetime
    digest: str
    changes: Sequence[Change]
    coming: bool
    current: bool
    first: bool


@lru_cache(maxsize=256)
def _between(before: int, after: int) -> tuple[Change, ...]:
    return diff(notices.compiled(before), notices.compiled(after)).changes


def _of_pending(active: Policy, coming: Activation) -> tuple[Change, ...]:
    return diff(active, compile(parse(coming.text), bits=active.bits)).changes


def history(account: Account) -> list[Line]:
    """Every version, newest first, with the one that is on its way."""
    rows = list(NoticeVersion.objects.filter(account_id=account.pk).order_by("number"))
    decided = dict(Activation.objects.filter(account_id=account.pk, version_id__isnull=False).values_list("version_id", "decided_at"))
    lines = [
        Line(
            number=row.number,
            since=row.activated_at,
            decided=decided.get(row.pk, row.activated_at),
            digest=row.digest,
            changes=_between(rows[place - 1].pk, row.pk) if place else (),
            coming=False,
            current=row.pk == account.notice_version,
            first=not place,
        )
        for place, row in enumerate(rows)
    ]
    coming = versions.pending(account.pk)
    if coming is not None and coming.version_id is None:
        changes = _of_pending(notices.policy_of(account.pk), coming)
        lines.append(Line(coming.number, coming.effective_at, coming.decided_at, coming.digest, changes, True, False, False))
    return lines[::-1]


def grouped(changes: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    """Changes by direction, those that give people less first."""
    return [(way, found) for way in ("wider", "narrower", "neutral") if (found := [one for one in changes if one.direction == way])]


@dataclass(frozen=True)
class Offer:
    """What a version would change for one person. `agreed`: there is nothing left to agree to."""

    number: int
    since: datetime
    changes: Sequence[Change]
    agreed: bool


def offer(use: Use, subject: Subject) -> Offer:
    """The version on its way, or else the one in force, as it concerns this person."""
    ruling, coming = notices.ruling(use.account_id), versions.pending(use.account_id)
    held = notices.compiled_number(use.account_id, subject.notice_version or ruling.number)
    if coming is not None and coming.version_id is None:
        found, number, since = diff(held, compile(parse(coming.text), bits=ruling.policy.bits)), coming.number, coming.effective_at
    else:
        found, number, since = diff(held, ruling.policy), ruling.number, notices.in_force(use.account_id).activated_at
    mine = [one for one in found.changes if one.everywhere or versions.lives(ruling.policy, subject.region, one.regions)]
    return Offer(number, since, mine, versions.agreed(use, subject, number))


def token(account_id: int, reference: str) -> str:
    """What stands in the link of a person's letter."""
    return signing.dumps([account_id, reference], salt=_SALT)


def named(account: Account, link: str) -> str:
    """The reference of the person whose link this is. Raises NotFound for a link of another account, or changed."""
    try:
        account_id, reference = signing.loads(link, salt=_SALT)
    except (signing.BadSignature, ValueError):
        account_id, reference = 0, ""
    if account_id != account.pk:
        raise NotFound("This link leads nowhere.", place="link", cure="Open it as it stands in our letter.")
    return str(reference)

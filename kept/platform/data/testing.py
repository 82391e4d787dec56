"""Uses for tests of the guard itself, made by hand."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kept.platform.data import rows
from kept.platform.data.guard import install
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED, RESERVED_BIT, Columns, Use, writing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_accounts = itertools.count(int.from_bytes(secrets.token_bytes(4)) << 8)
BITS = {"customer-relations": 0, "direct-marketing": 1, "analytics": 2}
COLUMNS = {
    "customer-relations": {"name", "email", "phone", "postal-address", "job-title", "birth-date", "organisation"},
    "direct-marketing": {"name", "email"},
    "analytics": {"job-title", "organisation"},
}


def account() -> int:
    """The id of an account that no other test uses."""
    return next(_accounts)


def use(account_id: int, purpose: str = "customer-relations") -> Use:
    """A use of one of three purposes, or of a reserved one."""
    if purpose in RESERVED:
        return Use(account_id, "command:test", purpose, RESERVED_BIT, RESERVED[purpose])
    columns = Columns(frozenset(COLUMNS[purpose]), frozenset(COLUMNS[purpose]))
    install.open_columns(columns)
    return Use(account_id, "command:test", purpose, BITS[purpose], columns)


def mask(*purposes: str) -> int:
    """The mask of a person whose data may serve these purposes."""
    return sum(1 << BITS[purpose] for purpose in purposes) | 1 << RESERVED_BIT


ALL = mask(*BITS)


@dataclass(frozen=True)
class Made:
    """What `subjects` made."""

    ids: list[int]
    references: list[str]


def subjects(account_id: int, masks: Iterable[int]) -> Made:
    """Subjects with these masks, without keys."""
    wanted = list(masks)
    references = [secrets.token_hex(16) for _ in wanted]
    with writing(use(account_id, "matching")) as acting:
        ids = rows.add_subjects(acting, [0] * len(wanted), references, wanted, [None] * len(wanted), ["GB"] * len(wanted), NOW)
    return Made(ids, references)


__all__ = ["ALL", "BITS", "NOW", "Made", "Subject", "account", "mask", "subjects", "use"]

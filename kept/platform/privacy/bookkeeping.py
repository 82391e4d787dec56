"""The platform's own use of an account's tables: numbering, masks, digests. It reads no person's values, so it leaves no entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kept.platform.data import use as data

PURPOSE = "security"


def bookkeeping_use(account_id: int) -> data.Use:
    """The use itself."""
    return data.Use(account_id, "job:bookkeeping", PURPOSE, data.RESERVED_BIT, data.RESERVED[PURPOSE])


@contextmanager
def bookkeeping(account_id: int, *, writing: bool = False) -> Iterator[data.Use]:
    """Enter it."""
    use = bookkeeping_use(account_id)
    with data.writing(use) if writing else data.reading(use):
        yield use

"""The platform's own use of an account's tables: numbering, masks, digests. It reads no person's values, so it leaves no entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from kept.platform.data import use as data
from kept.platform.data.rows import on_postgres

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


@contextmanager
def alone(account_id: int, what: str) -> Iterator[data.Use]:
    """Enter it for an action that nobody else of the account does meanwhile. SQLite has one writer anyway."""
    with bookkeeping(account_id, writing=True) as use:
        if on_postgres():
            with connections[data.ALIAS].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [account_id % 2**31, what])
        yield use

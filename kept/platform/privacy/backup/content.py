"""The rows of the deployment, read as they stood at one moment and written back, through the owner's connection.

Two small back ends. A row is a line of bytes: on PostgreSQL as COPY writes and reads it, on SQLite a JSON array, with bytes as an
array of their base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, transaction

from kept.platform.data.datamap import platform_tables, tables
from kept.platform.data.guard import install, postgres
from kept.platform.data.guard.install import OWNER
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import SUBJECT, Columns

OMITTED = frozenset({"django_migrations", "django_session", "usersessions_usersession", "accounts_cacheentry"})
"""Not brought back: what belongs to the program's version, signed-in browsers (one that was signed out must stay so), counted attempts."""
_ROWS = 2000


@dataclass(frozen=True)
class Part:
    """One table of the backup. `key` is the SQL of the key that a row is sealed under, where the row is a person's."""

    name: str
    columns: tuple[str, ...]
    key: str = "0"
    joined: str = ""

    @property
    def listed(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)


def parts() -> dict[str, Part]:
    """Every table that is backed up: guarded ones, then the platform's."""
    found = {}
    for table in tables():
        if table.name == SUBJECT:
            found[table.name] = Part(table.name, tuple(table.columns), "coalesce(t.key_id, 0)")
        elif table.of_subject:
            joined = f"LEFT JOIN {SUBJECT} s ON s.id = t.subject_id"
            found[table.name] = Part(table.name, tuple(table.columns), "coalesce(s.key_id, 0)", joined)
        else:
            found[table.name] = Part(table.name, tuple(table.columns))
    for model in apps.get_models(include_auto_created=True):
        name = model._meta.db_table
        if name in platform_tables() - OMITTED:
            found[name] = Part(name, tuple(str(field.column) for field in model._meta.local_concrete_fields))
    return found


@contextmanager
def snapshot() -> Iterator[Any]:
    """A cursor that sees one moment; writers go on meanwhile."""
    if on_postgres():
        with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            _dates(cursor)
            yield cursor
        return
    with connections[OWNER].cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")  # Django's own would wait for writers, and keep them waiting
        try:
            yield cursor
        finally:
            cursor.execute("ROLLBACK")


def _dates(cursor: Any) -> None:
    """Write and read times in one form, whatever the server is set to."""
    cursor.execute("SET LOCAL datestyle = 'ISO, YMD'")


def lines(cursor: Any, part: Part) -> Iterator[tuple[int, bytes]]:
    """Each row of a table, with the id of its person's key; 0 where it has none."""
    if not on_postgres():
        # The plus takes the declared type away: values come as they are stored.
        values = ", ".join(f'+t."{column}"' for column in part.columns)
        cursor.execute(f'SELECT {part.key}, {values} FROM "{part.name}" t {part.joined}')
        while some := cursor.fetchmany(_ROWS):
            for key_id, *row in some:
                yield key_id, _JSON.encode(row).encode()
        return
    values = ", ".join(f't."{column}"' for column in part.columns)
    left = b""
    with cursor.copy(f'COPY (SELECT {part.key}, {values} FROM "{part.name}" t {part.joined}) TO STDOUT') as copy:
        for piece in copy:
            *whole, left = (left + piece).split(b"\n")
            for line in whole:
                key_id, _, row = line.partition(b"\t")
                yield int(key_id), row


def _bytes(value: bytes) -> list[str]:
    return [base64.b64encode(value).decode()]


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_bytes)


def sequences(cursor: Any) -> dict[str, int]:
    """The last id that each table gave out."""
    if not on_postgres():
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        return {name: last for name, last in cursor.fetchall() if name in parts()}
    found = {}
    for name in parts():
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'"{name}"'])
        if sequence := cursor.fetchone()[0]:
            cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
            found[name] = int(cursor.fetchone()[0])
    return found


def roles(cursor: Any) -> list[list[list[str]]]:
    """The sets of columns that purposes may be entered with: on PostgreSQL each is a role."""
    if not on_postgres():
        return []
    cursor.execute("SELECT readable, writable FROM guard.column_role ORDER BY name")
    return [[sorted(readable), sorted(writable)] for readable, writable in cursor.fetchall()]


def holds_data() -> bool:
    """Whether the database has an account, or the one of the keys a key."""
    if DatabaseKeyStore().all_ids(0, 1):
        return True
    with connections[OWNER].cursor() as cursor:
        if "accounts_account" not in connections[OWNER].introspection.table_names(cursor):
            return False
        cursor.execute("SELECT EXISTS (SELECT 1 FROM accounts_account)")
        return bool(cursor.fetchone()[0])


@contextmanager
def replacing() -> Iterator[Any]:
    """A cursor in a transaction that finds every table empty and the guard off; at its end the guard is on again."""
    with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
        install.take_off(cursor)
        listed = [f'"{name}"' for name in (*parts(), *sorted(OMITTED - {"django_migrations"}))]
        if on_postgres():
            _dates(cursor)
            for table in tables():
                for name in postgres.foreign_keys(table):  # `install` makes them again, over all rows at once
                    cursor.execute(f'ALTER TABLE "{table.name}" DROP CONSTRAINT IF EXISTS {name}')
            cursor.execute(f"TRUNCATE {', '.join(listed)}")
        else:
            for name in listed:
                cursor.execute(f"DELETE FROM {name}")
        yield cursor
        if on_postgres():
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks waiting cannot be altered
        install.install()


def fill(cursor: Any, part: Part, blocks: Iterable[bytes]) -> None:
    """Write rows back, given as blocks of whole lines."""
    if on_postgres():
        with cursor.copy(f'COPY "{part.name}" ({part.listed}) FROM STDIN') as copy:
            for block in blocks:
                copy.write(block)
        return
    sql = f'INSERT INTO "{part.name}" ({part.listed}) VALUES ({", ".join(["%s"] * len(part.columns))})'
    for block in blocks:
        cursor.executemany(sql, [[_value(value) for value in json.loads(line)] for line in block.decode().split("\n") if line])


def _value(value: Any) -> Any:
    return base64.b64decode(value[0]) if isinstance(value, list) else value


def set_sequences(cursor: Any, known: Mapping[str, int]) -> None:
    """Let every table give out ids from here on, those of rows deleted before the backup left out."""
    for name, last in known.items():
        if on_postgres():
            sql = "SELECT setval(pg_get_serial_sequence(%s, 'id'), greatest(%s::bigint, 1), %s::bigint > 0)"
            cursor.execute(sql, [f'"{name}"', last, last])
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [name])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, last])


def open_roles(known: Sequence[Sequence[Sequence[str]]]) -> None:
    """Make sure that every purpose can be entered again."""
    for readable, writable in known:
        install.open_columns(Columns(frozenset(readable), frozenset(writable)))

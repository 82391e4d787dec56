"""Installing the guard, taking it off for a migration, and comparing it with the data map at every start."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connections, transaction

from kept.core.errors import GuardDrift
from kept.platform.data import keystore
from kept.platform.data.guard import postgres, sqlite
from kept.platform.data.guard.postgres_schema import schema
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import ALIAS, RESERVED, Columns

OWNER = "owner"


def _login() -> str:
    return str(connections[ALIAS].settings_dict["USER"])


def map_digest() -> str:
    """A digest of what the data map generates."""
    statements = [schema(_login()), *postgres.objects()] if on_postgres() else sqlite.objects("")
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()


def migrate() -> None:
    """Bring tables and guard to this version: guard off, migrate, guard on."""
    keystore.create_table()
    with connections[OWNER].cursor() as cursor:
        take_off(cursor)
    call_command("migrate", database=OWNER, interactive=False, verbosity=0)
    install()
    connections[ALIAS].close()


def take_off(cursor: Any) -> None:
    """Take the guard off the tables, for whoever rebuilds or refills them; `install` puts it on again."""
    if on_postgres():
        postgres.drop(cursor)
    else:
        _drop_sqlite(cursor)


def install() -> None:
    """Make the guard's objects and remember how they look."""
    with _alone() as cursor:
        if on_postgres():
            postgres.install(cursor, _login())
            for columns in RESERVED.values():
                postgres.ensure_role(cursor, columns, _login())
        else:
            _install_sqlite(cursor)
        _remember(cursor)


def open_columns(columns: Columns) -> None:
    """Make sure that a purpose with these columns can be entered; called when a notice is activated. Raises GuardDrift: what somebody
    else changed is not to be remembered as ours."""
    if not on_postgres():
        return
    with connections[OWNER].cursor() as cursor:
        if postgres.has_role(cursor, columns):
            return
    with _alone() as cursor:
        _compare(cursor)
        postgres.ensure_role(cursor, columns, _login())
        _remember(cursor)


@contextmanager
def _alone() -> Iterator[Any]:
    """A cursor of the owner's, while nobody else changes the guard or looks at it half changed."""
    with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
        if on_postgres():
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kept.guard'))")
        yield cursor


def _state() -> str:
    return "guard.state" if on_postgres() else "guard_state"


def _remember(cursor: Any) -> None:
    """Store the fingerprints that the next start compares."""
    cursor.execute(f"DELETE FROM {_state()}")
    cursor.execute(f"INSERT INTO {_state()} VALUES (%s, %s)", [map_digest(), _catalog(cursor)])


def compare() -> None:
    """Raise `GuardDrift` unless the database's guard is the one that the data map describes."""
    with _alone() as cursor:
        _compare(cursor)


def _compare(cursor: Any) -> None:
    known = installed_map()
    if not known:
        raise GuardDrift("The database has no guard.", cure="Run `kept migrate`.")
    if known != map_digest():
        raise GuardDrift("The guard was installed from another version of the data map.", cure="Run `kept migrate`.")
    cursor.execute(f"SELECT catalog FROM {_state()}")
    if cursor.fetchone()[0] != _catalog(cursor):
        cure = "Run `kept migrate`, and find out who changed the database."
        raise GuardDrift("The guard in the database was changed since it was installed.", cure=cure)
    if on_postgres():
        _compare_login(cursor)


def _compare_login(cursor: Any) -> None:
    cursor.execute("SELECT rolsuper OR rolbypassrls OR rolcreaterole, rolinherit FROM pg_roles WHERE rolname = %s", [_login()])
    powerful, inherits = cursor.fetchone()
    if powerful or inherits:
        raise GuardDrift(
            "The application's login is a superuser, makes roles, bypasses row security, or inherits its roles.",
            cure=f"ALTER ROLE {_login()} NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOINHERIT.",
        )


def _catalog(cursor: Any) -> str:
    if on_postgres():
        return postgres.fingerprint(cursor, _login())
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND (type IN ('trigger', 'view') OR name LIKE 'guard%') ORDER BY 1"
    )
    return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()


def _install_sqlite(cursor: Any) -> None:
    _drop_sqlite(cursor)
    cursor.execute("CREATE TABLE IF NOT EXISTS guard_state (map text NOT NULL, catalog text NOT NULL)")
    for sql in sqlite.objects(secrets.token_hex(8)):
        cursor.execute(sql)


def _drop_sqlite(cursor: Any) -> None:
    """Take triggers, whose ever they are, and full-text tables off: one that names another table breaks Django's rebuilding of tables."""
    cursor.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
        " OR name LIKE 'guard%' AND type = 'table' AND sql LIKE 'CREATE VIRTUAL%'"
    )
    for kind, name in cursor.fetchall():
        cursor.execute(f'DROP {kind} "{name}"')


def installed_map() -> str:
    """The digest of the map that the guard was installed from; empty where there is no guard."""
    with connections[OWNER].cursor() as cursor:
        if on_postgres():
            cursor.execute("SELECT to_regclass('guard.state') IS NOT NULL")
        else:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'guard_state'")
        if not cursor.fetchone()[0]:
            return ""
        cursor.execute(f"SELECT map FROM {_state()}")
        row = cursor.fetchone()
        return str(row[0]) if row else ""

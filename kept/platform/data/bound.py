"""One statement that anybody may write, on a connection bound to an account and a purpose: `kept sql`.

The connection is made for the statement and can do nothing else. Which rows and columns it sees is no setting of the session, so that
nothing the statement says can change it. Errors are told in our own words: an engine's may quote a row.
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db import connections

from kept.core.errors import BadInput, KeptError, Refused
from kept.platform.data.datamap import tables
from kept.platform.data.engine.sqlite.names import admit
from kept.platform.data.guard import install, postgres
from kept.platform.data.guard.sqlite import ConnectionGuard
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import ALIAS, Use

SECONDS = 10
"""How long a statement may take."""
LONGEST = 100_000
"""How long a statement may be, in characters."""
WIDEST = 10_000_000
"""How long a value may get while SQLite computes it, in bytes."""
PLACE = "statement"
_SPACES = str.maketrans("", "", "\n\r\t")
_QUESTION = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.DOTALL)
_UNKNOWN = re.compile(r"^(?:no such \w+: |near \"|ambiguous column name: )([^\s\"]+)")


@dataclass(frozen=True)
class Answer:
    """Names of columns, and rows. `more` says that there were more than asked for."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool = False


def ask(use: Use, sql: str, most: int = 10_000) -> Answer:
    """The answer to one reading statement, at most `most` rows of it. Raises Refused and BadInput, whose texts quote no row."""
    if len(sql) > LONGEST or not sql.translate(_SPACES).isprintable():
        raise BadInput(f"A statement is text of at most {LONGEST:,} characters.", place=PLACE)
    if not _QUESTION.match(sql):
        raise Refused("Only questions are answered here.", place=PLACE, cure="Begin with SELECT, WITH or VALUES.")
    answer = _ask_postgres(use, sql, most) if on_postgres() else _ask_sqlite(use, sql, most)
    if isinstance(answer, KeptError):
        raise answer  # here, where no error of the engine is its context
    return answer


def _fitted(columns: tuple[str, ...], rows: list[tuple[Any, ...]], most: int) -> Answer:
    return Answer(columns, rows[:most], len(rows) > most)


def _offered() -> str:
    return ", ".join(table.name for table in tables() if table.offered)


def _not_offered() -> Refused:
    return Refused(
        "The statement asks for what this connection does not offer.", place=PLACE, cure=f"Ask {_offered()} for readable columns."
    )


def _too_long() -> BadInput:
    return BadInput(f"The statement took longer than {SECONDS} seconds.", place=PLACE, cure="Ask for less.")


def _unreadable(word: str) -> BadInput:
    """`word` is the statement's own, or nothing."""
    near = f", near “{word}”" if word else ""
    return BadInput(
        f"The database cannot answer this statement{near}.",
        place=PLACE,
        cure="Write one statement, and check its spelling, types and functions.",
    )


def _ask_sqlite(use: Use, sql: str, most: int) -> Answer | KeptError:
    admit(sql)
    path = quote(str(connections[ALIAS].settings_dict["NAME"]))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as raw:
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, WIDEST)
        guard = ConnectionGuard.install(raw, bound=True)
        guard.arm(use)
        guard.authorize(use.columns)
        end = time.monotonic() + SECONDS
        raw.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            cursor = raw.execute(sql)
            rows = cursor.fetchmany(most + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            return _of_sqlite(error, sql)
        return _fitted(tuple(column[0] for column in cursor.description or ()), rows, most)


def _of_sqlite(error: Exception, sql: str) -> KeptError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT:
        return _too_long()
    if code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY) or str(error).startswith("not authorized"):
        return _not_offered()
    named = _UNKNOWN.match(str(error))
    return _unreadable(named[1] if named and named[1] in sql else "")


def _ask_postgres(use: Use, sql: str, most: int) -> Answer | KeptError:
    import psycopg

    install.open_columns(use.columns)
    parameters = {k: v for k, v in connections[ALIAS].get_connection_params().items() if k not in ("context", "cursor_factory")}
    limits = f"-c statement_timeout={SECONDS}s -c default_transaction_read_only=on -c search_path=public"
    with connections[install.OWNER].cursor() as owner:
        login, password = postgres.bind(owner, use, 2 * SECONDS)
        try:
            with psycopg.connect(**parameters | {"user": login, "password": password, "options": limits}) as connection:
                return _fetched(connection, sql, most)
        except psycopg.Error as error:
            return _of_postgres(error, sql)
        finally:
            postgres.unbind(owner, login)


_DECLARE = 'DECLARE "kept_answer" NO SCROLL CURSOR FOR '


def _fetched(connection: Any, sql: str, most: int) -> Answer:
    """Through a cursor of the server, which takes one statement, and nothing but a question. One FETCH, so that no statement of its own
    can lift the limit on time for the next."""
    with connection.cursor("kept_answer", scrollable=False) as cursor:
        cursor.execute(sql.encode())
        rows = cursor.fetchmany(most + 1)
        columns = tuple(column.name for column in cursor.description or ())
    connection.rollback()
    return _fitted(columns, rows, most)


def _of_postgres(error: Any, sql: str) -> KeptError:
    match error.sqlstate:
        case "57014":
            return _too_long()
        case "42501" | "25006" | "3F000":
            return _not_offered()
        case "42601" | "42703" | "42P01" | "42883" | "42702":
            at = int(error.diag.statement_position or 0) - len(_DECLARE) - 1
            word = re.match(r"[\w.\"]+", sql[at:]) if at >= 0 else None
            return _unreadable(word[0] if word else "")
    return _unreadable("")

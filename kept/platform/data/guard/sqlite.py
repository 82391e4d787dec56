"""The guard on SQLite.

In the file: triggers that keep each row's mask equal to its subject's, references within one account, and the full-text index.
On each connection: two temporary views per table, temporary triggers against writes, and an authorizer that denies by default.
Why two views, and which simpler forms failed: docs/decisions/0002-guard-on-sqlite.md.
"""

from __future__ import annotations

import secrets
import sqlite3 as S
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kept.platform.data.datamap import Table, platform_tables, tables
from kept.platform.data.engine.sqlite.names import OURS
from kept.platform.data.use import PEOPLE_BIT, PROTECTED, SEALED, SUBJECT, Columns, Use

FUNCTIONS = frozenset(
    "abs avg ceil char coalesce concat count cume_dist date datetime dense_rank first_value floor format glob group_concat hex ifnull iif "
    "instr julianday lag last_value lead length like likely lower ltrim max min nth_value ntile nullif percent_rank printf quote "
    "rank replace round row_number rtrim sign strftime substr substring sum time total trim typeof unicode unixepoch unlikely upper "
    "json json_array json_array_length json_extract json_group_array json_group_object json_object json_type json_valid -> ->> "
    "django_date_extract django_date_trunc django_datetime_cast_date django_datetime_cast_time django_datetime_extract "
    "django_datetime_trunc django_format_dtdelta django_time_diff django_time_extract django_time_trunc django_timestamp_diff "
    "regexp".split()
)
_PASS = frozenset({S.SQLITE_SELECT, S.SQLITE_RECURSIVE, S.SQLITE_TRANSACTION, S.SQLITE_SAVEPOINT})
_WRITES = frozenset({S.SQLITE_INSERT, S.SQLITE_UPDATE, S.SQLITE_DELETE})
_SHADOWS = ("", "_data", "_idx", "_docsize", "_config", "_content")
_ARMED = ("armed", "armed_category", "armed_opened")
Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def fts(table: Table) -> str:
    """The name of a table's full-text index."""
    return f"{OURS}fts_{table.name}"


def _mask_sql(table: Table, suffix: str) -> list[str]:
    """Keep `permits` equal to the subject's, whatever an insert or a merge says."""
    found = f"(SELECT permits FROM {SUBJECT} WHERE id = NEW.subject_id AND account_id = NEW.account_id)"
    body = f"""BEGIN
      SELECT RAISE(ABORT, 'guard: no such subject in this account') WHERE {found} IS NULL;
      UPDATE {table.name} SET permits = {found} WHERE id = NEW.id; END"""
    return [
        f"CREATE TRIGGER guard_mask_new_{table.name}_{suffix} AFTER INSERT ON {table.name} WHEN NEW.permits IS NOT {found} {body}",
        f"CREATE TRIGGER guard_mask_moved_{table.name}_{suffix} AFTER UPDATE OF subject_id, account_id ON {table.name} {body}",
    ]


def _reference_sql(table: Table, suffix: str) -> list[str]:
    """References stay within one account."""
    others = {column: target for column, target in table.references.items() if column != "subject_id"}
    if not others:
        return []
    check = " ".join(
        f"SELECT RAISE(ABORT, 'guard: {column} names nothing in this account') WHERE NEW.{column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {target} WHERE id = NEW.{column} AND account_id = NEW.account_id);"
        for column, target in others.items()
    )
    return [
        f"CREATE TRIGGER guard_ref_new_{table.name}_{suffix} BEFORE INSERT ON {table.name} BEGIN {check} END",
        f"CREATE TRIGGER guard_ref_moved_{table.name}_{suffix} BEFORE UPDATE OF {', '.join(others)} ON {table.name} BEGIN {check} END",
    ]


def _search_sql(table: Table, suffix: str) -> list[str]:
    """A full-text index that follows its table."""
    if not table.search:
        return []
    index, columns = fts(table), ", ".join(("account_id", *table.search))

    def values(row: str) -> str:
        words = (f"CASE WHEN {row}.{c} LIKE '{SEALED}%' THEN '' ELSE {row}.{c} END" for c in table.search)
        return ", ".join((f"{row}.account_id", *words))

    add = f"INSERT INTO {index}(rowid, {columns}) VALUES (NEW.id, {values('NEW')});"
    drop = f"INSERT INTO {index}({index}, rowid, {columns}) VALUES ('delete', OLD.id, {values('OLD')});"
    made = f"CREATE VIRTUAL TABLE {index} USING fts5({columns}, content='{table.name}', content_rowid='id', detail=column, prefix='2 3', "
    changed = ", ".join(table.search)
    return [
        made + 'tokenize="unicode61 remove_diacritics 2")',
        f"INSERT INTO {index}(rowid, {columns}) SELECT id, {values(table.name)} FROM {table.name}",
        f"CREATE TRIGGER guard_fts_new_{table.name}_{suffix} AFTER INSERT ON {table.name} BEGIN {add} END",
        f"CREATE TRIGGER guard_fts_gone_{table.name}_{suffix} AFTER DELETE ON {table.name} BEGIN {drop} END",
        f"CREATE TRIGGER guard_fts_moved_{table.name}_{suffix} AFTER UPDATE OF {changed} ON {table.name} BEGIN {drop} {add} END",
    ]


def objects(suffix: str) -> list[str]:
    """The statements that make the guard's objects in the file. `suffix` keeps their names from being guessed."""
    masked = [t for t in tables() if t.masked and t.of_subject]
    statements = [sql for t in tables() for sql in (_mask_sql(t, suffix) if t in masked else [])]
    statements += [sql for t in tables() for sql in _reference_sql(t, suffix) + _search_sql(t, suffix)]
    whose = "WHERE account_id = OLD.account_id AND subject_id = OLD.id"
    follow = " ".join(f"UPDATE {t.name} SET permits = NEW.permits {whose};" for t in masked)
    left = " UNION ALL ".join(f"SELECT 1 FROM {t.name} {whose}" for t in masked)
    moved = "NEW.permits IS NOT OLD.permits"
    refuse = "SELECT RAISE(ABORT, 'guard: rows of this subject are left');"
    if masked:
        statements += [
            f"CREATE TRIGGER guard_mask_follows_{suffix} AFTER UPDATE OF permits ON {SUBJECT} WHEN {moved} BEGIN {follow} END",
            f"CREATE TRIGGER guard_mask_held_{suffix} BEFORE DELETE ON {SUBJECT} WHEN EXISTS ({left}) BEGIN {refuse} END",
        ]
    return statements


def _shut(table: Table, row: str) -> str:
    """True for a row whose fence keeps the armed use out: of the purpose, or of what is closed to people and was not opened to them."""
    wanted = f"~{row}fence & (SELECT bit FROM temp.armed)"
    opened = f"SELECT 1 FROM temp.armed_opened WHERE place = '{table.name}/' || {row}id AND until > unixepoch()"
    return f"({wanted} <> 0 AND NOT ({wanted} = {1 << PEOPLE_BIT} AND EXISTS ({opened})))"


def _where(table: Table) -> str:
    clauses = ["account_id = (SELECT account FROM temp.armed)"]
    if table.masked:
        clauses.append("permits & (SELECT bit FROM temp.armed) <> 0")
    if table.fenced:
        clauses.append(f"NOT {_shut(table, '')}")
    if table.by_row:
        clauses.append("((SELECT every FROM temp.armed) OR category IN (SELECT category FROM temp.armed_category))")
    return " AND ".join(clauses)


def _hidden(table: Table) -> str:
    """True for a row, about to be changed, that the armed use does not see."""
    clauses = ["OLD.account_id IS NOT (SELECT account FROM temp.armed)"]
    if table.masked:
        clauses.append("OLD.permits & (SELECT bit FROM temp.armed) = 0")
    if table.fenced:
        clauses.append(_shut(table, "OLD."))
    if table.by_row:
        clauses.append("NOT (SELECT every FROM temp.armed) AND OLD.category NOT IN (SELECT category FROM temp.armed_category)")
    return " OR ".join(clauses)


def _write_sql(table: Table, name: str) -> list[str]:
    """Temporary triggers: no write outside the account, no row replaced under another's id, no hidden row touched.

    The update trigger leaves `permits` out: the authorizer alone guards it, and a mask must reach hidden rows.
    """
    others = ", ".join(f'"{column}"' for column in table.columns if column != "permits")
    hidden = f"SELECT RAISE(IGNORE) WHERE {_hidden(table)};"
    outside = "SELECT RAISE(ABORT, 'guard: a row of another account') WHERE NEW.account_id IS NOT (SELECT account FROM temp.armed);"
    taken = f"SELECT RAISE(ABORT, 'guard: this id is taken') WHERE EXISTS (SELECT 1 FROM main.{table.name} WHERE id = NEW.id);"
    return [
        f"CREATE TEMP TRIGGER {name}_i BEFORE INSERT ON main.{table.name} BEGIN {outside} {taken} END",
        f"CREATE TEMP TRIGGER {name}_u BEFORE UPDATE OF {others} ON main.{table.name} BEGIN {hidden} {outside} END",
        f"CREATE TEMP TRIGGER {name}_d BEFORE DELETE ON main.{table.name} BEGIN {hidden} END",
    ]


def _deny(*_: object) -> int:
    return S.SQLITE_DENY


def _name() -> str:
    return OURS + secrets.token_hex(8)


@dataclass
class ConnectionGuard:
    """The guard's objects on one connection, and the authorizer for each state. A `bound` one only reads, and only what is offered."""

    raw: S.Connection
    bound: bool
    inner: dict[str, str]
    triggers: frozenset[str]
    real: frozenset[str]
    rules: dict[object, Authorizer] = field(default_factory=dict)

    @classmethod
    def install(cls, raw: S.Connection, *, bound: bool = False) -> ConnectionGuard:
        """Make the temporary objects. In autocommit, at connect: a rollback would drop them."""
        raw.execute("PRAGMA temp_store = MEMORY")  # what a query sorts reaches no file
        raw.execute("PRAGMA recursive_triggers = ON")  # else INSERT OR REPLACE deletes rows past the triggers
        found = raw.execute("SELECT type, name FROM sqlite_master").fetchall()
        present = {name for kind, name in found if kind == "table"}
        triggers = {name for kind, name in found if kind == "trigger" and name.startswith(OURS)}
        modules = {name for (name,) in raw.execute("PRAGMA module_list")}
        raw.execute("CREATE TEMP TABLE armed(account INT, bit INT, every INT)")
        raw.execute("INSERT INTO armed VALUES (NULL, 0, 0)")
        raw.execute("CREATE TEMP TABLE armed_category(category TEXT PRIMARY KEY) WITHOUT ROWID")
        raw.execute("CREATE TEMP TABLE armed_opened(place TEXT PRIMARY KEY, until INT) WITHOUT ROWID")
        offered = [table for table in tables() if table.name in present and (table.offered or not bound)]
        inner = {table.name: _name() for table in offered}
        for table in offered:
            name = inner[table.name]
            raw.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{table.name} WHERE {_where(table)}")
            raw.execute(f"CREATE TEMP VIEW {table.name} AS SELECT * FROM temp.{name}")
            for sql in [] if bound else _write_sql(table, name):
                raw.execute(sql)
        for platform in [] if bound else sorted(platform_tables() & present):
            # Without a trigger, `INSERT … SELECT *` out of a table of the same shape copies it without asking the authorizer.
            raw.execute(f"CREATE TEMP TRIGGER {_name()} BEFORE INSERT ON main.{platform} BEGIN SELECT 1; END")
        raw.setlimit(S.SQLITE_LIMIT_ATTACHED, 0)
        triggers |= {f"{name}_{kind}" for name in inner.values() for kind in "iud"}
        real = frozenset(name.lower() for name in modules | {name for _, name in found})
        return cls(raw, bound, inner, frozenset(triggers), real)

    def arm(self, use: Use | None) -> None:
        """Say which rows are seen. Until `authorize` says which columns are, nothing is."""
        account, mask, categories = (use.account_id, use.mask, use.columns.readable) if use is not None else (None, 0, frozenset[str]())
        opened = use.opened if use is not None else None
        self.raw.set_authorizer(None)
        try:
            self.raw.execute("UPDATE temp.armed SET account = ?, bit = ?, every = ?", (account, mask, "*" in categories))
            self.raw.execute("DELETE FROM temp.armed_category")
            self.raw.executemany("INSERT INTO temp.armed_category VALUES (?)", [(category,) for category in categories])
            self.raw.execute("DELETE FROM temp.armed_opened")
            if opened is not None:
                lines = [(f"{table}/{row_id}", int(opened.until.timestamp())) for table, row_id in opened.rows]
                self.raw.executemany("INSERT INTO temp.armed_opened VALUES (?, ?)", lines)
        finally:
            self.raw.set_authorizer(_deny)

    def authorize(self, columns: Columns | None, *, writing: bool = False, privileged: bool = False, searching: bool = False) -> None:
        """Say which columns are read and written. The authorizer is set anew: cached statements are authorised again only then."""
        state = (columns, writing, privileged, searching)
        if state not in self.rules:
            if len(self.rules) >= 256:
                self.rules.clear()
            self.rules[state] = _Rules(self, columns, writing, privileged, searching).decide
        self.raw.set_authorizer(self.rules[state])


class _Rules:
    """The authorizer for one state: denies whatever is not listed."""

    def __init__(self, guard: ConnectionGuard, columns: Columns | None, writing: bool, privileged: bool, searching: bool) -> None:
        self.guard = guard
        self.armed, self.writing, self.privileged = columns is not None, writing and columns is not None, privileged
        self.deletes = columns is not None and bool(columns.writable)
        self.outer_of = {inner: outer for outer, inner in guard.inner.items()}
        self.platform = frozenset() if guard.bound else platform_tables()
        self.fts = frozenset(fts(t) + part for t in tables() if t.search for part in _SHADOWS) if searching or self.writing else frozenset()
        offered = [table for table in tables() if table.name in guard.inner]
        self.seen: Mapping[str, frozenset[str]] = {}
        self.settable: Mapping[str, frozenset[str]] = {}
        if columns is not None:
            self.seen = {t.name: frozenset(t.columns) - t.withheld(columns.readable) | {""} for t in offered}
        if columns is not None and self.writing:
            self.settable = {t.name: t.writable(columns) for t in offered}
        self.addressed = {t.name: t.countable for t in offered} if self.writing else {}

    def decide(self, action: int, one: str | None, two: str | None, database: str | None, source: str | None) -> int:
        """SQLite asks this for each part of a statement as it is prepared."""
        if action == S.SQLITE_READ:
            return self._read(one or "", two or "", (database or "").lower(), source)
        if action in _PASS:
            return S.SQLITE_OK
        if action == S.SQLITE_FUNCTION:
            return S.SQLITE_OK if two in FUNCTIONS or (self.fts and two in ("bm25", "match")) else S.SQLITE_DENY
        if action in _WRITES:
            return self._write(action, one or "", two or "", database, source)
        return S.SQLITE_OK if self.fts and (action, one) == (S.SQLITE_PRAGMA, "data_version") else S.SQLITE_DENY

    def _read(self, table: str, column: str, database: str, source: str | None) -> int:
        if table in self.guard.inner:
            if database == "main":
                return self._read_main(table, column, source)
            # The outer view. A read of no column comes with the database as it was written, or none: a bare name is the view's.
            return S.SQLITE_OK if self.armed and database in ("", "temp") else S.SQLITE_DENY
        if table in self.outer_of:  # the inner view: only from the outer
            return S.SQLITE_OK if source == self.outer_of[table] else S.SQLITE_DENY
        if table in _ARMED:
            allowed = source in self.outer_of or (self.writing and source in self.guard.triggers)
            return S.SQLITE_OK if allowed else S.SQLITE_DENY
        allowed = table in self.platform or table in self.fts or (self.privileged and table == "sqlite_sequence")
        allowed = allowed or (bool(self.fts) and (table, column) == ("sqlite_master", "ROWID"))
        allowed = allowed or (not database and not column and self._of_statement(table.lower()))
        return S.SQLITE_OK if allowed and database in ("", "main") else S.SQLITE_DENY

    def _of_statement(self, name: str) -> bool:
        """Whether the name is that of a query which the statement itself brings (WITH): no table, and none that the engine makes up."""
        return name not in self.guard.real and not name.startswith(("sqlite_", "pragma_")) and name not in _ARMED

    def _read_main(self, table: str, column: str, source: str | None) -> int:
        if not self.armed:
            return S.SQLITE_DENY
        if source == self.guard.inner[table]:
            return S.SQLITE_OK if column in self.seen[table] else S.SQLITE_IGNORE
        if self.writing and (source in self.guard.triggers or column in self.addressed[table]):
            return S.SQLITE_OK
        return S.SQLITE_DENY

    def _write(self, action: int, table: str, column: str, database: str | None, source: str | None) -> int:
        if database == "main" and table in self.guard.inner:
            if not self.writing:
                return S.SQLITE_DENY
            return S.SQLITE_OK if source in self.guard.triggers or self._changes(action, table, column) else S.SQLITE_DENY
        # A full-text table being opened asks to update sqlite_master, which the engine itself refuses to anybody who then tries.
        opening = bool(self.fts) and action == S.SQLITE_UPDATE and table == "sqlite_master"
        allowed = opening or table in self.platform or (self.writing and table in self.fts)
        return S.SQLITE_OK if allowed and database == "main" else S.SQLITE_DENY

    def _changes(self, action: int, table: str, column: str) -> bool:
        """Whether a statement itself may insert, delete, or set this column. Only the engine's functions make subjects and masks."""
        if table == SUBJECT and action != S.SQLITE_DELETE:
            return self.privileged and (action == S.SQLITE_INSERT or column in ("permits", "changes_at", "notice_version"))
        if action == S.SQLITE_UPDATE:
            return column in self.settable[table] and column not in PROTECTED
        return bool(self.settable[table]) and (action == S.SQLITE_INSERT or self.deletes)

"""Writing rows in bulk or one at a time, and the engine's own functions on subjects.

PostgreSQL takes columns as arrays (COPY is not allowed under row security), written as one text each: the driver writes an array
value by value, at several times the price. SQLite takes rows.
An insert names exactly the columns it was given: a withheld column is neither read nor written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, models

from kept.core.errors import NoPurpose
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel
from kept.platform.data.use import ALIAS, Use, arming, require

_BETWEEN, _NULL = "\x1f", "\x1e"
_AS_IS = (models.CharField, models.TextField, models.IntegerField, models.ForeignKey)


def on_postgres() -> bool:
    """Which engine this connection speaks to."""
    return connections[ALIAS].vendor == "postgresql"


def _require_action(use: Use) -> None:
    require(use)
    if not arming().writing:
        raise NoPurpose("Rows are written inside an action only.", cure="Write inside `writing(use)`.")


def reserve_ids(use: Use, model: type[AccountModel], number: int) -> list[int]:
    """Ids for `number` rows to come."""
    _require_action(use)
    table = model._meta.db_table
    with connections[ALIAS].cursor() as cursor:
        if on_postgres():
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, number])
            return [int(row[0]) for row in cursor.fetchall()]
        with arming().privilege():
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
    first = (int(row[0]) if row else 0) + 1
    return list(range(first, first + number))


def _converter(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if isinstance(field, _AS_IS):
        return None

    def convert(value: Any) -> Any:
        return field.get_db_prep_save(value, connections[ALIAS])

    return lru_cache(8)(convert) if isinstance(field, models.DateTimeField) else convert  # a bulk's rows share their moments


def _fields(model: type[AccountModel], names: Sequence[str]) -> list[models.Field[Any, Any]]:
    return [model._meta.get_field(name) for name in names]  # type: ignore[misc]


def _converted(fields: Sequence[models.Field[Any, Any]], rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The rows as columns, each converted for the database."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for position, field in enumerate(fields):
        if (convert := _converter(field)) is not None:
            columns[position] = [convert(value) for value in columns[position]]
    return columns


def _array_type(field: models.Field[Any, Any]) -> str:
    kind = (field.rel_db_type(connections[ALIAS]) if isinstance(field, models.AutoField) else field.db_type(connections[ALIAS])) or "text"
    return kind.split("(")[0] + "[]"


def _as_text(value: Any) -> str:
    match value:
        case None:
            return _NULL
        case str():
            return value
        case bytes():
            return f"\\x{value.hex()}"
        case datetime():
            return value.isoformat()
        case int() | float():
            return str(value)
    raise TypeError


def array(values: Sequence[Any], kind: str) -> tuple[str, Any]:
    """A parameter of PostgreSQL that holds these values, and the SQL that makes an array of this type of it."""
    try:
        text = _BETWEEN.join([one if type(one) is str else _as_text(one) for one in values])
    except TypeError:
        return f"%s::{kind}", list(values)
    if not text or text.count(_BETWEEN) != len(values) - 1 or _NULL in values:  # a value that holds what is between values
        return f"%s::{kind}", list(values)
    return f"string_to_array(%s, E'\\x1f', E'\\x1e')::{kind}", text


def _arrays(fields: Sequence[models.Field[Any, Any]], columns: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    made = [array(column, _array_type(field)) for field, column in zip(fields, columns, strict=True)]
    return ", ".join(sql for sql, _ in made), [value for _, value in made]


def insert(use: Use, model: type[AccountModel], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Insert rows given as values of the named fields; their ids, in order. The account is the use's."""
    if not rows:
        return []
    ids = reserve_ids(use, model, len(rows))
    fields = _fields(model, ("id", "account_id", *names))
    columns = [ids, [use.account_id] * len(rows), *_converted(fields[2:], rows)]
    listed = ", ".join(f'"{field.column}"' for field in fields)
    table = model._meta.db_table
    with connections[ALIAS].cursor() as cursor:
        if on_postgres():
            holes, values = _arrays(fields, columns)
            cursor.execute(f'INSERT INTO "{table}" ({listed}) SELECT * FROM unnest({holes})', values)
        else:
            holes = ", ".join(["%s"] * len(fields))
            cursor.executemany(f'INSERT INTO "main"."{table}" ({listed}) VALUES ({holes})', list(zip(*columns, strict=True)))
    return ids


def update(use: Use, model: type[AccountModel], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Set the named fields of rows given as (id, values…); how many there were."""
    _require_action(use)
    if not rows:
        return 0
    fields = _fields(model, ("id", *names))
    columns = _converted(fields, rows)
    table = model._meta.db_table
    with connections[ALIAS].cursor() as cursor:
        if on_postgres():
            holes, values = _arrays(fields, columns)
            listed = ", ".join(f'"{field.column}"' for field in fields)
            sets = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields[1:])
            sql = f'UPDATE "{table}" t SET {sets} FROM unnest({holes}) AS new({listed}) WHERE t.id = new.id'
            cursor.execute(f"{sql} AND t.account_id = {use.account_id}", values)
        else:
            sets = ", ".join(f'"{field.column}" = %s' for field in fields[1:])
            sql = f'UPDATE "main"."{table}" SET {sets} WHERE id = %s AND account_id = {use.account_id}'
            cursor.executemany(sql, [(*row[1:], row[0]) for row in zip(*columns, strict=True)])
        return int(cursor.rowcount)


def add_subjects(
    use: Use,
    keys: Sequence[int],
    references: Sequence[str],
    masks: Sequence[int],
    changes: Sequence[datetime | None],
    regions: Sequence[str],
    now: datetime,
    version: int = 0,
) -> list[int]:
    """Create subjects with their masks, under a version of the notice; their ids, in order. Nothing else inserts subjects."""
    _require_action(use)
    if on_postgres():
        with connections[ALIAS].cursor() as cursor:
            kinds = ("bigint[]", "text[]", "bigint[]", "timestamptz[]", "text[]")
            made = [array(column, kind) for column, kind in zip((keys, references, masks, changes, regions), kinds, strict=True)]
            cursor.execute(
                f"SELECT * FROM guard.add_subjects({', '.join(sql for sql, _ in made)}, {version:d})", [value for _, value in made]
            )
            return [int(row[0]) for row in cursor.fetchall()]
    with arming().privilege():
        names = ("key_id", "reference", "permits", "changes_at", "region", "created_at", "notice_version")
        rows = list(zip(keys, references, masks, changes, regions, [now] * len(keys), [version] * len(keys), strict=True))
        return insert(use, Subject, names, rows)


def set_permits(use: Use, ids: Sequence[int], masks: Sequence[int], changes: Sequence[datetime | None]) -> int:
    """Change subjects' masks, and with them the mask of every row; how many there were. The only way to change a mask."""
    _require_action(use)
    if on_postgres():
        with connections[ALIAS].cursor() as cursor:
            sql = "SELECT guard.set_permits(%s::bigint[], %s::bigint[], %s::timestamptz[])"
            cursor.execute(sql, [list(ids), list(masks), list(changes)])
            return int(cursor.fetchone()[0])
    with arming().privilege():
        return update(use, Subject, ("permits", "changes_at"), list(zip(ids, masks, changes, strict=True)))


def set_version(use: Use, ids: Sequence[int], version: int) -> int:
    """Put subjects under a version of the notice; how many there were. Their masks are to be set in the same action."""
    _require_action(use)
    if on_postgres():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT guard.set_version(%s::bigint[], %s)", [list(ids), version])
            return int(cursor.fetchone()[0])
    with arming().privilege():
        return update(use, Subject, ("notice_version",), [(one, version) for one in ids])

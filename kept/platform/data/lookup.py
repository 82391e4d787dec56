"""Rows by many values of one column at once, through its index, on both engines.

SQLite takes a long list of values for dearer than reading the whole account (it keeps no statistics), so the list drives the join.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections

from kept.platform.data.personal import AccountModel
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import ALIAS, Use, require

_AT_ONCE = 20_000  # below SQLite's limit of parameters in a statement
_ARRAYS = {int: "bigint[]", str: "text[]", bytes: "bytea[]"}


def lookup(
    use: Use, model: type[AccountModel], column: str, values: Iterable[Any], names: Sequence[str], where: str = "TRUE"
) -> list[tuple[Any, ...]]:
    """The named columns of every row in scope that has one of the values (integers, texts or bytes) in `column`.

    Columns are the database's; `where` is a condition on the row, called t, written by us.
    """
    require(use)
    wanted, table = list(dict.fromkeys(values)), model._meta.db_table
    listed = ", ".join(f't."{name}"' for name in names)
    scope = f"t.account_id = {use.account_id} AND {where}"
    found: list[tuple[Any, ...]] = []
    with connections[ALIAS].cursor() as cursor:
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            if on_postgres():
                kind = _ARRAYS[type(part[0])]
                cursor.execute(f'SELECT {listed} FROM "{table}" t WHERE {scope} AND t."{column}" = ANY(%s::{kind})', [part])
            else:
                holes = ",".join(["(%s)"] * len(part))
                sql = f'WITH wanted(one) AS (VALUES {holes}) SELECT {listed} FROM wanted CROSS JOIN "{table}" t'
                cursor.execute(f'{sql} WHERE {scope} AND t."{column}" = wanted.one', part)
            found += cursor.fetchall()
    return found


def remove(use: Use, model: type[AccountModel], ids: Sequence[int]) -> None:
    """Delete these rows of the use's account, by their keys alone."""
    require(use)
    if not ids:
        return
    table = model._meta.db_table
    with connections[ALIAS].cursor() as cursor:
        if on_postgres():
            cursor.execute(f'DELETE FROM "{table}" WHERE id = ANY(%s::bigint[]) AND account_id = {use.account_id}', [list(ids)])
        else:
            sql = f'DELETE FROM "main"."{table}" WHERE id = %s AND account_id = {use.account_id}'
            cursor.executemany(sql, [(one,) for one in ids])

"""Paging by position, not by number: the next page begins after the last row seen, however deep, whatever was added above.

The order is a column and then the id. A cursor is encrypted, since the column's value may be personal and addresses reach logs.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import F, Field, Model, Q, QuerySet
from django.utils.translation import gettext as _

from kept.core.errors import BadInput

T = TypeVar("T")
M = TypeVar("M", bound=Model)

COUNT_LIMIT = 10_000
_NONCE = 12  # bytes


class Position(NamedTuple):
    """Where a row stands: the value of the ordering column and the id, both as JSON has them."""

    value: Any
    id: Any


# (after this position, or from the end that is begun at) × backwards? × at most so many, in walking order
Fetch = Callable[[Position | None, bool, int], Sequence[T]]


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of rows. `next` and `previous` are cursors, empty at the ends; `count` stops at a limit, then `capped` is true."""

    items: Sequence[T] = field(default_factory=tuple)
    next: str = ""
    previous: str = ""
    count: int = 0
    capped: bool = False


def page(rows: QuerySet[M], *, order: str = "id", cursor: str = "", size: int = 50) -> Page[M]:
    """One page of an already scoped queryset, in the order of a column or annotation (`-` before it: descending).

    Rows without a value come last in either direction. An unknown cursor, or one of another list or order, raises BadInput.
    """
    column = order.removeprefix("-")
    target = _field(rows, column)

    def fetch(after: Position | None, backwards: bool, limit: int) -> Sequence[M]:
        return list(_ordered(rows, order, target, after, backwards)[:limit])

    def position(row: M) -> Position:
        return Position(_plain(getattr(row, column)), _plain(row.pk))

    list_name = f"{rows.model._meta.label}:{order}"
    return walk(fetch, position, name=list_name, cursor=cursor, size=size, count=lambda limit: rows.order_by()[:limit].count())


def walk(
    fetch: Fetch[T],
    position: Callable[[T], Position],
    *,
    name: str,
    cursor: str = "",
    size: int = 50,
    count: Callable[[int], int],
) -> Page[T]:
    """One page of anything that can be fetched from a position. `name` binds cursors to their list; `count` counts up to a limit."""
    backwards, after = _read(cursor, name) if cursor else (False, None)
    found = list(fetch(after, backwards, size + 1))
    if not found and after is not None:
        # What the cursor led to is gone: the nearest end instead.
        backwards, after = not backwards, None
        found = list(fetch(None, backwards, size + 1))
    further, items = len(found) > size, found[:size]
    if backwards:
        items.reverse()
    before = further if backwards else after is not None
    beyond = after is not None if backwards else further
    total = count(COUNT_LIMIT + 1)
    return Page(
        items,
        next=_write(False, position(items[-1]), name) if items and beyond else "",
        previous=_write(True, position(items[0]), name) if items and before else "",
        count=min(total, COUNT_LIMIT),
        capped=total > COUNT_LIMIT,
    )


def _field(rows: QuerySet[M], column: str) -> Field[Any, Any]:
    annotation = rows.query.annotations.get(column)
    found = annotation.output_field if annotation is not None else rows.model._meta.get_field(column)
    if not isinstance(found, Field):
        raise TypeError(f"{rows.model._meta.label}.{column} is no column to order by")
    return found


def _ordered(rows: QuerySet[M], order: str, target: Field[Any, Any], after: Position | None, backwards: bool) -> QuerySet[M]:
    column, down = order.removeprefix("-"), order.startswith("-") != backwards
    way = "lt" if down else "gt"
    nullable = target.null or column in rows.query.annotations
    if after is not None:
        value, ident = target.to_python(after.value), rows.model._meta.pk.to_python(after.id)
        later_id = Q(**{f"pk__{way}": ident})
        if value is None:
            empty = Q(**{f"{column}__isnull": True})
            rows = rows.filter(~empty | (empty & later_id) if backwards else empty & later_id)
        else:
            # The outer bound is a plain range over the index; the inner one settles ties.
            onward = Q(**{f"{column}__{way}e": value}) & (Q(**{f"{column}__{way}": value}) | later_id)
            rows = rows.filter(onward | Q(**{f"{column}__isnull": True}) if nullable and not backwards else onward)
    if target.primary_key:
        return rows.order_by("-pk" if down else "pk")
    nulls = ({"nulls_first": True} if backwards else {"nulls_last": True}) if nullable else {}
    return rows.order_by(F(column).desc(**nulls) if down else F(column).asc(**nulls), "-pk" if down else "pk")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@lru_cache
def _cipher(secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"kept.keyset").derive(secret.encode()))


def _write(backwards: bool, position: Position, name: str) -> str:
    nonce = os.urandom(_NONCE)
    text = json.dumps([backwards, *position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, text, name.encode())).decode().rstrip("=")


def _read(cursor: str, name: str) -> tuple[bool, Position]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        backwards, value, ident = json.loads(_cipher(settings.SECRET_KEY).decrypt(raw[:_NONCE], raw[_NONCE:], name.encode()))
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise BadInput(_("This page mark belongs to another list."), place="cursor", cure=_("Start from the first page.")) from error
    return backwards, Position(value, ident)

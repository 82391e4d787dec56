"""Paging: each row once, forwards and backwards, whatever the ties; cursors that cannot be read or made by hand."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.platform.accounts.models import User
from kept.platform.ui.keyset import COUNT_LIMIT, Page, Position, page, walk

Row = tuple[int, int]


class List:
    """The in-memory twin of a table: rows of (value, id), which may grow and shrink between two pages."""

    def __init__(self, values: Sequence[int]) -> None:
        self.rows = sorted((value, n) for n, value in enumerate(values))

    def fetch(self, after: Position | None, backwards: bool, limit: int) -> list[Row]:
        rows = self.rows[::-1] if backwards else self.rows
        past = [r for r in rows if after is None or (r < tuple(after) if backwards else r > tuple(after))]
        return past[:limit]

    def page(self, cursor: str = "", size: int = 3) -> Page[Row]:
        return walk(
            self.fetch, lambda r: Position(*r), name="list", cursor=cursor, size=size, count=lambda limit: min(limit, len(self.rows))
        )


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 7))
def test_walking_yields_each_row_once_forwards_and_the_same_pages_backwards(values: list[int], size: int) -> None:
    rows = List(values)
    pages = [rows.page(size=size)]
    assert not pages[0].previous
    while pages[-1].next:
        pages.append(rows.page(pages[-1].next, size))
    assert [row for p in pages for row in p.items] == rows.rows
    back = [pages[-1]]
    while back[-1].previous:
        back.append(rows.page(back[-1].previous, size))
    assert [p.items for p in back[::-1]] == [p.items for p in pages]


@given(st.lists(st.integers(0, 9), min_size=7, max_size=20), st.data())
def test_rows_that_stay_are_neither_skipped_nor_repeated_while_others_come_and_go(values: list[int], data: st.DataObject) -> None:
    rows = List(values)
    first = rows.page()
    gone = data.draw(st.sets(st.sampled_from(rows.rows)))
    rows.rows = [(-1, 98), *(r for r in rows.rows if r not in gone), (99, 99)]
    seen, cursor = list(first.items), first.next
    while cursor:
        found = rows.page(cursor)
        seen += found.items
        cursor = found.next
    assert len(seen) == len(set(seen))
    assert set(rows.rows) - {(-1, 98)} <= set(seen)


def test_when_all_beyond_the_cursor_is_gone_the_nearest_end_is_shown() -> None:
    rows = List([1, 2, 3, 4, 5])
    cursor = rows.page().next
    rows.rows = rows.rows[:2]
    assert rows.page(cursor).items == rows.rows
    back = rows.page(List([1, 2, 3, 4, 5]).page(List([1, 2, 3, 4, 5]).page().next).previous)
    assert back.items == rows.rows
    assert not back.previous


def test_counts_stop_at_the_limit() -> None:
    full = walk(lambda *_: [], lambda r: Position(*r), name="list", count=lambda limit: limit)
    assert (full.count, full.capped) == (COUNT_LIMIT, True)
    assert List([1]).page().capped is False


def test_a_cursor_is_opaque_and_bound_to_its_list() -> None:
    rows = List([4242, 4243, 4244, 4245])
    cursor = rows.page().next
    assert b"4244" not in base64.urlsafe_b64decode(cursor + "==")
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for bad in (changed, "x", "é", "AAAA" * 20, cursor[:10]):
        with pytest.raises(BadInput, match="cursor"):
            rows.page(bad)
    with pytest.raises(BadInput):
        walk(rows.fetch, lambda r: Position(*r), name="other", cursor=cursor, count=lambda limit: 0)


@pytest.fixture(scope="module")
def mark() -> str:
    """Twenty-three users, with ties and empty dates; the returned mark is in their names."""
    found = uuid4().hex
    start = dt.datetime(2026, 8, 1, 12, 0, 0, 123456, tzinfo=dt.UTC)
    for n in range(23):
        seen = None if n % 5 == 0 else start + dt.timedelta(seconds=n % 3)
        User.objects.create(email=f"bob-{n}-{found}@larch.example", name=f"Bob {n % 4} {found}", last_login=seen)
    return found


@pytest.mark.parametrize("order", ["id", "-id", "name", "-name", "last_login", "-last_login"])
@pytest.mark.parametrize("size", [1, 4, 23, 50])
def test_a_table_is_walked_in_either_direction_with_empty_values_last(mark: str, order: str, size: int) -> None:
    rows = User.objects.filter(name__endswith=mark)
    pages = [page(rows, order=order, size=size)]
    while pages[-1].next:
        pages.append(page(rows, order=order, size=size, cursor=pages[-1].next))
    walked = [user.pk for p in pages for user in p.items]
    assert len(walked) == 23
    column, down = order.removeprefix("-"), order.startswith("-")
    filled = [u for u in rows if getattr(u, column) is not None]
    empty = [u for u in rows if getattr(u, column) is None]
    by = sorted(filled, key=lambda u: (getattr(u, column), u.pk), reverse=down) + sorted(empty, key=lambda u: u.pk, reverse=down)
    assert walked == [u.pk for u in by]
    back = [pages[-1]]
    while back[-1].previous:
        back.append(page(rows, order=order, size=size, cursor=back[-1].previous))
    assert [[u.pk for u in p.items] for p in back[::-1]] == [[u.pk for u in p.items] for p in pages]
    assert pages[0].count == 23

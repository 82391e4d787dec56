from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.apps.imports.reading import Reader, Row
from kept.core.errors import BadInput

pytestmark = pytest.mark.once
TEXT = 'name,city\r\nÅsa,"Quay\r\nside"\r\nDana,"4"" board"\r\n'
ROWS = [["name", "city"], ["Åsa", "Quay\r\nside"], ["Dana", '4" board']]


def read(data: bytes, size: int = 0) -> list[Row]:
    reader, rows = Reader(), list[Row]()
    for start in range(0, len(data), size or len(data) or 1):
        rows += reader.feed(data[start : start + (size or len(data))])
    return rows + reader.feed(b"", final=True)


def cells(data: bytes, size: int = 0) -> list[list[str]]:
    return [row.cells for row in read(data, size)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_every_encoding_however_it_is_cut(encoding: str, size: int) -> None:
    assert cells(TEXT.encode(encoding), size) == ROWS


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(separator: str) -> None:
    lines = [['n"am,e', "c;i\tty"], ["1", "2"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["a", "b", "c"], *lines])
    assert cells(text.getvalue().encode())[1:] == lines


def test_the_line_with_which_spreadsheets_name_the_separator() -> None:
    assert read(b"sep=;\r\na;b,c\r\n1;2\r\n") == [Row(2, ["a", "b,c"]), Row(3, ["1", "2"])]
    with pytest.raises(BadInput, match="line 1"):
        read(b"sep=|\na|b\n")


def test_a_row_knows_the_line_it_begins_at_and_blank_lines_are_no_rows() -> None:
    assert [row.line for row in read(b'a,b\n\n"1\n2",3\n,\n4,5')] == [1, 3, 6]
    assert [row.line for row in read(b"a,b\r1,2\r3,4\r", 1)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("name\nÅsa\n".encode() + b"D\xffna\n", 3),
        (b"name\n" + b"x" * 70000 + b"\nD\x81na\n", 3),
        ("name\nDana\n".encode("utf-16") + b"\x00", 3),
        (b"name\nDa\x00na\n", 2),
        (b'name,city\nDana,"Bath\nx,y\n', 2),
        (b"name\n" + b"x" * 600000, 2),
    ],
)
@pytest.mark.parametrize("size", [0, 4096])
def test_what_is_no_text_is_refused_with_its_line(data: bytes, line: int, size: int) -> None:
    with pytest.raises(BadInput) as caught:
        read(data, size)
    assert caught.value.place == f"line {line}"
    assert caught.value.cure


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2).filter(any), min_size=1, max_size=5), st.integers(1, 9))
def test_what_a_csv_writer_wrote_is_read_again(rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["one", "two"], *rows])
    assert cells(b"\xef\xbb\xbf" + text.getvalue().encode(), size)[1:] == rows

"""What a table's column is to the table component."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """`primary` heads the card that a row becomes on a phone; `wide` columns leave first when room is short.

    `sort` is the value of ``?order=`` that sorts by this column; empty when it does not sort.
    """

    key: str
    label: str
    numeric: bool = False
    primary: bool = False
    wide: bool = False
    sort: str = ""

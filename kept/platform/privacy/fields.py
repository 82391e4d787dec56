"""Every value held of a person, one by one, as the data map knows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kept.platform.data.datamap import of_subjects
from kept.platform.data.personal import PersonalModel
from kept.platform.data.use import Use
from kept.platform.privacy import values


@dataclass(frozen=True)
class Held:
    """One value: the table and the id of its row, its field there, its category. An empty field of a record is one too."""

    table: str
    row_id: int
    field: str
    category: str
    value: str = dataclasses.field(repr=False)


def held(use: Use, subject_id: int) -> Iterator[Held]:
    """The values that the use reads of a subject, sealed ones opened."""
    for table in of_subjects():
        model: Any = table.model
        if table.room and table.personal:
            for row in values.opened(use, list(model.under(use).filter(subject_id=subject_id).order_by("pk"))):
                yield from of_row(table.name, row)


def of_row(table: str, row: PersonalModel) -> Iterator[Held]:
    """The values of one row."""
    columns = dict(row.personal.columns)
    if row.personal.by_row:
        columns["value"] = row.category  # type: ignore[attr-defined]
    unread = row.get_deferred_fields()
    for name, category in columns.items():
        if name not in unread:
            yield Held(table, row.pk, name, category, str(getattr(row, name) or ""))

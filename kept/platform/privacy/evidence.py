"""Rows that say more than a ledger entry's header can: the entry commits to them, so that a change to one shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from kept.core import ledger as core
from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy import ledger
from kept.platform.privacy.models import Aggregate, Disclosure, Entry, Glass, Instrument

Row = TypeVar("Row", Aggregate, Disclosure, Glass, Instrument)
LATER = frozenset({"id", "account_id", "entry", "salt", "told_at", "ended_at"})
"""Fields that are no part of what was committed to."""


def keep(use: Use, model: type[Row], fields: Mapping[str, Any], kind: str, **header: Any) -> Row:
    """Append an entry of this kind that commits to the fields, and insert the row with them. In an action."""
    made = ledger.append(use, kind, document=_document(fields), **header)
    names = (*fields, "entry", "salt")
    (pk,) = rows.insert(use, model, names, [(*fields.values(), made.id, made.salt)])
    found: Row = model.under(use).get(pk=pk)
    return found


def intact(use: Use, row: Row) -> bool:
    """Whether a row still says what its entry committed to."""
    entry = Entry.under(use).filter(pk=row.entry).first()
    names = [field.attname for field in row._meta.local_concrete_fields if field.name not in LATER]
    said = _document({name: getattr(row, name) for name in names})
    return entry is not None and ledger.header_of(entry).commitment == core.commit(core.encode(said), bytes(row.salt))


def _document(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("_id"): _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value

"""`secure`: what is to be sealed is sealed, and opens with the key of its own person only."""

from __future__ import annotations

import binascii
from typing import Any

from django.db.models import QuerySet

from kept.core.errors import Tampered
from kept.core.notice import Rule
from kept.core.notice.rules import SecureBody
from kept.platform.data.datamap import Table, tables
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.use import SEALED
from kept.platform.privacy import values
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, prover, some, unproven

KEYS = 5000
MOST_OPENED = 200


@prover("secure")
def secure(rule: Rule, look: Look) -> Finding:
    """No value of a sealed category stands in clear, every key exists, and a sample opens."""
    assert isinstance(rule.body, SecureBody)
    query = f"Values of these categories that stand in clear; sealed ones whose person has no key; and up to {MOST_OPENED} opened in test."
    family = look.policy.notice.vocabulary["category"].under(*rule.body.seal)
    wrong, count = [], 0
    for table in tables():
        for name, rows in _columns(look, table, family):
            sealed = rows.filter(**{f"{name}__startswith": SEALED})
            clear = rows.exclude(**{f"{name}__startswith": SEALED})
            count += rows.count()
            wrong += [f"{table.name}.{name} {pk} in clear" for pk in clear.values_list("pk", flat=True)[:KEYS]]
            if table.of_subject:
                wrong += [f"{table.name}.{name} {pk} without a key" for pk in _keyless(sealed)]
                wrong += [f"{table.name}.{name} {pk} does not open" for pk in _unopened(look, sealed, name)]
    if wrong:
        return broken(count, wrong, f"Of {many(count, 'value', 'values')}, {len(wrong):,} are not sealed as promised.", query)
    if not count:
        return unproven("No such value is held yet.", query)
    return kept(count, f"{many(count, 'value', 'values')} sealed, each with a key that exists; none in clear.", query)


def _columns(look: Look, table: Table, family: frozenset[str]) -> list[tuple[str, QuerySet[Any]]]:
    """The columns of a table that hold values of these categories, each with its rows."""
    model: Any = table.model
    rows = model.under(look.use)
    if table.by_row:
        return [(name, rows.filter(category__in=family).exclude(**{name: ""})) for name in ("value", *model.personal.columns)]
    return [(name, rows.exclude(**{name: ""})) for name, category in model.personal.columns.items() if category in family]


def _keyless(sealed: QuerySet[Any]) -> list[int]:
    """Sealed rows whose person has no key in the vault."""
    found, store, last = list[int](), DatabaseKeyStore(), 0
    while chunk := list(sealed.filter(pk__gt=last).order_by("pk").values_list("pk", "subject__key_id")[:KEYS]):
        there = store.get({key for _, key in chunk if key})
        found += [pk for pk, key in chunk if key not in there]
        last = chunk[-1][0]
    return found


def _unopened(look: Look, sealed: QuerySet[Any], name: str) -> list[int]:
    """Of a sample, the rows whose sealed value was changed or moved here from another person."""
    wrong = []
    for row in some(sealed, MOST_OPENED):
        try:
            values.opened(look.use, [row])
        except (Tampered, binascii.Error):
            wrong.append(row.pk)
    return wrong

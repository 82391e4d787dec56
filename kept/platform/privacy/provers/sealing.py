"""`secure`: what is to be sealed is sealed and opens with the key of its own person only; measures are looked at again in time."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from kept.core.errors import Tampered
from kept.core.notice import Rule
from kept.core.notice.durations import add_months
from kept.core.notice.rules import SecureBody
from kept.platform.data.datamap import Table, tables
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.use import SEALED
from kept.platform.privacy import values
from kept.platform.privacy.provers.base import Asked, Finding, Look, batches, broken, kept, many, prover, unproven

Part = tuple[int, list[str], str]
"""How many things were looked at, what is wrong, and a sentence where nothing is."""
REVIEW_MONTHS = 12
"""A measure that nobody has looked at for so long is no evidence any more (GDPR, article 32(1)(d): regularly)."""
HSTS_LEAST_SECONDS = 183 * 24 * 3600


@prover("secure", "seal", "measures", "tls")
def secure(rule: Rule, look: Look) -> Finding:
    """No value of a sealed category stands in clear, every key exists, and each opens; measures have their date; pages their TLS."""
    body = rule.body
    assert isinstance(body, SecureBody)
    looks: list[tuple[object, str, str, Callable[[SecureBody, Look], Part]]] = [
        (body.seal, "Values of these categories that stand in clear, that have no key, or that do not open.", SEAL, _sealed),
        (body.measures, f"Measures that were not reviewed within {REVIEW_MONTHS} months.", "the notice: measures.reviewed", _measures),
        (body.tls, "Whether pages, cookies and addresses are for encrypted connections only.", "the settings of this deployment", _tls),
    ]
    asked = Asked(" ".join(words for there, words, _, _ in looks if there), "; ".join(sql for there, _, sql, _ in looks if there))
    parts = [part(body, look) for there, _, _, part in looks if there]
    count, wrong = sum(one[0] for one in parts), [name for one in parts for name in one[1]]
    if wrong:
        return broken(
            count, wrong, f"Of {many(count, 'thing', 'things')} looked at, {len(wrong):,} are not as promised: {wrong[0]}.", asked
        )
    if not count:
        return unproven("There is nothing yet that this is about.", asked)
    return kept(count, " ".join(one[2] for one in parts if one[0]) + f" Looked at: {look.extent}.", asked)


SEAL = "per column: SELECT id WHERE value <> '' AND value NOT LIKE 'sealed:%'; SELECT key_id NOT IN (vault); open(value, key)"


def _sealed(body: SecureBody, look: Look) -> Part:
    family = look.policy.notice.vocabulary["category"].under(*body.seal or ())
    wrong, count = [], 0
    for table in tables():
        for name, rows in _columns(look, table, family):
            for batch in batches(rows):
                count += len(batch)
                clear = {row.pk for row in batch if not getattr(row, name).startswith(SEALED)}
                wrong += [f"{table.name}.{name} {pk} in clear" for pk in sorted(clear)]
                sealed = [row for row in batch if row.pk not in clear]
                if table.of_subject:
                    wrong += [f"{table.name}.{name} {pk} {fault}" for pk, fault in _shut(look, table, name, sealed)]
    return count, wrong, f"{many(count, 'value', 'values')} sealed, each with a key that exists, each opens; none in clear."


def _columns(look: Look, table: Table, family: frozenset[str]) -> Iterator[tuple[str, QuerySet[Any]]]:
    """The columns of a table that hold values of these categories, each with the rows of this run."""
    model: Any = table.model
    columns = model.personal.columns
    names = ("value", *columns) if table.by_row else tuple(name for name, category in columns.items() if category in family)
    for rows in look.rows(model) if names else ():
        rows = rows.filter(category__in=family) if table.by_row else rows
        yield from ((name, rows.exclude(**{name: ""})) for name in names)


def _shut(look: Look, table: Table, name: str, rows: list[Any]) -> Iterator[tuple[int, str]]:
    """Sealed rows whose person has no key in the vault, and those whose value was changed or moved here from another person."""
    keys = {pk: key for pk, (key, _) in values.holders(look.use, [row.subject_id for row in rows]).items()}
    there = DatabaseKeyStore().get({key for key in keys.values() if key})
    yield from ((row.pk, "without a key") for row in rows if keys.get(row.subject_id) not in there)
    if not _opens(look, rows):
        yield from ((row.pk, "does not open") for row in rows if not _opens(look, [row]))


def _opens(look: Look, rows: list[Any]) -> bool:
    held = [dict(row.__dict__) for row in rows]
    try:
        values.opened(look.use, rows)
    except (Tampered, binascii.Error):
        return False
    finally:
        for row, before in zip(rows, held, strict=True):
            row.__dict__.update(before)
    return True


def _measures(body: SecureBody, look: Look) -> Part:
    limit = add_months(look.now, -REVIEW_MONTHS).date()
    stale = [f"“{one.text}”, last looked at by {one.owner} on {one.reviewed}" for one in body.measures if one.reviewed < limit]
    return len(body.measures), stale, f"{many(len(body.measures), 'measure', 'measures')}, each reviewed within {REVIEW_MONTHS} months."


def _tls(body: SecureBody, look: Look) -> Part:
    """What this deployment tells browsers. One that serves its own machine only has nobody to tell it to."""
    if settings.DEBUG or settings.DEMO or "127.0.0.1" in settings.SITE:
        return 0, [], ""
    wanted = {
        "the address is https": settings.SITE.startswith("https://"),
        "session cookies are for TLS only": settings.SESSION_COOKIE_SECURE,
        "form cookies are for TLS only": settings.CSRF_COOKIE_SECURE,
        "browsers are told to keep to TLS": settings.SECURE_HSTS_SECONDS >= HSTS_LEAST_SECONDS,
    }
    return len(wanted), [f"it is not so that {what}" for what, well in wanted.items() if not well], "Pages are served over TLS only."

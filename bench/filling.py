"""Many people at once, straight into the tables: as the owner of the tables, with indexes, masks and the guard's triggers in place."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connections, transaction

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.core.notice import SubjectFacts
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel
from kept.platform.data.rows import on_postgres
from kept.platform.privacy.models import Identifier
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

ROWS_EACH = 5
"""Subject, person, email address, postal address, identifier."""
_STRIDE = 20_000
_OWNER = "owner"
_FAMILY = "Marsh Olsen Prieto Wills Brandt Adeyemi Kovac Raman Reid Demir Nyberg Fischer Munro Haddad Pryce Novak Duarte Lin".split()


def fill(account: Account, rows: int) -> None:
    """Add people of five rows each, `rows` in all."""
    for first in range(0, rows // ROWS_EACH, _STRIDE):
        _people(account, min(_STRIDE, rows // ROWS_EACH - first))
    with connections[_OWNER].cursor() as cursor:
        for model in (Subject, Person, ContactPoint, PostalAddress, Identifier) if on_postgres() else ():
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _people(account: Account, number: int) -> None:
    at = datetime.now(UTC)
    mask, changes = policy_of(account.pk).permits(SubjectFacts(now=at, region="GB"))
    now, keys = str(at.replace(tzinfo=None)), vault().create(number)
    told = (account.pk, mask)
    with transaction.atomic(using=_OWNER), connections[_OWNER].cursor() as cursor:
        subjects, people = (_next(cursor, model, number) for model in (Subject, Person))
        names = [f"{_FAMILY[n % len(_FAMILY)]} {n:x}" for n in subjects]
        _load(
            cursor,
            Subject,
            ("id", "account_id", "permits", "changes_at", "reference", "key_id", "region", "created_at", "notice_version"),
            ((one, *told, changes, secrets.token_hex(16), key, "GB", now, 1) for one, key in zip(subjects, keys, strict=True)),
        )
        _load(
            cursor,
            Person,
            ("id", "account_id", "permits", "subject_id", "given_name", "family_name", "created_at", "changed_at"),
            ((one, *told, subject, "Dana", name, now, now) for one, subject, name in zip(people, subjects, names, strict=True)),
        )
        known = list(zip(subjects, people, strict=True))
        value = ("account_id", "permits", "subject_id", "person_id", "category", "source", "value")
        _load(cursor, ContactPoint, value, ((*told, *who, "email", "import", f"dana.{who[0]:x}@quayside.example") for who in known))
        homes = ((*told, *who, "postal-address", "import", f"{who[0] % 90 + 1} Quay Street", "Bristol") for who in known)
        _load(cursor, PostalAddress, (*value, "city"), homes)
        digests = ((*told, subject, "email", os.urandom(32)) for subject in subjects)
        _load(cursor, Identifier, ("account_id", "permits", "subject_id", "kind", "digest"), digests)


def _next(cursor: Any, model: type[AccountModel], number: int) -> list[int]:
    """Ids that nobody else is given."""
    table = model._meta.db_table
    if on_postgres():
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, number])
        return [int(row[0]) for row in cursor.fetchall()]
    cursor.execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = %s", [table])
    first = int(cursor.fetchone()[0])
    return list(range(first, first + number))


def _load(cursor: Any, model: type[AccountModel], columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """The engine's fastest way in."""
    into = f"{model._meta.db_table} ({', '.join(columns)})"
    if on_postgres():
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
    else:
        cursor.executemany(f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(columns))})", lines)

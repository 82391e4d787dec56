"""Access and erasure of one person against plain SQL doing the same set-based work."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator

from django.db import connections, transaction
from django.utils import timezone

from bench.measure import Ratio, alternate
from kept.apps.contacts.models import ContactPoint, Person
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.data.use import writing
from kept.platform.privacy import erasure, notices, subjects, values
from kept.platform.privacy.gate import reserved

ACTOR = "command:bench"


def somebody(account: Account, rows: int) -> int:
    """A person with this many rows; the subject's id."""
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        (subject,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer("GB")])
        address = f"{secrets.token_hex(8)}@quayside.example"
        subjects.identify(use, subject, [("email", subjects.digest(account.pk, "email", address, "GB"))])
        now = timezone.now()
        (person,) = values.insert(use, Person, ("subject", "given_name", "created_at", "changed_at"), [(subject, "Dana", now, now)])
        names = ("subject", "person", "category", "source", "value")
        lines = [(subject, person, "email", "import", f"{n}.{address}") for n in range(rows - 2)]
        values.insert(use, ContactPoint, names, lines)
    return subject


def plain_access(account: int, subject: int) -> int:
    """Every row of a subject, by plain SQL on the owner's connection."""
    count = 0
    with connections["owner"].cursor() as cursor:
        for table in of_subjects():
            cursor.execute(f"SELECT * FROM {table.name} WHERE account_id = %s AND subject_id = %s", [account, subject])
            count += len(cursor.fetchall())
    return count


def plain_erasure(subject: int) -> None:
    """The same deletions, in one transaction."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT account_id FROM data_subject WHERE id = %s", [subject])
        account = cursor.fetchone()[0]
        for table in of_subjects():
            if table.erase == "delete":
                cursor.execute(f"DELETE FROM {table.name} WHERE account_id = %s AND subject_id = %s", [account, subject])
        cursor.execute("DELETE FROM data_subject WHERE id = %s", [subject])


def access(account: Account, subject: int) -> int:
    """Every row of a subject, as a request for access reads it: under the purpose `rights`, sealed values opened."""
    count = 0
    with reserved(account.pk, ACTOR, "rights") as use:
        for table in of_subjects():
            count += len(values.opened(use, list(table.model.under(use).filter(subject_id=subject))))  # type: ignore[type-var, misc]
    return count


def _each(ready: list[int], work: Callable[[int], object]) -> Callable[[], object]:
    """Work on the next person at each call."""
    waiting = itertools.cycle(ready)
    return lambda: work(next(waiting))


def compare(account: Account, rows: int, runs: int) -> Iterator[Ratio]:
    """Access and erasure of people with this many rows."""
    one = somebody(account, rows)
    yield alternate(f"access, {rows:,} rows (ours : plain SQL)", lambda: access(account, one), lambda: plain_access(account.pk, one), runs)
    ours, peers = ([somebody(account, rows) for _ in range(runs + 1)] for _ in range(2))
    rule = "right:erasure"
    mine = _each(ours, lambda subject: erasure.erase(account.pk, ACTOR, subject, secrets.token_hex(16), rule))
    yield alternate(f"erasure, {rows:,} rows, to the certificate (ours : plain SQL)", mine, _each(peers, plain_erasure), runs)

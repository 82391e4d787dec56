"""Access and erasure of one person against plain SQL doing the same set-based work."""

from __future__ import annotations

import itertools
import random
import secrets
import string
from collections.abc import Callable, Iterator

from django.db import connections, transaction
from django.utils import timezone

from bench.clocking import Clock, clocked
from bench.measure import Ratio, alternate
from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.data.use import writing
from kept.platform.privacy import erasure, journal, notices, subjects, values
from kept.platform.privacy.gate import reserved

ACTOR = "command:bench"


def address() -> str:
    """An address that nobody else has, without digits: those could be a card's number."""
    return f"{''.join(random.choices(string.ascii_lowercase, k=16))}@quayside.example"


def somebody(account: Account, rows: int, email: str = "") -> int:
    """A person with this many rows, contact points and postal addresses in equal parts; the subject's id."""
    email = email or address()
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        (subject,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer("GB")])
        subjects.identify(use, subject, [("email", subjects.digest(account.pk, "email", email, "GB"))])
        now = timezone.now()
        (person,) = values.insert(use, Person, ("subject", "given_name", "created_at", "changed_at"), [(subject, "Dana", now, now)])
        names = ("subject", "person", "category", "source", "value")
        points = rows // 2 - 2  # half of the rows, less the person and the identifier
        values.insert(use, ContactPoint, names, [(subject, person, "email", "import", f"{n}.{email}") for n in range(points)])
        homes = [(subject, person, "postal-address", "import", f"{n} Quay Street") for n in range(rows - points - 2)]
        values.insert(use, PostalAddress, names, homes)
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


def in_turn(ready: list[int], work: Callable[[int], object]) -> Callable[[], object]:
    """Work on the next person at each call."""
    waiting = itertools.cycle(ready)
    return lambda: work(next(waiting))


def erase(account: Account, subject: int) -> None:
    """Journal, one transaction, key, files, verification, and the certificate of the first stage."""
    done = erasure.erase(account.pk, ACTOR, subject, secrets.token_hex(16), "right:erasure")
    assert done.certificate is not None, "the erasure found something left"


def remember(account: Account, erasures: int) -> None:
    """So many erasures that were done before, in the journal alone."""
    for _ in range(erasures):
        request, now = secrets.token_hex(16), timezone.now().isoformat()
        journal.intend(journal.Intent(request, account.pk, 0, secrets.token_hex(16), 0, "", ACTOR, "right:erasure", (), now))
        journal.finish(request)


def clocks(account: Account, rows: int, runs: int) -> list[Clock]:
    """The clocks of that many erasures."""
    found = []
    for subject in [somebody(account, rows) for _ in range(runs)]:
        with clocked() as clock:
            erase(account, subject)
        found.append(clock)
    return found


def compare(account: Account, rows: int, runs: int) -> Iterator[Ratio]:
    """Access and erasure of people with this many rows."""
    one = somebody(account, rows)
    assert access(account, one) == plain_access(account.pk, one) == rows, "the two ways do not read the same"
    yield alternate(f"access, {rows:,} rows (ours : plain SQL)", lambda: access(account, one), lambda: plain_access(account.pk, one), runs)
    ours, peers = ([somebody(account, rows) for _ in range(runs + 1)] for _ in range(2))
    mine = in_turn(ours, lambda subject: erase(account, subject))
    yield alternate(f"erasure, {rows:,} rows, to the certificate (ours : plain SQL)", mine, in_turn(peers, plain_erasure), runs)

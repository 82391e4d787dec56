"""People with 20,000 rows each, files and mail are erased while the process is killed again and again: each erasure ends, whole, and
nothing is found afterwards in what its certificate claims.
"""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.imports.models import Before, Import
from kept.apps.requests.models import Request
from kept.apps.requests.tests.people import Known, asked, dana, work
from kept.core.errors import Shredded
from kept.core.ledger import encode, verify_receipt
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import SEALED, writing
from kept.platform.privacy import choices, erasure, holds, journal, ledger, provenance, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Acceptance, Erasure, Identifier, ValueOrigin
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.testing import cast, with_notice
from tests.plugin import needs
from tests.stored import stored

SEED = int(os.environ.get("KEPT_TEST_SEED") or secrets.randbits(32))
PEOPLE, ROWS, KILLS = 3, 20_000, 50
INSIDE = tuple(f"erasure:{table}" for table in (*(table.name for table in of_subjects()), "deleting"))
"""Points within the one transaction, in order."""
FIRST = (
    "erasure:journalled",
    *INSIDE,
    *(f"erasure:{step}" for step in ("deleted", "noted", "shredded", "key", "stores", "files", "drafted", "certified")),
)
SECOND = tuple(f"erasure:{step}" for step in ("residue", "cleared", "drafted", "certified"))


class Process:
    """Runs steps in children, and says how they ended."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.final_process"]
        self.running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, do: str, fault: str = "", **step: object) -> int:
        assert self.running.stdin
        assert self.running.stdout
        self.running.stdin.write(json.dumps({"do": do, "fault": fault, **{key: str(value) for key, value in step.items()}}) + "\n")
        self.running.stdin.flush()
        return int(self.running.stdout.readline())

    def close(self) -> None:
        assert self.running.stdin
        self.running.communicate()


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    found = Process()
    yield found
    found.close()


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


@dataclass(frozen=True)
class Large:
    """Somebody with many rows; every value of theirs holds `tag`."""

    known: Known
    tag: str
    key_id: int
    sealed: bytes
    context: str
    counted: dict[str, int]
    requests: int


def counted(subject: int) -> dict[str, int]:
    """Rows of a subject by table, counted by the owner of the tables, past everything that the product does."""
    found = {}
    with connections["owner"].cursor() as cursor:
        for table in of_subjects():
            cursor.execute(f'SELECT count(*) FROM "{table.name}" WHERE subject_id = %s', [subject])
            found[table.name] = int(cursor.fetchone()[0])
    return {name: count for name, count in found.items() if count}


def large(account: Account, most: int = ROWS) -> Large:
    """Somebody with rows in every table there is, a copy that lies ready as a file, letters in the outbox, and a sealed value."""
    known = dana(account)
    tag = known.email.split("@")[0].split(".")[1]
    asked(account, known.email, "access")
    work()
    at, subject = timezone.now(), known.id
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        origin = provenance.record(use, source="import", occasion="The old files", basis="contract", rule="collect:customer-file")
        names = ("subject", "given_name", "family_name", "job_title", "birth_date", "provenance_id", "created_at", "changed_at")
        lines = [(subject, "Dana", f"Marsh{tag}", f"Joiner {tag}", "1987-02-13", origin, at, at) for _ in range(most // 5)]
        people = values.insert(use, Person, names, lines)
        person = Person.under(use).get(pk=people[0])
        wide = ("subject", "person", "category", "source", "value", "provenance_id")
        points = [
            (subject, people[n % len(people)], "email", "import", f"{tag}x{n}@quayside.example", origin) for n in range(most * 2 // 5)
        ]
        values.insert(use, ContactPoint, wide, points)
        places = [(subject, people[n], "postal-address", "import", f"Row {tag}", origin) for n in range(most // 5)]
        values.insert(use, PostalAddress, wide, places)
        rows.insert(
            use, ValueOrigin, ("subject", "table", "row_id", "column"), [(subject, "contacts_person", n, "job_title") for n in people]
        )
        digests = [(subject, "email", secrets.token_bytes(32)) for _ in range(most // 20)]
        rows.insert(use, Identifier, ("subject", "kind", "digest"), digests)
        rows.insert(use, Acceptance, ("subject", "number", "how", "at"), [(subject, n, "continued-use", at) for n in range(most // 100)])
        (run,) = rows.insert(use, Import, *_import(at))
        rows.insert(use, Before, ("subject", "run"), [(subject, run)])
        held = Subject.under(use).get(pk=subject)
        choices.choose(use, held, "object", "analytics")
    with bookkeeping(account.pk) as use:
        requests = Request.under(use).filter(subject_reference=known.reference, closed_at=None).count()
    context = f"{known.reference}/contacts_person.birth_date"
    sealed = base64.b64decode(person.birth_date.removeprefix(SEALED)) if person.birth_date.startswith(SEALED) else b""
    return Large(known, tag, held.key_id or 0, sealed, context, counted(subject), requests)


def _import(at: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    wanted = [
        field
        for field in Import._meta.local_concrete_fields
        if field.name not in ("id", "account_id") and not field.null and not field.has_db_default()
    ]
    kinds = {"DateTimeField": at, "JSONField": {}, "IntegerField": 0, "BigIntegerField": 0, "BooleanField": False, "BinaryField": b""}
    return tuple(field.name for field in wanted), [tuple(kinds.get(field.get_internal_type(), "") for field in wanted)]


def found_in_files(needles: Sequence[str]) -> list[str]:
    """Files under KEPT_DATA that hold one of these, in any of the encodings that programs write."""
    wanted = [needle.encode(encoding) for needle in needles for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    return [str(path.relative_to(settings.DATA)) for path, content in stored().items() if any(one in content for one in wanted)]


def found_in_dump(needles: Sequence[str]) -> list[str]:
    """Which of these a dump holds, or what any SQL path shows: every table of every schema, and the planner's statistics."""
    dump = subprocess.run([needs("postgresql") / "pg_dump", os.environ["KEPT_OWNER_URL"]], capture_output=True, check=True).stdout.lower()
    assert b"contacts_person" in dump
    hits = [needle for needle in needles if needle.lower().encode() in dump]
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
        for schema, table in [*cursor.fetchall(), ("pg_catalog", "pg_stats")]:
            cursor.execute(f'SELECT count(*) FROM "{schema}"."{table}" t WHERE t::text ILIKE ANY (%s)', [[f"%{one}%" for one in needles]])
            hits += [table] if cursor.fetchone()[0] else []
    return hits


def found(needles: Sequence[str]) -> list[str]:
    """Where any of these is found in what a certificate claims on this engine."""
    return found_in_files(needles) + (found_in_dump(needles) if on_postgres() else [])


def held(account: Account, request: str) -> Erasure:
    with bookkeeping(account.pk) as use:
        return Erasure.under(use).get(request=request)


def test_fifty_kills_leave_nothing_half_done(account: Account, process: Process) -> None:
    chance, said = random.Random(SEED), f"KEPT_TEST_SEED={SEED}"
    crowd = [large(account) for _ in range(PEOPLE)]
    assert all(found_in_files([one.tag]) for one in crowd) or on_postgres()
    assert all(sum(one.counted.values()) >= ROWS and len(one.counted) == len(of_subjects()) for one in crowd), crowd[0].counted
    kills = 0
    asked_for = [secrets.token_hex(16) for _ in crowd]
    for one, request in zip(crowd, asked_for, strict=True):
        for fault in sorted(chance.sample(FIRST, (KILLS - len(SECOND)) // PEOPLE + 1), key=FIRST.index):
            step = {"account": account.pk, "subject": one.known.id, "request": request}
            assert process("erase", fault, **step) == -signal.SIGKILL, f"{fault}, {said}"
            kills += 1
            left = counted(one.known.id)
            assert left == (one.counted if fault in ("erasure:journalled", *INSIDE) else {}), f"{fault}, {said}"
        assert process("resume") == 0, said
    for fault in SECOND:
        assert process("residue", fault) == -signal.SIGKILL, f"{fault}, {said}"
        kills += 1
    assert process("residue") == 0, said
    assert kills >= KILLS

    _, key = ledger.signing_key(account.pk)
    for one, request in zip(crowd, asked_for, strict=True):
        done = held(account, request)
        document: Any = done.certificate["document"]  # type: ignore[index]
        assert (document["stage"], document["found_afterwards"]) == ("residue cleared", {}), said
        assert (document["rows"], document["stores"]) == (one.counted, {"requests": one.requests}), said
        assert verify_receipt(encode(done.certificate or {}), key).state == "valid", said
        assert verify_receipt(erasure.key_receipt(account.pk, request), key).state == "valid", said
        assert not journal.is_open(request), said
        with pytest.raises(Shredded):
            vault().open(one.key_id, one.sealed, one.context)
    assert found([value for one in crowd for value in (one.tag, *one.known.values)]) == [], said
    assert ledger.faults(account.pk) == [], said


def test_an_erasure_in_part_that_is_killed_completes_and_so_does_its_rest(account: Account, process: Process) -> None:
    chance, said = random.Random(SEED), f"KEPT_TEST_SEED={SEED}"
    one, request = large(account, 200), secrets.token_hex(16)
    with bookkeeping(account.pk, writing=True) as use:
        case = holds.open_case(use, "member:alice", "Claim about the pier", "legal-claim")
        holds.place(use, "member:alice", case.pk, [one.known.reference], categories=["postal-address"])
    step = {"account": account.pk, "subject": one.known.id, "request": request}
    part = [fault for fault in FIRST if fault not in ("erasure:noted", "erasure:shredded")]
    for fault in sorted(chance.sample(part, 6), key=FIRST.index):
        assert process("erase", fault, **step) == -signal.SIGKILL, f"{fault}, {said}"
        left = counted(one.known.id)
        assert (left == one.counted) == (fault in ("erasure:journalled", *INSIDE)), f"{fault}, {said}"
    assert process("resume") == 0, said
    done, left = held(account, request), counted(one.known.id)
    assert done.kept, said
    assert {name: left.get(name, 0) + done.counts.get(name, 0) for name in one.counted} == {
        **one.counted,
        "privacy_choice": left["privacy_choice"],
    }
    assert found_in_files([one.tag]) or on_postgres(), "what is held is there"
    process("residue")
    assert found([one.known.email, f"Joiner {one.tag}", f"Marsh{one.tag}"]) == [], said

    with bookkeeping(account.pk, writing=True) as use:
        holds.release(use, "member:alice", case.pk, "It was settled.")
    for fault in sorted(chance.sample(FIRST[1:], 6), key=FIRST.index):
        assert process("released" if counted(one.known.id) else "resume", fault, **step) == -signal.SIGKILL, f"{fault}, {said}"
    assert process("resume") == 0, said
    assert process("residue") == 0, said
    assert counted(one.known.id) == {}, said
    assert found([one.tag]) == [], said
    assert ledger.faults(account.pk) == [], said

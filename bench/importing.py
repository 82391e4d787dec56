"""Importing people against the engine doing the same writes.

The same rows into the same tables, with the same indexes (full text included) and foreign keys, in chunks of as many people; without
guard, staging, validation, matching or sealing.
"""

from __future__ import annotations

import csv
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connections

from bench.measure import Ratio, seconds
from kept.apps.imports import actions
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import Table, tables
from kept.platform.data.guard.postgres import foreign_keys
from kept.platform.data.rows import on_postgres

GIVEN = "Dana Jonas Rosa Tom Ada Miriam Elias Priya Callum Yusuf Freya Oskar Leonie Hamish Noor Gwen Pavel Ines Duncan Mei".split()
FAMILY = "Marsh Olsen Prieto Wills Brandt Adeyemi Kovac Raman Reid Demir Nyberg Fischer Munro Haddad Pryce Novak Duarte Lin Visser".split()
CITIES = "Bristol Bath Cardiff Gloucester Exeter Swindon Taunton Newport Hereford Wells".split()
HEADER = ("Customer no", "Given name", "Family name", "Email", "Street", "City", "Postcode", "Country")
CHUNK = 5000


def write_file(path: Path, people: int) -> None:
    """A CSV file of invented people."""
    dice = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(people):
            given, family = dice.choice(GIVEN), f"{dice.choice(FAMILY)}{dice.randrange(2000):x}"
            email = f"{given}.{family}.{n}@quayside.example".lower()
            writer.writerow((f"B-{n}", given, family, email, f"{n % 90 + 1} Quay Street", dice.choice(CITIES), f"BS{n % 9 + 1} 1XX", "GB"))


def import_file(account: Account, path: Path) -> float:
    """Through the product: staging, validation, duplicates, suppression, keys, provenance; in seconds."""

    def work() -> None:
        with path.open("rb") as file:
            run = actions.start(account.pk, file, "the bench", "contract", "command:bench")
        done = actions.commit_now(account.pk, run.pk, "command:bench")
        assert done.created > 0, "the import created nobody"

    return seconds(work)


def filled() -> list[Table]:
    """The tables that an import of people fills."""
    names = ("data_subject", "contacts_person", "contacts_contactpoint", "contacts_postaladdress", "privacy_identifier")
    return [table for table in tables() if table.name in names]


def _rows(table: Table, most: int) -> Iterator[list[tuple[object, ...]]]:
    """What the import wrote, in chunks of as many people's worth."""
    with connections["owner"].chunked_cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} LIMIT {most}")
        while chunk := cursor.fetchmany(CHUNK):
            yield [tuple(row) for row in chunk]


def same_writes(people: int) -> float:
    """The engine alone: chunks of the same rows, in the order the import writes them; in seconds of writing."""
    took = 0.0
    sources = [(table, _rows(table, people * 3)) for table in filled()]
    keys = itertools.repeat(b"k" * 60, people)
    write = _PostgresCopy() if on_postgres() else _SqliteCopy()
    live = list(sources)
    while live:
        batch = []
        for table, chunks in list(live):
            rows = next(chunks, None)
            if rows is None:
                live.remove((table, chunks))
            else:
                batch.append((table, rows))
        start = time.perf_counter()
        write.chunk(batch, list(itertools.islice(keys, CHUNK)))
        took += time.perf_counter() - start
    return took


class _SqliteCopy:
    """A second file with the same tables, indexes and full-text indexes, without guard or product."""

    def __init__(self) -> None:
        path = settings.DATA / "same-writes.sqlite3"
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;")
        wanted = {table.name for table in filled()}
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'trigger', type = 'index'")
            for name, table, sql in cursor.fetchall():
                index = name.startswith("guard_fts_") and name.removeprefix("guard_fts_") in wanted and sql.startswith("CREATE VIRTUAL")
                search = name.startswith("guard_fts_") and "CREATE TRIGGER" in sql
                follows = sql.startswith("CREATE TRIGGER guard_fts_new") and table in wanted
                if index or follows or (table in wanted and not sql.startswith("CREATE TRIGGER") and not search):
                    self.db.execute(sql)
        self.db.execute("CREATE TABLE subject_key (id INTEGER PRIMARY KEY AUTOINCREMENT, wrapped BLOB NOT NULL)")

    def chunk(self, batch: list[tuple[Table, list[tuple[object, ...]]]], keys: list[bytes]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany("INSERT INTO subject_key (wrapped) VALUES (?)", [(key,) for key in keys])
        for table, rows in batch:
            holes = ", ".join("?" * len(table.columns))
            self.db.executemany(f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({holes})", rows)
        self.db.execute("COMMIT")


class _PostgresCopy:
    """A second schema with the same tables and indexes, without guard or product; COPY, the engine's fastest way in."""

    def __init__(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute("CREATE SCHEMA same_writes")
            for table in filled():
                cursor.execute(f"CREATE TABLE same_writes.{table.name} (LIKE public.{table.name} INCLUDING ALL)")
            for table in filled():
                for name, definition in foreign_keys(table).items():
                    if table.references.keys() & {"subject_id", "person_id"}:
                        known = definition.replace("REFERENCES ", "REFERENCES same_writes.")
                        if "same_writes.contacts_company" not in known:
                            cursor.execute(f"ALTER TABLE same_writes.{table.name} ADD CONSTRAINT {name} {known}")
            cursor.execute("CREATE TABLE same_writes.subject_key (id bigserial PRIMARY KEY, wrapped bytea NOT NULL)")

    def chunk(self, batch: list[tuple[Table, list[tuple[object, ...]]]], keys: list[bytes]) -> None:
        from django.db import transaction

        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            with cursor.copy("COPY same_writes.subject_key (wrapped) FROM STDIN") as copy:
                for key in keys:
                    copy.write_row((key,))
            for table, rows in batch:
                columns = ", ".join(f'"{column}"' for column in table.columns)
                with cursor.copy(f"COPY same_writes.{table.name} ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)


def compare(account: Account, people: int, folder: Path) -> Ratio:
    """Both."""
    path = folder / "people.csv"
    write_file(path, people)
    return Ratio(f"import of {people:,} people (ours : the engine's writes)", import_file(account, path), same_writes(people))

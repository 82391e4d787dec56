"""Where wrapped subject keys live: a database of their own, laid out so that a deleted key leaves no byte behind.

Sequential ids, values of one fixed length, no other index; on SQLite with `secure_delete`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import connections, transaction

KEYS = "keys"


def create_table() -> None:
    """Make the table of keys where it is missing."""
    with connections[KEYS].cursor() as cursor:
        if connections[KEYS].vendor == "postgresql":
            cursor.execute("CREATE TABLE IF NOT EXISTS subject_key (id bigserial PRIMARY KEY, wrapped bytea NOT NULL)")
        else:
            cursor.execute("CREATE TABLE IF NOT EXISTS subject_key (id INTEGER PRIMARY KEY AUTOINCREMENT, wrapped BLOB NOT NULL)")


def _in(ids: Iterable[int]) -> str:
    """A list of integers, written out: there may be more of them than a statement takes parameters."""
    return ",".join(str(int(one)) for one in ids) or "NULL"


class DatabaseKeyStore:
    """The `KeyStore` of core/vault on the `keys` database."""

    def add(self, wrapped: Sequence[bytes]) -> list[int]:
        """Store keys; their ids, in order."""
        with transaction.atomic(using=KEYS), connections[KEYS].cursor() as cursor:
            if connections[KEYS].vendor == "postgresql":
                cursor.execute("INSERT INTO subject_key (wrapped) SELECT unnest(%s::bytea[]) RETURNING id", [list(wrapped)])
                return [int(row[0]) for row in cursor.fetchall()]
            cursor.execute("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'subject_key'), 0)")
            first = int(cursor.fetchone()[0]) + 1
            cursor.executemany("INSERT INTO subject_key (id, wrapped) VALUES (%s, %s)", list(enumerate(wrapped, first)))
            return list(range(first, first + len(wrapped)))

    def get(self, ids: Iterable[int]) -> dict[int, bytes]:
        """The wrapped keys that are still there."""
        with connections[KEYS].cursor() as cursor:
            cursor.execute(f"SELECT id, wrapped FROM subject_key WHERE id IN ({_in(ids)})")
            return {int(one): bytes(wrapped) for one, wrapped in cursor.fetchall()}

    def delete(self, ids: Iterable[int]) -> int:
        """Destroy keys; how many there were."""
        with connections[KEYS].cursor() as cursor:
            cursor.execute(f"DELETE FROM subject_key WHERE id IN ({_in(ids)})")
            return int(cursor.rowcount)

    def replace(self, wrapped: Mapping[int, bytes]) -> None:
        """Put newly wrapped keys in the place of old ones."""
        with transaction.atomic(using=KEYS), connections[KEYS].cursor() as cursor:
            cursor.executemany("UPDATE subject_key SET wrapped = %s WHERE id = %s", [(new, one) for one, new in wrapped.items()])

    def all_ids(self, after: int, limit: int) -> list[int]:
        """Ids above `after`, ascending."""
        with connections[KEYS].cursor() as cursor:
            cursor.execute("SELECT id FROM subject_key WHERE id > %s ORDER BY id LIMIT %s", [after, limit])
            return [int(row[0]) for row in cursor.fetchall()]

    def last_id(self) -> int:
        """The highest id ever given out."""
        with connections[KEYS].cursor() as cursor:
            if connections[KEYS].vendor == "postgresql":
                cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM subject_key_id_seq")
            else:
                cursor.execute("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'subject_key'), 0)")
            return int(cursor.fetchone()[0])

    def refill(self, kept: Iterable[Sequence[tuple[int, bytes]]], last_id: int) -> int:
        """Have these keys, and no others, under their ids, inside the caller's transaction; how many. No id up to `last_id`, nor any
        given out here before, is given again."""
        last, count = max(last_id, self.last_id()), 0
        with connections[KEYS].cursor() as cursor:
            cursor.execute("DELETE FROM subject_key")
            for some in kept:
                cursor.executemany("INSERT INTO subject_key (id, wrapped) VALUES (%s, %s)", some)
                count += len(some)
            if connections[KEYS].vendor == "postgresql":
                cursor.execute("SELECT setval('subject_key_id_seq', greatest(%s::bigint, 1), %s::bigint > 0)", [last, last])
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'subject_key'")
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('subject_key', %s)", [last])
        return count

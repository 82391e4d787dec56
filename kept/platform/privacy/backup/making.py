"""Making a backup: one moment of the database, every person's rows under that person's key."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from kept.core.errors import Closed, Conflict, Shredded
from kept.core.vault import WRAPPED_BYTES
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import SUBJECT
from kept.platform.privacy import journal
from kept.platform.privacy.backup import archive, content
from kept.platform.privacy.secrets import blind_index, vault

KEY: Final = struct.Struct(f">Q{WRAPPED_BYTES}s")
"""A key as it stands in the file of keys: its id, and its wrapped bytes."""
_AT_ONCE = 1000
SEALED_FILES = "*/*.sealed"
"""Files that are backed up: what is sealed is named so. Letters in the outbox, mail to the team and the journal are not."""


@dataclass
class Made:
    """What a backup holds. `left_out` are rows of people whose key was gone by the time they were to be sealed; of these, `unexplained`
    are the people whom no erasure of the journal names."""

    file: str
    keys_file: str
    tables: dict[str, int] = field(default_factory=dict)
    files: int = 0
    keys: int = 0
    left_out: int = 0
    unexplained: int = 0
    size: int = 0
    seconds: float = 0.0


def back_up(path: Path, keys_path: Path) -> Made:
    """Write a backup, and the keys to it. Raises Conflict when there is such a file already, Closed when there is no room for it."""
    for one in (path, keys_path):
        if one.exists():
            raise Conflict("There is such a file already.", place=str(one), cure="Give each backup a name of its own.")
    began, made = time.monotonic(), Made(path.name, keys_path.name)
    try:
        _write(path, keys_path, made)
    except OSError as error:
        message = f"The backup could not be written: {error.strerror}. Nothing of it stays."
        raise Closed(message, place=str(path), cure="Make room, or name another place.") from error
    made.seconds = time.monotonic() - began
    return made


def _write(path: Path, keys_path: Path, made: Made) -> None:
    identity = secrets.token_hex(16)
    (own_key,) = vault().create()
    writer = archive.Writer(path)
    try:
        keys_writer = archive.Writer(keys_path)
        try:
            manifest = _write_content(writer, identity, own_key, made)
            last_key = _write_keys(keys_writer, identity, own_key, made)
            manifest |= {"last_key": last_key, "journal": journal_now()}
            writer.finish(manifest, lambda digest: vault().seal(own_key, digest, context(archive.CONTENT, identity)))
            made.size = keys_writer.place()  # first: a backup never stands there without its keys
            made.size += writer.place()
        finally:
            keys_writer.discard()
    finally:
        writer.discard()


def context(form: str, identity: str, place: str = "") -> str:
    """What a seal in a backup is bound to."""
    return f"{form}/{identity}/{place}"


def journal_now() -> dict[str, object]:
    """How far the erasure journal has come. A deployment that never erased anybody gets an empty one: without any nothing is restored."""
    path = journal.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    whole = path.read_bytes().rpartition(b"\n")
    written = whole[0] + whole[1]
    return {"intents": len(journal.intents()), "size": len(written), "digest": hashlib.sha256(written).hexdigest()}


def index_check(identity: str) -> str:
    """Tells whether a deployment has the same secret of the blind index: with another one nobody would be found, or stay suppressed."""
    return blind_index().digest(0, "backup", identity).hex()


def _write_content(writer: archive.Writer, identity: str, own_key: int, made: Made) -> dict[str, Any]:
    known = content.parts()
    gone: set[int] = set()
    with content.snapshot() as cursor:
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        for name, part in known.items():
            with writer.member(f"tables/{name}") as write:
                sealing = _Sealing(own_key, context(archive.CONTENT, identity, name))
                for piece in sealing.frames(content.lines(cursor, part)):
                    write(piece)
            made.tables[name] = sealing.rows
            made.left_out += sealing.left_out
            gone |= sealing.gone if name == SUBJECT else set()
        sequences, roles = content.sequences(cursor), content.roles(cursor)
    made.files = _write_files(writer)
    made.unexplained = len(gone - {intent.key_id for intent in journal.intents().values()}) if gone else 0
    return {
        "format": archive.CONTENT,
        "id": identity,
        "made_at": made_at,
        "engine": "postgresql" if on_postgres() else "sqlite",
        "key": own_key,
        "index": index_check(identity),
        "tables": {name: {"columns": part.columns, "rows": made.tables[name]} for name, part in known.items()},
        "sequences": sequences,
        "roles": roles,
    }


class _Sealing:
    """Seals the rows of one table, in frames of neighbouring rows of one key."""

    def __init__(self, own_key: int, bound_to: str) -> None:
        self.own_key, self.bound_to = own_key, bound_to
        self.rows = self.left_out = 0
        self.gone: set[int] = set()

    def frames(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
        """Frames, some at a time."""
        waiting = iter(lines)
        while some := list(itertools.islice(waiting, _AT_ONCE)):
            groups = [(key_id, [row for _, row in group]) for key_id, group in itertools.groupby(some, key=lambda line: line[0])]
            items = [(key_id or self.own_key, b"\n".join([*rows, b""]), self.bound_to) for key_id, rows in groups]
            made = []
            for (key_id, _, _), (_, rows), sealed in zip(items, groups, self._sealed(items), strict=True):
                if sealed is None:
                    self.left_out += len(rows)
                    self.gone.add(key_id)
                else:
                    self.rows += len(rows)
                    made.append(archive.frame(key_id, len(rows), sealed))
            yield b"".join(made)

    def _sealed(self, items: list[tuple[int, bytes, str]]) -> list[bytes] | list[bytes | None]:
        try:
            return vault().seal_many(items)
        except Shredded:  # somebody was erased since the moment that is being read
            return [self._one(*item) for item in items]

    def _one(self, key_id: int, plain: bytes, bound_to: str) -> bytes | None:
        try:
            return vault().seal(key_id, plain, bound_to)
        except Shredded:
            return None


def _write_files(writer: archive.Writer) -> int:
    """Sealed files as they are; one that goes meanwhile was finished with."""
    count = 0
    for path in sorted(settings.DATA.glob(SEALED_FILES)):
        try:
            with path.open("rb") as file, writer.member(f"files/{path.relative_to(settings.DATA).as_posix()}") as write:
                while piece := file.read(archive.BLOCK):
                    write(piece)
        except FileNotFoundError:
            continue
        count += 1
    return count


def _write_keys(writer: archive.Writer, identity: str, own_key: int, made: Made) -> int:
    """The keys as they stand when everything is sealed; the highest id ever given out."""
    store, after = DatabaseKeyStore(), 0
    with writer.member("keys") as write:
        while ids := store.all_ids(after, _AT_ONCE):
            found = store.get(ids)
            write(b"".join(KEY.pack(key_id, found[key_id]) for key_id in sorted(found)))
            made.keys, after = made.keys + len(found), ids[-1]
    last = store.last_id()
    manifest = {"format": archive.KEYS, "id": identity, "key": own_key, "keys": made.keys, "last_key": last}
    writer.finish(manifest, lambda digest: vault().seal(own_key, digest, context(archive.KEYS, identity)))
    return last

"""The erasure journal: intents and completions, outside the database, so that no restored backup brings anybody back.

One JSON document a line, appended and fsynced before the first destructive act. It holds digests and references, no values.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from kept.core.errors import Closed


@dataclass(frozen=True)
class Intent:
    """What an erasure is going to do. `identifiers` are keyed digests in hex, by kind."""

    request: str
    account_id: int
    subject_id: int
    reference: str
    key_id: int
    actor: str
    rule: str
    identifiers: tuple[tuple[str, str], ...]
    at: str


def path() -> Path:
    """Where the journal stands."""
    found: Path = settings.DATA / "journal" / "erasures.jsonl"
    return found


def _append(record: dict[str, object]) -> None:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    body = json.dumps(record, separators=(",", ":"))
    line = f"{zlib.crc32(body.encode()):08x} {body}\n".encode()
    descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        if os.fstat(descriptor).st_size and not _ends_whole(file):
            line = b"\n" + line  # the process died within a line: that line never counted
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _ends_whole(file: Path) -> bool:
    with file.open("rb") as reading:
        reading.seek(-1, os.SEEK_END)
        return reading.read(1) == b"\n"


def _records() -> Iterator[dict[str, object]]:
    try:
        lines = path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise Closed("The erasure journal cannot be read.", place=path().name, cure="Restore it from its own backup.") from error
    for line in lines:
        checksum, _, body = line.partition(b" ")
        if body and f"{zlib.crc32(body):08x}".encode() == checksum:
            yield json.loads(body)


def intend(intent: Intent) -> None:
    """Write down what is going to be done; on return it is on the disk."""
    _append({"step": "intent"} | asdict(intent))


def finish(request: str) -> None:
    """Write down that it is done."""
    _append({"step": "done", "request": request})


def intents() -> dict[str, Intent]:
    """Every erasure ever intended, by request: what a restore replays."""
    found = {}
    for record in _records():
        if record.pop("step") == "intent":
            pairs = tuple((str(kind), str(digest)) for kind, digest in record.pop("identifiers"))  # type: ignore[attr-defined]
            found[str(record["request"])] = Intent(identifiers=pairs, **record)  # type: ignore[arg-type]
    return found


def unfinished() -> list[Intent]:
    """Erasures that were intended and are not yet known to be done, oldest first."""
    done = {str(record["request"]) for record in _records() if record["step"] == "done"}
    return [intent for request, intent in intents().items() if request not in done]

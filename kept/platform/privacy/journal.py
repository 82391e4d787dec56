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
from typing import Any

from django.conf import settings

from kept.core.errors import Closed


@dataclass(frozen=True)
class Intent:
    """What an erasure is going to do. `identifiers` are keyed digests in hex, by kind.

    `mark` is the reference sealed under the subject's key. Ids of rows and keys can be given out again after a restore: whoever
    replays this recognises the person by the reference, and their key by its opening the mark.
    """

    request: str
    account_id: int
    subject_id: int
    reference: str
    key_id: int
    mark: str
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
        if os.write(descriptor, line) != len(line):
            raise Closed("The erasure journal took only a part of what was written.", place=file.name, cure="Make room on its disk.")
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


def _records(mentioning: str = "") -> Iterator[dict[str, Any]]:
    """What was written, oldest first; only lines that mention this, if given. Raises Closed when a whole line was changed."""
    try:
        lines = path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise Closed("The erasure journal cannot be read.", place=path().name, cure="Restore it from its own backup.") from error
    for number, line in enumerate(lines, 1):
        checksum, _, body = line.partition(b" ")
        if not body or mentioning.encode() not in body:
            continue
        if f"{zlib.crc32(body):08x}".encode() == checksum:
            yield json.loads(body)
        elif body.endswith(b"}"):  # a line that a dying process left has no end
            place = f"{path().name}:{number}"
            raise Closed("The erasure journal was changed since it was written.", place=place, cure="Restore it from its own backup.")


def intend(intent: Intent) -> None:
    """Write down what is going to be done; on return it is on the disk. Again, when it has to be done again."""
    _append({"step": "intent"} | asdict(intent))


def finish(request: str) -> None:
    """Write down that it is done."""
    _append({"step": "done", "request": request})


def _read(mentioning: str = "") -> tuple[dict[str, Intent], list[str]]:
    """Every intent by request, and the requests that are open, oldest first."""
    intents: dict[str, Intent] = {}
    waiting: dict[str, None] = {}
    for record in _records(mentioning):
        request = str(record["request"])
        if record.pop("step") == "done":
            waiting.pop(request, None)
            continue
        waiting[request] = None
        pairs = tuple((str(kind), str(digest)) for kind, digest in record.pop("identifiers"))
        # Of two processes that wrote the same intent at once only the first is sure to have seen the person whole.
        intents.setdefault(request, Intent(identifiers=pairs, **record))
    return intents, list(waiting)


def find(request: str) -> Intent | None:
    """What this request is going to erase or has erased; None before it was written down."""
    return _read(request)[0].get(request)


def is_open(request: str) -> bool:
    """Whether this request's erasure was intended and is not known to be done."""
    return request in _read(request)[1]


def intents() -> dict[str, Intent]:
    """Every erasure ever intended, by request: what a restore replays."""
    return _read()[0]


def unfinished() -> list[Intent]:
    """Erasures that were intended and are not yet known to be done, oldest first."""
    found, waiting = _read()
    return [found[request] for request in waiting]

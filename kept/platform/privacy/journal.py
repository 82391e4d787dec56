"""The erasure journal: intents and completions, outside the database, so that no restored backup brings anybody back.

One JSON document a line, appended and fsynced before the first destructive act. It holds digests and references, no values.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from kept.core.errors import Closed


@dataclass(frozen=True)
class Intent:
    """What an erasure is going to do. `identifiers` are keyed digests in hex, by kind.

    `holds` are those that stood on the person: the reference and ground of a case, a category, until when. `mark` is the person's
    reference sealed under their key. Ids of rows and keys can be given out again after a restore: whoever replays this recognises the
    person by the reference, and their key by its opening the mark.
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
    holds: tuple[tuple[str, str, str, str], ...] = ()


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


@dataclass
class _Read:
    """What one journal says, as far as it was read: every intent by request, those that are open, oldest first, those whose rows are gone.

    It grows with the file, which is only ever appended to: an erasure costs the same whatever came before it. `size` is in bytes.
    """

    file: tuple[int, int] = (0, 0)
    changed: int = 0
    size: int = 0
    lines: int = 0
    intents: dict[str, Intent] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def take(self, record: dict[str, Any]) -> None:
        """One more line."""
        request, step = str(record["request"]), record.pop("step")
        if step == "done":
            self.waiting.pop(request, None)
        if step != "intent":
            self.erased.add(request)
            return
        self.waiting[request] = None
        lists: dict[str, Any] = {name: tuple(tuple(map(str, one)) for one in record.pop(name, ())) for name in ("identifiers", "holds")}
        # Of two processes that wrote the same intent at once only the first is sure to have seen the person whole.
        self.intents.setdefault(request, Intent(**lists, **record))


_READ: dict[Path, _Read] = {}
_LOCK = threading.Lock()


def _read() -> _Read:
    """The journal as it stands: what was read of it before, and what has come since. Another file, or one that was changed in place, is
    read from its beginning. Raises Closed when a whole line was changed.
    """
    with _LOCK:
        try:
            stat = path().stat()
            held = _READ.get(path(), _Read())
            in_place = stat.st_size < held.size or (stat.st_size == held.size and stat.st_mtime_ns != held.changed)
            if held.file != (stat.st_dev, stat.st_ino) or in_place:
                held = _Read((stat.st_dev, stat.st_ino))
            if stat.st_size > held.size:
                _READ.pop(path(), None)
                with path().open("rb") as file:
                    file.seek(held.size)
                    _take(held, file.read())
            held.changed = stat.st_mtime_ns
        except FileNotFoundError:
            _READ.pop(path(), None)
            return _Read()
        except OSError as error:
            raise Closed("The erasure journal cannot be read.", place=path().name, cure="Restore it from its own backup.") from error
        _READ[path()] = held
        return held


def _take(held: _Read, written: bytes) -> None:
    """Read what was appended. A line that a dying process left has no end, and counts only if it is whole."""
    for line in written.splitlines(keepends=True):
        checksum, _, body = line.rstrip(b"\n").partition(b" ")
        whole = f"{zlib.crc32(body):08x}".encode() == checksum
        if not line.endswith(b"\n") and not whole:
            return
        held.size, held.lines = held.size + len(line), held.lines + 1
        if body and whole:
            held.take(json.loads(body))
        elif body.endswith(b"}"):
            place = f"{path().name}:{held.lines}"
            raise Closed("The erasure journal was changed since it was written.", place=place, cure="Restore it from its own backup.")


def intend(intent: Intent) -> None:
    """Write down what is going to be done; on return it is on the disk. Again, when it has to be done again."""
    _append({"step": "intent"} | asdict(intent))


def finish(request: str) -> None:
    """Write down that it is done: nothing is left to do, and nothing of the person stays."""
    _append({"step": "done", "request": request})


def note_erased(request: str) -> None:
    """Write down that every row is gone: whoever replays this erasure heeds no hold that a restored database brings back."""
    if not is_erased(request):
        _append({"step": "erased", "request": request})


def is_erased(request: str) -> bool:
    """Whether every row of this request's person was once gone."""
    return request in _read().erased


def find(request: str) -> Intent | None:
    """What this request is going to erase or has erased; None before it was written down."""
    return _read().intents.get(request)


def is_open(request: str) -> bool:
    """Whether this request's erasure was intended and is not known to be done."""
    return request in _read().waiting


def intents() -> dict[str, Intent]:
    """Every erasure ever intended, by request: what a restore replays."""
    return dict(_read().intents)


def unfinished() -> list[Intent]:
    """Erasures that were intended and are not yet known to be done, oldest first."""
    held = _read()
    return [held.intents[request] for request in list(held.waiting)]

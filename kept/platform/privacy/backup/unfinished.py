"""The mark of a restore that is under way. While it stands nothing but `kept restore` and `kept doctor` runs."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from kept.core.errors import Closed


def _mark() -> Path:
    found: Path = settings.DATA / "restore.unfinished"
    return found


def _sync_folder() -> None:
    folder = os.open(_mark().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def begin(backup: Path) -> None:
    """Set the mark; on return it is on the disk."""
    with _mark().open("w") as file:
        json.dump({"backup": backup.name, "since": datetime.now(UTC).isoformat(timespec="seconds")}, file)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder()


def end() -> None:
    """Take it away."""
    _mark().unlink()
    _sync_folder()


def unfinished() -> bool:
    """Whether a restore began and has not run to its end."""
    return _mark().exists()


def refuse_unfinished() -> None:
    """Raises Closed while a restore has not run to its end: those whom the journal names may be back."""
    if unfinished():
        cure = "Run `kept restore` again, to its end: it replays the erasure journal, without which erased people may be back."
        raise Closed("A restore began and has not run to its end.", place=_mark().name, cure=cure)

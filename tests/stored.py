"""What stands in the files of a deployment, for tests that search them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from django.conf import settings


def stored() -> dict[Path, bytes]:
    """Every file under KEPT_DATA with its bytes, read by a process of its own.

    A process that has SQLite open must not open the same files itself: closing them gives up its locks (POSIX), another process may then
    cut the shared memory short, and the next large write ends in SIGBUS.
    """
    files = sorted(path for path in Path(settings.DATA).rglob("*") if path.is_file())
    return {path: subprocess.run(["cat", path], capture_output=True, check=False).stdout for path in files}

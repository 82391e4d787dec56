"""Backup and restore beside the engine's own copy of the same database, in one run.

`scripts/postgres .venv/bin/python -m bench.backing --people 20000`. The peers are VACUUM INTO, both ways, on SQLite, and pg_dump and
pg_restore without compression on PostgreSQL: they seal nothing, check nothing, and replay nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import engines

RUNS = 3


def measure(engine: str, people: int) -> None:
    """People of five rows each; a backup, and a restore that replaces everything."""
    from django.db import connections

    from bench.filling import ROWS_EACH, fill
    from bench.measure import Ratio, Work, say, seconds
    from kept.platform.privacy.backup import back_up, restore

    fill(engines.deployment(), people * ROWS_EACH)
    say(f"\n{engines.ENGINES[engine]}, {people:,} people{'':<32} {'ours':>12}  {'peer':>11}    ratio")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy, back = (_vacuum if engine == "sqlite" else _dump)(folder, connections["owner"])
        made, before = folder / "backup", _memory()

        def backup() -> None:
            for path in folder.glob("backup*"):
                path.unlink()
            back_up(made, folder / "backup.keys")

        def put_back() -> None:
            restored = restore(made, folder / "backup.keys", replace=True)
            assert restored.tables["contacts_person"] == people, restored.tables

        works: tuple[tuple[str, Work, Work], ...] = (("backup", backup, copy), ("restore", put_back, back))
        for what, ours, peer in works:
            took = sorted((seconds(ours), seconds(peer)) for _ in range(RUNS))
            mine, theirs = sorted(one for one, _ in took), sorted(one for _, one in took)
            say(Ratio(f"{what} of {people * ROWS_EACH:,} rows (ours : the engine's copy)", mine[RUNS // 2], theirs[RUNS // 2]))
        sizes = sum(path.stat().st_size for path in folder.glob("backup*")), (folder / "copy").stat().st_size
        say(f"{'':<4}{sizes[0]:,} bytes, and {sizes[1]:,} of the engine's copy; {_memory() - before:,} kB more memory at most")


def _memory() -> int:
    """The most memory this process has had so far, in kB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _vacuum(folder: Path, connection: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    import sqlite3

    def copy() -> None:
        (folder / "copy").unlink(missing_ok=True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(folder / "copy")])

    def back() -> None:
        (folder / "back").unlink(missing_ok=True)
        opened = sqlite3.connect(folder / "copy")
        opened.execute("VACUUM INTO ?", [str(folder / "back")])
        opened.close()

    return copy, back


def _dump(folder: Path, connection: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    import os

    address = os.environ["KEPT_OWNER_URL"]
    found = shutil.which("pg_dump")
    programs = Path(found).parent if found else Path(subprocess.check_output(["scripts/postgres", "--bin"], text=True).strip())

    def copy() -> None:
        subprocess.run([programs / "pg_dump", "-Fc", "-Z0", "-f", folder / "copy", address], check=True)

    def back() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS copied")
            cursor.execute("CREATE DATABASE copied TEMPLATE template0")
        other = address.rpartition("/")[0] + "/copied"
        subprocess.run([programs / "pg_restore", "-d", other, folder / "copy"], check=True)

    return copy, back


if __name__ == "__main__":
    arguments = engines.parser("bench.backing", "Backup and restore beside the engine's own copy.")
    arguments.add_argument("--people", type=int, default=20_000)
    given = arguments.parse_args()
    sys.exit(engines.each(given.engine, measure, given.people))

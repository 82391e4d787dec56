"""A measurement on each engine, in a process and a folder of its own, set up as a deployment would be."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kept.platform.accounts.models import Account

ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def parser(name: str, what: str) -> argparse.ArgumentParser:
    """What every measurement takes."""
    made = argparse.ArgumentParser(prog=name, description=what)
    made.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    return made


def each(engine: str, measure: Callable[..., None], *given: object) -> int:
    """Run `measure` on this engine, or on both; 0 when all went well. Its module must not import Django by itself."""
    failed = 0
    for one in ENGINES if engine == "both" else (engine,):
        if one == "postgresql" and "KEPT_OWNER_URL" not in os.environ:
            sys.exit("bench: PostgreSQL needs a cluster: `make bench`, or scripts/postgres .venv/bin/python -m bench….")
        with tempfile.TemporaryDirectory(prefix=f"kept-bench-{one}-") as folder:
            process = multiprocessing.get_context("spawn").Process(target=_alone, args=(one, folder, measure, given))
            process.start()
            process.join()
            failed |= process.exitcode or 0
    return failed


def _alone(engine: str, folder: str, measure: Callable[..., None], given: tuple[object, ...]) -> None:
    os.environ |= {"KEPT_DATA": folder, "DJANGO_SETTINGS_MODULE": "kept.project.settings"}
    if engine == "sqlite":
        for name in ("KEPT_DATABASE_URL", "KEPT_OWNER_URL", "KEPT_KEYS_URL"):
            os.environ.pop(name, None)
    import django

    django.setup()
    measure(engine, *given)


def deployment() -> Account:
    """A database with its guard, and in it an account whose notice is in force. Once in a process."""
    from kept.platform.data.guard import install
    from kept.platform.privacy.testing import cast, with_notice

    install.migrate()
    return with_notice(cast().account)

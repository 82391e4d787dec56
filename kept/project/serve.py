"""Serving: bring the database to this version, look that the guard is whole, finish what a crash left, then serve and work."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from kept.platform.data.guard import install
from kept.platform.privacy import erasure


def needs_migration() -> bool:
    """Whether tables or guard are of another version than this program."""
    executor = MigrationExecutor(connections["owner"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return True
    return install.installed_map() != install.map_digest()


def prepare() -> None:
    """Everything that must be so before a page is served. Raises Closed (GuardDrift, VaultClosed) when it cannot be."""
    if needs_migration():
        install.migrate()
    install.compare()
    erasure.resume_all()
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)


def work() -> None:
    """The worker: runs jobs until it is asked to stop."""
    from kept.platform.jobs import worker

    stop = threading.Event()

    def asked(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
    worker.run(stop)


def _keep_working(over: threading.Event) -> None:
    """Keep one worker running beside the pages; one that dies is followed by another, which finds its job again."""
    while not over.is_set():
        worker = subprocess.Popen([sys.executable, "-m", "kept.project.cli", "work"])  # the same program, by its own name
        while worker.poll() is None and not over.wait(0.5):
            continue
        worker.terminate()
        worker.wait()
        over.wait(1)


def serve(host: str, port: int, *, workers: int = 1) -> None:
    """Serve pages, with a worker beside, until interrupted."""
    from granian.constants import Interfaces
    from granian.server import Server

    over = threading.Event()
    keeper = threading.Thread(target=_keep_working, args=(over,))
    keeper.start()
    try:
        Server(
            "kept.project.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=4,
            respawn_failed_workers=True,
            log_level="warning",  # type: ignore[arg-type]
            log_access=False,  # it would hold whole addresses of visitors
            static_path_route=["/static"],
            static_path_mount=[Path(settings.STATIC_ROOT)],
        ).serve()
    finally:
        over.set()
        keeper.join()

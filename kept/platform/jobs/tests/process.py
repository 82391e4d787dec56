"""A worker in a process of its own: `python -m kept.platform.jobs.tests.process LEASE_SECONDS LABEL…`."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from kept.platform.jobs import worker
    from kept.platform.jobs.task import declared
    from kept.platform.jobs.tests import samples  # noqa: F401

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    tasks = [declared()[label] for label in sys.argv[2:]]
    worker.run(stop, *tasks, lease=timedelta(seconds=float(sys.argv[1])))


if __name__ == "__main__":
    main()

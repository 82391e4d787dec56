"""Fault points: places at which tests kill the process, to see that what follows is whole or resumable."""

from __future__ import annotations

import os
import signal

from django.conf import settings


def point(name: str) -> None:
    """Die here when the test asked for it (KEPT_FAULT)."""
    if settings.FAULT and name == settings.FAULT:
        os.kill(os.getpid(), signal.SIGKILL)

"""A process of its own that imports or undoes, to be killed at a fault point: ``process start|commit|undo ACCOUNT [IMPORT|FILE]``."""

from __future__ import annotations

import sys
from pathlib import Path

import django


def main(verb: str, account: str, what: str) -> None:
    """Do one thing on the databases that the environment names."""
    django.setup()
    from kept.apps.imports import actions, committing, undoing

    if verb == "start":
        with Path(what).open("rb") as file:
            actions.start(int(account), file, "the old order book", "contract", "command:test")
    elif verb == "commit":
        committing.commit_now(int(account), int(what))
    else:
        undoing.undo_now(int(account), int(what))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Mail that a mail server hands over: taken in, or handed back by the exit codes that mail servers know."""

from __future__ import annotations

import sys
from pathlib import Path

from kept.core.errors import BadInput, KeptError
from kept.project.console import DONE, start

EX_DATAERR, EX_TEMPFAIL = 65, 75
"""sysexits.h: the mail server returns the mail to its sender, or keeps it and tries again."""


def receive(slug: str, file: str) -> int:
    """Take in a mail from a file, or `-` for standard input; the exit code. Whatever is not the mail's own fault is tried again.

    Nothing of the mail is printed, for a mail server logs what a program says.
    """
    try:
        start()
        from kept.apps.requests import inbound
        from kept.platform.accounts.queries import account_by_slug

        account, most = account_by_slug(slug), inbound.MOST_BYTES + 1
        if file == "-":
            raw = sys.stdin.buffer.read(most)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(most)
        try:
            inbound.read(raw)
        except Exception as error:  # it reads bytes and nothing else, so whatever is wrong is wrong with them
            return _said(error.message if isinstance(error, BadInput) else "This mail cannot be read.", EX_DATAERR)
        try:
            inbound.receive(account, raw)
        except BadInput as error:
            return _said(error.message, EX_DATAERR)
    except KeptError as error:
        return _said(error.message, EX_TEMPFAIL)
    except Exception as error:  # a database that is away, a file that cannot be read: the mail must not be lost
        return _said(f"{type(error).__name__}. It is tried again.", EX_TEMPFAIL)
    return DONE


def _said(message: str, code: int) -> int:
    sys.stderr.write(f"kept: {message}\n")
    return code

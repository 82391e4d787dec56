"""`kept doctor`: is the deployment well?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper

from kept.core.errors import KeptError
from kept.platform.data.guard import install
from kept.platform.jobs.queries import dead_letters
from kept.platform.privacy import journal, ledger
from kept.platform.privacy.backup import refuse_unfinished
from kept.platform.privacy.notices import accounts_in_force
from kept.platform.privacy.secrets import blind_index, vault


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    well: bool
    said: str


def _guard() -> str:
    install.compare()
    return "as the data map describes it"


def _keys() -> str:
    (one,) = vault().create()
    sealed = vault().seal(one, b"probe", "doctor")
    opened = vault().open(one, sealed, "doctor")
    vault().shred([one])
    blind_index()
    return "seal, open and shred" if opened == b"probe" else "do not open what they sealed"


def _journal() -> str:
    waiting = journal.unfinished()
    return f"{len(journal.intents())} erasures, {len(waiting)} waiting for the second stage"


def _ledgers() -> str:
    wrong = [f"{account.slug}: {fault}" for account in accounts_in_force() for fault in ledger.faults(account.pk)]
    if wrong:
        raise KeptError("; ".join(wrong))
    return "every number, tree and signature verifies"


def _jobs() -> str:
    dead = dead_letters(None).count()
    if dead:
        raise KeptError(f"{dead} jobs failed for good; see the dead-letter list")
    return "none failed for good"


def _logs() -> str:
    """Statements with values must not reach the database server's log."""
    if connections["owner"].vendor != "postgresql":
        return "the embedded database writes none"
    wrong = []
    with connections["owner"].cursor() as cursor:
        for name, fine in (("log_parameter_max_length", "0"), ("log_parameter_max_length_on_error", "0"), ("log_statement", "none")):
            cursor.execute("SELECT current_setting(%s)", [name])
            value = str(cursor.fetchone()[0])
            if value != fine and not (name == "log_parameter_max_length" and _logs_nothing(cursor)):
                wrong.append(f"{name} is {value}; set it to {fine}")
    if wrong:
        raise KeptError("; ".join(wrong))
    return "no value reaches the server's log"


def _logs_nothing(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT current_setting('log_min_duration_statement'), current_setting('log_statement')")
    return bool(cursor.fetchone() == ("-1", "none"))


def _tls() -> str:
    if not settings.TLS and not (settings.DEBUG or settings.DEMO) and "127.0.0.1" not in settings.SITE:
        raise KeptError("pages are served without TLS; give KEPT_SITE an https address")
    return settings.SITE


LOOKS: dict[str, Callable[[], str]] = {
    "guard": _guard,
    "keys": _keys,
    "erasure journal": _journal,
    "ledgers": _ledgers,
    "background work": _jobs,
    "server log": _logs,
    "address": _tls,
}


def examine() -> list[Finding]:
    """Look at everything; what is wrong with one does not keep the others from being looked at, but for an unfinished restore."""
    found = []
    try:
        refuse_unfinished()
    except KeptError as error:
        return [Finding("restore", False, str(error))]  # whatever else there is to see is half put back
    for what, look in LOOKS.items():
        try:
            found.append(Finding(what, True, look()))
        except KeptError as error:
            found.append(Finding(what, False, str(error)))
    return found

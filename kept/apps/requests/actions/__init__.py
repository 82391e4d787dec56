"""What happens to a request: asked, proved, decided, answered, fetched, closed. Each verb is one transaction, and safe to repeat."""

from kept.apps.requests.actions.answering import answer, clear_residue
from kept.apps.requests.actions.base import package_path, packages, person
from kept.apps.requests.actions.closing import certificate, close, fetch_certificate, fetch_package, sweep
from kept.apps.requests.actions.commands import run_access, run_erasure
from kept.apps.requests.actions.deciding import assign, extend, grant, pause, refuse, resume, revoke, withdraw_refusal, write
from kept.apps.requests.actions.intake import Asked, TakenIn, ask, receive, take_in
from kept.apps.requests.actions.proving import confirm, lacking, looked_over, match, show, start

__all__ = [
    "Asked",
    "TakenIn",
    "answer",
    "ask",
    "assign",
    "certificate",
    "clear_residue",
    "close",
    "confirm",
    "extend",
    "fetch_certificate",
    "fetch_package",
    "grant",
    "lacking",
    "looked_over",
    "match",
    "package_path",
    "packages",
    "pause",
    "person",
    "receive",
    "refuse",
    "resume",
    "revoke",
    "run_access",
    "run_erasure",
    "show",
    "start",
    "sweep",
    "take_in",
    "withdraw_refusal",
    "write",
]

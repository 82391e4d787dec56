"""What happens to a request: asked, proved, decided, answered, fetched, closed. Each verb is one transaction, and safe to repeat."""

from kept.apps.requests.actions.answering import answer, clear_residue
from kept.apps.requests.actions.base import package_path, packages, person
from kept.apps.requests.actions.batches import against, batch, begin, preview
from kept.apps.requests.actions.closing import COPIES, certificate, close, fetch_certificate, fetch_package, sweep
from kept.apps.requests.actions.commands import run_access, run_erasure
from kept.apps.requests.actions.deciding import assign, extend, grant, pause, refuse, resume, revoke, withdraw_refusal, write
from kept.apps.requests.actions.escalating import escalate
from kept.apps.requests.actions.holding import case, cases, hold, open_case, release
from kept.apps.requests.actions.identity import compare, make_sure, numbers, unsure
from kept.apps.requests.actions.intake import Asked, TakenIn, ask, receive, take_in
from kept.apps.requests.actions.parties import add_agent, add_correspondent, end, parties, recipients
from kept.apps.requests.actions.proving import confirm, confirm_again, lacking, looked_over, match, show, start

__all__ = [
    "COPIES",
    "Asked",
    "TakenIn",
    "add_agent",
    "add_correspondent",
    "against",
    "answer",
    "ask",
    "assign",
    "batch",
    "begin",
    "case",
    "cases",
    "certificate",
    "clear_residue",
    "close",
    "compare",
    "confirm",
    "confirm_again",
    "end",
    "escalate",
    "extend",
    "fetch_certificate",
    "fetch_package",
    "grant",
    "hold",
    "lacking",
    "looked_over",
    "make_sure",
    "match",
    "numbers",
    "open_case",
    "package_path",
    "packages",
    "parties",
    "pause",
    "person",
    "preview",
    "receive",
    "recipients",
    "refuse",
    "release",
    "resume",
    "revoke",
    "run_access",
    "run_erasure",
    "show",
    "start",
    "sweep",
    "take_in",
    "unsure",
    "withdraw_refusal",
    "write",
]

"""Requests that change something: what is held, what it may be used for, who else may have it."""

from __future__ import annotations

from datetime import timedelta

from kept.apps.requests.answers.base import Answer, finish
from kept.apps.requests.answers.correcting import CORRECT, Correctable, Correction, apply_correction, correctable
from kept.apps.requests.answers.ending import LIMIT_SENSITIVE, WITHDRAW
from kept.apps.requests.answers.objecting import OBJECT
from kept.apps.requests.answers.restricting import RESTRICT, lift
from kept.apps.requests.answers.selling import OPT_IN_SALE, OPT_OUT_SALE, may_ask_again
from kept.apps.requests.models import Request
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject

CHOICES_WAIT = timedelta(days=1)


def _switches(account: Account, request: Request, subject: Subject) -> None:
    """The switches stand on the page of the request."""
    finish(account, request, None, {}, waits=CHOICES_WAIT)


CHOICES = Answer(_switches)

__all__ = [
    "CHOICES",
    "CORRECT",
    "LIMIT_SENSITIVE",
    "OBJECT",
    "OPT_IN_SALE",
    "OPT_OUT_SALE",
    "RESTRICT",
    "WITHDRAW",
    "Correctable",
    "Correction",
    "apply_correction",
    "correctable",
    "lift",
    "may_ask_again",
]

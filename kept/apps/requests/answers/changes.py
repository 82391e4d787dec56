"""Requests that change something: what is held, what it may be used for, who else may have it."""

from __future__ import annotations

from datetime import timedelta

from kept.apps.requests.answers.base import Answer, finish
from kept.apps.requests.models import Request
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject

CHOICES_WAIT = timedelta(days=1)


def _switches(account: Account, request: Request, subject: Subject) -> None:
    """The switches stand on the page of the request."""
    finish(account, request, None, {}, waits=CHOICES_WAIT)


CHOICES = Answer(_switches)
CORRECT = RESTRICT = OBJECT = WITHDRAW = OPT_OUT_SALE = OPT_IN_SALE = LIMIT_SENSITIVE = CHOICES

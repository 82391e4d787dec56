"""Complaints and questions: acknowledged at once, answered by the team, and where to go next is named in every letter."""

from __future__ import annotations

from kept.apps.requests import letters, private
from kept.apps.requests.answers.base import Answer, finish
from kept.apps.requests.models import Request
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject


def _answer(account: Account, request: Request, subject: Subject | None = None) -> None:
    reason = private.open_private(request).reason
    finish(account, request, lambda account, request: letters.answered(account, request, reason), {})


COMPLAIN = Answer(_answer, decides=lambda request, right, held: True, unknown=_answer)

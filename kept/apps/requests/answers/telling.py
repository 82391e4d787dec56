"""Telling those who had the data, where the notice promises it of the right or a law wants it: Article 19 GDPR, 11 CCR § 7026(f)."""

from __future__ import annotations

from kept.apps.requests import telling
from kept.apps.requests.actions.proving import right_for
from kept.apps.requests.models import Request
from kept.apps.requests.telling_whom import What, owed
from kept.platform.accounts.models import Account
from kept.platform.privacy.notices import policy_of


def tells(account: Account, request: Request, what: What) -> int:
    """Tell them, where they must hear of it; how many. May be called again: nobody is told twice."""
    if not owed(policy_of(account.pk), right_for(request), request.region, what):
        return 0
    return telling.tell(account, request, what)

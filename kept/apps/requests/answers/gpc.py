"""The Global Privacy Control: a browser's own word against sale and sharing, heeded for the person whose page it opens."""

from __future__ import annotations

from kept.apps.requests import queries
from kept.apps.requests.actions.base import person
from kept.apps.requests.models import Kind, Request
from kept.core.notice import law
from kept.core.notice.rules import MARKETS
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import choices
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import ruling

SIGNAL = "gpc"


def sent(header: str | None) -> bool:
    """Whether the value of `Sec-GPC` is a signal: exactly ``1``; of several headers, joined by commas, one such is enough."""
    return any(one.strip(" \t") == "1" for one in (header or "").split(","))


def honour(account: Account, request: Request) -> bool:
    """Enter the opt-out of the person whose request's page was opened with the signal; whether it is heeded, so that the page says so.

    Only for a page whose address was proved, and where notice or law heed the signal. A page on which somebody opts in again, twice over,
    is not overruled by it (11 CCR § 7025(c)). May be called with every page: nothing is entered twice.
    """
    if request.verified_at is None or request.kind == Kind.OPT_IN_SALE:
        return False
    with reserved(account.pk, person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
        about = _heeded(use, subject) if subject is not None else []
        if subject is None or not about:
            return False
        with writing(use):
            held = choices.held(use, subject.pk)
            for choice in about:
                if held.get(choice, ("", False))[0] != "opted-out":
                    choices.choose(use, subject, "opt-out", choice, request=request.reference)
    return True


def _heeded(use: Use, subject: Subject) -> list[str]:
    """What the signal turns off for a person: sale and sharing, and choices that count for persons."""
    terms = ruling(use.account_id).over(subject.notice_version)
    found = [one for one in terms.choices(subject.region).values() if SIGNAL in one.body.signals]
    named = [one.id for one in found if one.body.by == "person"]
    obliges = any(one.signal == SIGNAL for one in law.saying(law.Ways, terms.notice.identity.law, subject.region))
    return [*(MARKETS if found or obliges else ()), *named]

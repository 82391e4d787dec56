"""Sale and sharing: out with a word, without account or proof; in again only with two; and no asking in between.

Whoever opts out stands on the Do-Not-Sell list, known here or not: a keyed digest of what they told us, which opts out whoever comes to
be known by it later (`privacy.optouts`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import letters, private, telling
from kept.apps.requests.actions.base import person
from kept.apps.requests.answers.base import Answer, enter, finish
from kept.apps.requests.models import Request
from kept.core.errors import BadInput
from kept.core.notice import law
from kept.core.notice.durations import Duration
from kept.core.notice.rules import MARKETS
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import optouts, subjects
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.notices import ruling


def _digests(request: Request) -> list[tuple[str, bytes]]:
    """What the request was made with, as keyed digests: an address, a telephone number."""
    told = private.open_private(request)
    named = [("email", told.email), (told.known_by, told.value), ("phone", told.details.get("phone", ""))]
    found = []
    for kind, value in named:
        if value and kind in ("email", "phone"):
            try:
                found.append((kind, subjects.digest(request.account_id, kind, value, request.region)))
            except BadInput:
                continue
    return list(dict.fromkeys(found))


def _opt_out(account: Account, request: Request, subject: Subject | None = None) -> None:
    """The same for somebody we know and somebody we do not: nobody learns which. Those who had the data are told."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use, writing(use):
        optouts.enlist(use, _digests(request), request.rule)
    point("requests:opted-out")
    if subject is not None:
        enter(account, request, subject, [("opt-out", market) for market in MARKETS], "opted-out")
        telling.tell(account, request, "opt-out")
    finish(account, request, _out, _outcome())


def _outcome() -> dict[str, Any]:
    return {"markets": list(MARKETS), "from": timezone.now().isoformat(), "reach": "records"}


def _out(account: Account, request: Request) -> letters.Letter:
    says = [
        _("your opt-out holds from now on: nothing that we know to be yours is sold, or shared for advertising across sites."),
        _("It reaches the records that we can tell are yours by what you told us, and any that come to us later; nothing else."),
        _("A browser that is not signed in is reached by its own signal, the Global Privacy Control, or by its cookie settings."),
        _("We do not ask you to come back."),
    ]
    return letters.done(account, request, says)


def _opt_in(account: Account, request: Request, subject: Subject | None = None) -> None:
    """Taken back by the person's own two words: the mailed link, and a second yes on the page."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use, writing(use):
        optouts.delist(use, _digests(request))
    point("requests:opted-in")
    if subject is not None:
        enter(account, request, subject, [("allow", market) for market in MARKETS], "opted-in")

    def letter(account: Account, request: Request) -> letters.Letter:
        says = [_("you allow us again to sell and share your data, as our notice says. You can opt out again at any time.")]
        return letters.done(account, request, says)

    finish(account, request, letter, _outcome())


def may_ask_again(use: Use, subject: Subject) -> bool:
    """Whether somebody may be asked to allow sale and sharing: not before the time has passed that law and notice set since they opted
    out of it (Cal. Civ. Code § 1798.135(c)(4)).
    """
    terms = ruling(use.account_id).over(subject.notice_version)
    waits = [one.after for one in law.saying(law.AskAgain, terms.notice.identity.law, subject.region) if set(one.of) & set(MARKETS)]
    for choice in terms.choices(subject.region).values():
        if choice.body.ask_again_after is not None and set(choice.moves) & set(MARKETS):
            waits.append(choice.body.ask_again_after)
    said = Choice.under(use).filter(subject_id=subject.pk, purpose__in=MARKETS, state="opted-out").values_list("at", flat=True)
    return all(_over(when, wait, subject.region) for when in said for wait in waits)


def _over(since: datetime, wait: Duration, region: str) -> bool:
    until = wait.after(since, region)
    return until is not None and timezone.now() >= until


OPT_OUT_SALE = Answer(_opt_out, unknown=_opt_out)
OPT_IN_SALE = Answer(_opt_in, unknown=_opt_in)

"""Copies: what is held and why, every piece of it, and in forms to take elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from django.utils import timezone

from kept.apps.requests import knowing, letters, package, porting, private, queries
from kept.apps.requests.actions.base import package_path, packages, person
from kept.apps.requests.answers import allowance
from kept.apps.requests.answers.base import Answer, Letter, finish
from kept.apps.requests.models import Channel, Request
from kept.apps.requests.package import Made, Package
from kept.apps.requests.period import Period
from kept.core.errors import Conflict
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved

PACKAGE_WAITS = timedelta(days=14)
Build = Callable[[Use, Made, RightTerms | None, Request], Package]


def _know(use: Use, made: Made, right: RightTerms | None, request: Request) -> Package:
    return knowing.build(use, made, right, period=_period(request), withheld=request.decision.get("withheld", {}))


def _access(use: Use, made: Made, right: RightTerms | None, request: Request) -> Package:
    assert made.subject is not None
    withheld = request.decision.get("withheld", {})
    return package.build(use, made.account, made.subject, made.reference, made.now, right, period=_period(request), withheld=withheld)


def _portable(use: Use, made: Made, right: RightTerms | None, request: Request) -> Package:
    return porting.build(use, made, right, withheld=request.decision.get("withheld", {}))


def _period(request: Request) -> Period:
    return Period.asked(private.open_private(request).details)


def _decides(request: Request, right: RightTerms | None, held: private.Private) -> bool:
    """Where pieces may be withheld for a risk, somebody looks whether they are; what others' rights protect is covered by itself."""
    if right is None or (right.kind == "know" and "pieces" not in right.body.contents):
        return False
    return any(one.startswith("risk-") for one in right.body.withhold)


def _performing(build: Build) -> Callable[[Account, Request, Subject], None]:
    def perform(account: Account, request: Request, subject: Subject) -> None:
        """Gather, seal into a file, then say that it is there."""
        right = allowance.right_of(account, request, subject)
        with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
            if queries.subject_of(use, request) is None:
                raise Conflict("The person was erased meanwhile.", place=request.reference)
            made = build(use, Made(account, subject, request.reference, timezone.now()), right, request)
        letter, counted = _at_what_price(account, request, subject, right)
        by = answered_by(request, right)
        counted |= {"by": by} if right is not None and right.body.answer_by else {}
        deliver(account, request, made, letter if by == "email" else None, counted)

    return perform


def answered_by(request: Request, right: RightTerms | None) -> Literal["email", "post"]:
    """How it is answered: as the right says, by the channel it came by where that can be; with nowhere to write to, on paper."""
    wanted = right.body.answer_by if right else None
    by_post = wanted == "post" or (wanted == "same-channel" and request.channel == Channel.POST)
    return "post" if by_post or not private.open_private(request).email else "email"


def _at_what_price(account: Account, request: Request, subject: Subject, right: RightTerms | None) -> tuple[Letter, dict[str, object]]:
    """The letter, which says what the copy costs if it costs anything, and what the outcome keeps of that."""
    if right is None or right.body.fee is None:
        return letters.ready, {}
    with bookkeeping(account.pk) as use:
        number = allowance.copy_number(use, request, subject, right)
    fee = right.body.fee.then
    if number <= allowance.free_copies(account.pk, request, right):
        return letters.ready, {"copy": number}
    if request.decision.get("free"):
        return letters.ready, {"copy": number, "fee": "waived"}
    return lambda account, request: letters.ready_at_a_fee(account, request, number, fee), {"copy": number, "fee": "told"}


def deliver(account: Account, request: Request, made: Package, letter: Letter | None, counted: dict[str, object]) -> None:
    """Seal the files of an answer, and finish it. Raises Conflict when the request was closed meanwhile, and leaves nothing then."""
    content = made.zipped()
    packages().mkdir(parents=True, exist_ok=True, mode=0o700)
    path = package_path(request.reference)
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(private.seal_bytes(request, content, "package"))
    point("requests:packed")
    try:
        held = {"contents": list(made.contents), "formats": made.formats, "bytes": len(content)}
        finish(account, request, letter, {**made.summary, **held, **counted}, waits=PACKAGE_WAITS)
    except Conflict:
        path.unlink(missing_ok=True)  # an erasure closed the request meanwhile
        raise


ACCESS = Answer(_performing(_access), decides=_decides, stops=allowance.stops)
KNOW = Answer(_performing(_know), decides=_decides, stops=allowance.stops)
PORTABILITY = Answer(_performing(_portable), decides=_decides, stops=allowance.stops)

"""Making sure who calls or stands at the counter, before anybody speaks of what is held: by a member, who notes how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from kept.apps.requests import queries, verifying
from kept.apps.requests.actions.base import again, change
from kept.apps.requests.actions.proving import right_for
from kept.apps.requests.desk_queries import SPOKEN
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Request
from kept.core.errors import BadInput, Conflict
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.privacy import values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import looked, reserved

HOW = ("callback", "document", "signature", "known", "facts")
"""How a member can have made sure; `facts` is noted by the comparison alone."""
FEWEST_FACTS = 2


def unsure(request: Request) -> bool:
    """Whether nothing of whom it is about is shown yet: nobody has noted how they made sure that it is them."""
    return request.channel in SPOKEN and not request.decision.get("sure") and not request.proof


def make_sure(account: Account, actor: Actor, request: Request, how: str) -> None:
    """Note how a member made sure that it is them. Raises BadInput for a way unknown, Conflict when the request has moved on."""
    if how not in HOW:
        raise BadInput(_("This is no way to make sure."), place="how", cure=_("Use one of: %s.") % ", ".join(HOW))
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        decision = {**request.decision, "sure": how, "sure_by": actor.reference}
        change(use, request, actor.reference, entry="look", noted="made-sure", decision=decision)


def compare(account: Account, actor: Actor, request: Request, facts: Mapping[str, str]) -> bool:
    """Compare what they say with what we hold; whether enough of it matches. Nobody is told which did.

    Raises BadInput for too few facts, Conflict once there were too many tries.
    """
    right = right_for(request)
    given = {name: text.strip() for name, text in facts.items() if name in verifying.asked_of(right) and text.strip()}
    needed = max(FEWEST_FACTS, verifying.facts_needed(right))
    if len(given) < needed:
        cure = _("Ask for %(n)d of them.") % {"n": needed}
        raise BadInput(_("That is not enough to know somebody by."), place="facts", cure=cure)
    with reserved(account.pk, actor, "rights", rule=request.rule, request=request.reference) as use:
        subject = queries.subject_of(use, request)
        matches = verifying.matching(use, subject, given) if subject is not None else 0
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, OPEN)
        if request.tries >= verifying.MOST_TRIES:
            raise Conflict(_("It did not match three times."), place=request.reference, cure=_("Look at a document of theirs instead."))
        change(use, request, actor.reference, entry="look", noted="compared", tries=request.tries + (matches < needed))
    if matches < needed:
        return False
    make_sure(account, actor, request, "facts")
    return True


def numbers(account: Account, actor: Actor, request: Request) -> list[str]:
    """The telephone numbers we hold, to call back on: the one thing of theirs a member sees before they have made sure."""
    with reserved(account.pk, actor, "rights", rule=request.rule, request=request.reference) as use:
        subject = queries.subject_of(use, request)
        if subject is None:
            return []
        looked(use, [subject.reference], categories=["phone"])
        found: list[str] = []
        for table in of_subjects():
            if table.by_row:
                model: Any = table.model
                rows = model.under(use).filter(subject_id=subject.pk, category="phone")
                found += [str(row.value) for row in values.opened(use, list(rows))]
        return sorted(set(found))

"""Holding people's data for a case, and releasing it: `privacy.holds` for a member, who names people by what they are known by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _

from kept.core.errors import BadInput, NotFound
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.privacy import holds, subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Case, Hold

MOST = 500


def cases(account: Account) -> list[tuple[Case, int]]:
    """The cases, those that still hold first, and how many people each holds."""
    with bookkeeping(account.pk) as use:
        found = list(holds.cases(use))
        standing = Hold.under(use).filter(released_at=None).order_by().values_list("case_id")
        people = dict(standing.annotate(people=Count("subject_reference", distinct=True)))
    return [(case, people.get(case.pk, 0)) for case in sorted(found, key=lambda one: one.released_at is not None)]


def case(account: Account, case_id: int) -> tuple[Case, list[Hold]]:
    """A case and its holds, the newest first. Raises NotFound."""
    with bookkeeping(account.pk) as use:
        found: Case | None = Case.under(use).filter(pk=case_id).first()
        if found is None:
            raise NotFound(_("There is no such case."), place=f"holds/{case_id}")
        return found, list(holds.holds_of(use, case_id).order_by("-pk"))


def open_case(account: Account, actor: Actor, title: str, ground: str, note: str) -> Case:
    """Open a case. Raises BadInput."""
    with bookkeeping(account.pk) as use:
        return holds.open_case(use, actor.reference, title, ground, note=note)


def hold(
    account: Account,
    actor: Actor,
    case_id: int,
    known_by: str,
    people: Sequence[str],
    *,
    categories: Sequence[str] = (),
    until: datetime | None = None,
) -> int:
    """Hold these people; how many holds that made. All or none: raises NotFound or BadInput for the first who is not known."""
    told = [one.strip() for one in people if one.strip()]
    if not 0 < len(told) <= MOST:
        raise BadInput(_("Name from 1 to %(most)d people.") % {"most": MOST}, place="value", cure=_("One a line."))
    with reserved(account.pk, actor, "rights") as use:
        references = [subjects.find(use, known_by, one, account.region).reference for one in told]
        return holds.place(use, actor.reference, case_id, references, categories=categories, until=until)


def release(account: Account, actor: Actor, case_id: int, because: str) -> int:
    """Release a case and all it holds; how many holds ended."""
    with bookkeeping(account.pk) as use:
        return holds.release(use, actor.reference, case_id, because)

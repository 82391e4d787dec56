"""Cases, and the holds they place on people: what is held, neither retention nor an erasure takes.

There may be several on one thing; the longest wins. A hold ends on its date, or when it is released, deliberately. A hold and an
erasure of one person exclude each other (`settled`): what is held when the erasure's transaction begins is left by it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from django.db import connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice.rules.rights import Exception_
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import ALIAS, Use, writing
from kept.platform.privacy import inlets, ledger
from kept.platform.privacy.cases import Case, Hold
from kept.platform.privacy.notices import policy_of

EVERYTHING = "*"
EXCEPTIONS: frozenset[str] = frozenset(get_args(Exception_))
"""The exceptions that a notice's right can name."""
GROUNDS = EXCEPTIONS | {"investigation"}
"""Why data can be held."""
Remembered = tuple[str, str, str, str]
"""A hold as the journal remembers it: the reference and ground of its case, the category, until when (ISO 8601, or empty)."""
_CASE = ("reference", "title", "ground", "note", "request", "opened_by", "opened_at")
_HOLD = ("case", "subject_reference", "category", "until", "placed_by", "placed_at", "entry")


def settled(use: Use, *, placing: bool = False) -> None:
    """Inside an action: who places holds and who erases take turns. SQLite has one writer anyway."""
    if rows.on_postgres():
        how = "pg_advisory_xact_lock" if placing else "pg_advisory_xact_lock_shared"
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(f"SELECT {how}(%s, hashtext('kept.holds'))", [use.account_id % 2**31])


# Questions


def _in_time(now: datetime) -> Q:
    return Q(released_at=None) & (Q(until=None) | Q(until__gt=now))


def standing(use: Use, reference: str, now: datetime) -> list[Hold]:
    """The holds on a subject that are in force, with their cases."""
    return list(Hold.under(use).filter(_in_time(now), subject_reference=reference).select_related("case").order_by("pk"))


def held(use: Use, now: datetime, categories: Iterable[str] = ()) -> QuerySet[Any, Any]:
    """Ids of the subjects of whom one of these categories is held; of whom anything is, without any."""
    found = Hold.under(use).filter(_in_time(now))
    if wanted := frozenset(categories):
        named = found.values_list("category", flat=True).distinct()
        found = found.filter(category__in=[one for one in named if one == EVERYTHING or wanted & under(use, one)])
    return Subject.under(use).filter(reference__in=found.values("subject_reference")).values("pk")


def whole(use: Use, now: datetime) -> QuerySet[Any, Any]:
    """References of the subjects of whom everything is held."""
    return Hold.under(use).filter(_in_time(now), category=EVERYTHING).values("subject_reference")


def under(use: Use, category: str) -> frozenset[str]:
    """A category with what stands under it in the notice; one that an earlier notice declared is itself."""
    tree = policy_of(use.account_id).notice.vocabulary["category"]
    return tree.under(category) if category in tree.all else frozenset({category})


def check_categories(use: Use, categories: Iterable[str]) -> None:
    """Raise BadInput for a category that neither the vocabulary nor the notice knows."""
    known = policy_of(use.account_id).notice.vocabulary["category"].all
    if unknown := sorted(set(categories) - set(known)):
        raise BadInput(f"There is no category “{unknown[0]}”.", place="categories", cure="Use a term of the vocabulary or of the notice.")


def cases(use: Use, *, unreleased: bool = False) -> QuerySet[Case]:
    """Cases, the newest first."""
    found = Case.under(use).order_by("-pk")
    return found.filter(released_at=None) if unreleased else found


def holds_of(use: Use, case_id: int) -> QuerySet[Hold]:
    """Every hold that a case ever placed."""
    return Hold.under(use).filter(case_id=case_id).order_by("pk")


# What people do


def open_case(use: Use, actor: str, title: str, ground: str, *, note: str = "") -> Case:
    """Open a case. Raises BadInput for a ground unknown, no title, and a number that is refused everywhere."""
    if ground not in GROUNDS:
        raise BadInput(f"“{ground}” is no ground for a hold.", place="ground", cure=f"Use one of {', '.join(sorted(GROUNDS))}.")
    _check_words("title", title)
    if note:
        _check_words("note", note)
    with writing(use):
        return _opened(use, secrets.token_hex(16), actor, title.strip(), ground, note.strip())


def _check_words(place: str, text: str) -> None:
    if not text.strip():
        raise BadInput("Nothing is written here.", place=place, cure="Say what it is about, without naming anybody.")
    if inlets.refused_category(text):
        raise BadInput("This holds a number that is refused everywhere.", place=place, cure="Leave the number out.")


def _opened(use: Use, reference: str, actor: str, title: str, ground: str, note: str = "", request: str = "") -> Case:
    (made,) = rows.insert(use, Case, _CASE, [(reference, title, ground, note, request, actor, timezone.now())])
    found: Case = Case.under(use).get(pk=made)
    return found


def place(
    use: Use, actor: str, case_id: int, references: Sequence[str], *, categories: Sequence[str] = (), until: datetime | None = None
) -> int:
    """Hold these categories of these people (everything, where none is named); how many holds that made. One that the case has placed
    already is put to the new date.

    Raises NotFound for a case unknown or somebody who is not there any more; Conflict for a case that is released; BadInput for a
    category unknown or a date that is over.
    """
    check_categories(use, categories)
    if until is not None and until <= timezone.now():
        raise BadInput("This date is over.", place="until", cure="Give a later one, or none.")
    with writing(use):
        settled(use, placing=True)
        case = _case(use, case_id)
        there = set(Subject.under(use).filter(reference__in=references).values_list("reference", flat=True))
        if missing := sorted(set(references) - there):
            raise NotFound("Nobody is there to be held.", place=missing[0], cure="They were erased already, or were never here.")
        return _placed(use, actor, case, sorted(there), sorted(set(categories)) or [EVERYTHING], until)


def _case(use: Use, case_id: int) -> Case:
    case: Case | None = Case.under(use).select_for_update().filter(pk=case_id).first()
    if case is None:
        raise NotFound("There is no such case.", place=f"cases/{case_id}")
    if case.released_at is not None:
        raise Conflict("This case is released.", place=f"cases/{case_id}", cure="Open another.")
    return case


def _placed(use: Use, actor: str, case: Case, references: Sequence[str], categories: Sequence[str], until: datetime | None) -> int:
    now = timezone.now()
    old = Hold.under(use).filter(case_id=case.pk, subject_reference__in=references, category__in=categories)
    old.update(until=until, released_at=None, released_by="", released_entry=None)
    known = set(old.values_list("subject_reference", "category"))
    entry = _entry(use, actor, case, references, categories)
    new = [(one, category) for one in references for category in categories if (one, category) not in known]
    return len(rows.insert(use, Hold, _HOLD, [(case.pk, *one, until, actor, now, entry) for one in new]))


def _entry(use: Use, actor: str, case: Case, references: Sequence[str], categories: Iterable[str]) -> int:
    named = sorted(set(categories) - {EVERYTHING})
    return ledger.append(use, "hold", actor=actor, categories=named, subjects=references, request=case.reference).id


def release(use: Use, actor: str, case_id: int, because: str, *, references: Sequence[str] | None = None) -> int:
    """Release what a case holds of these people, or with none named all of it and the case itself; how many holds ended.

    What was held back only by them goes with the next `erasure.carry_on_released`. Raises NotFound, Conflict for a case already
    released, BadInput without a reason.
    """
    _check_words("because", because)
    now = timezone.now()
    with writing(use):
        settled(use, placing=True)
        case = _case(use, case_id)
        found = Hold.under(use).filter(case_id=case.pk, released_at=None)
        found = found if references is None else found.filter(subject_reference__in=references)
        ending = list(found.values_list("pk", "subject_reference", "category"))
        if ending:
            entry = _entry(use, actor, case, sorted({one for _, one, _ in ending}), {category for _, _, category in ending})
            found.update(released_at=now, released_by=actor, released_entry=entry)
        if references is None:
            case.released_at, case.released_by, case.released_because = now, actor, because.strip()
            case.save(update_fields=["released_at", "released_by", "released_because"])
    return len(ending)


# What an erasure holds back


def except_(use: Use, actor: str, request: str, reference: str, excepted: Mapping[str, str]) -> None:
    """Hold what an erasure leaves under exceptions of the notice: a case for each exception, released like any other. In an action."""
    for word in sorted(set(excepted.values())):
        named = hashlib.sha256(f"{request}/{word}".encode()).hexdigest()[:32]
        if not Case.under(use).filter(reference=named).exists():
            case = _opened(use, named, actor, f"Erasure {request}", word, request=request)
            _placed(use, actor, case, [reference], sorted(one for one, why in excepted.items() if why == word), None)


def remembered(use: Use, reference: str, now: datetime) -> tuple[Remembered, ...]:
    """The holds on a subject, for the journal."""
    found = ((one, one.case) for one in standing(use, reference, now))
    return tuple((case.reference, case.ground, one.category, one.until.isoformat() if one.until else "") for one, case in found)


def recall(use: Use, actor: str, reference: str, told: Sequence[Remembered]) -> None:
    """Place again what the journal remembers and a restored database lost; one that was released stays so. In an action."""
    for named, ground, category, until in told:
        case = Case.under(use).filter(reference=named).first() or _opened(use, named, actor, "Restored from the erasure journal", ground)
        if not Hold.under(use).filter(case_id=case.pk, subject_reference=reference, category=category).exists():
            _placed(use, actor, case, [reference], [category], datetime.fromisoformat(until) if until else None)

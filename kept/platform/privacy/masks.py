"""Masks: which purposes a person's data may serve now, computed from their facts and written by the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, cast

from django.utils import timezone

from kept.core.notice import ChoiceFact, SubjectFacts
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED, RESERVED_BIT, Use, writing
from kept.platform.privacy import notices
from kept.platform.privacy.models import Choice
from kept.platform.privacy.notices import Ruling
from kept.platform.privacy.registry import registry

State = Literal["given", "withdrawn", "objected", "opted-out"]
BATCH = 2000


def facts_of(use: Use, subjects: Sequence[Subject], now: datetime) -> dict[int, SubjectFacts]:
    """What a decision needs to know of each of these subjects."""
    ids = [subject.pk for subject in subjects]
    choices: dict[int, dict[str, ChoiceFact]] = {}
    said: dict[int, list[Choice]] = {}
    for row in Choice.under(use).filter(subject_id__in=ids):
        if row.state:
            choices.setdefault(row.subject_id, {})[row.purpose] = ChoiceFact(cast(State, row.state), row.at, row.until)
        said.setdefault(row.subject_id, []).append(row)
    born = registry.birth_dates(use, ids)
    return {
        subject.pk: SubjectFacts(
            now=now,
            region=subject.region,
            born=born.get(subject.pk),
            choices=choices.get(subject.pk, {}),
            restricted=frozenset(row.purpose for row in said.get(subject.pk, ()) if row.restricted),
            agreed=agreed(use, said.get(subject.pk, ())),
        )
        for subject in subjects
    }


def agreed(use: Use, said: Sequence[Choice]) -> frozenset[str]:
    """The purposes and terms to which somebody said yes, for good, after every restriction that is about them."""
    restricted = [row for row in said if row.restricted]
    given = [row for row in said if row.state == "given" and row.until is None] if restricted else []
    if not given:
        return frozenset()
    tree = notices.policy_of(use.account_id).notice.vocabulary["purpose"]
    known = [row for row in given if row.purpose in tree]
    family = {row.purpose: tree.under(row.purpose).union(tree.above(row.purpose), ("all",)) for row in known}
    return frozenset(row.purpose for row in known if all(row.at > one.at for one in restricted if one.purpose in family[row.purpose]))


def rights_use(account_id: int, actor: str = "job:masks") -> Use:
    """The use under which masks are computed: it sees the people whom masks hide."""
    return Use(account_id, actor, "rights", RESERVED_BIT, RESERVED["rights"])


def restricted(use: Use, subject: Subject) -> int:
    """The mask that a restriction of everything leaves this subject: what the law itself demands is not restricted."""
    now = timezone.now()
    facts = replace(facts_of(use, [subject], now)[subject.pk], restricted=frozenset({"all"}))
    return notices.ruling(use.account_id).over(subject.notice_version).permits(facts)[0]


def refresh(use: Use, subject_ids: Sequence[int], *, coming: Ruling | None = None) -> None:
    """Compute and store these subjects' masks, in an action that sees them: each under the version that governs them.

    With `coming`, what either the version in force or the coming one keeps out stays out.
    """
    now, ruling = timezone.now(), notices.ruling(use.account_id)
    subjects = {subject.pk: subject for subject in Subject.under(use).filter(pk__in=subject_ids)}
    changed: list[tuple[int, int, datetime | None]] = []
    for pk, facts in facts_of(use, list(subjects.values()), now).items():
        mask, changes_at = ruling.over(subjects[pk].notice_version).permits(facts)
        if coming is not None:
            earlier = sum(1 << bit for bit in ruling.policy.bits.values())
            later, changes_at = coming.over(subjects[pk].notice_version or ruling.number).permits(facts)
            mask = later & (mask | ~earlier)
        changed.append((pk, mask, changes_at))
    if changed:
        rows.set_permits(use, *(list(column) for column in zip(*changed, strict=True)))


def batches(account_id: int) -> Iterator[tuple[Use, list[int]]]:
    """Every subject of the account, in batches, each within a transaction of its own."""
    last = 0
    while True:
        with writing(rights_use(account_id)) as use:
            ids = list(Subject.under(use).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
            if not ids:
                return
            yield use, ids
        last = ids[-1]


def apply_due(account_id: int) -> int:
    """Apply the changes that time has brought (a consent expired, a child came of age); how many. Runs before any read past them."""
    count = 0
    while True:
        with writing(rights_use(account_id)) as use:
            due = Subject.under(use).filter(changes_at__lte=timezone.now())
            ids = list(due.values_list("pk", flat=True)[:BATCH])
            if not ids:
                return count
            refresh(use, ids)
        count += len(ids)

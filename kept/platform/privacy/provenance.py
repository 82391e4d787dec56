"""Why a value is held: its source, occasion, basis, purposes, how long, under which version and rule of the notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from kept.core.notice import Policy
from kept.platform.data import rows
from kept.platform.data.personal import PersonalModel
from kept.platform.data.use import Use
from kept.platform.privacy.models import Provenance, ValueOrigin
from kept.platform.privacy.notices import in_force, policy_of


@dataclass(frozen=True)
class Why:
    """The answer to “why do we hold this?”. `promise` is the notice's own sentence."""

    source: str
    occasion: str
    at: datetime
    basis: str
    purposes: tuple[str, ...]
    refused: tuple[str, ...]
    kept: str
    notice_version: int
    rule: str
    promise: str


def record(use: Use, *, source: str, occasion: str, basis: str, rule: str) -> int:
    """Note an occasion on which values come in; its id, for the rows that come."""
    names = ("source", "occasion", "basis", "rule", "notice_version", "at", "by")
    version = in_force(use.account_id).number
    (made,) = rows.insert(use, Provenance, names, [(source, occasion, basis, rule, version, timezone.now(), use.actor)])
    return made


def note_value(use: Use, row: PersonalModel, columns: Sequence[str], provenance_id: int) -> None:
    """Note that these values of a record have an origin of their own."""
    table = row._meta.db_table
    ValueOrigin.under(use).filter(table=table, row_id=row.pk, column__in=columns).delete()
    values = [(row.subject_id, table, row.pk, column, provenance_id) for column in columns]
    rows.insert(use, ValueOrigin, ("subject", "table", "row_id", "column", "provenance_id"), values)


def origins(use: Use, records: Sequence[PersonalModel]) -> dict[tuple[str, int, str], Provenance]:
    """The origin of each value of these records: by table, row and column, with column "" for the record's own."""
    ids: dict[tuple[str, int, str], int] = {(r._meta.db_table, r.pk, ""): r.provenance_id for r in records if r.provenance_id}
    for value in ValueOrigin.under(use).filter(subject_id__in={r.subject_id for r in records}):
        if value.provenance_id:
            ids[value.table, value.row_id, value.column] = value.provenance_id
    known = {row.pk: row for row in Provenance.under(use).filter(pk__in=set(ids.values()))}
    return {place: known[one] for place, one in ids.items() if one in known}


def _kept(policy: Policy, category: str) -> str:
    for rule in policy.retains:
        if category in rule.categories:
            return f"{rule.keep} after {rule.after}"
    return ""


def why(policy: Policy, origin: Provenance, category: str, permits: int) -> Why:
    """Put an origin and the notice together. `permits` is the subject's mask: it tells the purposes the value serves from those refused."""
    serving = [p for p in policy.purposes.values() if category in p.categories]
    rule = next((r for r in policy.notice.rules if r.name == origin.rule), None)
    return Why(
        source=origin.source,
        occasion=origin.occasion,
        at=origin.at,
        basis=origin.basis,
        purposes=tuple(p.title or p.id for p in serving if permits >> p.bit & 1),
        refused=tuple(p.title or p.id for p in serving if not permits >> p.bit & 1),
        kept=_kept(policy, category),
        notice_version=origin.notice_version,
        rule=origin.rule,
        promise=rule.promise if rule else "",
    )


def explain(use: Use, records: Sequence[PersonalModel], masks: dict[int, int]) -> dict[tuple[str, int, str], Why]:
    """“Why do we hold this?” for every value of these records that has an origin: by table, row and column."""
    policy, found = policy_of(use.account_id), origins(use, records)
    answers: dict[tuple[str, int, str], Why] = {}
    for row in records:
        table = row._meta.db_table
        own = found.get((table, row.pk, ""))
        columns = {"value": row.category} if row.personal.by_row else row.personal.columns  # type: ignore[attr-defined]
        for column, category in columns.items():
            origin = found.get((table, row.pk, column), own)
            if origin is not None:
                answers[table, row.pk, column] = why(policy, origin, category, masks[row.subject_id])
    return answers

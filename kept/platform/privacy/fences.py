"""Fences: the limits a value stands under by its provenance, also once something else was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from kept.core.errors import BadInput
from kept.core.notice import UNFENCED, Policy
from kept.core.notice.terms import PEOPLE, FenceTerms
from kept.platform.data import rows
from kept.platform.data.datamap import Table, tables
from kept.platform.data.personal import AccountModel, PersonalModel, ValueModel
from kept.platform.data.use import Use
from kept.platform.privacy import provenance
from kept.platform.privacy.models import Derivation, Provenance, ValueOrigin
from kept.platform.privacy.registry import registry

DERIVED = "derived"
"""The source that a derived value names; its origins are in `Derivation`."""


@dataclass(frozen=True)
class Origin:
    """Where something came from: a source, a category, the kind of record it stood in, and the occasion."""

    source: str
    category: str
    record: str = ""
    provenance_id: int | None = None


@dataclass(frozen=True)
class Derived:
    """What a derived value is written with: it obeys every limit of every origin. `values` writes it with these."""

    category: str
    source: str
    fence: int
    provenance_id: int


def record_of(model: type[AccountModel]) -> str:
    """The vocabulary's word for what the rows of a table are; empty where no room has said."""
    return next((clock.record for clock in registry.clocks if clock.model is model and clock.record), "")


def inherited(policy: Policy, origins: Iterable[Origin], category: str) -> int:
    """The fence of a value of this category that is derived from these: what the limits of each leave, and its own category's.

    A limit may let derivations go (`derived = false`).
    """
    mask = UNFENCED
    for fence in policy.fences:
        if fence.about(None, category):
            mask &= fence.mask
    for origin in origins:
        for fence in standing(policy, origin):
            mask &= fence.mask if fence.derived else UNFENCED
        mask &= _serving(policy, origin.source)
    return mask


def _serving(policy: Policy, source: str) -> int:
    """The purposes that may use what is from this source (`only_sources`)."""
    closed = (one.bit for one in policy.purposes.values() if one.sources is not None and source not in one.sources)
    return UNFENCED & ~sum(1 << bit for bit in closed)


def standing(policy: Policy, origin: Origin) -> list[FenceTerms]:
    """The limits that a value of this origin stands under."""
    return [one for one in policy.fences if one.about(origin.source, origin.category, origin.record or None)]


def origins_of(use: Use, records: Sequence[PersonalModel]) -> dict[int, list[Origin]]:
    """The origins of each of these rows, by its place in the list; of what was itself derived, the origins it was derived from."""
    ids = {row.provenance_id for row in records if row.provenance_id}
    known = {row.pk: row.source for row in Provenance.under(use).filter(pk__in=ids)}
    found = derivations(use, ids)
    own = provenance.origins(use, [row for row in records if not isinstance(row, ValueModel)])
    answers: dict[int, list[Origin]] = {}
    for place, row in enumerate(records):
        if row.provenance_id in found:
            answers[place] = found[row.provenance_id]
            continue
        record, origin = record_of(type(row)), row.provenance_id
        if isinstance(row, ValueModel):
            answers[place] = [Origin(row.source, row.category, record, origin)]
            continue
        came = {name: own.get((row._meta.db_table, row.pk, name)) for name in row.personal.columns}
        answers[place] = [
            Origin(one.source if one else known.get(origin or 0, ""), row.personal.columns[name], record, one.pk if one else origin)
            for name, one in came.items()
        ]
    return answers


def derivations(use: Use, provenance_ids: Iterable[int | None]) -> dict[int | None, list[Origin]]:
    """The origins of those of these occasions on which something was derived."""
    found: dict[int | None, list[Origin]] = {}
    for row in Derivation.under(use).filter(provenance_id__in={one for one in provenance_ids if one is not None}):
        found.setdefault(row.provenance_id, []).append(Origin(row.source, row.category, row.record, row.origin_id))
    return found


def derive(use: Use, policy: Policy, from_rows: Sequence[PersonalModel], *, category: str, occasion: str) -> Derived:
    """Note that a value is made of these rows, in an action; what it is written with.

    Its provenance names them all, so that “why do we hold this?” and a prover can follow it back.
    """
    flat = list(dict.fromkeys(one for many in origins_of(use, from_rows).values() for one in many))
    if not flat:
        raise BadInput("A value is derived from nothing.", place=occasion, cure="Give the rows that it is made of.")
    first = Provenance.under(use).filter(pk__in=[one.provenance_id for one in flat if one.provenance_id]).order_by("pk").first()
    basis, rule = (first.basis, first.rule) if first else ("", "")
    made = provenance.record(use, source=DERIVED, occasion=occasion, basis=basis, rule=rule)
    names = ("provenance_id", "origin_id", "source", "category", "record")
    rows.insert(use, Derivation, names, [(made, one.provenance_id, one.source, one.category, one.record) for one in flat])
    return Derived(category, DERIVED, inherited(policy, flat, category), made)


def row_fence(policy: Policy, origin: Origin, derived_from: Sequence[Origin] = ()) -> int:
    """What a value in a column leaves of the fence of its row, which stands under the narrowest of all it holds.

    A limit that names categories closes the row to those purposes alone that would read the value in it: the others have no such column.
    """
    if derived_from:
        return inherited(policy, derived_from, origin.category)
    blind = (PEOPLE - 1) & ~sum(1 << one.bit for one in policy.purposes.values() if origin.category in one.categories)
    mask = _serving(policy, origin.source)
    for fence in standing(policy, origin):
        mask &= fence.mask | blind if fence.categories else fence.mask
    return mask


def readers(policy: Policy, model: type[AccountModel]) -> int:
    """The bits of the purposes that read something in a table, and of people: whoever would miss a row that a fence newly hides."""
    held = set(model.personal.columns.values())
    return PEOPLE | sum(1 << one.bit for one in policy.purposes.values() if not one.categories.isdisjoint(held))


def closing(policy: Policy, origin: Origin, bits: int) -> str:
    """The rule that closes one of these purposes, or people's reading, to a value of this origin."""
    for fence in standing(policy, origin):
        if ~fence.mask & bits:
            return fence.rule.name
    return next((one.rule.name for one in policy.purposes.values() if bits >> one.bit & 1 and one.sources is not None), "")


def leak(policy: Policy, origin: Origin) -> str:
    """The limit that a column without a fence would break by holding a value of this origin; empty where none is broken.

    A column is read by every purpose that lists its category, by people, and does not keep apart what may go to whom.
    """
    readers = [one for one in policy.purposes.values() if origin.category in one.categories]
    for fence in standing(policy, origin):
        for_some = bool(fence.sources) and fence.outlets is not None
        if for_some or not fence.mask & PEOPLE or any(not fence.mask >> one.bit & 1 for one in readers):
            return fence.rule.name
    return ""


def fence_of(policy: Policy, origin: Origin, derived_from: Sequence[Origin] = ()) -> int:
    """The fence that a value is written with: by its own provenance, or, if it was derived, by that of its origins."""
    if derived_from:
        return inherited(policy, derived_from, origin.category)
    return policy.fence(origin.source or None, origin.category, origin.record or None)


def tighten(use: Use, policy: Policy, table: Table) -> None:
    """Put the rows of a personal table under the limits of a notice that is about to be in force, but for what was derived. In an action
    that sees all.

    A fence only narrows: what came in under a narrower promise stays under it.
    """
    model: Any = table.model
    record = record_of(model)
    if table.by_row:
        kinds = model.under(use).exclude(source=DERIVED).values_list("source", "category").distinct().order_by()
        for source, category in list(kinds):
            _narrow(model.under(use).filter(source=source, category=category), policy.fence(source or None, category, record or None))
        return
    if not model.personal.columns:
        return
    sources = set(Provenance.under(use).values_list("source", flat=True).distinct().order_by())
    everything = model.under(use)
    for source in sorted(sources - {DERIVED} | {""}):
        occasions = Q(provenance_id__in=Provenance.under(use).filter(source=source).values("pk"))
        for column, category in model.personal.columns.items():
            fence = row_fence(policy, Origin(source, category, record))
            for held in () if fence == UNFENCED else holding(use, everything, column, occasions if source else Q(provenance_id=None)):
                _narrow(held, fence)


def _narrow(held: QuerySet[Any], fence: int) -> None:
    if fence != UNFENCED:
        held.update(fence=F("fence").bitand(fence))


def holding(use: Use, held: QuerySet[Any], column: str, came: Q) -> Iterator[QuerySet[Any]]:
    """Which of these rows have something in this column that came in on such occasions: their own, or the value's where it has one."""
    filled = held.exclude(**{column: ""})
    noted = ValueOrigin.under(use).filter(table=held.model._meta.db_table, row_id=OuterRef("pk"), column=column)
    yield filled.filter(~Exists(noted), came)
    yield filled.filter(Exists(noted.filter(came)))


def tighten_derived(use: Use, policy: Policy) -> int:
    """As `tighten`, what was derived, by the limits of its origins; how many rows changed."""
    changed = 0
    derived = derivations(use, Derivation.under(use).values_list("provenance_id", flat=True).distinct())
    for table in tables():
        for made, origins in derived.items() if table.fenced else ():
            for category, held in _derived(use, table, made):
                for fence in list(held.values_list("fence", flat=True).distinct().order_by()):
                    narrower = fence & inherited(policy, origins, category)
                    if narrower != fence:
                        changed += held.filter(fence=fence).update(fence=narrower)
    return changed


def _derived(use: Use, table: Table, made: int | None) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Rows with something that was derived on this occasion, by category."""
    model: Any = table.model
    if table.by_row:
        held = model.under(use).filter(provenance_id=made)
        yield from ((one, held.filter(category=one)) for one in list(held.values_list("category", flat=True).distinct().order_by()))
        return
    for column, category in model.personal.columns.items():
        yield from ((category, held) for held in holding(use, model.under(use), column, Q(provenance_id=made)))

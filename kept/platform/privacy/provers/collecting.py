"""`collect`: nothing came in except through the inlets the notice names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet

from kept.core.notice import Policy, Rule
from kept.core.notice.rules import CollectBody
from kept.core.notice.terms import CollectTerms
from kept.core.notice.vocabulary import BASES, regions_of
from kept.platform.data.datamap import Table, tables
from kept.platform.privacy.models import Provenance, ValueOrigin
from kept.platform.privacy.provers.base import BATCH, Asked, Finding, Look, broken, kept, many, prover, unproven

Held = Mapping[tuple[str, int | None, str], int]
"""How many values, by table, occasion and category."""


def admitted(policy: Policy) -> frozenset[str]:
    """The categories that some collect rule lets into our store."""
    return frozenset().union(*(one.categories for one in policy.collects if one.held_by is None))


def held(look: Look) -> Held:
    """The values that this run looks at, counted by where they stand, how they came, and their category."""
    found: Counter[tuple[str, int | None, str]] = Counter()
    for table in tables():
        model: Any = table.model
        if table.by_row:
            for rows in look.rows(model):
                found.update(_by_row(table, rows))
        elif model.personal.columns:
            for rows in look.rows(model):
                found.update(_by_column(table, rows))
            found.update(_own(look, table) if table.of_subject else {})
    return found


def held_of(look: Look) -> Counter[str]:
    """How many values are held of each category."""
    found: Counter[str] = Counter()
    for (_, _, category), count in look.once(held).items():
        found[category] += count
    return found


def _by_row(table: Table, rows: QuerySet[Any]) -> Counter[tuple[str, int | None, str]]:
    groups = rows.exclude(value="").values("provenance_id", "category").annotate(n=Count("pk")).order_by()
    return Counter({(table.name, one["provenance_id"], one["category"]): one["n"] for one in groups})


def _by_column(table: Table, rows: QuerySet[Any]) -> Counter[tuple[str, int | None, str]]:
    """One pass over the rows."""
    columns = table.model.personal.columns
    found: Counter[tuple[str, int | None, str]] = Counter()
    sums = {f"n_{name}": Count("pk", filter=~Q(**{name: ""})) for name in columns}
    for one in rows.values("provenance_id" if table.of_subject else "account_id").annotate(**sums).order_by():
        for name, category in columns.items():
            if one[f"n_{name}"]:
                found[table.name, one.get("provenance_id"), category] += one[f"n_{name}"]
    return found


def _own(look: Look, table: Table) -> Counter[tuple[str, int | None, str]]:
    """Values with an origin of their own."""
    columns = table.model.personal.columns
    found: Counter[tuple[str, int | None, str]] = Counter()
    for piece in look.pieces(table.model):
        own = ValueOrigin.under(look.use).filter(piece.where("row_id"), table=table.name, column__in=list(columns))
        for one in own.values("provenance_id", "column").annotate(n=Count("pk")).order_by():
            found[table.name, one["provenance_id"], columns[one["column"]]] += one["n"]
    return found


def occasions(look: Look) -> dict[int, Provenance]:
    """The occasions that this run looks at, and those on which the values came in that it looks at; not those of what was derived here."""
    found = {row.pk: row for rows in look.rows(Provenance) for row in rows}
    found |= look.origins({origin for _, origin, _ in look.once(held)})
    return {pk: row for pk, row in found.items() if row.source != DERIVED}


def derived(look: Look) -> frozenset[int]:
    """The occasions on which something was derived of what was here."""
    return frozenset(pk for pk, row in look.origins({origin for _, origin, _ in look.once(held)}).items() if row.source == DERIVED)


DERIVED = "derived"
"""The source that what was derived names; its origins are in `Derivation`."""


def inlet_of(look: Look, origin: Provenance) -> CollectTerms | None:
    """The inlet an occasion names, in the version of the notice it stood under."""
    version = look.versions.get(origin.notice_version)
    terms = look.policy_of(version).collects if version else ()
    return next((one for one in terms if one.rule.name == origin.rule), None)


def _bases(policy: Policy, inlet: CollectTerms) -> Collection[str]:
    """The bases an occasion may name: consent alone, any that is attested, or those of the purposes it serves."""
    if "consent" in inlet.attest:
        return {name for name, basis in BASES.items() if basis.choice == "gives"}
    return BASES if "basis" in inlet.attest else {basis for one in inlet.purposes for basis in policy.purposes[one].basis.values()}


def fault_of(look: Look, origin: Provenance) -> str:
    """What is wrong with an occasion itself; empty where nothing is."""
    inlet = inlet_of(look, origin)
    if inlet is None:
        return "names no inlet of the notice"
    policy = look.policy_of(look.versions[origin.notice_version])
    if inlet not in policy.collect_for(origin.source):
        return f"came from {origin.source}, which is not what the inlet is for"
    if origin.basis not in _bases(policy, inlet):
        return "names a lawful basis that the notice does not give"
    if "consent" in inlet.attest and BASES[origin.basis].choice != "gives":
        return "rests on another basis than consent"
    if "origin" in inlet.attest and not origin.occasion.strip():
        return "does not say where it is from"
    return ""


@prover("collect", "categories", "attest", "held_by", "regions")
def collect(rule: Rule, look: Look) -> Finding:
    """Every occasion fits its inlet, every value the categories of its inlet, and nothing is held that no inlet admits."""
    asked = Asked(
        "Occasions on which data came in through this inlet: source, lawful basis and categories against the rule, and the regions of the "
        "people. Values anywhere whose category no inlet admits or that a recipient holds for us, and occasions that name no inlet.",
        "SELECT * FROM privacy_provenance WHERE rule = :rule AND NOT (source, basis) fits(rule); per table: SELECT provenance_id, "
        "category, count(*) GROUP BY 1, 2 HAVING category NOT IN (admitted)",
    )
    found, through = look.once(occasions), 0
    own = {pk: row for pk, row in found.items() if row.rule == rule.name}
    lost = {pk: row for pk, row in found.items() if inlet_of(look, row) is None}
    wrong = [f"occasion {pk} {fault}" for pk, row in (own | lost).items() if (fault := fault_of(look, row))]
    values = look.once(held)
    for (table, origin, category), count in values.items():
        through += count if origin in own else 0
        if fault := _misplaced(look, table, origin, category, own):
            wrong.append(fault)
    wrong += _elsewhere(look, rule, frozenset(own))
    more = {"values": sum(values.values())}
    if wrong:
        return broken(through, wrong, f"{many(len(wrong), 'finding', 'findings')}: {wrong[0]}.", asked, **more)
    if not own:
        return unproven("Nothing has come in this way yet.", asked, **more)
    came = many(len(own), "occasion", "occasions")
    said = f"{many(through, 'value', 'values')} came in this way on {came}; each of a kind named here. Looked at: {look.extent}."
    return kept(through, said, asked, **more)


def _misplaced(look: Look, table: str, origin: int | None, category: str, own: Mapping[int, Provenance]) -> str:
    """What is wrong with values of this category and occasion; empty where nothing is."""
    inlet = inlet_of(look, own[origin]) if origin is not None and origin in own else None
    if inlet and inlet.held_by is not None:
        return f"{category} in {table}, which {inlet.held_by} holds for us"
    if inlet and category not in inlet.categories:
        return f"{category} in {table}, which this inlet does not take"
    if category in admitted(look.policy) or origin in look.once(derived) or _earlier(look, origin, category):
        return ""
    return f"{category} in {table}, which no inlet takes"


def _elsewhere(look: Look, rule: Rule, own: frozenset[int]) -> Iterator[str]:
    """People who live where this inlet takes nobody's data."""
    assert isinstance(rule.body, CollectBody)
    if rule.body.regions is None:
        return
    for table in tables():
        model: Any = table.model
        for rows in look.rows(model) if table.masked and table.room else ():
            for start in range(0, len(own), BATCH):
                here = rows.filter(provenance_id__in=sorted(own)[start : start + BATCH])
                for one in here.values("subject__region").annotate(n=Count("pk")).order_by():
                    if set(regions_of(one["subject__region"])).isdisjoint(rule.body.regions):
                        yield f"{many(one['n'], 'row', 'rows')} of {table.name} of people in {one['subject__region'] or 'no region'}"


def _earlier(look: Look, origin: int | None, category: str) -> bool:
    """Whether an earlier version of the notice, under which the value came in, admitted it."""
    came = look.origins([origin]).get(origin or 0)
    inlet = inlet_of(look, came) if came else None
    return inlet is not None and category in inlet.categories

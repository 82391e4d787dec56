"""`collect`: nothing came in except through the inlets the notice names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q

from kept.core.notice import Policy, Rule
from kept.core.notice.terms import CollectTerms
from kept.core.notice.vocabulary import BASES
from kept.platform.data.datamap import Table, tables
from kept.platform.privacy.models import Provenance, ValueOrigin
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, prover, unproven

Held = Mapping[tuple[str, int | None, str], int]
"""How many values, by table, occasion and category."""


def admitted(policy: Policy) -> frozenset[str]:
    """The categories that some collect rule lets in."""
    return frozenset().union(*(one.categories for one in policy.collects))


def held(look: Look) -> Held:
    """Every value held, counted by where it stands, how it came, and its category."""
    return look.once(_held)


def _held(look: Look) -> Held:
    found: Counter[tuple[str, int | None, str]] = Counter()
    for table in tables():
        found.update(_by_row(look, table) if table.by_row else _by_column(look, table))
    return found


def held_of(look: Look) -> Counter[str]:
    """How many values are held of each category."""
    found: Counter[str] = Counter()
    for (_, _, category), count in held(look).items():
        found[category] += count
    return found


def _by_row(look: Look, table: Table) -> Counter[tuple[str, int | None, str]]:
    model: Any = table.model
    groups = model.under(look.use).exclude(value="").values("provenance_id", "category").annotate(n=Count("pk")).order_by()
    return Counter({(table.name, one["provenance_id"], one["category"]): one["n"] for one in groups})


def _by_column(look: Look, table: Table) -> Counter[tuple[str, int | None, str]]:
    """One pass over a table; values with an origin of their own are moved to it."""
    model: Any = table.model
    columns = model.personal.columns
    found: Counter[tuple[str, int | None, str]] = Counter()
    if not columns:
        return found
    sums = {f"n_{name}": Count("pk", filter=~Q(**{name: ""})) for name in columns}
    groups = model.under(look.use).values("provenance_id") if table.of_subject else model.under(look.use).values("account_id")
    for one in groups.annotate(**sums).order_by():
        for name, category in columns.items():
            if one[f"n_{name}"]:
                found[table.name, one.get("provenance_id"), category] += one[f"n_{name}"]
    if table.of_subject:
        own = ValueOrigin.under(look.use).filter(table=table.name, column__in=list(columns))
        for one in own.values("provenance_id", "column").annotate(n=Count("pk")).order_by():
            found[table.name, one["provenance_id"], columns[one["column"]]] += one["n"]
    return found


def inlet_of(look: Look, origin: Provenance) -> CollectTerms | None:
    """The inlet an occasion names, in the version of the notice it stood under."""
    version = look.versions.get(origin.notice_version)
    terms = look.policy_of(version).collects if version else ()
    return next((one for one in terms if one.rule.name == origin.rule), None)


def fault_of(look: Look, origin: Provenance) -> str:
    """What is wrong with an occasion itself; empty where nothing is."""
    inlet = inlet_of(look, origin)
    if inlet is None:
        return "names no inlet of the notice"
    policy = look.policy_of(look.versions[origin.notice_version])
    if inlet not in policy.collect_for(origin.source):
        return f"came from {origin.source}, which is not what the inlet is for"
    bases = {basis for purpose in inlet.purposes for basis in policy.purposes[purpose].basis.values()}
    if origin.basis not in (BASES if "basis" in inlet.attest else bases):
        return "names a lawful basis that the notice does not give"
    return ""


@prover("collect")
def collect(rule: Rule, look: Look) -> Finding:
    """Every occasion fits its inlet, every value the categories of its inlet, and nothing is held that no inlet admits."""
    query = (
        "Occasions on which data came in through this inlet: source, lawful basis and categories against the rule. "
        "Values anywhere whose category no inlet admits, and occasions that name no inlet at all."
    )
    own: dict[int | None, Provenance] = {pk: row for pk, row in look.origins.items() if row.rule == rule.name}
    lost = {pk: row for pk, row in look.origins.items() if inlet_of(look, row) is None}
    wrong = [f"occasion {pk} {fault}" for pk, row in (own | lost).items() if (fault := fault_of(look, row))]
    values, through = 0, 0
    for (table, origin, category), count in held(look).items():
        values += count
        inlet = inlet_of(look, own[origin]) if origin in own else None
        through += count if origin in own else 0
        if inlet and category not in inlet.categories:
            wrong.append(f"{category} in {table}, which this inlet does not take")
        elif category not in admitted(look.policy) and not _earlier(look, origin, category):
            wrong.append(f"{category} in {table}, which no inlet takes")
    more = {"values": values}
    if wrong:
        said = f"{many(len(wrong), 'finding', 'findings')}: {wrong[0]}."
        return broken(through, wrong, said, query, **more)
    if not own:
        return unproven("Nothing has come in this way yet.", query, **more)
    occasions = many(len(own), "occasion", "occasions")
    said = f"{many(through, 'value', 'values')} came in this way on {occasions}; each of a kind named here."
    return kept(through, said, query, **more)


def _earlier(look: Look, origin: int | None, category: str) -> bool:
    """Whether an earlier version of the notice, under which the value came in, admitted it."""
    came = look.origins.get(origin or 0)
    inlet = inlet_of(look, came) if came else None
    return inlet is not None and category in inlet.categories

"""`limit`: what is refused is nowhere, and what is fenced stays behind its fence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Max

from kept.core.notice import Rule
from kept.core.notice.rules import LimitBody
from kept.core.notice.terms import FenceTerms
from kept.platform.data.datamap import Table, tables
from kept.platform.privacy import inlets, values
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, prover, unproven
from kept.platform.privacy.provers.collecting import held, held_of

MOST_ROWS = 200_000
"""Rows of each table searched in one run; the next goes on behind them, and round again."""
CHUNK = 2000
KNOWN_BY_SHAPE = frozenset({inlets.CARD, inlets.NATIONAL})


@prover("limit")
def limit(rule: Rule, look: Look) -> Finding:
    """A limit that refuses is proved by a search, one of purposes by its fences."""
    assert isinstance(rule.body, LimitBody)
    return _refused(rule, rule.body, look) if rule.body.refuse else _fenced(rule, look)


def _refused(rule: Rule, body: LimitBody, look: Look) -> Finding:
    """No value is of a refused category: neither labelled so nor, where checksum and shape tell, by what it says."""
    refused = look.policy.notice.vocabulary["category"].under(*body.refuse or ())
    family = look.policy.notice.vocabulary["source"].under(*body.applies_to.source) if body.applies_to.source else None
    query = f"Values of {', '.join(body.refuse or ())}: by the category they stand under"
    query += ", and by checksum and shape in every text held." if refused & KNOWN_BY_SHAPE else "."
    wrong = [
        f"{category} in {table}"
        for (table, origin, category), count in held(look).items()
        if category in refused and (family is None or _source(look, origin) in family)
    ]
    searched, marks = 0, dict[str, Any]()
    if refused & KNOWN_BY_SHAPE and family is None:
        search = _Search(look, refused, look.before.get(rule.name, {}).get("searched_to", {}))
        search.run()
        searched, marks = search.count, search.marks
        wrong += search.found
    count = searched or sum(held_of(look).values())
    if wrong:
        said = f"{many(len(wrong), 'value', 'values')} found that should never have come in."
        return broken(count, wrong, said, query, searched_to=marks)
    if not count:
        return unproven("Nothing is held yet that could be searched.", query)
    return kept(count, f"None found in {many(count, 'value', 'values')} searched.", query, searched_to=marks)


class _Search:
    """Reads values in search of numbers that give themselves away. New rows first, then on from where the last run stopped.

    `marks` is for each table how far new rows were read, how far the round has come, and the rows found, which are read again each time.
    """

    def __init__(self, look: Look, refused: frozenset[str], before: Mapping[str, Any]) -> None:
        self.look, self.refused, self.before = look, refused, before
        self.count, self.found = 0, list[str]()
        self.marks: dict[str, Any] = {}

    def run(self) -> None:
        """Search every table that holds something personal in words."""
        for table in tables():
            if table.personal:
                self._table(table)

    def _table(self, table: Table) -> None:
        mark = self.before.get(table.name, {})
        model: Any = table.model
        rows = model.under(self.look.use).order_by("pk")
        newest, turned = int(mark.get("newest", 0)), int(mark.get("round", 0))
        hits = self._read(table, list(rows.filter(pk__in=mark.get("found", []))))
        left, last = MOST_ROWS, newest
        while left > 0 and (chunk := list(rows.filter(pk__gt=last)[: min(CHUNK, left)])):
            hits, left, last = hits + self._read(table, chunk), left - len(chunk), chunk[-1].pk
        while left > 0 and (chunk := list(rows.filter(pk__gt=turned, pk__lte=newest)[: min(CHUNK, left)])):
            hits, left, turned = hits + self._read(table, chunk), left - len(chunk), chunk[-1].pk
        highest = rows.aggregate(most=Max("pk"))["most"] or 0
        self.marks[table.name] = {"newest": last, "round": 0 if left > 0 or turned >= highest else turned, "found": sorted(set(hits))}

    def _read(self, table: Table, chunk: list[Any]) -> list[int]:
        hits = []
        names = (*table.model.personal.columns, *(("value",) if table.by_row else ()))
        for row in values.opened(self.look.use, chunk) if table.of_subject else chunk:
            for name in names:
                text = getattr(row, name)
                if not text:
                    continue
                self.count += 1
                if inlets.refused_category(text) in self.refused:
                    hits.append(row.pk)
                    self.found.append(f"{table.name}.{name} {row.pk}")
        return hits


def _fenced(rule: Rule, look: Look) -> Finding:
    """Values of this provenance stand behind its fence, and in no column that has none."""
    query = "The fence on every value of this source and category, and columns without a fence that hold such a value."
    fence = next(one for one in look.policy.fences if one.rule.name == rule.name)
    wrong, count = [], 0
    for table in tables():
        if not table.fenced:
            continue
        model: Any = table.model
        groups = model.under(look.use).values("source", "category", "fence").annotate(n=Count("pk")).order_by()
        for group in groups:
            if _about(fence, group["source"], group["category"]):
                count += group["n"]
                if group["fence"] & ~fence.mask:
                    wrong += [f"{many(group['n'], 'value', 'values')} in {table.name} with an open fence"]
    fenced_tables = {table.name for table in tables() if table.fenced}
    for (table_name, origin, category), number in held(look).items():
        if origin in look.origins and table_name not in fenced_tables and _about(fence, _source(look, origin), category):
            count += number
            wrong += [f"{many(number, 'value', 'values')} of {category} in {table_name}, which has no fence"]
    if wrong:
        return broken(count, wrong, f"{wrong[0].capitalize()}: it could serve what this promise keeps it from.", query)
    if not count:
        return unproven("No such value is held yet.", query)
    return kept(count, f"{many(count, 'value stands', 'values stand')} behind the fence.", query)


def _source(look: Look, origin: int | None) -> str:
    """Where the data of an occasion came from; empty where that is not known."""
    came = look.origins.get(origin or 0)
    return came.source if came else ""


def _about(fence: FenceTerms, source: str, category: str) -> bool:
    return (not fence.sources or source in fence.sources) and (not fence.categories or category in fence.categories)

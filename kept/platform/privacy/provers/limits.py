"""`limit`: what is refused is nowhere, what is fenced stays behind its fence, what is cut is short, and no figure is about too few."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q

from kept.core.notice import Rule
from kept.core.notice.rules import LimitBody
from kept.core.notice.terms import PEOPLE, FenceTerms
from kept.platform.data.datamap import tables
from kept.platform.data.use import SEALED
from kept.platform.privacy import evidence, fences, inlets, values
from kept.platform.privacy.ledger import header_of
from kept.platform.privacy.models import Aggregate, AggregateBlock, Derivation, Entry, Glass
from kept.platform.privacy.provers.base import BATCH, Asked, Finding, Look, batches, broken, kept, many, prover, unproven
from kept.platform.privacy.provers.collecting import held, held_of
from kept.platform.privacy.provers.outlets import outgoing

KNOWN_BY_SHAPE = frozenset({inlets.CARD, inlets.NATIONAL})
TELLING = timedelta(days=1)
"""How long a mail to the owners may take."""
NETWORKS = {4: 24, 6: 48}
"""The longest part of an address, in bits, that is left once it was cut."""


@dataclass
class Part:
    """What one key of a limit came to: how many things were looked at, what is wrong, in references and in words."""

    count: int = 0
    wrong: list[str] = field(default_factory=list)
    words: str = ""


@prover("limit", "refuse", "only_purposes", "never", "only_recipients", "humans", "min_group", "truncate")
def limit(rule: Rule, look: Look) -> Finding:
    """Each key that the limit sets, by a look of its own."""
    body = rule.body
    assert isinstance(body, LimitBody)
    asked = Asked(" ".join(words for name, words in WORDS.items() if getattr(body, name)), _sql(body))
    fencing = bool(body.only_purposes or body.humans or body.never)
    looks: list[tuple[object, Callable[[Rule, LimitBody, Look], Part]]] = [
        (body.refuse, _refused),
        (fencing and any(one.rule.name == rule.name for one in look.policy.fences), _fenced),
        (body.only_recipients or body.never, _recipients),
        (body.humans, _humans),
        (body.min_group, _groups),
        (body.truncate, _cut),
    ]
    parts = [part(rule, body, look) for there, part in looks if there]
    count, wrong = sum(one.count for one in parts), [name for one in parts for name in one.wrong]
    if wrong:
        said = f"{many(len(wrong), 'finding', 'findings')} that should not be: {wrong[0]}."
        return broken(count, wrong, said, asked)
    if not count:
        return unproven("There is nothing yet that this is about.", asked)
    return kept(count, " ".join(one.words for one in parts if one.count) + f" Looked at: {look.extent}.", asked)


WORDS: Mapping[str, str] = {
    "refuse": "Values by the category they stand under, and, for what shows by checksum and shape, every text held.",
    "only_purposes": "The fence on every value of this provenance, what was derived of it included, and columns without a fence.",
    "never": "The fence on every value of this provenance, and the ledger's disclosures.",
    "only_recipients": "The recipients, in the ledger, of values of this provenance.",
    "humans": "Leaves to read such values: ground, paper, end, and whether the owners were told; every look under one.",
    "min_group": "Every figure released, and the groups that figures tell apart together.",
    "truncate": "Values of these categories, for one that is longer than what is left after cutting.",
}
_SQL: Mapping[str, str] = {
    "refuse": "SELECT id WHERE category IN (refused) OR text ~ (number)",
    "only_purposes": "SELECT id WHERE source, category fit AND fence & ~mask <> 0",
    "never": "SELECT id WHERE fence & ~mask <> 0; SELECT entry FROM privacy_disclosure WHERE passed ∋ (category, source)",
    "only_recipients": "SELECT entry FROM privacy_disclosure WHERE passed ∋ (category, source) AND rule NOT IN (allowed)",
    "humans": "SELECT * FROM privacy_glass WHERE rules ∋ rule; SELECT * FROM privacy_entry WHERE kind = 'look' AND rule = :rule",
    "min_group": "SELECT cells FROM privacy_aggregate; SELECT people FROM privacy_aggregateblock WHERE split_by IS NULL",
    "truncate": "SELECT id, value WHERE category IN (cut)",
}


def _sql(body: LimitBody) -> str:
    return "; ".join(sql for name, sql in _SQL.items() if getattr(body, name))


# Refused


def _refused(rule: Rule, body: LimitBody, look: Look) -> Part:
    """No value is of a refused category: neither labelled so nor, where checksum and shape tell, by what it says."""
    refused = look.policy.notice.vocabulary["category"].under(*body.refuse or ())
    family = look.policy.notice.vocabulary["source"].under(*body.applies_to.source) if body.applies_to.source else None
    found = look.once(held)
    origins = look.origins({origin for _, origin, _ in found})
    wrong = [
        f"{category} in {table}"
        for table, origin, category in found
        if category in refused and (family is None or (origin in origins and origins[origin].source in family))
    ]
    count = sum(held_of(look).values())
    if refused & KNOWN_BY_SHAPE and family is None:
        count, numbers = look.once(_numbers)
        wrong += [place for place, category in numbers if category in refused]
    return Part(count, wrong, f"None found in {many(count, 'value', 'values')} searched.")


def _numbers(look: Look) -> tuple[int, list[tuple[str, str]]]:
    """How many texts were read, and where one gives itself away as a number that is refused; each text once, whatever rules ask."""
    count, found = 0, list[tuple[str, str]]()
    for table in tables():
        if not table.personal:
            continue
        names = (*table.model.personal.columns, *(("value",) if table.by_row else ()))
        model: Any = table.model
        for rows in look.rows(model):
            for batch in batches(rows):
                for row in values.opened(look.use, batch) if table.of_subject else batch:
                    for name in names:
                        text = getattr(row, name)
                        count += bool(text)
                        if text and (category := inlets.refused_category(text)):
                            found.append((f"{table.name}.{name} {row.pk}", category))
    return count, found


# Fenced


def _fenced(rule: Rule, body: LimitBody, look: Look) -> Part:
    """Rows that hold values of this provenance, or what was derived of them, stand behind the fence; tables without fences hold none."""
    fence = next(one for one in look.policy.fences if one.rule.name == rule.name)
    wrong, count = [], 0
    made = _derived(look, fence)
    for table in tables():
        model: Any = table.model
        for rows in look.rows(model) if table.by_row else ():
            groups = (
                rows.values("source", "category", "fence", "provenance_id" if made else "account_id").annotate(n=Count("pk")).order_by()
            )
            for group in groups:
                if _about(fence, group["source"], group["category"]) or group.get("provenance_id") in made:
                    count += group["n"]
                    if group["fence"] & ~fence.mask:
                        wrong += [f"{many(group['n'], 'value', 'values')} in {table.name} with an open fence"]
    for table_name, category, number, opened in _shared(look, fence, made):
        count += number
        wrong += [f"{many(opened, 'value', 'values')} of {category} in {table_name} with an open fence"] if opened else []
    for table_name, category, number in _unfenced(look, fence, made):
        count += number
        wrong += [f"{many(number, 'value', 'values')} of {category} in {table_name}, which has no fence"]
    return Part(count, wrong, f"{many(count, 'value stands', 'values stand')} behind the fence.")


def _shared(look: Look, fence: FenceTerms, made: frozenset[int]) -> Iterator[tuple[str, str, int, int]]:
    """Columns of records with values of this provenance: how many, and how many in rows open to a reader who must be kept from them."""
    came = {pk: one.source for pk, one in look.origins({origin for _, origin, _ in look.once(held)}).items()}
    for table in tables():
        for column, category in table.model.personal.columns.items() if table.fenced and not table.by_row else ():
            origins = {pk for pk, source in came.items() if _about(fence, source, category)} | made
            shut = ~fence.mask & (PEOPLE | sum(1 << one.bit for one in look.policy.purposes.values() if category in one.categories))
            for rows in look.rows(table.model) if origins else ():
                for found in fences.holding(look.use, rows, column, Q(provenance_id__in=origins)):
                    yield table.name, category, found.count(), found.annotate(shown=F("fence").bitand(shut)).exclude(shown=0).count()


def _unfenced(look: Look, fence: FenceTerms, made: frozenset[int]) -> Iterator[tuple[str, str, int]]:
    """Values of this provenance in columns that have no fence, where some reader of the column must be kept from them."""
    found = look.once(held)
    origins = look.origins({origin for _, origin, _ in found})
    fenced = {table.name for table in tables() if table.fenced}
    for (table_name, origin, category), number in found.items():
        came = origins.get(origin or 0)
        if came is not None and table_name not in fenced and (_about(fence, came.source, category) or origin in made):
            readers = [one for one in look.policy.purposes.values() if category in one.categories]
            if fence.humans or any(not fence.mask >> one.bit & 1 for one in readers):
                yield table_name, category, number


def _derived(look: Look, fence: FenceTerms) -> frozenset[int]:
    """The occasions on which something was derived of values that stand under a fence which follows them."""
    rows = Derivation.under(look.use).values_list("provenance_id", "source", "category", "record") if fence.derived else ()
    return frozenset(made for made, source, category, record in rows if fence.about(source, category, record or None))


def _about(fence: FenceTerms, source: str, category: str) -> bool:
    return not fence.records and fence.about(source, category)


# Recipients


def _recipients(rule: Rule, body: LimitBody, look: Look) -> Part:
    """What went out of this provenance went to recipients that the limit leaves."""
    fence = next((one for one in look.policy.fences if one.rule.name == rule.name), None)
    if fence is None or fence.outlets is None:
        return Part()
    count, wrong = 0, []
    for one in look.once(outgoing):
        outlet = look.policy.outlets.get((one.header.rule or "").partition(":")[2])
        if not any(_about(fence, source, category) for category, source in one.pieces(look)):
            continue
        count += 1
        if outlet is not None and (outlet.id in fence.outlets or fence.lifted(outlet)):
            continue
        wrong.append(f"entry {one.entry}, to {one.header.recipient or 'nobody named'}")
    return Part(count, wrong, f"{many(count, 'disclosure', 'disclosures')} of such values, each to a recipient that may have them.")


# People


def _humans(rule: Rule, body: LimitBody, look: Look) -> Part:
    """Whoever read such values had leave for it, on a ground that the limit admits, and the owners of the account were told."""
    assert body.humans
    leaves = {one.reference: one for rows in look.rows(Glass) for one in rows if rule.name in one.rules}
    wrong = []
    for one in leaves.values():
        untold = one.told_at is None and one.made_at < look.now - TELLING
        if one.ground not in body.humans.only_when or not one.reason.strip() or untold or not evidence.intact(look.use, one):
            wrong.append(f"leave {one.reference}")
    looked = 0
    for row, entry in look.entries("look"):
        if entry.rule != rule.name:
            continue
        looked += 1
        leave = leaves.get(entry.request or "") or Glass.under(look.use).filter(reference=entry.request or "").first()
        if leave is None or leave.actor != entry.actor or not leave.made_at <= entry.at < leave.expires_at:
            wrong.append(f"entry {row.pk}")
    said = f"{many(len(leaves), 'leave', 'leaves')} to read, on a ground stated and told to the owners; {many(looked, 'look', 'looks')}."
    return Part(len(leaves) + looked, wrong, said)


# Groups


def _groups(rule: Rule, body: LimitBody, look: Look) -> Part:
    """No figure released is about fewer people than the limit allows, nor do several together tell fewer apart."""
    least = body.min_group or 1
    terms = next(one for one in look.policy.groups if one.rule.name == rule.name)
    count, wrong = 0, []
    for rows in look.rows(Aggregate):
        for batch in batches(rows):
            headers = {row.pk: header_of(row) for row in Entry.under(look.use).filter(pk__in=[one.entry for one in batch])}
            for one in batch:
                about = headers[one.entry].categories if one.entry in headers else ()
                if terms.categories and terms.categories.isdisjoint(about):
                    continue
                count += len(one.cells)
                wrong += [f"release {one.pk}: a group of {people}" for _, _, people, *_ in one.cells if people < least]
                wrong += [] if evidence.intact(look.use, one) else [f"release {one.pk}: changed since"]
    for rows in look.rows(AggregateBlock) if not terms.categories else ():
        small = rows.filter(split_by=None, people__gt=0, people__lt=least)
        wrong += [f"block {pk}: figures together tell {people} apart" for pk, people in small.values_list("pk", "people")]
    return Part(count, wrong, f"{many(count, 'figure', 'figures')} released, none about fewer than {least}.")


# Cut


def _cut(rule: Rule, body: LimitBody, look: Look) -> Part:
    """Values of these categories are no longer than what cutting leaves."""
    cut = look.policy.notice.vocabulary["category"].under(*body.truncate or ())
    count, wrong = 0, []
    for table in tables():
        names = ["value"] if table.by_row else [name for name, one in table.model.personal.columns.items() if one in cut]
        model: Any = table.model
        for rows in look.rows(model) if names else ():
            for batch in batches(rows.filter(category__in=cut) if table.by_row else rows, BATCH):
                for row in values.opened(look.use, batch) if table.of_subject else batch:
                    for name in names:
                        text = getattr(row, name)
                        count += bool(text)
                        if text and not text.startswith(SEALED) and not _short(text):
                            wrong.append(f"{table.name}.{name} {row.pk}")
    return Part(count, wrong, f"{many(count, 'value', 'values')}, each cut.")


def _short(text: str) -> bool:
    """Whether an address is that of a network, or a position has one decimal place at most."""
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return all(len(part.strip().partition(".")[2]) <= 1 for part in text.split(","))
    return found.network.prefixlen <= NETWORKS[found.version]

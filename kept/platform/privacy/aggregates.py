"""Figures about groups: the only way in which a count, a sum or a mean leaves the fences to be published or given away.

**What is guaranteed.** Every figure is about a union of *blocks*: sets of people (for sums, of contributions) that no figure released so
far tells apart, each of at least the smallest group the notice allows. A release may split blocks only into such blocks; a group whose
figure would do otherwise is left out, and looks like one that does not exist. Hence whoever adds and subtracts released figures of one
measure, however many, whatever filters and times they were asked for, arrives at figures about unions of blocks, that is about no fewer
people than the minimum: any combination of sets that are unions of blocks is constant on each block. This holds for totals and their
parts (a cell cannot be had by subtraction), for one question with and without a filter (differencing), for the same question before and
after somebody came, left, moved to another group or had a value changed (a contribution that changed is another one), and exactly, not
with some probability.

**What is not.** A figure may say something about everybody in a group (all of a town's customers ordered one thing): the group is hidden
in nothing. Who knows all members of a block but one, or their values, from elsewhere learns the last. A sum may be mostly one member's.
Figures published otherwise, or by others, are not known here. And a mean, which tells both, is added up and counted as a sum is.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from typing import Any, Literal

from django.utils import timezone

from kept.core.errors import BadInput, Refused
from kept.core.notice import Policy
from kept.platform.data import rows
from kept.platform.data.personal import PersonalModel
from kept.platform.data.use import Use, reading, require
from kept.platform.privacy import evidence
from kept.platform.privacy.bookkeeping import alone
from kept.platform.privacy.models import Aggregate, AggregateBlock, AggregateCell
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

LEAST = 5
"""The smallest group where the notice states none: a figure about fewer is about persons."""
MOST_GROUPS = 10_000
PEOPLE = "people"
"""The space of counts: its members are people."""
TOTAL: tuple[str, ...] = ()
"""The group of everybody who was asked about."""
Member = tuple[int, int]
"""What a figure is about: a number that stands for a person or a contribution, and whose it is."""
_PAIR = struct.Struct("<Qq")


@dataclass(frozen=True)
class Question:
    """A figure for each group of the rows of `model`. `by` names its columns that make the groups (none: everybody), `where` column values
    that rows must have. `count` counts people; `sum` and `mean` are of the number in column `of`. `total` asks for everybody too.
    """

    model: type[PersonalModel]
    by: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    measure: Literal["count", "sum", "mean"] = "count"
    of: str = ""
    total: bool = False

    def document(self) -> dict[str, Any]:
        """What was asked, as the release keeps it."""
        where = {name: str(value) for name, value in sorted(self.where.items())}
        named = {"table": self.model._meta.db_table, "by": list(self.by), "where": where}
        return {**named, "measure": self.measure, "of": self.of, "total": self.total}

    @property
    def space(self) -> str:
        """What members of its blocks are: people, or contributions to the numbers of one column."""
        return PEOPLE if self.measure == "count" else f"{self.model._meta.db_table}.{self.of}"

    def categories(self) -> frozenset[str]:
        """The categories that it is about."""
        declared = self.model.personal
        named = {one.partition("__")[0] for one in (*self.by, *self.where, *([self.of] if self.of else []))}
        found = {declared.columns[name] for name in named if name in declared.columns}
        return frozenset(found | ({str(self.where["category"])} if declared.by_row and "category" in self.where else set()))


@dataclass(frozen=True)
class Release:
    """What may be shown. A group that is not here is too small, or empty, or would give away a smaller one: nobody is told which."""

    id: int
    entry: int
    minimum: int
    rule: str
    categories: frozenset[str]
    figures: Mapping[tuple[str, ...], Decimal]


def release(use: Use, question: Question) -> Release:
    """Answer, as far as the guarantee above lets it, and remember the answer. `use` is entered; whom it does not see is not counted.

    Raises BadInput for a question that makes no sense, Refused for one about what the purpose does not read.
    """
    require(use)
    policy = policy_of(use.account_id)
    minimum, rule = smallest_group(policy, question.categories())
    _check(use, policy, question)
    with _counting(use, policy) as counting:
        cells = _cells(counting, question)
    with alone(use.account_id, "kept.aggregates") as keeping:
        blocks = _Blocks(keeping, question.space, minimum)
        shown = [(group, members) for group, members in _largest_first(cells) if blocks.admit(dict(members.keys()))]
        figures = {group: _figure(question, members) for group, members in shown}
        held = [[list(group), str(figures[group]), len({whose for _, whose in members})] for group, members in shown]
        fields = {
            "question": question.document(),
            "measure": question.measure,
            "space": question.space,
            "minimum": minimum,
            "rule": rule,
            "purpose": use.purpose,
            "cells": held,
            "by": use.actor,
            "at": timezone.now(),
        }
        categories = question.categories()
        header = {"actor": use.actor, "purpose": use.purpose, "categories": categories, "rule": rule or None}
        made = evidence.keep(keeping, Aggregate, fields, "aggregate", **header)
        blocks.write(made.pk, [{number for number, _ in members} for _, members in shown])
    return Release(made.pk, made.entry, minimum, rule, categories, figures)


def smallest_group(policy: Policy, categories: frozenset[str]) -> tuple[int, str]:
    """The smallest group that a figure about these categories may show, and the rule that says so (none: the product's own least)."""
    minimum, rule = policy.group_minimum(categories)
    return (minimum, rule) if rule else (LEAST, "")


def _check(use: Use, policy: Policy, question: Question) -> None:
    model, declared = question.model, question.model.personal
    label = model._meta.label
    if (question.measure == "count") == bool(question.of):
        raise BadInput("A sum or mean is of a column, a count of none.", place=label, cure="Name the column in `of`.")
    if declared.by_row and "category" not in question.where:
        raise BadInput("Rows of this table are of many categories.", place=label, cure="Say which one in `where`.")
    names = {field.name for field in model._meta.local_concrete_fields}
    for name in (*question.by, *question.where, *([question.of] if question.of else [])):
        if name not in names:
            raise BadInput(f"It has no column {name}.", place=label, cure=f"Use one of {', '.join(sorted(names))}.")
    for category in sorted(question.categories()):
        if not use.columns.reads(category):
            rule, text = use.why(category)
            raise Refused(text, place=label, rule=rule)
        if category in policy.sealed:
            raise Refused(f"{category} is sealed, and nothing groups by it.", place=label, cure="Ask about another column.")


@contextmanager
def _counting(use: Use, policy: Policy) -> Iterator[Use]:
    """The use under which is counted: a program's, where every limit that closes values to people leaves figures open (`aggregated`)."""
    program = all("aggregated" in one.humans for one in policy.fences if one.humans)
    with reading(replace(use, actor="job:aggregates") if program else use) as counting:
        yield counting


Cell = dict[Member, Decimal]


def _cells(use: Use, question: Question) -> dict[tuple[str, ...], Cell]:
    """Members and what each adds, by group."""
    cells: dict[tuple[str, ...], Cell] = {}
    found = question.model.under(use).filter(**question.where)
    columns = ("pk", "subject_id", *question.by, *([question.of] if question.of else []))
    for pk, subject_id, *rest in found.values_list(*columns).iterator():
        group = tuple("" if one is None else str(one) for one in rest[: len(question.by)])
        member: Member = (subject_id, subject_id)
        amount = Decimal(1)
        if question.of:
            number = _number(rest[-1])
            if number is None:
                continue
            amount, member = number, (_contribution(pk, number), subject_id)
        for one in {group, TOTAL} if question.total else {group}:
            cells.setdefault(one, {})[member] = amount
        if len(cells) > MOST_GROUPS:
            raise BadInput(f"This makes more than {MOST_GROUPS:,} groups.", place="by", cure="Group by something coarser.")
    return cells


def _number(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
    return found if found is None or found.is_finite() else None


def _contribution(pk: int, number: Decimal) -> int:
    """A number for what one row adds: another one once its value changes."""
    return int.from_bytes(hashlib.blake2b(f"{pk}/{number.normalize()}".encode(), digest_size=8).digest(), "little")


def _largest_first(cells: Mapping[tuple[str, ...], Cell]) -> list[tuple[tuple[str, ...], Cell]]:
    """The total before its parts; of these the largest, which leave most room for the others."""
    return sorted(cells.items(), key=lambda one: (one[0] != TOTAL, -len(one[1]), one[0]))


def _figure(question: Question, members: Cell) -> Decimal:
    if question.measure == "count":
        return Decimal(len(members))
    total = sum(members.values(), Decimal(0))
    return total / len(members) if question.measure == "mean" else total


Members = dict[int, int]
"""Numbers of members, each with the subject it belongs to."""


class _Block:
    """A block as it stands in this action: `parent` is the stored block it is a part of, `pk` its own, where it is stored as it is."""

    def __init__(self, members: Members, parent: int | None, pk: int | None) -> None:
        self.members, self.parent, self.pk = members, parent, pk

    @cached_property
    def owners(self) -> Counter[int]:
        """How many of its members belong to each person."""
        return Counter(self.members.values())

    def people(self, numbers: Iterable[int]) -> int:
        """How many people these of its members belong to."""
        return len({self.members[one] for one in numbers})

    def others(self, numbers: Iterable[int]) -> int:
        """How many people the rest of its members belong to."""
        taken = Counter(self.members[one] for one in numbers)
        return len(self.owners) - sum(self.owners[owner] == count for owner, count in taken.items())

    def take(self, numbers: Iterable[int]) -> Members:
        """Take these out."""
        part = {number: self.members.pop(number) for number in numbers}
        self.owners.subtract(Counter(part.values()))
        for owner in set(part.values()):
            if not self.owners[owner]:
                del self.owners[owner]
        return part


class _Blocks:
    """The blocks of one space, in an action that nobody overlaps."""

    def __init__(self, use: Use, space: str, minimum: int) -> None:
        self.use, self.space, self.minimum = use, space, minimum
        held = list(AggregateBlock.under(use).filter(space=space, split_by=None))
        opened = vault().open_many([(one.key_id, bytes(one.sealed or b""), self._context()) for one in held])
        self.blocks = [_Block(_unpacked(plain or b""), None, one.pk) for one, plain in zip(held, opened, strict=True)]
        self.of = {number: place for place, block in enumerate(self.blocks) for number in block.members}

    def _context(self) -> str:
        return f"aggregates/{self.space}"

    def admit(self, members: Members) -> bool:
        """Whether a figure about these may be shown; if so, the blocks are split as it tells them apart."""
        touched: dict[int, list[int]] = {}
        fresh: Members = {}
        for number, owner in members.items():
            if (place := self.of.get(number)) is None:
                fresh[number] = owner
            else:
                touched.setdefault(place, []).append(number)
        if not members or (fresh and len(set(fresh.values())) < self.minimum):
            return False
        for place, inside in touched.items():
            block = self.blocks[place]
            splits = len(inside) < len(block.members)
            if block.people(inside) < self.minimum or (splits and block.others(inside) < self.minimum):
                return False
        for place, inside in touched.items():
            if len(inside) < len(self.blocks[place].members):
                self._split(place, inside)
        if fresh:
            self._add(_Block(fresh, None, None))
        return True

    def _split(self, place: int, inside: Sequence[int]) -> None:
        """The members named become a block of their own; the rest stay where they are."""
        block = self.blocks[place]
        block.parent, block.pk = block.pk or block.parent, None
        self._add(_Block(block.take(inside), block.parent, None))

    def _add(self, block: _Block) -> None:
        self.of |= dict.fromkeys(block.members, len(self.blocks))
        self.blocks.append(block)

    def write(self, release_id: int, cells: Sequence[Iterable[int]]) -> None:
        """Store the blocks that are new, empty those that were split, and note which blocks each figure is about."""
        new = [block for block in self.blocks if block.pk is None]
        gone = {block.parent for block in new if block.parent is not None}
        AggregateBlock.under(self.use).filter(pk__in=gone).update(split_by=release_id, sealed=None)
        if new:
            sealed = vault().seal_many([(self._key(), _packed(block.members), self._context()) for block in new])
            names = ("space", "parent", "made_by", "people", "minimum", "key_id", "sealed")
            head = [(self.space, block.parent, release_id, block.people(block.members), self.minimum) for block in new]
            lines = [(*one, self._key(), blob) for one, blob in zip(head, sealed, strict=True)]
            for block, pk in zip(new, rows.insert(self.use, AggregateBlock, names, lines), strict=True):
                block.pk = pk
        about = [
            (release_id, cell, self.blocks[place].pk) for cell, numbers in enumerate(cells) for place in {self.of[one] for one in numbers}
        ]
        rows.insert(self.use, AggregateCell, ("release", "position", "block"), about)

    @cache  # noqa: B019 (lives as long as the action)
    def _key(self) -> int:
        """The account's key for the members of blocks."""
        held = AggregateBlock.under(self.use).values_list("key_id", flat=True).first()
        return held if held is not None else vault().create()[0]


def _packed(members: Members) -> bytes:
    return zlib.compress(b"".join(_PAIR.pack(*one) for one in sorted(members.items())), 1)


def _unpacked(packed: bytes) -> Members:
    return dict(_PAIR.iter_unpack(zlib.decompress(packed))) if packed else {}


def members_of(block: AggregateBlock) -> Members:
    """Who is in a stored block: for whoever proves that it is as large as it says. Raises Shredded."""
    return _unpacked(vault().open(block.key_id, bytes(block.sealed or b""), f"aggregates/{block.space}"))

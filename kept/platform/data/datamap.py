"""The data map: every table of the deployment, and what each of its columns says.

Three kinds of table. *Guarded* tables belong to an account and carry a `Personal` declaration on their model. *Platform* tables
serve sign-in, sessions and jobs; their columns are declared in `platform_tables.py`, also for third parties. *Engine* tables hold
the guard itself. Access, erasure, retention, the guard and the notice's tables are all generated from this map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import get_args

from django.apps import apps
from django.core import checks
from django.db import models

from kept.core.notice.vocabulary import BASE
from kept.platform.data.personal import AccountModel, Erasure, Personal, PersonalModel, ValueModel
from kept.platform.data.platform_tables import PLATFORM
from kept.platform.data.use import Columns

ROOMS = "kept.apps."
"""Where the rooms live."""


@dataclass(frozen=True)
class Table:
    """One guarded table. Column names are the database's; a category of None marks a plain column.

    `room` says that the table is a room's, rather than the platform's own bookkeeping about people. `countable` are the plain
    columns that hold numbers, times and references.
    """

    name: str
    model: type[AccountModel]
    columns: dict[str, str | None]
    erase: str
    masked: bool
    by_row: bool
    fenced: bool
    references: dict[str, str]
    search: tuple[str, ...]
    room: bool
    countable: frozenset[str]

    @property
    def personal(self) -> frozenset[str]:
        """Columns that hold something about a person."""
        named = frozenset(column for column, category in self.columns.items() if category is not None)
        return named | {"value"} if self.by_row else named

    @property
    def offered(self) -> bool:
        """Whether whoever types SQL of their own may ask it: rooms' tables of what people told, not the bookkeeping of anybody."""
        return self.room and bool(self.personal)

    @property
    def of_subject(self) -> bool:
        """Whether each row belongs to a subject."""
        return "subject_id" in self.columns

    def withheld(self, readable: Iterable[str]) -> frozenset[str]:
        """Columns that a purpose with these readable categories does not see."""
        known = frozenset(readable)
        if "*" in known or self.by_row:
            return frozenset()
        return frozenset(column for column, category in self.columns.items() if category is not None and category not in known)

    def writable(self, columns: Columns) -> frozenset[str]:
        """Columns that a purpose writes. A table of personal columns, none of which it writes, is not written at all."""
        if self.by_row:
            return frozenset(self.columns) if columns.writable else frozenset()
        closed = self.withheld(columns.writable)
        return frozenset() if self.personal and self.personal <= closed else frozenset(self.columns) - closed


_COUNTABLE = (models.IntegerField, models.BooleanField, models.DateTimeField, models.ForeignKey)


def declaration(model: type[AccountModel]) -> Personal | None:
    """The model's own declaration (an inherited one does not count)."""
    declared = model.__dict__.get("personal")
    return declared if isinstance(declared, Personal) else None


def _table(model: type[AccountModel], declared: Personal) -> Table:
    columns: dict[str, str | None] = {}
    references: dict[str, str] = {}
    countable = set()
    for field in model._meta.local_concrete_fields:
        column = str(field.column)
        columns[column] = declared.columns.get(field.name)
        if isinstance(field, _COUNTABLE) and columns[column] is None:
            countable.add(column)
        target = field.related_model
        if isinstance(target, type) and issubclass(target, AccountModel):
            references[column] = target._meta.db_table
    return Table(
        name=model._meta.db_table,
        model=model,
        columns=columns,
        erase=declared.erase,
        masked="permits" in columns,
        by_row=declared.by_row,
        fenced=issubclass(model, PersonalModel),
        references=references,
        search=tuple(str(model._meta.get_field(name).column) for name in declared.search),  # type: ignore[union-attr]
        room=model._meta.app_config.name.startswith(ROOMS),
        countable=frozenset(countable),
    )


@cache
def tables() -> tuple[Table, ...]:
    """Every guarded table, ordered so that a table stands after those it refers to."""
    found = {}
    for model in apps.get_models():
        if issubclass(model, AccountModel) and (declared := declaration(model)) is not None:
            found[model._meta.db_table] = _table(model, declared)
    ordered: dict[str, Table] = {}

    def place(table: Table) -> None:
        for target in table.references.values():
            if target != table.name and target not in ordered:
                place(found[target])
        ordered.setdefault(table.name, table)

    for table in found.values():
        place(table)
    return tuple(ordered.values())


def table_of(model: type[AccountModel]) -> Table:
    """The table of one model."""
    return next(table for table in tables() if table.model is model)


def of_subjects() -> tuple[Table, ...]:
    """Tables whose rows belong to a subject, those referring to others first: the order in which rows can be deleted."""
    return tuple(table for table in reversed(tables()) if table.of_subject)


@cache
def platform_tables() -> frozenset[str]:
    """Tables that serve the platform and stand outside the guard."""
    return frozenset(PLATFORM) | {"django_migrations"}


def _system_fields(model: type[AccountModel]) -> set[str]:
    """Fields that a model has from our bases: plain, and known to the guard."""
    bases = (base for base in (AccountModel, PersonalModel, ValueModel) if issubclass(model, base))
    return {field.name for base in bases for field in base._meta.local_fields}


def _field_errors(model: type[AccountModel], declared: Personal) -> Iterator[checks.CheckMessage]:
    label, fields = model._meta.label, {field.name for field in model._meta.local_concrete_fields}
    said = {*declared.columns, *declared.plain}
    if "value" in _system_fields(model) and not declared.by_row:
        yield checks.Error(
            f"{label} holds values of any category.", hint="Say by_row=True: the category stands in the row.", id="kept.E005"
        )
    for name in sorted(fields - said - _system_fields(model)):
        yield checks.Error(f"{label}.{name} does not say what it holds.", hint="Name its category, or list it in `plain`.", id="kept.E002")
    for name in sorted({*said, *declared.search} - fields):
        yield checks.Error(f"{label} declares {name}, which it does not have.", hint="Correct the name, or leave it out.", id="kept.E006")
    for name in sorted(set(declared.columns) & set(declared.plain)):
        yield checks.Error(f"{label}.{name} is declared plain and personal.", hint="Leave it in one of the two.", id="kept.E007")
    for category in sorted(set(declared.columns.values()) - set(BASE["category"].all)):
        hint = f"Use a term of the vocabulary; {BASE['category'].nearest(category) or 'none'} comes closest."
        yield checks.Error(f"{label}: the vocabulary has no category {category}.", hint=hint, id="kept.E008")


def _erase_errors(model: type[AccountModel], declared: Personal) -> Iterator[checks.CheckMessage]:
    label = model._meta.label
    if declared.erase not in get_args(Erasure):
        yield checks.Error(f"{label}: nobody knows how to erase by “{declared.erase}”.", hint=f"Use {get_args(Erasure)}.", id="kept.E009")
    if declared.erase == "keep" and not declared.keep_because:
        yield checks.Error(f"{label} is kept at erasure without a reason.", hint="Fill keep_because.", id="kept.E004")
    if declared.erase != "delete" and issubclass(model, PersonalModel):
        hint = "Delete them, or keep what must stay in a table that names no subject."
        yield checks.Error(f"{label}: rows that stay would keep their subject from being erased.", hint=hint, id="kept.E010")


def errors_of(model: type[models.Model]) -> list[checks.CheckMessage]:
    """What is wrong with one model's declaration."""
    label, table = model._meta.label, model._meta.db_table
    if not issubclass(model, AccountModel):
        missing = [f.column for f in model._meta.local_concrete_fields if f.column not in PLATFORM.get(table, ())]
        hint = f'Add it to "{table}" in kept/platform/data/platform_tables.py.'
        return [checks.Error(f"{label}: column {one} of a platform table is not declared.", hint=hint, id="kept.E003") for one in missing]
    declared = declaration(model)
    if declared is None:
        return [checks.Error(f"{label} has no declaration.", hint="Give it `personal = Personal(columns={…}, plain=(…))`.", id="kept.E001")]
    return [*_field_errors(model, declared), *_erase_errors(model, declared)]


@checks.register("kept")
def check_map(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """Every column of every table says what it is, or the build fails."""
    return [error for model in apps.get_models(include_auto_created=True) for error in errors_of(model)]

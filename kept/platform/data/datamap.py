"""The data map: every table of the deployment, and what each of its columns says.

Three kinds of table. *Guarded* tables belong to an account and carry a `Personal` declaration on their model. *Platform* tables
serve sign-in, sessions and jobs; their columns are declared in `platform_tables.py`, also for third parties. *Engine* tables hold
the guard itself. Access, erasure, retention, the guard and the notice's tables are all generated from this map.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.core import checks
from django.db import models

from kept.platform.data.personal import SYSTEM_FIELDS, AccountModel, Personal, ValueModel
from kept.platform.data.platform_tables import PLATFORM
from kept.platform.data.use import Columns

ROOMS = "kept.apps."
"""Where the rooms live. Only their tables are offered to whoever types SQL of their own."""

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
    for field in model._meta.local_concrete_fields:
        columns[field.column] = declared.columns.get(field.name)
        target = field.related_model
        if isinstance(target, type) and issubclass(target, AccountModel):
            references[field.column] = target._meta.db_table
    return Table(
        name=model._meta.db_table,
        model=model,
        columns=columns,
        erase=declared.erase,
        masked="permits" in columns,
        by_row=declared.by_row,
        fenced=issubclass(model, ValueModel),
        references=references,
        search=tuple(model._meta.get_field(name).column for name in declared.search),  # type: ignore[union-attr]
        room=model._meta.app_config.name.startswith(ROOMS),
        countable=frozenset(f.column for f in model._meta.local_concrete_fields if isinstance(f, _COUNTABLE) and columns[f.column] is None),
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


def _undeclared(model: type[AccountModel], declared: Personal) -> list[str]:
    known = set(declared.columns) | set(declared.plain) | SYSTEM_FIELDS
    if declared.by_row:
        known.add("value")
    return [field.name for field in model._meta.local_concrete_fields if field.name not in known]


def _model_errors(model: type[models.Model]) -> list[checks.CheckMessage]:
    label, table = model._meta.label, model._meta.db_table
    if not issubclass(model, AccountModel):
        missing = [f.column for f in model._meta.local_concrete_fields if f.column not in PLATFORM.get(table, ())]
        hint = f'Add it to "{table}" in kept/platform/data/platform_tables.py.'
        return [checks.Error(f"{label}: column {column} of a platform table is not declared.", hint=hint, id="kept.E003") for column in missing]
    declared = declaration(model)
    if declared is None:
        return [checks.Error(f"{label} has no declaration.", hint="Give it `personal = Personal(columns={…}, plain=(…))`.", id="kept.E001")]
    errors: list[checks.CheckMessage] = [
        checks.Error(
            f"{label}.{name} does not say what it holds.", hint="Name its category in `columns`, or list it in `plain`.", id="kept.E002"
        )
        for name in _undeclared(model, declared)
    ]
    if declared.erase == "keep" and not declared.keep_because:
        errors.append(checks.Error(f"{label} is kept at erasure without a reason.", hint="Fill keep_because.", id="kept.E004"))
    return errors


@checks.register("kept")
def check_map(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """Every column of every table says what it is, or the build fails."""
    return [error for model in apps.get_models(include_auto_created=True) for error in _model_errors(model)]

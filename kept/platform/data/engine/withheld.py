"""The ORM's side of the guard: a question that names a withheld field anywhere, and a write outside an action or to a field that the
purpose does not write, are refused before they reach the engine."""

from __future__ import annotations

from typing import Any

from django.db.models.expressions import Col
from django.db.models.sql import compiler

from kept.core.errors import NoPurpose
from kept.platform.data.personal import AccountModel, withheld


class Guarded:
    """Mixed into every compiler: looks at each column as it is written out."""

    connection: Any

    def compile(self, node: Any) -> Any:
        """Refuse a withheld column in a selection, filter, order or aggregate."""
        if isinstance(node, Col):
            use, model = self.connection.arming.use, node.target.model
            if use is not None and issubclass(model, AccountModel) and node.target.name in model.withheld_fields(use):
                raise withheld(use, model, node.target.name)
        return super().compile(node)  # type: ignore[misc]


class Acting(Guarded):
    """Mixed into the compilers of writes."""

    query: Any

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse a write outside an action: on PostgreSQL the engine itself would take it."""
        model, arming = self.query.model, self.connection.arming
        if issubclass(model, AccountModel) and not (arming.use is not None and arming.writing):
            raise NoPurpose(f"{model.__name__} is written inside an action only.", cure="Write inside `writing(use)`.")
        return super().as_sql(*args, **kwargs)  # type: ignore[misc]


class SQLCompiler(Guarded, compiler.SQLCompiler):
    """Selects."""


class SQLInsertCompiler(Acting, compiler.SQLInsertCompiler):
    """Inserts."""


class SQLDeleteCompiler(Acting, compiler.SQLDeleteCompiler):
    """Deletes."""


class SQLUpdateCompiler(Acting, compiler.SQLUpdateCompiler):
    """Updates."""

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse a field that the purpose does not write."""
        use, model = self.connection.arming.use, self.query.model
        if use is not None and issubclass(model, AccountModel) and not model.personal.by_row:
            for field, _, _ in self.query.values:
                if not use.columns.writes(model.personal.columns.get(field.name)):
                    raise withheld(use, model, field.name)
        return super().as_sql(*args, **kwargs)


class SQLAggregateCompiler(Guarded, compiler.SQLAggregateCompiler):
    """Aggregates over sub-selects."""

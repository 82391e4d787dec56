"""The ORM's side of the guard: a question that names a withheld field anywhere is refused before it reaches the engine."""

from __future__ import annotations

from typing import Any

from django.db.models.expressions import Col
from django.db.models.sql import compiler

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


class SQLCompiler(Guarded, compiler.SQLCompiler):
    """Selects."""


class SQLInsertCompiler(Guarded, compiler.SQLInsertCompiler):
    """Inserts."""


class SQLDeleteCompiler(Guarded, compiler.SQLDeleteCompiler):
    """Deletes."""


class SQLUpdateCompiler(Guarded, compiler.SQLUpdateCompiler):
    """Updates."""


class SQLAggregateCompiler(Guarded, compiler.SQLAggregateCompiler):
    """Aggregates over sub-selects."""

"""Compilers for guarded SQLite: writes name the main table, the questions inside them the guarded view."""

from __future__ import annotations

from typing import Any

from kept.platform.data.engine import withheld


class _Naming:
    qualify = False
    connection: Any

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        """Compile with this statement's way of naming tables."""
        ops = self.connection.ops
        before, ops.qualifying = ops.qualifying, self.qualify
        try:
            return super().as_sql(*args, **kwargs)  # type: ignore[misc]
        finally:
            ops.qualifying = before


class SQLCompiler(_Naming, withheld.SQLCompiler):
    """Selects."""


class SQLInsertCompiler(_Naming, withheld.SQLInsertCompiler):
    """Inserts."""

    qualify = True


class SQLDeleteCompiler(_Naming, withheld.SQLDeleteCompiler):
    """Deletes."""

    qualify = True


class SQLUpdateCompiler(_Naming, withheld.SQLUpdateCompiler):
    """Updates."""

    qualify = True


class SQLAggregateCompiler(_Naming, withheld.SQLAggregateCompiler):
    """Aggregates over sub-selects."""

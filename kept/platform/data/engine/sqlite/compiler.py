"""Compilers for guarded SQLite: writes name the main table, the questions inside them the guarded view.

A write's own WHERE is a question of the main table, of which the authorizer shows an action numbers, times and references only. So a
condition on anything else moves into a question of the view.
"""

from __future__ import annotations

from typing import Any

from django.db.models.sql import Query
from django.utils.functional import cached_property

from kept.platform.data.datamap import table_of
from kept.platform.data.engine import withheld
from kept.platform.data.personal import AccountModel


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


def _asks_values(query: Any) -> bool:
    """Whether the condition names a column that a write may not ask of the main table."""
    if not issubclass(query.model, AccountModel):
        return False
    countable = table_of(query.model).countable
    return any(column.target.column not in countable for column in query._gen_cols([query.where]))


class SQLCompiler(_Naming, withheld.SQLCompiler):
    """Selects."""


class SQLInsertCompiler(_Naming, withheld.SQLInsertCompiler):
    """Inserts."""

    qualify = True


class SQLDeleteCompiler(_Naming, withheld.SQLDeleteCompiler):
    """Deletes."""

    qualify = True

    @cached_property
    def single_alias(self) -> bool:
        """Without a single alias Django asks for the ids in a query of their own."""
        return bool(super().single_alias) and not _asks_values(self.query)


class SQLUpdateCompiler(_Naming, withheld.SQLUpdateCompiler):
    """Updates."""

    qualify = True

    def pre_sql_setup(self, with_col_aliases: bool = False) -> Any:
        """Ask for the ids in a query of their own, as Django does where several tables are named."""
        if _asks_values(self.query):
            self.query.get_initial_alias()
            ids = self.query.chain(klass=Query)
            ids.clear_ordering(force=True)
            ids.select = ()
            ids.add_fields([self.query.get_meta().pk.name])
            self.query.clear_where()
            self.query.add_filter("pk__in", ids)
        return super().pre_sql_setup()


class SQLAggregateCompiler(_Naming, withheld.SQLAggregateCompiler):
    """Aggregates over sub-selects."""

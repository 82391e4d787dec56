"""PostgreSQL, guarded: the ENGINE of the application's own connection."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations

from kept.platform.data.engine.arming import Arming


class PostgresArming(Arming):
    """Tells the session: its role (columns) and its settings (rows). One round trip."""

    def tell(self) -> None:
        """Set role and settings for the use, or none."""
        from kept.platform.data.guard.postgres import arm_sql, role_name  # it knows the models, which need this module first

        with self.connection.cursor() as cursor:
            cursor.execute(arm_sql(self.use, role_name(cursor, self.use)))

    def wish(self) -> object:
        """On PostgreSQL reading, writing and searching need no different state."""
        return self.use


class DatabaseOperations(PostgresOperations):
    """Questions about withheld columns are refused before they are sent."""

    compiler_module = "kept.platform.data.engine.withheld"

    def compiler(self, compiler_name: str) -> Any:
        """Our compilers."""
        from kept.platform.data.engine import withheld

        return getattr(withheld, compiler_name)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is armed before each statement."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arming = PostgresArming(self)
        self.execute_wrappers.append(self.arming.before)

    def init_connection_state(self) -> None:
        """A new session, or one from a pool: whatever it was told before does not count."""
        self.arming.forget()
        super().init_connection_state()

    def _rollback(self) -> Any:
        self.arming.forget()
        return super()._rollback()  # type: ignore[misc]

"""SQLite, guarded: the ENGINE of the application's own connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteOperations

from kept.platform.data.engine.arming import UNKNOWN, Arming
from kept.platform.data.engine.sqlite.names import admit

if TYPE_CHECKING:
    from kept.platform.data.guard.sqlite import ConnectionGuard


class SQLiteArming(Arming):
    """Tells the temporary tables and the authorizer."""

    guard: ConnectionGuard | None = None
    armed: object = UNKNOWN

    def forget(self) -> None:
        """The one-row table may say again what it said before."""
        super().forget()
        self.armed = UNKNOWN

    def tell(self) -> None:
        """Arm the connection's guard."""
        self.connection.ensure_connection()
        if self.guard is None:
            return
        if self.armed != self.use:
            self.armed = UNKNOWN
            self.guard.arm(self.use)
            self.armed = self.use
        columns = self.use.columns if self.use is not None else None
        self.guard.authorize(columns, writing=self.writing, privileged=self.privileged, searching=self.searching)

    def admit(self, sql: str) -> None:
        """Only the guard's own search names the guard's objects."""
        if not self.searching:
            admit(sql)


class DatabaseOperations(SQLiteOperations):
    """Writes name the table itself: its bare name is the guarded view."""

    connection: Any
    compiler_module = "kept.platform.data.engine.sqlite.compiler"
    qualifying = False

    def quote_name(self, name: str) -> str:
        """Quote a name; while a write is being compiled, a guarded table gets its schema."""
        quoted = super().quote_name(name)
        guard = self.connection.arming.guard
        return f'"main".{quoted}' if self.qualifying and guard is not None and name in guard.inner else quoted


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is armed before each statement."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arming = SQLiteArming(self)
        self.execute_wrappers.append(self.arming.before)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open, and install the guard's objects while nothing is armed."""
        from kept.platform.data.guard.sqlite import ConnectionGuard  # it knows the models, which need this module first

        raw = super().get_new_connection(conn_params)
        self.arming.guard = ConnectionGuard.install(raw)
        self.arming.forget()
        self.arming.guard.authorize(None)
        return raw

    def _rollback(self) -> Any:
        self.arming.forget()
        return super()._rollback()  # type: ignore[misc]

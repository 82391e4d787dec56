"""What is common to both engines: the state of a connection, and bringing the engine to it before each statement.

The wish (`use`, `writing`) and what the engine was last told are kept apart. A rollback undoes what the engine was told (an error may
bring one that nobody asked for), and an aborted transaction cannot be told anything: all leave `told` unknown, and the next statement
tells it anew or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kept.core.errors import Conflict
from kept.platform.data.use import Use

UNKNOWN = object()


class Arming:
    """The arming of one connection. Engines implement `tell`."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.use: Use | None = None
        self.writing = False
        self.privileged = False
        self.searching = False
        self.told: object = UNKNOWN
        self._telling = False

    def wish(self) -> object:
        """The state that the engine must be in for the next statement."""
        return (self.use, self.writing, self.privileged, self.searching)

    def forget(self) -> None:
        """What the engine was told may have been undone."""
        self.told = UNKNOWN

    def bring(self) -> None:
        """Bring the engine to the wished state; called before every statement."""
        if self._telling or self.told == self.wish():
            return
        self._telling = True
        try:
            self.told = UNKNOWN
            self.tell()
            self.told = self.wish()
        finally:
            self._telling = False

    def tell(self) -> None:
        """Tell the engine the wished state."""
        raise NotImplementedError

    @contextmanager
    def holding(self, use: Use, *, writing: bool) -> Iterator[None]:
        """Wish for `use` inside the block, and for what was wished before afterwards."""
        before = (self.use, self.writing)
        if self.writing and self.use is not None and self.use.account_id != use.account_id:
            raise Conflict("An action of one account cannot enter another account.", cure="Finish the first action.")
        self.use, self.writing = use, writing or self.writing
        try:
            yield
        finally:
            self.use, self.writing = before

    @contextmanager
    def privilege(self) -> Iterator[None]:
        """Inside the block the engine's own functions may write what is theirs. Only `data` calls this."""
        before, self.privileged = self.privileged, True
        try:
            yield
        finally:
            self.privileged = before

    @contextmanager
    def search(self) -> Iterator[None]:
        """Inside the block full-text tables may be asked. Only `data.search` calls this."""
        before, self.searching = self.searching, True
        try:
            yield
        finally:
            self.searching = before

    def admit(self, sql: str) -> None:
        """Refuse a statement by its text, where the engine cannot."""

    def before(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's execute wrapper."""
        self.admit(sql)
        undoes = sql.lstrip()[:8].upper() == "ROLLBACK"
        if not undoes or ";" in sql:  # after a failure there is no telling anything until a rollback, alone, has run
            self.bring()
        try:
            return execute(sql, params, many, context)
        except BaseException:
            undoes = True
            raise
        finally:
            if undoes:
                self.forget()

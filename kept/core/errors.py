"""Every error of the product, in one tree.

KeptError
├── BadInput            400  what came in is wrong: the place, and the cure
│   └── NoticeError          a notice that cannot be read; carries its findings
├── Refused             403  a rule of the notice, or a missing purpose, stands against it
│   ├── NoPurpose            personal data was asked for without entering a Use
│   ├── RoomClosed           the notice declares no purpose that opens this room
│   ├── Withheld             a value that this purpose may not read; names the rule
│   └── NotPermitted         the actor's role does not allow this
├── NotFound            404  no such thing in this account
├── Conflict            409  it changed underneath, or is under way already
└── Closed              503  failing closed: nothing is served until this is mended
    ├── NoNotice             the account has no active notice
    ├── GuardDrift           the database's guard is not the one the data map describes
    ├── VaultClosed          keys cannot be reached or opened
    │   ├── Shredded         this key was destroyed; what it sealed cannot come back
    │   └── Tampered         sealed bytes or their context were changed
    └── ClockBackwards       the clock stands before the last entry of the ledger
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class KeptError(Exception):
    """Base of all. `place` says where, `cure` what to do, `rule` which rule of the notice (``kind:id``)."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, place: str = "", cure: str = "", rule: str = "") -> None:
        super().__init__(message)
        self.message, self.place, self.cure, self.rule = message, place, cure, rule

    @property
    def code(self) -> str:
        """The machine's name of the error, in kebab-case."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))

    def as_dict(self) -> dict[str, str]:
        """The one JSON shape of an error."""
        shown = {"place": self.place, "cure": self.cure, "rule": self.rule}
        return {"error": self.code, "message": self.message} | {key: value for key, value in shown.items() if value}

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        rule = f" [{self.rule}]" if self.rule else ""
        cure = f" {self.cure}" if self.cure else ""
        return f"{where}{self.message}{rule}{cure}"


class BadInput(KeptError):
    """What came in is wrong."""

    status = 400


class NoticeError(BadInput):
    """A notice that cannot be read; `findings` are in document order."""

    def __init__(self, message: str, *, findings: Sequence[Any] = (), place: str = "", cure: str = "") -> None:
        super().__init__(message, place=place, cure=cure)
        self.findings = tuple(findings)


class Refused(KeptError):
    """A rule stands against it."""

    status = 403


class NoPurpose(Refused):
    """Personal data was asked for without entering a Use."""


class RoomClosed(Refused):
    """The notice declares no purpose that opens this room."""


class Withheld(Refused):
    """A value that this purpose may not read."""


class NotPermitted(Refused):
    """The actor's role does not allow this."""


class NotFound(KeptError):
    """No such thing in this account."""

    status = 404


class Conflict(KeptError):
    """It changed underneath, or is under way already."""

    status = 409


class Closed(KeptError):
    """Failing closed."""

    status = 503


class NoNotice(Closed):
    """The account has no active notice."""


class GuardDrift(Closed):
    """The database's guard is not the one the data map describes."""


class VaultClosed(Closed):
    """Keys cannot be reached or opened."""


class Shredded(VaultClosed):
    """This key was destroyed; what it sealed cannot come back."""


class Tampered(VaultClosed):
    """Sealed bytes or their context were changed."""


class ClockBackwards(Closed):
    """The clock stands before the last entry of the ledger."""

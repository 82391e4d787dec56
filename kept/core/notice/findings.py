"""What `parse` and `check` have to say about a notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kept.core.errors import NoticeError

Code = Literal["malformed", "contradiction", "hole", "law", "unbacked", "unbound", "laxer"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. `line` and `column` count from 1; `rule` is ``kind:id`` or empty; `cure` is what to write instead."""

    level: Literal["error", "warning"]
    code: Code
    message: str
    line: int
    column: int
    rule: str = ""
    cure: str = ""
    file: str = "notice.md"

    @property
    def place(self) -> str:
        """``file:line:column``, as editors read it."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        rule = f" [{self.rule}]" if self.rule else ""
        cure = f" {self.cure}" if self.cure else ""
        return f"{self.place}: {self.level}: {self.code}: {self.message}{rule}{cure}"


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Document order."""
    return sorted(findings, key=lambda one: (one.line, one.column))


def unreadable(findings: Sequence[Finding]) -> NoticeError:
    """The error that carries these findings and speaks with the first."""
    ordered = in_order(findings)
    first, more = ordered[0], len(ordered) - 1
    also = f" ({more} more)" if more else ""
    return NoticeError(first.message + also, findings=ordered, place=first.place, cure=first.cure)

"""Where keys and values stand in a TOML text: tomllib keeps no places, and every finding must have one."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|(#[^\n]*)")


def _without_comments(source: str) -> str:
    return _COMMENT.sub(lambda found: " " * len(found[0]) if found[1] else found[0], source)


def find(source: str, path: tuple[str, ...], value: str | None = None) -> tuple[int, int]:
    """Line and column, both from 1, of the key at `path`, or of a quoted value in it; the first line when it is not there."""
    text, at = _without_comments(source), 0
    for depth, key in enumerate(path):
        before = r"(?m)^[ \t]*" if depth == 0 else r"[\s{,.]"
        found = re.compile(rf"{before}(\"?{re.escape(key)}\"?)\s*[=.]").search(text, at)
        if not found:
            break
        at = found.start(1)
    if value is not None:
        quoted = re.compile(rf"[\"']{re.escape(value)}[\"']").search(text, at)
        at = quoted.start() if quoted else at
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1

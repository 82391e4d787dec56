"""The one form of a notice: rule blocks with their keys in the order of the language, lists wrapped, nothing else touched."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from typing import Any

from kept.core.notice.document import Block, read
from kept.core.notice.rules import KINDS, Body, keys

WIDTH = 110
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_COMMENT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|(#[^\n]*)")


def formatted(text: str) -> str:
    """The document in its one form; formatting twice changes nothing more, and the rules say what they said.

    A block that is not TOML, or whose kind is unknown, stays as it is: `check` has more to say about it.
    """
    lines = re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))
    for block in reversed([one for one in read("\n".join(lines)) if one.kind == "rule" and not one.nested]):
        made = _rule(block)
        if made is not None:
            count = block.source.count("\n") if block.source.endswith("\n") else block.source.count("\n") + 1
            lines[block.line - 1 : block.line - 1 + count] = made
    return "\n".join(line if _verbatim(line) else line.rstrip() for line in lines).rstrip("\n") + "\n"


def _verbatim(line: str) -> bool:
    """Two spaces at the end of a line break it in Markdown."""
    return line.endswith("  ") and bool(line.strip())


def _rule(block: Block) -> list[str] | None:
    try:
        data = tomllib.loads(block.source)
    except tomllib.TOMLDecodeError:
        return None
    kind = next(iter(data), "")
    statements = _statements(block.source, tuple(data))
    if kind not in KINDS or statements is None or not isinstance(data[kind], str):
        return None
    own = tuple(key for key in keys(KINDS[kind]) if key not in Body.model_fields)
    order = (kind, "data", *own, "because")
    last = len(order)
    ordered = sorted(data, key=lambda key: order.index(key) if key in order else last)
    return [line for key in ordered for line in _statement(key, data[key], statements[key])]


def _statements(source: str, names: tuple[str, ...]) -> dict[str, list[str]] | None:
    """The lines of each top-level key, with the comments that stand before it; None where tables are written with headers or dots."""
    lines = source.rstrip("\n").split("\n")
    starts = [n for n, line in enumerate(lines) if (key := re.match(r"\s*\"?([\w-]+)\"?\s*=", line)) and key[1] in names]
    found: dict[str, list[str]] = {}
    begin = 0
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=bool(starts)):
        end = following
        while end > start + 1 and following < len(lines) and re.match(r"\s*(#.*)?$", lines[end - 1]):
            end -= 1
        name = re.match(r"\s*\"?([\w-]+)", lines[start])
        if name is None or name[1] in found:
            return None
        found[name[1]] = lines[begin:end]
        begin = end
    return found if set(found) == set(names) and begin == len(lines) and _same(found, source) else None


def _same(statements: dict[str, list[str]], source: str) -> bool:
    """Whether every statement is whole by itself: a key inside a list of several lines looks like one of the block's own."""
    try:
        apart = [tomllib.loads("\n".join(lines)) for lines in statements.values()]
    except tomllib.TOMLDecodeError:
        return False
    return {key: value for one in apart for key, value in one.items()} == tomllib.loads(source)


def _statement(key: str, value: Any, lines: list[str]) -> list[str]:
    before = [line.strip() for line in lines if line.strip().startswith("#")]
    body = "\n".join(line for line in lines if line.strip() and not line.strip().startswith("#"))
    comments = [found[1] for found in _COMMENT.finditer(body) if found[1]]
    if len(comments) > 1 or (comments and "\n" in body) or len(before) + body.count("\n") + 1 < len([one for one in lines if one.strip()]):
        return [line.rstrip() for line in lines if line.strip()]
    made = _assigned(_name(key), value)
    if comments:
        made[-1] += f"  {comments[0]}"
    return [*before, *made]


def _assigned(name: str, value: Any) -> list[str]:
    line = f"{name} = {_value(value)}"
    if len(line) <= WIDTH or not isinstance(value, list):
        return [line]
    if any(isinstance(one, dict) for one in value):
        return [f"{name} = [", *(f"  {_value(one)}," for one in value), "]"]
    rows, row = list[str](), " "
    for one in (_value(one) + "," for one in value):
        if len(row) + len(one) + 1 > WIDTH:
            rows, row = [*rows, row], " "
        row += f" {one}"
    return [f"{name} = [", *rows, row, "]"]


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | date():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(_value(one) for one in value)}]"
        case dict():
            return "{ " + ", ".join(f"{_name(key)} = {_value(one)}" for key, one in value.items()) + " }" if value else "{}"
        case _:
            return repr(value)


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)

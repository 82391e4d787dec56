"""The document form: Markdown into headings, passages and rule blocks, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Raw HTML stays text: a notice is published from its source, and nothing in it runs.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_ATTRIBUTES = re.compile(r"\s*\{([^{}]*)\}\s*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the document. `line` counts from 1, `source` is its Markdown, `text` its plain words, `html` is safe to publish.

    For a rule block `source` is the TOML, `line` the first line of it and `indent` the columns cut off before it.
    """

    kind: Literal["heading", "prose", "rule"]
    line: int
    source: str
    text: str = ""
    html: str = ""
    level: int = 0
    attributes: str | None = None
    info: str = ""
    nested: bool = False
    indent: int = 0


def read(text: str) -> Iterator[Block]:
    """The blocks of a document, in order."""
    # As markdown-it counts them: str.splitlines knows more line ends than Markdown does.
    lines = re.split(r"\r\n?|\n", text)
    tokens = _MARKDOWN.parse(text)
    start = 0
    while start < len(tokens):
        end = _end(tokens, start)
        yield from _block(tokens[start : end + 1], lines)
        start = end + 1


def _end(tokens: list[Token], start: int) -> int:
    """The index of the token that closes the block opened at `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    raise AssertionError("markdown-it closes every block")  # pragma: no cover


def _block(tokens: list[Token], lines: list[str]) -> Iterator[Block]:
    first = tokens[0]
    begin, end = first.map or (0, 0)
    source = "\n".join(lines[begin:end])
    for token in tokens:
        if token.type == "fence" and _is_rule(token.info):
            yield _rule(token, lines, nested=token is not first)
    if first.type == "fence" and _is_rule(first.info):
        return
    if first.type == "heading_open":
        yield _heading(tokens, begin + 1, source)
    else:
        yield Block("prose", begin + 1, source, text=_plain(tokens), html=_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _is_rule(info: str) -> bool:
    return info.strip().lower() in ("rule", "rules")


def _rule(token: Token, lines: list[str], *, nested: bool) -> Block:
    begin = (token.map or [0, 0])[0]
    indent = len(lines[begin]) - len(lines[begin].lstrip())
    return Block("rule", begin + 2, token.content, info=token.info.strip(), nested=nested, indent=indent)


def _heading(tokens: list[Token], line: int, source: str) -> Block:
    inline = tokens[1]
    found = _ATTRIBUTES.search(inline.content)
    if found:
        inline = _MARKDOWN.parseInline(inline.content[: found.start()])[0]
    shown = [tokens[0], inline, tokens[2]]
    html = _MARKDOWN.renderer.render(shown, _MARKDOWN.options, {})
    return Block("heading", line, source, _plain(shown), html, level=int(tokens[0].tag[1:]), attributes=found[1].strip() if found else None)


def _plain(tokens: list[Token]) -> str:
    """The words without their markup, one line per paragraph or item."""
    parts = (_words(token) for token in tokens if token.type in ("inline", "fence", "code_block"))
    return "\n".join(part for part in parts if part)


def _words(token: Token) -> str:
    if token.type != "inline":
        return token.content.strip()
    breaks = ("softbreak", "hardbreak")
    return "".join(" " if child.type in breaks else child.content for child in token.children or ()).strip()

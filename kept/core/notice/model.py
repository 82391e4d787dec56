"""A notice that has been read: its rules, its passages, and the words it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from kept.core.notice.findings import Code, Finding
from kept.core.notice.rules import Body, NoticeBody
from kept.core.notice.toml_places import find
from kept.core.notice.vocabulary import Vocabulary, regions_of

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule block.

    `data` is what the block itself says; `body` is the typed rule in force, a supplement merged over the general rule.
    `promise` is the prose it binds, in plain words. `region` is None where it holds for everybody.
    `line` and `column` are those of its first key, and `line` that of the first line of `source`.
    """

    kind: str
    id: str
    data: Mapping[str, Any]
    body: Body
    region: str | None
    line: int
    column: int
    promise: str
    source: str

    @property
    def name(self) -> str:
        """``kind:id``, as it is named everywhere."""
        return f"{self.kind}:{self.id}"

    @property
    def anchor(self) -> str:
        """How it is addressed on a page, in an export and by its proofs: its name, with ``@region`` where it is of a supplement."""
        return f"{self.name}@{self.region}" if self.region else self.name

    @property
    def because(self) -> tuple[str, ...]:
        """Ids of an outside register of promises."""
        return self.body.because

    def place(self, *path: str, value: str | None = None) -> tuple[int, int]:
        """Line and column in the document of a key, or of a value in it."""
        line, column = find(self.source, path, value)
        return self.line + line - 1, self.column + column - 1


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A heading or a piece of prose, and the rules that cover it. `html` is safe to publish; `source` is its Markdown.

    `regions` are those of the supplement it belongs to; empty where it is for everybody.
    """

    kind: Literal["heading", "prose"]
    text: str
    html: str
    source: str
    level: int
    regions: tuple[str, ...]
    line: int
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A well-formed notice. It may still contradict itself: that is for `check`."""

    id: str
    title: str
    text: str
    filename: str
    identity: NoticeBody
    rules: tuple[Rule, ...]
    passages: tuple[Passage, ...]
    vocabulary: Vocabulary

    def regions(self) -> tuple[str, ...]:
        """The regions that some supplement is about, in order of first mention."""
        return tuple(dict.fromkeys(rule.region for rule in self.rules if rule.region))

    def identity_in(self, region: str = "") -> NoticeBody:
        """What the document says of itself in a region: a supplement may have a date and contacts of its own."""
        return next((body for _, body in self.saying(NoticeBody, region)), self.identity)

    def in_force(self, region: str = "") -> tuple[Rule, ...]:
        """The rules that hold in a region, in document order: of several with one name the most specific."""
        chain = (*regions_of(region), None)
        chosen: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.region in chain:
                held = chosen.get(rule.name)
                if held is None or chain.index(rule.region) < chain.index(held.region):
                    chosen[rule.name] = rule
        return tuple(chosen.values())

    def saying(self, model: type[B], region: str = "") -> list[tuple[Rule, B]]:
        """The rules in force of one kind, with their typed bodies."""
        return [(rule, rule.body) for rule in self.in_force(region) if isinstance(rule.body, model)]

    def finding(
        self, rule: Rule, code: Code, message: str, cure: str, *path: str, value: str | None = None, warning: bool = False
    ) -> Finding:
        """A finding about a rule, at the key or value it is about."""
        line, column = rule.place(*path, value=value)
        return Finding("warning" if warning else "error", code, message, line, column, rule.name, cure, self.filename)

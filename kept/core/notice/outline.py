"""Headings with addresses that stay: an id is made of a heading's own words and those above it, never of its place among others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from kept.core.notice.model import Notice, Passage

TITLE = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below the title, and its id in the page."""

    id: str
    passage: Passage

    @property
    def html(self) -> str:
        """The heading with its id, safe to publish."""
        return self.passage.html.replace(f"<h{self.passage.level}>", f'<h{self.passage.level} id="{self.id}">', 1)


def outline(notice: Notice) -> tuple[Heading, ...]:
    """The headings below the title, in order. Of two with the same words in the same place, the later one is numbered."""
    return tuple(_headings(notice))


def _headings(notice: Notice) -> Iterator[Heading]:
    above: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for passage in notice.passages:
        if passage.kind != "heading" or passage.level == TITLE:
            continue
        above = [one for one in above if one[0] < passage.level]
        above.append((passage.level, slug(passage.text)))
        name = ".".join(words for _, words in above)
        seen[name] = seen.get(name, 0) + 1
        yield Heading(name if seen[name] == 1 else f"{name}.{seen[name]}", passage)


def slug(text: str) -> str:
    """Words as an id: small letters and digits of any script, joined by hyphens."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().replace("’", "").replace("'", ""))
    return "-".join(words) or "section"

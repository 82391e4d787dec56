"""Sentences that promise something while no rule, and no `statement`, stands under them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kept.core.notice.findings import Finding
from kept.core.notice.model import Notice, Passage

_SENTENCE = re.compile(r"\w(?:[^.!?]|[.!?](?!\s|$))*[.!?]*", re.DOTALL)
_PROMISE = re.compile(
    r"""\b(
        (?:we|our\ \w+)\s+(?:will|shall|must|promise|guarantee|undertake|commit)
        | (?:we|they)['’]ll | won['’]t
        | (?:we|our\ \w+)\s+(?:(?:do|are|have|can)\s+not|(?:do|are|have)n['’]t|cannot|can['’]t)
        | you\s+(?:may|can|will|are\s+entitled|have\s+(?:the|a)\s+right)
        | never | only | always | no\s+longer\s+than | at\s+any\s+time
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_EMPHASIS = str.maketrans("*_`~", "    ")


def unbacked(notice: Notice) -> Iterator[Finding]:
    """A finding for each such sentence, at the sentence."""
    for passage in notice.passages:
        if passage.kind == "prose" and not passage.rules:
            yield from _in(passage, notice.filename)


def _in(passage: Passage, file: str) -> Iterator[Finding]:
    # Same length as the source, so that places stay true.
    source = passage.source.translate(_EMPHASIS)
    for sentence in _SENTENCE.finditer(source):
        promise = _PROMISE.search(sentence[0])
        if promise:
            start = sentence.start()
            line, column = passage.line + source.count("\n", 0, start), start - source.rfind("\n", 0, start)
            words = " ".join(promise[1].split())
            yield Finding(
                "error",
                "unbacked",
                f"this sentence promises ({words!r}), and no rule stands under it",
                line,
                column,
                cure='Put the rule that keeps it below, or statement = "…" if it is no promise.',
                file=file,
            )

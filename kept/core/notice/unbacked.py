"""Sentences that promise something while no rule, and no `statement`, stands under them.

A promise is told by its words, which unbacked.toml lists. A sentence is cut into clauses, and promises when one of them
holds words that promise and none that excuse it: a definition, an explanation of the law, advice to the reader.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from itertools import groupby, zip_longest

from kept.core.notice.findings import Finding
from kept.core.notice.model import Notice, Passage

# Sentences


def unbacked(notice: Notice) -> Iterator[Finding]:
    """A finding for each such sentence, at the sentence. A stem that promises speaks for the list or table under it."""
    heading: list[_Sentence] = []
    for loose, run in groupby(notice.passages, key=lambda one: one.kind == "prose" and not one.rules):
        if not loose:
            *_, last = run
            heading = list(_sentences(last)) if last.kind == "heading" else []
            continue
        sentences = [sentence for passage in run for sentence in _sentences(passage)]
        if sentences and sentences[0].depth:
            sentences = [*heading, *sentences]
        for sentence, words in _promising(sentences):
            yield Finding(
                "error",
                "unbacked",
                f"this sentence promises ({words!r}), and no rule stands under it",
                sentence.line,
                sentence.column,
                cure='Put the rule that keeps it below, or statement = "…" if it is no promise.',
                file=notice.filename,
            )


def _promising(sentences: list[_Sentence]) -> Iterator[tuple[_Sentence, str]]:
    """The sentences that promise, with the words that do."""
    spoken_for: int | None = None
    begun = ""
    for sentence, following in zip_longest(sentences, sentences[1:]):
        if spoken_for is not None and sentence.depth > spoken_for:
            continue
        stem = following is not None and following.depth > sentence.depth
        words = promise(sentence.text, stem=stem) or promise(f"{begun} {sentence.text}".strip())
        spoken_for = sentence.depth if words and stem else None
        if stem or not sentence.depth:
            # "Your ticket is:" says nothing before its item does.
            begun = sentence.text.rstrip(":") if stem and _BEGUN.search(sentence.text) else ""
        if words:
            yield sentence, words


def promise(sentence: str, *, stem: bool = False) -> str:
    """The words with which a sentence promises, or nothing. A stem is a sentence that leads into a list or a table."""
    question = sentence.endswith("?")
    sentence = sentence.lower().replace("’", "'")
    whole = _words(sentence)
    certain = _PATTERNS["certain"].search(whole)
    if certain or _PATTERNS["whole"].search(whole) or (question and not stem):
        return certain[0].strip() if certain and not question else ""
    for clause in map(_words, _CLAUSES.split(_CONDITION.sub("", sentence))):
        found = _PATTERNS["stems"].search(clause) if stem else None
        if not found and not question and not _PATTERNS["excuses"].search(clause):
            found = _PATTERNS["promises"].search(clause)
        if found:
            return found[0].strip()
    return ""


def _words(clause: str) -> str:
    """The words of a clause with single spaces, without the one that joins it to the clause before."""
    words = [word.rstrip(".") for word in _WORD.findall(clause)]
    return " ".join(words[1:] if words and words[0] in _JOINTS else words)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """`depth` is 0 in a paragraph; in a list or a table it is more, and more the deeper an item is indented."""

    text: str
    line: int
    column: int
    depth: int


def _sentences(passage: Passage) -> Iterator[_Sentence]:
    """The sentences of a passage; an item, and a row of a table, ends a sentence."""
    source = _masked(passage.source)
    for start, end, depth in _pieces(source):
        for found in _split(source, start, end):
            first = _LETTER.search(source, *found)
            if first:
                at = first.start()
                line, column = passage.line + source.count("\n", 0, at), at - source.rfind("\n", 0, at)
                yield _Sentence(source[at : found[1]].rstrip(), line, column, depth)


def _masked(source: str) -> str:
    """The Markdown with its marks, addresses and code blotted out, each place kept."""
    for pattern, blot in _MARKS:
        source = pattern.sub(partial(_blotted, blot), source)
    return source


def _blotted(blot: str, found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", blot, found[0])


def _pieces(source: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and depth of each paragraph, item and row."""
    items, table = _ITEM.match(source), _TABLE.match(source)
    start = at = depth = 0
    for line in _LINE.findall(source):
        item = _ITEM.match(line) if items else None
        if item or table or not line.strip():
            yield start, at, depth
            start = at
        if item:
            depth = 1 + len(item[1])
        if table:
            depth = 1 if at == 0 else 2
        at += len(line)
    yield start, at, depth


def _split(source: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences between two places."""
    for stop in _STOP.finditer(source, start, end):
        if not (_ABBREVIATION.search(source, start, stop.start() + 1) and not _OPENER.match(source, stop.end())):
            yield start, stop.end()
            start = stop.end()
    yield start, end


# Patterns

_TOML = tomllib.loads(files(__package__).joinpath("unbacked.toml").read_text(encoding="utf-8"))
_NAME = re.compile(r"{([\w-]+)}")
_LISTS = {name: "|".join(words.split()) for name, words in _TOML["lists"].items()}


def _pattern(written: str) -> str:
    """The regular expression for a pattern as unbacked.toml writes it; the clause is words with single spaces."""
    pattern, _, unless = written.partition(" unless ")
    start = "^" if pattern.startswith("^ ") else r"(?<!\S)"
    if unless:
        start = rf"^(?!.*(?<!\S){_part(unless)}).*{start}"
    return start + "".join(map(_part, pattern.removeprefix("^ ").split()))


def _part(written: str) -> str:
    """The regular expression for one part of a pattern."""
    if written == "…":
        return r"(?:\S+ ){0,8}?"
    if written.startswith("["):
        return f"(?:{_part(written[1:-1])})?"
    if written.startswith("!"):
        return rf"(?<!\b{written[1:]} )"
    words = _NAME.sub(lambda name: _LISTS[name[1]], written)
    return f"(?:{words})(?: |$)"


def _group(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_pattern(written) for patterns in _TOML[name].values() for written in patterns))


_PATTERNS = {name: _group(name) for name in ("certain", "whole", "excuses", "promises", "stems")}
_JOINTS = frozenset(_LISTS["joints"].split("|"))
_BEGUN = re.compile(rf"\b(?:{_LISTS['be']}):?$", re.IGNORECASE)
_WORD = re.compile(r"[\w'][\w'.&@-]*")
# What stands before the main clause, unless it already says what "we" do.
_CONDITION = re.compile(
    rf"\A(?:for example, )?(?:{_LISTS['conditions']})\b(?:(?:(?!\bwe\b|:).)*?,\s+(?=(?:{_LISTS['subjects']})\b)|(?:(?!\bwe\b)[^,:])*,)",
    re.DOTALL,
)
_SUBJECT = re.compile(rf",\s+(?=who|which|(?:(?:{_LISTS['joints']})\s+)*(?:{_LISTS['subjects']})\b)")
_CLAUSES = re.compile(
    rf"{_SUBJECT.pattern}|;|\||:\s|\s?[–—]\s?|\b(?:note|aware|remember|mind)\s+that\b|\s(?=(?:and|but)\s+(?:we|it|you)\b)"
)
# A full stop ends a sentence unless a small letter follows, or it is that of an abbreviation.
_STOP = re.compile(r"[.!?]+[\"'”’)]*(?=\s+[^\sa-z]|\s*\Z)")
_ABBREVIATION = re.compile(rf"(?<![\w.])(?:{_LISTS['abbreviations']})\.\Z", re.IGNORECASE)
_OPENER = re.compile(rf"\s+(?:{_LISTS['openers']})\b|\s*\Z", re.IGNORECASE)
_ITEM = re.compile(r"(\s*)(?:[-+*]|\d{1,9}[.)])\s+")
_TABLE = re.compile(r"[^\n]*\|[^\n]*\n[ |:-]+(?:\n|\Z)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LETTER = re.compile(r"\w")
_MARKS = tuple(
    (re.compile(pattern, re.MULTILINE), blot)
    for pattern, blot in (
        (r"(?<!`)(`{1,2})(?!`)[^\n]+?(?<!`)\1(?!`)", "X"),
        (r"<[^<>\s]+>", "X"),
        (r"(?<=\])\([^)\n]*\)", " "),
        (r"&#?\w+;", " "),
        (r"^ {0,3}(?:> ?)+", " "),
        (r"[_~`\[\]\\]|\*(?=\S)|(?<=\S)\*", " "),
    )
)

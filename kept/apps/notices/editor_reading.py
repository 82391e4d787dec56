"""A text of a notice as an editor shows it: its prose with the rules beside it, what is wrong with it, what it changes, what it decides."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal, get_args

from kept.core.errors import BadInput, NoticeError
from kept.core.notice import Ask, ChoiceFact, Decision, Finding, Policy, SubjectFacts, check, compile, parse
from kept.core.notice.diff import Diff, diff
from kept.core.notice.document import Block, read
from kept.core.notice.rules import DEFAULT, Channel
from kept.core.notice.vocabulary import REGIONS, nearest
from kept.platform.privacy import notices

CONTEXT = 2
"""Lines shown around a change."""


@dataclass(frozen=True)
class Reading:
    """What is made of a text: its policy (None where it cannot be read) and the findings, in document order."""

    policy: Policy | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being put in force."""
        return tuple(one for one in self.findings if one.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may be meant as it is."""
        return tuple(one for one in self.findings if one.level == "warning")


def digest_of(text: str) -> str:
    """SHA-256 of a text, as versions have it."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=16)
def reading(text: str) -> Reading:
    """Read and check a text. A notice of 100 KB takes some tenths of a second, once."""
    try:
        notice = parse(text)
    except NoticeError as unreadable:
        return Reading(None, tuple(unreadable.findings))
    try:
        policy = compile(notice)
    except NoticeError:  # more purposes than an account has bits
        policy = None
    return Reading(policy, tuple(check(notice)))


# What it says


@dataclass(frozen=True)
class Shown:
    """A rule as it stands beside its prose. `name` is ``kind:id``, or empty where it cannot be read; `wrong` the worst finding in it."""

    name: str
    line: int
    source: str
    wrong: str = ""


@dataclass(frozen=True)
class Part:
    """A heading, or prose with the rules that cover it. `html` is safe; `line` is where it begins."""

    heading: bool
    html: str
    line: int
    rules: tuple[Shown, ...] = ()
    wrong: str = ""


def parts(text: str, findings: Sequence[Finding]) -> list[Part]:
    """The document in its order, also where its rules cannot be read."""
    found: list[Part] = []
    prose: list[Block] = []
    rules: list[Shown] = []

    def close() -> None:
        if prose or rules:
            line = prose[0].line if prose else rules[0].line
            wrong = _worst(findings, prose[0].line, prose[-1].line + prose[-1].source.count("\n")) if prose else ""
            found.append(Part(False, "".join(one.html for one in prose), line, tuple(rules), wrong))
        prose.clear()
        rules.clear()

    for block in read(text):
        if block.kind == "rule":
            rules.append(_rule(block, findings))
            continue
        if block.kind == "heading" or rules:
            close()
        if block.kind == "heading":
            found.append(Part(True, block.html, block.line, wrong=_worst(findings, block.line, block.line)))
        else:
            prose.append(block)
    close()
    return found


def _rule(block: Block, findings: Sequence[Finding]) -> Shown:
    try:
        kind, name = next(iter(tomllib.loads(block.source).items()), ("", ""))
    except tomllib.TOMLDecodeError:
        kind, name = "", ""
    last = block.line + block.source.rstrip("\n").count("\n")
    called = f"{kind}:{name}" if kind and isinstance(name, str) else ""
    return Shown(called, block.line, block.source.rstrip("\n"), _worst(findings, block.line, last))


def _worst(findings: Sequence[Finding], first: int, last: int) -> str:
    levels = {one.level for one in findings if first <= one.line <= last}
    return "error" if "error" in levels else "warning" if levels else ""


# What it changes


@lru_cache(maxsize=16)
def changes(version_id: int, text: str) -> Diff | None:
    """What a text changes in effect against a version; None where it cannot be read."""
    policy = reading(text).policy
    return diff(notices.compiled(version_id), policy.notice) if policy else None


@dataclass(frozen=True)
class Line:
    """A line of a comparison. `old` and `new` are its numbers, None where it is not there."""

    kind: Literal["same", "gone", "new", "skip"]
    old: int | None
    new: int | None
    text: str


def lines(before: str, after: str) -> list[Line]:
    """What differs between two texts, line by line, with a little around it."""
    old, new = before.split("\n"), after.split("\n")
    found: list[Line] = []
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if found or group[0][1] > 0:
            found.append(Line("skip", None, None, ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [Line("same", i + 1, j + 1, old[i]) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)]
                continue
            found += [Line("gone", i + 1, None, old[i]) for i in range(i1, i2)]
            found += [Line("new", None, j + 1, new[j]) for j in range(j1, j2)]
    return found


# What it decides

SAID = ("given", "withdrawn", "objected", "opted-out")


@dataclass(frozen=True)
class Case:
    """An invented person, and a question about them. `said` pairs what they spoke of with what they said."""

    ask: Ask
    region: str = ""
    age: int | None = None
    said: tuple[tuple[str, str], ...] = ()
    restricted: str = ""

    def facts(self, now: datetime) -> SubjectFacts:
        """The person as a decision knows them: what they said, they said yesterday."""
        choices = {key: ChoiceFact(state, now - timedelta(days=1)) for key, state in self.said}  # type: ignore[arg-type]
        return SubjectFacts(now, self.region, _born(self.age, now), choices, frozenset({self.restricted} - {""}))


def _born(age: int | None, now: datetime) -> date | None:
    """A day on which somebody of this age may be born: their birthday was this month."""
    return None if age is None else date(now.year - age, now.month, 1)


def case(form: Mapping[str, str], policy: Policy) -> Case:
    """The case that a form describes. Raises BadInput, naming the field and the nearest word, for one the notice does not know."""
    region, age = form.get("region", "").strip(), form.get("age", "").strip()
    if region and region not in REGIONS:
        raise BadInput(f"“{region}” is no region.", place="region", cure=_like(region, REGIONS))
    if age and not (age.isdecimal() and int(age) <= 130):
        raise BadInput(f"“{age}” is no age.", place="age", cure="Write whole years, such as 15.")
    vocabulary = policy.notice.vocabulary
    for field, tree in (("category", "category"), ("source", "source")):
        word = form.get(field, "").strip()
        if word and word not in vocabulary[tree]:  # type: ignore[index]
            raise BadInput(f"“{word}” is no {field}.", place=field, cure=_like(word, frozenset(vocabulary[tree].all)))  # type: ignore[index]
    said = tuple((form[f"about{n}"], form[f"said{n}"]) for n in range(SAYINGS) if form.get(f"about{n}") and form.get(f"said{n}") in SAID)
    named = {field: form.get(field, "").strip() or None for field in ("category", "source", "recipient", "channel", "ground", "tracker")}
    return Case(Ask(form.get("purpose", ""), **named), region, int(age) if age else None, said, form.get("restricted", ""))


SAYINGS = 3
"""Choices that a form has room for."""


def _like(word: str, known: frozenset[str]) -> str:
    close = nearest(word, known)
    return f"Did you mean {close}?" if close else ""


@dataclass(frozen=True)
class Reasoned:
    """A rule that an answer rests on: where it stands in the text, and its promise. Line 0: there is no such rule."""

    rule: str
    line: int
    promise: str


@dataclass(frozen=True)
class Answer:
    """The answer to a case, and the rules it rests on."""

    decision: Decision
    because: tuple[Reasoned, ...]


def decide(policy: Policy, of: Case, now: datetime) -> Answer:
    """What a policy answers."""
    decision = policy.decide(of.ask, of.facts(now))
    here = {rule.name: rule for rule in policy.notice.in_force(of.region)}
    found = ((name, here.get(name)) for name in dict.fromkeys(decision.because))
    return Answer(decision, tuple(Reasoned(name, rule.line if rule else 0, rule.promise if rule else "") for name, rule in found))


@dataclass(frozen=True)
class Words:
    """The words of a policy that a case is put in."""

    purposes: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    recipients: tuple[str, ...]
    channels: tuple[str, ...]
    grounds: tuple[str, ...]
    trackers: tuple[str, ...]
    regions: tuple[str, ...]
    spoken: tuple[str, ...]


def words(policies: Sequence[Policy]) -> Words:
    """The words of several policies together."""

    def every(of: Iterator[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(of))

    purposes = {one.id: one.title for policy in policies for one in policy.purposes.values()}
    spoken = [
        every(choice for policy in policies for region in policy.regions for choice in policy.choices("" if region == DEFAULT else region)),
        tuple(purposes),
        every(f"disclose:{one}" for policy in policies for one in policy.outlets),
        every(f"tracker:{one}" for policy in policies for one in policy.trackers),
        ("sale", "sharing", "all", "parental-consent"),
    ]
    return Words(
        purposes=tuple(purposes.items()),
        categories=tuple(sorted(frozenset().union(*(policy.categories | policy.refused for policy in policies)))),
        sources=every(one.source for policy in policies for one in policy.collects),
        recipients=every(one.to for policy in policies for one in policy.outlets.values()),
        channels=get_args(Channel),
        grounds=tuple(sorted({ground for policy in policies for one in policy.outlets.values() for ground in one.stated})),
        trackers=every(one for policy in policies for one in policy.trackers),
        regions=every(one for policy in policies for one in policy.regions if one != DEFAULT),
        spoken=tuple(dict.fromkeys(word for group in spoken for word in group)),
    )

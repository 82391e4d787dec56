"""`parse`: from the text of a notice to its rules and passages, or to every reason why it cannot be read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from kept.core.notice.document import Block, read
from kept.core.notice.findings import Finding, unreadable
from kept.core.notice.model import Notice, Passage, Rule
from kept.core.notice.rules import DEFAULT, KINDS, REGIONAL, Body, CategoryBody, NoticeBody, PurposeBody, Refers, keys, table_of, terms_in
from kept.core.notice.toml_places import find
from kept.core.notice.vocabulary import BASE, CCPA, REGIONS, RESERVED, Vocabulary, nearest, regions_of

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TOML_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

_CURES = {
    "tuple_type": 'Write a list, such as ["name"].',
    "too_short": "Name at least one.",
    "string_type": "Write a text in quotes.",
    "string_too_short": "Write something in it.",
    "int_type": "Write a whole number, without quotes.",
    "bool_type": "Write true or false, without quotes.",
    "date_type": "Write a date, such as 2026-03-01, without quotes.",
    "dict_type": "Write a table, such as { default = … }.",
    "model_type": "Write a table, such as { source = … }.",
}


def parse(text: str, *, filename: str = "notice.md") -> Notice:
    """Read a notice. Raises NoticeError with a finding for everything that is malformed, in document order."""
    text = text.removeprefix("\ufeff")
    reader = _Reader(filename)
    reader.walk(read(text))
    vocabulary = reader.own_terms()
    rules = [reader.rule(draft, vocabulary) for draft in reader.drafts]
    identity = reader.identity(rules)
    if reader.findings or identity is None:
        raise unreadable(reader.findings)
    named = {id(draft): rule for draft, rule in zip(reader.drafts, rules, strict=True) if rule}
    passages = tuple(
        replace(passage, rules=tuple(named[id(draft)] for draft in cover))
        for passage, cover in zip(reader.passages, reader.covers, strict=True)
    )
    title = next((passage.text for passage in passages if passage.kind == "heading"), reader.drafts[0].id)
    return Notice(reader.drafts[0].id, title, text, filename, identity, tuple(named.values()), passages, vocabulary)


@dataclass(slots=True, eq=False)
class _Draft:
    """A rule block whose TOML has been read and whose kind and id are known."""

    kind: str
    id: str
    data: dict[str, Any]
    region: str | None
    block: Block
    promise: str

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(slots=True)
class _Reader:
    """Collects what a document says, and everything wrong with it."""

    filename: str
    findings: list[Finding] = field(default_factory=list)
    drafts: list[_Draft] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    covers: list[list[_Draft]] = field(default_factory=list)

    # Blocks

    def walk(self, blocks: Iterable[Block]) -> None:
        """Take the blocks in order. Rules that follow one another share the prose above the first of them."""
        levels: list[tuple[int, tuple[str, ...]]] = []
        run: list[int] = []
        after_rule = False
        for block in blocks:
            regions = levels[-1][1] if levels else ()
            if block.kind == "rule":
                for draft in self.read_rule(block, regions, "\n".join(self.passages[index].text for index in run)):
                    self.drafts.append(draft)
                    for index in run:
                        self.covers[index].append(draft)
                after_rule = True
                continue
            if block.kind == "heading":
                levels = [(level, where) for level, where in levels if level < block.level]
                stated = self.heading_regions(block)
                levels += [(block.level, stated)] if stated else []
                regions = levels[-1][1] if levels else ()
            if after_rule or block.kind == "heading":
                run = []
            if block.kind == "prose":
                run.append(len(self.passages))
            after_rule = False
            self.passages.append(Passage(block.kind, block.text, block.html, block.source, block.level, regions, block.line))
            self.covers.append([])

    def heading_regions(self, block: Block) -> tuple[str, ...]:
        """The regions a heading states in its attributes, separated by commas."""
        if block.attributes is None:
            return ()
        column = block.source.rfind("{") + 1
        key, _, named = block.attributes.partition("=")
        if key.strip() != "region":
            self.report(block.line, column, f"{key.strip()!r} is no attribute of a heading", "Write {region=US-CA}.")
            return ()
        regions = [one.strip() for one in named.split(",")]
        for region in regions:
            if region not in REGIONS:
                self.report(block.line, column, f"{region!r} is no region", _instead(nearest(region, REGIONS)) or "Write an ISO 3166 code.")
        return tuple(one for one in regions if one in REGIONS)

    def read_rule(self, block: Block, regions: tuple[str, ...], promise: str) -> list[_Draft]:
        """Read a block's TOML and find out which rule it is; in a supplement for several regions, the same rule in each."""
        if block.nested or block.info != "rule":
            why = "a rule block stands inside a list or a quotation" if block.nested else f"the block is marked {block.info!r}"
            self.report(block.line - 1, block.indent + 1, why, "Let it stand on its own, fenced as ```rule.")
            return []
        try:
            data = tomllib.loads(block.source)
        except tomllib.TOMLDecodeError as error:
            self.toml_error(block, str(error))
            return []
        kind = next(iter(data), "")
        name = data.get(kind)
        if kind not in KINDS:
            self.at(block, (kind,), f"{kind!r} is no kind of rule" if kind else "the rule is empty", _instead(nearest(kind, KINDS), KINDS))
        elif not isinstance(name, str) or not _ID.fullmatch(name):
            self.at(block, (kind,), f"the id of a {kind} rule is a word such as 'sign-up'", "Use small letters, digits and hyphens.")
        elif regions and kind not in REGIONAL:
            cure = "It holds for everybody: move it out of the supplement."
            self.at(block, (kind,), f"a {kind} rule cannot differ by region", cure, rule=f"{kind}:{name}")
        else:
            body = {key: value for key, value in data.items() if key != kind}
            return [_Draft(kind, name, body, region, block, promise) for region in regions or (None,)]
        return []

    # Rules

    def own_terms(self) -> Vocabulary:
        """The built-in vocabulary with the terms this notice adds."""
        vocabulary = BASE
        for draft in self.drafts:
            if draft.kind == "category" or draft.kind == "source" or draft.kind == "purpose":
                vocabulary = self.with_term(draft, draft.kind, vocabulary)
        return vocabulary

    def with_term(self, draft: _Draft, tree: Any, vocabulary: Vocabulary) -> Vocabulary:
        """Add the term a rule declares; a wrong parent or type is reported when the rule itself is read."""
        terms, under = vocabulary[tree], draft.data.get("under")
        if draft.id in terms and draft.id not in BASE[tree]:
            return vocabulary
        if draft.id in terms:
            if under is not None or tree != "purpose":
                cure = "Leave out `under`." if tree == "purpose" else "Leave out this rule, or choose another id."
                self.at(draft.block, ("under",), f"{draft.id!r} is a term of the vocabulary already", cure, rule=draft.name)
        elif under is None and tree == "purpose":
            cure = _instead(terms.nearest(draft.id)) + " Or give it a parent with `under`."
            self.at(draft.block, (tree,), f"{draft.id!r} is no {tree} of the vocabulary", cure.strip(), draft.id, draft.name)
        elif isinstance(under, str) and under in terms:
            ccpa, sensitive = draft.data.get("ccpa") if tree == "category" else None, draft.data.get("sensitive") is True
            title = str(draft.data.get("title") or draft.id.replace("-", " ").capitalize())
            return vocabulary.having(tree, terms.adding(draft.id, title, under, ccpa=ccpa, sensitive=sensitive))
        return vocabulary

    def rule(self, draft: _Draft, vocabulary: Vocabulary) -> Rule | None:
        """The typed rule of a draft, or None with the reasons reported."""
        for other in self.drafts[: self.drafts.index(draft)]:
            if (other.name, other.region) == (draft.name, draft.region):
                cure = f"Give it another id; the first stands in line {other.block.line}."
                self.at(draft.block, (draft.kind,), f"{draft.name} is there twice", cure, rule=draft.name)
                return None
        try:
            body = KINDS[draft.kind].model_validate(self.merged(draft))
        except ValidationError as error:
            for problem in error.errors():
                self.wrong(draft, problem)
            return None
        self.look_up(draft, body, vocabulary)
        line, indent = draft.block.line, draft.block.indent
        return Rule(
            draft.kind, draft.id, MappingProxyType(draft.data), body, draft.region, line, indent + 1, draft.promise, draft.block.source
        )

    def merged(self, draft: _Draft) -> dict[str, Any]:
        """A supplement's keys over those of the wider rules of its name."""
        data: dict[str, Any] = {}
        for region in (None, *reversed(regions_of(draft.region))) if draft.region else (None,):
            for other in self.drafts:
                if other.name == draft.name and other.region == region:
                    data |= other.data
        return data | draft.data

    def wrong(self, draft: _Draft, problem: Any) -> None:
        """Report what pydantic found, in the words of the language."""
        path = tuple(part for part in problem["loc"] if isinstance(part, str))
        if path[-1:] == (DEFAULT,) and not isinstance(draft.data.get(path[0]), dict):
            path = path[:-1]
        key, kind = ".".join(path), problem["type"]
        value = problem["input"] if isinstance(problem["input"], str) else None
        if kind == "extra_forbidden":
            known = keys(_model_at(draft.kind, path[:-1]))
            message, cure = f"`{key}` is no key of a {draft.kind} rule", _instead(nearest(path[-1], known), known)
            value = None
        elif kind == "missing":
            message, cure, path = f"`{key}` is missing", f"Add `{path[-1]} = …`.", path[:-1]
        elif kind == "literal_error":
            known = tuple(re.findall(r"'([^']+)'", problem["ctx"]["expected"]))
            message, cure = f"{problem['input']!r} is no value of `{key}`", _instead(nearest(str(problem["input"]), known), known)
        elif kind == "value_error":
            message, cure = str(problem["ctx"]["error"]), f"Correct `{key}`." if key else ""
        else:
            message, cure = f"`{key}` is wrong", _CURES.get(kind, f"{problem['msg']}.")
        self.at(draft.block, path, message, cure, value, draft.name)

    def look_up(self, draft: _Draft, body: Body, vocabulary: Vocabulary) -> None:
        """Report every term that no tree knows, and reserved purposes where a notice may not name them."""
        named = terms_in(body)
        if isinstance(body, PurposeBody):
            named.append(((draft.kind,), "purpose", draft.id))
        for path, mark, term in named:
            if isinstance(mark, Refers):
                self.refer(draft, path, mark, term, vocabulary)
            elif mark == "purpose" and term in RESERVED:
                cure = "Leave it out: the software acts under it by itself, and only for that."
                self.at(draft.block, path, f"{term!r} is a reserved purpose", cure, term, draft.name)
            elif path == ("purpose",):
                if term == "all":
                    self.at(draft.block, path, "'all' is every purpose together", "Declare each purpose.", term, draft.name)
            elif term not in vocabulary[mark]:
                cure = _instead(vocabulary[mark].nearest(term)) or (
                    f"Declare it with a {mark} rule under a parent term." if mark in KINDS else "docs/language/vocabulary.md lists them."
                )
                self.at(draft.block, path, f"{term!r} is no {mark} of the vocabulary", cure, term, draft.name)
        ccpa = body.ccpa if isinstance(body, CategoryBody) else None
        if ccpa is not None and ccpa not in CCPA:
            cure = _instead(nearest(ccpa, CCPA), CCPA)
            self.at(draft.block, ("ccpa",), f"{ccpa!r} is no class of the CCPA", cure, ccpa, draft.name)

    def refer(self, draft: _Draft, path: tuple[str, ...], to: Refers, word: str, vocabulary: Vocabulary) -> None:
        """Report a name that no rule bears, nor any of the terms and words that may stand in its place."""
        there = (one for one in self.drafts if not to.kinds or one.kind in to.kinds)
        rules = [one.name if to.qualified else one.id for one in there] if to.qualified or to.kinds else []
        terms = vocabulary[to.tree].all if to.tree else {}
        if word in to.words or word in rules or (word in terms and not (to.tree == "purpose" and word in RESERVED)):
            return
        known = (*rules, *to.words, *terms)
        what = " or ".join([*(f"{kind} rule" for kind in to.kinds), *([f"{to.tree} of the vocabulary"] if to.tree else [])]) or "rule"
        self.at(
            draft.block,
            path,
            f"{word!r} is no {what}",
            _instead(nearest(word, known)) or "Write the name of one that is there.",
            word,
            draft.name,
        )

    def identity(self, rules: Sequence[Rule | None]) -> NoticeBody | None:
        """The body of the notice rule, which comes first and once."""
        notices = [draft for draft in self.drafts if draft.kind == "notice"]
        if not notices or self.drafts[0].kind != "notice":
            cure = 'Begin with a block: notice = "…", controller, contact, effective.'
            first = self.drafts[0].block.line if self.drafts else 1
            if not self.findings or self.drafts:
                self.report(first, 1, "the first rule names the notice", cure)
            return None
        for draft in notices[1:]:
            if draft.region and draft.id == self.drafts[0].id:
                continue
            self.at(draft.block, ("notice",), "a document is one notice", "Leave out the second notice rule.", rule=draft.name)
        body = rules[0].body if rules[0] else None
        return body if isinstance(body, NoticeBody) else None

    # Findings

    def at(self, block: Block, path: tuple[str, ...], message: str, cure: str, value: str | None = None, rule: str = "") -> None:
        """Report at a key of a block, or at a value in it."""
        line, column = find(block.source, path, value)
        self.report(block.line + line - 1, block.indent + column, message, cure, rule)

    def toml_error(self, block: Block, said: str) -> None:
        """Report a block that is not TOML, at the place tomllib names."""
        found = _TOML_PLACE.fullmatch(said)
        message = found[1] if found else said
        line, column = (int(found[2] or block.source.count("\n") or 1), int(found[3] or 1)) if found else (1, 1)
        self.report(block.line + line - 1, block.indent + column, f"the rule is not TOML: {message}", 'Write keys as `key = "value"`.')

    def report(self, line: int, column: int, message: str, cure: str, rule: str = "") -> None:
        """Keep a finding of class malformed."""
        self.findings.append(Finding("error", "malformed", message, line, column, rule, cure, self.filename))


def _model_at(kind: str, path: Sequence[str]) -> type[BaseModel]:
    """The model of a rule, or of the table in it that stands at a path of keys."""
    model: type[BaseModel] = KINDS[kind]
    for part in path:
        field = next((one for name, one in model.model_fields.items() if part in (name, one.alias)), None)
        model = (table_of(field) if field else None) or model
    return model


def _instead(close: str | None, known: Any = ()) -> str:
    if close:
        return f"Write {close!r}."
    return f"Write one of {', '.join(known)}." if known else ""

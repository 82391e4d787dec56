"""Every key of every kind: its example is read, a wrong value is found at its line and nothing else is, an unknown word is named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from kept.core.notice import Finding, check, parse
from kept.core.notice.formatting import _assigned as assigned
from kept.core.notice.rules import KINDS, Among, Refers, Table, alias, marks, table_of
from kept.core.notice.tests.writing import HEAD, malformed

# What the examples name by id.
AROUND = (
    'disclose = "otter"\nto = "Otter"\nclass = "analytics-provider"\ncategories = ["online-activity"]\nfor = ["analytics"]\ncountry = "GB"',
    'choice = "statistics-cookies"\ngoverns = ["analytics"]\neffective_within = "0 days"',
    'choice = "marketing-mail"\ngoverns = ["direct-marketing"]\neffective_within = "0 days"',
    'purpose = "analytics"\ncategories = ["online-activity"]\nbasis = "consent"',
)
# The least that a rule says where its example leaves a nested table out.
TABLES = {
    ("notice", "seal"): {"name": "Seal", "url": "https://seal.example"},
    ("notice", "dispute"): [{"name": "Board"}],
    ("choice", "links"): [{"title": "Theirs", "url": "https://opt.example"}],
    ("limit", "never_ask"): {"categories": ["payment-card"], "channels": ["email"]},
    ("secure", "grants"): {"scope": True},
    ("transfer", "allow"): [{"by": "scc"}],
    ("right", "fee"): {"free": 1, "then": "postage"},
}
# Where a key needs another beside it.
OWN: dict[tuple[str, str], dict[str, Any]] = {("purpose", "under"): {"purpose": "spring-sale"}, ("retain", "records"): {"categories": None}}
CASES = [(kind, name) for kind, model in KINDS.items() for name in model.model_fields]
NESTED = [
    (kind, name, inner) for kind, name in CASES if (table := table_of(KINDS[kind].model_fields[name])) for inner in table.model_fields
]


def rule(kind: str, changes: dict[str, Any]) -> str:
    """The example of a kind with keys changed; None leaves one out."""
    data = tomllib.loads(KINDS[kind].example) | changes
    return "\n".join(line for key, value in data.items() if value is not None for line in assigned(key, value))


def wrong_findings(kind: str, block: str) -> tuple[tuple[Finding, ...], int]:
    """The findings of a document with this rule in it, and the line on which the rule begins."""
    before = [one for one in AROUND if not one.startswith(block.split("\n")[0])]
    if kind == "notice":
        return malformed_text(f"```rule\n{block}\n```\n"), 2
    document = HEAD + "".join(f"\n```rule\n{one}\n```\n" for one in before)
    return malformed(*before, block), document.count("\n") + 3


def malformed_text(text: str) -> tuple[Finding, ...]:
    from kept.core.errors import NoticeError

    try:
        parse(text)
    except NoticeError as error:
        return error.findings
    return ()


def of_wrong_type(field: FieldInfo) -> object:
    """A value that no key of this type takes."""
    text = str(field.annotation)
    return "seven" if any(word in text for word in ("bool", "int]", "int,", "'int'")) or field.annotation is bool else 7


def line_of(block: str, key: str) -> int:
    return next(n for n, line in enumerate(block.split("\n")) if line.startswith(f"{key} ="))


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_read(kind: str) -> None:
    findings, _ = wrong_findings(kind, KINDS[kind].example.strip())
    assert [str(one) for one in findings] == []


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_wrong_value_is_found_at_its_line_and_nothing_else(kind: str, name: str) -> None:
    field = KINDS[kind].model_fields[name]
    key = alias(name, field)
    block = rule(kind, OWN.get((kind, name), {}) | {key: of_wrong_type(field)})
    findings, start = wrong_findings(kind, block)
    assert [(one.code, one.line, one.rule.partition(":")[0]) for one in findings] == [("malformed", start + line_of(block, key), kind)], (
        findings
    )
    assert key in findings[0].message or findings[0].message.startswith("a duration")
    assert findings[0].cure


@pytest.mark.parametrize(("kind", "name", "inner"), NESTED)
def test_a_wrong_value_inside_a_table_is_found(kind: str, name: str, inner: str) -> None:
    field = KINDS[kind].model_fields[name]
    table = table_of(field)
    assert table is not None
    key, inside = alias(name, field), alias(inner, table.model_fields[inner])
    held = TABLES.get((kind, key)) or tomllib.loads(KINDS[kind].example)[key]
    first = dict(held[0] if isinstance(held, list) and isinstance(held[0], dict) else held if isinstance(held, dict) else {})
    first[inside] = of_wrong_type(table.model_fields[inner])
    block = rule(kind, {key: [first] if isinstance(held, list) else first})
    findings, start = wrong_findings(kind, block)
    assert [(one.code, one.rule.partition(":")[0]) for one in findings] == [("malformed", kind)], findings
    at = start + line_of(block, key)
    assert at <= findings[0].line <= at + 1
    assert inside in findings[0].message or findings[0].message.startswith("a duration")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_key_is_named_with_the_nearest(kind: str) -> None:
    known = next(alias(name, field) for name, field in reversed(KINDS[kind].model_fields.items()))
    block = f"{rule(kind, {})}\n{known}x = 1"
    findings, start = wrong_findings(kind, block)
    assert [(one.code, one.line) for one in findings] == [("malformed", start + block.count("\n"))]
    assert f"`{known}x` is no key of a {kind} rule" in findings[0].message
    assert f"'{known}'" in findings[0].cure


def required() -> Iterator[tuple[str, str]]:
    for kind, model in KINDS.items():
        yield from ((kind, alias(name, field)) for name, field in model.model_fields.items() if field.is_required())


@pytest.mark.parametrize(("kind", "key"), list(required()))
def test_a_missing_key_is_named(kind: str, key: str) -> None:
    findings, start = wrong_findings(kind, rule(kind, {key: None}))
    assert [(one.code, one.line) for one in findings] == [("malformed", start)]
    assert findings[0].message == f"`{key}` is missing"


def wordy() -> Iterator[tuple[str, str]]:
    for kind, model in KINDS.items():
        for name, field in model.model_fields.items():
            if any(isinstance(mark, Among | Refers) for mark in marks(field)) and table_of(field) is None:
                yield kind, name


@pytest.mark.parametrize(("kind", "name"), list(wordy()))
def test_an_unknown_word_is_found_where_it_stands(kind: str, name: str) -> None:
    field = KINDS[kind].model_fields[name]
    key, text = alias(name, field), str(field.annotation)
    value: object = {"no-such-word": "x"} if "Mapping" in text else ["no-such-word"] if "tuple" in text else "no-such-word"
    block = rule(kind, OWN.get((kind, name), {}) | {key: value})
    findings, start = wrong_findings(kind, block)
    assert [(one.code, one.line, one.message.split(" is ")[0]) for one in findings] == [
        ("malformed", start + line_of(block, key), "'no-such-word'")
    ], findings


def test_every_key_says_what_it_is() -> None:
    for model in KINDS.values():
        for table in {model, *(one for field in model.model_fields.values() if (one := table_of(field)))}:
            assert issubclass(table, Table)
            assert all(field.metadata for field in table.model_fields.values()), table


def test_examples_break_nothing_but_what_they_leave_out() -> None:
    """Put together, the examples are one document that `check` can read."""
    blocks = [model.example.strip() for kind, model in KINDS.items() if kind != "notice"]
    names = {one.split("\n")[0] for one in blocks}
    around = [one for one in AROUND if one.split("\n")[0] not in names]
    text = f"```rule\n{KINDS['notice'].example}\n```\n" + "".join(f"\n```rule\n{one}\n```\n" for one in (*around, *blocks))
    assert {one.code for one in check(parse(text))} <= {"hole", "law", "contradiction"}

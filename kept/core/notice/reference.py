"""The reference of the language, written from what validates it: a page for each kind of rule, one for the words, one for the law."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from kept.core.notice import law
from kept.core.notice.rules import KINDS, REGIONAL, Among, Body, Refers, Table, alias, key_of, marks, table_of
from kept.core.notice.vocabulary import BASE, FILES, Term

_HEAD = "<!-- Written by scripts/reference from kept/core/notice; a test compares the two. -->\n"
_FORM = (
    "A notice is CommonMark. A fenced block marked `rule` holds TOML: one block is one rule, its first key the kind, its value",
    "the id. A rule belongs to the paragraphs above it. A heading such as `## California {region=US-CA}` begins a supplement;",
    "several regions are separated by commas. `kept check` reads a notice, `kept fmt` brings it into its one form, `kept diff`",
    "compares two in effect.",
)
TREES = {
    "category": "Categories of personal data",
    "purpose": "Purposes",
    "source": "Sources",
    "recipient": "Classes of recipients",
    "event": "Events from which retention runs",
    "record": "Kinds of records",
    "occasion": "Occasions of collection",
    "basis": "Lawful bases",
}


def pages() -> Mapping[str, str]:
    """Every page, by file name."""
    return {
        "README.md": _contents(),
        **{f"{kind}.md": _page(kind, model) for kind, model in KINDS.items()},
        "vocabulary.md": _vocabulary(),
        "law.md": _law(),
    }


def _contents() -> str:
    rows = [f"| [`{kind}`]({kind}.md) | {_first(model)} |" for kind, model in KINDS.items()]
    return "\n".join(
        [
            _HEAD,
            "# The notice language",
            "",
            *_FORM,
            "",
            "| kind | what it says |",
            "|---|---|",
            *rows,
            "",
            "The words are in [the vocabulary](vocabulary.md), the deadlines and floors in [the law packs](law.md).",
            "",
        ]
    )


def _page(kind: str, model: type[Body]) -> str:
    where = "It may stand in a regional supplement." if kind in REGIONAL else "It holds for everybody: no supplement may change it."
    parts = [_HEAD, f"# `{kind}`", "", _words(model), "", where, "", "```rule", model.example.strip(), "```", "", *_table(model, kind)]
    for name, table in _tables(model):
        parts += ["", f"## In `{name}`", "", _words(table), "", *_table(table, "")]
    return "\n".join([*parts, ""])


def _tables(model: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    for name, field in model.model_fields.items():
        table = table_of(field)
        if table is not None:
            yield alias(name, field), table


def _table(model: type[Table], kind: str) -> Iterator[str]:
    yield "| key | value | what it says |"
    yield "|---|---|---|"
    if kind:
        yield f"| `{kind}` | text | The id: small letters, digits and hyphens. Comes first. |"
    for name, field in model.model_fields.items():
        need = "" if field.is_required() else " ?"
        key = key_of(field)
        yield f"| `{alias(name, field)}`{need} | {_type(field)} | {_cell(key.says)}{' **Binds.**' if key.binds else ''} |"
    yield ""
    yield "`?` may be left out. What **binds** needs an enforcer and a prover in the deployment; `kept check --here` names what lacks one."


def _type(field: FieldInfo) -> str:
    """What a key takes, in words: terms of a tree, names of rules, one of a closed list, or a plain type."""
    for mark in marks(field):
        match mark:
            case Among(tree):
                return f"{'list of ' if 'tuple' in str(field.annotation) else ''}[{tree}](vocabulary.md#{_anchor(TREES[tree])})"
            case Refers():
                names = [f"`{kind}` rule" for kind in mark.kinds] or ["rule"] * (not mark.tree)
                terms = [f"[{mark.tree}](vocabulary.md#{_anchor(TREES[mark.tree])})"] if mark.tree else []
                return _cell(" or ".join([*names, *terms, *(f"`{word}`" for word in mark.words)]))
    text = str(field.annotation)
    words = re.findall(r"'([^']+)'", " ".join(re.findall(r"Literal\[(.*?)\]", text)))
    closed = ", ".join(f"`{word}`" for word in dict.fromkeys(words))
    if table_of(field):
        return "list of tables" if "tuple" in text else "table"
    shape = "by region: " if "Mapping" in text else "list: " if "tuple" in text else ""
    return shape + (closed or _plain(text))


def _plain(text: str) -> str:
    for sign, word in (("Duration", "duration"), ("bool", "true or false"), ("date", "date"), ("int", "number")):
        if re.search(rf"\b{sign}\b", text):
            return word
    return "text"


def _vocabulary() -> str:
    parts = [
        _HEAD,
        "# The vocabulary",
        "",
        "Naming a term names everything under it. A notice adds its own categories, sources and purposes.",
    ]
    for tree in FILES:
        parts += ["", f"## {TREES[tree]}", "", "| term | reads | DPV | needs |", "|---|---|---|---|"]
        parts += [_term(term, len(BASE[tree].above(term.id))) for term in _in_tree_order(BASE[tree].all)]
    return "\n".join([*parts, ""])


def _in_tree_order(terms: Mapping[str, Term], under: str | None = None) -> Iterator[Term]:
    for term in terms.values():
        if term.under == under:
            yield term
            yield from _in_tree_order(terms, term.id)


def _term(term: Term, depth: int) -> str:
    marks = [
        *(["sensitive"] if term.sensitive else []),
        *(["reserved"] if term.reserved else []),
        *([f"room {term.room}"] if term.room else []),
    ]
    return f"| {'· ' * depth}`{term.id}` | {_cell(term.title)} | `{term.dpv}` | {', '.join(marks)} |"


def _law() -> str:
    parts = [_HEAD, "# The law packs", "", "Data, not advice: counsel should confirm a number before it is promised to the public."]
    for pack in law.PACKS.values():
        parts += [
            "",
            f"## `{pack.id}`: {pack.title}",
            "",
            f"Text of {pack.version}. Regions: {', '.join(pack.regions) or 'by source'}.",
            "",
        ]
        parts += [f"- {_entry(entry)}" for entry in pack.entries]
    return "\n".join([*parts, ""])


def _entry(entry: law.Entry) -> str:
    """One thing a law asks, in a line: what it is about, each figure, and where it is written."""
    said = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"pack", "version", "citation", "confirmed"})
    facts = "; ".join(f"{key} {_said(value)}" for key, value in said.items() if value)
    doubt = "" if entry.confirmed else " (to be confirmed)"
    return _cell(f"**{type(entry).__name__.lower()}**: {facts}. {entry.citation}{doubt}")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(one)}" for key, one in value.items() if key not in ("pack", "version", "regions", "confirmed"))
    return ", ".join(_said(one) for one in value) if isinstance(value, list) else str(value)


def _first(model: type[Table]) -> str:
    return _cell(re.split(r"(?<=\.)\s", _words(model))[0])


def _words(model: type[Table]) -> str:
    said = inspect.getdoc(model) or ""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", said).replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))

"""Every string that a person sees goes through gettext: templates of all packages, and the messages views leave."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import engines
from jinja2 import Environment, nodes

KEPT = Path(__file__).parents[3]
TEMPLATES = sorted(path for folder in KEPT.glob("*/*/templates") for path in folder.rglob("*.html"))
SEEN = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-close", "data-copied"}
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
# the product's own name reads the same in every language
NAMES = {"Kept"}
HOLE = "\ufffc"
SENTENCE = re.compile(r"^[A-Z][a-z]|^[a-z]+ [a-z]+ [a-z]+")


class Visible(HTMLParser):
    """Collects the letters that stand bare in text and in attributes people see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self._take(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SEEN:
                self._take(value or "")

    def _take(self, text: str) -> None:
        bare = text.replace(HOLE, " ").strip()
        if re.search(r"[^\W\d_]{2,}", bare) and bare not in NAMES:
            self.found.append(bare)


def bare(env: Environment, source: str) -> list[str]:
    """The untranslated strings of one Jinja2 source: in its HTML, and as constants handed to macros."""
    tree = env.parse(source)
    visible = Visible()
    visible.feed("".join(_flat(tree)))
    visible.close()
    return visible.found + [text for text in _constants(tree) if SENTENCE.match(text)]


def _flat(node: nodes.Node) -> Iterator[str]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.data
        elif isinstance(child, nodes.Expr):
            yield HOLE
        else:
            yield from _flat(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in GETTEXT:
            continue
        if isinstance(child, nodes.Extends | nodes.FromImport | nodes.Import | nodes.Include):
            continue
        if isinstance(child, nodes.Const) and isinstance(child.value, str):
            yield child.value
        yield from _constants(child)


def env() -> Environment:
    found: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(KEPT).as_posix())
def test_templates_hold_no_bare_text(path: Path) -> None:
    assert not bare(env(), path.read_text())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ _('Hello') }}</p>", []),
        ("<p>{% trans %}Hello {{ x }}{% endtrans %}</p>", []),
        ("<p>Dear {{ x }}</p>", ["Dear"]),
        ('<a title="Go on" class="btn go">{{ x }}</a>', ["Go on"]),
        ('<a title="{{ _("Go on") }}">→ 1 × 2</a>', []),
        ("{{ button('Save') }}", ["Save"]),
        ("{{ button(_('Save'), kind='go') }}", []),
        ("{% if x == 'kept' %}<b>Kept it</b>{% endif %}", ["Kept it"]),
        ("<b>Kept</b>", []),
    ],
)
def test_the_test_sees_what_it_should(source: str, found: list[str]) -> None:
    assert bare(env(), source) == found


def test_messages_to_visitors_are_translated() -> None:
    wrong = []
    for path in KEPT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "messages":
                text = node.args[1] if len(node.args) > 1 else None
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                if any(isinstance(part, ast.Constant) and re.search(r"[^\W\d_]", str(part.value)) for part in parts):
                    wrong.append(f"{path.relative_to(KEPT)}:{node.lineno}")
    assert not wrong

"""Every layout and component renders, keeps to the policy, and can be used without eyes or mouse."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.http import QueryDict
from django.template import engines
from django.test import RequestFactory
from jinja2 import UndefinedError
from jinja2.runtime import Macro

from kept.platform.ui.jinja import href, static
from kept.platform.ui.tests.gallery import HERE, PAGES, environment, rendered

TEMPLATES = Path(inspect.getfile(href)).parent / "templates"
COMPONENTS = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("ui/components/*.html"))
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "path", "rect", "circle"}


class Page(HTMLParser):
    """What a page consists of: elements with their attributes, and whether each that opens also closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs)), f"an attribute stands twice on <{tag}>: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes what is not open"


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_whole_and_keep_to_the_policy(name: str) -> None:
    page = Page(rendered(name))
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag != "style"
        assert not [a for a in attributes if a == "style" or a.startswith("on")], f"inline style or handler on <{tag}>"
        if tag == "script":
            assert attributes["nonce"] == "n0nce"
            assert attributes["src"]


@pytest.mark.parametrize("name", PAGES)
def test_names_and_ties(name: str) -> None:
    elements = Page(rendered(name)).elements
    ids = Counter(a["id"] for _, a in elements if "id" in a)
    assert not [i for i, n in ids.items() if n > 1], "an id stands twice"
    labelled = {a.get("for") for tag, a in elements if tag == "label"}
    for tag, a in elements:
        if tag in ("input", "select", "textarea") and a.get("type") != "hidden":
            assert a.get("id") in labelled or a.get("aria-label"), f"no label: {a}"
        for other in (a.get("aria-describedby") or "").split():
            assert other in ids, f"{other} describes <{tag}> and is not there"
    assert [tag for tag, _ in elements].count("main") == 1
    assert [tag for tag, _ in elements].count("h1") == 1


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_stands_in_the_gallery(component: str) -> None:
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    macros = {n for n, value in vars(env.get_template(component).module).items() if isinstance(value, Macro) and not n.startswith("_")}
    sources = " ".join(p.read_text() for p in [*HERE.glob("*.html"), *TEMPLATES.rglob("*.html")])
    # `word`, `rail_badge` and the like are used through others; each name must be called somewhere besides its definition
    assert not [m for m in macros if not re.search(rf"(?<!macro )\b{m}\(", sources)]


def test_a_name_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_text_is_escaped_and_translated_text_too() -> None:
    template = environment().from_string("{{ x }}{% trans x=x %}Hello {{ x }}{% endtrans %}")
    assert template.render(x="<b>") == "&lt;b&gt;Hello &lt;b&gt;"


def test_static_addresses_change_with_their_content() -> None:
    assert re.fullmatch(r"/static/ui/base\.css\?v=[0-9a-f]{10}", static("ui/base.css"))
    with pytest.raises(FileNotFoundError, match=r"ui/none\.css"):
        static("ui/none.css")


def test_addresses_keep_the_other_parameters() -> None:
    request = RequestFactory().get("/p/", {"q": "a b", "cursor": "x"})
    address, _, query = href(request, cursor=None, order="-seen").partition("?")
    assert (address, QueryDict(query).dict()) == ("/p/", {"q": "a b", "order": "-seen"})
    assert href(request, cursor=None, q=None) == "/p/"


def test_capped_counts_say_so() -> None:
    module = engines["jinja2"].env.get_template("ui/components/tables.html").module  # type: ignore[attr-defined]
    assert module.count({"count": 10_000, "capped": True}) == "10,000+"
    assert module.count({"count": 12, "capped": False}) == "12"


def test_progress_polls_only_when_told() -> None:
    module = engines["jinja2"].env.get_template("ui/components/display.html").module  # type: ignore[attr-defined]
    assert "hx-get" not in module.progress("a", "Reading", 1, 2)
    assert 'hx-get="/x/"' in module.progress("a", "Reading", 1, 2, poll_url="/x/")

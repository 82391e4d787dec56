"""`kept fmt`: one form, the same rules, nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.notice import Notice, parse
from kept.core.notice.formatting import formatted

ROOT = Path(__file__).parents[4]
NOTICES = sorted((ROOT / "notices").glob("*/notice.md"))


def said(notice: Notice) -> list[object]:
    return [(rule.name, rule.region, dict(rule.data), rule.promise) for rule in notice.rules] + [one.html for one in notice.passages]


@pytest.mark.parametrize("file", NOTICES, ids=lambda file: file.parent.name)
def test_a_notice_says_what_it_said(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    made = formatted(text)
    assert said(parse(made)) == said(parse(text))
    assert formatted(made) == made


@pytest.mark.parametrize("file", NOTICES, ids=lambda file: file.parent.name)
def test_the_notices_here_are_in_the_form(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert formatted(text) == text, "run kept fmt"


HEAD = '```rule\nnotice = "t"\ncontroller = "T"\ncontact = "p@t.example"\neffective = 2026-03-01\n```\n'


def test_keys_are_put_in_order_and_long_lists_wrapped() -> None:
    names = ", ".join(
        f'"{word}"' for word in ("name", "email", "phone", "street", "postcode", "locality", "region", "country", "note", "photo")
    )
    text = f'{HEAD}\nWe ask.\n\n```rule\ncollect="a"\nbecause = "X-1"\nfor=["support"]\nfrom =   "subject"\ncategories = [{names}]\n```\n'
    made = formatted(text)
    block = made.split("```rule\n")[2].split("\n```")[0].split("\n")
    assert [line.split(" = ")[0] for line in block if re.match(r"\w", line)] == ["collect", "categories", "from", "for", "because"]
    assert block[1] == "categories = ["
    assert max(map(len, block)) <= 110


def test_comments_stay_with_what_they_speak_of() -> None:
    text = f'{HEAD}\n```rule\npurpose = "support"\n# why\nbasis = "contract"  # since we must\ncategories = [\n  "name", # only\n]\n```\n'
    made = formatted(text)
    assert "# why\nbasis" in made
    assert '"contract"  # since we must' in made
    assert '"name", # only' in made


@pytest.mark.parametrize(
    "block", ["this is no TOML", 'nonsense = "x"\nb=1', '[purpose]\na = "b"', 'purpose = "support"\nbasis.default = "contract"']
)
def test_what_it_cannot_read_stays(block: str) -> None:
    assert f"```rule\n{block}\n```" in formatted(f"{HEAD}\n```rule\n{block}\n```\n")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(alphabet='ab=[]{}",#\n \\', max_size=60))
def test_any_document_comes_to_rest(prose: str, block: str) -> None:
    made = formatted(f"{prose}\n\n```rule\n{block}\n```\n")
    assert formatted(made) == made

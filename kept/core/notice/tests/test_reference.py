"""The pages in docs/language are those that the code writes."""

from __future__ import annotations

from pathlib import Path

from kept.core.notice.reference import pages

FOLDER = Path(__file__).parents[4] / "docs" / "language"


def test_the_pages_are_up_to_date() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    assert sorted(there) == sorted(pages())
    assert [name for name, text in pages().items() if there[name] != text] == [], "run scripts/reference"

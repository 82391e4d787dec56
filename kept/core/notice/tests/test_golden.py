"""The example notices are clean and answer as their golden tables say.

When a change is meant, run scripts/golden and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kept.core.notice import check, compile, parse

NOTICES = sorted((Path(__file__).parents[4] / "notices").glob("*/notice.md"))


@pytest.mark.parametrize("file", NOTICES, ids=lambda file: file.parent.name)
def test_it_is_clean_and_decides_as_its_golden_table_says(file: Path) -> None:
    notice = parse(file.read_text(encoding="utf-8"), filename=str(file))
    assert [str(one) for one in check(notice)] == []
    assert compile(notice).golden() == file.with_name("golden.txt").read_text(encoding="utf-8")


def test_there_are_six() -> None:
    assert len(NOTICES) == 6

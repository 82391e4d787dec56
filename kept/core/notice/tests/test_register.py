"""The register of promises, and who carries them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kept.core.errors import BadInput
from kept.core.notice import parse
from kept.core.notice.register import carriers, read, strays, worst

NOTICES = Path(__file__).resolve().parents[4] / "notices"
ROW = '[CO-01]\nsays = "One."\nkinds = ["collect"]\nshown_by = "Two."\n'


def test_the_register_reads_in_its_order() -> None:
    (one,) = read(ROW)
    assert (one.id, one.says, one.kinds, one.shown_by) == ("CO-01", "One.", ("collect",), "Two.")


@pytest.mark.parametrize(
    "text", ["[CO-01", "[CO-01]\nsays = 'One.'\n", ROW + "extra = 1\n", ROW.replace('"One."', "1"), ROW.replace('["collect"]', '"x"')]
)
def test_a_register_that_is_wrong_says_where(text: str) -> None:
    with pytest.raises(BadInput, match="register") as caught:
        read(text)
    assert caught.value.cure


def test_every_promise_is_carried_by_a_rule_of_the_five_notices() -> None:
    promises = read((NOTICES / "register.toml").read_text())
    notices = [parse(path.read_text(), filename=str(path)) for path in sorted(NOTICES.glob("*/notice.md"))]
    found = carriers(promises, notices)
    assert len(promises) == 227
    assert [name for name, rules in found.items() if not rules] == []
    assert strays(promises, notices) == ()
    assert {one.notice for one in found["CO-09"]} >= {"copper", "prosperworks"}, "a row that another holds with it is carried by both"


def test_the_worst_counts() -> None:
    assert worst(["kept", "unbound", "statement"]) == "unbound"
    assert worst(["kept", "broken", "unbound"]) == "broken"
    assert worst([]) == "missing"

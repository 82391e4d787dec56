"""Every right of the register has its test: the marks of this folder against the register itself."""

from __future__ import annotations

import pytest

from kept.core.notice import register
from tests.plugin import ROOT
from tests.rights import door, test_concord, test_cooper, test_copper, test_customer_portfolios, test_prosperworks

FOLDER = (test_concord, test_cooper, test_copper, test_customer_portfolios, test_prosperworks)


@pytest.mark.once
def test_every_right_of_the_register_is_tested_and_no_other_promise_is_named() -> None:
    rows = register.read((ROOT / "notices/register.toml").read_text(encoding="utf-8"))
    rights = {one.id for one in rows if "right" in one.kinds}
    assert {one.id for one in rows} >= door.ALSO
    assert set(door.COVERED) == rights | door.ALSO


@pytest.mark.once
def test_every_test_of_this_folder_says_what_it_is_about() -> None:
    named = {name for tests in door.COVERED.values() for name in tests}
    tests = {f"{module.__name__}.{name}" for module in FOLDER for name in vars(module) if name.startswith("test_")}
    assert named == tests

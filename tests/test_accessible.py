"""Pages as axe-core sees them, at both widths, light and dark."""

from __future__ import annotations

import pytest

from kept.apps.notices import actions
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast, stranger
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from tests.axe import faults, violations
from tests.plugin import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
PAGES = ("notice/", "notice/?region=US-CA", "notice/california/", "notice/processing/", "notice/subprocessors/", "notice/cookies/")


@pytest.fixture(scope="module")
def account() -> Account:
    """An account under the largest notice, with something done that the notice does not declare."""
    made = cast().account
    notices.activate(made, (ROOT / "notices/concord/notice.md").read_text(encoding="utf-8"), "command:test")
    with bookkeeping(made.pk, writing=True) as use:
        ledger.append(use, "disclosure", rule="disclose:unknown", recipient="Unknown Traders", purpose="support", categories=["email"])
    actions.prove(made)
    return made


def test_the_published_notice_and_its_tables(account: Account) -> None:
    assert violations(stranger(), [f"/{account.slug}/{path}" for path in PAGES]) == []


def test_what_is_wrong_is_found() -> None:
    found = faults({"/broken/": "<html><body><div style='width: 2000px'><img src='/x.png'></div></body></html>"})
    assert any("image-alt (critical)" in line for line in found)
    assert any("html-has-lang" in line for line in found)
    assert any("at 390, dark: scrolls" in line for line in found)

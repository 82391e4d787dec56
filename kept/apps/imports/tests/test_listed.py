"""An import opts out whoever stands on the Do-Not-Sell list, as they come in, and keeps nobody away for it."""

from __future__ import annotations

import pytest

from kept.apps.imports import actions
from kept.apps.imports.tests.files import ACTOR, bring, figures
from kept.apps.imports.tests.test_imports import DANA, ERIN, HEAD, person
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, ledger, optouts, subjects
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.testing import cast, with_notice

OUT = {"sale": ("opted-out", False), "sharing": ("opted-out", False)}


@pytest.fixture
def account() -> Account:
    return with_notice(cast().account)


def enlist(account: Account, *emails: str) -> None:
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        optouts.enlist(use, [("email", subjects.digest(account.pk, "email", one, "GB")) for one in emails], "right:no-sale")


def stands(account: Account, subject_id: int) -> dict[str, tuple[str, bool]]:
    with reserved(account.pk, ACTOR, "rights") as use:
        held = choices.held(use, subject_id)
        assert choices.replay(use, Subject.under(use).get(pk=subject_id).reference) == held
        return held


def test_newcomers_on_the_list_are_opted_out_and_come_in_whole(account: Account) -> None:
    enlist(account, "dana@quayside.example")
    assert figures(bring(account, HEAD + DANA + ERIN)) == {"read": 2, "created": 2}
    assert stands(account, person(account).subject_id) == OUT
    assert stands(account, person(account, "erin@moss.example").subject_id) == {}
    assert ledger.faults(account.pk) == []


def test_who_is_here_already_is_opted_out_with_the_address_that_a_file_adds(account: Account) -> None:
    bring(account, HEAD + DANA)
    enlist(account, "dina@quayside.example")
    assert stands(account, person(account).subject_id) == {}
    bring(account, HEAD + "d-1,,,dina@quayside.example,,,,,,\n")
    assert stands(account, person(account).subject_id) == OUT


def test_undoing_takes_along_what_came_with_the_import(account: Account) -> None:
    enlist(account, "dana@quayside.example")
    run = bring(account, HEAD + DANA + ERIN)
    undone = actions.undo(account.pk, run.pk, ACTOR, background=False)
    assert (undone.undone, undone.left) == (2, None)
    with reserved(account.pk, ACTOR, "rights") as use:
        assert not Subject.under(use).exists()
        assert not Choice.under(use).exists()

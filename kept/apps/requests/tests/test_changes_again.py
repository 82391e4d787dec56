"""An answer that breaks off is carried on, and does nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from kept.apps.requests import actions
from kept.apps.requests.answers import correcting, ending, objecting, restricting, selling
from kept.apps.requests.answers.changes import Correction, apply_correction
from kept.apps.requests.models import Kind, State
from kept.apps.requests.tests.changing import again, ask, entries, settle, stands, workshop, write
from kept.apps.requests.tests.people import dana
from kept.apps.requests.tests.test_correcting import keys, members
from kept.platform.accounts.models import Account
from kept.platform.privacy import choices
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import Subject

DECIDED = ("consent", "objection", "opt-out", "restriction", "correction")


@pytest.fixture(scope="module")
def account() -> Account:
    return workshop()


class Died(Exception):
    """The process is gone."""


def dies(*args: Any, **kwargs: Any) -> None:
    raise Died


@pytest.mark.parametrize(
    ("kind", "module", "ground", "expected"),
    [
        (Kind.RESTRICT, restricting, "unlawful", ["restriction"]),
        (Kind.OBJECT, objecting, "direct-marketing", ["objection"]),
        (Kind.WITHDRAW, ending, "", ["consent"]),
        (Kind.LIMIT_SENSITIVE, ending, "", ["opt-out"]),
        (Kind.OPT_OUT_SALE, selling, "", ["opt-out", "opt-out"]),
    ],
)
def test_what_was_entered_before_the_end_is_not_entered_again(
    account: Account, monkeypatch: pytest.MonkeyPatch, kind: Kind, module: Any, ground: str, expected: list[str]
) -> None:
    known = dana(account)
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=known.id), "allow", "direct-marketing")
    about = {"purpose": "direct-marketing"} if kind == Kind.WITHDRAW else {}
    with monkeypatch.context() as broken:
        broken.setattr(module, "finish", dies)
        request = write(account, kind, known.email, ground=ground, **about)
        assert request.state == State.WORKING
        held = stands(account, known.id)
        with pytest.raises(Died):
            actions.answer(account.pk, request.reference)
    actions.answer(account.pk, request.reference)
    assert again(account, request).state == State.READY
    assert stands(account, known.id) == held
    assert [one for one in entries(account, request) if one in DECIDED] == expected


def test_a_correction_is_written_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="My name")
    change = [Correction.read(keys(account, request)["Family name"], "Marsham")]
    with monkeypatch.context() as broken:
        broken.setattr(correcting, "finish", dies)
        apply_correction(account, members(account)[0], request, change)
        settle()
    assert again(account, request).state == State.WORKING
    actions.answer(account.pk, request.reference)
    settle()
    assert again(account, request).state == State.READY
    assert [one for one in entries(account, request) if one in DECIDED] == ["restriction", "correction", "restriction"]

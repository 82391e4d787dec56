"""Programs ask as people do: the same fields, the same proof, the same silence."""

from __future__ import annotations

import secrets

import pytest

from kept.apps.requests.models import Channel, State
from kept.apps.requests.tests.people import dana, link_in, mail_to, requests_of, work
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.privacy import ledger
from kept.platform.privacy.testing import cast, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def address(account: Account) -> str:
    return f"/{account.slug}/privacy/api/requests"


def test_it_lists_what_can_be_asked_for_with_its_fields(account: Account) -> None:
    offered = {one["kind"]: one for one in stranger().get(address(account)).json()["offers"]}
    assert {"access", "erase", "correct"} <= set(offered)
    assert {"email"} <= {one["name"] for one in offered["access"]["fields"] if one["required"]}


def test_a_program_asks_and_the_person_proves_it(account: Account) -> None:
    known = dana(account)
    answer = stranger().post(address(account), {"kind": "access", "email": known.email}, content_type="application/json")
    assert answer.status_code == 202, answer.content
    assert answer.json()["next"] == "letter"
    work()
    assert stranger().post(link_in(mail_to(account, known.email)[-1])).status_code == 302
    work()
    request = requests_of(account)[-1]
    assert (request.channel, request.state) == (Channel.API, State.READY)
    assert ledger.faults(account.pk) == []


def test_the_answer_is_the_same_whoever_is_known(account: Account) -> None:
    emails = (dana(account).email, f"nobody.{secrets.token_hex(4)}@elsewhere.example")
    said = [stranger().post(address(account), {"kind": "erase", "email": one}, content_type="application/json") for one in emails]
    assert (said[0].status_code, said[0].content) == (said[1].status_code, said[1].content)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", 400),
        ("[]", 400),
        ("{", 400),
        ('{"kind": "car-wash", "email": "dana@quayside.example"}', 404),
        ('{"kind": "access"}', 400),
        ('{"kind": "access", "email": "no address"}', 400),
        ('{"kind": "correct", "email": "dana@quayside.example"}', 400),
        ('{"kind": "access", "email": "' + "x" * 70_000 + '"}', 400),
    ],
)
def test_what_is_not_right_is_said_with_its_place(account: Account, body: str, code: int) -> None:
    before = len(requests_of(account))
    answer = stranger().post(address(account), body, content_type="application/json")
    assert answer.status_code == code
    assert len(requests_of(account)) == before

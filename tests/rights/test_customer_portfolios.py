"""Customer Portfolios: a processor alone. It erases on its client's word, and sends whoever else asks to the client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kept.apps.requests.models import Kind, State
from kept.apps.requests.tests.test_residue import found_in_files
from kept.core.errors import Shredded
from kept.core.notice.deadlines import Deadline
from kept.platform.data.models import Subject
from kept.platform.privacy.secrets import vault
from tests.rights.door import House, house, promise

ASSOCIATION = "Example Marketing Association: https://association.example/privacy. It costs you nothing."
ARBITRATION = "Example Arbitration Forum: https://arbitration.example."


@pytest.fixture(scope="module")
def portfolios() -> House:
    return house("customer-portfolios")


@promise("CF-12")
def test_on_the_clients_word_every_attribute_is_gone_beyond_recovery(portfolios: House) -> None:
    known = portfolios.dana("GB")
    with portfolios.rights() as use:
        key = Subject.under(use).get(pk=known.id).key_id
    case = portfolios.take_in("erase", known.email, "email", email="", note="The client asks for it, signed in.")
    assert case.now.due_at <= case.now.received_at + timedelta(days=11)
    assert portfolios.held(known)
    case.decide("start", how="known")
    document = certificate(portfolios, case.reference)
    assert document["stage"] == "residue cleared"
    assert not portfolios.held(known)
    assert found_in_files(known.values) == []
    with pytest.raises(Shredded):
        vault().open(key or 0, b"x" * 40, "")
    case.ends("erasure", "key-destruction")


def certificate(portfolios: House, reference: str) -> dict[str, object]:
    """The final certificate, as the client's team has it."""
    from kept.apps.requests import actions
    from tests.rights.door import settle

    actions.clear_residue()
    settle()
    answer = portfolios.petra.get(f"/{portfolios.account.slug}/requests/{reference}/certificate/")
    found: dict[str, object] = answer.json()["document"]
    return found


@promise("CF-12", "CF-14")
@pytest.mark.parametrize("kind", ["erase", "access", "object", "correct", "restrict", "portability"])
def test_whoever_else_asks_is_sent_to_the_client_and_learns_nothing(portfolios: House, kind: str) -> None:
    known = portfolios.dana("GB")
    more: dict[str, Any] = {"what": "My name."} if kind == "correct" else {}
    case = portfolios.form(kind, known.email, "GB", **more)
    nobody = portfolios.form(kind, f"nobody.{known.reference[:6]}.{kind}@quayside.example", "GB", **more)
    assert (case.state, nobody.state) == (State.REFERRED, State.REFERRED)
    assert case.now.due_at <= case.now.received_at + timedelta(days=9)
    letter, other = (one.letters()[-1].partition("See your request")[0] for one in (case, nobody))
    assert letter == other
    assert "the shop or brand whose customer you are, and its privacy policy" in letter
    assert [text for text in known.values if text in letter + case.read()] == []
    assert portfolios.held(known)
    assert portfolios.seen(known, "legal-claims")
    case.ends()


@promise("CF-14")
def test_an_opt_out_by_mail_is_sent_to_the_client_too(portfolios: House) -> None:
    known = portfolios.dana("US")
    case = portfolios.mail(known.email, "No more", "Please unsubscribe me from all your mail.")
    assert case.state == State.REFERRED
    assert "the shop or brand whose customer you are" in case.letters()[-1]
    case.ends()


@promise("CF-15", "CF-24")
@pytest.mark.parametrize("channel", ["email", "phone"])
def test_a_complaint_is_acknowledged_promptly_and_leads_on_in_order(portfolios: House, channel: str) -> None:
    known = portfolios.dana("US")
    if channel == "email":
        case = portfolios.mail(known.email, "A complaint", "I complain about the catalogues.")
    else:
        case = portfolios.take_in("complain", known.email, "phone", **{"details-text": "Too many catalogues."})
        case.decide("sure", how="callback")
    assert (case.now.kind, case.state) == (Kind.COMPLAIN, State.DECIDING)
    assert "we have what you asked for: a complaint" in case.letters()[0]
    clock = Deadline.model_validate(case.now.clock)
    assert clock.confirm_by is not None
    assert case.now.confirmed_at is not None
    assert case.now.confirmed_at <= clock.confirm_by <= case.now.received_at + timedelta(days=6)
    assert case.now.due_at <= case.now.received_at + timedelta(days=46)
    case.decide("grant", why="granted", reason="We have told the shop.")
    letter = case.letters()[-1]
    places = [letter.find(text) for text in ("write to us first: security@portfolios.example", ASSOCIATION, ARBITRATION)]
    assert -1 not in places, letter
    assert places == sorted(places)
    assert "It hears each person alone and awards no money." in letter
    assert "the Federal Trade Commission of the United States" in letter
    case.ends()

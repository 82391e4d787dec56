"""ProsperWorks: its own people, and those of its customers, whom it has no relation to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kept.apps.requests.models import Kind, State
from kept.platform.accounts.testing import stranger
from tests.rights.door import House, house, promise

SEAL = "Sealstone Privacy: https://sealstone.example/prosperworks. It costs you nothing."


@pytest.fixture(scope="module")
def prosperworks() -> House:
    return house("prosperworks")


@promise("PW-03")
@pytest.mark.parametrize("kind", ["access", "erase", "correct"])
def test_who_asks_about_a_customers_records_is_sent_to_the_customer_and_learns_nothing(prosperworks: House, kind: str) -> None:
    known = prosperworks.dana("GB")
    told: dict[str, Any] = {"what": "My title."} if kind == "correct" else {}
    case = prosperworks.form(kind, known.email, "GB", data="customer", **told)
    nobody = prosperworks.form(kind, f"nobody.{known.reference[:6]}.{kind}@quayside.example", "GB", data="customer", **told)
    assert (case.state, nobody.state) == (State.REFERRED, State.REFERRED)
    assert case.now.due_at <= case.now.received_at + timedelta(days=16)
    letter, other = (one.letters()[-1].partition("See your request")[0] for one in (case, nobody))
    assert letter == other
    assert "the customer in whose account your data stands" in letter
    assert [text for text in known.values if text in letter + case.read()] == []
    assert case.browser.post(f"{case.page}package/").status_code == 404
    assert prosperworks.held(known)
    case.ends()


@promise("PW-03")
def test_what_a_customer_wants_removed_is_removed_in_time(prosperworks: House) -> None:
    known = prosperworks.dana("GB")
    case = prosperworks.take_in("erase", known.email, "email", note="The customer asks for it.")
    assert case.now.due_at <= case.now.received_at + timedelta(days=31)
    case.decide("start", how="known")
    assert case.certificate()["stage"] == "residue cleared"
    assert not prosperworks.held(known)
    case.ends("erasure", "key-destruction")


@promise("PW-11")
def test_what_is_wrong_is_put_right_in_a_reasonable_time(prosperworks: House) -> None:
    known = prosperworks.dana("GB")
    case = prosperworks.ask("correct", known.email, "GB", what="My title is out of date.", should="Foreman")
    assert case.now.due_at <= case.now.received_at + timedelta(days=31)
    case.put_right(job_title="Foreman")
    assert "Foreman" in case.letters()[-1]
    seen = prosperworks.ask("access", known.email, "GB")
    assert "Foreman" in seen.package()["your-data.html"].decode()
    case.ends("correction")
    seen.ends("release")


@promise("PW-11")
def test_what_is_to_go_goes_and_only_with_proof(prosperworks: House) -> None:
    known = prosperworks.dana("GB")
    case = prosperworks.form("erase", known.email, "GB")
    assert (case.state, prosperworks.held(known)) == (State.RECEIVED, True)
    assert case.now.due_at <= case.now.received_at + timedelta(days=31)
    assert case.confirm().certificate()["stage"] == "residue cleared"
    assert not prosperworks.held(known)
    assert prosperworks.ask("access", known.email, "GB").state == State.NOBODY
    case.ends("erasure", "key-destruction")


@promise("PW-22")
def test_every_refusal_and_closing_letter_leads_to_the_provider_of_the_seal(prosperworks: House) -> None:
    known = prosperworks.dana("GB")
    complaint = prosperworks.mail(known.email, "A complaint", "I complain about your mail.")
    assert (complaint.now.kind, complaint.state) == (Kind.COMPLAIN, State.DECIDING)
    complaint.decide("grant", why="granted", reason="You are right.")
    refused = prosperworks.ask("correct", known.email, "GB", what="My name.").refuse("What we hold is right.", "accurate")
    ready = prosperworks.ask("know", known.email, "GB")
    restricted = prosperworks.ask("restrict", known.email, "GB")
    for case in (complaint, refused, ready, restricted):
        assert SEAL in case.letters()[-1], case.letters()[-1]
        case.ends()
    gone = prosperworks.ask("erase", known.email, "GB")
    assert gone.certificate()["stage"] == "residue cleared"
    assert "https://sealstone.example/prosperworks" in stranger().get(prosperworks.path()).content.decode()
    gone.ends("erasure")

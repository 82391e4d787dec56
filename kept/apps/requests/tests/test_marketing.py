"""Who had people's data for their own direct marketing: Cal. Civ. Code § 1798.83."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from kept.apps.contacts.models import Person, PostalAddress
from kept.apps.requests import actions, queries
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.tests.copying import account_with, agree, document, earlier, fetched, give, member, package_of, received
from kept.apps.requests.tests.people import Known, dana, link_in, mail_to, requests_of, work
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Disclosure, Entry

HOME = {"household": "1"}


@pytest.fixture(scope="module")
def account() -> Account:
    return account_with()


def ask(account: Account, email: str, details: dict[str, str] | None = None, **told: Any) -> Request:
    """Ask, as a resident of California and for one's household, unless it is said otherwise."""
    return received(
        account, Kind.MARKETING_DISCLOSURES, email, proof="", region="US-CA", details=HOME if details is None else details, **told
    )


def marketed(account: Account) -> Known:
    """Somebody whose data went out: to partners for marketing of theirs, to who works for us, and to a carrier."""
    known = dana(account)
    agree(account, known.id, "direct-marketing")
    give(account, known.id, "otter", "email", purpose="direct-marketing")
    give(account, known.id, "otter", "name", purpose="direct-marketing")
    give(account, known.id, "mailer", "email", purpose="direct-marketing")
    give(account, known.id, "carrier", "phone")
    return known


def test_who_is_known_reads_who_had_theirs_in_the_letter_and_on_the_page(account: Account) -> None:
    known = marketed(account)
    request = ask(account, known.email)
    held = queries.by_reference(account.pk, request.reference)
    assert (held.state, held.outcome["recipients"], held.outcome["by"]) == (State.READY, 1, "email")
    letter = mail_to(account, known.email)[-1]
    assert "Otter Partners, Marketing partners, GB: Email address, Name." in letter
    assert "Fairwind Mail" not in letter
    assert "Severn Carriers" not in letter
    told = document(package_of(account, request))
    assert told["about"] == "you"
    assert [(one["to"], one["categories"]) for one in told["recipients"]] == [("Otter Partners", ["Email address", "Name"])]
    assert told["categories"] == ["Email address", "Name"]
    assert told["outside"] == ["people who deal with us for another business"]
    assert ledger.faults(account.pk) == []
    with bookkeeping(account.pk) as use:
        assert {"request", "release"} <= {step.header.kind for step in queries.history(use, held)}


def test_who_is_not_known_is_told_about_everybody_and_nothing_personal(account: Account) -> None:
    known = marketed(account)
    nobody = "dana.nobody@elsewhere.example"
    request = ask(account, nobody)
    held = queries.by_reference(account.pk, request.reference)
    assert (held.state, held.subject_reference) == (State.READY, "")
    letter = mail_to(account, nobody)[-1]
    assert "about all our customers" in letter
    assert "Otter Partners" in letter
    files = package_of(account, request)
    assert document(files)["about"] == "everybody"
    assert not any(value.encode() in b"".join(files.values()) for value in known.values)


def test_nothing_went_out_says_so(account: Account) -> None:
    known = dana(account)
    ask(account, known.email)
    assert "Nothing of yours went to anybody" in mail_to(account, known.email)[-1]


def test_name_and_address_find_somebody_who_writes_from_elsewhere(account: Account) -> None:
    known = marketed(account)
    with reserved(account.pk, "command:test", "rights") as use:
        person, address = Person.under(use).get(subject_id=known.id), PostalAddress.under(use).get(subject_id=known.id)
    facts = {**HOME, "name": f"{person.given_name} {person.family_name}", "street": address.street, "postcode": address.postcode}
    found = ask(account, "dana.elsewhere@post.example", facts)
    assert queries.by_reference(account.pk, found.reference).subject_reference == known.reference
    for wrong in ({"name": "Erin Moss"}, {"street": "1 Other Row"}, {"postcode": ""}):
        other = ask(account, "dana.elsewhere2@post.example", {**facts, **wrong})
        assert queries.by_reference(account.pk, other.reference).subject_reference == ""


def test_facts_that_the_right_does_not_ask_for_find_nobody() -> None:
    account = account_with({'asks = ["name", "street", "locality", "region", "postcode"]': 'asks = ["name"]'})
    known = dana(account)
    facts = {**HOME, "name": f"Dana {known.values[0]}", "street": known.values[3], "postcode": known.values[4]}
    request = ask(account, "dana.elsewhere@post.example", facts)
    assert queries.by_reference(account.pk, request.reference).subject_reference == ""


def test_who_does_not_say_that_it_was_for_their_household_is_looked_at_by_the_team(account: Account) -> None:
    known = dana(account)
    request = ask(account, known.email, {})
    assert queries.by_reference(account.pk, request.reference).state == State.DECIDING
    actions.grant(account, member(account), queries.by_reference(account.pk, request.reference))
    work()
    assert queries.by_reference(account.pk, request.reference).state == State.READY


def test_it_is_asked_for_once_in_a_calendar_year_and_the_letter_says_when_again(account: Account) -> None:
    known = dana(account)
    first = ask(account, known.email)
    again = ask(account, known.email)
    held = queries.by_reference(account.pk, again.reference)
    year = timezone.localtime(first.received_at).year
    assert (held.state, held.outcome) == (State.REFUSED, {"again_from": f"{year + 1}-01-01"})
    letter = mail_to(account, known.email)[-1]
    assert str(year + 1) in letter
    assert "write to us first" in letter
    earlier(account, first, 366)
    assert queries.by_reference(account.pk, ask(account, known.email).reference).state == State.READY


def test_the_months_of_another_right_are_counted_from_its_receipt() -> None:
    account = account_with({'once_per = "calendar year"': 'once_per = "6 months"'})
    known = dana(account)
    first = ask(account, known.email)
    second = ask(account, known.email)
    day = queries.by_reference(account.pk, second.reference).outcome["again_from"]
    assert datetime.fromisoformat(day).date() > timezone.localdate() + timedelta(days=180)
    earlier(account, first, 200)
    assert queries.by_reference(account.pk, ask(account, known.email).reference).state == State.READY


def test_what_went_out_before_the_time_it_is_about_is_left_out() -> None:
    account = account_with()
    known = marketed(account)
    with bookkeeping(account.pk, writing=True) as use:
        back = timezone.now() - timedelta(days=2 * 366)
        Entry.under(use).filter(kind="disclosure").update(at=back)
        Disclosure.under(use).update(at=back)
    ask(account, known.email)
    assert "Nothing of yours went to anybody" in mail_to(account, known.email)[-1]
    ask(account, "dana.nobody@elsewhere.example")
    assert "Nothing about any of them went to anybody" in mail_to(account, "dana.nobody@elsewhere.example")[-1]


def test_a_letter_is_answered_by_a_letter(account: Account) -> None:
    known = marketed(account)
    before = len(mail_to(account, known.email))
    request = ask(account, known.email, channel=Channel.POST)
    held = queries.by_reference(account.pk, request.reference)
    if held.state == State.RECEIVED:
        actions.start(account, member(account), held)
        work()
        held = queries.by_reference(account.pk, request.reference)
    assert (held.state, held.outcome["by"]) == (State.READY, "post")
    assert not any("Otter Partners" in letter for letter in mail_to(account, known.email)[before:])
    assert "Otter Partners" in package_of(account, held)["your-answer.html"].decode()


def test_it_is_asked_for_and_answered_at_the_public_door(account: Account) -> None:
    known = marketed(account)
    with reserved(account.pk, "command:test", "rights") as use:
        address = PostalAddress.under(use).get(subject_id=known.id)
    told = {"name": f"Dana {known.values[0]}", "street": address.street, "locality": "Bristol", "state": "CA", "postcode": address.postcode}
    email = "dana.door@elsewhere.example"
    browser = stranger()
    answer = browser.post(
        f"/{account.slug}/privacy/ask/direct-marketing-disclosures/", {**told, "email": email, "region": "US-CA", "household": "on"}
    )
    assert answer.status_code == 302, answer.content
    work()
    request = requests_of(account)[-1]
    assert (request.state, request.subject_reference) == (State.READY, known.reference)
    letter = mail_to(account, email)[-1]
    assert "Otter Partners" in letter
    files = fetched(browser, link_in(letter))
    assert document(files)["about"] == "you"
    assert "Otter Partners" in files["your-answer.html"].decode()

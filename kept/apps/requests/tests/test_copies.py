"""Copies of every kind, from the public door to the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kept.apps.contacts.models import Person
from kept.apps.requests import actions, queries
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.period import Period
from kept.apps.requests.redaction import Cover, at_address
from kept.apps.requests.tests.copying import (
    account_with,
    agree,
    conclude,
    document,
    earlier,
    fetched,
    give,
    kinds,
    live_together,
    member,
    package_of,
    point,
    received,
    subject_of,
    text,
)
from kept.apps.requests.tests.people import asked, dana, link_in, mail_to, requests_of, work
from kept.core.errors import BadInput
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.data.use import writing
from kept.platform.privacy import ledger, notices, subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Provenance


@pytest.fixture(scope="module")
def account() -> Account:
    return account_with()


def moved(account: Account, subject_id: int, days: int) -> None:
    """Let everything of a person have come in so many days ago."""
    then = timezone.now() - timedelta(days=days)
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        person = Person.under(use).get(subject_id=subject_id)
        Provenance.under(use).filter(pk=person.provenance_id or 0).update(at=then)
        Person.under(use).filter(pk=person.pk).update(created_at=then, changed_at=then)


# Know


def test_the_six_parts_come_from_what_is_held_the_notice_and_the_ledger(account: Account) -> None:
    known, other = dana(account), dana(account)
    agree(account, known.id, "direct-marketing")
    give(account, known.id, "carrier", "email", "phone")
    give(account, known.id, "brightlane", "email", purpose="direct-marketing")
    give(account, other.id, "carrier", "name")
    conclude(account, known.id, "stairs")
    browser, page = asked(account, known.email, "know")
    work()
    files = fetched(browser, page)
    told = document(files)
    by_kind = {row["category"]: row for row in told["categories"]}
    assert (by_kind["Name"]["values"], by_kind["Email address"]["values"], by_kind["What you may want"]["values"]) == (2, 1, 1)
    assert [row["from"] for row in told["sources"]] == ["An imported file", "Inferred by us"]
    assert told["sources"][1]["concluded_from"] == ["Email address (An imported file)"]
    purposes = {row["purpose"]: row for row in told["purposes"]}
    assert purposes["Direct marketing"]["categories"] == ["Email address", "Name"]
    assert purposes["Direct marketing"]["in_use"] is True
    (given,) = told["recipients"]["given"]
    assert (given["to"], given["categories"], given["times"]) == ("Severn Carriers", ["Email address", "Telephone number"], 1)
    assert "Brightlane Lists" in kinds(told["recipients"]["may_get"], "to")
    assert [(row["category"], row["as"]) for row in told["sold"]] == [("Email address", "sale")]
    assert [(row["to"], row["as"]) for row in told["buyers"]] == [("Brightlane Lists", "sale")]
    assert set(files) == {"your-answer.html", "your-answer.json"}
    assert not any(value.encode() in files["your-answer.json"] + files["your-answer.html"] for value in known.values)
    assert "pieces" not in told
    request = requests_of(account)[-1]
    with bookkeeping(account.pk) as use:
        steps = [step.state for step in queries.history(use, request)]
        done = {step.header.kind for step in queries.history(use, request)}
    assert steps[0] == State.READY
    assert {"request", "release"} <= done
    assert ledger.faults(account.pk) == []


def test_the_answer_reaches_as_far_back_as_the_notice_says_or_as_was_asked(account: Account) -> None:
    known = dana(account)
    give(account, known.id, "carrier", "email")
    old = timezone.localdate() - timedelta(days=900)
    for details, given in (({}, 1), ({"since": str(timezone.localdate() + timedelta(days=2))}, 0), ({"since": str(old)}, 1)):
        told = document(package_of(account, received(account, Kind.KNOW, known.email, details=details)))
        assert len(told["recipients"]["given"]) == given
        assert told["period"]["since"] == (details.get("since") or str(timezone.localdate().replace(year=timezone.localdate().year - 1)))


def test_residents_of_california_read_the_classes_of_their_law_and_nobody_else(account: Account) -> None:
    here, there = dana(account, region="US-CA"), dana(account)
    californian = document(package_of(account, received(account, Kind.KNOW, here.email, region="US-CA")))
    assert {row["category"]: row["class"] for row in californian["categories"]}["Email address"] == "Identifiers"
    british = document(package_of(account, received(account, Kind.KNOW, there.email)))
    assert all("class" not in row for row in british["categories"])


def test_pieces_are_told_where_the_right_says_so() -> None:
    account = account_with(
        {'contents = ["categories", "sources", "purposes", "recipients", "sold", "buyers"]': 'contents = ["pieces", "sources"]'}
    )
    known = dana(account)
    files = package_of(account, received(account, Kind.KNOW, known.email))
    told = document(files)
    assert {"pieces", "sources"} <= told.keys()
    assert not {"categories", "purposes", "recipients", "sold", "buyers"} & told.keys()
    assert all(value in files["your-answer.html"].decode() for value in known.values)


def test_nothing_sold_says_so(account: Account) -> None:
    known = dana(account)
    page = package_of(account, received(account, Kind.KNOW, known.email))["your-answer.html"].decode()
    assert "Nothing of yours was sold" in page
    assert "Nothing of yours has been given" in page


# Access


def test_a_range_leaves_out_what_lies_outside_and_says_how_much(account: Account) -> None:
    known = dana(account)
    moved(account, known.id, 400)
    point(account, known.id, "email", "dana.new@quayside.example", "subject")
    since = str(timezone.localdate() - timedelta(days=30))
    told = document(package_of(account, received(account, Kind.ACCESS, known.email, details={"since": since})))
    assert [row["value"] for rows in told["held"].values() for row in rows] == ["dana.new@quayside.example"]
    assert {name: told["left_out"][name] for name in ("People", "Contact points", "Postal addresses")} == {
        "People": 1,
        "Contact points": 2,
        "Postal addresses": 1,
    }
    assert told["period"] == {"since": since, "until": None}
    until = str(timezone.localdate() - timedelta(days=30))
    request = received(account, Kind.ACCESS, known.email, details={"until": until})
    told = document(package_of(account, request))
    assert set(told["held"]) == {"contacts_person", "contacts_contactpoint", "contacts_postaladdress"}
    assert told["left_out"]["Contact points"] == 1
    assert queries.by_reference(account.pk, request.reference).outcome["left_out"] == 1


def test_the_days_are_asked_about_at_the_public_door(account: Account) -> None:
    known = dana(account)
    moved(account, known.id, 400)
    browser, before = stranger(), len(mail_to(account, known.email))
    since = str(timezone.localdate() - timedelta(days=30))
    browser.post(f"/{account.slug}/privacy/ask/access/", {"email": known.email, "region": "GB", "since": since})
    work()
    page = browser.post(link_in(mail_to(account, known.email)[before]))["Location"]
    work()
    told = document(fetched(browser, page))
    assert (told["held"], told["period"]["since"]) == ({}, since)
    assert told["left_out"]["Contact points"] == 2


def test_days_that_nobody_can_read_narrow_nothing(account: Account) -> None:
    known = dana(account)
    told = document(package_of(account, received(account, Kind.ACCESS, known.email, details={"since": "last spring"})))
    assert told["left_out"] == {}
    assert told["held"]["contacts_person"]


def test_what_was_concluded_is_told_with_what_it_was_made_of(account: Account) -> None:
    known = dana(account)
    conclude(account, known.id, "stairs of oak")
    files = package_of(account, received(account, Kind.ACCESS, known.email))
    row = next(row for row in document(files)["held"]["contacts_contactpoint"] if row["value"] == "stairs of oak")
    assert row["origin"]["concluded_from"] == ["Email address (An imported file)"]
    assert row["origin"]["source"] == "Inferred by us"
    assert "Concluded by us" in files["your-data.html"].decode()


def test_the_team_describes_what_is_too_great_a_risk_and_discloses_the_rest() -> None:
    account = account_with({'withhold = ["others-rights"]': 'withhold = ["risk-to-person", "others-rights"]'})
    known = dana(account)
    request = received(account, Kind.ACCESS, known.email)
    assert queries.by_reference(account.pk, request.reference).state == State.DECIDING
    actions.grant(
        account, member(account), queries.by_reference(account.pk, request.reference), withheld={"postal-address": "risk-to-person"}
    )
    work()
    files = package_of(account, request)
    told = document(files)
    assert [(one["kind"], one["how_many"], one["reason"]) for one in told["described"]] == [("Postal address", 1, "risk-to-person")]
    assert "contacts_postaladdress" not in told["held"]
    everything = b"".join(files.values()).decode()
    street, email = known.values[3], known.values[1]
    assert street not in everything
    assert email in everything
    assert "would put you or your account at risk" in files["your-data.html"].decode()


def test_what_the_notice_never_discloses_is_described_without_anybody_deciding(account: Account) -> None:
    known = dana(account)
    point(account, known.id, "household-member", "Erin Marsh shares it", "subject")
    files = package_of(account, received(account, Kind.ACCESS, known.email))
    assert b"Erin Marsh" not in b"".join(files.values())
    assert [(one["kind"], one["how_many"]) for one in document(files)["described"]] == [("Who shares the account", 1)]


def test_whoever_lives_there_too_is_covered_wherever_they_are_named(account: Account) -> None:
    known = dana(account, family="Coverley")
    other = dana(account, given="Ottilie", family="Nordgren")
    dana(account, given="Barnaby", family="Quill")
    live_together(account, known.id, other.id)
    point(account, known.id, "email", other.email.replace("dana", "ottilie"), "subject", label="ottilie's")
    point(account, known.id, "phone", "+441175550199", "subject", label="Barnaby's")
    told = document(package_of(account, received(account, Kind.ACCESS, known.email)))
    labels = [row["label"] for row in told["held"]["contacts_contactpoint"]]
    assert "[covered: another person]'s" in labels
    assert "Barnaby's" in labels  # known here, and no member of the household
    said = str(told).lower()
    assert "ottilie" not in said
    assert "nordgren" not in said
    assert "Coverley" in str(told)
    assert told["held"]["contacts_postaladdress"][0]["street"]


def test_whoever_shares_the_telephone_is_covered_and_a_switchboard_is_no_household(account: Account) -> None:
    known, *others = (dana(account) for _ in range(23))
    digest = subjects.digest(account.pk, "phone", "+441175550111", "GB")
    with reserved(account.pk, "command:test", "rights") as use:
        for one in (known, *others[:2]):
            with writing(use):
                subjects.identify(use, one.id, [("phone", digest)])
        assert Cover(use, known.id, "GB").household == {one.id for one in others[:2]}
        for one in others[2:]:
            with writing(use):
                subjects.identify(use, one.id, [("phone", digest)])
        assert Cover(use, known.id, "GB").household == set()


def test_a_copy_speaks_of_every_version_that_applies_to_the_person() -> None:
    account = account_with({'right = "objection"': 'change = "asked"\naccept = "explicit"\n\nright = "objection"'})
    known = dana(account)
    later = {
        'keep = "3 years"': 'keep = "5 years"',
        'to = "Severn Carriers"': 'to = "Avon Carriers"',
        "effective = 2026-03-01": "effective = 2026-04-01",
    }
    notices.activate(account, text(later), "command:test")
    assert subject_of(account, known.id).notice_version == 1
    told = document(package_of(account, received(account, Kind.ACCESS, known.email)))
    named = {(row["to"], tuple(row.get("versions", ()))) for row in told["recipients"]}
    assert named >= {("Severn Carriers", (1,)), ("Avon Carriers", (2,)), ("Otter Partners", ())}
    assert {(row["keep"], tuple(row["versions"])) for row in told["retention"]} == {("3 years", (1,)), ("5 years", (2,))}
    assert (told["notice"]["version"], told["notice"]["yours"]) == (2, 1)


# How often, and at what price


def test_a_copy_beyond_the_free_ones_is_told_of_before_and_never_charged_in_silence(account: Account) -> None:
    known = dana(account)
    for number in (1, 2):
        request = received(account, Kind.ACCESS, known.email)
        assert queries.by_reference(account.pk, request.reference).outcome["copy"] == number
    third = received(account, Kind.ACCESS, known.email)
    held = queries.by_reference(account.pk, third.reference)
    assert (held.state, held.outcome) == (State.DECIDING, {"copy": 3})
    letter = mail_to(account, known.email)[-1]
    assert "what copying and sending costs" in letter
    assert "take your request back" in letter
    actions.grant(account, member(account), held)
    work()
    held = queries.by_reference(account.pk, third.reference)
    assert (held.state, held.outcome["copy"], held.outcome["fee"]) == (State.READY, 3, "told")
    assert "you owe nothing" in mail_to(account, known.email)[-1]
    fourth = received(account, Kind.ACCESS, known.email)
    actions.grant(account, member(account), queries.by_reference(account.pk, fourth.reference), free=True)
    work()
    held = queries.by_reference(account.pk, fourth.reference)
    assert (held.outcome["copy"], held.outcome["fee"]) == (4, "waived")
    assert "costs" not in mail_to(account, known.email)[-1]


def test_a_law_that_counts_by_the_year_forgets_older_copies_and_elsewhere_none_is_forgotten(account: Account) -> None:
    for region, number in (("US-CA", 2), ("GB", 3)):
        known = dana(account, region=region)
        for days in (400, 10):
            earlier(account, received(account, Kind.ACCESS, known.email, region=region), days)
        third = received(account, Kind.ACCESS, known.email, region=region)
        held = queries.by_reference(account.pk, third.reference)
        assert held.outcome["copy"] == number
        assert held.state == (State.READY if number == 2 else State.DECIDING)


def test_copies_of_others_refused_ones_and_the_commands_do_not_count(account: Account) -> None:
    known, other = dana(account), dana(account)
    received(account, Kind.ACCESS, other.email)
    actions.run_access(account, known.id, "command:access")
    actions.revoke(account, queries.by_reference(account.pk, left_open(account, known.email).reference))
    request = received(account, Kind.ACCESS, known.email)
    assert queries.by_reference(account.pk, request.reference).outcome["copy"] == 1


def left_open(account: Account, email: str) -> Request:
    """A request whose sender has not been proved yet."""
    return actions.receive(account, actions.Asked(Kind.ACCESS, Channel.WEB, "GB", email))


# Small print


def test_an_address_is_the_same_by_its_postcode_else_by_its_town(account: Account) -> None:
    known, other = dana(account), dana(account)
    live_together(account, known.id, other.id)
    street = f"{known.id} Household Row"
    with reserved(account.pk, "command:test", "rights") as use:
        for postcode, city, found in (
            ("bs1 4qa", "Elsewhere", {known.id, other.id}),
            ("BS1 4QB", "Bristol", set()),
            ("", "BRISTOL", {known.id, other.id}),
            ("", "Bath", set()),
        ):
            assert at_address(use, street, postcode, city) == found
        assert at_address(use, f"1{street}", "BS1 4QA", "Bristol") == set()


def test_a_copy_is_answered_as_the_right_says_and_only_by_letter_where_it_wants_that() -> None:
    account = account_with({'right = "access"\n': 'right = "access"\nanswer_by = "post"\n'})
    known = dana(account)
    request = received(account, Kind.ACCESS, known.email)
    held = queries.by_reference(account.pk, request.reference)
    assert (held.state, held.outcome["by"]) == (State.READY, "post")
    assert not any("ready" in letter for letter in mail_to(account, known.email))
    assert package_of(account, held)


def test_the_answer_says_whom_its_right_does_not_reach() -> None:
    account = account_with({'lookback = "12 months"\n': 'lookback = "12 months"\nnot_for = ["contractor", "aggregate"]\n'})
    files = package_of(account, received(account, Kind.KNOW, dana(account).email))
    assert document(files)["outside"] == ["our contractors, as such", "figures about groups"]
    assert "our contractors, as such" in files["your-answer.html"].decode()


@pytest.mark.parametrize(
    ("details", "place"),
    [({"since": "last spring"}, "since"), ({"until": "2026-02-30"}, "until"), ({"since": "2026-03-02", "until": "2026-03-01"}, "until")],
)
def test_days_that_are_none_are_refused_at_a_door(details: dict[str, str], place: str) -> None:
    with pytest.raises(BadInput) as caught:
        Period.read(details)
    assert caught.value.place == place
    assert Period.asked(details) == Period()


def test_both_days_of_a_time_are_in_it() -> None:
    period = Period.read({"since": "2026-03-01", "until": "2026-03-02"})
    here = timezone.get_current_timezone()
    inside, outside = datetime(2026, 3, 2, 23, 59, tzinfo=here), datetime(2026, 3, 3, tzinfo=here)
    assert (period.holds(inside), period.holds(outside), period.holds(outside, inside), period.holds()) == (True, False, True, True)
    assert str(period.last_day) == "2026-03-02"

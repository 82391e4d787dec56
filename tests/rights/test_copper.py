"""Copper: its own records and its customers', Californians and Europeans, to the end in the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kept.apps.contacts.models import Person
from kept.apps.requests.models import Channel, Kind, State
from kept.apps.requests.tests.people import Known, dana, requests_of
from kept.core.errors import KeptError
from kept.core.notice.deadlines import Deadline
from kept.platform.accounts.testing import cast, client_for, stranger
from kept.platform.privacy.testing import with_notice
from tests.rights.door import Case, House, asked_as, document, house, promise, settle

OUT = ("opted-out", False)
STEPS = (
    "write to us first: privacy@copper.example",
    "Meadowbank Privacy Disputes: https://meadowbank.example/copper. It costs you nothing.",
    "binding arbitration: https://meadowbank.example/arbitration. It may cost something.",
    "only under the conditions of the Privacy Shield",
)
"""Where a letter leads, in order: us, the free provider, arbitration and its conditions."""


@pytest.fixture(scope="module")
def copper() -> House:
    return house("copper")


def proved(case: Case, known: Known) -> Case:
    """Facts that match, as many as Californians are asked for."""
    assert case.state == State.RECEIVED
    assert case.facts(name=f"Dana {known.values[0]}", phone=known.values[2]) == ""
    return case


def leads_on(letter: str, authority: str) -> bool:
    """Whether a letter names the steps in their order, and the authority of the place."""
    places = [letter.find(step) for step in STEPS]
    return -1 not in places and places == sorted(places) and f"You can complain to {authority} at any time." in letter


# One's own data in the settings, and the customers' records


@promise("CO-21")
def test_users_see_correct_and_delete_their_own_data_in_their_settings(copper: House) -> None:
    known = copper.dana("US-CA")
    browser = copper.signed_in(known.email)
    assert browser.get("/settings/your-data/").status_code == 200
    seen = copper.settings("access", known.email)
    seen.decide("grant", why="granted", reason="")
    assert known.values[0] in seen.package()["your-data.html"].decode()
    right = copper.form("correct", known.email, "US-CA", browser, what="My title is out of date.", should="Foreman")
    assert (right.now.channel, right.now.proof, right.state) == (Channel.SETTINGS, "sign-in", State.DECIDING)
    right.put_right(job_title="Foreman")
    assert "Foreman" in right.letters()[-1]
    gone = copper.form("erase", known.email, "US-CA", browser)
    gone.page = gone.sent
    assert gone.now.proof == "sign-in"
    assert gone.certificate()["stage"] == "residue cleared"
    assert not copper.held(known)
    seen.ends("release")
    right.ends("correction")
    gone.ends("erasure", "key-destruction")


@promise("CO-21")
def test_somebody_who_is_not_signed_in_sees_none_of_it(copper: House) -> None:
    answer = stranger().get("/settings/your-data/")
    assert answer["Location"].startswith("/sign-in/")
    assert stranger().post(f"/settings/your-data/{copper.account.slug}/access/")["Location"].startswith("/sign-in/")


@promise("CO-21")
def test_a_customer_edits_its_records_at_any_time(copper: House) -> None:
    known = copper.dana("US-CA")
    bob = client_for(copper.team.bob)
    with copper.rights() as use:
        person = Person.under(use).get(subject_id=known.id)
    page = f"/{copper.account.slug}/people/{person.pk}/"
    assert known.values[5] in bob.get(page, {"edit": "job-title"}).content.decode()
    change = {"job_title": "Foreman", "source": "staff", "seen": person.changed_at.isoformat()}
    assert bob.post(f"{page}values/job-title/", change).status_code == 302
    assert "Foreman" in bob.get(page).content.decode()
    assert client_for(copper.team.rolf).post(f"{page}values/job-title/", change).status_code == 403
    assert copper.faultless()


@promise("CO-22")
def test_what_is_asked_about_a_customers_records_goes_to_its_administrator_and_the_asker_learns_nothing(copper: House) -> None:
    team = cast()
    customer = with_notice(team.account)
    customer.processor_id = copper.account.pk
    customer.save(update_fields=["processor_id"])
    known = dana(customer)
    case = copper.ask("access", known.email, "GB", data="customer")
    nobody = copper.ask("access", f"nobody.{known.reference[:6]}@quayside.example", "GB", data="customer")
    assert (case.state, nobody.state) == (State.REFERRED, State.REFERRED)
    assert case.now.due_at <= case.now.received_at + timedelta(days=9)
    told, other = (one.letters()[-1].partition("See your request")[0] for one in (case, nobody))
    assert told == other
    assert "the licensed administrator of the customer's account" in told
    assert [text for text in (*known.values[:1], customer.name) if text in case.read()] == []
    theirs = requests_of(customer)[-1]
    assert (theirs.channel, theirs.kind, theirs.state) == (Channel.FORWARDED, Kind.ACCESS, State.DECIDING)
    alice = client_for(team.alice)
    answer = alice.post(f"/{customer.slug}/requests/{theirs.reference}/do/grant/", {"why": "granted", "reason": ""})
    assert answer.status_code == 302
    settle()
    reviewed = Case(House("larch", team), theirs.reference, stranger(), known.email)
    assert known.values[0] in reviewed.package()["your-data.html"].decode()
    case.ends()
    reviewed.ends("release")


# Who asks, and by when


@promise("CO-23")
def test_nothing_is_answered_before_the_letter_is_opened_and_the_clock_is_the_laws(copper: House) -> None:
    known = copper.dana("GB")
    case = copper.form("access", known.email, "GB")
    assert (case.state, case.now.outcome) == (State.RECEIVED, {})
    assert case.do("start", how="callback") == 409
    clocks = Deadline.model_validate(case.now.clock).clocks
    assert "Article 12(3) UK GDPR" in {one.citation for one in clocks}
    assert case.now.due_at == min(Deadline.model_validate(case.now.clock).model_copy(update={"clocks": (one,)}).due for one in clocks)
    case.confirm()
    assert case.state == State.READY
    assert known.email in case.package()["your-data.html"].decode()
    case.ends("release")


@promise("CO-23", "CO-36")
def test_a_californian_shows_facts_and_nobody_else_is_answered(copper: House) -> None:
    known = copper.dana("US-CA")
    case = copper.ask("erase", known.email, "US-CA")
    assert case.state == State.RECEIVED
    for _ in range(3):
        case.facts(name="Somebody Else", phone="+1 415 555 0177")
    assert case.state == State.REFUSED
    assert copper.held(known)
    assert "Ask again with other facts" in case.letters()[-1]
    case.ends()


@promise("CO-32", "CO-62")
@pytest.mark.parametrize(
    ("region", "authority"),
    [("US-CA", "the California Privacy Protection Agency"), ("GB", "the Information Commissioner's Office")],
)
def test_refusals_and_closing_letters_lead_on_in_order_and_name_the_authority(copper: House, region: str, authority: str) -> None:
    known = copper.dana(region)
    done = copper.ask("object", known.email, region)
    assert leads_on(done.letters()[-1], authority), done.letters()[-1]
    complaint = copper.ask("complain", known.email, region, text="You wrote too often.")
    assert leads_on(complaint.decide("grant", why="granted", reason="You are right.").letters()[-1], authority)
    unproved = copper.form("access", known.email, region)
    refused = unproved.refuse("We have answered this a week ago.", "excessive")
    assert leads_on(refused.letters()[-1], authority)
    nobody = copper.ask("know", f"nobody.{known.reference[:6]}@quayside.example", "GB")
    assert leads_on(nobody.letters()[-1], "the Information Commissioner's Office")
    for case in (refused, done, complaint, nobody):
        case.ends()


# Californians


@promise("CO-36")
def test_a_californian_hears_categories_and_pieces_of_a_year(copper: House) -> None:
    known = copper.dana("US-CA")
    case = proved(copper.ask("know", known.email, "US-CA"), known)
    assert case.state == State.DECIDING
    case.decide("grant", why="granted", reason="")
    told = document(case.package())
    assert {"categories", "sources", "purposes", "recipients", "pieces"} <= set(told)
    assert {one["class"] for one in told["categories"] if "class" in one}
    assert known.email in case.package()["your-answer.html"].decode()
    assert told["period"]["since"]
    assert "Nobody is treated worse, charged more or served less for using these rights." in copper.offers("US-CA")
    case.ends("release")


@promise("CO-37")
def test_a_piece_too_risky_to_show_is_described_for_a_reason_that_the_notice_names(copper: House) -> None:
    known = copper.dana("US-CA")
    case = proved(copper.ask("access", known.email, "US-CA"), known)
    assert case.state == State.DECIDING
    given: dict[str, Any] = {"why": "partly", "reason": "Your number opens your account.", "withhold:phone": "legal-claim"}
    assert case.do("grant", **given) == 400
    assert case.state == State.DECIDING
    case.decide("grant", **{**given, "withhold:phone": "risk-to-person"})
    everything = b"".join(case.package().values()).decode()
    assert known.values[2] not in everything
    assert known.email in everything
    (described,) = document(case.package())["described"]
    assert (described["kind"], described["reason"], described["how_many"]) == ("Telephone number", "risk-to-person", 1)
    assert "would put you or your account at risk" in case.read()
    case.ends("release")


@promise("CO-63")
@pytest.mark.parametrize("capacity", ["employee", "applicant", "contractor", "business-contact"])
def test_who_is_outside_the_californian_answer_hears_so_and_gets_the_general_one(copper: House, capacity: str) -> None:
    known = copper.dana("US-CA")
    case = copper.form("know", known.email, "US-CA", capacity=capacity)
    assert asked_as(case.sent)["as"] == [capacity]
    said = " ".join(stranger().get(case.sent).content.decode().split())
    assert "The right of the place where you live leaves out" in said
    assert case.now.rule == "right:know"
    case.confirm()
    assert case.state == State.READY
    inside = copper.ask("know", known.email, "US-CA")
    assert inside.now.rule == "right:california-know"
    case.ends()


@promise("CO-68")
def test_form_mail_and_telephone_lead_to_one_queue_and_one_clock(copper: House) -> None:
    form, mail, phone = (copper.dana("US-CA") for _ in range(3))
    cases = (
        copper.form("erase", form.email, "US-CA"),
        copper.mail(mail.email, "My data", "I live in California. Please delete my data."),
        copper.take_in("erase", phone.email, "phone"),
    )
    queue = copper.petra.get(f"/{copper.account.slug}/requests/?list=all").content.decode()
    assert [case.now.channel for case in cases] == [Channel.WEB, Channel.EMAIL, Channel.PHONE]
    assert [case.reference in queue for case in cases] == [True] * 3
    assert len({str(case.now.clock["clocks"]) for case in cases}) == 1
    assert len({case.now.due_at.date() for case in cases}) == 1
    assert "+1 800 555 0142" in copper.offers("US-CA")
    proved(cases[0].confirm(), form)
    proved(cases[1].confirm(), mail)
    cases[2].decide("sure", how="callback").decide("start")
    for case, known in zip(cases, (form, mail, phone), strict=True):
        assert case.certificate()["stage"] == "residue cleared"
        assert not copper.held(known)
        case.ends("erasure")


@promise("CO-69")
def test_an_agent_acts_for_a_californian_with_permission_identity_and_their_word(copper: House) -> None:
    known, agent = copper.dana("US-CA"), copper.agent()
    case = copper.by_agent(agent, "deletion", known, email_verified=True)
    assert copper.held(known)
    case.confirm()
    assert agent.status(case.reference_uuid).json()["status"] == "fulfilled"
    assert not copper.held(known)
    case.ends("erasure")


@promise("CO-69")
def test_an_agent_without_them_gets_nothing(copper: House) -> None:
    known, agent = copper.dana("US-CA"), copper.agent()
    case = copper.by_agent(agent, "access", known)
    case.confirm()
    assert case.state == State.RECEIVED
    assert case.do("start", how="known") == 409
    case.refuse("Nobody showed us who the person is.", "no-authority")
    assert agent.status(case.reference_uuid).json()["status"] == "denied"
    other = copper.agent()
    assert other.status(case.reference_uuid).status_code == 403
    case.ends()


@promise("CO-70", "CO-36")
def test_who_says_no_to_a_sale_is_on_record_though_nothing_is_sold(copper: House) -> None:
    known = copper.dana("US-CA")
    case = copper.ask("opt-out-sale", known.email, "US-CA")
    assert (case.state, case.now.proof) == (State.READY, "")
    held = copper.stands(known)
    assert (held["sale"], held["sharing"]) == (OUT, OUT)
    assert "We do not sell data." in copper.offers("US-CA")
    case.ends("opt-out")
    with pytest.raises(KeptError):
        copper.gave(known, "Brightlane Lists", "direct-marketing", "email")


@promise("CO-71")
def test_what_stays_of_an_erasure_is_recorded_with_its_reason_and_one_is_warned_before(copper: House) -> None:
    known = copper.dana("US-CA")
    desk = f"/{copper.account.slug}/requests/holds/"
    opened = copper.petra.post(desk, {"title": "Odd sign-ins of spring", "ground": "fraud-security", "note": ""})
    assert opened.status_code == 302
    placed = copper.petra.post(opened["Location"], {"known_by": "email", "value": known.email, "categories": ["phone"], "until": ""})
    assert placed.status_code == 302, placed.content.decode()[-3000:]
    page = " ".join(stranger().get(copper.path("ask/erase/"), {"region": "US-CA"}).content.decode().split())
    assert "hat protects against fraud and attacks" in page
    case = copper.form("erase", known.email, "US-CA")
    confirming = " ".join(case.browser.get(case.letter_to_confirm()).content.decode().split())
    assert "Without your data we cannot go on providing the service: your account ends." in confirming
    assert "what a law obliges us to keep" in confirming.lower()
    proved(case.confirm(), known)
    kept = case.now.outcome["kept"]
    assert [(one["category"], one["why"]) for one in kept if one["category"] == "phone"] == [("phone", ["hold:fraud-security"])]
    assert "What protects against fraud and attacks" in case.read()
    assert "but for what we must keep" in case.letters()[-1]
    case.ends("erasure")


# Objecting, and no more marketing


@promise("CO-44")
def test_an_objection_ends_every_use_that_rests_on_an_interest_and_no_other(copper: House) -> None:
    known = copper.dana("GB")
    assert copper.seen(known, "research")
    case = copper.ask("object", known.email, "GB")
    assert case.state == State.READY
    interests = (
        "correspondence",
        "research",
        "aggregation",
        "offer-identification",
        "fraud-prevention",
        "business-operations",
        "deal-making",
    )
    assert [one for one in interests if copper.seen(known, one)] == []
    assert [one for one in ("billing", "support", "legal-compliance") if not copper.seen(known, one)] == []
    one = copper.dana("GB")
    named = copper.ask("object", one.email, "GB", purpose="research")
    assert (copper.seen(one, "research"), copper.seen(one, "deal-making")) == (False, True)
    case.ends("objection")
    named.ends("objection")


@promise("CO-53")
def test_no_more_marketing_by_mail_ends_marketing_and_nothing_else(copper: House) -> None:
    known = copper.dana("US-CA")
    uses = ("direct-marketing", "affiliate-marketing", "news-and-releases")
    assert [one for one in uses if not copper.seen(known, one)] == []
    case = copper.mail(known.email, "Your mail", "No more marketing, please.").confirm()
    assert case.state == State.READY
    assert [one for one in uses if copper.seen(known, one)] == []
    assert copper.seen(known, "correspondence")
    case.ends("objection")


@promise("CO-53")
def test_a_question_and_a_worry_about_security_by_mail_open_a_case(copper: House) -> None:
    known = copper.dana("US-CA")
    case = copper.mail(known.email, "Security", "Somebody called me in your name. Is that you?")
    assert (case.now.kind, case.state) == (Kind.QUESTION, State.DECIDING)
    assert "we have what you asked for" in case.letters()[0]
    case.decide("grant", why="granted", reason="It was not us.")
    assert "It was not us." in case.letters()[-1]
    assert "https://www.copper.example/contact" in stranger().get(f"/{copper.account.slug}/notice/").content.decode()
    case.ends()

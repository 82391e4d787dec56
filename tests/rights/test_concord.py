"""Concord: what people there can ask, where they live, by whatever door, to its end in the ledger."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from kept.apps.requests.models import Channel, Kind, State
from kept.apps.requests.tests.people import Known, dana
from kept.core.notice.deadlines import Deadline
from kept.platform.accounts.testing import client_for, stranger
from kept.platform.privacy import optouts, subjects
from tests.rights.door import Case, House, document, house, promise

OUT = ("opted-out", False)


@pytest.fixture(scope="module")
def concord() -> House:
    return house("concord")


def named(known: Known) -> dict[str, str]:
    """What Dana can say about herself beside her address."""
    family, _email, phone, street, postcode, _title = known.values
    return {"name": f"Dana {family}", "phone": phone, "postal_address": f"{street}, {postcode}"}


def proved(case: Case, known: Known) -> Case:
    """Facts that match, as many as are asked for."""
    assert case.state == State.RECEIVED
    assert case.facts(**{name: text for name, text in named(known).items() if name != "postal_address"}) == ""
    assert case.state != State.RECEIVED
    return case


# Who asks


@promise("CN-11")
def test_nobody_who_calls_learns_of_an_account_before_it_is_sure_who_they_are(concord: House) -> None:
    known = concord.dana("US")
    case = concord.take_in("access", known.email, "phone")
    assert [text for text in known.values if text in case.record()] == []
    assert case.do("start") == 409
    assert case.do("compare", name="Somebody Else", phone="+1 614 555 0100") == 400
    assert case.state == State.RECEIVED
    case.decide("sure", how="callback")
    assert known.values[0] in case.record()
    case.decide("start")
    assert case.state == State.READY
    assert {"made-sure", "vouched"} <= set(case.noted())
    case.ends("look")


@promise("CN-11")
def test_by_the_web_nothing_is_told_before_the_letter_is_opened(concord: House) -> None:
    known = concord.dana("US")
    case, nobody = concord.form("access", known.email), concord.form("access", "nobody.here@quayside.example")
    assert case.sent == nobody.sent
    assert not case.now.outcome
    assert case.confirm().state == State.READY
    assert known.email in case.package()["your-data.html"].decode()
    assert nobody.confirm().state == State.NOBODY
    nobody.ends()
    case.ends("release")


@promise("CN-25")
def test_a_californian_is_known_by_as_many_facts_as_the_right_wants(concord: House) -> None:
    known = concord.dana("US-CA")
    known_by_two = concord.ask("know", known.email, "US-CA")
    assert known_by_two.state == State.RECEIVED
    assert known_by_two.facts(name=f"Dana {known.values[0]}") == ""
    assert (known_by_two.state, known_by_two.now.proof) == (State.READY, "match-2")
    deletion = concord.ask("erase", known.email, "US-CA")
    assert "Fill in one more of them" in deletion.facts(name=f"Dana {known.values[0]}")
    assert deletion.state == State.RECEIVED
    assert deletion.facts(**named(known)) == ""
    assert deletion.now.proof == "match-3"
    assert deletion.certificate()["stage"] == "residue cleared"
    assert not concord.held(known)
    known_by_two.ends()
    deletion.ends("erasure", "key-destruction")


@promise("CN-25")
def test_signing_in_is_enough_too(concord: House) -> None:
    known = concord.dana("US-CA")
    case = concord.form("access", known.email, "US-CA", concord.signed_in(known.email))
    assert (case.state, case.now.proof, case.now.channel) == (State.READY, "sign-in", Channel.SETTINGS)
    case.ends()


@promise("CN-25")
def test_facts_that_do_not_match_are_refused_with_the_next_step(concord: House) -> None:
    known = concord.dana("US-CA")
    case = concord.ask("access", known.email, "US-CA")
    for left in ("2 tries are left", "One try is left"):
        said = case.facts(name="Dorothy Marsh", phone="+1 614 555 0199")
        assert left in said
        assert [text for text in known.values if text != known.email and text in said] == []
    case.facts(name="Dorothy Marsh", phone="+1 614 555 0199")
    assert case.state == State.REFUSED
    letter = case.letters()[-1]
    assert "does not show us that it is you" in letter
    assert "Ask again with other facts, or write to privacy@concord.example" in letter
    assert "California Privacy Protection Agency" in letter
    assert case.noted().count("not-matched") == 3
    assert case.browser.post(f"{case.page}package/").status_code == 404
    case.ends()


@promise("CN-68")
def test_no_more_is_asked_than_is_needed_and_nothing_else_counts(concord: House) -> None:
    known = concord.dana("US-CA")
    case = concord.ask("know", known.email, "US-CA")
    page = case.read()
    assert {f'name="{name}"' in page for name in ("name", "phone", "customer-number")} == {True}
    assert {f'name="{name}"' in page for name in ("birth-date", "postal-address", "job-title")} == {False}
    assert "Fill in one more of them" in case.facts(birth_date="1987-02-13", postal_address=named(known)["postal_address"])
    assert case.state == State.RECEIVED
    proved(case, known).ends()


# What each place gives


@promise("CN-14")
@pytest.mark.parametrize("region", ["US", "US-CA", "GB", "CH", "EEA"])
def test_every_place_gives_these_rights_and_says_that_nobody_is_treated_worse(concord: House, region: str) -> None:
    said = concord.offers(region)
    kinds = ("know", "access", "portability", "correct", "erase", "restrict", "object", "withdraw", "opt-out-sale", "complain")
    assert [kind for kind in kinds if concord.path(f"ask/{kind}/") not in said] == []
    assert concord.path("ask/limit-sensitive/") not in said
    assert stranger().get(concord.path("ask/limit-sensitive/")).status_code == 404
    assert "The service may become different or impossible where it needs the data." in said


@promise("CN-14")
def test_a_copy_can_be_taken_elsewhere(concord: House) -> None:
    known = concord.dana("GB")
    case = concord.ask("portability", known.email, "GB")
    files = case.package()
    assert files["contact.vcf"].startswith(b"BEGIN:VCARD")
    assert known.email in files["contact.csv"].decode()
    assert document(files)["contact"]["emails"] == [known.email]
    case.ends("release")


@promise("CN-14")
def test_what_is_contested_or_not_justified_is_stored_and_no_more(concord: House) -> None:
    for ground in ("contested", "unjustified"):
        known = concord.dana("GB")
        assert concord.seen(known, "analytics")
        case = concord.ask("restrict", known.email, "GB", ground=ground)
        assert case.state == State.READY
        for purpose in ("analytics", "customer-relations", "service-delivery"):
            assert not concord.seen(known, purpose)
        case.press("lift")
        assert concord.seen(known, "analytics")
        case.ends("restriction")


@promise("CN-14")
def test_what_is_wrong_is_put_right(concord: House) -> None:
    known = concord.dana("GB")
    case = concord.ask("correct", known.email, "GB", what="My title is wrong.", should="Master joiner")
    assert case.state == State.DECIDING
    assert not concord.seen(known, "analytics")
    case.put_right(job_title="Master joiner")
    assert case.state == State.READY
    assert "Master joiner" in case.letters()[-1]
    assert concord.seen(known, "analytics")
    case.ends("correction")


@promise("CN-14", "CN-58")
def test_a_deletion_says_that_the_account_may_close_and_it_does_no_more(concord: House) -> None:
    known = concord.dana("US")
    assert "We may have to close your account." in stranger().get(concord.path("ask/erase/")).content.decode()
    case = concord.form("erase", known.email)
    assert "We may have to close your account." in case.browser.get(case.letter_to_confirm()).content.decode()
    assert case.confirm().certificate()["stage"] == "residue cleared"
    assert not concord.held(known)
    case.ends("erasure", "key-destruction")


@promise("CN-58")
def test_who_uses_a_right_keeps_what_they_had(concord: House) -> None:
    member, browser = concord.team.bob, client_for(concord.team.bob)
    pages = (f"/{concord.account.slug}/people/", "/settings/", concord.path(), f"/{concord.account.slug}/notice/")
    before = [browser.get(page).status_code for page in pages]
    fields = type(concord.account).objects.values().get(pk=concord.account.pk)
    for kind in ("opt-out-sale", "withdraw", "know"):
        concord.ask(kind, member.email).ends()
    assert [browser.get(page).status_code for page in pages] == before
    assert set(before) == {200}
    assert type(concord.account).objects.values().get(pk=concord.account.pk) == fields


# Agents


@promise("CN-26")
def test_an_agent_needs_permission_identity_and_the_persons_own_word(concord: House) -> None:
    known, agent = concord.dana("US-CA"), concord.agent()
    case = concord.by_agent(agent, "access", known)
    waits = agent.status(case.reference_uuid).json()
    assert waits["status"] == "in_progress"
    assert "identity" in waits["processing_details"]
    assert "results_url" not in waits
    case.confirm()
    assert case.state == State.RECEIVED
    assert "results_url" not in agent.status(case.reference_uuid).json()
    case.decide("show", power="identity")
    assert case.state == State.READY
    assert agent.status(case.reference_uuid).json()["status"] == "fulfilled"
    case.ends()


@promise("CN-26")
def test_an_agent_whom_the_person_does_not_confirm_gets_nothing(concord: House) -> None:
    known, agent = concord.dana("US-CA"), concord.agent()
    case = concord.by_agent(agent, "deletion", known, email_verified=True)
    assert case.do("start") == 409
    case.refuse("We have not heard from the person.", "no-authority")
    status = agent.status(case.reference_uuid).json()
    assert (status["status"], "results_url" in status) == ("denied", False)
    assert concord.held(known)
    assert "California Privacy Protection Agency" in case.letters()[-1]
    case.ends()


@promise("CN-26")
def test_a_power_of_attorney_alone_is_enough(concord: House) -> None:
    known, agent = concord.dana("US-CA"), concord.agent()
    case = concord.by_agent(agent, "access:categories", known)
    assert case.do("start") == 409
    case.decide("show", power="power-of-attorney")
    assert case.state == State.READY
    case.ends()


@promise("CN-26")
def test_for_an_opt_out_of_sale_the_signed_permission_is_enough(concord: House) -> None:
    known, agent = concord.dana("US-CA"), concord.agent()
    case = concord.by_agent(agent, "sale:opt-out", known)
    assert case.state == State.READY
    assert concord.stands(known)["sale"] == OUT
    case.ends("opt-out")


# What is outside


@promise("CN-27")
def test_what_is_kept_for_customers_is_outside_and_the_answer_says_what_else_is(concord: House) -> None:
    known = concord.dana("US-CA")
    theirs = concord.form("access", known.email, "US-CA", data="customer")
    assert theirs.state == State.REFERRED
    assert "the customer who gave us the data" in theirs.letters()[-1]
    assert [text for text in known.values if text in "".join(theirs.letters()) + theirs.read()] == []
    own = proved(concord.ask("know", known.email, "US-CA"), known)
    assert document(own.package())["outside"] == [
        "data that we keep for others, who decide about it",
        "what stands in public records",
        "data that points to nobody any more",
        "figures about groups",
    ]
    assert "Nor is what we hold about our own employees, applicants and contractors as such" in " ".join(
        stranger().get(f"/{concord.account.slug}/notice/").content.decode().split()
    )
    theirs.ends()
    own.ends("release")


# The mailbox


@promise("CN-46")
def test_a_mail_names_where_one_lives_and_which_right_and_the_form_asks_for_both(concord: House) -> None:
    known = concord.dana("GB")
    case = concord.mail(known.email, "My data", "I live in the United Kingdom. Please send me a copy of my data.")
    assert (case.now.kind, case.now.region, case.now.channel) == (Kind.ACCESS, "GB", Channel.EMAIL)
    assert Deadline.model_validate(case.now.clock).region == "GB"
    assert case.confirm().state == State.READY
    assert known.email in case.package()["your-data.html"].decode()
    form = stranger().get(concord.path("ask/access/")).content.decode()
    assert 'name="region"' in form
    unclear = concord.mail(known.email, "Hello", "I live in the United Kingdom, and it rains.")
    assert unclear.now.kind == Kind.QUESTION
    case.ends("release")


@promise("CN-47")
def test_a_consent_is_withdrawn_by_mail_and_what_rests_on_none_goes_on(concord: House) -> None:
    known = concord.dana("GB")
    concord.allow(known, "direct-marketing", "mail-statistics")
    assert concord.seen(known, "direct-marketing")
    case = concord.mail(known.email, "Consent", "I withdraw my consent to everything.")
    assert (case.now.kind, case.state) == (Kind.WITHDRAW, State.READY)
    assert case.now.due_at <= case.now.received_at + timedelta(days=3)
    assert not concord.seen(known, "direct-marketing")
    assert concord.stands(known)["mail-statistics"] == ("withdrawn", False)
    assert concord.seen(known, "billing")
    case.ends("consent")


@promise("CN-48")
def test_promotion_ends_by_mail_and_by_the_switch_of_a_link(concord: House) -> None:
    known, other = concord.dana("US"), concord.dana("US")
    case = concord.mail(known.email, "Your newsletter", "Please unsubscribe me.").confirm()
    assert case.state == State.READY
    assert not concord.seen(known, "direct-marketing")
    assert concord.seen(known, "analytics")
    switched = concord.ask("choices", other.email)
    assert concord.seen(other, "direct-marketing")
    switched.press("choose", purpose="direct-marketing", on="")
    assert not concord.seen(other, "direct-marketing")
    case.ends("objection")
    switched.ends("opt-out")


@promise("CN-57")
def test_the_subject_line_opens_a_request_and_so_does_a_call(concord: House) -> None:
    known, caller = concord.dana("US-CA"), concord.dana("US-CA")
    case = concord.mail(known.email, "California privacy request", "I live in California. What data do you hold on me?")
    assert (case.now.kind, case.now.region) == (Kind.KNOW, "US-CA")
    proved(case.confirm(), known)
    assert document(case.package())["format"] == "kept-know-1"
    gone = concord.mail(known.email, "California privacy request", "I am in California. Please delete my data.")
    assert gone.now.kind == Kind.ERASE
    assert proved(gone.confirm(), known).certificate()["stage"] == "residue cleared"
    assert not concord.held(known)
    called = concord.take_in("know", caller.email, "phone")
    assert called.now.region == "US-CA"
    called.decide("compare", name=named(caller)["name"], phone=named(caller)["phone"]).decide("start")
    assert called.state == State.READY
    assert {case.now.clock["clocks"][0]["by"] for case in (case, called)} == {case.now.clock["clocks"][0]["by"]}
    case.ends("release")
    gone.ends("erasure")
    called.ends("look")


@promise("CN-67")
def test_one_address_takes_questions_requests_and_what_is_about_a_child(concord: House) -> None:
    known = concord.dana("US")
    question = concord.mail(known.email, "A question", "How long do you keep a fax?")
    request = concord.mail(known.email, "My data", "Please send me a copy of all you have.")
    child = concord.mail(known.email, "My daughter", "My daughter is twelve and signed up. Please delete my child's data.")
    assert [case.now.kind for case in (question, request, child)] == [Kind.QUESTION, Kind.ACCESS, Kind.ERASE]
    assert question.state == State.DECIDING
    question.decide("grant", why="granted", reason="Ninety days.")
    assert "Ninety days." in question.letters()[-1]
    assert child.now.decision.get("by") == "parent"
    for case in (question, request, child):
        assert case.reference[:8] in concord.petra.get(f"/{concord.account.slug}/requests/?list=all").content.decode()
        case.ends()


# Sale


@promise("CN-24")
def test_the_sale_ends_by_mail_or_telephone_without_account_or_proof(concord: House) -> None:
    by_mail, by_phone = concord.dana("US-CA"), concord.dana("US-CA")
    written = concord.mail(by_mail.email, "Do not sell my data", "Thank you. I live in California.")
    called = concord.take_in("opt-out-sale", by_phone.email, "phone")
    unknown = concord.ask("opt-out-sale", f"dana.elsewhere.{by_mail.reference[:6]}@quayside.example", "US-CA")
    for case, known in ((written, by_mail), (called, by_phone)):
        assert (case.now.kind, case.state) == (Kind.OPT_OUT_SALE, State.READY)
        held = concord.stands(known)
        assert (held["sale"], held["sharing"]) == (OUT, OUT)
        assert listed(concord, known.email)
        case.ends("opt-out")
    assert unknown.state == State.READY
    assert listed(concord, unknown.email)
    unknown.ends()


@promise("CN-24")
def test_to_come_back_takes_two_steps(concord: House) -> None:
    known = concord.dana("US-CA")
    concord.ask("opt-out-sale", known.email, "US-CA")
    back = concord.ask("opt-in-sale", known.email, "US-CA")
    assert back.state == State.RECEIVED
    assert concord.stands(known)["sale"] == OUT
    back.press("again")
    assert back.state == State.READY
    assert concord.stands(known)["sale"] == ("given", False)
    assert not listed(concord, known.email)
    back.ends("consent")


@promise("CN-24")
def test_the_browsers_signal_is_a_no(concord: House) -> None:
    known = concord.dana("US-CA")
    case = proved(concord.ask("know", known.email, "US-CA"), known)
    case.browser.get(case.page, headers={"Sec-GPC": "1"})
    assert concord.stands(known)["sale"] == OUT
    case.ends("opt-out")


@promise("CN-68")
def test_an_opt_out_of_sale_says_how_far_it_reaches(concord: House) -> None:
    known = concord.dana("US-CA")
    reach = "The request may be met in part: it reaches the browsers and the records that we can tell are yours."
    assert reach in " ".join(stranger().get(concord.path("ask/opt-out-sale/"), {"region": "US-CA"}).content.decode().split())
    case = concord.ask("opt-out-sale", known.email, "US-CA")
    assert case.now.outcome["reach"] == "records"
    assert "It reaches the records that we can tell are yours" in case.letters()[-1]
    case.ends("opt-out")


def listed(concord: House, email: str) -> bool:
    """Whether an address stands on the Do-Not-Sell list."""
    with concord.rights() as use:
        return optouts.on_list(use, [("email", subjects.digest(concord.account.pk, "email", email, "US-CA"))])


# Knowing


@promise("CN-56")
def test_the_answer_has_six_parts_and_reaches_back_a_year(concord: House) -> None:
    known = concord.dana("US-CA")
    concord.note(known, "purchase-history", "Fax line, 2026")
    concord.file("agreement", "Fairwind Marketing", "marketing services agreement")
    concord.file("agreement", "Brightlane Advertising", "advertising agreement")
    concord.allow(known, "targeted-advertising", "advertising-measurement", "interest-based-ads")
    assert concord.gave(known, "Fairwind Marketing", "direct-marketing", "email")
    assert concord.gave(known, "Brightlane Advertising", "targeted-advertising", "purchase-history")
    told = document(proved(concord.ask("know", known.email, "US-CA"), known).package())
    assert {"categories", "sources", "purposes", "recipients", "sold", "buyers"} <= set(told)
    assert {"Name", "Email address"} <= {one["category"] for one in told["categories"]}
    assert [one["to"] for one in told["recipients"]["given"]] == ["Fairwind Marketing"]
    assert [one["to"] for one in told["buyers"]] == ["Brightlane Advertising"]
    assert len(told["sold"]) == 1
    since = date.fromisoformat(told["period"]["since"])
    assert timedelta(days=364) <= timezone.localdate() - since <= timedelta(days=367)
    pieces = concord.ask("access", known.email, "US-CA")
    proved(pieces, known)
    assert known.values[0] in pieces.package()["your-data.html"].decode()
    pieces.ends("release")


@promise("CN-60")
def test_an_answer_to_one_of_a_household_names_and_does_not_show_the_others(concord: House) -> None:
    known = concord.dana("US-CA")
    other = dana(concord.account, given="Erin", family=known.values[0], region="US-CA")
    concord.note(known, "household-member", "Erin Marsh shares the account")
    concord.note(known, "message", f"Call {other.email} instead")
    case = proved(concord.ask("access", known.email, "US-CA"), known)
    everything = b"".join(case.package().values()).decode()
    assert "Erin Marsh shares the account" not in everything
    assert "Who shares the account" in everything
    assert other.email not in everything
    assert known.email in everything
    case.ends("release")


# Europe


@promise("CN-63")
def test_a_european_learns_sees_corrects_and_is_erased_in_time(concord: House) -> None:
    known = concord.dana("GB")
    told = concord.ask("know", known.email, "GB")
    abroad = {one["to"]: one["country"] for one in document(told.package())["recipients"]["may_get"]}
    assert abroad["Rackham Hosting"] == "US"
    asked: dict[str, dict[str, Any]] = {"access": {}, "correct": {"what": "My name is misspelt."}, "erase": {}}
    for kind, more in asked.items():
        case = concord.ask(kind, known.email, "GB", **more)
        assert case.now.due_at <= case.now.received_at + timedelta(days=32)
        if kind == "correct":
            case.put_right(family_name="Marshe")
            case.ends("correction")
    assert case.certificate()["stage"] == "residue cleared"
    assert not concord.held(known)
    case.ends("erasure")
    told.ends("release")
    nobody = concord.ask("know", f"dana.abroad.{known.reference[:6]}@quayside.example", "GB")
    assert nobody.state == State.NOBODY


@promise("CN-64")
def test_a_european_limits_use_and_disclosure_in_writing(concord: House) -> None:
    known = concord.dana("GB")
    concord.allow(known, "direct-marketing")
    assert concord.seen(known, "research")
    text = "I live in the United Kingdom. Please limit the use of my data, and do not pass it on to your partners."
    case = concord.mail(known.email, "Limit the use and disclosure of my data", text)
    case.confirm()
    uses = ("direct-marketing", "offer-identification", "research", "strategy")
    others = ("sale", "sharing", "disclose:affiliates", "disclose:business-partners", "disclose:connected-partners")
    for about in (*uses, *others):
        case.press("choose", purpose=about, on="")
    held = concord.stands(known)
    assert {held[about][0] for about in others} == {"opted-out"}
    for purpose in uses:
        assert not concord.seen(known, purpose)
    assert concord.seen(known, "billing")
    case.ends("opt-out", "objection")


@promise("CN-66")
def test_a_complaint_is_acknowledged_in_time_and_leads_on_in_order(concord: House) -> None:
    known = concord.dana("GB")
    case = concord.mail(known.email, "A complaint", "I live in the United Kingdom, and I complain about your calls.")
    assert (case.now.kind, case.state, case.now.region) == (Kind.COMPLAIN, State.DECIDING, "GB")
    acknowledged = case.letters()[0]
    assert "we have what you asked for: a complaint" in acknowledged
    confirm_by = Deadline.model_validate(case.now.clock).confirm_by
    assert confirm_by is not None
    assert case.now.confirmed_at is not None
    assert case.now.confirmed_at <= confirm_by <= case.now.received_at + timedelta(days=10)
    case.decide("grant", why="granted", reason="We have called too often, and stopped.")
    letter = case.letters()[-1]
    steps = ["write to us first", "your data protection authority", "It costs you nothing", "binding arbitration", "what remains after"]
    places = [letter.find(step) for step in steps]
    assert -1 not in places, letter
    assert places == sorted(places)
    case.ends()

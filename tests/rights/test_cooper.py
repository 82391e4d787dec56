"""Cooper: a controller in California with people in Europe; the rights of Chapter III, and Shine the Light."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kept.apps.requests import telling
from kept.apps.requests.models import Channel, Kind, State
from kept.apps.requests.tests.people import Known, dana
from kept.apps.requests.tests.recipients import tellings
from kept.core.errors import KeptError
from kept.platform.accounts.testing import stranger
from kept.platform.privacy import restricted
from kept.platform.privacy.gate import acting
from tests.rights.door import Case, House, asked_as, document, house, promise

HOST = "disclose:hosting"
STILL = ("customer-relations", "billing", "communication", "training-courses", "legal-claims", "fraud-prevention")


@pytest.fixture(scope="module")
def cooper() -> House:
    made = house("cooper")
    for party in ("Fernhill Hosting", "Maple Mailing"):
        made.file("agreement", party, "processing agreement with a duty of confidentiality")
    return made


def served(cooper: House) -> Known:
    """Somebody whose data went to a recipient."""
    known = cooper.dana("GB")
    assert cooper.gave(known, "Fernhill Hosting", "customer-relations", "name", "email")
    return known


def told(case: Case) -> set[str]:
    """What recipients were to be told of by this request."""
    return {one.what for one in tellings(case.house.account, case.reference).values()}


# Fair, open to review, by mail and by post


@promise("CP-09", "CP-33")
def test_what_is_held_is_open_to_review_and_rests_on_consent_where_it_says_so(cooper: House) -> None:
    known = cooper.dana("GB")
    assert not cooper.open(known, "newsletter")
    first = cooper.ask("know", known.email, "GB")
    before = {one["purpose"]: one for one in document(first.package())["purposes"]}
    assert {one["basis"] for one in before.values()} >= {"Consent", "Contract"}
    assert all(one["promise"] for one in before.values())
    newsletter = next(one for name, one in before.items() if "ewsletter" in name)
    assert (newsletter["basis"], newsletter["in_use"]) == ("Consent", False)
    switches = cooper.ask("choices", known.email, "GB")
    switches.press("choose", purpose="newsletter", on="1")
    assert cooper.open(known, "newsletter")
    again = document(cooper.ask("know", known.email, "GB").package())
    assert next(one for one in again["purposes"] if one["purpose"] == newsletter["purpose"])["in_use"] is True
    with pytest.raises(KeptError), acting(cooper.account.pk, "member:1", "astrology"):
        pass
    switches.ends("consent")
    first.ends("release")


@promise("CP-35")
def test_mail_and_letter_both_open_a_request_whose_clock_starts_on_receipt(cooper: House) -> None:
    by_mail, by_post = cooper.dana("GB"), cooper.dana("GB")
    mailed = cooper.mail(by_mail.email, "My data", "I live in the United Kingdom. Please send me a copy of my data.")
    posted = cooper.take_in("access", by_post.email, "post")
    assert [case.now.channel for case in (mailed, posted)] == [Channel.EMAIL, Channel.POST]
    for case in (mailed, posted):
        assert case.now.clock["received"][:19] == case.now.received_at.isoformat()[:19]
        assert case.now.due_at <= case.now.received_at + timedelta(days=32)
        assert "You have our answer by" in case.letters()[0]
    assert mailed.state == State.RECEIVED
    mailed.confirm()
    posted.decide("start", how="signature")
    for case in (mailed, posted):
        assert case.state == State.READY
        case.ends()


# The rights, one by one


@promise("CP-10")
def test_a_copy_says_everything_covers_others_and_the_second_costs_what_is_said_before(cooper: House) -> None:
    known, other = cooper.dana("GB"), cooper.dana("GB")
    cooper.note(known, "message", f"Write to {other.email} as well", "subject")
    first = cooper.ask("access", known.email, "GB")
    assert first.state == State.READY
    files = first.package()
    said = document(files)
    assert all(said[name] for name in ("purposes", "sources", "recipients", "held"))
    everything = b"".join(files.values()).decode()
    assert known.values[0] in everything
    assert other.email not in everything
    second = cooper.ask("access", known.email, "GB")
    assert second.state == State.DECIDING
    costs = second.letters()[-1]
    assert "This is copy number 2 of your data." in costs
    assert "what copying and sending costs, told beforehand" in costs
    second.decide("grant", why="granted", reason="")
    assert "Leave it where it is, and you owe nothing." in second.letters()[-1]
    unknown = cooper.ask("access", f"nobody.{known.reference[:6]}@quayside.example", "GB")
    assert unknown.state == State.NOBODY
    first.ends("release")
    second.ends()


@promise("CP-11")
@pytest.mark.parametrize("complete", ["", "on"])
def test_what_is_wrong_or_missing_is_put_right_and_recipients_hear_of_it(cooper: House, complete: str) -> None:
    known = served(cooper)
    case = cooper.ask("correct", known.email, "GB", what="My title.", should="Foreman", complete=complete)
    assert case.state == State.DECIDING
    assert not cooper.seen(known, "customer-relations")
    case.put_right(job_title="Foreman")
    assert "Foreman" in case.letters()[-1]
    assert cooper.seen(known, "customer-relations")
    assert told(case) == {"correct"}
    case.ends("correction", "restriction")


@promise("CP-11")
def test_what_is_right_is_not_changed_and_the_person_hears_why(cooper: House) -> None:
    known = cooper.dana("GB")
    case = cooper.ask("correct", known.email, "GB", what="My name is Napoleon.")
    case.refuse("What we hold is right.", "accurate")
    assert "What we hold is right." in case.letters()[-2] + case.letters()[-1]
    assert "Information Commissioner's Office" in case.letters()[-1]
    assert cooper.seen(known, "customer-relations")
    assert told(case) == set()
    case.ends("restriction")


@promise("CP-12")
@pytest.mark.parametrize("ground", ["no-longer-needed", "consent-withdrawn", "objection", "direct-marketing", "unlawful"])
def test_on_each_of_five_grounds_everything_is_erased(cooper: House, ground: str) -> None:
    known = served(cooper)
    case = cooper.ask("erase", known.email, "GB", ground=ground)
    if ground == "unlawful":
        assert case.state == State.DECIDING
        case.decide("grant", why="unlawful", reason="")
    assert case.now.decision["ground"] == ground
    assert told(case) == {"erase"}
    finished(case)
    assert case.certificate()["stage"] == "residue cleared"
    assert not cooper.held(known)
    case.ends("erasure", "key-destruction")


def finished(case: Case) -> None:
    """The team has told those who are told by hand."""
    petra = case.house.account.members.get(user=case.house.team.petra).actor
    for one in tellings(case.house.account, case.reference).values():
        telling.confirm_by_hand(case.house.account, petra, one.pk, "They wrote on Monday that it is done.")


@promise("CP-12")
def test_on_no_ground_nothing_is_erased(cooper: House) -> None:
    known = cooper.dana("GB")
    answer = stranger().post(cooper.path("ask/erase/"), {"email": known.email, "region": "GB"})
    assert answer.status_code == 400
    assert "Choose one of these." in answer.content.decode()
    assert cooper.held(known)


@promise("CP-12", "CP-14")
def test_what_a_claim_needs_stays_and_one_is_told(cooper: House) -> None:
    known = cooper.dana("GB")
    opened = cooper.petra.post(f"/{cooper.account.slug}/requests/holds/", {"title": "Unpaid course", "ground": "legal-claim", "note": ""})
    cooper.petra.post(opened["Location"], {"known_by": "email", "value": known.email, "categories": ["name"], "until": ""})
    objected = cooper.ask("object", known.email, "GB", ground="particular-situation", why="I am in hiding.")
    objected.decide("grant", why="weighed", reason="")
    case = cooper.ask("erase", known.email, "GB", ground="objection")
    kept = {one["category"]: one["why"] for one in case.now.outcome["kept"]}
    assert kept["name"] == ["hold:legal-claim"]
    assert "What a legal claim needs" in case.read()
    assert not cooper.seen(known, "customer-relations")
    objected.ends("objection")
    case.ends("erasure")


@promise("CP-13")
@pytest.mark.parametrize("ground", ["contested", "unlawful", "claims-only", "pending-objection"])
def test_on_each_of_four_grounds_data_is_stored_and_nothing_else(cooper: House, ground: str) -> None:
    known = served(cooper)
    assert [one for one in STILL if not cooper.seen(known, one)] == []
    case = cooper.ask("restrict", known.email, "GB", ground=ground)
    assert case.state == State.READY
    assert [one for one in STILL if cooper.seen(known, one)] == []
    assert cooper.held(known)
    assert told(case) == {"restrict"}
    reason = "A claim over the course of spring is before the court."
    for admitted in ("claims", "others-rights", "public-interest"):
        found = restricted.read(cooper.account.pk, "member:1", known.id, ground=admitted, reason=reason)
        assert known.email in {one.value for one in found}
    with pytest.raises(KeptError):
        restricted.read(cooper.account.pk, "member:1", known.id, ground="curiosity", reason=reason)
    case.press("lift")
    assert [one for one in STILL if not cooper.seen(known, one)] == []
    case.ends("restriction")


@promise("CP-13")
def test_on_no_ground_nothing_is_restricted(cooper: House) -> None:
    known = cooper.dana("GB")
    answer = stranger().post(cooper.path("ask/restrict/"), {"email": known.email, "region": "GB", "ground": "boredom"})
    assert answer.status_code == 400
    assert cooper.seen(known, "customer-relations")


@promise("CP-14")
@pytest.mark.parametrize("granted", [True, False])
def test_a_particular_situation_is_weighed_by_somebody_who_gives_reasons(cooper: House, granted: bool) -> None:
    known = cooper.dana("GB")
    case = cooper.ask("object", known.email, "GB", ground="particular-situation", why="I am in hiding.")
    assert case.state == State.DECIDING
    assert not cooper.seen(known, "fraud-prevention")
    if granted:
        case.decide("grant", why="weighed", reason="Your situation weighs more.")
        assert "Your situation weighs more." in case.letters()[-1]
    else:
        case.refuse("A claim of ours needs it.", "legal-claim")
        assert "A claim of ours needs it." in " ".join(case.letters())
        assert "Information Commissioner's Office" in case.letters()[-1]
    assert cooper.seen(known, "fraud-prevention") is not granted
    assert cooper.seen(known, "customer-relations")
    case.ends("objection" if granted else "restriction")


@promise("CP-15")
def test_direct_marketing_ends_at_once_and_no_claim_holds_against_it(cooper: House) -> None:
    known = cooper.dana("GB")
    other = cooper.dana("GB")
    for one in (known, other):
        cooper.allow(one, "newsletter", "campaigns", "offer-selection", "offers", "disclose:offer-agent")
        assert cooper.open(one, "campaigns")
    case = cooper.form("object", known.email, "GB", ground="direct-marketing")
    assert case.do("refuse", why="legal-claim", reason="We have a claim.") != 302
    case.confirm()
    assert case.state == State.READY
    for purpose in ("newsletter", "campaigns", "offer-selection"):
        assert not cooper.open(known, purpose)
        assert not cooper.seen(known, purpose)
    assert cooper.seen(known, "legal-claims")
    assert cooper.gave(other, "Maple Mailing", "campaigns", "email")
    assert not cooper.gave(known, "Maple Mailing", "campaigns", "email")
    case.ends("objection")


@promise("CP-16")
def test_only_what_they_gave_by_consent_or_contract_goes_along(cooper: House) -> None:
    known = cooper.dana("GB")
    cooper.note(known, "email", "dana.bought@quayside.example", "broker")
    case = cooper.ask("portability", known.email, "GB")
    files = case.package()
    assert {"your-data.json", "contact.csv", "values.csv", "contact.vcf"} <= set(files)
    everything = b"".join(files.values()).decode()
    assert known.email in everything
    assert "dana.bought" not in everything
    assert document(files)["left_out"] == {"not given by you, nor observed of you": 1}
    case.ends("release")


@promise("CP-17")
@pytest.mark.parametrize(
    ("region", "authority"),
    [
        ("FR", "the CNIL, France"),
        ("AT", "the Datenschutzbehörde, Austria"),
        ("GB", "the Information Commissioner's Office, United Kingdom"),
        ("US", "the Attorney General of your state"),
    ],
)
def test_every_answer_names_the_authority_of_the_country(cooper: House, region: str, authority: str) -> None:
    known = cooper.dana(region)
    case = cooper.ask("complain", known.email, region, text="You rang at night.")
    case.decide("grant", why="granted", reason="We are sorry.")
    answer = cooper.ask("know", known.email, region)
    for one in (case, answer):
        assert f"You can complain to {authority} at any time." in one.letters()[-1]
        one.ends()
    assert authority in cooper.offers(region)


@promise("CP-18")
def test_a_consent_is_withdrawn_as_easily_as_it_is_given(cooper: House) -> None:
    known, writer = cooper.dana("GB"), cooper.dana("GB")
    switches = cooper.ask("choices", known.email, "GB")
    switches.press("choose", purpose="newsletter", on="1")
    assert cooper.open(known, "newsletter")
    switches.press("choose", purpose="newsletter", on="")
    assert not cooper.open(known, "newsletter")
    cooper.allow(writer, "newsletter", "telephone")
    by_mail = cooper.mail(writer.email, "Consent", "I withdraw my consent, from the United Kingdom.")
    assert by_mail.state == State.READY
    assert not cooper.open(writer, "newsletter")
    assert not cooper.open(writer, "telephone")
    assert cooper.open(writer, "customer-relations")
    by_post = cooper.take_in("withdraw", known.email, "post")
    assert by_post.now.due_at <= by_post.now.received_at + timedelta(days=9)
    assert by_post.state == State.READY
    switches.ends("consent")
    by_mail.ends("consent")
    by_post.ends()


# Children


@promise("CP-20")
def test_a_parent_has_the_child_erased_and_not_themselves(cooper: House) -> None:
    mother, child = cooper.dana("US-CA"), dana(cooper.account, given="Robin", region="US-CA")
    text = f"Please erase what my daughter Robin gave you with the address {child.email}."
    case = cooper.mail(mother.email, "My child's data", text)
    assert (case.now.kind, case.now.decision["by"], case.state) == (Kind.ERASE, "parent", State.RECEIVED)
    assert case.now.due_at <= case.now.received_at + timedelta(days=46)
    assert case.do("start", how="known") == 409
    assert case.do("show", power="parent", known_by="email", value="nobody.here@quayside.example") == 404
    case.decide("show", power="parent", known_by="email", value=child.email)
    case.decide("grant", why="granted", reason="", ground="unlawful")
    assert cooper.held(mother), "The parent was erased in place of the child."
    assert not cooper.held(child)
    case.ends("erasure")


# Shine the Light


def shine(known: Known, **more: str) -> dict[str, Any]:
    """What the law lets be asked."""
    told = {"name": f"Dana {known.values[0]}", "street": known.values[3], "locality": "Fresno", "state": "CA", "postcode": known.values[4]}
    return told | {"household": "on"} | more


@promise("CP-21")
def test_a_mail_with_the_subject_is_answered_by_mail_about_covered_sharing_alone(cooper: House) -> None:
    known = cooper.dana("US-CA")
    case = cooper.mail(known.email, "Shine the Light request", f"Dana {known.values[0]}, {known.values[3]}, Fresno, CA {known.values[4]}")
    assert (case.now.kind, case.now.channel) == (Kind.MARKETING_DISCLOSURES, Channel.EMAIL)
    assert case.now.due_at <= case.now.received_at + timedelta(days=31)
    assert not case.letter_to_confirm()
    assert case.state == State.DECIDING  # the mail does not say that it is for a household
    case.decide("grant", why="granted", reason="")
    assert case.now.outcome["by"] == "email"
    assert "went to anybody for that" in case.letters()[-1]
    assert document(case.package())["recipients"] == []
    case.ends()


@promise("CP-21")
def test_a_letter_with_the_words_in_its_first_line_is_answered_on_paper(cooper: House) -> None:
    known = cooper.dana("US-CA")
    desk = f"/{cooper.account.slug}/requests/new/"
    page = cooper.petra.get(desk, {"line": "Shine the Light request"}).content.decode()
    assert 'name="details-street"' in page
    given = {f"details-{'region' if name == 'state' else name}": text for name, text in shine(known).items()}
    case = cooper.take_in("direct-marketing-disclosures", known.email, "post", email="", **given)
    assert case.state == State.READY
    assert case.now.outcome["by"] == "post"
    answer = cooper.petra.post(f"/{cooper.account.slug}/requests/{case.reference}/package/")
    assert answer.content[:2] == b"PK"
    case.ends("release")


@promise("CP-21")
def test_it_is_for_households_and_a_business_hears_that_it_is_outside(cooper: House) -> None:
    known = cooper.dana("US-CA")
    form = cooper.ask("direct-marketing-disclosures", known.email, "US-CA", **shine(known))
    assert form.state == State.READY
    unsaid = cooper.ask("direct-marketing-disclosures", known.email, "US-CA", **shine(known, household=""))
    assert unsaid.state == State.DECIDING
    unsaid.refuse("The law does not reach business dealings.", "not-covered")
    answer = stranger().post(
        cooper.path("ask/direct-marketing-disclosures/"),
        {"email": known.email, "region": "US-CA", "capacity": "business-contact", **shine(known)},
    )
    assert answer.status_code == 200
    assert "leaves out people who deal with us for another business" in answer.content.decode()
    missing = stranger().post(cooper.path("ask/direct-marketing-disclosures/"), {"email": known.email, "region": "US-CA", "name": "Dana"})
    assert missing.status_code == 400
    assert stranger().get(cooper.path("ask/direct-marketing-disclosures/"), {"region": "GB"}).status_code == 404
    assert asked_as(form.sent).get("next") in (["received"], ["at-once"])
    form.ends()
    unsaid.ends()

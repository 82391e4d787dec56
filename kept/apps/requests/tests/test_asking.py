"""Asking, by everybody: what the centre offers where one lives, what each form asks for, and who need prove nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kept.apps.requests import attachments, limits, offers, private, queries
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.tests.people import dana, link_in, mail_to, requests_of, work
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import client_for, stranger
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.testing import Subject, cast, with_notice
from tests.plugin import ROOT


def example(slug: str, region: str = "US") -> Account:
    """An account under the notice of an example."""
    made = cast().account
    Account.objects.filter(pk=made.pk).update(region=region)
    notices.activate(made, (ROOT / f"notices/{slug}/notice.md").read_text(encoding="utf-8"), "command:test")
    return Account.objects.get(pk=made.pk)


@pytest.fixture(scope="module")
def copper() -> Account:
    return example("copper")


@pytest.fixture(scope="module")
def cooper() -> Account:
    return example("cooper")


@pytest.fixture(scope="module")
def concord() -> Account:
    return example("concord")


def ask(account: Account, kind: str, client: Client | None = None, **given: Any) -> tuple[Client, str, Request | None]:
    """Ask; the browser, where it is led, and the request that was made."""
    browser, before = client or stranger(), len(requests_of(account))
    told = {"email": f"dana.{kind}@quayside.example", "region": account.region, **given}
    answer = browser.post(f"/{account.slug}/privacy/ask/{kind}/", told)
    assert answer.status_code == 302, answer.content.decode()
    made = requests_of(account)[before:]
    return browser, str(answer["Location"]), made[0] if made else None


def said(account: Account, path: str, client: Client | None = None) -> str:
    answer = (client or stranger()).get(path if path.startswith("/") else f"/{account.slug}/privacy/{path}")
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


# The centre


def test_the_centre_offers_every_right_of_each_notice_where_one_lives() -> None:
    for slug in ("larch", "copper", "prosperworks", "cooper", "concord", "customer-portfolios"):
        account = example(slug)
        policy = policy_of(account.pk)
        for region in (account.region, *policy.notice.regions()):
            page = said(account, f"?region={region}")
            for kind in policy.rights(region):
                if kind != offers.NO_RETALIATION:
                    assert f"/privacy/ask/{kind}/" in page, f"{slug}, {region}: {kind}"


def test_a_right_is_shown_with_its_clock_proof_exceptions_and_other_ways(copper: Account) -> None:
    page = said(copper, "?region=US-CA")
    assert "Confirmed within 10 business days." in page
    assert "By 3 facts that we hold about you or signing in here." in page
    assert "People who work for us, as such" in page
    assert "Without your data we cannot go on providing the service" in page
    assert "Without your data we cannot go on providing the service" in said(copper, "ask/erase/?region=US-CA")
    assert "what helps to find faults" in said(copper, "ask/erase/?region=US-CA")
    assert "tel:+18005550142" in page
    first, second = page.index("Meadowbank Privacy Disputes</a>"), page.index("binding arbitration</a>")
    assert page.index("Us, first") < first < second
    assert "It may cost something." in page[second:]


def test_the_law_where_one_lives_sets_the_clock_and_names_the_authority(cooper: Account) -> None:
    assert "Within 1 month, by Article 12(3) GDPR." in said(cooper, "?region=AT")
    assert "Datenschutzbehörde" in said(cooper, "?region=AT")
    assert "Datenschutzbehörde" not in said(cooper, "?region=BE")
    assert "direct-marketing-disclosures" not in said(cooper, "?region=AT")
    assert "with the subject “Shine the Light request”" in said(cooper, "?region=US-CA")
    assert "Datenschutzbehörde" not in said(cooper, "?region=nowhere")


# Forms


def test_each_form_asks_for_what_its_kind_needs_and_no_more(cooper: Account, concord: Account) -> None:
    asked = {
        (cooper, "access"): {"since", "until"},
        (cooper, "portability"): set(),
        (cooper, "correct"): {"what", "should", "complete", "evidence"},
        (cooper, "object"): {"ground", "purpose", "why"},
        (cooper, "withdraw"): {"purpose"},
        (cooper, "erase"): {"ground"},
        (cooper, "complain"): {"text"},
        (cooper, "choices"): set(),
        (concord, "opt-out-sale"): {"phone"},
    }
    others = {"by", "agent", "permission_kind", "permission", "child"}
    whose = {"data"}
    for (account, kind), fields in asked.items():
        answer = stranger().post(f"/{account.slug}/privacy/ask/{kind}/", {"email": "no address"})
        page = answer.content.decode()
        named = {one for one in (*fields, *others, *whose, "email", "region", "capacity") if f'name="{one}"' in page}
        bare = kind in ("complain", "choices", "opt-out-sale")
        extra = set() if bare else others | (whose if account == concord else set())
        extra |= whose if account == concord and kind in ("choices", "complain") else set()
        assert named == fields | {"email", "region"} | extra, (kind, named)


def test_what_is_told_is_sealed_with_the_request(cooper: Account) -> None:
    _, _, made = ask(cooper, "object", ground="particular-situation", purpose="newsletter", why="It reaches my old flat.")
    assert made is not None
    assert made.decision == {"ground": "particular-situation"}
    assert private.open_private(made).details == {"purpose": "newsletter", "why": "It reaches my old flat."}
    _, _, made = ask(cooper, "access", since="2024-01-01", until="2024-12-31")
    assert made is not None
    assert private.open_private(made).details == {"since": "2024-01-01", "until": "2024-12-31"}
    shine: dict[str, Any] = {
        "name": "Dana Marsh",
        "street": "4 Row",
        "locality": "Fresno",
        "state": "CA",
        "postcode": "93650",
        "household": "on",
    }
    _, _, made = ask(cooper, "direct-marketing-disclosures", **{**shine, "region": "US-CA"})
    assert made is not None
    told = private.open_private(made).details
    assert (told["region"], told["household"], told["postcode"], made.region) == ("CA", "1", "93650", "US-CA")


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(cooper: Account) -> None:
    before = len(requests_of(cooper))
    path = f"/{cooper.slug}/privacy/ask/"
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("object", {}, "Choose one of these."),
        ("access", {"since": "2024-02-01", "until": "2024-01-01"}, "This day comes before the first one."),
        ("access", {"by": "agent"}, "Write your name"),
        ("erase", {"by": "parent", "ground": "unlawful"}, "Write the child’s name."),
        ("complain", {"text": "My card is 4111 1111 1111 1111."}, "payment card"),
        ("correct", {"what": "x", "evidence": SimpleUploadedFile("a.exe", b"MZ\0\1")}, "Files of this type are not taken."),
    ]
    for kind, given, told in wrong:
        answer = stranger().post(f"{path}{kind}/", {"email": "dana.wrong@quayside.example", "region": "US", **given})
        assert answer.status_code == 400, kind
        assert told in answer.content.decode(), kind
    assert len(requests_of(cooper)) == before
    assert stranger().get(f"{path}direct-marketing-disclosures/?region=AT").status_code == 404
    assert stranger().get(f"{path}limit-sensitive/").status_code == 404


def test_a_correction_brings_what_shows_it(cooper: Account) -> None:
    proof = SimpleUploadedFile("deed.pdf", b"%PDF-1.7 a deed")
    _, _, made = ask(cooper, "correct", what="My name is Dana Marsh.", evidence=proof)
    assert made is not None
    with bookkeeping(cooper.pk) as use:
        (one,) = attachments.listed(use, made)
    assert (one.what, one.name, attachments.content(made, one.id)) == ("evidence", "deed.pdf", b"%PDF-1.7 a deed")


# Who is asked for nothing, and who is outside


def test_an_opt_out_asks_for_an_address_or_a_number_and_is_done_at_once(concord: Account) -> None:
    known = dana(concord, region="US-CA")
    browser, where, made = ask(concord, "opt-out-sale", email=known.email, region="US-CA")
    assert made is not None
    assert (made.state, made.proof) == (State.VERIFIED, "")
    page = said(concord, where, browser)
    assert "It is done" in page
    assert "The request may be met in part" in page
    work()
    assert queries.by_reference(concord.pk, made.reference).state == State.READY
    assert "/confirm/" not in "".join(mail_to(concord, known.email))
    _, _, made = ask(concord, "opt-out-sale", email="", phone="+1 614 555 0199", region="US-CA")
    assert made is not None
    held = private.open_private(made)
    assert (held.email, held.known_by, held.value) == ("", "phone", "+1 614 555 0199")
    answer = stranger().post(f"/{concord.slug}/privacy/ask/opt-out-sale/", {"region": "US-CA"})
    assert "Fill in one of the two." in answer.content.decode()
    answer = stranger().post(f"/{concord.slug}/privacy/ask/opt-out-sale/", {"region": "US-CA", "phone": "12"})
    assert answer.status_code == 400


def test_to_be_sold_again_takes_the_letter_and_a_second_word(concord: Account) -> None:
    email = "dana.again@quayside.example"
    browser, _, made = ask(concord, "opt-in-sale", email=email, region="US-CA")
    assert made is not None
    assert made.state == State.RECEIVED
    work()
    page = browser.post(link_in(mail_to(concord, email)[-1]))["Location"]
    assert queries.by_reference(concord.pk, made.reference).state == State.RECEIVED
    assert "Yes, allow it again" in said(concord, page, browser)
    assert browser.post(page + "again/").status_code == 302
    assert queries.by_reference(concord.pk, made.reference).state == State.VERIFIED


def test_who_is_outside_a_right_hears_so_and_gets_the_general_one(copper: Account) -> None:
    browser, where, made = ask(copper, "know", region="US-CA", capacity="employee")
    assert made is not None
    assert made.rule == "right:know"
    assert made.region == "US"
    page = said(copper, where, browser)
    assert "leaves out people who work for us, as such" in page
    assert "what our notice gives everybody" in page
    _, _, made = ask(copper, "know", region="US-CA", capacity="")
    assert made is not None
    assert made.rule == "right:california-know"


def test_who_is_outside_where_nothing_else_is_given_gets_a_stated_answer_and_nothing_is_stored(cooper: Account) -> None:
    before = len(requests_of(cooper))
    shine = {"name": "Dana", "street": "4 Row", "locality": "Fresno", "state": "CA", "postcode": "93650"}
    told = {"email": "dana.b2b@quayside.example", "region": "US-CA", "capacity": "business-contact", **shine}
    answer = stranger().post(f"/{cooper.slug}/privacy/ask/direct-marketing-disclosures/", told)
    assert answer.status_code == 200
    assert "leaves out people who deal with us for another business" in answer.content.decode()
    assert len(requests_of(cooper)) == before


# Whose data, and for whom


def test_records_kept_for_others_are_referred_or_forwarded_and_nobody_is_told_more(copper: Account) -> None:
    portfolios = example("customer-portfolios")
    browser, where, made = ask(portfolios, "access")
    assert made is not None
    assert (made.state, made.data) == (State.REFERRED, "customer")
    assert "the shop or brand whose customer you are" in said(portfolios, where, browser)
    work()
    (page,) = re.findall(r"/\S+/privacy/requests/\S+", mail_to(portfolios, "dana.access@quayside.example")[-1])
    page = page[page.index(f"/{portfolios.slug}/") :]
    assert "The shop or brand whose customer you are" in said(portfolios, page, browser)
    _, _, made = ask(copper, "access", data="customer")
    assert made is not None
    assert (made.state, made.data) == (State.RECEIVED, "customer")
    _, _, made = ask(copper, "portability", data="own")
    assert made is not None
    assert made.data == "own"


def test_an_agent_names_themselves_and_the_person_confirms(copper: Account) -> None:
    email, paper = "dana.kin@quayside.example", SimpleUploadedFile("permission.png", b"\x89PNG\r\n\x1a\n permission")
    told: dict[str, Any] = {"by": "agent", "agent": "Jonas Olsen", "permission_kind": "permission", "permission": paper}
    browser, _, made = ask(copper, "erase", email=email, region="US-CA", **told)
    assert made is not None
    assert (made.decision["by"], private.open_private(made).details["agent"]) == ("agent", "Jonas Olsen")
    with bookkeeping(copper.pk) as use:
        assert [one.what for one in attachments.listed(use, made)] == ["permission"]
    work()
    link = link_in(mail_to(copper, email)[-1])
    page = said(copper, link, browser)
    assert "Do you allow this?" in page
    assert "Jonas Olsen" in page
    status = browser.post(link)["Location"]
    shown = said(copper, status, browser)
    assert "What is still needed" in shown
    assert "Your signed permission" in shown
    assert queries.by_reference(copper.pk, made.reference).state == State.RECEIVED


def test_a_parent_names_the_child_and_one_of_us_looks(copper: Account) -> None:
    email = "parent@quayside.example"
    browser, _, made = ask(copper, "erase", email=email, by="parent", child="Robin Marsh")
    assert made is not None
    assert (made.decision["by"], private.open_private(made).details["child"]) == ("parent", "Robin Marsh")
    work()
    page = browser.post(link_in(mail_to(copper, email)[-1]))["Location"]
    assert "One of us makes sure that you may ask for this child" in said(copper, page, browser)


# Signed in


def test_who_is_signed_in_asks_as_themselves_without_a_letter() -> None:
    them = cast()
    account = with_notice(them.account)
    alice = client_for(them.alice)
    form = said(account, "ask/access/", alice)
    assert them.alice.email in form
    assert 'name="email"' not in form
    assert 'name="email"' in said(account, "ask/access/?as=other", alice)
    _, where, made = ask(account, "access", alice)
    assert made is not None
    assert (made.channel, made.proof, made.state) == (Channel.SETTINGS, "sign-in", State.VERIFIED)
    assert private.open_private(made).email == them.alice.email
    assert "You are signed in with the address you ask for." in said(account, where, alice)


def test_settings_hold_what_one_can_ask_of_each_of_ones_accounts() -> None:
    them = cast()
    account = with_notice(them.account)
    alice, path = client_for(them.alice), f"/settings/your-data/{account.slug}/access/"
    assert "/settings/your-data/" in said(account, "/settings/", alice)
    page = said(account, "/settings/your-data/", alice)
    assert path in page
    assert f"/{account.slug}/privacy/ask/erase/" in page
    assert them.other.name not in page
    answer = alice.post(path)
    assert answer.status_code == 302
    (made,) = requests_of(account)
    assert (made.kind, made.channel, made.proof) == (Kind.ACCESS, Channel.SETTINGS, "sign-in")
    assert "We answer by" in said(account, answer["Location"], alice)
    assert alice.post(f"/settings/your-data/{account.slug}/erase/").status_code == 404
    assert stranger().post(path)["Location"].startswith("/sign-in/")
    assert [alice.post(path).status_code for _ in range(3)] == [302, 302, 403]
    EmailAddress.objects.filter(user=them.alice).update(verified=False)
    assert alice.post(f"/settings/your-data/{account.slug}/know/").status_code == 403
    assert 'name="email"' in said(account, "ask/access/", alice)


# Guards


def test_a_flood_from_elsewhere_uses_up_nobodys_letters(cooper: Account) -> None:
    victim, flood, own = "dana.victim@quayside.example", stranger(), stranger()
    path = f"/{cooper.slug}/privacy/ask/access/"
    for browser in (*[flood] * 5, own):
        assert browser.post(path, {"email": victim, "region": "US"}).status_code == 302
    work()
    assert len(mail_to(cooper, victim)) == limits.LETTERS_A_DAY + 1
    for _ in range(limits.MOST_LETTERS_A_DAY):
        stranger().post(path, {"email": victim, "region": "US"})
    work()
    assert len(mail_to(cooper, victim)) == limits.MOST_LETTERS_A_DAY
    assert limits.delay(cooper.pk, "fd00::77") == timedelta()


def test_nothing_that_follows_tells_whether_somebody_is_known(concord: Account) -> None:
    known = dana(concord, region="US-CA")
    for kind in ("opt-out-sale", "access", "complain"):
        given: dict[str, Any] = {"text": "Nobody answers."} if kind == "complain" else {}
        pages = []
        for email in (known.email, f"nobody.{kind}@elsewhere.example"):
            browser, where, _ = ask(concord, kind, email=email, region="US-CA", **given)
            pages.append((where, said(concord, where, browser).count("<")))
        assert pages[0] == pages[1]


def test_the_subject_is_never_made_by_asking(cooper: Account) -> None:
    with bookkeeping(cooper.pk) as use:
        before = Subject.under(use).count()
    ask(cooper, "access", email="dana.nobody@quayside.example")
    work()
    with bookkeeping(cooper.pk) as use:
        assert Subject.under(use).count() == before

"""The page of a request: proving, writing, deciding, taking back, and what it says of what was done."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from kept.apps.requests import actions, jobs, limits, queries, talking, verifying
from kept.apps.requests.models import Message, State
from kept.apps.requests.tests.people import Known, dana, link_in, mail_to, requests_of, work
from kept.core.ledger import VerifyKey, verify_receipt
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.testing import Cast, stranger
from kept.platform.data.models import Subject
from kept.platform.jobs import worker
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.testing import cast, notice_text
from tests.plugin import ROOT

GRACE = ('right = "erasure"\nkind = "erase"', 'right = "erasure"\nkind = "erase"\ngrace = "14 days"')


def under(text: str, region: str) -> Cast:
    """A cast whose account is under this notice."""
    them = cast()
    Account.objects.filter(pk=them.account.pk).update(region=region)
    them.account.refresh_from_db()
    notices.activate(them.account, text, "command:test")
    return them


@pytest.fixture(scope="module")
def concord() -> Cast:
    return under((ROOT / "notices/concord/notice.md").read_text(encoding="utf-8"), "US")


@pytest.fixture(scope="module")
def cooper() -> Cast:
    return under((ROOT / "notices/cooper/notice.md").read_text(encoding="utf-8"), "US")


@pytest.fixture(scope="module")
def larch() -> Cast:
    assert GRACE[0] in notice_text()
    return under(notice_text().replace(*GRACE), "GB")


def page_of(account: Account, known: Known, kind: str, region: str, **told: str) -> tuple[Client, str]:
    """Ask, and open the link; the browser, and the address of the page."""
    browser = stranger()
    work()
    before = len(mail_to(account, known.email))
    browser.post(f"/{account.slug}/privacy/ask/{kind}/", {"email": known.email, "region": region, **told})
    work()
    link = link_in(mail_to(account, known.email)[before])
    if "/confirm/" not in link:
        return browser, link
    return browser, str(browser.post(link)["Location"])


def said(browser: Client, page: str, **headers: str) -> str:
    answer = browser.get(page, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def actor(them: Cast) -> Actor:
    return Member.objects.get(account=them.account, user=them.petra).actor


# Facts


def test_two_or_three_facts_prove_who_asks_and_nothing_held_is_shown(concord: Cast) -> None:
    account, known = concord.account, dana(concord.account, region="US-CA")
    family, email, phone, street, postcode, _title = known.values
    browser, page = page_of(account, known, "erase", "US-CA")
    shown = said(browser, page)
    assert "Fill in at least 2 of these" in shown
    assert "3 tries are left." in shown
    assert not any(value in shown for value in (family, email, phone, street, postcode))
    assert 'name="birth-date"' not in shown
    answer = browser.post(page + "facts/", {"name": f"Dana {family}"})
    assert answer.status_code == 400
    assert "That is not enough to know you by." in answer.content.decode()
    answer = browser.post(page + "facts/", {"name": f"Dana {family}", "phone": "+1 614 555 0100"})
    told = answer.content.decode()
    assert answer.status_code == 400
    assert "Not enough of this matches what we hold." in told
    assert "2 tries are left." in told
    assert requests_of(account)[-1].state == State.RECEIVED
    answer = browser.post(page + "facts/", {"name": f"Dana {family}", "phone": phone})
    assert (answer.status_code, answer["Location"]) == (302, page)
    request = requests_of(account)[-1]
    assert (request.state, request.proof) == (State.VERIFIED, "match-3")
    assert "what you told us matched" in said(browser, page)
    work()
    assert requests_of(account)[-1].state == State.READY


def test_after_the_last_try_it_is_refused_with_the_next_step(concord: Cast) -> None:
    account, known = concord.account, dana(concord.account, region="US-CA")
    browser, page = page_of(account, known, "know", "US-CA")
    for _ in range(verifying.MOST_TRIES):
        answer = browser.post(page + "facts/", {"name": "Somebody Else"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    request = requests_of(account)[-1]
    assert (request.state, request.tries) == (State.REFUSED, verifying.MOST_TRIES)
    shown = said(browser, page)
    assert "What you told us did not show that it is you." in shown
    assert "Ask again with other facts" in shown
    assert "California Privacy Protection Agency" in shown
    assert browser.post(page + "facts/", {"name": "Dana"}).status_code in (400, 409)


def test_guessing_in_the_name_of_one_address_ends_for_the_day(concord: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GUESSES_A_DAY", 1)
    account, known = concord.account, dana(concord.account, region="US-CA")
    browser, page = page_of(account, known, "know", "US-CA")
    browser.post(page + "facts/", {"name": "Somebody Else"})
    answer = browser.post(page + "facts/", {"name": f"Dana {known.values[0]}"})
    assert answer.status_code == 400
    assert "tried too often today" in answer.content.decode()
    assert requests_of(account)[-1].tries == 1


# Words and files


def test_messages_go_both_ways_sealed_and_end_with_the_request(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "access", "GB")
    work()
    told = {"text": "Is my old address in it?", "file": SimpleUploadedFile("letter.png", b"\x89PNG\r\n\x1a\n letter")}
    answer = browser.post(page + "write/", told)
    assert (answer.status_code, answer["Location"]) == (302, page)
    request = requests_of(account)[-1]
    with bookkeeping(account.pk) as use:
        (message,) = Message.under(use).filter(request=request.reference)
    assert b"address" not in bytes(message.sealed or b"")
    actions.write(account, actor(larch), request, "It is, from 2019 on.\n\nSee the second page.")
    shown = said(browser, page)
    assert shown.index("Is my old address in it?") < shown.index("It is, from 2019 on.") < shown.index("See the second page.")
    assert "letter.png" in shown
    assert "Hello," not in shown
    assert browser.post(page + "write/", {"text": ""}).status_code == 400
    answer = browser.post(page + "write/", {"text": "4111 1111 1111 1111"})
    assert "payment card" in answer.content.decode()
    answer = browser.post(page + "write/", {"text": "x", "file": SimpleUploadedFile("a.html", b"<script>")})
    assert "Files of this type are not taken." in answer.content.decode()
    assert len(talking.said(request)) == 2
    actions.close(request)
    assert talking.said(request) == []
    assert "old address" not in said(browser, page)
    assert browser.post(page + "write/", {"text": "x"}).status_code == 409


def test_who_writes_very_much_goes_on_tomorrow(larch: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MESSAGES_A_DAY", 1)
    known = dana(larch.account)
    browser, page = page_of(larch.account, known, "access", "GB")
    assert browser.post(page + "write/", {"text": "One."}).status_code == 302
    answer = browser.post(page + "write/", {"text": "Two."})
    assert answer.status_code == 400
    assert "Go on tomorrow" in answer.content.decode()


# Taking back


def test_it_can_be_taken_back_before_it_is_done(larch: Cast) -> None:
    known = dana(larch.account)
    browser, page = page_of(larch.account, known, "access", "GB")
    assert "Take your request back?" in said(browser, page)
    assert browser.get(page + "take-back/").status_code == 405
    assert browser.post(page + "take-back/").status_code == 302
    assert requests_of(larch.account)[-1].state == State.REVOKED
    shown = said(browser, page)
    assert "Everything stays as it was." in shown
    assert "Take your request back?" not in shown
    assert browser.post(page + "take-back/").status_code == 409


def test_a_hidden_person_can_come_back_until_the_day_named(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "erase", "GB")
    work()
    request = requests_of(account)[-1]
    assert request.state == State.HIDDEN
    shown = said(browser, page)
    assert "Keep my data" in shown
    assert str(timezone.localtime(request.effective_at).year) in shown
    assert browser.post(page + "take-back/").status_code == 302
    with reserved(account.pk, "command:test", "rights") as use:
        assert Subject.under(use).filter(pk=known.id).exists()
        assert not Choice.under(use).filter(subject_id=known.id, purpose="all", restricted=True).exists()
    assert queries.by_reference(account.pk, request.reference).state == State.REVOKED


# What the team did


def test_the_clock_says_who_set_it_and_what_moved_it(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "correct", "GB", what="My name.")
    work()
    request = requests_of(account)[-1]
    assert request.state == State.DECIDING
    assert "1 month from the day it came in, as Article 12(3) UK GDPR says." in said(browser, page)
    assert "One of our team decides" in said(browser, page)
    Member.objects.filter(account=account).exclude(user=larch.petra).delete()
    assert actions.refuse(account, actor(larch), request, "What we hold is right.")
    shown = said(browser, page)
    assert "What we hold is right." in shown
    assert shown.index("What you can do now") < shown.index("Information Commissioner")


def test_an_extension_and_a_pause_are_told_with_their_reasons(cooper: Cast) -> None:
    account, known = cooper.account, dana(cooper.account, region="FR")
    browser, page = page_of(account, known, "object", "FR", ground="particular-situation", why="I moved.")
    work()
    request = requests_of(account)[-1]
    assert "as Article 12(3) GDPR says" in said(browser, page)
    actions.pause(account, actor(cooper), request, "identity-unverified")
    assert "we wait for you to show that it is you" in said(browser, page)
    actions.resume(account, actor(cooper), queries.by_reference(account.pk, request.reference))
    assert "Stood still" in said(browser, page)
    request = queries.by_reference(account.pk, request.reference)
    actions.extend(account, actor(cooper), request, "complexity", "Two archives have to be looked through.")
    shown = said(browser, page)
    assert "we told you that it takes longer: it is a complex one." in shown
    assert "Two archives have to be looked through." in shown


def test_what_stays_is_told_with_its_reason_and_its_end(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "access", "GB")
    work()
    request = requests_of(account)[-1]
    kept = [
        {"table": "x", "category": "email", "rows": 1, "why": ["hold:legal-claim"], "until": "2029-01-01T00:00:00+00:00"},
        {"table": "x", "category": "", "rows": 1, "why": ["needed-with-it"], "until": None},
    ]
    with bookkeeping(account.pk, writing=True) as use:
        decision = {**request.decision, "exceptions": {"name": "legal-duty"}, "withheld": {"phone": "risk-to-person"}}
        actions.base.change(use, request, "command:test", outcome={**request.outcome, "kept": kept}, decision=decision)
    shown = said(browser, page)
    assert "What a legal claim needs, until 1 Jan 2029." in shown
    assert "What goes with it, as long as that lasts." in shown
    assert "Stays: what a law obliges us to keep." in shown
    assert "Described rather than shown: to show it would put you or your account at risk." in shown


# Choices


def test_choices_say_what_holds_before_and_after(concord: Cast) -> None:
    account, known = concord.account, dana(concord.account, region="US-CA")
    browser, page = page_of(account, known, "choices", "US-CA")
    shown = said(browser, page)
    assert "Your data may be sold to Brightlane Advertising." in shown
    assert shown.index("Sale and sharing") < shown.index("What it is used for") < shown.index("Who gets it")
    answer = browser.post(page + "choose/", {"purpose": "disclose:advertising-partner", "on": ""}, follow=True)
    assert "None of this goes to Brightlane Advertising" in answer.content.decode()
    assert browser.post(page + "choose/", {"purpose": "sale", "on": ""}).status_code == 302
    answer = browser.post(page + "choose/", {"purpose": "sale", "on": "1"})
    assert answer.status_code == 200
    assert "Are you sure?" in answer.content.decode()
    with reserved(account.pk, "command:test", "rights") as use:
        held = {one.purpose: one.state for one in Choice.under(use).filter(subject_id=known.id)}
    assert held == {"disclose:advertising-partner": "opted-out", "sale": "opted-out"}
    assert browser.post(page + "choose/", {"purpose": "sale", "on": "1", "sure": "1"}).status_code == 302
    with reserved(account.pk, "command:test", "rights") as use:
        assert Choice.under(use).get(subject_id=known.id, purpose="sale").state == "given"
    assert browser.post(page + "choose/", {"purpose": "tracker:site-statistics", "on": "1"}).status_code == 302
    assert "tells Tallyhouse Analytics your" in said(browser, page)
    for wrong in ("disclose:hosting", "all", "tracker:nothing", ""):
        assert browser.post(page + "choose/", {"purpose": wrong, "on": ""}).status_code == 400


def test_a_browser_signal_is_honoured_and_said_with_its_day(concord: Cast) -> None:
    account, known = concord.account, dana(concord.account, region="US-CA")
    browser, page = page_of(account, known, "choices", "US-CA")
    assert "signal is honoured" not in said(browser, page)
    assert "signal is honoured" not in said(browser, page, sec_gpc="0")
    assert "Your browser’s signal is honoured" in said(browser, page, sec_gpc="1")
    past = timezone.now() - timedelta(days=40)
    with reserved(account.pk, "command:test", "rights") as use:
        states = {one.purpose: one.state for one in Choice.under(use).filter(subject_id=known.id)}
    assert states["sale"] == states["sharing"] == "opted-out"
    with bookkeeping(account.pk, writing=True) as use:
        Choice.under(use).filter(subject_id=known.id).update(at=past)
    assert timezone.localtime(past).strftime("%b %Y") in said(browser, page, sec_gpc="1")


def test_a_receipt_says_what_was_decided_and_verifies(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "choices", "GB")
    browser.post(page + "choose/", {"purpose": "direct-marketing", "on": "1"})
    assert browser.get(page + "receipt/").status_code == 405
    answer = browser.post(page + "receipt/")
    assert answer["Content-Disposition"] == 'attachment; filename="kept-receipt.json"'
    key = VerifyKey.from_pem(stranger().get(f"/{account.slug}/privacy/ledger-key.pem").content)
    assert verify_receipt(answer.content, key).state == "valid"
    assert "direct-marketing" in json.dumps(json.loads(answer.content))
    actions.close(requests_of(account)[-1])
    assert browser.post(page + "receipt/").status_code == 404


def test_a_restriction_can_be_ended_by_its_person(larch: Cast) -> None:
    account, known = larch.account, dana(larch.account)
    browser, page = page_of(account, known, "restrict", "GB")
    work()
    assert requests_of(account)[-1].state == State.READY
    assert "Use my data again?" in said(browser, page)
    assert browser.post(page + "lift/").status_code == 302
    assert "Use my data again?" not in said(browser, page)
    work()
    worker.run_due(timezone.now() + timedelta(seconds=9), jobs.lift)
    assert "Used again" in said(browser, page)
    with reserved(account.pk, "command:test", "rights") as use:
        assert not Choice.under(use).filter(subject_id=known.id, restricted=True).exists()

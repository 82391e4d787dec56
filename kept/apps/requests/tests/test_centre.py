"""A person in the privacy centre: from asking to what they hold in the end."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from kept.apps.requests import actions, limits, outbox, queries
from kept.apps.requests.models import Kind, State
from kept.apps.requests.tests.people import asked, dana, link_in, mail_to, requests_of, work
from kept.core.errors import Shredded
from kept.core.ledger import SigningKey, VerifyKey, verify_receipt
from kept.core.notice.deadlines import Deadline
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.testing import Subject, cast, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def address(account: Account, rest: str = "") -> str:
    return f"/{account.slug}/privacy/{rest}"


def test_the_centre_offers_what_the_notice_grants(account: Account) -> None:
    page = stranger().get(address(account))
    assert page.status_code == 200
    said = page.content.decode()
    assert address(account, "ask/access/") in said
    assert address(account, "ask/erase/") in said
    assert "Information Commissioner" in said
    assert address(account, "ask/correct/") in said


def test_nothing_tells_whether_an_address_is_known(account: Account) -> None:
    known = dana(account)
    pages = []
    for email in (known.email, "nobody.knows@elsewhere.example"):
        browser = stranger()
        answer = browser.post(address(account, "ask/access/"), {"email": email, "region": "GB"})
        assert (answer.status_code, answer["Location"]) == (302, address(account, "sent/"))
        pages.append(browser.get(answer["Location"]).content.replace(b"nonce", b""))
        work()
        assert len(mail_to(account, email)) == 1
    assert pages[0].count(b"<") == pages[1].count(b"<")


def test_opening_the_link_does_nothing_and_saying_yes_works_once(account: Account) -> None:
    known = dana(account)
    browser = stranger()
    browser.post(address(account, "ask/access/"), {"email": known.email, "region": "GB"})
    work()
    link = link_in(mail_to(account, known.email)[0])
    assert b"Yes, it was me" in browser.get(link).content
    (request,) = [one for one in requests_of(account) if one.state == State.RECEIVED and one.link][-1:]
    assert request.verified_at is None
    assert browser.post(link).status_code == 302
    assert browser.post(link).status_code == 410
    assert browser.get(link).status_code == 410
    assert browser.get(link[:-2] + "x/").status_code == 410


def test_a_link_expires_after_a_day_and_leaves_nothing(account: Account) -> None:
    known = dana(account)
    stranger().post(address(account, "ask/access/"), {"email": known.email, "region": "GB"})
    work()
    request = requests_of(account)[-1]
    key = request.key_id
    assert key is not None
    actions.sweep(timezone.now() + timedelta(hours=25))
    closed = queries.by_reference(account.pk, request.reference)
    assert (closed.state, closed.sealed, closed.key_id, closed.link) == (State.EXPIRED, None, None, "")
    assert mail_to(account, known.email) == []
    with pytest.raises(Shredded):
        vault().open(key, b"x" * 40, "")


def test_a_copy_is_gathered_sealed_counted_and_goes_again(account: Account) -> None:
    known = dana(account)
    browser, page = asked(account, known.email, "access")
    assert b"We answer by" in browser.get(page).content
    work()
    said = browser.get(page).content.decode()
    assert "Ready to download" in said
    assert "d•••@quayside.example" in said
    assert link_in(mail_to(account, known.email)[-1]) == page
    request = requests_of(account)[-1]
    sealed = settings.DATA / "packages" / f"{request.reference}.sealed"
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert not any(value.encode() in sealed.read_bytes() for value in known.values)
    assert browser.get(page + "package/").status_code == 405
    answer = browser.post(page + "package/")
    assert "no-store" in answer["Cache-Control"]
    held = zipfile.ZipFile(io.BytesIO(answer.content))
    assert all(value in held.read("your-data.html").decode() for value in known.values)
    assert json.loads(held.read("your-data.json"))["held"]["contacts_person"][0]["birth_date"] == "1987-02-13"
    assert browser.post(page + "package/").status_code == 200
    request = queries.by_reference(account.pk, request.reference)
    assert request.fetched == 2
    assert request.closes_at is not None
    assert request.closes_at < timezone.now() + timedelta(days=4)
    actions.sweep(timezone.now() + timedelta(days=4))
    assert not sealed.exists()
    assert browser.post(page + "package/").status_code == 404
    assert "destroyed" in browser.get(page).content.decode()
    assert mail_to(account, known.email) == []


def test_erasure_ends_with_a_certificate_that_anybody_can_check(account: Account) -> None:
    known = dana(account)
    access_browser, access_page = asked(account, known.email, "access")
    work()
    browser, page = asked(account, known.email, "erase")
    work()
    assert "Last scraps cleared" in browser.get(page).content.decode()
    assert access_browser.post(access_page + "package/").status_code == 404
    early = json.loads(browser.get(page + "certificate/").content)
    assert early["document"]["stage"] == "erased"
    assert early["document"]["stores"] == {"requests": 1}
    actions.clear_residue()
    work()
    letters = mail_to(account, known.email)
    assert "Your certificate is ready" in letters[-1]
    assert len(letters) == 3
    final = browser.get(page + "certificate/")
    assert final["Content-Disposition"] == 'attachment; filename="kept-certificate.json"'
    published = stranger().get(address(account, "ledger-key.pem"))
    assert published["Content-Type"] == "application/x-pem-file"
    key = VerifyKey.from_pem(published.content)
    assert verify_receipt(final.content, key).state == "valid"
    assert verify_receipt(final.content).summary == "consistent, signer unknown"
    assert verify_receipt(final.content, SigningKey.generate().verify_key).state == "invalid"
    assert verify_receipt(final.content.replace(b"residue cleared", b"residue Cleared"), key).state == "invalid"
    request = requests_of(account)[-1]
    assert (request.state, request.sealed, request.key_id) == (State.DONE, None, None)
    assert mail_to(account, known.email) == []
    assert "names nobody" in browser.get(page).content.decode()
    assert browser.get(page + "certificate/").content == final.content
    assert ledger.faults(account.pk) == []


def test_who_is_not_known_reads_so_after_proving_the_address(account: Account) -> None:
    browser, page = asked(account, "dana.unknown@quayside.example", "erase")
    work()
    assert "We hold nothing under this address" in browser.get(page).content.decode()
    assert "found nothing" in mail_to(account, "dana.unknown@quayside.example")[-1]


def test_news_stops_at_once(account: Account) -> None:
    known = dana(account)
    bit = notices.policy_of(account.pk).bit("direct-marketing")

    def open_now() -> bool:
        with reserved(account.pk, "command:test", "rights") as use:
            return bool(Subject.under(use).get(pk=known.id).permits >> bit & 1)

    browser, page = asked(account, known.email, "choices")
    assert "Turn on" in browser.get(page).content.decode()
    browser.post(page + "choose/", {"purpose": "direct-marketing", "on": "1"})
    assert open_now()
    browser.post(page + "choose/", {"purpose": "direct-marketing", "on": ""})
    assert not open_now()
    assert browser.post(page + "choose/", {"purpose": "billing", "on": ""}).status_code == 400
    actions.sweep(timezone.now() + timedelta(days=2))
    assert browser.post(page + "choose/", {"purpose": "direct-marketing", "on": "1"}).status_code == 404


def test_limits_slow_a_flood_and_deny_nobody(account: Account) -> None:
    victim, browser = "dana.flooded@quayside.example", stranger()
    answers = {browser.post(address(account, "ask/access/"), {"email": victim, "region": "GB"}).status_code for _ in range(6)}
    work()
    assert answers == {302}
    assert len(mail_to(account, victim)) == limits.LETTERS_A_DAY
    waits = [limits.delay(account.pk, "fd00::9") for _ in range(limits.AT_ONCE_AN_HOUR + 2)]
    assert waits[limits.AT_ONCE_AN_HOUR - 1] == timedelta()
    assert waits[-1] == timedelta(minutes=2)


def test_a_malformed_address_is_said_so(account: Account) -> None:
    answer = stranger().post(address(account, "ask/access/"), {"email": "dana at quayside", "region": "GB"})
    assert answer.status_code == 400
    assert stranger().get(address(account, "ask/anything/")).status_code == 404
    assert stranger().get(address(account, "requests/not-a-token/")).status_code == 404
    assert stranger().get("/no-such-company/privacy/").status_code == 404


def test_the_page_of_another_account_is_not_found_here(account: Account) -> None:
    known = dana(account)
    browser, page = asked(account, known.email, "access")
    other = with_notice(cast().account)
    assert browser.get(page.replace(account.slug, other.slug)).status_code == 404


def test_the_clock_is_the_notices(account: Account) -> None:
    policy = notices.policy_of(account.pk)
    start = timezone.now().replace(month=1, day=31)
    due = queries.deadline(policy, Kind.ACCESS, "GB", start).due
    assert (due.month, due.day in (28, 29)) == (2, True)


def test_a_request_keeps_what_decided_its_clock(account: Account) -> None:
    asked(account, dana(account).email, "access")
    request = requests_of(account)[-1]
    deadline = Deadline.model_validate(request.clock)
    assert (deadline.due, deadline.received) == (request.due_at, request.received_at)
    decided = queries.decided(request)
    assert (decided.by, decided.citation, str(decided.version)) == ("uk-gdpr", "Article 12(3) UK GDPR", "2021-01-01")


def test_letters_lie_where_only_their_owner_reads(account: Account) -> None:
    asked(account, dana(account).email, "access")
    newest = max(outbox.folder().glob("*.eml"), key=lambda path: int(path.stem))
    assert stat.S_IMODE(newest.stat().st_mode) == 0o600


def test_the_mailbox_is_the_demonstrations_only(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dana(account)
    asked(account, known.email, "access")
    assert stranger().get("/outbox/").status_code == 404
    monkeypatch.setattr(settings, "DEMO", True)
    assert b"is it you" in stranger().get("/outbox/").content
    number = next(number for number, mail in outbox.letters_in_folder() if mail["To"] == known.email)
    assert b"/privacy/confirm/" in stranger().get(f"/outbox/{number}/").content
    assert stranger().get("/outbox/999999/").status_code == 404

"""Recipients are told of what was done for a person, once each; they sign when they have done it; who is late is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from kept.apps.requests import actions, jobs, limits, queries, telling
from kept.apps.requests.models import Channel, Correspondent, Kind, Request, State, Telling
from kept.apps.requests.telling import How
from kept.apps.requests.tests.people import Known, asked, dana, mail_to, requests_of, work
from kept.apps.requests.tests.recipients import ADVERTISER, CARRIER, HOST, Listener, gave, known_at, listening, naming, tellings, told
from kept.apps.requests.tests.test_kill import killed
from kept.apps.requests.tests.test_residue import found_in_files
from kept.core.errors import BadInput, Closed, Conflict, NotFound
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import Cast, client_for
from kept.platform.data.models import Subject
from kept.platform.jobs.models import Job
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.proofs import prove
from kept.platform.privacy.testing import cast


@pytest.fixture(scope="module")
def people() -> Cast:
    made = cast()
    notices.activate(made.account, naming(), "command:test")
    return made


@pytest.fixture
def account(people: Cast, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(settings, "PRIVATE_ADDRESSES", True)
    with bookkeeping(people.account.pk, writing=True) as use:
        Correspondent.under(use).filter(ended_at=None).update(ended_at=timezone.now())
    return people.account


@pytest.fixture
def listener(account: Account) -> Iterator[Listener]:
    """The advertiser, at an address of its own."""
    with listening() as made:
        known_at(account, ADVERTISER, made.address, made.verify_key)
        yield made


@pytest.fixture
def alice(people: Cast) -> Actor:
    return Actor("member", 1, "Alice")


def had(account: Account) -> Known:
    """Somebody whose data went to a buyer, a carrier and the police, and lies with the host."""
    known = dana(account)
    gave(account, known.id, "Brightlane Advertising", "Severn Carriers", "Harbour Police")
    return known


def erased(account: Account) -> tuple[Known, Request]:
    known = had(account)
    asked(account, known.email, "erase")
    work()
    return known, requests_of(account)[-1]


def again(account: Account, request: Request) -> Request:
    return queries.by_reference(account.pk, request.reference)


def verified(account: Account, kind: Kind, known: Known) -> Request:
    """A request that is about somebody, and that nothing was done for yet."""
    made = actions.receive(account, actions.Asked(kind, Channel.PHONE, "GB", known.email, by="self"))
    with bookkeeping(account.pk, writing=True) as use:
        Request.under(use).filter(pk=made.pk).update(state=State.WORKING, subject_reference=known.reference)
    return again(account, made)


def words(account: Account, request: Request) -> str:
    with bookkeeping(account.pk) as use:
        return telling.told_in_words(use, request)


def steps(account: Account, request: Request) -> list[tuple[str, str, tuple[str, ...]]]:
    """Who was told, by the ledger: what was noted, the recipient, the categories."""
    with reserved(account.pk, "command:test", "rights") as use:
        found = [step for step in queries.history(use, again(account, request)) if step.header.recipient]
    return [(step.noted, str(step.header.recipient), step.header.categories) for step in reversed(found)]


# Who is told, and what


def test_an_erasure_is_told_to_everybody_who_had_the_data(account: Account, listener: Listener) -> None:
    known, request = erased(account)
    found = tellings(account, request.reference)
    assert {rule: How(one.how) for rule, one in found.items()} == {ADVERTISER: How.ADDRESS, CARRIER: How.BY_HAND, HOST: How.BY_HAND}
    assert listener.heard == []
    told()
    (order,) = listener.orders
    assert listener.knows(order, known.email)
    assert {one["identity_format"] for one in order["subject_identities"]} == {"sha256"}
    assert {one["identity_type"] for one in order["subject_identities"]} == {"email", "phone"}
    assert (order["api_version"], order["regulation"], order["subject_request_type"]) == ("2.0", "gdpr", "erasure")
    assert order["subject_request_id"] == telling.request_id(found[ADVERTISER])
    assert tellings(account, request.reference)[ADVERTISER].sent_at is not None
    assert steps(account, request) == [("told", "Brightlane Advertising", ("email", "phone"))]


def test_nobody_is_told_twice_and_each_knows_the_request_by_an_id_of_its_own(account: Account, listener: Listener) -> None:
    known_at(account, CARRIER, listener.address, listener.verify_key)
    _known, request = erased(account)
    told()
    telling.send(account, request)
    told()
    actions.answer(account.pk, request.reference)
    told()
    assert len(listener.heard) == 2
    assert len({order["subject_request_id"] for order in listener.orders}) == 2


def test_what_was_never_given_is_not_told(account: Account) -> None:
    known = dana(account)
    asked(account, known.email, "erase")
    work()
    request = requests_of(account)[-1]
    assert set(tellings(account, request.reference)) == {HOST}


def test_a_right_without_the_word_or_a_law_tells_nobody(account: Account) -> None:
    known = had(account)
    request = verified(account, Kind.ERASE, known)
    with bookkeeping(account.pk, writing=True) as use:
        Request.under(use).filter(pk=request.pk).update(region="AU")
    with reserved(account.pk, "command:test", "rights") as use:
        subject = Subject.under(use).get(pk=known.id)
    assert telling.prepare(account, again(account, request), subject) == 0
    assert telling.prepare(account, request, subject) == 3


def test_an_opt_out_is_told_to_those_who_bought_the_data_and_by_the_promised_day(account: Account, listener: Listener) -> None:
    known_at(account, ADVERTISER, listener.address, listener.verify_key, "2 months")
    request = verified(account, Kind.OPT_OUT_SALE, had(account))
    assert telling.tell(account, request, "opt-out") == 1
    assert telling.tell(account, request, "opt-out") == 1
    told()
    (order,) = listener.orders
    assert order["subject_request_type"] == "opt_out"
    (one,) = tellings(account, request.reference).values()
    assert timedelta(days=12) <= one.due_at - one.made_at <= timedelta(days=24)


def test_a_correction_and_its_categories_are_told(account: Account, listener: Listener) -> None:
    request = verified(account, Kind.CORRECT, had(account))
    request.decision = {"corrected": ["email"]}
    assert telling.tell(account, request, "correct") == 3
    told()
    (order,) = listener.orders
    assert order["subject_request_type"] == "rectification"
    assert [extension["about"] for extension in order["extensions"].values()] == [["email"]]


def test_an_objection_reaches_those_who_have_the_data_for_that_purpose(account: Account) -> None:
    known = had(account)
    request = verified(account, Kind.OBJECT, known)
    request.decision = {"ground": "direct-marketing"}
    assert telling.tell(account, request, "object") == 0
    request.decision = {}
    assert telling.tell(account, request, "object") == 3


def test_nobody_to_tell_of_somebody_unknown(account: Account) -> None:
    made = actions.receive(account, actions.Asked(Kind.OPT_OUT_SALE, Channel.PHONE, "GB", "nobody@quayside.example"))
    assert telling.tell(account, made, "opt-out") == 0


# What they answer


@pytest.fixture
def order(account: Account, listener: Listener) -> tuple[Request, dict[str, Any]]:
    """A request that the advertiser was told of, and what it was told."""
    cache.clear()
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    told()
    return request, listener.orders[-1]


def standing(account: Account, request: Request) -> str:
    return tellings(account, request.reference)[ADVERTISER].how


def test_a_recipient_says_how_it_stands_and_never_leads_back(
    account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]
) -> None:
    request, document = order
    assert standing(account, request) == "received"
    for status, now in [
        ("in_progress", "in_progress"),
        ("received", "in_progress"),
        ("denied", "denied"),
        ("in_progress", "denied"),
        ("completed", "completed"),
        ("denied", "completed"),
        ("pending", "completed"),
        ("completed", "completed"),
    ]:
        answer = listener.answer(document, status)
        assert (answer.status_code, answer.json()) == (202, {"request_status": now})
        assert standing(account, request) == now
    one = tellings(account, request.reference)[ADVERTISER]
    assert one.confirmed_at is not None
    assert (one.sealed, one.key_id) == (None, None)
    assert [noted for noted, *_ in steps(account, request)] == ["told", "told-denied", "told-completed"]
    assert ledger.faults(account.pk) == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"key": Ed25519PrivateKey.generate()}, 403),
        ({"signature": ""}, 403),
        ({"signature": "%%%"}, 403),
        ({"signature": "QUJD"}, 403),
        ({"domain": "elsewhere.example"}, 403),
        ({"domain": ""}, 403),
        ({"body": b"nonsense"}, 400),
        ({"body": b"[]"}, 400),
        ({"body": b"\xff\xfe"}, 400),
        ({"body": b" " * 70_000}, 413),
        ({"more": {"request_status": "perhaps"}}, 400),
        ({"more": {"subject_request_id": "00000000-0000-4000-8000-000000000000"}}, 400),
        ({"more": {"status_callback_url": "https://elsewhere.example/"}}, 400),
    ],
)
def test_what_a_recipient_did_not_sign_changes_nothing(
    account: Account, listener: Listener, order: tuple[Request, dict[str, Any]], broken: dict[str, Any], code: int
) -> None:
    request, document = order
    answer = listener.answer(document, "completed", **broken)
    assert answer.status_code == code
    assert {"error", "message"} <= set(answer.json())
    assert standing(account, request) == "received"


def test_one_word_does_not_serve_for_another_request(account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]) -> None:
    request, document = order
    other = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, other, "restrict")
    told()
    (url,) = listener.orders[-1]["status_callback_urls"]
    assert listener.answer(document, "completed", url=url).status_code == 400
    assert standing(account, other) == standing(account, request) == "received"


def test_addresses_cannot_be_guessed(account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]) -> None:
    request, document = order
    one = tellings(account, request.reference)[ADVERTISER]
    right = telling.request_id(one)
    for token in (f"{one.pk}.{right[:-1]}x", f"{one.pk + 1}.{right}", f"{one.pk}", f"x.{right}", f"{'9' * 30}.{right}", "²."):
        answer = listener.answer(document, "completed", url=f"http://127.0.0.1/{account.slug}/privacy/tellings/{token}/")
        assert answer.status_code == 404, token


def test_without_a_key_of_theirs_no_word_counts(account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]) -> None:
    request, document = order
    known_at(account, ADVERTISER, listener.address)
    assert listener.answer(document, "completed").status_code == 403
    assert standing(account, request) == "received"


def test_a_network_that_gets_much_wrong_is_not_looked_at(
    account: Account, listener: Listener, order: tuple[Request, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, document = order
    monkeypatch.setattr(limits, "FAILURES_AN_HOUR", 3)
    codes = [listener.answer(document, "completed", domain="elsewhere.example").status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]
    assert listener.answer(document, "completed").status_code == 429
    cache.clear()
    assert listener.answer(document, "completed").status_code == 202
    assert standing(account, request) == "completed"


def test_their_answer_can_say_at_once_that_it_is_done(account: Account, listener: Listener) -> None:
    listener.says = b'{"request_status": "completed"}'
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    told()
    assert tellings(account, request.reference)[ADVERTISER].confirmed_at is not None


@pytest.mark.parametrize(
    "says", [b"", b"<html>", b"[]", b'"completed"', b'{"request_status": ["completed"]}', b'{"request_status": "yes"}']
)
def test_any_other_answer_means_that_it_was_received(account: Account, listener: Listener, says: bytes) -> None:
    listener.says = says
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    told()
    assert standing(account, request) == "received"


# Not reached, late


def test_who_is_not_reached_is_tried_again_and_is_known(account: Account, listener: Listener) -> None:
    listener.status = 503
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    one = tellings(account, request.reference)[ADVERTISER]
    with pytest.raises(Closed):
        telling.deliver(account.pk, one.pk)
    one = tellings(account, request.reference)[ADVERTISER]
    assert (one.sent_at, one.failed) == (None, "They answered 503.")
    assert telling.waits(request)
    listener.status = 202
    assert telling.remind(account.pk, timezone.now()) == 0
    assert telling.remind(account.pk, timezone.now() + timedelta(days=1)) >= 1
    told()
    one = tellings(account, request.reference)[ADVERTISER]
    assert (one.sent_at is not None, one.failed) == (True, "")


def overdue(account: Account, request: Request) -> dict[str, telling.Told]:
    with bookkeeping(account.pk) as use:
        return {one.rule: one for one in telling.overdue(use, timezone.now()) if one.request == request.reference}


def test_who_is_late_is_listed_and_reminded_until_it_is_done(
    account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]
) -> None:
    request, document = order
    assert overdue(account, request) == {}
    with bookkeeping(account.pk, writing=True) as use:
        Telling.under(use).filter(request=request.reference).update(due_at=timezone.now() - timedelta(minutes=1))
    assert set(overdue(account, request)) == {ADVERTISER, CARRIER, HOST}
    assert overdue(account, request)[ADVERTISER].late
    heard = len(listener.heard)
    jobs.remind.call()
    told()
    assert len(listener.heard) == heard + 1
    assert listener.orders[-1] == document
    listener.answer(document, "denied")
    assert ADVERTISER not in overdue(account, request)
    listener.answer(document, "completed")
    telling.remind(account.pk, timezone.now())
    told()
    assert len(listener.heard) == heard + 1


def test_a_reminder_after_closing_names_nobody(account: Account, listener: Listener, order: tuple[Request, dict[str, Any]]) -> None:
    request, document = order
    actions.close(request)
    with bookkeeping(account.pk, writing=True) as use:
        Telling.under(use).filter(request=request.reference).update(due_at=timezone.now() - timedelta(minutes=1))
    telling.remind(account.pk, timezone.now())
    told()
    reminder = listener.orders[-1]
    assert reminder["subject_identities"] == []
    assert reminder["subject_request_id"] == document["subject_request_id"]
    assert listener.answer(reminder, "completed").status_code == 202
    assert standing(account, request) == "completed"


def test_an_address_that_was_ended_leaves_it_to_the_team(account: Account, listener: Listener) -> None:
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    with bookkeeping(account.pk, writing=True) as use:
        Correspondent.under(use).filter(ended_at=None).update(ended_at=timezone.now())
    told()
    assert (standing(account, request), listener.heard) == (How.BY_HAND, [])


# By hand


def test_the_team_tells_by_hand_and_says_so(account: Account, alice: Actor) -> None:
    known = had(account)
    request = verified(account, Kind.RESTRICT, known)
    telling.tell(account, request, "restrict")
    found = tellings(account, request.reference)
    shown = telling.identities(account, alice, found[CARRIER].pk)
    assert {"identity_type": "email", "identity_value": known.email, "identity_format": "raw"} in shown
    with reserved(account.pk, "command:test", "rights") as use:
        headers = [ledger.header_of(entry) for entry in ledger.entries_of(use, known.reference)]
    assert any(one.kind == "look" and one.actor == alice.reference and "email" in one.categories for one in headers)
    with pytest.raises(BadInput):
        telling.confirm_by_hand(account, alice, found[CARRIER].pk, " ")
    telling.confirm_by_hand(account, alice, found[CARRIER].pk, "By telephone, this morning.")
    with pytest.raises(Conflict):
        telling.confirm_by_hand(account, alice, found[CARRIER].pk, "Again.")
    with pytest.raises(NotFound):
        telling.identities(account, alice, found[CARRIER].pk)
    with pytest.raises(BadInput):
        telling.impossible(account, alice, found[HOST].pk, "Card 4111 1111 1111 1111")
    telling.impossible(account, alice, found[HOST].pk, "They closed last year.")
    with pytest.raises(Conflict):
        telling.confirm_by_hand(account, alice, found[HOST].pk, "Found them.")
    with pytest.raises(NotFound):
        telling.impossible(account, alice, 10**15, "Nobody.")
    said = words(account, request)
    assert "We told 1 company that had your data; 1 confirmed that it is done." in said
    assert "1 is still to be told." in said
    assert "Fernhill Hosting could not be told: They closed last year." in said
    assert [(noted, name) for noted, name, _ in steps(account, request)] == [
        ("told-completed", "Severn Carriers"),
        ("told-impossible", "Fernhill Hosting"),
    ]
    with bookkeeping(account.pk) as use:
        assert [one.how for one in telling.told(use, request)] == [How.BY_HAND, How.BY_HAND, How.IMPOSSIBLE]


def test_the_team_tells_by_hand_from_the_page_of_the_request(people: Cast, account: Account, listener: Listener) -> None:
    known, request = erased(account)
    found, browser = tellings(account, request.reference), client_for(people.alice)
    page = f"/{account.slug}/requests/{request.reference}/"
    shown = browser.get(page).content.decode()
    assert "to be told by the team" in shown
    whom = browser.post(f"{page}recipients/{found[CARRIER].pk}/")
    assert f"email: {known.email}" in whom.content.decode()
    assert browser.post(f"{page}recipients/{10**12}/").status_code == 404
    said = {"recipient": found[CARRIER].pk, "how": "done", "words": ""}
    assert browser.post(f"{page}do/told/", said).status_code == 400
    assert browser.post(f"{page}do/told/", {**said, "words": "By telephone."}).status_code == 302
    assert (
        browser.post(f"{page}do/told/", {**said, "recipient": found[HOST].pk, "how": "impossible", "words": "Closed."}).status_code == 302
    )
    assert {one.confirmed_at is not None for one in tellings(account, request.reference).values() if one.how == How.BY_HAND} >= {True}
    assert "could not be told: Closed." in words(account, request)


# With the request's key


def test_a_certificate_closes_a_request_only_when_everybody_was_told(account: Account, listener: Listener, alice: Actor) -> None:
    known = had(account)
    browser, page = asked(account, known.email, "erase")
    work()
    request = requests_of(account)[-1]
    actions.clear_residue()
    work()
    assert len(mail_to(account, known.email)) == 2
    assert browser.get(page + "certificate/").status_code == 200
    told()
    found = tellings(account, request.reference)
    telling.confirm_by_hand(account, alice, found[CARRIER].pk, "By telephone.")
    assert again(account, request).closed_at is None
    telling.impossible(account, alice, found[HOST].pk, "They closed last year.")
    actions.clear_residue()
    work()
    last = " ".join(mail_to(account, known.email)[-1].split())
    assert "We told 2 companies that had your data; 1 confirmed that it is done. Fernhill Hosting could not be told" in last
    assert browser.get(page + "certificate/").status_code == 200
    assert again(account, request).closed_at is not None
    assert found_in_files(known.values) == []
    assert {one.sealed for one in tellings(account, request.reference).values()} == {None}


def test_what_lapses_waits_for_those_who_are_still_to_be_told_and_not_for_ever(account: Account, listener: Listener) -> None:
    _known, request = erased(account)
    later = timezone.now() + timedelta(days=60)
    actions.sweep(later)
    assert again(account, request).closed_at is None
    told()
    with bookkeeping(account.pk, writing=True) as use:
        Telling.under(use).filter(request=request.reference).update(due_at=timezone.now())
    actions.sweep(later)
    assert again(account, request).closed_at is not None
    found = tellings(account, request.reference)
    assert {rule: one.how for rule, one in found.items()} == {ADVERTISER: How.RECEIVED, CARRIER: How.NOT_TOLD, HOST: How.NOT_TOLD}
    assert found[CARRIER].failed
    assert "Severn Carriers could not be told: The request was closed before they were told." in words(account, request)


def test_nothing_of_the_person_stands_in_jobs_or_files_on_the_way(
    account: Account, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    known, request = erased(account)
    listener.status = 500
    told()
    values = [value for value in (*known.values, known.email) if value]
    waiting = [str(vars(job)) for job in Job.objects.filter(label="requests.tell")]
    assert waiting
    assert not [value for value in values if any(value in job for job in waiting) or value in caplog.text]
    assert [hit for hit in found_in_files(tuple(values)) if "outbox" not in hit and "sqlite" not in hit.lower()] == []
    with bookkeeping(account.pk) as use:
        lines = [str(vars(one)) for one in Telling.under(use).filter(request=request.reference)]
    assert not [value for value in values if any(value in line for line in lines)]


def test_an_erasure_by_command_is_told_too(account: Account, listener: Listener) -> None:
    known = had(account)
    actions.run_erasure(account, known.id, "command:test")
    request = requests_of(account)[-1]
    told()
    assert listener.knows(listener.orders[-1], known.email)
    actions.sweep(timezone.now())
    assert again(account, request).closed_at is None
    with bookkeeping(account.pk, writing=True) as use:
        Telling.under(use).filter(request=request.reference).update(due_at=timezone.now())
    actions.sweep(timezone.now())
    assert (again(account, request).state, again(account, request).key_id) == (State.DONE, None)


# Killed


def heard(account: Account, listener: Listener, request: Request) -> list[dict[str, Any]]:
    """What the advertiser heard of this request."""
    mine = {telling.request_id(one) for one in tellings(account, request.reference).values()}
    return [order for order in listener.orders if order["subject_request_id"] in mine]


@pytest.mark.parametrize(
    "at",
    ["requests:working", "requests:prepared", "erasure:journalled", "erasure:deleted", "erasure:key", "requests:erased", "requests:ready"],
)
def test_an_erasure_that_is_killed_is_told_to_each_once(account: Account, listener: Listener, at: str) -> None:
    known = had(account)
    asked(account, known.email, "erase")
    request = requests_of(account)[-1]
    killed("answer", at, request)
    told()
    before = heard(account, listener, request)
    assert len(before) == (at == "requests:ready")  # by then the person is gone
    actions.answer(account.pk, request.reference)
    told()
    (order,) = heard(account, listener, request)
    assert listener.knows(order, known.email)
    assert set(tellings(account, request.reference)) == {ADVERTISER, CARRIER, HOST}


def test_a_telling_that_is_killed_after_it_left_leaves_again_as_the_same(
    account: Account, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = verified(account, Kind.RESTRICT, had(account))
    telling.tell(account, request, "restrict")
    monkeypatch.setenv("KEPT_PRIVATE_ADDRESSES", "1")
    killed("tell", "telling:posted", request)
    assert tellings(account, request.reference)[ADVERTISER].sent_at is None
    told()
    first, second = heard(account, listener, request)
    assert first == second
    assert [noted for noted, *_ in steps(account, request)] == ["told"]


def test_the_promises_hold_with_all_that(account: Account) -> None:
    proved = {one.rule: one.state for one in prove(account.pk, "command:test")}
    assert "broken" not in {state for rule, state in proved.items() if rule.startswith(("disclose:", "right:"))}
    assert ledger.faults(account.pk) == []

"""The team's queue and record, and who may use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kept.apps.requests import actions, desk, desk_urls, queries
from kept.apps.requests.models import Request, State
from kept.apps.requests.tests.people import asked, dana, mail_to, requests_of, work
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.testing import with_notice

HANDLING = {
    "queue": "GET",
    "new": "GET",
    "bulk": "POST",
    "batch": "GET",
    "metrics": "GET",
    "metrics-json": "GET",
    "metrics-csv": "GET",
    "holds": "GET",
    "case": "GET",
    "release-case": "POST",
    "agents": "GET",
    "end-agent": "POST",
    "correspondents": "GET",
    "end-correspondent": "POST",
    "record": "GET",
    "act": "POST",
    "call-back": "POST",
    "hand-over": "POST",
    "team-certificate": "GET",
    "attachment": "GET",
    "whom-to-tell": "POST",
}
OPEN_AT_ONCE = {"queue", "new", "metrics", "metrics-json", "metrics-csv", "holds", "agents", "correspondents"}
OF_ONE = {"record", "act", "call-back", "hand-over", "team-certificate", "attachment", "whom-to-tell"}


@cache
def them() -> Cast:
    made = cast()
    with_notice(made.account)
    return made


def path_of(name: str, reference: str = "0" * 32, verb: str = "start") -> str:
    known: dict[str, object] = {"reference": reference} if name in OF_ONE else {}
    known |= {"verb": verb} if name == "act" else {}
    numbers = {"batch": "batch_id", "case": "case_id", "release-case": "case_id", "end-agent": "party_id", "end-correspondent": "party_id"}
    numbers |= {"attachment": "attachment_id", "whom-to-tell": "telling_id"}
    known |= {numbers[name]: 999_999_999} if name in numbers else {}
    return reverse(f"requests:{name}", kwargs={"slug": them().account.slug, **known})


def knock(client: Client, name: str, reference: str = "0" * 32) -> int:
    path = path_of(name, reference)
    return int((client.post(path) if HANDLING[name] == "POST" else client.get(path)).status_code)


def taken_in(client: Client, known: str, kind: str = "access", **more: str) -> Request:
    given = {"kind": kind, "channel": "post", "known_by": "email", "value": known, "email": "", "note": ""} | more
    answer = client.post(path_of("new"), given)
    assert answer.status_code == 302, answer.content.decode()
    return requests_of(them().account)[-1]


def do(client: Client, request: Request, verb: str, **given: str) -> int:
    return int(client.post(path_of("act", request.reference, verb), given).status_code)


def page_of(client: Client, request: Request) -> str:
    return str(client.get(path_of("record", request.reference)).content.decode())


def test_every_address_is_listed() -> None:
    assert {pattern.name for pattern in desk_urls.urlpatterns} == set(HANDLING)


@pytest.mark.parametrize("name", HANDLING)
def test_who_may_handle_requests(name: str) -> None:
    people = them()
    found = 200 if name in OPEN_AT_ONCE else 400 if name == "bulk" else 404
    knocked = {user.name: knock(client_for(user), name) for user in (people.alice, people.petra, people.bob, people.rolf, people.charlie)}
    assert knocked == {"Alice Larch": found, "Petra Novak": found, "Bob Hale": 403, "Rolf Lund": 403, "Charlie Quay": 404}
    answer = stranger().get(path_of(name))
    assert answer.headers["Location"].startswith("/sign-in/")


def test_another_accounts_request_is_not_found() -> None:
    people = them()
    with_notice(people.other)
    asked(people.other, dana(people.other, region="US-CA").email, "access")
    theirs = requests_of(people.other)[-1].reference
    alice = client_for(people.alice)
    assert {name: knock(alice, name, theirs) for name in OF_ONE} == dict.fromkeys(OF_ONE, 404)


def test_a_telephone_request_for_erasure_is_planned_vouched_for_and_done() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, "erase", channel="phone", note="By telephone, on Monday.")
    assert do(petra, request, "start") == 409  # nobody has made sure who called
    assert do(petra, request, "sure", how="callback") == 302
    page = page_of(petra, request)
    assert "By telephone, on Monday." in page
    assert "Article 12(3) UK GDPR" in page
    assert "text of" in page
    assert "People" in page
    assert "It cannot be taken back" in page
    assert do(petra, request, "start") == 302
    work()
    assert queries.by_reference(account.pk, request.reference).state == State.READY
    certificate = petra.get(path_of("team-certificate", request.reference))
    assert certificate.json()["document"]["stage"] == "erased"
    assert them().petra.name not in certificate.content.decode()
    assert do(petra, request, "start") == 409


def test_a_copy_taken_in_by_letter_is_handed_over_by_the_team() -> None:
    account, petra = them().account, client_for(them().petra)
    request = taken_in(petra, dana(account).email)
    assert do(petra, request, "start") == 400  # how is asked for
    assert do(petra, request, "start", how="signature") == 302
    work()
    answer = petra.post(path_of("hand-over", request.reference))
    assert answer.content[:2] == b"PK"
    assert "no-store" in answer["Cache-Control"]
    page = page_of(petra, request)
    assert "Vouched that it is them" in page
    assert "Handed over" in page


# CN-11: who calls is made sure of before anything is shown


@pytest.mark.parametrize("channel", ["phone", "in-person"])
def test_whom_it_is_about_is_hidden_until_somebody_made_sure(channel: str) -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, channel=channel, email=known.email, note="Spoke of the staircase.")
    hidden = page_of(petra, request)
    assert not [text for text in (*known.values, known.email, "staircase", "What we hold of them") if text in hidden]
    assert do(petra, request, "write", text="Hello") == 409
    assert do(petra, request, "sure", how="document") == 302
    shown = page_of(petra, request)
    assert f"Dana {known.values[0]}" in shown
    assert "staircase" in shown
    assert "What we hold of them" in shown
    assert "Noted how it is sure" in shown


def test_what_they_say_is_compared_and_nothing_is_told() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, channel="phone")
    family, _email, _phone, street, postcode, _title = known.values
    wrong = petra.post(path_of("act", request.reference, "compare"), {"name": f"Dana {family}", "postal-address": "1 Quay Street"})
    assert wrong.status_code == 400
    assert b"does not match" in wrong.content
    assert street.encode() not in wrong.content
    assert do(petra, request, "compare", name=f"Dana {family}") == 400  # one fact is too few
    assert queries.by_reference(account.pk, request.reference).tries == 1
    right = {"name": f"Dana {family}", "postal-address": f"{street}, {postcode}"}
    assert petra.post(path_of("act", request.reference, "compare"), right).status_code == 302
    assert known.email in page_of(petra, request)
    assert queries.by_reference(account.pk, request.reference).decision["sure"] == "facts"


def test_three_wrong_answers_end_the_comparing() -> None:
    account, petra = them().account, client_for(them().petra)
    request = taken_in(petra, dana(account).email, channel="phone")
    wrong = {"name": "Somebody Else", "postal-address": "1 Quay Street"}
    assert [do(petra, request, "compare", **wrong) for _ in range(4)] == [400, 400, 400, 409]


def test_the_number_to_call_back_on_is_all_that_is_shown_and_stands_in_the_ledger() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, channel="phone")
    page = petra.post(path_of("call-back", request.reference)).content.decode()
    assert known.values[2] in page
    assert known.values[0] not in page
    from kept.platform.privacy import ledger

    with bookkeeping(account.pk) as use:
        looks = [ledger.header_of(entry) for entry in ledger.entries_of(use, known.reference) if entry.kind == "look"]
    assert ("phone",) in [tuple(one.categories) for one in looks]


# Decisions


def test_a_refusal_takes_two_and_names_the_authority() -> None:
    account, petra, alice = them().account, client_for(them().petra), client_for(them().alice)
    known = dana(account)
    request = taken_in(petra, known.email, email=known.email)
    assert do(petra, request, "refuse", why="", reason="") == 400
    assert do(petra, request, "refuse", why="other", reason=" ") == 400
    assert do(petra, request, "refuse", why="unfounded", reason="They could not say where we work for them.") == 302
    work()
    assert not any("could not say where" in letter for letter in mail_to(account, known.email))
    mine = page_of(petra, request)
    assert "Petra Novak proposes to refuse" in mine
    assert "Confirm the refusal" not in mine
    assert do(petra, request, "refuse") == 409
    assert "Confirm the refusal" in page_of(alice, request)
    assert do(alice, request, "refuse") == 302
    work()
    letter = mail_to(account, known.email)[-1]
    assert "could not say where" in letter
    assert "Information Commissioner" in letter
    page = page_of(alice, request)
    assert "Petra Novak, confirmed by Alice Larch" in page
    assert "A refusal proposed" in page
    assert queries.by_reference(account.pk, request.reference).decision["why"] == "unfounded"


def test_a_proposed_refusal_is_taken_back() -> None:
    account, petra, alice = them().account, client_for(them().petra), client_for(them().alice)
    request = taken_in(petra, dana(account).email)
    assert do(petra, request, "refuse", why="excessive", reason="") == 302
    assert "several times lately" in page_of(alice, request)  # the words of the reason, where none were written
    assert do(alice, request, "withdraw") == 302
    page = page_of(petra, request)
    assert "The proposed refusal taken back" in page
    assert "proposes to refuse" not in page
    assert queries.by_reference(account.pk, request.reference).state == State.RECEIVED


def test_a_complaint_waits_for_a_decision_and_is_answered_in_the_teams_words() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, "complain", email=known.email, **{"details-text": "Nobody called back."})
    assert "Nobody called back." in page_of(petra, request)
    assert do(petra, request, "start", how="known") == 302
    work()
    assert "Grant" in page_of(petra, request)
    assert do(petra, request, "grant", why="granted", reason="You are right, and we have called you now.") == 302
    work()
    assert "we have called you now" in mail_to(account, known.email)[-1]
    assert "What was decided" in page_of(petra, request)


def test_an_address_that_nobody_proved_cannot_be_answered() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    stranger().post(f"/{account.slug}/privacy/ask/erase/", {"email": known.email, "region": "GB"})
    request = requests_of(account)[-1]
    assert "It is them" not in page_of(petra, request)
    assert do(petra, request, "start", how="callback") == 409
    assert queries.by_reference(account.pk, request.reference).state == State.RECEIVED


# The clock, and who works on it


def test_the_clock_takes_only_its_own_reasons() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = taken_in(petra, known.email, email=known.email)
    page = page_of(petra, request)
    before = queries.by_reference(account.pk, request.reference).due_at
    # Larch gives a month and no more, whatever the law would allow.
    assert "Pause the clock" not in page
    assert "Take longer" not in page
    assert "neither stands still nor gives more time" in page
    assert do(petra, request, "pause", why="identity-unverified") == 409
    assert do(petra, request, "extend", why="complexity", words="It is much.") == 409
    assert queries.by_reference(account.pk, request.reference).due_at == before


def test_somebody_works_on_it_and_writes() -> None:
    account, petra, alice = them().account, client_for(them().petra), client_for(them().alice)
    known = dana(account)
    request = taken_in(petra, known.email, email=known.email)
    me = them().account.members.get(user=them().alice).actor.reference
    assert do(petra, request, "assign", member="member:999999999") == 400
    assert do(petra, request, "assign", member=me) == 302
    assert "Alice Larch" in page_of(petra, request)
    assert request.reference in alice.get(path_of("queue") + "?list=mine").content.decode()
    assert request.reference not in petra.get(path_of("queue") + "?list=mine").content.decode()
    assert do(alice, request, "write", text="  ") == 400
    assert do(alice, request, "write", text="Which workshop do you mean?") == 302
    work()
    assert "Which workshop do you mean?" in mail_to(account, known.email)[-1]
    assert "Which workshop do you mean?" in page_of(alice, request)


# Taking in


def test_nobody_is_taken_in_who_is_not_known() -> None:
    given = {"kind": "access", "channel": "phone", "known_by": "email", "value": "nobody@elsewhere.example", "email": "", "note": ""}
    answer = client_for(them().petra).post(path_of("new"), given)
    assert answer.status_code == 400
    assert b"Nobody here is known by this" in answer.content


def test_every_right_of_the_notice_can_be_taken_in() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    first = petra.get(path_of("new")).content.decode()
    kinds = ("know", "access", "portability", "correct", "erase", "restrict", "object", "complain")
    assert [kind for kind in kinds if f'href="?kind={kind}"' not in first] == []
    told: Mapping[str, dict[str, str]] = {
        "correct": {"details-what": "The street", "details-should": "Tideline Row"},
        "restrict": {"details-why": "The address is wrong."},
        "access": {"details-since": "2026-01-01"},
    }
    for kind in kinds:
        assert petra.get(f"{path_of('new')}?kind={kind}").status_code == 200
        request = taken_in(petra, known.email, kind, **told.get(kind, {}))
        assert request.kind == kind
        page = page_of(petra, request)
        assert [text for text in told.get(kind, {}).values() if text not in page] == []


# The queue


def test_the_queue_shows_the_clock_and_nobody() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    asked(account, known.email, "access")
    request = requests_of(account)[-1]
    assert "copy of everything" in petra.get(path_of("queue") + "?list=all").content.decode()
    with bookkeeping(account.pk, writing=True) as use:
        late_day = timezone.now() - timedelta(days=2)
        Request.under(use).filter(pk=request.pk).update(due_at=late_day, state=State.VERIFIED, answered_at=None)
    page = petra.get(path_of("queue") + "?list=overdue").content.decode()
    assert "2 days overdue" in page
    assert re.search(r"\d+ requests? (is|are) overdue\.", page)
    assert "Article 12(3) UK GDPR" in page
    assert known.email not in page
    late = queries.by_reference(account.pk, request.reference)
    assert desk.clock(late, late.due_at - timedelta(days=3, hours=1)) == ("3 days left", "warn")
    actions.answer(account.pk, request.reference)
    assert desk.clock(queries.by_reference(account.pk, request.reference), timezone.now()) == ("", "")


def test_lists_are_narrowed_by_kind_channel_assignee_and_day() -> None:
    account, petra = them().account, client_for(them().petra)
    request = taken_in(petra, dana(account).email, "restrict", channel="in-person")
    other = taken_in(petra, dana(account).email, "object")
    queue = path_of("queue")

    def shown(query: str) -> tuple[bool, bool]:
        page = petra.get(f"{queue}?list=open&{query}").content.decode()
        return request.reference in page, other.reference in page

    assert shown("kind=restrict") == (True, False)
    assert shown("kind=object&channel=post") == (False, True)
    assert shown("channel=in-person") == (True, False)
    assert shown("assigned=nobody") == (True, True)
    assert shown("assigned=member:999") == (False, False)
    day = timezone.localtime(request.due_at).date()
    assert shown(f"day={day}") == (True, True)
    assert shown(f"day={day - timedelta(days=1)}") == (False, False)
    assert petra.get(f"{queue}?day=tomorrow").status_code == 400
    assert petra.get(f"{queue}?cursor=another").status_code == 400


def test_the_calendar_counts_what_is_due_each_day() -> None:
    account, petra = them().account, client_for(them().petra)
    request = taken_in(petra, dana(account).email, "know")
    with bookkeeping(account.pk, writing=True) as use:
        Request.under(use).filter(pk=request.pk).update(due_at=timezone.now() + timedelta(days=800))
    due = timezone.localtime(timezone.now() + timedelta(days=800)).date()
    page = petra.get(f"{path_of('queue')}?month={due:%Y-%m}&kind=know").content.decode()
    assert f"day={due}" in page
    assert "1 request due" in page
    assert f"day={due}" not in petra.get(f"{path_of('queue')}?month={due:%Y-%m}&kind=erase").content.decode()
    assert petra.get(f"{path_of('queue')}?month=2026-13").status_code == 400

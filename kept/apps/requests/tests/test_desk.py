"""The team's queue, and who may use it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kept.apps.requests import actions, desk, queries
from kept.apps.requests.models import Request, State
from kept.apps.requests.tests.people import asked, dana, mail_to, requests_of, work
from kept.apps.requests.urls import urlpatterns
from kept.platform.accounts.testing import Cast, client_for, stranger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.testing import cast, with_notice

PUBLIC = {"outbox", "letter", "centre", "ask", "sent", "confirm", "status", "package", "certificate", "choose", "ledger-key"}
HANDLING = {
    "queue": "GET",
    "new": "GET",
    "record": "GET",
    "start": "POST",
    "refuse": "POST",
    "hand-over": "POST",
    "team-certificate": "GET",
}


@cache
def them() -> Cast:
    made = cast()
    with_notice(made.account)
    return made


def path_of(name: str, reference: str = "0" * 32) -> str:
    known = {"reference": reference} if name not in ("queue", "new") else {}
    return reverse(f"requests:{name}", kwargs={"slug": them().account.slug, **known})


def knock(client: Client, name: str, reference: str = "0" * 32) -> int:
    path = path_of(name, reference)
    return int((client.post(path) if HANDLING[name] == "POST" else client.get(path)).status_code)


def test_every_address_is_in_one_of_the_two_tables() -> None:
    assert {pattern.name for pattern in urlpatterns} == PUBLIC | set(HANDLING)


@pytest.mark.parametrize("name", HANDLING)
def test_who_may_handle_requests(name: str) -> None:
    people, found = them(), 404 if name not in ("queue", "new") else 200
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
    assert {name: knock(alice, name, theirs) for name in HANDLING if name not in ("queue", "new")} == {
        name: 404 for name in HANDLING if name not in ("queue", "new")
    }


def test_a_telephone_request_for_erasure_is_planned_vouched_for_and_done() -> None:
    people, account = them(), them().account
    known, petra = dana(account), client_for(them().petra)
    given = {"kind": "erasure", "known_by": "email", "value": known.email, "email": "", "note": "By telephone, called back."}
    answer = petra.post(path_of("new"), given)
    assert answer.status_code == 302
    request = requests_of(account)[-1]
    page = petra.get(answer["Location"]).content.decode()
    assert "By telephone, called back." in page
    assert "Article 12(3) UK GDPR" in page
    assert "text of" in page
    assert "People" in page or "Person" in page
    assert "It cannot be taken back" in page
    petra.post(path_of("start", request.reference))
    work()
    assert queries.by_reference(account.pk, request.reference).state == State.READY
    assert petra.get(path_of("team-certificate", request.reference)).json()["document"]["stage"] == "erased"
    assert people.petra.name not in petra.get(path_of("team-certificate", request.reference)).content.decode()
    assert petra.post(path_of("start", request.reference)).status_code == 409


def test_a_copy_taken_in_by_letter_is_handed_over_by_the_team() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    petra.post(path_of("new"), {"kind": "access", "known_by": "email", "value": known.email, "email": "", "note": ""})
    request = requests_of(account)[-1]
    petra.post(path_of("start", request.reference))
    work()
    answer = petra.post(path_of("hand-over", request.reference))
    assert answer.content[:2] == b"PK"
    assert "no-store" in answer["Cache-Control"]


def test_nobody_is_taken_in_who_is_not_known() -> None:
    answer = client_for(them().petra).post(
        path_of("new"), {"kind": "access", "known_by": "email", "value": "nobody@elsewhere.example", "email": "", "note": ""}
    )
    assert answer.status_code == 400
    assert b"Nobody here is known by this" in answer.content


def test_a_refusal_has_a_reason_and_names_the_authority() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    petra.post(path_of("new"), {"kind": "access", "known_by": "email", "value": known.email, "email": known.email, "note": ""})
    request = requests_of(account)[-1]
    assert petra.post(path_of("refuse", request.reference), {"reason": " "}).status_code == 400
    petra.post(path_of("refuse", request.reference), {"reason": "Whoever called could not say where we work for them."})
    work()
    letter = mail_to(account, known.email)[-1]
    assert "could not say where" in letter
    assert "Information Commissioner" in letter


def test_an_address_that_nobody_proved_cannot_be_answered() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    stranger().post(f"/{account.slug}/privacy/ask/erase/", {"email": known.email, "region": "GB"})
    request = requests_of(account)[-1]
    assert "It is them" not in petra.get(path_of("record", request.reference)).content.decode()
    assert petra.post(path_of("start", request.reference)).status_code == 400
    assert queries.by_reference(account.pk, request.reference).state == State.RECEIVED


def test_the_queue_shows_the_clock_and_nobody() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    asked(account, known.email, "access")
    request = requests_of(account)[-1]
    assert (
        "Copy of everything" in petra.get(path_of("queue")).content.decode()
        or "copy of everything" in petra.get(path_of("queue")).content.decode()
    )
    with bookkeeping(account.pk, writing=True) as use:
        Request.under(use).filter(pk=request.pk).update(due_at=timezone.now() - timedelta(days=2))
    page = petra.get(path_of("queue") + "?list=overdue").content.decode()
    assert "2 days overdue" in page
    assert "Article 12(3) UK GDPR" in page
    assert known.email not in page
    late = queries.by_reference(account.pk, request.reference)
    assert desk.clock(late, late.due_at - timedelta(days=3, hours=1)) == ("3 days left", "warn")
    actions.answer(account.pk, request.reference)
    assert desk.clock(queries.by_reference(account.pk, request.reference), timezone.now()) == ("", "")

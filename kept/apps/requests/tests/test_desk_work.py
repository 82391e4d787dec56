"""Work on many requests, the clock's reasons, figures, escalation, holds, and whom we deal with."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from kept.apps.requests import actions, jobs, metrics, queries
from kept.apps.requests.models import Agent, Batch, Correspondent, Kind, Request, State
from kept.apps.requests.tests.people import asked, dana, mail_to, requests_of, work
from kept.apps.requests.tests.test_desk import do, page_of, path_of, taken_in, them
from kept.core.errors import BadInput
from kept.core.notice.deadlines import Clock, Deadline
from kept.core.notice.durations import Duration
from kept.platform.accounts.testing import Cast, cast, client_for
from kept.platform.data.use import writing
from kept.platform.jobs import worker
from kept.platform.privacy import erasure, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Hold
from kept.platform.privacy.testing import with_notice

KEY = base64.b64encode(bytes(range(32))).decode()


def changed(request: Request, **fields: Any) -> Request:
    with bookkeeping(request.account_id, writing=True) as use:
        Request.under(use).filter(pk=request.pk).update(**fields)
    return queries.by_reference(request.account_id, request.reference)


def run(*tasks: Any) -> None:
    worker.run_due(timezone.now() + timedelta(seconds=9), *tasks)


# Many at once


def bulk(act: str, references: Sequence[str], **more: str) -> Any:
    return client_for(them().petra).post(path_of("bulk"), {"act": act, "requests": list(references), **more})


def test_a_batch_is_shown_before_it_is_done_and_says_what_it_leaves() -> None:
    account, petra = them().account, client_for(them().petra)
    waits = taken_in(petra, dana(account).email, "complain")
    by_letter = taken_in(petra, dana(account).email, "know")
    assert do(petra, waits, "refuse", why="unfounded") == 302  # proposed, and taken back
    assert do(petra, waits, "withdraw") == 302
    actions.make_sure(account, account.members.get(user=them().petra).actor, waits, "signature")
    unsure = taken_in(petra, dana(account).email, "access", channel="phone")
    over = changed(taken_in(petra, dana(account).email, "access"), state=State.NOBODY)
    references = [one.reference for one in (waits, unsure, over, by_letter)]
    shown = bulk("start", references).content.decode()
    assert "It will be done with 1 request" in shown
    assert "Nobody has made sure who asked." in shown
    assert "Nobody has noted how they made sure." in shown
    assert "It is answered." in shown
    with bookkeeping(account.pk) as use:
        before = Batch.under(use).count()
    done = bulk("start", references, confirmed="1")
    assert done.status_code == 302
    with bookkeeping(account.pk) as use:
        assert Batch.under(use).count() == before + 1
    assert "under way" in petra.get(done["Location"]).content.decode()
    fragment = petra.get(done["Location"], headers={"HX-Request": "true"})
    assert "hx-get" in fragment.content.decode()
    run(jobs.batch)
    assert "It was done with 1 request." in petra.get(done["Location"]).content.decode()
    assert petra.get(done["Location"], headers={"HX-Request": "true"})["HX-Redirect"] == done["Location"]
    run(jobs.answer)
    states = [queries.by_reference(account.pk, one).state for one in references]
    assert states == [State.DECIDING, State.RECEIVED, State.NOBODY, State.RECEIVED]
    bulk("grant", references, confirmed="1")
    run(jobs.batch)
    run(jobs.answer)
    assert queries.by_reference(account.pk, waits.reference).state == State.READY


def test_many_are_assigned_and_a_batch_carries_on_where_it_stopped() -> None:
    account, petra = them().account, client_for(them().petra)
    made = [taken_in(petra, dana(account).email, "know") for _ in range(3)]
    me = account.members.get(user=them().alice).actor.reference
    assert bulk("assign", [made[0].reference], member="member:999999").status_code == 400
    batch = actions.begin(account, account.members.get(user=them().petra).actor, "assign", [one.reference for one in made], assignee=me)
    with bookkeeping(account.pk, writing=True) as use:
        Batch.under(use).filter(pk=batch.pk).update(position=1)
    changed(made[2], state=State.NOBODY)
    run(jobs.batch)
    assigned = [queries.by_reference(account.pk, one.reference).assigned for one in made]
    assert assigned == ["", me, ""]
    found = actions.batch(account, batch.pk)
    assert found.skipped == {made[2].reference: "It is answered."}
    assert found.finished_at is not None


def test_a_batch_of_somebody_who_may_no_longer_does_nothing() -> None:
    people = cast()
    with_notice(people.account)
    known = dana(people.account)
    asked(people.account, known.email, "access")
    request = changed(requests_of(people.account)[-1], state=State.DECIDING)
    member = people.account.members.get(user=people.petra)
    batch = actions.begin(people.account, member.actor, "grant", [request.reference])
    member.delete()
    run(jobs.batch)
    assert queries.by_reference(people.account.pk, request.reference).state == State.DECIDING
    assert "not handle requests" in actions.batch(people.account, batch.pk).skipped[request.reference]


def test_nothing_and_too_much_are_no_batch() -> None:
    assert bulk("start", []).status_code == 400
    assert bulk("destroy", ["0" * 32]).status_code == 400
    account = them().account
    with pytest.raises(BadInput):
        actions.preview(account, account.members.get(user=them().petra), "grant", ["0" * 32] * 1001)


# The clock


def law_clock(request: Request) -> Request:
    """As a law would have it: pauses for one reason, longer for another."""
    clock = Clock(
        by="law",
        citation="Article 12(3) GDPR",
        within=Duration(1, "months"),
        extend=Duration(2, "months"),
        extend_if=("complexity", "number"),
        pauses=("identity-unverified",),
    )
    deadline = Deadline(received=request.received_at, region="GB", clocks=(clock,))
    return changed(request, clock=deadline.as_dict(), due_at=deadline.due)


def test_a_clock_stands_still_runs_again_and_is_extended_once() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    request = law_clock(taken_in(petra, known.email, email=known.email))
    page = page_of(petra, request)
    assert "Pause the clock" in page
    assert "We wait for them to show who they are" in page
    assert "It is complex" in page
    assert "It is reasonably necessary" not in page
    assert do(petra, request, "pause", why="complexity") == 400
    assert do(petra, request, "pause", why="identity-unverified") == 302
    work()
    assert "stands still" in mail_to(account, known.email)[-1]
    assert "stands still" in page_of(petra, request)
    assert do(petra, request, "pause", why="identity-unverified") == 409
    changed(request, paused_at=timezone.now() - timedelta(minutes=1), received_at=request.received_at)
    clock = queries.by_reference(account.pk, request.reference).clock | {"received": (timezone.now() - timedelta(days=2)).isoformat()}
    changed(request, clock=clock)
    assert do(petra, request, "resume") == 302
    assert do(petra, request, "extend", why="number", words="  ") == 400
    assert do(petra, request, "extend", why="number", words="We have very many requests just now.") == 302
    work()
    assert "very many requests" in mail_to(account, known.email)[-1]
    page = page_of(petra, request)
    assert "Take longer" not in page
    assert [text for text in ("The clock paused", "The clock let run again", "More time taken") if text not in page] == []


def test_what_the_clock_refuses_is_said_where_it_was_asked() -> None:
    account, petra = them().account, client_for(them().petra)
    request = law_clock(taken_in(petra, dana(account).email))
    old = timezone.now() - timedelta(days=40)
    deadline = Deadline.model_validate(request.clock).model_copy(update={"received": old})
    changed(request, clock=deadline.as_dict(), due_at=deadline.due)
    answer = petra.post(path_of("act", request.reference, "extend"), {"why": "number", "words": "There is much to do."})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "asks that the person is told in time" in page
    assert "There is much to do." in page


# Agents and parents


def test_powers_are_noted_one_by_one_before_anybody_vouches() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    told = actions.Asked(Kind.ACCESS, "email", "GB", known.email, by="parent", details={"child": "Robin"})  # type: ignore[arg-type]
    request = actions.receive(account, told)
    page = page_of(petra, request)
    assert "Still to be shown:" in page
    assert "Robin" in page
    assert "It is them" not in page
    child = {"known_by": "email", "value": dana(account, given="Robin").email}
    assert do(petra, request, "show", power="power-of-attorney", **child) == 400
    assert do(petra, request, "show", power="parent", known_by="email", value="") == 400
    assert do(petra, request, "show", power="parent", known_by="email", value="nobody@elsewhere.example") == 404
    assert do(petra, request, "show", power="parent", **child) == 302
    assert "A power to act for them was shown" in page_of(petra, request)
    assert queries.by_reference(account.pk, request.reference).state == State.VERIFIED


# Figures


def answered(people: Cast, kind: str, days: float | None, **fields: Any) -> Request:
    asked(people.account, dana(people.account).email, kind)
    request = requests_of(people.account)[-1]
    received = datetime(2024, 3, 1, 12, tzinfo=timezone.get_current_timezone())
    given = {"decision": {}, "outcome": {}, "received_at": received} | fields
    return changed(request, **given, answered_at=None if days is None else received + timedelta(days=days))


def test_the_figures_equal_an_independent_count() -> None:
    people = cast()
    with_notice(people.account)
    answered(people, "access", 3, state=State.DONE)
    answered(people, "access", 10, state=State.READY, decision={"withheld": {"note": "others-rights"}})
    answered(people, "access", 21.5, state=State.REFUSED, decision={"outcome": "refused", "why": "unfounded"})
    answered(people, "access", 5, state=State.NOBODY)
    answered(people, "access", None, state=State.DECIDING)
    answered(people, "erase", 2, state=State.DONE, outcome={"kept": [{"table": "x"}]})
    answered(people, "erase", 8, state=State.REFUSED, decision={"outcome": "unverified"})
    answered(people, "erase", 1, state=State.REVOKED)
    answered(people, "choices", 0, state=State.DONE)
    with bookkeeping(people.account.pk) as use:
        found = metrics.year_of(use, 2024)
        assert metrics.years(use)[-1] == 2024
        assert metrics.year_of(use, 2023).total == metrics.Row("")
    access, erase = {row.of: row for row in found.rows["kind"]}["access"], {row.of: row for row in found.rows["kind"]}["erase"]
    took, all_took = (3, 10, 21.5, 5), (3, 10, 21.5, 5, 2, 8)
    counts = {"whole": 1, "part": 1, "nothing": 1, "denied": 1, "other": 0, "open": 1}
    assert access == metrics.Row("access", 5, **counts, mean=round(fmean(took), 1), median=median(took))
    assert (erase.received, erase.whole, erase.part, erase.denied, erase.other, erase.median) == (3, 0, 1, 1, 1, 5)
    assert (found.total.received, found.total.complied, found.total.median) == (8, 3, median(all_took))
    assert found.reasons == {"not-verifiable": 1, "unfounded": 1}
    assert sum(row.received for row in found.rows["channel"]) == 8
    alice = client_for(people.alice)
    base = f"/{people.account.slug}/requests/figures"
    page = alice.get(f"{base}/?year=2024").content.decode()
    assert "11 CCR § 7102" in page
    assert "Plainly unfounded" in page
    told = alice.get(f"{base}.json?year=2024").json()
    assert told["denied_because"] == {"not-verifiable": 1, "unfounded": 1}
    assert told["by_kind"][0]["of"] == "access"
    lines = list(csv.DictReader(io.StringIO(alice.get(f"{base}.csv?year=2024").content.decode())))
    assert [(one["of"], one["received"], one["median_days"]) for one in lines if one["by"] == "kind"] == [
        ("access", "5", "7.5"),
        ("erase", "3", "5.0"),
    ]


def test_a_year_without_requests_and_a_year_that_is_none() -> None:
    petra = client_for(them().petra)
    assert "Nothing was asked in this year" in petra.get(path_of("metrics") + "?year=2001").content.decode()
    assert petra.get(path_of("metrics") + "?year=soon").status_code == 400
    assert petra.get(path_of("metrics") + "?year=1").status_code == 400


# Escalation


def test_the_leads_hear_of_what_is_due_and_of_nobody() -> None:
    people = cast()
    with_notice(people.account)
    account, now = people.account, timezone.now()
    assert actions.escalate(account.pk, now) == 0
    known = [dana(account) for _ in range(3)]
    due = [now - timedelta(days=1), now + timedelta(days=3), now + timedelta(days=9)]
    made = [changed(taken_in_by(people, one.email), due_at=day) for one, day in zip(known, due, strict=True)]
    mail.outbox.clear()
    jobs.escalate.enqueue(account_id=account.pk)
    run(jobs.escalate)
    (letter,) = mail.outbox
    assert letter.to == [people.petra.email]
    assert "2 requests are due" in letter.subject
    text = str(letter.body)
    assert [one.reference[:8] in text for one in made] == [True, True, False]
    assert "overdue since" in text
    assert "copy of everything held: due on" in text
    assert not [value for one in known for value in (*one.values, one.email) if value in text]
    people.account.members.get(user=people.petra).delete()
    mail.outbox.clear()
    assert actions.escalate(account.pk, now) == 2
    assert mail.outbox[0].to == [people.alice.email]
    page = client_for(people.alice).get(f"/{account.slug}/requests/figures/").content.decode()
    assert 'role="alert"' in page
    assert "1 request is overdue. 1 request is due within 7 days." in page


def taken_in_by(people: Cast, email: str) -> Request:
    given = actions.TakenIn(Kind.ACCESS, "email", email, "", "")
    return actions.take_in(people.account, people.account.members.get(user=people.alice).actor, given)


# Legal holds


def test_a_case_holds_people_keeps_them_from_erasure_and_is_released() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    assert petra.post(path_of("holds"), {"title": " ", "ground": "legal-claim", "note": ""}).status_code == 400
    opened = petra.post(path_of("holds"), {"title": "Claim about the staircase", "ground": "legal-claim", "note": ""})
    assert opened.status_code == 302
    case = opened["Location"]
    wrong = petra.post(case, {"known_by": "email", "value": f"{known.email}\nnobody@elsewhere.example", "until": ""})
    assert wrong.status_code == 400
    assert b"Nobody here is known by this" in wrong.content
    over = petra.post(case, {"known_by": "email", "value": known.email, "categories": ["phone"], "until": "2020-01-01"})
    assert over.status_code == 400
    assert petra.post(case, {"known_by": "email", "value": known.email, "categories": ["phone"], "until": ""}).status_code == 302
    page = petra.get(case).content.decode()
    assert "until released" in page
    assert known.email not in page
    request = taken_in(petra, known.email, "erase")
    assert do(petra, request, "sure", how="document") == 409  # by letter nothing is hidden
    assert do(petra, request, "start", how="document") == 302
    with bookkeeping(account.pk) as use:
        held = Hold.under(use).get(subject_reference=known.reference)
    work()
    with bookkeeping(account.pk) as use:
        assert "hold" in [ledger.header_of(entry).kind for entry in ledger.entries_of(use, known.reference)]
    assert petra.post(f"{case}release/", {"because": ""}).status_code == 400
    assert petra.post(f"{case}release/", {"because": "The claim is settled."}).status_code == 302
    assert "The claim is settled." in petra.get(case).content.decode()
    with bookkeeping(account.pk) as use:
        assert Hold.under(use).get(pk=held.pk).released_at is not None
    assert petra.post(f"{case}release/", {"because": "Again."}).status_code == 409
    assert erasure.carry_on_released(account.pk) == 1


def test_a_plan_says_what_stays_and_why() -> None:
    account, petra = them().account, client_for(them().petra)
    known = dana(account)
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        from kept.platform.privacy import holds

        case = holds.open_case(use, "command:test", "Inquiry", "investigation")
        holds.place(use, "command:test", case.pk, [known.reference], categories=["phone"])
    request = taken_in(petra, known.email, "erase")
    page = page_of(petra, request)
    assert "held: an investigation" in page
    assert "stays" in page
    assert "erased" in page


# Agents and recipients


def test_agents_are_added_ended_and_taken_back() -> None:
    people, petra = them(), client_for(them().petra)
    given = {"identifier": "HARBOUR-1", "name": "Harbour Agents", "verify_key": KEY}
    assert petra.post(path_of("agents"), given | {"verify_key": "abc"}).status_code == 400
    assert petra.post(path_of("agents"), given | {"identifier": "a b"}).status_code == 400
    assert petra.post(path_of("agents"), given).status_code == 302
    again = petra.post(path_of("agents"), given)
    assert again.status_code == 400
    assert b"known already" in again.content
    (agent,) = actions.parties(people.account, Agent)
    page = petra.get(path_of("agents")).content.decode()
    assert "Harbour Agents" in page
    assert "not paired yet" in page
    end = path_of("end-agent").replace("999999999", str(agent.pk))
    assert petra.post(end).status_code == 302
    assert petra.post(end).status_code == 404
    assert petra.post(path_of("agents"), given).status_code == 302
    (agent,) = actions.parties(people.account, Agent)
    assert agent.ended_at is None


def test_recipients_are_told_at_an_address_of_theirs() -> None:
    people, petra = them(), client_for(them().petra)
    recipients = actions.recipients(people.account)
    rule = next(iter(recipients))
    given = {"recipient": rule, "address": "https://carrier.example/privacy", "verify_key": "", "confirms_within": "10 business days"}
    wrong = {"recipient": "disclose:nobody", "address": "http://carrier.example/", "verify_key": "abc", "confirms_within": "soon"}
    for name, value in wrong.items():
        assert petra.post(path_of("correspondents"), given | {name: value}).status_code == 400, name
    assert petra.post(path_of("correspondents"), given).status_code == 302
    assert petra.post(path_of("correspondents"), given).status_code == 400
    (found,) = actions.parties(people.account, Correspondent)
    page = petra.get(path_of("correspondents")).content.decode()
    assert "https://carrier.example/privacy" in page
    end = path_of("end-correspondent").replace("999999999", str(found.pk))
    assert petra.post(end).status_code == 302
    assert "ended" in petra.get(path_of("correspondents")).content.decode()

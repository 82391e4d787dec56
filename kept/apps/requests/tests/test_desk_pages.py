"""The team's pages as axe-core sees them, and their keys in a real browser."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from django.utils import timezone
from playwright.sync_api import sync_playwright

from kept.apps.requests import actions, jobs
from kept.apps.requests.models import Agent, Correspondent, Kind, Request, State
from kept.apps.requests.tests.people import asked, dana, requests_of
from kept.apps.requests.tests.test_desk_work import KEY, law_clock, run
from kept.platform.accounts.testing import Cast, cast, client_for
from kept.platform.data.use import writing
from kept.platform.privacy import holds
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import with_notice
from tests.axe import SITE, answer, faults
from tests.plugin import needs

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
DUE = (-2, 0, 3, 6, 12, 12, 12, 25, 40)


def _take_in(people: Cast, kind: Kind, channel: str, details: dict[str, str] | None = None) -> Request:
    known = dana(people.account)
    note = "On Monday; would rather be written to."
    given = actions.TakenIn(kind, "email", known.email, known.email, note, channel, "", details or {})  # type: ignore[arg-type]
    return actions.take_in(people.account, people.account.members.get(user=people.petra).actor, given)


@cache
def desk() -> tuple[Cast, dict[str, str]]:
    """An account with work in every state, and the addresses of its pages."""
    people = cast()
    account = with_notice(people.account).pk
    alice, petra = (people.account.members.get(user=user).actor for user in (people.alice, people.petra))
    told = {"details": {"what": "The street", "should": "4 Tideline Row"}}
    spoken = _take_in(people, Kind.ACCESS, "phone")
    erase = _take_in(people, Kind.ERASE, "post")
    correct = _take_in(people, Kind.CORRECT, "post", told["details"])
    complain = _take_in(people, Kind.COMPLAIN, "post", {"text": "Nobody called back."})
    refused = law_clock(_take_in(people, Kind.RESTRICT, "in-person", {"why": "The address is wrong."}))
    others = [_take_in(people, kind, "post") for kind in (Kind.KNOW, Kind.PORTABILITY, Kind.OBJECT, Kind.ACCESS)]
    for request in (correct, complain):
        actions.make_sure(people.account, petra, request, "known")
        actions.start(people.account, petra, request)
    asked(people.account, dana(people.account).email, "access")
    run(jobs.answer, jobs.deliver)
    actions.make_sure(people.account, petra, refused, "document")
    actions.refuse(people.account, petra, refused, "We have looked, and the address is right.", why="accurate")
    actions.assign(people.account, petra, erase, alice.reference)
    with bookkeeping(account, writing=True) as use:
        for request, days in zip((spoken, erase, correct, complain, refused, *others), DUE, strict=True):
            Request.under(use).filter(pk=request.pk).update(due_at=timezone.now() + timedelta(days=days, hours=2))
    actions.add_agent(people.account, petra, "HARBOUR-1", "Harbour Agents", KEY)
    rule = next(iter(actions.recipients(people.account)))
    actions.add_correspondent(people.account, petra, rule, "https://carrier.example/privacy", KEY, "10 business days")
    held = dana(people.account)
    with reserved(account, petra, "rights") as use, writing(use):
        case = holds.open_case(use, petra.reference, "Claim about the staircase", "legal-claim", note="Until the court has decided.")
        holds.place(use, petra.reference, case.pk, [held.reference], categories=["phone", "name"])
    batch = actions.begin(people.account, petra, "assign", [request.reference for request in others], assignee=alice.reference)
    base = f"/{people.account.slug}/requests/"
    paths = {
        "queue": "",
        "filtered": f"?list=all&kind=access&month={timezone.localdate():%Y-%m}",
        "empty": "?list=answered&kind=erase",
        "spoken": f"{spoken.reference}/",
        "erase": f"{erase.reference}/",
        "correct": f"{correct.reference}/",
        "complain": f"{complain.reference}/",
        "refused": f"{refused.reference}/",
        "answered": f"{requests_of(people.account)[-1].reference}/",
        "batch": f"bulk/{batch.pk}/",
        "new": "new/",
        "details": "new/?kind=correct",
        "figures": "figures/",
        "no-figures": "figures/?year=2001",
        "holds": "holds/",
        "case": f"holds/{case.pk}/",
        "agents": "agents/",
        "recipients": "recipients/",
    }
    return people, {name: base + path for name, path in paths.items()}


def pages() -> dict[str, str]:
    """The pages by address; also what a form that went wrong looks like, and the preview of a batch."""
    people, paths = desk()
    alice = client_for(people.alice)
    found = {}
    for name, path in paths.items():
        answer = alice.get(path)
        assert answer.status_code == 200, (name, answer.content)
        found[path] = answer.content.decode()
    wrong = alice.post(f"{paths['erase']}do/refuse/", {"why": "other", "reason": ""})
    assert wrong.status_code == 400
    found[f"{paths['erase']}do/refuse/"] = wrong.content.decode()
    open_ones = [one.reference for one in requests_of(people.account)]
    preview = alice.post(f"{paths['queue']}bulk/", {"act": "start", "requests": open_ones})
    found[f"{paths['queue']}bulk/"] = preview.content.decode()
    return found


def test_the_pages_are_well() -> None:
    assert faults(pages()) == []
    assert State.DECIDING in {one.state for one in requests_of(desk()[0].account)}
    assert actions.parties(desk()[0].account, Agent)
    assert actions.parties(desk()[0].account, Correspondent)


def test_the_queue_is_worked_by_keys() -> None:
    people, paths = desk()
    address = paths["queue"]
    html = client_for(people.alice).get(address).content.decode()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(needs("chromium")), args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", lambda route: answer(route, address, html))
        page.goto(SITE + address)
        rows = page.locator("[data-row] .primary a")
        links = [str(rows.nth(n).get_attribute("href")) for n in range(rows.count())]

        def at() -> str:
            return str(page.evaluate("document.activeElement.getAttribute('href')"))

        def press(*keys: str) -> str:
            for key in keys:
                page.keyboard.press(key)
            return at()

        assert [press("j"), press("j"), press("ArrowDown"), press("k"), press("ArrowUp"), press("k")] == [
            *links[:3],
            links[1],
            links[0],
            links[0],
        ]
        press("j", "x")
        chosen = page.locator("[data-row] input:checked")
        assert [one.get_attribute("value") for one in chosen.all()] == [links[1].split("/")[-2]]
        page.locator("[data-all]").check()
        assert chosen.count() == len(links)
        page.locator("[data-all]").uncheck()
        press("?")
        assert page.locator("dialog#keys").is_visible()
        press("Escape")
        assert not page.locator("dialog#keys").is_visible()
        rows.first.focus()
        with page.expect_request(f"**{links[0]}"):
            page.keyboard.press("Enter")
        browser.close()


def test_the_words_of_a_reason_stand_in_its_field_until_somebody_writes() -> None:
    people, paths = desk()
    address = paths["erase"]
    html = client_for(people.alice).get(address).content.decode()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(needs("chromium")), args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", lambda route: answer(route, address, html))
        page.goto(SITE + address)
        page.locator("#act-refuse summary").click()
        reason, why = page.locator("#id_refuse-reason"), page.locator("#id_refuse-why")
        why.select_option("unfounded")
        assert "cannot see a right" in reason.input_value()
        why.select_option("legal-duty")
        assert "obliges us" in reason.input_value()
        reason.fill("Our own words.")
        why.select_option("unfounded")
        assert reason.input_value() == "Our own words."
        browser.close()

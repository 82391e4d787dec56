"""The promise page and the board: what stands there, for whom, and what is done about what is broken."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from kept.apps.notices import actions, board, board_actions, promise_page, queries
from kept.core.notice import Rule
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug, membership
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.data.models import Subject
from kept.platform.privacy import choices, incidents, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Entry, Incident
from kept.platform.privacy.registry import registry
from kept.platform.privacy.testing import someone, with_notice


@pytest.fixture
def people() -> Cast:
    made = cast()
    with_notice(made.account)
    with_notice(made.other)
    return made


def broken(account: Account) -> Incident:
    """Behind everybody's back the version in force is no longer what was activated; the proof finds it."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE privacy_noticeversion SET digest = '' WHERE account_id = %s", [account.pk])
    actions.prove(account)
    (found,) = incidents.open_of(account)
    return found


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return html.unescape(response.content.decode())


# The promise page


def test_the_headline_says_the_worst(people: Cast) -> None:
    path = f"/{people.account.slug}/promises/"
    assert "No promise is known to be broken" in text(stranger(), path)
    broken(people.account)
    said = text(stranger(), path)
    assert "1 promise is broken" in said
    assert "Known since" in said
    assert "Nobody has taken it up yet" in said


def test_the_public_status_of_an_incident_names_nobody_and_nothing_inside(people: Cast) -> None:
    one, petra = broken(people.account), membership(people.petra, people.account.slug)
    incidents.acknowledge(people.account, petra.actor, one.pk)
    incidents.assign(people.account, petra.actor, one.pk, petra)
    incidents.comment(people.account, petra.actor, one.pk, "The digest was emptied by hand.")
    said = text(stranger(), f"/{people.account.slug}/promises/")
    assert "We are on it" in said
    for inside in ("Petra", "emptied by hand", "incidents/", *one.found):
        assert inside not in said


def test_states_kinds_and_words_find_promises_without_scripts(people: Cast) -> None:
    actions.prove(people.account)
    path, here = f"/{people.account.slug}/promises/", queries.published(people.account.slug)
    every = promise_page.overview(here, promise_page.Filter())
    assert every.shown == every.promises == sum(rule.kind != "statement" for rule in here.notice.rules)

    def shown(query: str) -> list[str]:
        return re.findall(r'<li id="([^"]+)"', text(stranger(), path + query))

    assert shown("?q=CARD+numbers") == ["limit:no-card-numbers"]
    assert {one.partition(":")[0] for one in shown("?kind=choice")} == {"choice"}
    kept = shown("?state=kept")
    assert len(kept) == every.counts["kept"] > 0
    assert {one.partition(":")[0] for one in shown("?state=statement")} == {"statement"}
    assert shown("?q=astrology") == []
    assert "Nothing is found" in text(stranger(), path + "?q=astrology")
    assert shown("?state=nonsense&kind=nonsense") == shown("")


def test_a_rule_that_nothing_binds_is_said_not_to_be_bound(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def unbound(rule: Rule, _vocabulary: object) -> tuple[object, ...]:
        from kept.platform.privacy.registry import Missing

        return (Missing("room:astrology", "room"),) if rule.kind == "age" else ()

    monkeypatch.setattr(registry, "unbound", unbound)
    actions.prove(people.account)
    here = queries.published(people.account.slug)
    states = {one.promise.rule: one.state for one in promise_page.standings(here)}
    assert states["age:sixteen"] == "unbound"
    assert "Not yet bound" in text(stranger(), f"/{people.account.slug}/promises/?state=unbound")
    said = text(client_for(people.rolf), f"/{people.account.slug}/promise-desk/gaps/")
    assert "room:astrology" in said
    assert "age:sixteen" in said


def test_of_many_promises_only_sections_with_a_broken_one_are_unfolded(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promise_page, "FEW", 3)
    here = queries.published(people.account.slug)
    assert not any(one.open for one in promise_page.overview(here, promise_page.Filter()).sections)
    one = broken(people.account)
    opened = [each for each in promise_page.overview(here, promise_page.Filter()).sections if each.open]
    assert [any(of.promise.rule == one.rule for of in each.standings) for each in opened] == [True]
    assert all(each.open for each in promise_page.overview(here, promise_page.Filter(words="we")).sections)


# Kept to the team


def test_an_account_can_keep_its_promises_to_its_team(people: Cast) -> None:
    actions.prove(people.account)
    slug = people.account.slug
    page, evidence = f"/{slug}/promises/", f"/{slug}/promises/age:sixteen/evidence.json"
    assert stranger().get(evidence).status_code == 200
    client_for(people.alice).post(f"/{slug}/promise-desk/visibility/", {"private": "yes"})
    for path in (page, evidence):
        assert stranger().get(path).status_code == 404
        assert client_for(people.charlie).get(path).status_code == 404
        assert client_for(people.olga).get(path).status_code == 404
        assert client_for(people.rolf).get(path).status_code == 200
    notice = stranger().get(f"/{slug}/notice/").content.decode()
    assert "/promises/" not in notice
    assert 'class="mark ' not in notice
    assert "We never take card numbers" in notice
    client_for(people.alice).post(f"/{slug}/promise-desk/visibility/", {"private": "no"})
    assert stranger().get(page).status_code == 200


def test_only_an_owner_decides_who_sees_them_and_it_stands_in_the_ledger(people: Cast) -> None:
    path = f"/{people.account.slug}/promise-desk/visibility/"
    for who in (people.petra, people.bob, people.rolf):
        assert client_for(who).post(path, {"private": "yes"}).status_code == 403
    assert not account_by_slug(people.account.slug).promises_private
    for _twice in range(2):
        board_actions.keep_private(people.account, "member:1", True)
    with bookkeeping(people.account.pk) as use:
        headers = [ledger.header_of(one) for one in Entry.under(use).filter(kind="account", header__contains="member:1")]
    assert [one.actor for one in headers if one.actor == "member:1"] == ["member:1"]


# Incidents


def test_the_lead_takes_an_incident_up_gives_it_over_and_resolves_it(people: Cast) -> None:
    one, petra = broken(people.account), client_for(people.petra)
    path = f"/{people.account.slug}/promise-desk/incidents/{one.pk}/"
    alice = membership(people.alice, people.account.slug)
    assert "1 open incident" in text(petra, f"/{people.account.slug}/promise-desk/")
    for form in (
        {"what": "acknowledge"},
        {"what": "assign", "owner": str(alice.pk)},
        {"what": "comment", "said": "Restored from the file."},
        {"what": "resolve", "said": "  "},
    ):
        petra.post(path + "act/", form)
    said = text(petra, path)
    for words in ("Taken up", "Given to Alice Larch", "Restored from the file."):
        assert words in said
    assert incidents.one_of(people.account, one.pk).state == "acknowledged", "a reason is needed"
    petra.post(path + "act/", {"what": "resolve", "said": "A test emptied it."})
    assert incidents.one_of(people.account, one.pk).state == "resolved"
    assert "A test emptied it." in text(client_for(people.rolf), path)


def test_an_incident_is_handled_by_leads_and_given_to_their_own(people: Cast) -> None:
    one = broken(people.account)
    path = f"/{people.account.slug}/promise-desk/incidents/{one.pk}/"
    for who in (people.bob, people.rolf):
        assert client_for(who).post(path + "act/", {"what": "acknowledge"}).status_code == 403
    assert client_for(people.charlie).get(path).status_code == 404
    assert client_for(people.charlie).get(f"/{people.other.slug}/promise-desk/incidents/{one.pk}/").status_code == 404
    charlie = membership(people.charlie, people.other.slug)
    assert client_for(people.alice).post(path + "act/", {"what": "assign", "owner": str(charlie.pk)}).status_code == 302
    assert incidents.one_of(people.account, one.pk).owner is None
    assert {str(member.user) for member in board.handlers(people.account)} == {"Alice Larch", "Petra Novak"}


# What people chose


def said(account: Account, verb: choices.Verb, count: int, name: str) -> None:
    for n in range(count):
        known = someone(account, f"{name}{n}@quayside.example")
        with reserved(account.pk, "command:test", "rights") as use:
            choices.choose(use, Subject.under(use).get(pk=known.id), verb, "direct-marketing")


def test_choices_are_counted_and_small_groups_are_not_told(people: Cast) -> None:
    account, here = people.account, queries.published(people.account.slug)
    said(account, "allow", 4, "yes")
    (few,) = board.rates(here).rates
    assert (few.people, few.share) == (None, None)
    said(account, "allow", 2, "more")
    (enough,) = board.rates(here).rates
    assert (enough.people, enough.share) == (6, 1.0)
    said(account, "withdraw", 3, "no")
    (lopsided,) = board.rates(here).rates
    assert (lopsided.people, lopsided.share) == (9, None), "three who said no are too few"
    said(account, "object", 3, "against")
    found = board.rates(here)
    (both,) = found.rates
    assert (both.people, both.share) == (12, 0.5)
    assert both.choices
    assert found.people == 12
    page = text(client_for(people.rolf), f"/{account.slug}/promise-desk/choices/")
    assert "50%" in page
    assert "quayside.example" not in page


def test_a_line_moves_only_when_enough_have_spoken_since(people: Cast) -> None:
    from collections import Counter

    months = [date(2026, month, 1) for month in (1, 2, 3, 4)]
    spoken = {months[0]: Counter({True: 6, False: 6}), months[1]: Counter({True: 3}), months[2]: Counter({True: 3})}
    assert board._line(spoken, months, 5) == [0.5, 0.5, 12 / 18, 12 / 18]
    assert board._line({months[1]: Counter({True: 2})}, months, 5) == [None] * 4


def test_proofs_over_time_are_drawn_and_told_as_a_table(people: Cast) -> None:
    here = queries.published(people.account.slug)
    assert board.proofs_over_time(here) is None
    actions.prove(people.account)
    chart = board.proofs_over_time(here)
    assert chart is not None
    count = sum(rule.kind != "statement" for rule in here.notice.rules)
    assert sum(one.values[-1] or 0 for one in chart.series) == count
    page = text(client_for(people.rolf), f"/{people.account.slug}/promise-desk/")
    assert "The figures as a table" in page
    assert f"{timezone.localdate() - timedelta(days=89)}" in page, "the first day of the rows of days"

"""Questions about people: lists, filters, search, neighbours, withheld values, and how many statements they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from kept.apps.contacts import actions, queries
from kept.apps.contacts.history import history
from kept.apps.contacts.queries import Filters
from kept.apps.contacts.testing import person
from kept.core.errors import NotFound, Refused
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import choices, ledger, notices
from kept.platform.privacy.gate import acting, looked, reserved
from kept.platform.privacy.testing import cast, notice_text, with_notice

NAMES = [("Ada", "Brandt"), ("Dana", "Marsh"), ("Diana", "Marsh"), ("Jonas", "Olsen"), ("Rosa", "Prieto"), ("Tom", "Wills")]


@contextmanager
def working(account: Account) -> Iterator[Use]:
    with acting(account.pk, "member:1", "customer-relations") as use:
        yield use


@pytest.fixture(scope="module")
def account() -> Account:
    made = with_notice(cast().account)
    for given, family in reversed(NAMES):
        person(
            made,
            given_name=given,
            family_name=family,
            email=f"{given}.{family}@quayside.example".lower(),
            phone="0117 496 0142" if family == "Marsh" else "",
            city="Bristol" if family in ("Marsh", "Olsen") else "Exeter",
            company="Quayside Joinery" if family == "Marsh" else "",
            owner_id=7 if given == "Tom" else None,
            birth_date="1984-02-12",
        )
    return made


def names(account: Account, **filters: Any) -> list[str]:
    with working(account) as use:
        return [one.name for one in queries.people(use, Filters(**filters)).items]


ALL = [f"{given} {family}" for given, family in NAMES]


def test_people_come_by_name_page_by_page(account: Account) -> None:
    with working(account) as use:
        first = queries.people(use, Filters(), size=4)
        second = queries.people(use, Filters(), first.next, size=4)
        back = queries.people(use, Filters(), second.previous, size=4)
    assert [one.name for one in first.items] == ALL[:4]
    assert [one.name for one in second.items] == ALL[4:]
    assert (first.previous, second.next, first.count, first.capped) == ("", "", 6, False)
    assert [one.name for one in back.items] == ALL[:4]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"city": "bristol"}, ALL[1:4]),
        ({"company": "Quayside Joinery"}, ALL[1:3]),
        ({"owner": 7}, ALL[5:]),
        ({"has": ("email",)}, ALL),
        ({"has": ("email", "phone")}, ALL[1:3]),
        ({"basis": "contract"}, ALL),
        ({"basis": "consent"}, []),
        ({"q": "marsh"}, ALL[1:3]),
        ({"q": "dana quay"}, ALL[1:2]),
        ({"q": "496 0142"}, ALL[1:3]),
        ({"q": "exeter"}, [ALL[0], *ALL[4:]]),
        ({"q": "jonas.olsen@quayside.example"}, ALL[3:4]),
        ({"q": "nobody"}, []),
        ({"q": "marsh", "city": "Exeter"}, []),
    ],
)
def test_filters_and_search(account: Account, filters: dict[str, Any], expected: list[str]) -> None:
    assert names(account, **filters) == expected


def test_a_search_that_stops_says_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_FOUND", 2)
    with working(account) as use:
        assert queries.people(use, Filters(q="quayside")).capped


def test_a_line_says_what_a_list_needs(account: Account) -> None:
    with working(account) as use:
        (line,) = queries.people(use, Filters(q="dana")).items
    assert (line.company, line.email, line.phone, line.basis) == (
        "Quayside Joinery",
        "dana.marsh@quayside.example",
        "0117 496 0142",
        "contract",
    )


def test_neighbours_stand_in_the_same_list(account: Account) -> None:
    with working(account) as use:
        bristol = queries.people(use, Filters(city="Bristol")).items
        ids = [one.id for one in bristol]
        assert queries.neighbours(use, Filters(city="Bristol"), ids[1]) == (ids[0], ids[2])
        assert queries.neighbours(use, Filters(city="Bristol"), ids[2]) == (ids[1], None)
        assert queries.neighbours(use, Filters(), ids[2])[1] not in ids


def test_the_hidden_are_not_there(account: Account) -> None:
    hidden = person(account, given_name="Hidden", family_name="Person", email="hidden@quayside.example", city="Truro")
    with working(account) as use:
        subject = queries.record(use, hidden).subject
    with reserved(account.pk, "command:test", "rights") as rights:
        choices.choose(rights, Subject.under(rights).get(pk=subject.pk), "restrict", "all")
    assert names(account, q="hidden") == names(account, city="Truro") == []
    with working(account) as use:
        assert queries.people(use, Filters()).count == 6
        with pytest.raises(NotFound):
            queries.record(use, hidden)


def test_another_account_sees_nobody_of_ours(account: Account) -> None:
    other = with_notice(cast().account)
    theirs = person(other, given_name="Charlie", email="dana.marsh@quayside.example")
    with working(account) as use, pytest.raises(NotFound):
        queries.record(use, theirs)
    assert names(account, q="charlie") == []
    assert names(other) == ["Charlie Marsh"]


def test_the_story_of_a_record(account: Account) -> None:
    made = person(account, given_name="Story", email="story@quayside.example")
    with working(account) as use:
        record = queries.record(use, made)
        reference = record.subject.reference
        looked(use, [reference])
        looked(use, [reference])
        with writing(use):
            ledger.append(use, "disclosure", recipient="Severn Carriers", categories=["name"], subjects=[reference])
    with working(account) as use:
        actions.choose(use, made, "analytics", False)
        told = history(use, queries.record(use, made))
    assert [one.kind for one in told.story] == ["objection", "disclosure", "look", "collection"]
    assert told.story[2].number == 2
    assert told.story[3].said == {"source": "staff", "occasion": "entered by hand"}
    assert [one.recipient for one in told.told] == ["Severn Carriers"]
    standing = {one.purpose: (one.open, one.state) for one in told.standings}
    assert standing == {"analytics": (False, "objected"), "direct-marketing": (False, "")}


def narrow() -> Account:
    """An account whose notice lets customer work read names and emails, and nothing else."""
    made = with_notice(cast().account)
    person(made, email="dana@quayside.example", phone="0117 496 0142", company="Quayside Joinery", job_title="Joiner", city="Bristol")
    text = notice_text().replace('for = ["customer-relations"]', 'for = ["customer-relations", "billing"]')
    head, mark, rest = text.partition('purpose = "customer-relations"\ncategories = [')
    text = f'{head}{mark}"name", "email", "note"{rest[rest.index("]") :]}'
    head, mark, rest = text.partition('purpose = "billing"\ncategories = [')
    text = f'{head}{mark}"phone", "birth-date", "job-title", "source-identifier", {rest}'
    assert mark
    notices.activate(made, text, "command:test")
    return made


def test_what_the_notice_does_not_list_is_withheld_with_the_rule() -> None:
    account = narrow()
    assert names(account) == ["Dana Marsh"]
    assert names(account, city="Bristol") == names(account, company="Quayside Joinery") == names(account, q="0142") == []
    with working(account) as use:
        (line,) = queries.people(use, Filters()).items
        assert (line.email, line.phone, line.company, line.job_title) == ("dana@quayside.example", "", "", "")
        record = queries.record(use, line.id)
        shut = {one.key: one.closed.rule for one in record.values if one.closed}
        assert shut == dict.fromkeys(("job-title", "company", "phone", "address", "birth-date"), "purpose:customer-relations")
        assert all(not one.text for one in record.values if one.closed)
        assert record.shown == ["email", "name"]
        (company,) = queries.companies(use).items
        assert (company.name, company.people) == ("", 1)
        with pytest.raises(Refused):
            actions.change_company(use, company.id, {"name": "Other"})


def counted(ask: Callable[[], object]) -> int:
    """Statements on either database while asking, once the connection is armed."""
    seen = []
    ask()

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(count), connections["keys"].execute_wrapper(count):
        ask()
    return len(seen)


def test_the_number_of_statements_does_not_grow_with_the_people(account: Account) -> None:
    few, many = with_notice(cast().account), account
    one = person(few, city="Bristol", company="Quayside Joinery", phone="0117 496 0142", birth_date="1984-02-12")
    with working(few) as use:
        small = counted(lambda: queries.people(use, Filters(q="quayside")))
        records = counted(lambda: history(use, queries.record(use, one)))
        actions.add_point(use, one, "email", "dana.more@quayside.example")
        actions.add_address(use, one, {"city": "Exeter"})
        for name in ("A", "B", "C"):
            actions.change_person(use, one, queries.record(use, one).changed_at, {"job_title": name})
        assert counted(lambda: history(use, queries.record(use, one))) == records
        companies = counted(lambda: queries.companies(use))
    with working(many) as use:
        assert counted(lambda: queries.people(use, Filters(q="quayside"))) == small
        person(many, email="", company="Harbour Inn", given_name="Zoe")
        person(many, email="", company="Olsen Boats", given_name="Zora")
    with working(many) as use:
        assert counted(lambda: queries.companies(use)) == companies
    assert small < 20
    assert records < 35

"""Changes to people: what they write, note and refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from kept.apps.contacts import actions, queries
from kept.apps.contacts.actions import NewPerson
from kept.apps.contacts.history import history
from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.contacts.queries import Filters, Record
from kept.apps.contacts.testing import person
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices, erasure, subjects
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Identifier, Provenance, ValueOrigin
from kept.platform.privacy.testing import cast, someone, with_notice

CARD = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


@contextmanager
def working(account: Account) -> Iterator[Use]:
    with acting(account.pk, "member:1", "customer-relations") as use:
        yield use


def looked_at(account: Account, person_id: int) -> Record:
    with working(account) as use:
        return queries.record(use, person_id)


def held(account: Account, person_id: int, key: str) -> str:
    return next(one.text for one in looked_at(account, person_id).values if one.key.partition("-")[0] == key or one.key == key)


def found(account: Account, email: str) -> Subject:
    with reserved(account.pk, "command:test", "matching") as use:
        return subjects.find(use, "email", email, "GB")


def restrict(account: Account, subject_id: int) -> None:
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=subject_id), "restrict", "all")


def test_somebody_is_added_whole(account: Account) -> None:
    made = person(
        account,
        email="dana.whole@quayside.example",
        phone="0117 496 0142",
        job_title="Workshop manager",
        company="Quayside  Joinery",
        birth_date="1984-02-12",
        street="42 Mill Lane",
        postcode="BS1 2XX",
        city="Bristol",
    )
    record = looked_at(account, made)
    said = {one.key.split("-")[0] if one.key[-1].isdigit() else one.key: one for one in record.values}
    assert record.name == "Dana Marsh"
    assert {key: one.text for key, one in said.items()} == {
        "name": "Dana Marsh",
        "job-title": "Workshop manager",
        "company": "Quayside Joinery",
        "email": "dana.whole@quayside.example",
        "phone": "0117 496 0142",
        "address": "42 Mill Lane, BS1 2XX Bristol",
        "birth-date": "1984-02-12",
    }
    for one in said.values():
        assert one.why is not None
        assert (one.why.source, one.why.occasion, one.why.basis) == ("staff", "entered by hand", "contract")
        assert one.why.rule == "collect:workshop-notes"
        assert "While we work for you" in one.why.promise
    assert found(account, "Dana.Whole@quayside.example").pk == record.subject.pk


def test_a_date_of_birth_is_stored_sealed(account: Account) -> None:
    made = person(account, birth_date="1984-02-12")
    with working(account) as use:
        assert Person.under(use).get(pk=made).birth_date.startswith("sealed:")
        assert queries.born(use, [looked_at(account, made).subject.pk]).popitem()[1].isoformat() == "1984-02-12"


def test_a_category_comes_in_where_a_rule_lets_it_in_only(account: Account) -> None:
    with pytest.raises(Refused, match="birth-date") as caught:
        person(account, source="subject", birth_date="1984-02-12")
    assert caught.value.rule == "collect:birth-date"
    with working(account) as use:
        sources = actions.enterable(use)
    assert sources["name"] == ["subject", "staff"]
    assert sources["birth-date"] == ["staff"]


@pytest.mark.parametrize("field", ["given_name", "job_title", "email", "phone", "street", "company"])
def test_card_numbers_never_come_in(account: Account, field: str) -> None:
    with pytest.raises(Refused) as caught:
        person(account, **{field: f"pay with {CARD}"})
    assert caught.value.rule == "limit:no-card-numbers"
    assert "1111" not in str(caught.value)


def test_a_child_is_refused(account: Account) -> None:
    with pytest.raises(Refused) as caught:
        person(account, birth_date="2020-01-01")
    assert caught.value.rule == "age:sixteen"
    with pytest.raises(BadInput):
        person(account, birth_date="2020-02-31")
    grown = person(account, birth_date="1984-02-12")
    seen = looked_at(account, grown).changed_at
    with working(account) as use, pytest.raises(Refused):
        actions.change_person(use, grown, seen, {"birth_date": "2020-01-01"})
    assert held(account, grown, "birth-date") == "1984-02-12"


def test_a_known_address_leads_to_its_record(account: Account) -> None:
    first = person(account, email="dana.twice@quayside.example")
    with pytest.raises(Conflict, match="Dana Marsh") as caught:
        person(account, given_name="Diana", email=" DANA.twice@quayside.example")
    assert caught.value.place == f"people/{first}"


def test_a_hidden_person_is_met_but_not_named(account: Account) -> None:
    first = person(account, email="dana.hidden@quayside.example")
    restrict(account, looked_at(account, first).subject.pk)
    with pytest.raises(Conflict) as caught:
        person(account, email="dana.hidden@quayside.example")
    assert "Dana" not in str(caught.value)
    with working(account) as use, pytest.raises(NotFound):
        actions.remove_person(use, first)
    with working(account) as use, pytest.raises(NotFound):
        actions.add_point(use, first, "phone", "0117 496 0142")


def test_the_erased_stay_away_unless_they_come_themselves(account: Account) -> None:
    first = person(account, email="dana.erased@quayside.example")
    erasure.erase(account.pk, "command:test", looked_at(account, first).subject.pk, uuid4().hex, "right:erasure")
    with pytest.raises(Conflict, match="erased"):
        person(account, email="dana.erased@quayside.example")
    other = person(account)
    with working(account) as use, pytest.raises(Conflict, match="erased"):
        actions.add_point(use, other, "email", "dana.erased@quayside.example")
    assert person(account, email="dana.erased@quayside.example", source="subject")


def test_a_subject_without_a_record_gets_one(account: Account) -> None:
    known = someone(account, "dana.asked@quayside.example")
    made = person(account, email=known.email)
    assert looked_at(account, made).subject.pk == known.id


def test_a_change_has_an_origin_of_its_own_and_an_entry(account: Account) -> None:
    made = person(account, job_title="Joiner", company="Quayside Joinery")
    before = looked_at(account, made)
    with working(account) as use:
        actions.change_person(use, made, before.changed_at, {"job_title": "Manager", "company": "Olsen Boats"}, source="subject")
    after = looked_at(account, made)
    assert (after.value("job-title").text, after.value("company").text) == ("Manager", "Olsen Boats")
    for key in ("job-title", "company"):
        why = after.value(key).why
        assert why is not None
        assert (why.source, why.rule) == ("subject", "collect:sign-up")
    assert after.value("name").why == before.value("name").why
    with working(account) as use:
        told = history(use, after).story[0]
    assert (told.kind, told.said) == ("correction", {"fields": ["company", "job_title"]})
    assert told.categories == ("job-title", "organisation")


def test_what_changed_meanwhile_is_not_overwritten(account: Account) -> None:
    made = person(account)
    seen = looked_at(account, made).changed_at
    with working(account) as use:
        actions.change_person(use, made, seen, {"family_name": "Marsh-Olsen"})
        with pytest.raises(Conflict):
            actions.change_person(use, made, seen, {"family_name": "Marsch"})
    assert held(account, made, "name") == "Dana Marsh-Olsen"


def test_emptying_a_value_needs_no_rule(account: Account) -> None:
    made = person(account, birth_date="1984-02-12", company="Quayside Joinery")
    with working(account) as use:
        actions.change_person(use, made, looked_at(account, made).changed_at, {"birth_date": "", "company": ""}, source="subject")
    assert (held(account, made, "birth-date"), held(account, made, "company")) == ("", "")


def test_contact_points_and_who_is_found_by_them(account: Account) -> None:
    made = person(account, email="dana.points@quayside.example")
    with working(account) as use:
        second = actions.add_point(use, made, "email", "dana.second@quayside.example", label="home")
        seen = queries.record(use, made).changed_at
        actions.change_point(use, second, seen, "dana.third@quayside.example", label="home")
        with pytest.raises(Conflict):
            actions.change_point(use, second, seen, "dana.fourth@quayside.example")
        with pytest.raises(BadInput):
            actions.add_point(use, made, "email", "not an address")
    subject = looked_at(account, made).subject
    assert found(account, "dana.third@quayside.example").pk == subject.pk
    with pytest.raises(NotFound):
        found(account, "dana.second@quayside.example")
    with working(account) as use:
        actions.remove_point(use, second)
        assert ContactPoint.under(use).filter(person_id=made).count() == 1
        assert not ValueOrigin.under(use).filter(table=ContactPoint._meta.db_table, row_id=second).exists()
    with pytest.raises(NotFound):
        found(account, "dana.third@quayside.example")


def test_an_address_held_twice_still_finds_its_person(account: Account) -> None:
    made = person(account, email="dana.both@quayside.example")
    with working(account) as use:
        second = actions.add_point(use, made, "email", "DANA.both@quayside.example")
        actions.remove_point(use, second)
    assert found(account, "dana.both@quayside.example")


def test_two_people_share_a_telephone(account: Account) -> None:
    person(account, phone="0117 496 0177")
    assert person(account, phone="+44 117 496 0177")


def test_a_point_of_somebody_else_is_not_taken_over(account: Account) -> None:
    person(account, email="dana.one@quayside.example")
    other = person(account, given_name="Tom")
    with working(account) as use, pytest.raises(Conflict, match="Dana Marsh"):
        actions.add_point(use, other, "email", "dana.one@quayside.example")
    with working(account) as use:
        assert [one.key for one in queries.record(use, other).values if one.category == "email"][1:] == []


def test_addresses(account: Account) -> None:
    made = person(account)
    with working(account) as use:
        one = actions.add_address(use, made, {"street": "1 Quay Street", "city": "Bristol", "country": "GB"})
        actions.change_address(use, one, queries.record(use, made).changed_at, {"street": "2 Quay Street", "city": "Exeter"})
        assert PostalAddress.under(use).get(pk=one).value == "2 Quay Street, Exeter"
        with pytest.raises(BadInput):
            actions.add_address(use, made, {"street": " "})
        actions.remove_address(use, one)
        assert not PostalAddress.under(use).filter(person_id=made).exists()
        with pytest.raises(NotFound):
            actions.remove_address(use, one)


def test_removing_a_record_keeps_the_subject(account: Account) -> None:
    made = person(account, email="dana.removed@quayside.example", street="1 Quay Street", job_title="Joiner")
    subject = looked_at(account, made).subject
    with working(account) as use:
        actions.remove_person(use, made)
        with pytest.raises(NotFound):
            queries.record(use, made)
        assert not ContactPoint.under(use).filter(subject_id=subject.pk).exists()
        assert Identifier.under(use).filter(subject_id=subject.pk).exists()
    again = person(account, email="dana.removed@quayside.example")
    assert looked_at(account, again).subject.pk == subject.pk


def test_an_action_that_is_refused_leaves_nothing(account: Account) -> None:
    with working(account) as use:
        before = Provenance.under(use).count(), Person.under(use).count()
    person(account, email="dana.once@quayside.example")
    with pytest.raises(Conflict):
        person(account, email="dana.once@quayside.example", company="Nowhere Ltd")
    with working(account) as use:
        assert (Provenance.under(use).count(), Person.under(use).count()) == (before[0] + 1, before[1] + 1)
        assert queries.companies(use, "nowhere").items == []


def test_companies(account: Account) -> None:
    made = person(account, company="Harbour Inn")
    with working(account) as use:
        line = queries.companies(use, "harbour").items[0]
        assert (line.name, line.people) == ("Harbour Inn", 1)
        actions.change_company(use, line.id, {"name": "Harbour Inn Ltd", "city": "Exeter", "website": ""})
        assert queries.record(use, made).value("company").text == "Harbour Inn Ltd"
        assert [one.name for one in queries.people_of(use, line.id).items] == ["Dana Marsh"]
        with pytest.raises(BadInput):
            actions.change_company(use, line.id, {"name": " "})
        with pytest.raises(NotFound):
            actions.change_company(use, 999_999_999, {"name": "Other"})
        assert queries.people(use, Filters(company="harbour inn ltd")).count == 1


def test_a_new_entry_needs_something(account: Account) -> None:
    with working(account) as use, pytest.raises(BadInput):
        actions.add_person(use, NewPerson(region="GB"))

"""The guard through the ORM: accounts, masks, columns, writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from kept.apps.contacts.models import Person
from kept.core.errors import NoPurpose, Withheld
from kept.platform.data import rows
from kept.platform.data.search import search
from kept.platform.data.testing import ALL, NOW, account, mask, subjects, use
from kept.platform.data.use import reading, writing
from tests.guard.people import PERSON, add_people


def test_nothing_is_read_without_a_use() -> None:
    with pytest.raises(NoPurpose):
        list(Person.objects.all())


def test_each_account_sees_its_own() -> None:
    ours, theirs = account(), account()
    add_people(ours, ALL, ALL)
    add_people(theirs, ALL)
    with reading(use(ours)) as acting:
        assert Person.under(acting).count() == 2
    with reading(use(theirs)) as acting:
        assert Person.under(acting).count() == 1


def test_the_mask_hides_who_objected() -> None:
    mine = account()
    add_people(mine, ALL, mask("customer-relations"))
    with reading(use(mine, "direct-marketing")) as acting:
        assert [p.given_name for p in Person.under(acting)] == ["Dana0"]


def test_a_changed_mask_reaches_every_row_at_once() -> None:
    mine = account()
    made = subjects(mine, [ALL])
    with writing(use(mine)) as acting:
        rows.insert(acting, Person, PERSON, [(made.ids[0], "Dana", "Marsh", "", NOW, NOW)])
    with writing(use(mine, "rights")) as acting:
        assert rows.set_permits(acting, made.ids, [mask("customer-relations")], [None]) == 1
    with reading(use(mine, "direct-marketing")) as acting:
        assert not Person.under(acting).exists()
    with reading(use(mine)) as acting:
        assert Person.under(acting).exists()


def test_a_mask_that_an_insert_states_does_not_stand() -> None:
    mine = account()
    made = subjects(mine, [mask("customer-relations")])

    def insert() -> None:
        with writing(use(mine)) as acting:
            rows.insert(acting, Person, (*PERSON, "permits"), [(made.ids[0], "Dana", "Marsh", "", NOW, NOW, ALL)])

    if rows.on_postgres():
        with pytest.raises(IntegrityError):
            insert()
    else:
        insert()
    with reading(use(mine, "direct-marketing")) as acting:
        assert not Person.under(acting).exists()


def test_a_withheld_field_says_so_and_names_itself() -> None:
    mine = account()
    add_people(mine, ALL)
    with reading(use(mine, "direct-marketing")) as acting:
        person = Person.under(acting).get()
        assert person.given_name == "Dana0"
        with pytest.raises(Withheld, match="birth-date"):
            _ = person.birth_date
        with pytest.raises(Withheld):
            list(Person.under(acting).filter(birth_date="1985-03-01"))
        with pytest.raises(Withheld):
            list(Person.under(acting).order_by("birth_date"))


def test_a_save_writes_only_what_it_names() -> None:
    mine = account()
    (one,) = add_people(mine, ALL)
    with writing(use(mine, "direct-marketing")) as acting:
        person = Person.under(acting).get()
        person.given_name = "Diana"
        with pytest.raises(NoPurpose):
            person.save()
        person.save(update_fields=["given_name"])
    with reading(use(mine)) as acting:
        person = Person.under(acting).get(id=one)
        assert (person.given_name, person.birth_date) == ("Diana", "1985-03-01")


def test_updates_and_deletes_reach_visible_rows_of_the_account_only() -> None:
    ours, theirs = account(), account()
    mine = add_people(ours, ALL, mask("customer-relations"))
    others = add_people(theirs, ALL)
    with writing(use(ours, "direct-marketing")) as acting:
        assert rows.update(acting, Person, ("given_name",), [(one, "Changed") for one in mine + others]) is not None
        Person.under(acting).filter(id__in=mine + others).delete()
    with reading(use(ours)) as acting:
        assert [p.given_name for p in Person.under(acting)] == ["Dana1"]
    with reading(use(theirs)) as acting:
        assert [p.given_name for p in Person.under(acting)] == ["Dana0"]


def test_search_does_not_mind_accents_capitals_and_marks() -> None:
    mine, names = account(), ["José", "O'Brien", "Anne-Marie", "İstanbul", "émile", "李雷", "a²b"]
    made = subjects(mine, [ALL] * len(names))
    with writing(use(mine)) as acting:
        ids = rows.insert(acting, Person, PERSON, [(one, name, "", "", NOW, NOW) for one, name in zip(made.ids, names, strict=True)])
    asked = {
        "JOSE": 0,
        "josé": 0,
        "brien": 1,
        "o'brien": 1,
        "marie ann": 2,
        "İstanbul": 3,
        "istan": 3,
        "émile": 4,
        "emile": 4,
        "李": 5,
        "a²b": 6,
    }
    with reading(use(mine)) as acting:
        assert {text: search(acting, Person, text) for text in asked} == {text: [ids[n]] for text, n in asked.items()}
        assert search(acting, Person, "' \" * : { NEAR(") == []


def test_search_finds_the_beginnings_of_words_under_the_guard() -> None:
    ours, theirs = account(), account()
    people = add_people(ours, ALL, mask("customer-relations"))
    add_people(theirs, ALL)
    with reading(use(ours)) as acting:
        assert sorted(search(acting, Person, "mar dana")) == people
        assert search(acting, Person, "dana1") == people[1:]
        assert search(acting, Person, "nobody") == []
    with reading(use(ours, "direct-marketing")) as acting:
        assert search(acting, Person, "dana") == people[:1]
    with reading(use(ours, "analytics")) as acting:
        assert search(acting, Person, "dana") == []

"""Arming under transactions, errors, threads and pools: a connection never answers for a use that is not the one entered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connections, models, transaction

from kept.apps.contacts.models import Person
from kept.core.errors import Conflict, NoPurpose, Withheld
from kept.platform.data import rows
from kept.platform.data.datamap import tables
from kept.platform.data.models import Subject
from kept.platform.data.testing import ALL, NOW, account, mask, subjects, use
from kept.platform.data.use import ALIAS, current, reading, writing
from tests.guard.people import PERSON, add_people

COUNT = "SELECT count(*) FROM contacts_person"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    connections[ALIAS].close()


def ask(sql: str = COUNT) -> Any:
    """What the connection answers to raw SQL, past the ORM."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


class Undone(Exception):
    """Ends a transaction that is to leave nothing behind."""


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint inside one, that ends in an exception."""
    try:
        with transaction.atomic(using=ALIAS):
            yield
            raise Undone
    except (Undone, transaction.TransactionManagementError):
        pass


def unarmed() -> bool:
    """Whether the connection refuses personal tables."""
    try:
        ask()
    except DatabaseError:
        return True
    return False


def three_and_one() -> tuple[int, int]:
    """An account with three people, and one with one."""
    ours, theirs = account(), account()
    add_people(ours, ALL, ALL, mask("customer-relations"))
    add_people(theirs, ALL)
    return ours, theirs


def test_no_use_no_data() -> None:
    assert unarmed()
    mine, _ = three_and_one()
    with reading(use(mine)):
        assert ask() == 3
    assert unarmed()


def test_a_use_left_on_an_aborted_connection_does_not_linger() -> None:
    mine, other = three_and_one()
    with undone():
        with reading(use(mine)):
            assert ask() == 3
            with pytest.raises(DatabaseError):
                ask("SELECT nobody FROM contacts_person")
        assert unarmed()  # told anew, or aborted: refused either way
        with reading(use(other)):
            assert unarmed() if rows.on_postgres() else ask() == 1
    assert unarmed()
    with reading(use(other)):
        assert ask() == 1


def test_a_rollback_arms_anew() -> None:
    mine, other = three_and_one()
    with reading(use(other)):
        assert ask() == 1
        with reading(use(mine)):
            with undone():
                with reading(use(other)):
                    assert ask() == 1
                assert ask() == 3
            assert ask() == 3
        assert ask() == 1


def test_a_rollback_to_a_savepoint_arms_anew() -> None:
    mine, other = three_and_one()
    with transaction.atomic(using=ALIAS):
        with reading(use(mine)):
            assert ask() == 3
            with undone(), reading(use(other)):
                assert ask() == 1
            assert ask() == 3
        assert current() is None


@pytest.mark.parametrize("undo", ["ROLLBACK", "  rollback to s"])
def test_a_rollback_in_words_arms_anew(undo: str) -> None:
    mine, other = three_and_one()
    with reading(use(mine)):
        ask()
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SAVEPOINT s")
            with reading(use(other)):
                assert ask() == 1
                cursor.execute(undo)
                assert ask() == 1
            if "to" in undo:
                cursor.execute("ROLLBACK")
        assert ask() == 3


@pytest.mark.sqlite
def test_a_rollback_that_an_error_brings_arms_anew() -> None:
    """SQLite itself undoes the transaction, and with it what the connection was told inside it."""
    mine, other = three_and_one()
    with reading(use(other)) as acting:
        held = Person.under(acting).get().subject_id
    with reading(use(mine)):
        ask()

    def act() -> None:
        with writing(use(other)):
            assert ask() == 1
            with pytest.raises(DatabaseError):
                ask(
                    "INSERT OR ROLLBACK INTO main.contacts_person(account_id, subject_id, given_name, created_at, changed_at)"
                    f" VALUES ({other}, {held}, NULL, '', '')"
                )
            assert ask() == 1
            raise Undone

    with pytest.raises(Undone):
        act()


def test_uses_nest() -> None:
    mine, other = three_and_one()
    with reading(use(mine)) as outer:
        with reading(use(mine, "direct-marketing")) as inner:
            assert (current(), ask()) == (inner, 2)
        with reading(use(other)):
            assert ask() == 1
        assert (current(), ask()) == (outer, 3)


def test_an_action_does_not_enter_another_account() -> None:
    mine, other = three_and_one()
    with writing(use(mine)), pytest.raises(Conflict), reading(use(other)):
        pass


def test_a_question_inside_an_action_leaves_it_writing() -> None:
    mine, _ = three_and_one()
    with writing(use(mine)) as acting:
        with reading(use(mine, "direct-marketing")):
            assert ask() == 2
        assert rows.update(acting, Person, ("job_title",), [(Person.under(acting)[0].pk, "x")]) == 1


def test_a_use_entered_inside_a_transaction_that_is_undone() -> None:
    mine, _ = three_and_one()
    with undone(), reading(use(mine)):
        assert ask() == 3
    assert current() is None
    assert unarmed()


def test_an_exception_inside_an_action_undoes_all_of_it() -> None:
    mine, _ = three_and_one()
    made = subjects(mine, [ALL])

    def act() -> None:
        with writing(use(mine)) as acting:
            rows.insert(acting, Person, PERSON, [(made.ids[0], "New", "", "", NOW, NOW)])
            assert ask() == 4
            raise Undone

    with pytest.raises(Undone):
        act()
    assert unarmed()
    with reading(use(mine)):
        assert ask() == 3


@pytest.mark.postgresql
def test_a_connection_taken_from_a_pool_is_not_armed() -> None:
    """A pool hands the session on as it was left: what stands for it here is the same session in another wrapper."""
    mine, _ = three_and_one()
    one = connections[ALIAS]
    with reading(use(mine)):
        assert ask() == 3
        raw = one.connection
    other = one.copy(ALIAS)
    other.get_new_connection = lambda conn_params: raw  # type: ignore[method-assign]
    other.connect()
    with other.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute(COUNT)
    with other.cursor() as cursor:
        cursor.execute("SELECT current_setting('kept.account', true), current_user = session_user")
        assert cursor.fetchone() == ("", True)


def test_a_connection_opened_anew_inside_a_use_is_armed() -> None:
    mine, _ = three_and_one()
    with reading(use(mine)):
        assert ask() == 3
        connections[ALIAS].close()
        assert ask() == 3
    connections[ALIAS].close()
    assert unarmed()


def test_a_use_is_its_thread_s_own() -> None:
    mine, other = three_and_one()
    seen: list[object] = []

    def work() -> None:
        try:
            seen.append(current())
            seen.append(unarmed())
            with reading(use(other)):
                seen.append(ask())
        finally:
            connections.close_all()

    with reading(use(mine)):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert ask() == 3
    assert seen == [None, True, 1]


def test_rows_that_come_one_by_one_stop_with_their_use() -> None:
    mine, other = three_and_one()
    with reading(use(mine)) as acting:
        each = Person.under(acting).order_by("pk").iterator(chunk_size=1)
        next(each)
    with reading(use(other)), pytest.raises(NoPurpose):
        next(each)
    with reading(use(mine)) as acting:
        assert len(list(Person.under(acting).iterator(chunk_size=1))) == 3
    with pytest.raises(NoPurpose):
        next(Person.objects.iterator())


def test_a_question_is_asked_within_the_use_it_was_made_for() -> None:
    mine, other = three_and_one()
    with reading(use(mine)) as acting:
        people = Person.under(acting)
    questions: list[Callable[[], object]] = [lambda: list(people), people.count, people.exists, lambda: people.aggregate(models.Max("pk"))]
    for question in questions:
        with pytest.raises(NoPurpose):
            question()
        with reading(use(other)), pytest.raises(NoPurpose):
            question()
        with reading(use(mine, "direct-marketing")), pytest.raises(NoPurpose):
            question()


def test_rows_are_written_inside_an_action_only() -> None:
    mine, _ = three_and_one()
    with reading(use(mine)) as acting:
        person = Person.under(acting)[0]
        with pytest.raises(NoPurpose):
            person.save(update_fields=["given_name"])
        with pytest.raises(NoPurpose):
            Person.under(acting).update(given_name="x")
        with pytest.raises(NoPurpose):
            Person.under(acting).delete()
        with pytest.raises(NoPurpose):
            Person.objects.bulk_create([Person(account_id=mine, subject_id=person.subject_id, created_at=NOW, changed_at=NOW)])


def test_a_condition_of_a_write_is_a_question_like_any_other() -> None:
    mine, other = three_and_one()
    with writing(use(mine, "direct-marketing")):
        everybody = Person.objects.filter(given_name__startswith="Dana")
        assert everybody.update(family_name="Found") == 2
    with pytest.raises(Withheld), writing(use(mine, "direct-marketing")):
        everybody.filter(birth_date="1985-03-01").update(family_name="x")
    with pytest.raises(Withheld), writing(use(mine, "direct-marketing")) as acting:
        Person.under(acting).update(birth_date="")
    with writing(use(mine, "direct-marketing")):
        assert everybody.filter(family_name="Found").delete()[0] == 2
    with reading(use(mine)) as acting:
        assert [p.family_name for p in Person.under(acting)] == ["Marsh"]
    with reading(use(other)) as acting:
        assert [p.family_name for p in Person.under(acting)] == ["Marsh"]


@pytest.mark.postgresql
@pytest.mark.parametrize("setting", ["", None])
def test_empty_settings_are_no_account(setting: str | None) -> None:
    mine, _ = three_and_one()
    with reading(use(mine)):
        assert ask() == 3
        for name in ("account", "bit", "categories"):
            ask(f"SELECT set_config('kept.{name}', {'NULL' if setting is None else repr(setting)}, false)")
        assert ask() == 0


def test_unique_keys_and_references_start_with_the_account() -> None:
    """Else a violation would tell one account what another holds. The id itself is a number that says nothing."""
    with connections["owner"].cursor() as cursor:
        for table in tables():
            found = connections["owner"].introspection.get_constraints(cursor, table.name)
            for name, key in found.items():
                if (key["unique"] and not key["primary_key"]) or key["foreign_key"]:
                    assert key["columns"][0] == "account_id", (table.name, name)


def test_an_action_goes_on_after_a_statement_that_failed_in_a_savepoint() -> None:
    mine = account()
    subjects(mine, [ALL])
    with writing(use(mine)) as acting:
        for _ in range(2):
            with pytest.raises(DatabaseError), transaction.atomic():
                ask("SELECT no_such_column FROM contacts_person")
        assert Subject.under(acting).count() == 1

"""The bound connection itself: what a login that somebody keeps, as a BI tool would, can and cannot do; limits; leftovers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from kept.core.errors import BadInput, Refused
from kept.platform.data import bound
from kept.platform.data.datamap import platform_tables
from kept.platform.data.guard import postgres
from kept.platform.data.guard.sqlite import ConnectionGuard
from kept.platform.data.testing import ALL, account, mask, use
from tests.guard.people import add_people

COUNT = "SELECT count(*) FROM contacts_person"


@contextmanager
def login(account_id: int, seconds: int = 60) -> Iterator[Any]:
    """A session of a bound login, without the cursor that `ask` puts between."""
    import psycopg

    acting = use(account_id, "direct-marketing")
    parameters = connections["default"].get_connection_params()
    with connections["owner"].cursor() as owner:
        name, password = postgres.bind(owner, acting, seconds)
        try:
            kept = {key: value for key, value in parameters.items() if key in ("dbname", "host", "port")}
            with psycopg.connect(**kept, user=name, password=password, autocommit=True) as connection:
                yield connection
        finally:
            postgres.unbind(owner, name)


@pytest.mark.postgresql
def test_a_bound_login_sees_its_use_whatever_it_sets() -> None:
    import psycopg

    mine, other = account(), account()
    add_people(mine, ALL, mask("customer-relations"))
    add_people(other, ALL, ALL, ALL)
    with login(mine) as connection:
        assert connection.execute(COUNT).fetchone() == (1,)
        for name, value in (("account", other), ("bit", -1), ("categories", "*")):
            connection.execute(f"SET kept.{name} = '{value}'")
        assert connection.execute(COUNT).fetchone() == (1,)
        for statement in (
            "SELECT birth_date FROM contacts_person",
            "SELECT * FROM guard.binding",
            "UPDATE guard.binding SET account = 1",
            "SELECT guard.set_permits(NULL, NULL, NULL)",
            "SELECT guard.search_contacts_person(ARRAY['dana'], 9)",
            "SELECT * FROM accounts_user",
            "SELECT * FROM data_subject",
            "SELECT * FROM privacy_identifier",
            "DELETE FROM contacts_person",
            "UPDATE contacts_person SET given_name = ''",
            "CREATE TABLE public.t (x int)",
            "CREATE TEMP TABLE t AS SELECT * FROM contacts_company",
            "SET ROLE kept_login",
            "SET ROLE kept_owner",
            "SET SESSION AUTHORIZATION kept_owner",
            "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
            "ALTER ROLE CURRENT_USER BYPASSRLS",
            "SELECT nextval('contacts_person_id_seq')",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)


@pytest.mark.postgresql
@pytest.mark.parametrize("ending", ["UPDATE guard.binding SET expires = now() - interval '1 second'", "DELETE FROM guard.binding"])
def test_a_binding_that_ended_is_no_access_also_for_a_session_that_stays(ending: str) -> None:
    mine = account()
    add_people(mine, ALL)
    with login(mine) as connection, connections["owner"].cursor() as owner:
        assert connection.execute(COUNT).fetchone() == (1,)
        connection.execute("BEGIN")
        assert connection.execute(COUNT).fetchone() == (1,)
        owner.execute(ending)
        connection.execute(f"SET kept.account = '{mine}'; SET kept.bit = '-1'")
        assert connection.execute(COUNT).fetchone() == (0,)


@pytest.mark.postgresql
def test_no_login_is_left_behind() -> None:
    mine = account()
    add_people(mine, ALL)
    with connections["owner"].cursor() as owner:
        name, _ = postgres.bind(owner, use(mine), 60)
        owner.execute("UPDATE guard.binding SET expires = now() - interval '1 second' WHERE login = %s", [name])
        with pytest.raises(BadInput):
            bound.ask(use(mine), "SELECT 1 / 0")
        owner.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE %s", [f"{postgres.prefix(owner)}_bound_%"])
        assert owner.fetchone() == (0,)
        owner.execute("SELECT count(*) FROM guard.binding")
        assert owner.fetchone() == (0,)


def test_a_statement_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "SECONDS", 1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(BadInput, match="longer than 1 second"):
        bound.ask(use(account()), endless)


@pytest.mark.postgresql
def test_a_statement_cannot_lift_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "SECONDS", 1)
    with pytest.raises(BadInput, match="longer than 1 second"):
        bound.ask(use(account()), "SELECT set_config('statement_timeout', '0', false), pg_sleep(5) FROM generate_series(1, 3)")


@pytest.mark.sqlite
def test_values_do_not_grow_without_end() -> None:
    with pytest.raises(BadInput):
        bound.ask(
            use(account()),
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT group_concat('{'x' * 20_000}') FROM n",
        )


@pytest.mark.sqlite
def test_the_file_is_opened_for_reading() -> None:
    mine = account()
    add_people(mine, ALL)
    with pytest.raises(Refused):
        bound.ask(use(mine), "WITH x AS (SELECT 1) DELETE FROM main.contacts_person")


@pytest.mark.sqlite
def test_no_table_that_anybody_writes_takes_rows_past_the_authorizer() -> None:
    """`INSERT … SELECT *` between tables of one shape asks the authorizer nothing of the source, unless a trigger stands on the target."""
    asked: list[int] = []

    def note(action: int, *_: object) -> int:
        asked.append(action)
        return sqlite3.SQLITE_OK

    raw = sqlite3.connect(":memory:", isolation_level=None)
    for name in ("a", "b"):
        raw.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, said TEXT)")
    raw.set_authorizer(note)
    raw.execute("INSERT INTO b SELECT * FROM a")
    assert sqlite3.SQLITE_READ not in asked
    raw.close()
    raw = sqlite3.connect(connections["default"].settings_dict["NAME"], isolation_level=None)
    guard = ConnectionGuard.install(raw)
    held = {
        name for (name,) in raw.execute("SELECT tbl_name FROM temp.sqlite_master WHERE type = 'trigger' AND sql LIKE '%BEFORE INSERT%'")
    }
    present = {name for (name,) in raw.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    assert held == (platform_tables() & present) | set(guard.inner)
    raw.close()

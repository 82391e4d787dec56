"""The guard in the database is the one that was installed, or the server does not start. Installing puts it right again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from kept.apps.contacts.models import Person
from kept.core.errors import GuardDrift
from kept.platform.data import rows
from kept.platform.data.guard import install
from kept.platform.data.rows import on_postgres
from kept.platform.data.search import search
from kept.platform.data.testing import ALL, account, mask, use
from kept.platform.data.use import Columns, reading, writing
from tests.guard.people import add_people

POSTGRES = {
    "policy dropped": "DROP POLICY guarded ON contacts_person",
    "policy added": "CREATE POLICY open ON contacts_person USING (true)",
    "policy altered": "ALTER POLICY guarded ON contacts_person USING (true)",
    "row security off": "ALTER TABLE contacts_person DISABLE ROW LEVEL SECURITY",
    "trigger dropped": "DROP TRIGGER guard_mask ON contacts_person",
    "trigger disabled": "ALTER TABLE contacts_person DISABLE TRIGGER guard_mask",
    "trigger added": "CREATE TRIGGER more BEFORE UPDATE ON contacts_company EXECUTE FUNCTION guard.fill_mask()",
    "grant on a table": "GRANT SELECT ON contacts_person TO {login}",
    "grant on a column": "GRANT SELECT (birth_date) ON contacts_person TO {login}",
    "grant to all": "GRANT SELECT ON contacts_person TO PUBLIC",
    "grant on the bindings": "GRANT UPDATE ON guard.binding TO {login}",
    "grant on a sequence": "GRANT UPDATE ON SEQUENCE contacts_person_id_seq TO PUBLIC",
    "function altered": "CREATE OR REPLACE FUNCTION guard.bit() RETURNS bigint LANGUAGE sql AS 'SELECT -1::bigint'",
    "function opened": "GRANT EXECUTE ON FUNCTION guard.set_permits(bigint[], bigint[], timestamptz[]) TO PUBLIC",
    "function's path": "ALTER FUNCTION guard.account() RESET search_path",
    "function added": "CREATE FUNCTION guard.leak() RETURNS text SECURITY DEFINER LANGUAGE sql AS 'SELECT max(name) FROM contacts_company'",
    "view added": "CREATE VIEW everybody AS SELECT * FROM contacts_person",
    "schema opened": "GRANT CREATE ON SCHEMA public TO {login}",
    "temporary tables allowed": "GRANT TEMPORARY ON DATABASE {database} TO {login}",
    "key dropped": "ALTER TABLE contacts_contactpoint DROP CONSTRAINT guard_subject_contacts_contactpoint",
    "login inherits": "ALTER ROLE {login} INHERIT",
    "login makes roles": "ALTER ROLE {login} CREATEROLE",
    "login is another's": "CREATE ROLE kept_another NOLOGIN; GRANT kept_another TO {login}",
    "column role logs in": "ALTER ROLE {role} LOGIN",
}
SQLITE = {
    "trigger dropped": "DROP TRIGGER {mask}",
    "trigger added": "CREATE TRIGGER more AFTER UPDATE ON contacts_person BEGIN SELECT 1; END",
    "view added": "CREATE VIEW everybody AS SELECT * FROM contacts_person",
    "full-text table dropped": "DROP TABLE guard_fts_contacts_person",
    "guard forgotten": "DELETE FROM guard_state",
}
MENDED_BY_HAND = {
    "login inherits": "ALTER ROLE {login} NOINHERIT",
    "login makes roles": "ALTER ROLE {login} NOCREATEROLE",
    "login is another's": "DROP ROLE kept_another",
    "column role logs in": "ALTER ROLE {role} NOLOGIN",
    "function added": "DROP FUNCTION guard.leak()",
    "view added": "DROP VIEW everybody",
    "schema opened": "REVOKE CREATE ON SCHEMA public FROM {login}",
    "temporary tables allowed": "REVOKE TEMPORARY ON DATABASE {database} FROM {login}",
}
"""What `install` does not take back. It names the cure, or leaves alone what may be somebody's."""


def _run(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        names = {"login": connections["default"].settings_dict["USER"]}
        if on_postgres():
            cursor.execute("SELECT current_database(), (SELECT min(name) || '_w' FROM guard.column_role)")
            names["database"], names["role"] = cursor.fetchone()
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'guard_mask_new_contacts_person%'")
            names["mask"] = cursor.fetchone()[0]
        cursor.execute(statement.format(**names))


@contextmanager
def _drifted(what: str, statement: str) -> Iterator[None]:
    _run(statement)
    try:
        yield
    finally:
        if what in MENDED_BY_HAND and on_postgres():
            _run(MENDED_BY_HAND[what])
        install.install()
        connections["default"].close()


def _drift(what: str, statement: str) -> None:
    install.compare()
    with _drifted(what, statement), pytest.raises(GuardDrift) as caught:
        install.compare()
    assert caught.value.cure
    install.compare()


@pytest.mark.postgresql
@pytest.mark.parametrize("what", POSTGRES)
def test_drift_on_postgresql(what: str) -> None:
    _drift(what, POSTGRES[what])


@pytest.mark.sqlite
@pytest.mark.parametrize("what", SQLITE)
def test_drift_on_sqlite(what: str) -> None:
    _drift(what, SQLITE[what])


@pytest.mark.postgresql
def test_drift_is_not_blessed_by_a_new_purpose() -> None:
    with _drifted("row security off", POSTGRES["row security off"]):
        with pytest.raises(GuardDrift):
            install.open_columns(Columns(frozenset({"name", "phone"}), frozenset()))
        with pytest.raises(GuardDrift):
            install.compare()
    install.compare()


@pytest.mark.postgresql
def test_an_owner_who_serves_is_refused() -> None:
    settings = connections["default"].settings_dict
    before, settings["USER"] = settings["USER"], connections["owner"].settings_dict["USER"]
    try:
        with pytest.raises(GuardDrift, match="owner"):
            install.install()
    finally:
        settings["USER"] = before
    install.compare()


def test_another_map_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "map_digest", lambda: "another")
    with pytest.raises(GuardDrift, match="another version"):
        install.compare()


def test_migrating_twice_leaves_masks_and_search_right() -> None:
    mine = account()
    people = add_people(mine, ALL, mask("customer-relations"))
    for _ in range(2):
        install.migrate()
        install.compare()
    with reading(use(mine, "direct-marketing")) as acting:
        assert search(acting, Person, "dana") == people[:1]
    with writing(use(mine)) as acting:
        rows.update(acting, Person, ("family_name",), [(people[1], "Renamed")])
    with writing(use(mine, "rights")) as acting:
        held = list(Person.under(acting).order_by("pk").values_list("subject_id", flat=True))
        rows.set_permits(acting, held, [mask("customer-relations"), ALL], [None, None])
    with reading(use(mine, "direct-marketing")) as acting:
        assert search(acting, Person, "renam") == people[1:]
        assert [p.pk for p in Person.under(acting)] == people[1:]
    with reading(use(mine)) as acting:
        assert sorted(search(acting, Person, "dana")) == people
        assert search(acting, Person, "dana1 marsh") == []

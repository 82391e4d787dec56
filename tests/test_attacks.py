"""The attack list: what anybody may type, and what nobody may obtain by it. It grows with each bug.

Each statement is run by three ways: `b` through `kept sql`'s bound connection, `r` and `w` through the application's armed connection,
reading and inside an action. The purpose is direct marketing with names and job titles: nobody obtains an email address, a telephone
number or a date of birth, nor anything of a person who objected, nor of a record whose fence is closed to it, nor of another account,
neither in an answer nor in an error.

`unprotected` ways are those of which the design says so: on PostgreSQL, settings and roles protect against our own mistakes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from django.db import connections

from kept.apps.contacts.models import Company, ContactPoint, Person
from kept.core.errors import KeptError
from kept.platform.data import bound, rows
from kept.platform.data.guard import install, postgres
from kept.platform.data.testing import ALL, BITS, NOW, account, mask, subjects, use
from kept.platform.data.use import OPEN_MASK, Columns, Use, reading, writing
from tests.plugin import ENGINE
from tests.test_tidy import BANNED_CALLS

CANARY = "zqxcanary"
READABLE = frozenset({"name", "job-title"})


@dataclass(frozen=True)
class World:
    """Dana agrees to marketing, Omar objected, Petra's record is from where marketing may use nothing; Charlie's account keeps records of
    others. Values that begin with `zqx` are forbidden.
    """

    mine: int
    theirs: int
    dana: int
    omar: int
    petra: int
    other: int
    stranger: int
    company: int
    use: Use

    def fill(self, statement: str) -> str:
        """The statement with this world's numbers and roles."""
        for name in ("mine", "theirs", "dana", "omar", "petra", "other", "stranger", "company"):
            statement = statement.replace(f"<{name}>", str(getattr(self, name)))
        if "<rights role>" in statement:
            with connections["owner"].cursor() as cursor:
                cursor.execute("SELECT 1")  # connects
                statement = statement.replace("<rights role>", postgres.role_name(cursor, use(self.mine, "rights")))
        return statement


def _record(account_id: int, permits: int, name: str, email: str, born: str, fence: int = OPEN_MASK) -> tuple[int, int, int]:
    """A person with a company, an address and a number; the ids of person, subject and company."""
    made = subjects(account_id, [permits]).ids[0]
    with writing(use(account_id)) as acting:
        (company,) = rows.insert(acting, Company, ("name", "created_at"), [(f"{CANARY}company{account_id}", NOW)])
        names = ("subject", "given_name", "family_name", "job_title", "birth_date", "company", "fence", "created_at", "changed_at")
        (person,) = rows.insert(acting, Person, names, [(made, name, name, "17", born, company, fence, NOW, NOW)])
        points = [(made, person, kind, "form", fence, value) for kind, value in (("email", email), ("phone", f"{CANARY}5550100"))]
        rows.insert(acting, ContactPoint, ("subject", "person", "category", "source", "fence", "value"), points)
    return person, made, company


def make() -> World:
    """A fresh world."""
    mine, theirs = account(), account()
    columns = Columns(READABLE, READABLE)
    install.open_columns(columns)
    dana, _, _ = _record(mine, ALL, "Dana", f"{CANARY}dana@mail.example", f"{CANARY}1985")
    omar, _, _ = _record(mine, mask("customer-relations"), f"{CANARY}omar", f"{CANARY}omar@mail.example", f"{CANARY}1986")
    shut = OPEN_MASK & ~(1 << BITS["direct-marketing"])
    petra, _, _ = _record(mine, ALL, f"{CANARY}petra", f"{CANARY}petra@mail.example", f"{CANARY}1984", shut)
    other, stranger, company = _record(theirs, ALL, f"{CANARY}other", f"{CANARY}other@mail.example", f"{CANARY}1987")
    for _ in range(3):
        _record(theirs, ALL, f"{CANARY}more", f"{CANARY}more@mail.example", f"{CANARY}1988")
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    bound_to = Use(mine, "command:test", "direct-marketing", BITS["direct-marketing"], columns)
    return World(mine, theirs, dana, omar, petra, other, stranger, company, bound_to)


@pytest.fixture(scope="module")
def world() -> World:
    return make()


@pytest.fixture(autouse=True)
def fresh_connection() -> Iterator[None]:
    """A session that an attack told something is not used again."""
    yield
    connections["default"].close()


class Attack(NamedTuple):
    """`most` is the largest number that the answer may hold: what can be counted of Dana alone. Steps are parted by `;;`."""

    name: str
    engines: str
    statement: str
    most: int = 1
    unprotected: str = ""


LATERAL = "set_config changes the session's account; policies believe the application's login"
ROLES = "SET ROLE changes the session's columns; the application's login may take any role of ours"
PERSON, POINT = "contacts_person", "contacts_contactpoint"
READS = [
    Attack("plain", "sp", f"SELECT * FROM {POINT}"),
    Attack("every plain column", "sp", f"SELECT given_name, family_name, job_title, company_id IS NULL FROM {PERSON}", most=17),
    Attack("withheld column", "sp", f"SELECT birth_date FROM {PERSON}"),
    Attack("schema-qualified", "sp", f"SELECT value FROM main.{POINT}"),
    Attack("schema in capitals", "s", f"SELECT count(*) FROM MAIN.{PERSON}"),
    Attack("schema in capitals, no column", "s", f'SELECT count(*) FROM "Main".{PERSON.upper()}'),
    Attack("public schema", "p", f"SELECT given_name FROM public.{PERSON}"),
    Attack("temp schema", "s", f"SELECT birth_date FROM temp.{PERSON}"),
    Attack("where", "sp", f"SELECT 2 FROM {PERSON} WHERE birth_date LIKE 'zqx%'", most=1),
    Attack("where on value", "sp", f"SELECT count(*) FROM {POINT} WHERE value LIKE 'zqx%'", most=0),
    Attack("order by", "sp", f"SELECT given_name FROM {PERSON} ORDER BY birth_date"),
    Attack("group by", "sp", f"SELECT count(*) FROM {PERSON} GROUP BY birth_date"),
    Attack("having", "sp", f"SELECT 9 FROM {PERSON} GROUP BY id HAVING max(birth_date) > 'z'", most=1),
    Attack("aggregate", "sp", f"SELECT max(birth_date), min(birth_date) FROM {PERSON}"),
    Attack("aggregate of strings", "s", f"SELECT group_concat(value) FROM {POINT}"),
    Attack("aggregate of strings", "p", f"SELECT string_agg(value, ',') FROM {POINT}"),
    Attack("array", "p", f"SELECT array_agg(p) FROM {PERSON} p"),
    Attack("whole row", "p", f"SELECT p FROM {PERSON} p"),
    Attack("row as JSON", "p", f"SELECT row_to_json(p) FROM {PERSON} p"),
    Attack("hex and quote", "s", f"SELECT hex(birth_date), quote(birth_date), typeof(birth_date) FROM {PERSON}"),
    Attack("subquery", "sp", f"SELECT (SELECT max(value) FROM {POINT})"),
    Attack("correlated subquery", "sp", f"SELECT (SELECT c.value FROM {POINT} c WHERE c.person_id = p.id LIMIT 1) FROM {PERSON} p"),
    Attack("exists", "sp", f"SELECT EXISTS (SELECT 1 FROM {PERSON} WHERE account_id = <theirs>)", most=0),
    Attack("another account", "sp", f"SELECT count(*) FROM {PERSON} WHERE account_id <> <mine> OR 1 = 1"),
    Attack("who objected", "sp", f"SELECT count(*) FROM {PERSON} WHERE id = <omar>", most=0),
    Attack("behind a fence", "sp", f"SELECT given_name FROM {PERSON} WHERE id = <petra>", most=0),
    Attack("behind a fence, counted", "sp", f"SELECT count(*) FROM {PERSON} WHERE id = <petra> AND fence > 0", most=0),
    Attack("behind a fence, by a join", "sp", f"SELECT q.given_name FROM {PERSON} p LEFT JOIN {PERSON} q ON q.id = <petra>", most=0),
    Attack("union", "sp", f"SELECT given_name FROM {PERSON} UNION ALL SELECT value FROM {POINT}"),
    Attack("join", "sp", f"SELECT c.value FROM {PERSON} p JOIN {POINT} c ON c.person_id = p.id"),
    Attack("left join", "sp", f"SELECT c.value FROM {PERSON} p LEFT JOIN {POINT} c ON true"),
    Attack("full join", "sp", f"SELECT q.given_name FROM {PERSON} p FULL JOIN {PERSON} q ON p.id = q.id"),
    Attack("window", "sp", f"SELECT first_value(birth_date) OVER (ORDER BY id), lag(birth_date) OVER (ORDER BY id) FROM {PERSON}"),
    Attack("window over all", "sp", f"SELECT count(*) OVER () FROM {PERSON}"),
    Attack("common table of its name", "s", f"WITH {PERSON} AS (SELECT * FROM main.{PERSON}) SELECT given_name FROM {PERSON}"),
    Attack("common table of its name", "p", f"WITH {PERSON} AS (SELECT * FROM public.{PERSON}) SELECT given_name FROM {PERSON}"),
    Attack("nested common table", "s", f"SELECT (WITH {POINT} AS (SELECT max(value) v FROM main.{POINT}) SELECT v FROM {POINT})"),
    Attack(
        "recursive common table",
        "s",
        f"WITH RECURSIVE {PERSON}(x) AS (SELECT max(given_name) FROM main.{PERSON} UNION SELECT 1) SELECT x FROM {PERSON}",
    ),
    Attack(
        "common table of an index's name",
        "s",
        f"WITH guard_fts_{POINT} AS (SELECT value v FROM main.{POINT}) SELECT v FROM guard_fts_{POINT}",
    ),
    Attack("cast", "sp", f"SELECT CAST(value AS integer) FROM {POINT}"),
    Attack("cast of a name", "sp", f"SELECT CAST(given_name AS integer) FROM {PERSON}"),
    Attack("cast of who objected", "p", f"SELECT given_name::int FROM {PERSON} WHERE given_name LIKE 'zqx%'"),
    Attack("leaky function before the policy", "p", f"SELECT 1 FROM {PERSON} WHERE (given_name || id)::int = 1 OR family_name ~ '('"),
    Attack("division", "p", f"SELECT 1 / (length(given_name) - 4) FROM {PERSON}"),
    Attack("JSON path as error", "s", f"SELECT json_extract('{{}}', given_name) FROM {PERSON}"),
    Attack("JSON of a table", "s", f"SELECT json_group_array(json_object('v', birth_date)) FROM {PERSON}"),
    Attack("json_each over a table", "s", f"SELECT j.value FROM {PERSON} p, json_each(json_array(p.birth_date)) j"),
    Attack("table function over settings", "s", f"SELECT * FROM pragma_table_info('{PERSON}')"),
    Attack("query to XML", "p", f"SELECT query_to_xml('SELECT value FROM {POINT}', true, false, '')"),
    Attack("table to XML", "p", f"SELECT table_to_xml('{POINT}', true, false, '')"),
    Attack("database to XML", "p", "SELECT schema_to_xml('public', true, false, '')"),
    Attack("ts_stat runs a query", "p", f"SELECT * FROM ts_stat('SELECT to_tsvector(value) FROM {POINT}')"),
    Attack("full-text table", "s", f"SELECT value FROM guard_fts_{POINT}"),
    Attack("full-text table, quoted", "s", f'SELECT "value" FROM "main"."Guard_FTS_{POINT}"'),
    Attack("full-text match", "s", f"SELECT rowid FROM guard_fts_{POINT} WHERE guard_fts_{POINT} MATCH 'zqx*'"),
    Attack("full-text words", "s", f"SELECT block FROM guard_fts_{POINT}_data"),
    Attack("full-text sizes", "s", f"SELECT * FROM guard_fts_{POINT}_docsize"),
    Attack("full-text vocabulary", "s", f"CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, guard_fts_{POINT}, row)"),
    Attack("count of a full-text table", "s", f"SELECT count(*) FROM GUARD_FTS_{POINT}_DOCSIZE"),
    Attack("search function, all columns", "p", f"SELECT count(*) FROM guard.search_{POINT}(ARRAY['zqx'], 99)", most=0),
    Attack("search function, hidden", "p", f"SELECT count(*) FROM guard.search_{PERSON}(ARRAY['zqx'], 99)", most=0),
    Attack("search index", "p", "SELECT * FROM guard_search_contacts_person"),
    Attack("the armed row", "s", "SELECT * FROM armed"),
    Attack("the armed row, counted", "s", "SELECT count(*) FROM temp.ARMED", most=0),
    Attack("the armed categories", "s", "SELECT count(*) FROM armed_category", most=0),
    Attack("schema table", "s", "SELECT sql FROM sqlite_master"),
    Attack("schema table of temp", "s", "SELECT * FROM sqlite_temp_master"),
    Attack("schema table, newer name", "s", "SELECT name FROM temp.sqlite_schema"),
    Attack("statistics", "s", "SELECT * FROM sqlite_stat1"),
    Attack("pages", "s", "SELECT * FROM dbstat"),
    Attack("pages, counted", "s", "SELECT count(*) FROM dbstat", most=0),
    Attack("raw pages", "s", "SELECT data FROM sqlite_dbpage"),
    Attack("statements", "s", "SELECT sql FROM sqlite_stmt"),
    Attack("bytecode", "s", f"SELECT * FROM bytecode('SELECT value FROM {POINT}')"),
    Attack("last numbers", "s", "SELECT * FROM sqlite_sequence"),
    Attack("statistics", "p", "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE tablename LIKE 'contacts%'"),
    Attack("statistics, raw", "p", "SELECT stavalues1::text FROM pg_statistic"),
    Attack("statistics, extended", "p", "SELECT * FROM pg_stats_ext"),
    Attack("others' statements", "p", "SELECT query FROM pg_stat_activity WHERE query LIKE '%zq' || 'x%'"),
    Attack("subjects", "sp", "SELECT count(*) FROM data_subject WHERE account_id <> <mine>", most=0),
    Attack("the guard's bindings", "p", "SELECT * FROM guard.binding"),
    Attack("the guard's functions", "p", "SELECT guard.set_permits(ARRAY[<stranger>], ARRAY[0], ARRAY[now()])", most=0),
    Attack("files", "p", "SELECT pg_read_file('postgresql.conf')"),
    Attack("folders", "p", "SELECT pg_ls_dir('.')"),
    Attack("large objects", "p", "SELECT lo_import('/etc/hostname')"),
    Attack("another connection", "p", "SELECT * FROM dblink('dbname=kept', 'SELECT 1') AS t(x int)"),
    Attack("copy", "p", f"COPY {POINT} TO STDOUT"),
    Attack("copy of a question", "p", f"COPY (SELECT value FROM {POINT}) TO STDOUT"),
    Attack("copy to a program", "p", f"COPY {PERSON} TO PROGRAM 'cat'"),
    Attack("explain", "sp", f"EXPLAIN SELECT birth_date FROM {PERSON}", most=10**9),
    Attack("explain analyze", "p", f"EXPLAIN (ANALYZE, VERBOSE) SELECT given_name FROM {PERSON} WHERE given_name > ''", most=10**9),
    Attack("query plan", "s", f"EXPLAIN QUERY PLAN SELECT * FROM {PERSON} FULL JOIN {POINT} ON 1", most=10**9),
    Attack("do", "p", f"DO $$ BEGIN RAISE EXCEPTION '%', (SELECT string_agg(value, ',') FROM {POINT}); END $$"),
    Attack("two statements", "sp", f"SELECT 1; SELECT value FROM {POINT}"),
    Attack("two statements, one after a comment", "p", f"SELECT 1 /* ; */; TABLE {POINT} --"),
    Attack("table", "p", f"TABLE {POINT}"),
    Attack("values", "sp", f"VALUES ((SELECT max(value) FROM {POINT}))"),
    Attack("temporary table", "sp", f"CREATE TEMP TABLE t AS SELECT value FROM {POINT};;SELECT * FROM t"),
    Attack("temporary view", "s", f"CREATE TEMP VIEW y AS SELECT value FROM main.{POINT};;SELECT * FROM y"),
    Attack("temporary view", "p", f"CREATE TEMP VIEW y AS SELECT value FROM {POINT};;SELECT * FROM y"),
    Attack("select into", "p", f"SELECT value INTO t FROM {POINT}"),
    Attack("prepared", "p", f"PREPARE q AS SELECT value FROM {POINT};;EXECUTE q"),
    Attack(
        "own function",
        "p",
        f"CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS 'SELECT max(value) FROM {POINT}';;SELECT pg_temp.f()",
    ),
    Attack("pragma", "s", f"PRAGMA table_info({PERSON})"),
    Attack("writable schema", "s", "PRAGMA writable_schema = ON"),
    Attack("attach", "s", "ATTACH ':memory:' AS x"),
    Attack("attach the same file", "s", f"ATTACH '{connections['default'].settings_dict['NAME']}' AS x;;SELECT value FROM x.{POINT}"),
    Attack("load an extension", "s", "SELECT load_extension('x')"),
    Attack("read a file", "s", "SELECT readfile('kept.sqlite3')"),
    Attack("vacuum into", "s", "VACUUM INTO 'copy.sqlite3'"),
    Attack("analyze", "sp", f"ANALYZE {PERSON}"),
    Attack("members of the team", "b", "SELECT count(*) FROM accounts_user"),
    Attack("sessions", "b", "SELECT session_data FROM django_session"),
    Attack("the ledger", "b", "SELECT header FROM privacy_entry"),
    Attack("subjects through the bound connection", "b", "SELECT reference FROM data_subject"),
    Attack("numbers given", "p", "SELECT last_value FROM contacts_person_id_seq"),
    Attack("numbers taken", "b", "SELECT nextval('contacts_person_id_seq')"),
    Attack("set role, within", "p", "SELECT set_config('role', '<rights role>', false)"),
    Attack("session authorization", "p", "SELECT set_config('session_authorization', 'kept_owner', false)"),
    Attack("session authorization, statement", "p", "SET SESSION AUTHORIZATION kept_owner;;SELECT max(birth_date) FROM contacts_person"),
    Attack("reset role", "p", f"RESET ROLE;;SELECT max(value) FROM {POINT}"),
    Attack("row security off", "p", f"SET row_security = off;;SELECT value FROM {POINT}"),
    Attack("set role", "p", f"SET ROLE <rights role>;;SELECT max(birth_date) FROM {PERSON}", unprotected=ROLES),
    Attack("set", "p", f"SET kept.account = '<theirs>';;SELECT max(given_name) FROM {PERSON}", unprotected=LATERAL),
    Attack("set_config", "p", f"SELECT set_config('kept.bit', '1', false);;SELECT max(given_name) FROM {PERSON}", unprotected=LATERAL),
    Attack(
        "set_config in a lateral join",
        "p",
        "SELECT p.given_name FROM (SELECT set_config('kept.account', '<theirs>', false) x OFFSET 0) s"
        f" CROSS JOIN LATERAL (SELECT given_name FROM {PERSON} WHERE s.x = '<theirs>' LIMIT 1) p",
        unprotected=LATERAL,
    ),
]
WRITES = [
    Attack("insert for another account", "sp", f"INSERT INTO main.{PERSON} SELECT * FROM {PERSON}"),
    Attack(
        "a company of another account",
        "s",
        "INSERT INTO main.contacts_company(account_id, name, created_at) VALUES (<theirs>, 'x', '2026')",
    ),
    Attack("a company of another account", "p", "INSERT INTO contacts_company(account_id, created_at) VALUES (<theirs>, now())"),
    Attack("update another account", "sp", f"UPDATE main.{PERSON} SET given_name = 'robbed' WHERE account_id = <theirs>"),
    Attack("update who objected", "sp", f"UPDATE main.{PERSON} SET given_name = 'robbed' WHERE id = <omar>"),
    Attack("update everybody", "sp", f"UPDATE main.{PERSON} SET job_title = ''"),
    Attack("update a withheld column", "sp", f"UPDATE main.{PERSON} SET birth_date = ''"),
    Attack("move to another account", "sp", f"UPDATE main.{PERSON} SET account_id = <theirs>"),
    Attack("take another's subject", "sp", f"UPDATE main.{PERSON} SET subject_id = <stranger>"),
    Attack("change a mask", "sp", f"UPDATE main.{PERSON} SET permits = 9223372036854775807"),
    Attack("change a subject's mask", "sp", "UPDATE main.data_subject SET permits = 9223372036854775807"),
    Attack(
        "make a subject",
        "s",
        "INSERT INTO main.data_subject(account_id, reference, permits, region, created_at) VALUES (<mine>, 'x', 1, 'GB', '2026')",
    ),
    Attack("change an id", "sp", f"UPDATE main.{PERSON} SET id = <other> WHERE id = <dana>"),
    Attack("change a rowid", "s", f"UPDATE OR REPLACE main.{PERSON} SET rowid = <other> WHERE id = <dana>"),
    Attack("update behind a fence", "sp", f"UPDATE main.{PERSON} SET given_name = 'robbed' WHERE id = <petra>"),
    Attack("open a fence", "sp", f"UPDATE main.{PERSON} SET fence = {OPEN_MASK} WHERE id = <petra>"),
    Attack("delete behind a fence", "sp", f"DELETE FROM main.{PERSON} WHERE id = <petra>"),
    Attack("move onto what is behind a fence", "s", f"UPDATE OR REPLACE main.{PERSON} SET oid = <petra> WHERE id = <dana>"),
    Attack("change an oid onto who objected", "s", f"UPDATE OR REPLACE main.{PERSON} SET oid = <omar> WHERE id = <dana>"),
    Attack(
        "replace a row of another account",
        "s",
        f"INSERT OR REPLACE INTO main.{PERSON}(id, account_id, subject_id, created_at, changed_at)"
        f" SELECT <other>, <mine>, subject_id, '', '' FROM {PERSON}",
    ),
    Attack(
        "replace a row by its rowid",
        "s",
        f"REPLACE INTO main.{PERSON}(rowid, account_id, subject_id, created_at, changed_at)"
        f" SELECT <dana>, <mine>, subject_id, '', '' FROM {PERSON}",
    ),
    Attack(
        "upsert over a withheld value",
        "s",
        f"INSERT INTO main.{PERSON}(id, account_id, subject_id, created_at, changed_at)"
        f" SELECT <dana>, <mine>, subject_id, '', '' FROM {PERSON} WHERE true"
        " ON CONFLICT (id) DO UPDATE SET birth_date = excluded.birth_date",
    ),
    Attack("delete another account", "sp", f"DELETE FROM main.{PERSON} WHERE id = <other>"),
    Attack("delete who objected", "sp", f"DELETE FROM main.{POINT} WHERE person_id = <omar>"),
    Attack("delete what is withheld", "sp", f"DELETE FROM main.{POINT}"),
    Attack("truncate", "p", f"TRUNCATE {POINT}"),
    Attack("change what is withheld", "sp", f"UPDATE main.{POINT} SET value = 'robbed'"),
    Attack("delete a subject", "sp", "DELETE FROM main.data_subject"),
    Attack("returning", "sp", f"DELETE FROM main.{POINT} RETURNING value"),
    Attack("returning, update", "sp", f"UPDATE main.{PERSON} SET job_title = job_title RETURNING birth_date, given_name"),
    Attack("read by writing", "sp", f"UPDATE main.{PERSON} SET given_name = (SELECT max(value) FROM main.{POINT}) RETURNING given_name"),
    Attack("read by a condition", "sp", f"UPDATE main.{PERSON} SET job_title = 'found' WHERE birth_date LIKE 'zqx%'"),
    Attack("copy to the platform", "s", f"INSERT INTO accounts_cacheentry SELECT value, value, 1 FROM main.{POINT}"),
    Attack("merge", "p", f"MERGE INTO {PERSON} p USING (SELECT 1) s ON p.id = <other> WHEN MATCHED THEN DELETE"),
    Attack(
        "unique violation",
        "sp",
        f"INSERT INTO main.{PERSON}(id, account_id, subject_id, created_at, changed_at)"
        f" SELECT <other>, <mine>, subject_id, created_at, changed_at FROM {PERSON}",
    ),
    Attack("foreign-key violation", "sp", f"UPDATE main.{PERSON} SET company_id = <company>"),
    Attack("update the armed row", "s", "UPDATE temp.armed SET account = <theirs>"),
    Attack("armed row, first", "s", f"DELETE FROM armed;;INSERT INTO armed VALUES (<theirs>, -1, 1);;SELECT max(given_name) FROM {PERSON}"),
    Attack("armed categories", "s", f"INSERT INTO armed_category VALUES ('email');;SELECT max(value) FROM {POINT}"),
    Attack("write into the index", "s", f"INSERT INTO guard_fts_{POINT}(guard_fts_{POINT}) VALUES ('delete-all')"),
    Attack("write into the schema", "s", "UPDATE sqlite_master SET sql = ''"),
    Attack("trigger", "s", f"CREATE TEMP TRIGGER t AFTER UPDATE ON main.{PERSON} BEGIN SELECT 1; END"),
    Attack("trigger", "p", f"CREATE TRIGGER t AFTER UPDATE ON {PERSON} EXECUTE FUNCTION guard.fill_mask()"),
    Attack("drop a trigger or view", "s", f"DROP VIEW temp.{PERSON}"),
    Attack("drop a policy", "p", f"DROP POLICY guarded ON {PERSON}"),
    Attack("disable row security", "p", f"ALTER TABLE {PERSON} DISABLE ROW LEVEL SECURITY"),
    Attack("grant", "p", f"GRANT SELECT ON {PERSON} TO kept_login"),
    Attack("bind oneself elsewhere", "p", "UPDATE guard.binding SET account = <theirs>"),
    Attack("bind oneself", "p", "INSERT INTO guard.binding VALUES (session_user, <theirs>, -1, ARRAY['*'], 'infinity')"),
    Attack("writing common table", "p", f"WITH d AS (DELETE FROM {POINT} RETURNING value) SELECT * FROM d"),
    Attack("rename a table", "s", f"ALTER TABLE main.{PERSON} RENAME TO x"),
    Attack("index that shows an order", "s", f"CREATE INDEX main.i ON {PERSON}(birth_date)"),
    Attack("reindex", "s", f"REINDEX {PERSON}"),
]


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def found(said: object) -> list[str]:
    """Every forbidden value in an answer or an error, in any of the spellings that a statement can give it."""
    text = f"{said!r} {said}".lower()
    spellings = {CANARY, CANARY[::-1], CANARY.encode().hex(), "5550100", "robbed"}
    return sorted(one for one in spellings if one in text)


def _application(how: Callable[[Use], Any], world: World, statement: str) -> object:
    """What the armed connection says to these steps: the last answer, or the error."""
    said: object = None
    try:
        with how(world.use), connections["default"].cursor() as cursor:
            for step in statement.split(";;"):
                cursor.execute(step)
            said = cursor.fetchall() if cursor.description else None
    except Exception as error:
        return error
    return said


def _bound(world: World, statement: str) -> object:
    said: object = None
    try:
        for step in statement.split(";;"):
            said = bound.ask(world.use, step).rows
    except KeptError as error:
        return error
    return said


def run(world: World, attack: Attack, via: str) -> object:
    """The answer or the error, by one of the three ways."""
    statement = world.fill(attack.statement)
    if ENGINE == "postgresql":
        statement = statement.replace("main.", "")
    if via == "b":
        return _bound(world, statement)
    return _application(reading if via == "r" else writing, world, statement)


def cases(attacks: list[Attack], ways: str) -> list[Any]:
    """One case for each attack on this engine and each way."""
    here = [attack for attack in attacks if ENGINE[0] in attack.engines or attack.engines == "b"]
    return [pytest.param(attack, via, id=f"{via} {attack.name}") for attack in here for via in ways if via == "b" or attack.engines != "b"]


def test_the_list_is_long_enough() -> None:
    for engine in "sp":
        assert len([attack for attack in READS + WRITES if engine in attack.engines]) >= 40


@pytest.mark.parametrize(("attack", "via"), cases(READS, "brw"))
def test_nobody_obtains(world: World, attack: Attack, via: str) -> None:
    said = run(world, attack, via)
    if attack.unprotected and via != "b":
        assert found(said), f"now protected: {attack.unprotected}"
        return
    assert found(said) == [], said
    if not isinstance(said, Exception):
        assert max(_numbers(said), default=0) <= attack.most, said


def _kept(world: World) -> list[list[tuple[Any, ...]]]:
    """All that no statement may change: others' rows, hidden rows, withheld values, and every row's account and mask."""
    with connections["owner"].cursor() as cursor:
        answers = []
        for question in (
            f"SELECT id, account_id, subject_id, permits, birth_date FROM {PERSON} WHERE account_id IN (%s, %s) ORDER BY id",
            f"SELECT * FROM {PERSON} WHERE account_id = %s OR account_id = %s AND id <> {world.dana} ORDER BY id",
            f"SELECT * FROM {POINT} WHERE account_id IN (%s, %s) ORDER BY id",
            "SELECT * FROM data_subject WHERE account_id IN (%s, %s) ORDER BY id",
            "SELECT * FROM contacts_company WHERE account_id IN (%s, %s) ORDER BY id",
        ):
            cursor.execute(question, [world.theirs, world.mine])
            answers.append(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM accounts_cacheentry")
        return [*answers, cursor.fetchall()]


@pytest.mark.parametrize(("attack", "via"), cases(WRITES, "brw"))
def test_nobody_writes(attack: Attack, via: str) -> None:
    world = make()
    before = _kept(world)
    said = run(world, attack, via)
    assert found(said) == [], said
    assert _kept(world) == before
    install.compare()


def test_the_forbidden_is_there_and_the_allowed_is_answered(world: World) -> None:
    answer = bound.ask(world.use, f"SELECT given_name FROM {PERSON}")
    assert (answer.columns, answer.rows, answer.more) == (("given_name",), [("Dana",)], False)
    assert bound.ask(use(world.mine), f"SELECT count(*) FROM {POINT} WHERE value LIKE 'zqx%'").rows == [(6,)]
    assert bound.ask(use(world.mine), f"SELECT max(birth_date) FROM {PERSON}").rows == [(f"{CANARY}1986",)]
    assert bound.ask(world.use, "VALUES (1), (2), (3)", most=2).more


def test_recursion_and_common_tables_are_answered(world: World) -> None:
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT count(*) FROM n"
    assert bound.ask(world.use, counted).rows == [(10,)]


@pytest.mark.parametrize("statement", ["", "SELECT (", "SELECT \0", "SELECT nobody", "-- SELECT", "SELECT '" + "x" * 200_000 + "'"])
def test_bad_statements_say_so(world: World, statement: str) -> None:
    with pytest.raises(KeptError) as caught:
        bound.ask(world.use, statement)
    assert caught.value.place == "statement"


def test_no_error_of_the_engine_hangs_on_ours(world: World) -> None:
    with pytest.raises(KeptError) as caught:
        bound.ask(world.use, f"SELECT CAST(json_extract('{{}}', given_name) AS integer) FROM {PERSON}")
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_a_misspelt_column_is_named(world: World) -> None:
    with pytest.raises(KeptError, match="emial"):
        bound.ask(world.use, f"SELECT emial FROM {PERSON}")


@pytest.mark.sqlite
def test_an_action_on_sqlite_sees_numbers_of_others_and_no_words() -> None:
    """The one weaker guarantee: inside an action the main tables are there, for what addresses a row."""
    world = make()
    seen = _application(writing, world, f"SELECT id FROM main.{PERSON} WHERE account_id = {world.theirs}")
    assert isinstance(seen, list)
    assert (world.other,) in seen
    for column in ("given_name", "birth_date", "count(*)"):
        assert isinstance(_application(writing, world, f"SELECT {column} FROM main.{PERSON}"), Exception)
    assert isinstance(_application(writing, world, "SELECT digest FROM main.privacy_identifier"), Exception)


@pytest.mark.sqlite
def test_calls_that_pass_the_authorizer_are_banned_by_the_linter(world: World) -> None:
    """`blobopen` and its like are no statements: the authorizer is not asked, so the product never calls them."""
    with reading(world.use), connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        with connections["default"].connection.blobopen(PERSON, "given_name", world.other, readonly=True) as blob:
            assert found(blob.read().decode())
    assert {"blobopen", "backup", "serialize", "deserialize", "load_extension", "enable_load_extension"} <= BANNED_CALLS

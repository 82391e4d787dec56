"""The guard on PostgreSQL: one role per distinct set of columns, row security, masks kept by a foreign key.

Everything here is made by the owner of the tables; the application logs in as somebody who owns nothing. The login's role and
settings protect against mistakes in our own code, not against whoever writes the SQL: for those, a login bound to one account
and purpose, which row security recognises by `session_user`. See docs/decisions/0003-guard-on-postgresql.md.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from kept.core.errors import GuardDrift
from kept.platform.data.datamap import Table, platform_tables, tables
from kept.platform.data.guard.postgres_schema import CATALOG, WORDS, schema
from kept.platform.data.use import PEOPLE_BIT, PROTECTED, SUBJECT, Columns, Use


def prefix(cursor: Any) -> str:
    """Role names are the cluster's: ours carry the database's id."""
    known: str | None = getattr(cursor.connection, "_kept_prefix", None)
    if known is None:
        cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        known = f"kept_{cursor.fetchone()[0]}"
        cursor.connection._kept_prefix = known
    return known


@lru_cache(maxsize=256)
def _digest(columns: Columns) -> str:
    said = ",".join(sorted(columns.readable)) + "|" + ",".join(sorted(columns.writable))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def role_name(cursor: Any, use: Use | None) -> str:
    """The role of a use, or `none`."""
    return "none" if use is None else f"{prefix(cursor)}_{_digest(use.columns)}_w"


def arm_sql(use: Use | None, role: str) -> str:
    """One statement that tells the session its role and settings. Written out: it takes the server half the time of one with parameters."""
    said: tuple[object, ...] = ("", "", "", "", "")
    if use is not None:
        opened = ",".join(f"{table}/{row_id}" for table, row_id in use.opened.rows) if use.opened else ""
        until = use.opened.until.isoformat() if use.opened else ""
        said = (use.account_id, use.mask, ",".join(use.columns.readable).replace("'", "''"), opened, until)
    settings = zip(("kept.account", "kept.bit", "kept.categories", "kept.opened", "kept.until"), said, strict=True)
    return f"SELECT set_config('role', '{role}', false), " + ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in settings
    )


def _visible(table: Table, account: str, bit: str, categories: str, opened: str) -> str:
    """Which rows are seen, given what the connection is armed for."""
    clauses = [f"account_id = {account}"]
    if table.masked:
        clauses.append(f"(permits & {bit}) <> 0")
    if table.fenced:
        shut = f"(~fence & {bit})"
        clauses.append(f"({shut} = 0 OR {shut} = {1 << PEOPLE_BIT} AND '{table.name}/' || id = ANY ({opened}))")
    if table.by_row:
        clauses.append(f"(category = ANY ({categories}) OR '*' = ANY ({categories}))")
    return " AND ".join(clauses)


def _policy(table: Table) -> str:
    """The condition of row security; sub-selects are asked once for each statement."""
    asked = ("(SELECT guard.account())", "(SELECT guard.bit())", "(SELECT guard.categories())::text[]", "(SELECT guard.opened())::text[]")
    return _visible(table, *asked)


def search_index(table: Table) -> str:
    """The name of a table's search index, which says what it was built from."""
    built = hashlib.sha256(repr((table.search, WORDS)).encode()).hexdigest()[:8]
    return f"guard_search_{table.name}_{built}"


def search_function(table: Table) -> str:
    """The name of a table's search function."""
    return f"guard.search_{table.name}"


def _search_sql(table: Table) -> list[str]:
    """The index, whose name changes with what it holds, and the function that asks it. It alone decides what its caller may ask of."""
    if not table.search:
        return []

    def readable(column: str) -> str:
        category, words = table.columns[column], f"guard.words(coalesce(t.{column}, ''))"
        return words if category is None else f"CASE WHEN known && ARRAY['*', '{category}'] THEN {words} ELSE ''::tsvector END"

    vector = " || ".join(f"guard.words(coalesce({column}, ''))" for column in table.search)
    every = ", ".join(f"'{category}'" for category in sorted({table.columns[one] or "" for one in table.search} - {""}))
    limit = 256  # kB of what is not merged yet: an import writes in strides, and a search reads what is pending one by one
    indexed = f"{table.name} USING gin (account_id, ({vector})) WITH (gin_pending_list_limit = {limit})"
    return [
        f"CREATE INDEX IF NOT EXISTS {search_index(table)} ON {indexed}",
        f"ALTER INDEX {search_index(table)} ALTER COLUMN 2 SET STATISTICS 0",  # they would hold words of people after their erasure
        f"""CREATE FUNCTION {search_function(table)}(asked text[], most int) RETURNS SETOF bigint
        STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan LANGUAGE plpgsql AS $$
        DECLARE
          whose bigint := guard.account();
          purpose bigint := guard.bit();
          known text[] := guard.categories();
          opened text[] := guard.opened();
          everything boolean := '*' = ANY (known) OR known @> ARRAY[{every}]::text[];
          wanted tsquery := (SELECT to_tsquery('simple', string_agg(quote_literal(guard.plain(w)) || ':*', ' & ')) FROM unnest(asked) AS w);
        BEGIN
          RETURN QUERY SELECT t.id FROM public.{table.name} t
          WHERE {_visible(table, "whose", "purpose", "known", "opened")} AND ({vector.replace("coalesce(", "coalesce(t.")}) @@ wanted
            AND (everything OR ({" || ".join(map(readable, table.search))}) @@ wanted) LIMIT most;
        END $$""",
    ]


def _table_sql(table: Table) -> list[str]:
    name = table.name
    statements = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY guarded ON {name} USING ({_policy(table)}) WITH CHECK (account_id = (SELECT guard.account()))",
    ]
    if table.masked and table.of_subject:
        # A mask that an insert states is held to the subject's by the foreign key.
        fill = "FOR EACH ROW {} EXECUTE FUNCTION guard.fill_mask()"
        statements += [
            f"CREATE TRIGGER guard_mask BEFORE INSERT ON {name} {fill.format('WHEN (NEW.permits IS NULL)')}",
            f"CREATE TRIGGER guard_mask_moved BEFORE UPDATE OF subject_id, account_id ON {name} {fill.format('')}",
        ]
    statements += [f"ALTER TABLE {name} ALTER COLUMN {column} SET STATISTICS 0" for column in sorted(table.personal)]
    return statements + _search_sql(table)


def foreign_keys(table: Table) -> dict[str, str]:
    """The foreign keys that keep masks equal and references within the account, by name."""
    keys = {}
    for column, target in table.references.items():
        if column == "subject_id":
            keys[f"guard_subject_{table.name}"] = (
                f"FOREIGN KEY (account_id, subject_id, permits) REFERENCES {target} (account_id, id, permits) ON UPDATE CASCADE"
            )
        else:
            keys[f"guard_{column}_{table.name}"] = f"FOREIGN KEY (account_id, {column}) REFERENCES {target} (account_id, id)"
    return keys


def objects() -> list[str]:
    """The statements that make the guard's objects on the tables."""
    return [sql for table in tables() for sql in _table_sql(table)]


def _each(cursor: Any, question: str, command: str) -> None:
    """Run a command for each row that the catalog answers."""
    cursor.execute(question)
    for row in cursor.fetchall():
        cursor.execute(command.format(*row))


def drop(cursor: Any) -> None:
    """Take the guard off the tables for a migration, with whatever else was put on them. Row security stays on: meanwhile nobody but
    the owner reads."""
    _each(cursor, "SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public'", 'DROP POLICY "{0}" ON "{1}"')
    triggers = (
        "SELECT tgname, tgrelid::regclass FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'public'::regnamespace"
    )
    _each(cursor, f"{triggers} AND NOT tgisinternal", 'DROP TRIGGER "{0}" ON {1}')
    functions = "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'guard'"
    _each(cursor, f"{functions} AND starts_with(proname, 'search_')", "DROP FUNCTION {0}")
    kept = ", ".join(f"'{search_index(table)}'" for table in tables() if table.search) or "''"
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND starts_with(indexname, 'guard_search_')"
    _each(cursor, f"{indexes} AND indexname NOT IN ({kept})", "DROP INDEX {0}")


def install(cursor: Any, login: str) -> None:
    """Make every object of the guard, take every grant back, and grant anew."""
    cursor.execute("SELECT current_user")
    if cursor.fetchone()[0] == login:
        raise GuardDrift(
            "The application logs in as the owner of its tables, whom row security does not bind.",
            cure="Give KEPT_OWNER_URL an owner and KEPT_DATABASE_URL another login, which owns nothing.",
        )
    cursor.execute(schema(login))
    drop(cursor)
    for sql in objects():
        cursor.execute(sql)
    for table in tables():
        for name, definition in foreign_keys(table).items():
            cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {definition}")
    _revoke(cursor)
    _grant_platform(cursor, login)
    cursor.execute("SELECT readable, writable FROM guard.column_role")
    for readable, writable in cursor.fetchall():
        ensure_role(cursor, Columns(frozenset(readable), frozenset(writable)), login)


GRANTEES = """
SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
FROM (SELECT relowner, (aclexplode(relacl)).grantee FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'guard'::regnamespace)
  UNION SELECT relowner, (aclexplode(attacl)).grantee FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE relnamespace IN ('public'::regnamespace, 'guard'::regnamespace)) granted WHERE grantee <> relowner
"""


def _revoke(cursor: Any) -> None:
    """Take back what anybody was granted on tables, their columns and sequences; what is the public's by default; and functions."""
    for kind in ("TABLES", "SEQUENCES"):
        _each(cursor, GRANTEES, f"REVOKE ALL ON ALL {kind} IN SCHEMA public, guard FROM {{0}}")
    cursor.execute(f'REVOKE ALL ON DATABASE "{_database(cursor)}" FROM PUBLIC')
    cursor.execute("REVOKE ALL ON SCHEMA public, guard FROM PUBLIC")
    cursor.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA guard FROM PUBLIC")


def _database(cursor: Any) -> str:
    cursor.execute("SELECT current_database()")
    return str(cursor.fetchone()[0])


def _grant_platform(cursor: Any, login: str) -> None:
    app = f"{prefix(cursor)}_app"
    _create_role(cursor, app)
    cursor.execute(f"GRANT {app} TO {login}")
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    there = platform_tables() & {name for (name,) in cursor.fetchall()}
    for role in (app, login):
        cursor.execute(f'GRANT CONNECT ON DATABASE "{_database(cursor)}" TO {role}')
        cursor.execute(f"GRANT USAGE ON SCHEMA public, guard TO {role}")
        cursor.execute(f"GRANT SELECT ON guard.state TO {role}")
        if there:
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(sorted(there))} TO {role}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    cursor.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA guard TO {app}")


def _create_role(cursor: Any, name: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    if cursor.fetchone() is None:
        cursor.execute(f"CREATE ROLE {name} NOLOGIN")


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in sorted(columns))


def has_role(cursor: Any, columns: Columns) -> bool:
    """Whether the roles of this column set are there."""
    cursor.execute("SELECT 1 FROM guard.column_role WHERE name = %s", [f"{prefix(cursor)}_{_digest(columns)}"])
    return cursor.fetchone() is not None


def ensure_role(cursor: Any, columns: Columns, login: str) -> None:
    """Make the two roles of a column set, `…_w` for the application and `…_r` for bound logins; grant exactly their columns."""
    base = f"{prefix(cursor)}_{_digest(columns)}"
    for suffix in ("r", "w"):
        _create_role(cursor, f"{base}_{suffix}")
    cursor.execute(f"GRANT {prefix(cursor)}_app TO {base}_w")
    cursor.execute(f"GRANT {base}_w TO {login}")
    cursor.execute(f'GRANT CONNECT ON DATABASE "{_database(cursor)}" TO {base}_r')
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {base}_r")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION guard.account(), guard.bit(), guard.categories(), guard.opened() TO {base}_r")
    for table in tables():
        read = set(table.columns) - table.withheld(columns.readable)
        cursor.execute(f"GRANT SELECT ({_listed(read)}) ON {table.name} TO {base}_w" + (f", {base}_r" if table.offered else ""))
        write = table.writable(columns)
        if write and table.name != SUBJECT:
            cursor.execute(f"GRANT INSERT ({_listed(write)}), UPDATE ({_listed(write - PROTECTED)}) ON {table.name} TO {base}_w")
        if write and columns.writable:
            cursor.execute(f"GRANT DELETE ON {table.name} TO {base}_w")
    cursor.execute(
        "INSERT INTO guard.column_role VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [base, sorted(columns.readable), sorted(columns.writable)],
    )


def bind(cursor: Any, use: Use, seconds: int) -> tuple[str, str]:
    """Make a login that sees what this use sees, for so long, whatever it types; its name and password."""
    _each(cursor, "SELECT login FROM guard.binding WHERE expires < clock_timestamp()", "DROP ROLE IF EXISTS {0}")
    cursor.execute("DELETE FROM guard.binding WHERE expires < clock_timestamp()")
    login, password = f"{prefix(cursor)}_bound_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    said = cursor.connection.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    ).decode()  # the log sees no password
    cursor.execute("SELECT clock_timestamp() + make_interval(secs => %s)", [seconds])
    (expires,) = cursor.fetchone()
    cursor.execute(f"CREATE ROLE {login} LOGIN CONNECTION LIMIT 1 PASSWORD '{said}' VALID UNTIL '{expires.isoformat()}'")
    cursor.execute(f"GRANT {prefix(cursor)}_{_digest(use.columns)}_r TO {login}")
    cursor.execute(
        "INSERT INTO guard.binding VALUES (%s, %s, %s, %s, %s)",
        [login, use.account_id, use.mask, sorted(use.columns.readable), expires],
    )
    return login, password


def unbind(cursor: Any, login: str) -> None:
    """Take the login away."""
    cursor.execute("DELETE FROM guard.binding WHERE login = %s", [login])
    cursor.execute(f"DROP ROLE IF EXISTS {login}")


def fingerprint(cursor: Any, login: str) -> str:
    """A digest of everything in the catalog that the guard consists of."""
    ours = f"{prefix(cursor)}_"
    cursor.execute(CATALOG, {"login": login, "prefix": ours, "bound": f"{ours}bound_"})
    return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()

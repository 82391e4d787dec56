"""The guard on PostgreSQL: one role per distinct set of columns, row security, masks kept by a foreign key.

Everything here is made by the owner of the tables; the application logs in as somebody who owns nothing. The login's role and
settings protect against mistakes in our own code, not against whoever writes the SQL: for those, a login bound to one account
and purpose, which row security recognises by `session_user`. See docs/decisions/0003-guard-on-postgresql.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from kept.core.errors import GuardDrift
from kept.platform.data.datamap import Table, platform_tables, tables
from kept.platform.data.use import PROTECTED, SUBJECT, Columns, Use

PROTECTED = frozenset({"id", "account_id", "permits", "changes_at"})
"""Columns that only the engine's own functions change."""

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS guard;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE TABLE IF NOT EXISTS guard.state (map text NOT NULL, catalog text NOT NULL);
CREATE TABLE IF NOT EXISTS guard.column_role (name text PRIMARY KEY, readable text[] NOT NULL, writable text[] NOT NULL);
CREATE TABLE IF NOT EXISTS guard.binding (login text PRIMARY KEY, account bigint NOT NULL, bit bigint NOT NULL, categories text[] NOT NULL,
  expires timestamptz NOT NULL);

CREATE OR REPLACE FUNCTION guard.account() RETURNS bigint STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE sql AS $$
  SELECT CASE WHEN b.login IS NOT NULL THEN b.account ELSE nullif(current_setting('kept.account', true), '')::bigint END
  FROM (SELECT 1) one LEFT JOIN guard.binding b ON b.login = session_user $$;
CREATE OR REPLACE FUNCTION guard.bit() RETURNS bigint STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE sql AS $$
  SELECT CASE WHEN b.login IS NOT NULL THEN b.bit ELSE coalesce(nullif(current_setting('kept.bit', true), '')::bigint, 0) END
  FROM (SELECT 1) one LEFT JOIN guard.binding b ON b.login = session_user $$;
CREATE OR REPLACE FUNCTION guard.categories() RETURNS text[] STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE sql AS $$
  SELECT CASE WHEN b.login IS NOT NULL THEN b.categories ELSE string_to_array(current_setting('kept.categories', true), ',') END
  FROM (SELECT 1) one LEFT JOIN guard.binding b ON b.login = session_user $$;

CREATE OR REPLACE FUNCTION guard.fill_mask() RETURNS trigger SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp LANGUAGE plpgsql AS $$
BEGIN
  SELECT permits INTO NEW.permits FROM public.data_subject WHERE account_id = NEW.account_id AND id = NEW.subject_id FOR KEY SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'guard: no such subject in this account' USING ERRCODE = 'foreign_key_violation'; END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION guard.add_subjects(first_keys bigint[], subject_references text[], masks bigint[], changes timestamptz[], regions text[])
  RETURNS SETOF bigint SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp LANGUAGE sql AS $$
  INSERT INTO public.data_subject (account_id, key_id, reference, permits, changes_at, region, created_at)
  SELECT guard.account(), k, r, m, c, g, now()
  FROM unnest(first_keys, subject_references, masks, changes, regions) WITH ORDINALITY AS t(k, r, m, c, g, n) ORDER BY n
  RETURNING id $$;
CREATE OR REPLACE FUNCTION guard.set_permits(subject_ids bigint[], masks bigint[], changes timestamptz[])
  RETURNS bigint SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp LANGUAGE sql AS $$
  WITH changed AS (
    UPDATE public.data_subject s SET permits = t.m, changes_at = t.c FROM unnest(subject_ids, masks, changes) AS t(i, m, c)
    WHERE s.id = t.i AND s.account_id = guard.account() RETURNING 1)
  SELECT count(*) FROM changed $$;
CREATE OR REPLACE FUNCTION guard.words(said text) RETURNS tsvector IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog LANGUAGE sql AS $$
  SELECT to_tsvector('simple', CASE WHEN said LIKE 'sealed:%' THEN ''
    ELSE translate(public.unaccent('public.unaccent', said), '@.-_+/''', '       ') END) $$;
"""


def prefix(cursor: Any) -> str:
    """Role names are the cluster's: ours carry the database's id."""
    known: str | None = getattr(cursor.connection, "_kept_prefix", None)
    if known is None:
        cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        known = f"kept_{cursor.fetchone()[0]}"
        cursor.connection._kept_prefix = known
    return known


def _digest(columns: Columns) -> str:
    said = ",".join(sorted(columns.readable)) + "|" + ",".join(sorted(columns.writable))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def role_name(cursor: Any, use: Use | None) -> str:
    """The role of a use, or `none`."""
    return "none" if use is None else f"{prefix(cursor)}_{_digest(use.columns)}_w"


def arm_sql(use: Use | None, role: str) -> tuple[str, list[str]]:
    """One statement that tells the session its role and settings."""
    sql = (
        "SELECT set_config('role', %s, false), set_config('kept.account', %s, false),"
        " set_config('kept.bit', %s, false), set_config('kept.categories', %s, false)"
    )
    if use is None:
        return sql, ["none", "", "", ""]
    return sql, [role, str(use.account_id), str(1 << use.bit), ",".join(sorted(use.columns.readable))]


def _policy(table: Table) -> str:
    clauses = ["account_id = (SELECT guard.account())"]
    if table.masked:
        mask = "permits & fence" if table.fenced else "permits"
        clauses.append(f"({mask} & (SELECT guard.bit())) <> 0")
    if table.by_row:
        clauses.append("(category = ANY ((SELECT guard.categories())::text[]) OR '*' = ANY ((SELECT guard.categories())::text[]))")
    return " AND ".join(clauses)


def _visible(table: Table) -> str:
    """The policy's condition inside a definer function, whose owner passes row security."""
    return _policy(table).replace("account_id =", "t.account_id =", 1)


def search_function(table: Table) -> str:
    """The name of a table's search function."""
    return f"guard.search_{table.name}"


def _search_sql(table: Table) -> list[str]:
    if not table.search:
        return []
    vector = " || ".join(f"guard.words(coalesce({column}, ''))" for column in table.search)
    readable = " || ".join(f"CASE WHEN '{c}' = ANY (readable) THEN guard.words(coalesce(t.{c}, '')) ELSE ''::tsvector END" for c in table.search)
    return [
        f"CREATE INDEX IF NOT EXISTS guard_search_{table.name} ON {table.name} USING gin (account_id, ({vector})) WITH (fastupdate = off)",
        f"""CREATE OR REPLACE FUNCTION {search_function(table)}(asked text, readable text[], most int) RETURNS SETOF bigint
        STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan LANGUAGE plpgsql AS $$
        DECLARE wanted tsquery := asked::tsquery; whose bigint := guard.account();
        BEGIN
          RETURN QUERY SELECT t.id FROM public.{table.name} t
          WHERE t.account_id = whose AND ({vector.replace("coalesce(", "coalesce(t.")}) @@ wanted
            AND {_visible(table)} AND ({readable}) @@ wanted LIMIT most;
        END $$""",
    ]


def _table_sql(table: Table) -> list[str]:
    name = table.name
    statements = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY guarded ON {name} USING ({_policy(table)}) WITH CHECK (account_id = (SELECT guard.account()))",
    ]
    if table.masked and table.of_subject:
        statements.append(
            f"CREATE TRIGGER guard_mask BEFORE INSERT OR UPDATE OF subject_id, account_id ON {name} FOR EACH ROW EXECUTE FUNCTION guard.fill_mask()"
        )
    personal = [column for column, category in table.columns.items() if category is not None] + (["value"] if table.by_row else [])
    statements += [f"ALTER TABLE {name} ALTER COLUMN {column} SET STATISTICS 0" for column in personal]
    return statements + _search_sql(table)


def _foreign_keys(table: Table) -> dict[str, str]:
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


def drop(cursor: Any) -> None:
    """Take the guard off the tables for a migration. Row security stays on: meanwhile nobody but the owner reads."""
    cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'guarded' AND schemaname = 'public'")
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP POLICY guarded ON {name}")
        cursor.execute(f"DROP TRIGGER IF EXISTS guard_mask ON {name}")


def install(cursor: Any, login: str) -> None:
    """Make every object of the guard, and grant."""
    cursor.execute("SELECT current_user")
    if cursor.fetchone()[0] == login:
        raise GuardDrift(
            "The application logs in as the owner of its tables, whom row security does not bind.",
            cure="Give KEPT_OWNER_URL an owner and KEPT_DATABASE_URL another login, which owns nothing.",
        )
    cursor.execute(SCHEMA)
    drop(cursor)
    for sql in objects():
        cursor.execute(sql)
    for table in tables():
        for name, definition in _foreign_keys(table).items():
            cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {definition}")
    _grant_platform(cursor, login)
    cursor.execute("SELECT readable, writable FROM guard.column_role")
    for readable, writable in cursor.fetchall():
        ensure_role(cursor, Columns(frozenset(readable), frozenset(writable)), login)


def _grant_platform(cursor: Any, login: str) -> None:
    app = f"{prefix(cursor)}_app"
    _create_role(cursor, app)
    cursor.execute(f"GRANT {app} TO {login}")
    cursor.execute("SELECT current_database()")
    cursor.execute(f'REVOKE ALL ON DATABASE "{cursor.fetchone()[0]}" FROM PUBLIC')
    cursor.execute("REVOKE ALL ON SCHEMA public, guard FROM PUBLIC")
    cursor.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA guard FROM PUBLIC")
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    there = platform_tables() & {name for (name,) in cursor.fetchall()}
    cursor.execute("SELECT current_database()")
    database = cursor.fetchone()[0]
    for role in (app, login):
        cursor.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {role}')
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


def ensure_role(cursor: Any, columns: Columns, login: str) -> str:
    """Make the two roles of a column set, `…_w` for the application and `…_r` for bound logins; grant exactly their columns."""
    base = f"{prefix(cursor)}_{_digest(columns)}"
    cursor.execute("SELECT current_user")
    for suffix in ("r", "w"):
        _create_role(cursor, f"{base}_{suffix}")
    cursor.execute(f"GRANT {prefix(cursor)}_app TO {base}_w")
    cursor.execute(f"GRANT {base}_w TO {login}")
    cursor.execute(f"GRANT USAGE ON SCHEMA public, guard TO {base}_r")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION guard.account(), guard.bit(), guard.categories() TO {base}_r")
    for table in tables():
        cursor.execute(f"REVOKE ALL ON {table.name} FROM {base}_r, {base}_w")
        read = set(table.columns) - table.withheld(columns.readable)
        write = set(table.columns) - table.withheld(columns.writable)
        cursor.execute(f"GRANT SELECT ({_listed(read)}) ON {table.name} TO {base}_r, {base}_w")
        if table.name != SUBJECT:
            cursor.execute(f"GRANT INSERT ({_listed(write)}), UPDATE ({_listed(write - PROTECTED)}) ON {table.name} TO {base}_w")
        if columns.writable:
            cursor.execute(f"GRANT DELETE ON {table.name} TO {base}_w")
    cursor.execute(
        "INSERT INTO guard.column_role VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", [base, sorted(columns.readable), sorted(columns.writable)]
    )
    return base


CATALOG = """
SELECT 'policy', tablename, policyname, concat_ws('|', permissive, roles::text, cmd, qual, with_check) FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT 'security', c.relname, '', concat(c.relrowsecurity, pg_get_userbyid(c.relowner)) FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT 'grant', c.relname, '', c.relacl::text FROM pg_class c WHERE c.relnamespace IN ('public'::regnamespace, 'guard'::regnamespace)
  AND c.relkind IN ('r', 'v')
UNION ALL SELECT 'column', c.relname, a.attname, a.attacl::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL
UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, concat(t.tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t WHERE t.tgname LIKE 'guard%%'
UNION ALL SELECT 'function', p.proname, '', concat_ws('|', p.prosrc, p.prosecdef, p.proconfig::text, p.proacl::text, p.provolatile)
  FROM pg_proc p WHERE p.pronamespace = 'guard'::regnamespace
UNION ALL SELECT 'key', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE 'guard%%'
UNION ALL SELECT 'view', viewname, '', definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'role', r.rolname, '', concat_ws('|', r.rolsuper, r.rolinherit, r.rolbypassrls, r.rolcreaterole) FROM pg_roles r WHERE r.rolname = %s
ORDER BY 1, 2, 3, 4
"""


def fingerprint(cursor: Any, login: str) -> str:
    """A digest of everything in the catalog that the guard consists of."""
    cursor.execute(CATALOG, [login])
    return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()

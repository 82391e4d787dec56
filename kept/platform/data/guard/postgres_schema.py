"""What the guard on PostgreSQL consists of beside policies and grants: its schema, and the query that fingerprints all of it."""

from __future__ import annotations

import re

from kept.platform.data.use import SEALED

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS guard;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE TABLE IF NOT EXISTS guard.state (map text NOT NULL, catalog text NOT NULL);
CREATE TABLE IF NOT EXISTS guard.column_role (name text PRIMARY KEY, readable text[] NOT NULL, writable text[] NOT NULL);
CREATE TABLE IF NOT EXISTS guard.binding (login text PRIMARY KEY, account bigint NOT NULL, bit bigint NOT NULL, categories text[] NOT NULL,
  expires timestamptz NOT NULL);

CREATE OR REPLACE FUNCTION guard.account() RETURNS bigint {reading} AS $$ BEGIN
  IF session_user = {login} THEN RETURN nullif(current_setting('kept.account', true), '')::bigint; END IF;
  RETURN (SELECT account FROM guard.binding WHERE login = session_user AND expires > clock_timestamp());
END $$;
CREATE OR REPLACE FUNCTION guard.bit() RETURNS bigint {reading} AS $$ BEGIN
  IF session_user = {login} THEN RETURN coalesce(nullif(current_setting('kept.bit', true), '')::bigint, 0); END IF;
  RETURN (SELECT bit FROM guard.binding WHERE login = session_user AND expires > clock_timestamp());
END $$;
CREATE OR REPLACE FUNCTION guard.categories() RETURNS text[] {reading} AS $$ BEGIN
  IF session_user = {login} THEN RETURN string_to_array(current_setting('kept.categories', true), ','); END IF;
  RETURN (SELECT categories FROM guard.binding WHERE login = session_user AND expires > clock_timestamp());
END $$;
CREATE OR REPLACE FUNCTION guard.opened() RETURNS text[] {reading} AS $$ BEGIN
  IF session_user = {login} AND clock_timestamp() < nullif(current_setting('kept.until', true), '')::timestamptz
    THEN RETURN string_to_array(current_setting('kept.opened', true), ','); END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION guard.fill_mask() RETURNS trigger {defining} LANGUAGE plpgsql AS $$
BEGIN
  SELECT permits INTO NEW.permits FROM public.data_subject WHERE account_id = NEW.account_id AND id = NEW.subject_id FOR KEY SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'guard: no such subject in this account' USING ERRCODE = 'foreign_key_violation'; END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION guard.add_subjects(
    first_keys bigint[], subject_references text[], masks bigint[], changes timestamptz[], regions text[],
    version int)
  RETURNS SETOF bigint {defining} LANGUAGE sql AS $$
  INSERT INTO public.data_subject (account_id, key_id, reference, permits, changes_at, region, created_at, notice_version)
  SELECT guard.account(), k, r, m, c, g, now(), version
  FROM unnest(first_keys, subject_references, masks, changes, regions) WITH ORDINALITY AS t(k, r, m, c, g, n) ORDER BY n
  RETURNING id $$;
CREATE OR REPLACE FUNCTION guard.set_permits(subject_ids bigint[], masks bigint[], changes timestamptz[])
  RETURNS bigint {defining} LANGUAGE sql AS $$
  WITH changed AS (
    UPDATE public.data_subject s SET permits = t.m, changes_at = t.c FROM unnest(subject_ids, masks, changes) AS t(i, m, c)
    WHERE s.id = t.i AND s.account_id = guard.account() RETURNING 1)
  SELECT count(*) FROM changed $$;
CREATE OR REPLACE FUNCTION guard.set_version(subject_ids bigint[], version int)
  RETURNS bigint {defining} LANGUAGE sql AS $$
  WITH changed AS (
    UPDATE public.data_subject s SET notice_version = version WHERE s.id = ANY (subject_ids) AND s.account_id = guard.account() RETURNING 1)
  SELECT count(*) FROM changed $$;
"""
_PLAIN = {
    "a": "áàâäãåāăą",
    "c": "çćĉċč",
    "d": "ďđ",
    "e": "éèêëēĕėęě",
    "g": "ĝğġģ",
    "h": "ĥħ",
    "i": "íìîïĩīĭįı",
    "j": "ĵ",
    "k": "ķ",
    "l": "ĺļľł",
    "n": "ñńņň",
    "o": "óòôöõøōŏő",
    "r": "ŕŗř",
    "s": "śŝşš",
    "t": "ţťŧ",
    "u": "úùûüũūŭůűų",
    "w": "ŵ",
    "y": "ýÿŷ",
    "z": "źżž",
}
_FOLDED = "".join(plain * len(marked) for plain, marked in _PLAIN.items())
WORDS = f"""
CREATE OR REPLACE FUNCTION guard.plain(said text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT pg_catalog.translate(pg_catalog.lower(said), '@.-_+/''{"".join(_PLAIN.values())}', '       {_FOLDED}') $$;
CREATE OR REPLACE FUNCTION guard.words(said text) RETURNS tsvector IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig,
    CASE WHEN said OPERATOR(pg_catalog.~~) '{SEALED}%' THEN '' ELSE guard.plain(said) END) $$;
"""
"""What a text is to the search index, which is built anew when this changes. Without a SET clause, so that the engine can inline it:
an import writes three such indexes, and a function called for each value cost five times as much."""


def schema(login: str) -> str:
    """The guard's own tables and functions. Only `login`, the application's, is believed what it sets; any other needs a binding.

    What each query asks is plpgsql, which keeps its plans: SQL functions that are not inlined plan anew at each call.
    """
    literal = login.replace("'", "''")
    words = {"login": f"'{literal}'", "reading": f"STABLE PARALLEL SAFE {_DEFINER} LANGUAGE plpgsql", "defining": _DEFINER}
    return re.sub(r"\{(login|reading|defining)\}", lambda found: words[found[1]], _SCHEMA + WORDS)


CATALOG = """
WITH ours AS (SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_')
SELECT 'policy', schemaname || '.' || tablename, policyname, concat_ws('|', permissive, roles::text, cmd, qual, with_check) FROM pg_policies
UNION ALL SELECT 'table', c.oid::regclass::text, c.relkind::text, concat_ws('|', c.relrowsecurity, pg_get_userbyid(c.relowner), c.relacl)
  FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL SELECT 'column', a.attrelid::regclass::text, a.attname, a.attacl::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN ours ON ours.oid = c.relnamespace WHERE a.attacl IS NOT NULL
UNION ALL SELECT 'view', c.oid::regclass::text, '', pg_get_viewdef(c.oid) FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm')
UNION ALL SELECT 'rule', tablename, rulename, definition FROM pg_rules JOIN ours ON ours.nspname = schemaname
UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, concat_ws('|', t.tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t
  WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'
UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_userbyid(p.proowner), concat_ws('|', p.proacl, pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
  WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL SELECT 'key', k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k
  WHERE starts_with(k.conname, 'guard_')
UNION ALL SELECT 'schema', nspname, pg_get_userbyid(nspowner), nspacl::text FROM ours
UNION ALL SELECT 'database', '', '', datacl::text FROM pg_database WHERE datname = current_database()
UNION ALL SELECT 'role', rolname, '',
  concat_ws('|', rolsuper, rolinherit, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin)
  FROM pg_roles WHERE rolname = %(login)s OR starts_with(rolname, %(prefix)s) AND NOT starts_with(rolname, %(bound)s)
UNION ALL SELECT 'member', one.rolname, many.rolname, m.admin_option::text FROM pg_auth_members m
  JOIN pg_roles one ON one.oid = m.member JOIN pg_roles many ON many.oid = m.roleid
  WHERE (starts_with(many.rolname, %(prefix)s) OR one.rolname = %(login)s AND many.rolname !~ '^kept_[0-9]+_')
    AND NOT starts_with(one.rolname, %(bound)s) AND NOT starts_with(many.rolname, %(bound)s)
ORDER BY 1, 2, 3, 4
"""
"""Roles of other databases of the cluster, and bound logins, which come and go, are left out."""

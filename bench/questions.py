"""Armed questions against the same questions raw: the guard's price for readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import connections

from bench.measure import Ratio, alternate
from kept.apps.contacts.models import Person
from kept.platform.data.datamap import table_of
from kept.platform.data.guard import sqlite
from kept.platform.data.rows import on_postgres
from kept.platform.data.search import search, words
from kept.platform.data.use import ALIAS, Use, reading

LIST = "SELECT id, given_name, family_name, job_title FROM contacts_person {where} ORDER BY family_name, given_name, id LIMIT 51"
COUNT = "SELECT count(*) FROM (SELECT 1 FROM contacts_person {where} LIMIT 10001) capped"
GROUP = "SELECT city, count(*) FROM contacts_postaladdress {where} GROUP BY city ORDER BY 2 DESC LIMIT 20"


def ask(alias: str, sql: str) -> Callable[[], object]:
    """Run one statement and fetch everything."""

    def run() -> object:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return run


def where(use: Use, mask: str = "permits") -> str:
    """What somebody would write by hand: the account, and whoever permits it."""
    return f"WHERE account_id = {use.account_id} AND {mask} & {1 << use.bit} <> 0"


def raw_search(use: Use, text: str) -> str:
    """The same full-text question, as the owner of the tables would ask it."""
    table = table_of(Person)
    if on_postgres():
        vector = " || ".join(f"guard.words(coalesce({column}, ''))" for column in table.search)
        asked = " & ".join(f"''{word}'':*" for word in words(text))
        return f"SELECT id FROM contacts_person {where(use)} AND ({vector}) @@ '{asked}'::tsquery LIMIT 50"
    match = " AND ".join(f'"{word}" *' for word in words(text))
    index = sqlite.fts(table)
    inner = f"SELECT rowid FROM {index} WHERE {index} MATCH 'account_id : \"{use.account_id}\" AND {match}'"
    return f"SELECT id FROM contacts_person {where(use)} AND id IN ({inner}) LIMIT 50"


def compare(use: Use, found: str) -> Iterator[Ratio]:
    """Every question, both ways. `found` is a name that some people bear."""
    with reading(use):
        yield alternate("list, first page (armed : raw)", ask(ALIAS, LIST.format(where="")), ask("owner", LIST.format(where=where(use))))
        yield alternate("capped count (armed : raw)", ask(ALIAS, COUNT.format(where="")), ask("owner", COUNT.format(where=where(use))))
        yield alternate("search by name (armed : raw)", lambda: search(use, Person, found), ask("owner", raw_search(use, found)))
        grouped = where(use, "permits & fence")
        yield alternate(
            "aggregate over all (armed : raw)", ask(ALIAS, GROUP.format(where="")), ask("owner", GROUP.format(where=grouped)), runs=7
        )

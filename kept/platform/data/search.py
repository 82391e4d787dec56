"""Full-text search under the guard: words by their beginnings, in readable columns only.

Row security would keep PostgreSQL from using a full-text index (the operators are not leakproof), so a function of the guard
asks the index and applies account, mask and columns itself. On SQLite this module alone may ask a full-text table.
"""

from __future__ import annotations

import re
import unicodedata

from django.db import connections

from kept.platform.data.datamap import table_of
from kept.platform.data.guard import postgres, sqlite
from kept.platform.data.personal import AccountModel
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import ALIAS, Use, arming, require

MOST_WORDS = 8


def words(text: str) -> list[str]:
    """The words of a question, at most eight, lower-case and without accents."""
    plain = "".join(one for one in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(one))
    return re.findall(r"\w+", unicodedata.normalize("NFC", plain).replace("_", " "))[:MOST_WORDS]


def search(use: Use, model: type[AccountModel], text: str, most: int = 50) -> list[int]:
    """Ids of at most `most` rows in which every word of `text` begins some word of a readable column."""
    require(use)
    table, asked = table_of(model), words(text)
    readable = [column for column in table.search if column not in table.withheld(use.columns.readable)]
    if not asked or not readable:
        return []
    with connections[ALIAS].cursor() as cursor:
        if on_postgres():
            cursor.execute(f"SELECT * FROM {postgres.search_function(table)}(%s::text[], %s)", [asked, most])
        else:
            index, where = sqlite.fts(table), " AND ".join(f'{{{" ".join(readable)}}} : "{word}" *' for word in asked)
            query = f'account_id : "{use.account_id}" AND {where}'
            with arming().search():
                cursor.execute(
                    f'SELECT id FROM "{table.name}" WHERE id IN (SELECT rowid FROM {index} WHERE {index} MATCH %s) LIMIT %s', [query, most]
                )
                return [int(row[0]) for row in cursor.fetchall()]
        return [int(row[0]) for row in cursor.fetchall()]

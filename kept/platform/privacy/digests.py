"""Looking digests up, one or many, through the index."""

from __future__ import annotations

from collections.abc import Iterable

from kept.core.errors import BadInput
from kept.platform.data.lookup import lookup
from kept.platform.data.personal import AccountModel
from kept.platform.data.use import Use

KINDS = ("email", "phone", "source")
"""What a person can be found by: an address, a number in E.164, the number that a source gave the record."""


def rows_of(
    use: Use, model: type[AccountModel], kind: str, digests: Iterable[bytes], column: str, also: str = "TRUE"
) -> list[tuple[bytes, int]]:
    """(digest, column) of every row of this kind that has one of the digests. `model` has columns `kind` and `digest`; `also` is a further
    condition on the row, called t, written by us.

    The condition repeats that of a partial index as it was written: only then does SQLite use it.
    """
    if kind not in KINDS:
        raise BadInput(f"Nobody is found by {kind}.", place="identifier", cure=f"Use one of {', '.join(KINDS)}.")
    where = f"{also} AND t.kind = '{kind}'" + ("" if kind == "phone" else " AND NOT (t.kind = 'phone')")
    return [(bytes(digest), value) for digest, value in lookup(use, model, "digest", digests, ("digest", column), where)]

"""Writing and reading personal values: sealed under the person's own key where the notice says so (`secure.seal`).

A sealed value is text, ``sealed:`` and base64; its context is the subject's reference and the column, so that it cannot be moved.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from kept.core.errors import BadInput
from kept.core.notice import Policy
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, PersonalModel
from kept.platform.data.use import SEALED, Use
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

Row = TypeVar("Row", bound=PersonalModel)
Holder = tuple[int, str]
"""A subject's key id and reference."""


def holders(use: Use, subject_ids: Sequence[int]) -> dict[int, Holder]:
    """The keys and references of these subjects."""
    found = Subject.under(use).filter(pk__in=set(subject_ids)).values_list("pk", "key_id", "reference")
    return {pk: (key_id or 0, reference) for pk, key_id, reference in found}


def _context(reference: str, model: type[AccountModel], name: str) -> str:
    return f"{reference}/{model._meta.db_table}.{name}"


def sealed_places(policy: Policy, model: type[PersonalModel], names: Sequence[str], row: Sequence[Any]) -> list[int]:
    """Positions in this row whose values the notice promises to seal."""
    if model.personal.by_row:
        category = row[names.index("category")] if "category" in names else None
        sealed = {"value", *model.personal.columns} if category in policy.sealed else set()
    else:
        sealed = {name for name, category in model.personal.columns.items() if category in policy.sealed}
    return [place for place, name in enumerate(names) if name in sealed]


def seal(
    use: Use, model: type[PersonalModel], names: Sequence[str], lines: Sequence[Sequence[Any]], known: dict[int, Holder] | None = None
) -> list[list[Any]]:
    """The lines with the values sealed that the notice promises to seal. `names` include `subject`, and `category` where rows have one.

    Raises BadInput for a value that would read as sealed already.
    """
    policy = policy_of(use.account_id)
    done = [list(line) for line in lines]
    if any(type(value) is str and value.startswith(SEALED) for line in done for value in line):
        raise BadInput("A value must not begin like a sealed one.", place=model._meta.label, cure=f"Leave out “{SEALED}” at its beginning.")
    if not policy.sealed:
        return done
    where = names.index("subject")
    kind = names.index("category") if model.personal.by_row else where
    shared = dict[Any, list[int]]()  # by category; one for all where rows have none of their own
    places = []
    for n, line in enumerate(done):
        key = line[kind] if model.personal.by_row else None
        if key not in shared:
            shared[key] = sealed_places(policy, model, names, line)
        places += [(n, place) for place in shared[key] if line[place]]
    if not places:
        return done
    keys = known if known is not None else holders(use, [done[n][where] for n, _ in places])
    items = []
    for n, place in places:
        key_id, reference = keys[done[n][where]]
        items.append((key_id, str(done[n][place]).encode(), _context(reference, model, names[place])))
    for (n, place), sealed in zip(places, vault().seal_many(items), strict=True):
        done[n][place] = SEALED + base64.b64encode(sealed).decode()
    return done


def insert(
    use: Use, model: type[PersonalModel], names: Sequence[str], lines: Sequence[Sequence[Any]], known: dict[int, Holder] | None = None
) -> list[int]:
    """`rows.insert`, sealing what the notice promises to seal. `known` saves the look-up of keys just made."""
    return rows.insert(use, model, names, seal(use, model, names, lines, known))


def change(use: Use, row: PersonalModel, **values: Any) -> None:
    """Change values of one record."""
    names = ("subject", *(("category",) if row.personal.by_row else ()), *values)
    head = (row.subject_id, *((row.category,) if row.personal.by_row else ()))  # type: ignore[attr-defined]
    (line,) = seal(use, type(row), names, [(*head, *values.values())])
    rows.update(use, type(row), tuple(values), [(row.pk, *line[len(head) :])])


def opened(use: Use, records: Sequence[Row]) -> list[Row]:
    """The same records with sealed values opened; a value whose key is gone reads as empty."""
    found = [(row, name) for row in records for name in _sealed_names(row)]
    if found:
        keys = holders(use, [row.subject_id for row, _ in found])
        items = []
        for row, name in found:
            key_id, reference = keys.get(row.subject_id, (0, ""))
            blob = base64.b64decode(getattr(row, name).removeprefix(SEALED))
            items.append((key_id, blob, _context(reference, type(row), name)))
        for (row, name), plain in zip(found, vault().open_many(items), strict=True):
            setattr(row, name, plain.decode() if plain is not None else "")
    return list(records)


def _sealed_names(row: PersonalModel) -> list[str]:
    loaded = row.__dict__
    names = (*row.personal.columns, "value") if row.personal.by_row else tuple(row.personal.columns)
    return [name for name in names if isinstance(loaded.get(name), str) and loaded[name].startswith(SEALED)]

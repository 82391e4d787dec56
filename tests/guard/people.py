"""People for tests of the guard."""

from __future__ import annotations

from kept.apps.contacts.models import Person
from kept.platform.data import rows
from kept.platform.data.testing import NOW, subjects, use
from kept.platform.data.use import writing

PERSON = ("subject", "given_name", "family_name", "birth_date", "created_at", "changed_at")


def add_people(account_id: int, *masks: int) -> list[int]:
    """People called Dana 0, Dana 1…, with these masks."""
    made = subjects(account_id, masks)
    with writing(use(account_id)) as acting:
        return rows.insert(acting, Person, PERSON, [(one, f"Dana{i}", "Marsh", "1985-03-01", NOW, NOW) for i, one in enumerate(made.ids)])

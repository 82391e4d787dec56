"""Imports under a notice that fences what is from a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from kept.apps.contacts.models import ContactPoint, Person
from kept.apps.imports import actions, queries
from kept.apps.imports.tests.files import ACTOR, bring
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.data.use import OPEN_MASK, writing
from kept.platform.privacy import choices, notices, provenance, subjects, values
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.testing import notice_text, someone

LIMIT = """
What comes in a file is for our own work with you.

```rule
limit = "files"
applies_to = { source = "import" }
only_purposes = ["customer-relations"]
```
"""
HEAD = "first name,surname,email\n"


@pytest.fixture
def account() -> Account:
    made = cast().account
    notices.activate(made, notice_text().replace("```\n\n", f"```\n{LIMIT}\n", 1), ACTOR)
    return made


def known(account: Account, **columns: str) -> Any:
    """Dana, who told us of herself."""
    now, subject = timezone.now(), someone(account, "dana@quayside.example").id
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        origin = provenance.record(use, source="subject", occasion="test", basis="contract", rule="")
        names = ("subject", "provenance_id", "created_at", "changed_at", *columns)
        (pk,) = values.insert(use, Person, names, [(subject, origin, now, now, *columns.values())])
        return Person.under(use).get(pk=pk)


def given(account: Account, term: str) -> list[str]:
    """The names that this purpose sees of people, all of whom agreed to marketing."""
    with reserved(account.pk, ACTOR, "rights") as use:
        for subject in Subject.under(use):
            choices.choose(use, subject, "allow", "direct-marketing")
    with acting(account.pk, "job:test", term) as use:
        return sorted(Person.under(use).values_list("given_name", flat=True))


def fence(account: Account) -> int:
    return notices.policy_of(account.pk).fence("import", "name")


def test_people_from_a_file_come_in_behind_its_fence(account: Account) -> None:
    run = bring(account, HEAD + "Dana,Reyes,dana@quayside.example\n,,erin@moss.example\n")
    assert run.created == 2
    assert given(account, "customer-relations") == ["", "Dana"]
    assert given(account, "direct-marketing") == [""]
    with reserved(account.pk, ACTOR, "rights") as use:
        assert dict(Person.under(use).values_list("given_name", "fence")) == {"Dana": fence(account), "": OPEN_MASK}
        assert set(ContactPoint.under(use).values_list("fence", flat=True)) == {fence(account)}


def test_a_file_does_not_hide_a_record_that_serves_more_and_says_what_it_left_out(account: Account) -> None:
    dana = known(account, given_name="Dana", family_name="Reyes")
    run = bring(account, HEAD + "Dina,Reyes,dana@quayside.example\n")
    assert (run.updated, run.rejected, run.dropped_cells) == (1, 0, 1)
    assert given(account, "direct-marketing") == ["Dana"]
    (line,) = list(queries.rejects(run))[1:]
    assert line.startswith("2,cell,first name,The record here serves more")
    with reserved(account.pk, ACTOR, "rights") as use:
        assert Person.under(use).get(pk=dana.pk).fence == OPEN_MASK


def test_what_a_file_fills_in_empty_comes_behind_its_fence_and_undoing_opens_it_again(account: Account) -> None:
    dana = known(account)
    run = bring(account, HEAD + "Dana,Reyes,dana@quayside.example\n")
    assert run.dropped_cells == 0
    assert (given(account, "customer-relations"), given(account, "direct-marketing")) == (["Dana"], [])
    actions.undo(account.pk, run.pk, ACTOR, background=False)
    with reserved(account.pk, ACTOR, "rights") as use:
        row = Person.under(use).get(pk=dana.pk)
        assert (row.given_name, row.fence) == ("", OPEN_MASK)


def test_undoing_opens_no_record_that_something_else_came_to_since(account: Account) -> None:
    known(account)
    run = bring(account, HEAD + "Dana,,dana@quayside.example\n")
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        values.change(use, Person.under(use).get(), source="import", family_name="Reyes")
    actions.undo(account.pk, run.pk, ACTOR, background=False)
    with reserved(account.pk, ACTOR, "rights") as use:
        row = Person.under(use).get(subject_id=subjects.find(use, "email", "dana@quayside.example", "GB").pk)
        assert (row.given_name, row.family_name, row.fence) == ("", "Reyes", fence(account))

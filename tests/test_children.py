"""Whoever is found to be too young is gone the night after, unless a parent consented where that is enough."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from kept.apps.contacts.models import Person
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import children, choices, ledger, notices, proofs, provenance, subjects, values
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice, Erasure
from kept.platform.privacy.testing import cast, notice_text


def account(age: str) -> Account:
    made = cast().account
    text = notice_text()
    start = text.index('age = "')
    end = text.index("```", start)
    notices.activate(made, text[:start] + age + text[end:], "command:test")
    return made


def born(here: Account, years: int) -> Subject:
    day = timezone.now().date() - timedelta(days=int(years * 365.25) + 2)
    with reserved(here.pk, "command:test", "rights") as use, writing(use):
        (made,) = subjects.add(use, notices.policy_of(here.pk), [subjects.Newcomer("GB", day)])
        origin = provenance.record(use, source="staff", occasion="Typed", basis="contract", rule="collect:typed")
        now = timezone.now()
        names = ("subject", "given_name", "birth_date", "provenance_id", "created_at", "changed_at")
        values.insert(use, Person, names, [(made, "Dana", day.isoformat(), origin, now, now)])
        found: Subject = Subject.under(use).get(pk=made)
    return found


def there(here: Account, one: Subject) -> bool:
    with reserved(here.pk, "command:test", "rights") as use:
        return Subject.under(use).filter(reference=one.reference).exists()


ERASE = 'age = "children"\nminimum = 16\nbelow = "refuse"\non_discovery = "erase"\ndelete_within = "10 days"\n'


def test_a_child_is_erased_and_nobody_else() -> None:
    here = account(ERASE)
    child, grown = born(here, 12), born(here, 30)
    assert children.run(here.pk, timezone.now()) == 1
    assert (there(here, child), there(here, grown)) == (False, True)
    with reserved(here.pk, "command:test", "rights") as use:
        assert Erasure.under(use).get(reference=child.reference).rule == "age:children"
    assert children.run(here.pk, timezone.now()) == 0
    assert ledger.faults(here.pk) == []


def test_a_parents_consent_is_enough_where_the_notice_says_so() -> None:
    here = account(ERASE.replace('"refuse"', '"parental-consent"'))
    child, other = born(here, 12), born(here, 12)
    with reserved(here.pk, "command:test", "rights") as use:
        choices.choose(use, child, "allow", "parental-consent")
    assert children.run(here.pk, timezone.now()) == 1
    assert (there(here, child), there(here, other)) == (True, False)


def test_a_child_is_left_alone_where_the_notice_says_that() -> None:
    here = account(ERASE.replace('"erase"', '"restrict"').replace('delete_within = "10 days"\n', ""))
    child = born(here, 12)
    assert children.run(here.pk, timezone.now()) == 1
    assert children.run(here.pk, timezone.now()) == 0
    with reserved(here.pk, "command:test", "rights") as use:
        assert Choice.under(use).get(subject_id=child.pk, purpose="all").restricted


def test_the_proof_follows_the_night() -> None:
    here = account(ERASE)
    child, grown = born(here, 12), born(here, 30)
    children.run(here.pk, timezone.now())
    found = {one.rule: one for one in proofs.prove(here.pk, "command:test")}
    assert (found["age:children"].state, found["age:children"].counted) == ("kept", 1)
    assert (there(here, child), there(here, grown)) == (False, True)

"""Cases and holds: what is held outlasts retention and erasure, and goes once it is released."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.ledger import verify_receipt
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, erasure, holds, journal, ledger, notices, proofs, retention, staying, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Case, Entry, Erasure, Hold, Identifier
from kept.platform.privacy.registry import Clock, registry
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.testing import notice_text

NOW = timezone.now()
LONG_AGO, LATELY = NOW - timedelta(days=4 * 366), NOW - timedelta(days=300)
ALICE = "member:alice"
RIGHT = 'right = "erasure"\nkind = "erase"'
DUTY = """
## Titles of office

The law asks us to keep the office that somebody held for two years after we last had to do with them.

```rule
retain = "offices"
categories = ["job-title"]
keep = "2 years"
after = "last-activity"
then = "erase"
duty = "legal"
```
"""


def account(more: str = "") -> Account:
    made = cast().account
    text = notice_text().replace(RIGHT, RIGHT + '\nexcept = ["legal-duty", "legal-claim"]')
    notices.activate(made, text + more, "command:test")
    return made


def dana(account: Account, at: Any = LATELY) -> Subject:
    """Somebody with a record, an address, a telephone number, choices, a digest, and a birth date that is sealed."""
    contacts: Any = apps.get_app_config("contacts")
    email = f"dana.{secrets.token_hex(4)}@quayside.example"
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        (subject,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer("GB")])
        subjects.identify(use, subject, [("email", subjects.digest(account.pk, "email", email, "GB"))])
        names = ("subject", "given_name", "job_title", "birth_date", "created_at", "changed_at")
        (row,) = values.insert(use, contacts.get_model("person"), names, [(subject, "Dana", "Mayor", "1980-02-03", at, at)])
        points = [(subject, row, "email", "staff", email), (subject, row, "phone", "staff", "+441175550142")]
        values.insert(use, contacts.get_model("contactpoint"), ("subject", "person", "category", "source", "value"), points)
        found = Subject.under(use).get(pk=subject)
        choices.choose(use, found, "object", "analytics")
        return Subject.under(use).get(pk=subject)


def case(account: Account, *people: Subject, ground: str = "legal-claim", **how: Any) -> Case:
    with bookkeeping(account.pk, writing=True) as use:
        made = holds.open_case(use, ALICE, "Claim about the pier", ground)
        holds.place(use, ALICE, made.pk, [one.reference for one in people], **how)
        return made


def release(account: Account, made: Case, **how: Any) -> int:
    with bookkeeping(account.pk, writing=True) as use:
        return holds.release(use, ALICE, made.pk, "It was settled.", **how)


def erase(account: Account, person: Subject, **how: Any) -> Erasure:
    return erasure.erase(account.pk, "command:test", person.pk, secrets.token_hex(16), "right:erasure", **how)


def held(account: Account, person: Subject) -> dict[str, Any]:
    """What is there of somebody."""
    contacts: Any = apps.get_app_config("contacts")
    with reserved(account.pk, "command:test", "proof") as use:
        rows = list(contacts.get_model("person").under(use).filter(subject_id=person.pk))
        points = contacts.get_model("contactpoint").under(use).filter(subject_id=person.pk).order_by("pk")
        return {
            "person": [(row.given_name, row.job_title, bool(row.birth_date)) for row in rows],
            "points": [(one.category, one.value) for one in points],
            "digests": Identifier.under(use).filter(subject_id=person.pk).count(),
            "mask": list(Subject.under(use).filter(pk=person.pk).values_list("permits", flat=True)),
        }


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let time pass for what stays alone: the ledger would not let anybody go back."""
    monkeypatch.setattr(staying, "timezone", SimpleNamespace(now=lambda: moment))


GONE = {"person": [], "points": [], "digests": 0, "mask": []}


def kept(done: Erasure) -> dict[tuple[str, str], tuple[int, list[str]]]:
    return {(line["table"], line["category"]): (line["rows"], line["why"]) for line in done.kept or []}


def bits(account: Account) -> int:
    """The purposes that a restriction ends: it leaves what the law itself demands."""
    policy = notices.policy_of(account.pk)
    return sum(1 << bit for name, bit in policy.bits.items() if policy.basis(name, "GB") != "legal-obligation")


def test_what_is_held_stays_and_the_rest_goes() -> None:
    here = account()
    person = dana(here)
    made = case(here, person, categories=["birth-date"])
    done = erase(here, person)
    left = held(here, person)
    assert (left["person"], left["points"], left["digests"]) == ([("", "", True)], [], 1)
    assert left["mask"][0] & bits(here) == 0
    assert kept(done)["contacts_person", "birth-date"] == (1, ["hold:legal-claim"])
    assert done.counts == {"contacts_contactpoint": 2}
    assert (done.findings, done.key_destroyed_at) == ({}, None)
    document: Any = done.certificate["document"]  # type: ignore[index]
    assert (document["stage"], document["kept"], document["key_destroyed"]) == ("erased in part", done.kept, None)
    assert journal.is_open(done.request)
    assert erasure.carry_on_released(here.pk) == 0
    with pytest.raises(NotFound):
        erasure.key_receipt(here.pk, done.request)

    assert release(here, made) == 1
    assert erasure.carry_on_released(here.pk) == 1
    assert erasure.carry_on_released(here.pk) == 0
    assert held(here, person) == GONE
    whole = erasure.erase(here.pk, "command:test", person.pk, done.request, "right:erasure")
    assert whole.kept is None
    assert whole.certificate["document"]["stage"] == "erased"  # type: ignore[index]
    assert whole.counts == {"contacts_contactpoint": 2, "contacts_person": 1, "privacy_choice": 2, "privacy_identifier": 1}
    _, key = ledger.signing_key(here.pk)
    assert verify_receipt(erasure.key_receipt(here.pk, done.request), key).state == "valid"
    erasure.clear_residue()
    assert not journal.is_open(done.request)
    assert ledger.faults(here.pk) == []


def test_a_row_that_others_refer_to_is_emptied() -> None:
    here = account()
    person = dana(here)
    case(here, person, categories=["phone"])
    done = erase(here, person)
    left = held(here, person)
    assert (left["person"], left["points"]) == ([("", "", False)], [("phone", "+441175550142")])
    assert kept(done)["contacts_person", ""] == (1, ["needed-with-it"])
    assert kept(done)["contacts_contactpoint", "phone"] == (1, ["hold:legal-claim"])


def test_everything_can_be_held() -> None:
    here = account()
    person = dana(here)
    before = held(here, person)
    case(here, person, ground="investigation")
    done = erase(here, person)
    after = held(here, person)
    assert {**after, "mask": 0} == {**before, "mask": 0}
    assert after["mask"][0] & bits(here) == 0
    assert done.counts == {}
    assert {why for _, reasons in kept(done).values() for why in reasons} == {"hold:investigation", "needed-with-it"}


def test_a_parent_category_holds_its_children_and_what_is_not_there_holds_nothing() -> None:
    here = account()
    one, other = dana(here), dana(here)
    case(here, one, categories=["contact-point"])
    case(here, other, categories=["payment-history"])
    assert set(kept(erase(here, one))) >= {("contacts_contactpoint", "email"), ("contacts_contactpoint", "phone")}
    assert erase(here, other).kept is None
    assert held(here, other) == GONE


def test_the_longest_of_several_wins() -> None:
    here = account()
    person = dana(here)
    soon, late = timezone.now() + timedelta(days=30), timezone.now() + timedelta(days=60)
    first = case(here, person, categories=["email"], until=soon)
    second = case(here, person, ground="investigation", categories=["contact-point"], until=late)
    done = erase(here, person)
    (line,) = [line for line in done.kept or [] if line["category"] == "email"]
    assert (line["why"], line["until"]) == (["hold:investigation", "hold:legal-claim"], late.isoformat())
    release(here, second)
    assert erasure.carry_on_released(here.pk) == 0
    assert [category for category, _ in held(here, person)["points"]] == ["email"]
    release(here, first)
    assert erasure.carry_on_released(here.pk) == 1
    assert held(here, person) == GONE


def test_a_hold_ends_on_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    here = account()
    person = dana(here)
    case(here, person, categories=["email"], until=timezone.now() + timedelta(days=1))
    erase(here, person)
    at(monkeypatch, NOW + timedelta(days=2))
    assert erasure.carry_on_released(here.pk) == 1


def test_holds_are_placed_and_released_deliberately() -> None:
    here = account()
    one, other = dana(here), dana(here)
    made = case(here, one, other, categories=["email"])
    with bookkeeping(here.pk, writing=True) as use:
        assert holds.place(use, ALICE, made.pk, [one.reference], categories=["email"], until=NOW + timedelta(days=9)) == 0
        assert holds.release(use, ALICE, made.pk, "Not theirs.", references=[other.reference]) == 1
        assert [hold.subject_reference for hold in holds.holds_of(use, made.pk).filter(released_at=None)] == [one.reference]
        with pytest.raises(BadInput):
            holds.release(use, ALICE, made.pk, " ")
        assert holds.release(use, ALICE, made.pk, "It was settled.") == 1
        with pytest.raises(Conflict):
            holds.place(use, ALICE, made.pk, [one.reference])
        (stays,) = holds.cases(use)
        assert (stays.released_by, stays.released_because, stays.title) == (ALICE, "It was settled.", "Claim about the pier")
        assert holds.standing(use, one.reference, timezone.now()) == []
        entries = [ledger.header_of(entry) for entry in Entry.under(use).filter(kind="hold").order_by("pk")]
        assert [(len(entry.subjects), entry.actor, entry.request) for entry in entries] == [
            (count, ALICE, made.reference) for count in (2, 1, 1, 1)
        ]
        again = holds.open_case(use, ALICE, "Another", "legal-duty")
        for wrong in ({"categories": ["nonsense"]}, {"until": NOW - timedelta(days=1)}):
            with pytest.raises(BadInput):
                holds.place(use, ALICE, again.pk, [one.reference], **wrong)
        with pytest.raises(BadInput):
            holds.open_case(use, ALICE, "Another", "because")
    erase(here, one)
    with bookkeeping(here.pk, writing=True) as use, pytest.raises(NotFound):
        holds.place(use, ALICE, again.pk, [one.reference])


def test_another_account_sees_no_case() -> None:
    here, there = account(), account()
    made = case(here, dana(here))
    with bookkeeping(there.pk, writing=True) as use:
        with pytest.raises(NotFound):
            holds.release(use, ALICE, made.pk, "It was settled.")
        assert not holds.cases(use).exists()


def test_an_exception_of_the_notice_becomes_a_case() -> None:
    here = account()
    person = dana(here)
    done = erase(here, person, excepted={"email": "legal-claim", "name": "legal-duty"})
    assert kept(done)["contacts_person", "name"] == (1, ["hold:legal-duty"])
    assert erasure.erase(here.pk, "command:test", person.pk, done.request, "right:erasure").kept == done.kept
    with bookkeeping(here.pk) as use:
        opened = list(holds.cases(use).filter(request=done.request))
    assert {one.ground for one in opened} == {"legal-claim", "legal-duty"}
    for one in opened:
        release(here, one)
    assert erasure.carry_on_released(here.pk) == 1
    assert held(here, person) == GONE


@pytest.mark.parametrize("wrong", [{"email": "research"}, {"email": "whim"}, {"nonsense": "legal-claim"}])
def test_an_exception_that_the_notice_does_not_name_is_refused(wrong: dict[str, str]) -> None:
    here = account()
    person = dana(here)
    with pytest.raises(BadInput):
        erase(here, person, excepted=wrong)
    assert held(here, person)["person"] == [("Dana", "Mayor", True)]


def test_the_plan_says_what_the_erasure_does() -> None:
    here = account()
    person = dana(here)
    with reserved(here.pk, "command:test", "rights") as use:
        planned = erasure.plan(use, person, {"birth-date": "legal-claim"})
        whole = erasure.plan(use, person)
    assert {(one.table, one.rows) for one in whole} == {
        *(("contacts_contactpoint", 2), ("contacts_person", 1), ("privacy_choice", 1), ("privacy_identifier", 1)),
    }
    assert not any(one.stays for one in whole)
    done = erase(here, person, excepted={"birth-date": "legal-claim"})
    assert {one.table: one.rows for one in planned if not one.stays and not one.category} == done.counts
    assert {(one.table, one.category) for one in planned if not one.stays and one.category} == {
        ("contacts_person", "name"),
        ("contacts_person", "job-title"),
    }
    stays = {(one.table, one.category): (one.rows, one.why.split(", ")) for one in planned if one.stays}
    told = kept(done)
    told["privacy_choice", ""] = (told["privacy_choice", ""][0] - 1, ["needed-with-it"])  # the erasure's own restriction
    assert stays == told


# What the law wants kept


def test_what_the_law_wants_kept_is_left_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    here = account(DUTY)
    person, past = dana(here), dana(here, LONG_AGO)
    assert erase(here, past).kept is None
    done = erase(here, person)
    assert held(here, person)["person"] == [("", "Mayor", False)]
    (line,) = [line for line in done.kept or [] if line["category"]]
    assert (line["category"], line["why"], line["until"][:4]) == ("job-title", ["retain:offices"], str((LATELY.year) + 2))
    assert {proof.rule: proof.state for proof in proofs.prove(here.pk, "command:test")}["retain:offices"] == "kept"
    at(monkeypatch, NOW + timedelta(days=2 * 366))
    assert erasure.carry_on_released(here.pk) == 1
    assert held(here, person) == GONE


def test_a_proof_finds_what_the_law_wants_kept_and_is_gone() -> None:
    here = account(DUTY)
    person = dana(here)
    erase(here, person)
    contacts: Any = apps.get_app_config("contacts")
    with reserved(here.pk, "command:test", "rights") as use, writing(use):
        contacts.get_model("person").under(use).filter(subject_id=person.pk).update(job_title="")
    found = {proof.rule: proof for proof in proofs.prove(here.pk, "command:test")}["retain:offices"]
    assert found.state == "broken"


@pytest.fixture
def dated_points() -> Iterator[None]:
    """A clock of records: each contact point has one, by the number of its provenance's stand-in, the time of its record."""
    contacts: Any = apps.get_app_config("contacts")
    clock = Clock("collected", contacts.get_model("person"), "created_at")
    registry.clocks.append(clock)
    yield
    registry.clocks.remove(clock)


@pytest.mark.usefixtures("dated_points")
def test_a_duty_by_record_keeps_the_rows_whose_time_is_not_over() -> None:
    here = account(DUTY.replace("last-activity", "collected"))
    person = dana(here)
    contacts: Any = apps.get_app_config("contacts")
    with reserved(here.pk, "command:test", "rights") as use, writing(use):
        names = ("subject", "given_name", "job_title", "created_at", "changed_at")
        values.insert(use, contacts.get_model("person"), names, [(person.pk, "Dana", "Clerk", LONG_AGO, LONG_AGO)])
    done = erase(here, person)
    assert held(here, person)["person"] == [("", "Mayor", False)]
    assert done.counts["contacts_person"] == 1


def test_a_duty_whose_clock_nobody_keeps_is_not_over() -> None:
    here = account(DUTY.replace("last-activity", "application-decided"))
    person = dana(here, LONG_AGO)
    assert [line["until"] for line in erase(here, person).kept or [] if line["category"]] == [None]
    retention.run(here.pk, timezone.now())
    assert held(here, person)["person"] == [("", "Mayor", False)]


# Retention


def test_retention_leaves_what_is_held_and_takes_it_once_released() -> None:
    here = account()
    person, free = dana(here, LONG_AGO), dana(here, LONG_AGO)
    made = case(here, person, categories=["email"])
    planned = retention.run(here.pk, timezone.now(), dry_run=True)
    done = retention.run(here.pk, timezone.now())
    assert planned == done
    assert held(here, free) == GONE
    assert [category for category, _ in held(here, person)["points"]] == ["email"]
    assert {proof.rule: proof.state for proof in proofs.prove(here.pk, "command:test")}["retain:customer-records"] == "kept"
    assert all(one.nothing for one in retention.run(here.pk, timezone.now()))
    release(here, made)
    retention.run(here.pk, timezone.now())
    assert held(here, person) == GONE


def test_retention_leaves_somebody_of_whom_everything_is_held() -> None:
    here = account()
    person = dana(here, LONG_AGO)
    before = held(here, person)
    case(here, person)
    retention.run(here.pk, timezone.now())
    assert held(here, person) == before


# Restores


def test_a_hold_that_a_restore_lost_is_placed_again() -> None:
    here = account()
    person = dana(here)
    case(here, person, categories=["email"])
    intent = erasure._intent(here.pk, "command:test", person.pk, secrets.token_hex(16), "right:erasure", {})
    journal.intend(intent)
    with reserved(here.pk, "command:test", "rights") as use, writing(use):
        Hold.under(use).delete()
        Case.under(use).delete()
    assert erasure.resume(intent).kept
    assert [category for category, _ in held(here, person)["points"]] == ["email"]


def test_who_was_erased_whole_is_so_again_whatever_a_restored_hold_says() -> None:
    here = account()
    person = dana(here)
    made = case(here, person, categories=["email"])
    done = erase(here, person)
    journal.note_erased(done.request)  # as if the case had been released, and the backup were older
    assert erasure.resume_all() >= 1
    assert held(here, person) == GONE
    assert made.released_at is None


def test_an_erasure_in_part_waits_for_residue_once() -> None:
    here = account()
    person = dana(here)
    case(here, person, categories=["email"])
    done = erase(here, person)
    erasure.clear_residue()
    after = erasure.erase(here.pk, "command:test", person.pk, done.request, "right:erasure")
    assert after.residue_at is not None
    document: Any = after.certificate["document"]  # type: ignore[index]
    assert document["residue_cleared"] == after.residue_at.isoformat()
    assert not erasure._waits(journal.find(done.request))  # type: ignore[arg-type]
    assert journal.is_open(done.request)
    assert vault().open(person.key_id or 0, vault().seal(person.key_id or 0, b"still here", "test"), "test") == b"still here"

"""Imports from the first byte to the undoing."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from django.utils import timezone

from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.apps.imports import actions, jobs, queries, staging
from kept.apps.imports.models import Batch, Before, Import
from kept.apps.imports.tests.files import ACTOR, SOURCE, bring, everything, figures, staged
from kept.core.errors import BadInput, Conflict, NotFound, Refused, Shredded
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, erasure, ledger, notices, provenance, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Identifier
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.testing import cast, notice_text, with_notice

HEAD = "id,first name,surname,email,mobile,company,job title,dob,street,city\n"
DANA = "d-1,Dana,Reyes,dana@quayside.example,+44 20 7946 0958,Quayside,Architect,1984-02-11,4 Quay Street,Bristol\n"
ERIN = "e-1,Erin,Moss,erin@moss.example,,Quayside,,,,\n"


@pytest.fixture
def account() -> Account:
    return with_notice(cast().account)


def person(account: Account, email: str = "dana@quayside.example") -> Person:
    with reserved(account.pk, ACTOR, "rights") as use:
        subject = subjects.find(use, "email", email, "GB")
        return values.opened(use, [Person.under(use).get(subject_id=subject.pk)])[0]


def points(account: Account, person: Person) -> set[str]:
    with reserved(account.pk, ACTOR, "rights") as use:
        return set(ContactPoint.under(use).filter(person_id=person.pk).values_list("value", flat=True))


def test_a_person_comes_in_whole_with_company_origin_and_a_sealed_birth_date(account: Account) -> None:
    run = bring(account, HEAD + DANA + ERIN)
    assert figures(run) == {"read": 2, "created": 2}
    dana = person(account)
    assert (dana.given_name, dana.family_name, dana.job_title, dana.birth_date) == ("Dana", "Reyes", "Architect", "1984-02-11")
    assert points(account, dana) == {"dana@quayside.example", "+442079460958"}
    with acting(account.pk, ACTOR, "customer-relations") as use:
        held = Person.under(use).get(pk=dana.pk)
        assert held.birth_date.startswith("sealed:")
        assert Company.under(use).get().name == "Quayside"
        address = PostalAddress.under(use).get(person_id=dana.pk)
        assert (address.value, address.street, address.city) == ("4 Quay Street, Bristol", "4 Quay Street", "Bristol")
        answer = provenance.explain(use, [held], {held.subject_id: held.permits or 0})[held._meta.db_table, held.pk, "given_name"]
        assert (answer.source, answer.occasion, answer.basis, answer.rule) == ("import", SOURCE, "contract", "collect:customer-file")
    assert ledger.faults(account.pk) == []


def test_what_is_known_already_is_brought_up_to_date_and_empty_cells_take_nothing_away(account: Account) -> None:
    bring(account, HEAD + DANA)
    run = bring(account, HEAD + "d-1,Dina,,dina@quayside.example,,Harbour,,,5 Quay Street,\nd-1,,,dina@quayside.example,,,Builder,,,\n")
    assert figures(run) == {"read": 2, "updated": 1, "duplicates": 1}
    dana = person(account, "dina@quayside.example")
    assert dana.pk == person(account).pk
    assert (dana.given_name, dana.family_name, dana.job_title, dana.birth_date) == ("Dina", "Reyes", "Builder", "1984-02-11")
    assert points(account, dana) == {"dana@quayside.example", "dina@quayside.example", "+442079460958"}
    with reserved(account.pk, ACTOR, "rights") as use:
        assert PostalAddress.under(use).get(person_id=dana.pk).value == "5 Quay Street, Bristol"
        why = provenance.explain(use, [dana], {dana.subject_id: dana.permits or 0})
        assert why["contacts_person", dana.pk, "given_name"].at > why["contacts_person", dana.pk, "family_name"].at

    undone = actions.undo(account.pk, run.pk, ACTOR, background=False)
    assert (undone.state, undone.undone, undone.left) == ("undone", 0, None)
    dana = person(account)
    assert (dana.given_name, dana.job_title) == ("Dana", "Architect")
    assert points(account, dana) == {"dana@quayside.example", "+442079460958"}
    with reserved(account.pk, ACTOR, "rights") as use:
        assert PostalAddress.under(use).get(person_id=dana.pk).value == "4 Quay Street, Bristol"
        with pytest.raises(NotFound):
            subjects.find(use, "email", "dina@quayside.example", "GB")
        assert list(Company.under(use).values_list("name", flat=True)) == ["Quayside"]


def test_undoing_removes_people_and_destroys_their_keys_but_leaves_whoever_moved_since(account: Account) -> None:
    run = bring(account, HEAD + DANA + ERIN + "f-1,Finn,Ode,finn@ode.example,,Ode Ltd,,,,\n")
    erin, finn = person(account, "erin@moss.example"), person(account, "finn@ode.example")
    with reserved(account.pk, ACTOR, "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=erin.subject_id), "allow", "direct-marketing")
        (key,) = Subject.under(use).filter(pk=finn.subject_id).values_list("key_id", flat=True)
    undone = actions.undo(account.pk, run.pk, ACTOR, background=False)
    assert (undone.undone, undone.left, undone.key_id) == (2, [erin.subject_id], None)
    with reserved(account.pk, ACTOR, "rights") as use:
        assert list(Person.under(use).values_list("pk", flat=True)) == [erin.pk]
        assert list(Subject.under(use).values_list("pk", flat=True)) == [erin.subject_id]
        assert list(Company.under(use).values_list("name", flat=True)) == ["Quayside"]
        assert set(Identifier.under(use).values_list("subject_id", flat=True)) == {erin.subject_id}
    with pytest.raises(Shredded):
        vault().seal(key or 0, b"x", "x")
    with pytest.raises(Conflict):
        actions.undo(account.pk, run.pk, ACTOR)


def test_undoing_leaves_a_value_that_was_changed_since(account: Account) -> None:
    bring(account, HEAD + DANA)
    run = bring(account, HEAD + "d-1,Dina,Royce,,,,,,,\n")
    dana = person(account)
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        values.change(use, dana, given_name="Danae")
    undone = actions.undo(account.pk, run.pk, ACTOR, background=False)
    assert undone.left == [dana.subject_id]
    assert (person(account).given_name, person(account).family_name) == ("Danae", "Reyes")


def test_restricted_people_are_recognised(account: Account) -> None:
    bring(account, HEAD + DANA)
    dana = person(account)
    with reserved(account.pk, ACTOR, "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=dana.subject_id), "restrict", "all")
    with acting(account.pk, ACTOR, "customer-relations") as use:
        assert not Person.under(use).exists()
    assert figures(bring(account, HEAD + DANA)) == {"read": 1, "updated": 1}


def test_a_file_meets_itself_and_shared_telephones_part_nobody(account: Account) -> None:
    lines = [
        "1,Ann,Hill,ann@hill.example,020 7946 0958,,,,,",
        "2,Bob,Hill,bob@hill.example,020 7946 0958,,,,,",
        "1,Anna,,,,,,,,",
        "9,Ann,Hill,ANN@hill.example,,,,,,",
        "1,Cid,Hill,bob@hill.example,,,,,,",
        ",Dee,Hill,,020 7946 0958,,,,,",
        ",Eve,Hill,,020 7946 0111,,,,,",
        ",Eva,Hill,,+44 20 7946 0111,,,,,",
        ",Fay,Hill,,,,,,,",
    ]
    run = bring(account, HEAD + "\n".join(lines))
    assert figures(run) == {"read": 9, "created": 3, "duplicates": 3, "rejected": 3}
    assert person(account, "ann@hill.example").given_name == "Ann"
    assert figures(bring(account, HEAD + "\n".join(lines))) == {"read": 9, "updated": 3, "duplicates": 3, "rejected": 3}
    said = list(queries.rejects(run))
    assert [line.split(",")[:2] for line in said[1:]] == [["6", "row"], ["7", "row"], ["10", "row"]]


def test_two_sources_may_give_two_people_one_number(account: Account) -> None:
    bring(account, "id,first name\n1,Dana\n", "here")
    assert figures(bring(account, "id,first name\n1,Erin\n", "there")) == {"read": 1, "created": 1}
    assert figures(bring(account, "id,first name\n1,Dana\n", " HERE ")) == {"read": 1, "updated": 1}
    with reserved(account.pk, ACTOR, "rights") as use, pytest.raises(Conflict):
        subjects.find(use, "source", "1", "GB")


def test_the_erased_stay_away_by_any_identifier(account: Account) -> None:
    bring(account, HEAD + DANA)
    erasure.erase(account.pk, ACTOR, person(account).subject_id, secrets.token_hex(16), "right:erasure")
    lines = [
        "d-1,Dana,,,,,,,,",
        ",Dana,,DANA@quayside.example,,,,,,",
        ",Dana,,new@quayside.example,020 7946 0958,,,,,",
        ",Dana,,,020 7946 0958,,,,,",
    ]
    assert figures(bring(account, HEAD + "\n".join(lines) + "\n" + ERIN)) == {"read": 5, "suppressed": 4, "created": 1}


def test_numbers_that_no_inlet_takes_are_dropped_by_header_by_content_and_one_by_one(account: Account) -> None:
    cards = ["4012 8888 8888 1881", "5105-1051-0510-5100", "371449635398431"]
    lines = [f"c-{n},{cards[n % 3]},219-09-999{n % 9 + 1},plain,ok" for n in range(30)] + [
        "c-99,,,QQ 12 34 56 C 6011000990139424,ok",
        "c-98,x,,,",
    ]
    run = staged(account, "id,reference,ssn,last name,city\n" + "\n".join(lines))
    assert run.layout["refused"] == [
        {"name": "reference", "category": "payment-card", "by": "content"},
        {"name": "ssn", "category": "national-id", "by": "header"},
    ]
    run = actions.commit_now(account.pk, run.pk, ACTOR)
    assert (figures(run), run.dropped_cells) == ({"read": 32, "created": 32}, 1)
    assert list(queries.rejects(run))[1] == "32,cell,last name,This is a payment card number. It was not stored.\r\n"
    written = everything()
    assert not [card for card in (*cards, "6011000990139424", "219-09-9991") if card.encode() in written]


def test_a_refused_cell_is_masked_in_a_rejected_row_and_a_misfit_row_shows_nothing(account: Account) -> None:
    run = bring(account, "email,city,name\nnobody,4111 1111 1111 1111,=1+1\na@b.example,Bath\ngus@gus.example,Bath,Gus\n")
    assert figures(run) == {"read": 3, "created": 1, "rejected": 2}
    lines = list(queries.rejects(run))[1:]
    assert lines[0].startswith('2,row,,"Nothing in this row')
    assert lines[0].endswith("nobody,refused,'=1+1\r\n")
    assert lines[1].startswith("2,cell,city,This is a payment card number")
    assert lines[2] == '3,row,,"The row has 2 cells, which is not the number of columns."\r\n'


def test_what_is_wrong_is_said_before_anything_is_stored(account: Account) -> None:
    def count() -> int:
        with bookkeeping(account.pk) as use:
            return Batch.under(use).count()

    for data in (b"", b"name,email\n", b"dana@quayside.example,Dana\n", "email\né@b.example\n".encode() + b"\xff\n"):
        with pytest.raises(BadInput) as caught:
            staged(account, data)
        assert caught.value.place
    with pytest.raises(BadInput, match="where this data is from"):
        staged(account, HEAD + DANA, " ")
    with pytest.raises(BadInput) as caught:
        staged(account, HEAD + DANA, mapping={"no such": "email"})
    assert caught.value.place == "no such"
    run = staged(account, "first name\nDana\n")
    with pytest.raises(BadInput, match="nobody could be recognised"):
        actions.commit_now(account.pk, run.pk, ACTOR)
    actions.discard(account.pk, run.pk)
    assert count() == 0


def test_a_category_that_no_rule_lets_in_is_refused_with_the_rule(account: Account) -> None:
    text = notice_text().replace(
        '"birth-date", "organisation", "job-title", "source-identifier",\n]\nfrom = "import"', '"source-identifier",\n]\nfrom = "import"'
    )
    notices.activate(account, text, ACTOR)
    assert "dob" not in staged(account, HEAD + DANA).mapping
    with pytest.raises(Refused) as caught:
        staged(account, HEAD + DANA, mapping={"dob": "birth_date", "id": "source_id"})
    assert (caught.value.place, caught.value.rule) == ("dob", "collect:customer-file")


def test_the_preview_foretells_the_outcome_and_changes_nothing(account: Account) -> None:
    bring(account, HEAD + DANA)
    data = HEAD + DANA + ERIN + ERIN + "x,y\n,Nobody,,,,,,,,\n" + "k-1,Kid,Small,kid@small.example,,,,2020-01-01,,\n"
    run = staged(account, data)
    told = actions.preview(account.pk, run.pk, ACTOR)
    assert (told.created, told.updated, told.duplicates, told.rejected) == (1, 1, 1, 3)
    assert told.rows[0][1]["email"] == "dana@quayside.example"
    assert figures(actions.commit_now(account.pk, run.pk, ACTOR)) == {"read": 6, "created": 1, "updated": 1, "duplicates": 1, "rejected": 3}


def test_an_erasure_reaches_what_is_staged_rejected_and_remembered(account: Account) -> None:
    bring(account, HEAD + DANA)
    changed = bring(
        account,
        HEAD
        + "d-1,Dinah,,,,,,,,\nx-1,Xan,,xan@b.example,,,,2020-01-01,,\nd-1,Dana,,xan2@b.example,,,,2020-01-01,,\n,Dana,Reyes,,,,,,4 Quay,\n",
    )
    assert figures(changed) == {"read": 4, "updated": 1, "rejected": 3}
    waiting = staged(account, HEAD + DANA + ERIN + ",Dana,Reyes,,,,,,4 Quay Street,\n")
    dana = person(account)
    done = erasure.erase(account.pk, ACTOR, dana.subject_id, secrets.token_hex(16), "right:erasure")
    assert done.findings == {}
    assert done.files == {"imports": 2}
    with bookkeeping(account.pk) as use:
        assert not Before.under(use).filter(subject_id=dana.subject_id).exists()
        (batch,) = Batch.under(use).filter(run_id=waiting.pk)
        assert "Dana" not in str(staging.unpack(waiting, batch))
    said = "".join(queries.rejects(changed))
    assert "Dana" not in said
    assert "xan@b.example" in said
    assert figures(actions.commit_now(account.pk, waiting.pk, ACTOR)) == {"read": 3, "created": 1, "suppressed": 1, "rejected": 1}


def test_what_nobody_commits_or_undoes_expires(account: Account) -> None:
    committed, waiting, fresh = bring(account, HEAD + DANA), staged(account, HEAD + ERIN), bring(account, HEAD + ERIN)
    long_ago = timezone.now() - jobs.UNDO_FOR - timedelta(hours=1)
    with bookkeeping(account.pk, writing=True) as use:
        Import.under(use).filter(pk__in=[committed.pk, waiting.pk]).update(created_at=long_ago)
        Import.under(use).filter(pk=committed.pk).update(committed_at=long_ago)
    jobs.expire_imports.call()
    with bookkeeping(account.pk) as use:
        assert set(Batch.under(use).values_list("run_id", flat=True)) == {fresh.pk}
        states = {committed.pk: "committed", waiting.pk: "discarded", fresh.pk: "committed"}
        assert dict(Import.under(use).values_list("pk", "state")) == states
        assert list(Import.under(use).filter(key_id__isnull=False).values_list("pk", flat=True)) == [fresh.pk]
    with pytest.raises(NotFound):
        queries.rejects(queries.find(account.pk, committed.pk))
    with pytest.raises(Conflict):
        actions.undo(account.pk, committed.pk, ACTOR)


def test_nothing_staged_can_be_read_without_its_key(account: Account) -> None:
    run = staged(account, HEAD + "q-1,Quentina,Zephyrine,quentina@zephyr.example,,,,,,\n")
    assert b"Zephyrine" not in everything()
    actions.discard(account.pk, run.pk)
    assert actions.commit_now(account.pk, run.pk, ACTOR).state == "discarded"


def test_another_accounts_import_is_not_found(account: Account) -> None:
    other = with_notice(cast().account)
    run = staged(account, HEAD + DANA)
    for act in (
        lambda: queries.find(other.pk, run.pk),
        lambda: actions.commit_now(other.pk, run.pk, ACTOR),
        lambda: actions.discard(other.pk, run.pk),
    ):
        with pytest.raises(NotFound):
            act()

"""Data to take elsewhere: what goes along, and that other software reads it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.apps.imports import actions as imports
from kept.apps.requests.models import Kind, State
from kept.apps.requests.tests.copying import account_with, agree, conclude, document, fetched, live_together, package_of, point, received
from kept.apps.requests.tests.people import asked, dana, requests_of, work
from kept.apps.requests.vcard import vcard
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.use import writing
from kept.platform.privacy import subjects, values
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Provenance
from kept.platform.privacy.testing import with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return account_with()


def told_values(files: dict[str, bytes]) -> set[str]:
    """The values that go along."""
    return {row["value"] for row in document(files)["values"]}


def test_only_what_they_gave_on_consent_or_contract_goes_along(account: Account) -> None:
    known = dana(account)
    conclude(account, known.id, "stairs of oak")
    point(account, known.id, "email", "dana.bought@quayside.example", "broker")
    point(account, known.id, "email", "dana.told@quayside.example", "subject")
    browser, page = asked(account, known.email, "portability")
    work()
    files = fetched(browser, page)
    assert set(files) == {"your-data.json", "contact.csv", "values.csv", "contact.vcf", "read-me.txt"}
    told = told_values(files)
    family, email, phone = known.values[:3]
    assert {family, email, phone, "1987-02-13", "dana.told@quayside.example", "Quayside Joinery"} <= told
    everything = b"".join(files.values()).decode()
    assert "stairs of oak" not in everything
    assert "dana.bought" not in everything
    assert document(files)["left_out"] == {"not given by you, nor observed of you": 2}
    assert requests_of(account)[-1].state == State.READY


def test_what_is_held_on_another_ground_stays_behind_whatever_its_source(account: Account) -> None:
    known = dana(account)
    with reserved(account.pk, "command:test", "rights") as use:
        title = Person.under(use).get(subject_id=known.id).job_title
    on_contract = told_values(package_of(account, received(account, Kind.PORTABILITY, known.email)))
    assert title in on_contract  # its occasion was a contract, though its purpose is not
    lone = dana(account)
    rebased(account, lone.id, "legitimate-interest")
    files = package_of(account, received(account, Kind.PORTABILITY, lone.email))
    assert lone.values[5] not in told_values(files)  # analytics alone reads it, on legitimate interest
    assert lone.values[1] in told_values(files)  # customer relations reads it, on contract
    assert document(files)["left_out"] == {"held on another legal ground": 1}


def test_a_purpose_on_consent_counts_as_long_as_they_consent() -> None:
    account = account_with({'"household-member"]\nbasis = "contract"': '"household-member"]\nbasis = "legitimate-interest"'})
    known = dana(account)
    rebased(account, known.id, "legitimate-interest")
    assert told_values(package_of(account, received(account, Kind.PORTABILITY, known.email))) == set()
    agree(account, known.id, "direct-marketing")
    assert told_values(package_of(account, received(account, Kind.PORTABILITY, known.email))) == {"Dana", known.values[0], known.email}
    agree(account, known.id, "all", "restrict")
    assert known.email in told_values(package_of(account, received(account, Kind.PORTABILITY, known.email)))
    agree(account, known.id, "all", "lift")
    agree(account, known.id, "direct-marketing", "withdraw")
    assert told_values(package_of(account, received(account, Kind.PORTABILITY, known.email))) == set()


def rebased(account: Account, subject_id: int, basis: str) -> None:
    """Let everything of a person have come in on another basis."""
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        Provenance.under(use).filter(pk=Person.under(use).get(subject_id=subject_id).provenance_id or 0).update(basis=basis)


def test_the_csv_comes_in_again_elsewhere_with_the_same_values(account: Account) -> None:
    known = dana(account, given="Dana; née Ørsted, “D”")
    point(account, known.id, "email", "dana.home@quayside.example", "subject")
    files = package_of(account, received(account, Kind.PORTABILITY, known.email))
    elsewhere = with_notice(cast().account)
    run = imports.start(elsewhere.pk, io.BytesIO(files["contact.csv"]), "taken along", "contract", "command:test")
    done = imports.commit_now(elsewhere.pk, run.pk, "command:test")
    assert done.state == "committed"
    assert held_of(elsewhere, known.email) == held_of(account, known.email)
    assert held_of(elsewhere, known.email)["email"] == {known.email, "dana.home@quayside.example"}


def held_of(account: Account, email: str) -> dict[str, Any]:
    """The contact data of whoever is known by this address."""
    with reserved(account.pk, "command:test", "rights") as use:
        subject = subjects.find(use, "email", email, "GB")
        (person,) = values.opened(use, list(Person.under(use).filter(subject_id=subject.pk)))
        points = ContactPoint.under(use).filter(subject_id=subject.pk)
        (address,) = PostalAddress.under(use).filter(subject_id=subject.pk)
        return {
            "name": (person.given_name, person.family_name, person.job_title, person.birth_date),
            "company": Company.under(use).get(pk=person.company_id or 0).name,
            "email": set(points.filter(category="email").values_list("value", flat=True)),
            "phone": set(points.filter(category="phone").values_list("value", flat=True)),
            "address": (address.street, address.postcode),
        }


def unfolded(card: bytes) -> list[str]:
    """The lines of a card: RFC 6350, section 3.2."""
    assert card.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in card.split(b"\r\n"))
    return card.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def test_the_card_is_a_vcard(account: Account) -> None:
    known = dana(account)
    lines = unfolded(package_of(account, received(account, Kind.PORTABILITY, known.email))["contact.vcf"])
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:4.0"]
    assert lines[-1] == "END:VCARD"
    family, email, phone, street, postcode, title = known.values
    assert {
        f"FN:Dana {family}",
        f"N:{family};Dana;;;",
        "BDAY:19870213",
        "ORG:Quayside Joinery",
        f"TITLE:{title}",
        f"EMAIL:{email}",
        f"TEL;VALUE=text:{phone}",
        f"ADR:;;{street};;;{postcode};",
    } <= set(lines)


def test_a_card_escapes_and_folds_between_characters() -> None:
    name = "Zoë\\Ørsted; Ltd, " + "é" * 60
    lines = unfolded(vcard({"given_name": name, "birth_date": "spring"}, [], [], []))
    assert lines[2] == "FN:Zoë\\\\Ørsted\\; Ltd\\, " + "é" * 60
    assert not any(line.startswith("BDAY") for line in lines)
    assert unfolded(vcard({}, ["dana@quayside.example"], [], []))[2] == "FN:dana@quayside.example"
    assert unfolded(vcard({"company": "A\r\nB"}, [], [], []))[2] == "FN:A\\nB"


def test_the_list_of_values_opens_in_a_spreadsheet(account: Account) -> None:
    known = dana(account)
    files = package_of(account, received(account, Kind.PORTABILITY, known.email))
    rows = list(csv.DictReader(io.StringIO(files["values.csv"].decode("utf-8-sig"))))
    assert {row["value"] for row in rows} == told_values(files)
    assert {row["source"] for row in rows} == {"An imported file"}


def test_only_the_forms_that_the_right_names_are_given() -> None:
    account = account_with({'formats = ["json", "csv"]': 'formats = ["csv"]'})
    files = package_of(account, received(account, Kind.PORTABILITY, dana(account).email))
    assert set(files) == {"contact.csv", "values.csv", "contact.vcf", "read-me.txt"}


def test_a_value_that_names_somebody_of_the_household_stays_behind(account: Account) -> None:
    known, other = dana(account), dana(account, given="Ottilie", family="Nordgren")
    live_together(account, known.id, other.id)
    point(account, known.id, "email", "ottilie.nordgren@quayside.example", "subject")
    files = package_of(account, received(account, Kind.PORTABILITY, known.email))
    assert "ottilie" not in b"".join(files.values()).decode().lower()
    assert document(files)["left_out"] == {"names somebody else": 1}

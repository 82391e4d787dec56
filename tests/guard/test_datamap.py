"""The data map: a column that does not say what it is fails the build."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from kept.apps.contacts.models import Company, ContactPoint, Person
from kept.platform.data.datamap import errors_of, of_subjects, table_of, tables
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, Erasure, Personal, PersonalModel, ValueModel
from kept.platform.data.use import EVERYTHING, NOTHING, Columns


def ids(model: type[models.Model]) -> list[str | None]:
    """Which errors a model has."""
    return [error.id for error in errors_of(model)]


@isolate_apps("kept.apps.contacts")
def made(base: Any, declared: Personal | None, **fields: models.Field[Any, Any]) -> type[AccountModel]:
    """A model with this declaration, known nowhere else."""

    class Meta:
        app_label = "contacts"

    said = {} if declared is None else {"personal": declared}
    return type("Made", (base,), {"__module__": __name__, "Meta": Meta, **said, **fields})


def test_every_table_of_the_product_says_what_it_is() -> None:
    assert checks.run_checks(tags=["kept"]) == []


def test_every_row_about_a_person_has_a_fence_that_keeps_the_reserved_bit() -> None:
    for table in tables():
        if issubclass(table.model, PersonalModel):
            checked = [one.name for one in table.model._meta.constraints if isinstance(one, models.CheckConstraint)]
            assert f"{table.name}_fence" in checked, f"{table.name}: put FENCE among its constraints"


def test_a_column_that_says_nothing_fails() -> None:
    model = made(PersonalModel, Personal(columns={"nickname": "name"}), nickname=models.TextField(), shoe_size=models.TextField())
    (error,) = errors_of(model)
    assert (error.id, "shoe_size" in error.msg) == ("kept.E002", True)


@pytest.mark.parametrize("name", ["category", "source", "value"])
def test_a_column_named_like_one_of_ours_says_what_it_is_too(name: str) -> None:
    assert ids(made(PersonalModel, Personal(columns={}), **{name: models.TextField()})) == ["kept.E002"]


def test_a_model_without_a_declaration_fails() -> None:
    assert ids(made(PersonalModel, None)) == ["kept.E001"]
    inherited = made(Person, None)
    assert ids(inherited) == ["kept.E001"]


def test_keeping_needs_a_reason() -> None:
    assert ids(made(AccountModel, Personal(columns={}, erase="keep"))) == ["kept.E004"]
    assert ids(made(AccountModel, Personal(columns={}, erase="keep", keep_because="Counts only."))) == []


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Personal(columns={"nickname": "name", "gone": "name"}), "kept.E006"),
        (Personal(columns={"nickname": "name"}, search=("gone",)), "kept.E006"),
        (Personal(columns={"nickname": "name"}, plain=("nickname",)), "kept.E007"),
        (Personal(columns={"nickname": "nmae"}), "kept.E008"),
        (Personal(columns={"nickname": "name"}, erase="forget"), "kept.E009"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_declaration_fails(declared: Personal, expected: str) -> None:
    assert expected in ids(made(PersonalModel, declared, nickname=models.TextField()))


def test_values_of_any_category_are_closed_by_row() -> None:
    assert ids(made(ValueModel, Personal(columns={}))) == ["kept.E005"]
    assert ids(made(ValueModel, Personal(columns={}, by_row=True))) == []


@pytest.mark.parametrize("erase", get_args(Erasure))
def test_rows_of_a_subject_are_deleted_and_no_others_stay_silently(erase: Erasure) -> None:
    declared = Personal(columns={}, erase=erase, keep_because="A reason.")
    assert ids(made(PersonalModel, declared)) == ([] if erase == "delete" else ["kept.E010"])


def test_a_column_of_a_platform_table_is_declared_there() -> None:
    class Session(models.Model):
        session_key = models.TextField(primary_key=True)
        typed = models.TextField()

        class Meta:
            app_label = "contacts"
            db_table = "django_session"
            managed = False

    assert ids(Session) == ["kept.E003"]


def test_tables_stand_after_those_they_refer_to() -> None:
    names = [table.name for table in tables()]
    for table in tables():
        assert all(names.index(target) <= names.index(table.name) for target in table.references.values())
    erased = [table.name for table in of_subjects()]
    assert erased.index("contacts_contactpoint") < erased.index("contacts_person")


def test_what_a_purpose_writes() -> None:
    person, point, subject = table_of(Person), table_of(ContactPoint), table_of(Subject)
    some, none = Columns(NOTHING, frozenset({"name"})), Columns(EVERYTHING, NOTHING)
    assert {"given_name", "family_name", "company_id"} <= person.writable(some)
    assert "birth_date" not in person.writable(some)
    assert person.writable(none) == point.writable(none) == table_of(Company).writable(none) == frozenset()
    assert "value" in point.writable(some)
    assert subject.writable(none) == set(subject.columns)
    assert person.writable(Columns(NOTHING, EVERYTHING)) == set(person.columns)


def test_only_what_rooms_keep_of_people_is_offered_to_whoever_writes_sql() -> None:
    offered = {table.name for table in tables() if table.offered}
    assert offered >= {"contacts_company", "contacts_person", "contacts_contactpoint", "contacts_postaladdress"}
    assert not [name for name in offered if name.startswith(("data_", "privacy_", "requests_", "imports_"))]

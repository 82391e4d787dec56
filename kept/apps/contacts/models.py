"""People and companies."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from kept.platform.data.personal import AccountModel, Personal, PersonalModel, ValueModel


class Company(AccountModel):
    """An organisation that people belong to."""

    name = models.TextField()
    website = models.TextField(blank=True, db_default="")
    city = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={"name": "organisation", "website": "organisation", "city": "organisation"}, plain=("created_at",), search=("name", "city")
    )

    class Meta(AccountModel.Meta):
        verbose_name, verbose_name_plural = _("company"), _("companies")
        indexes = [models.Index(fields=["account_id", "name", "id"], name="contacts_company_by_name")]


class Person(PersonalModel):
    """A person the account works with. `birth_date` is ISO 8601 text, so that it can be sealed."""

    given_name = models.TextField(blank=True, db_default="")
    family_name = models.TextField(blank=True, db_default="")
    job_title = models.TextField(blank=True, db_default="")
    birth_date = models.TextField(blank=True, db_default="")
    company = models.ForeignKey(Company, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    owner_id = models.BigIntegerField(null=True)
    import_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={"given_name": "name", "family_name": "name", "job_title": "job-title", "birth_date": "birth-date"},
        plain=("company", "owner_id", "import_id", "created_at", "changed_at"),
        search=("given_name", "family_name"),
    )

    class Meta(PersonalModel.Meta):
        verbose_name, verbose_name_plural = _("person"), _("people")
        indexes = [
            *PersonalModel.Meta.indexes,
            models.Index(fields=["account_id", "family_name", "given_name", "id"], name="contacts_person_by_name"),
            models.Index(fields=["account_id", "company"], name="contacts_person_company"),
        ]


class ContactPoint(ValueModel):
    """An email address or a telephone number of a person. Its category is `email` or `phone`."""

    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    label = models.TextField(blank=True, db_default="")

    personal: ClassVar = Personal(columns={}, plain=("person", "label"), by_row=True, search=("value",))

    class Meta(ValueModel.Meta):
        verbose_name, verbose_name_plural = _("contact point"), _("contact points")
        indexes = [*ValueModel.Meta.indexes, models.Index(fields=["account_id", "person"], name="contacts_contactpoint_person")]


class PostalAddress(ValueModel):
    """A postal address. `value` is the whole of it on one line, for people and for search."""

    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    street = models.TextField(blank=True, db_default="")
    city = models.TextField(blank=True, db_default="")
    state = models.TextField(blank=True, db_default="")
    postcode = models.TextField(blank=True, db_default="")
    country = models.TextField(blank=True, db_default="")

    personal: ClassVar = Personal(
        columns=dict.fromkeys(("street", "city", "state", "postcode", "country"), "postal-address"),
        plain=("person",),
        by_row=True,
        search=("value",),
    )

    class Meta(ValueModel.Meta):
        verbose_name, verbose_name_plural = _("postal address"), _("postal addresses")
        indexes = [
            *ValueModel.Meta.indexes,
            models.Index(fields=["account_id", "person"], name="contacts_postaladdress_person"),
            models.Index(fields=["account_id", "city"], name="contacts_postaladdress_city"),
        ]

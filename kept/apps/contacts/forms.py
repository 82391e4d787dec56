"""What the pages of this room take in."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from kept.apps.contacts import words
from kept.apps.contacts.queries import Filters
from kept.core.notice.vocabulary import BASES, REGIONS
from kept.platform.privacy.inlets import refused_category

Choices = Sequence[tuple[Any, str]]


def text(label: Any, autocomplete: str = "off", **options: Any) -> forms.CharField:
    """A line of text."""
    return forms.CharField(
        label=label, required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": autocomplete}), **options
    )


class Inlet(forms.Form):
    """Text from outside. A payment card or national identity number is refused, and not shown again either."""

    def clean(self) -> dict[str, Any]:
        """Refuse, and empty the field."""
        data = super().clean() or {}
        for name, value in list(data.items()):
            if isinstance(value, str) and refused_category(value):
                self.data = {**dict(self.data.items()), name: ""}
                self.add_error(name, _("Payment card and national identity numbers are refused here. Nothing was stored."))
        return data

    def place(self, category: str, message: str) -> None:
        """Show an error of the action at the field it is about."""
        name = category if category in self.fields else FIELDS.get(category, "")
        self.add_error(name if name in self.fields else None, message)


FIELDS = {
    "name": "given_name",
    "job-title": "job_title",
    "organisation": "company",
    "birth-date": "birth_date",
    "postal-address": "street",
}
"""Where a category's errors are shown."""


class DayField(forms.DateField):
    """A day, as ISO 8601 text; empty where there is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options)

    def clean(self, value: Any) -> str:
        """The text."""
        found = super().clean(value)
        return found.isoformat() if isinstance(found, date) else ""


class NewPersonForm(Inlet):
    """A person to be entered. Only what the notice lets in from some source is asked."""

    given_name = text(later("Given name"))
    family_name = text(later("Family name"))
    job_title = text(later("Job title"))
    company = text(later("Company"))
    email = text(later("Email"))
    phone = text(later("Phone"), help_text=later("With + and the country code, or as it is dialled in the region below."))
    street = text(later("Street"))
    postcode = text(later("Postcode"))
    city = text(later("City"))
    state = text(later("State or county"))
    country = text(later("Country"))
    birth_date = DayField(label=later("Date of birth"))
    region = forms.CharField(
        label=later("Lives in"),
        max_length=8,
        help_text=later("Two letters, such as GB; with the state where it matters, such as US-CA. The rights of that place apply."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    source = forms.ChoiceField(label=later("Where is this from?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, sources: Iterable[str], enterable: Container[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [(one, words.source(one)) for one in sources]  # type: ignore[attr-defined]
        asked = {
            "name": ("given_name", "family_name"),
            "job-title": ("job_title",),
            "organisation": ("company",),
            "postal-address": ("street", "postcode", "city", "state", "country"),
            "birth-date": ("birth_date",),
            "email": ("email",),
            "phone": ("phone",),
        }
        for category, names in asked.items():
            for name in names if category not in enterable else ():
                del self.fields[name]

    def clean_region(self) -> str:
        """A region of the vocabulary."""
        region = str(self.cleaned_data["region"]).strip().upper()
        if region not in REGIONS:
            raise forms.ValidationError(_("No such country or region is known. Write two letters, such as GB, or US-CA."))
        return region


class Edit(Inlet):
    """One value of a record. `seen` is when the record had last changed as the form was made."""

    seen = forms.CharField(widget=forms.HiddenInput)
    source = forms.ChoiceField(label=later("According to"))

    def __init__(self, *args: Any, sources: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [(one, words.source(one)) for one in sources]  # type: ignore[attr-defined]
        self.order_fields([*(name for name in self.fields if name not in ("seen", "source")), "source", "seen"])
        first = next(name for name in self.fields if name not in ("seen", "source"))
        self.fields[first].widget.attrs["data-focus"] = True


class NameEdit(Edit):
    """Both names."""

    given_name = text(later("Given name"))
    family_name = text(later("Family name"))


class JobTitleEdit(Edit):
    """The job title."""

    job_title = text(later("Job title"))


class CompanyEdit(Edit):
    """The company, by name."""

    company = text(later("Company"), help_text=later("A name that is not known yet makes a new company."))


class BirthDateEdit(Edit):
    """The date of birth."""

    birth_date = DayField(label=later("Date of birth"))


class EmailEdit(Edit):
    """An email address."""

    value = text(later("Email"))
    label = text(later("Label"), help_text=later("Such as work or home."))


class PhoneEdit(Edit):
    """A telephone number."""

    value = text(later("Phone"))
    label = text(later("Label"), help_text=later("Such as work or home."))


class AddressEdit(Edit):
    """A postal address."""

    street = text(later("Street"))
    postcode = text(later("Postcode"))
    city = text(later("City"))
    state = text(later("State or county"))
    country = text(later("Country"))


class OwnerEdit(Edit):
    """Who on the team looks after the person."""

    owner_id = forms.TypedChoiceField(label=later("Owner"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, members: Choices, **kwargs: Any) -> None:
        super().__init__(*args, sources=(), **kwargs)
        del self.fields["source"]
        self.fields["owner_id"].choices = [("", _("Nobody")), *members]  # type: ignore[attr-defined]


EDITS: dict[str, type[Edit]] = {
    "name": NameEdit,
    "job-title": JobTitleEdit,
    "company": CompanyEdit,
    "birth-date": BirthDateEdit,
    "email": EmailEdit,
    "phone": PhoneEdit,
    "address": AddressEdit,
}
"""By the kind of value that a key names."""


class CompanyForm(Inlet):
    """A company's own data."""

    name = forms.CharField(label=later("Name"), max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    website = text(later("Website"))
    city = text(later("City"))


class FilterForm(forms.Form):
    """Which people to list. What cannot be read is left out rather than refused: addresses get shortened and mistyped."""

    q = forms.CharField(required=False)
    city = forms.CharField(required=False, label=later("City"))
    company = forms.CharField(required=False, label=later("Company"))
    owner = forms.TypedChoiceField(required=False, label=later("Owner"), coerce=int, empty_value=None)
    basis = forms.ChoiceField(required=False, label=later("Held because"))
    has_email = forms.BooleanField(required=False, label=later("Has an email address"))
    has_phone = forms.BooleanField(required=False, label=later("Has a phone number"))

    def __init__(self, *args: Any, members: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "filter_%s"})
        anybody = [("", _("Anybody"))]
        self.fields["owner"].choices = [*anybody, *members]  # type: ignore[attr-defined]
        self.fields["basis"].choices = [("", _("Any basis")), *((key, each.title) for key, each in BASES.items())]  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """The filters that are in force."""
        self.full_clean()
        said = self.cleaned_data
        return Filters(
            q=said.get("q", "").strip(),
            city=said.get("city", "").strip(),
            company=said.get("company", "").strip(),
            owner=said.get("owner"),
            has=tuple(one for one in ("email", "phone") if said.get(f"has_{one}")),
            basis=said.get("basis", ""),
        )

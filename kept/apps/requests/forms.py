"""What people and the team fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kept.apps.requests.models import Kind
from kept.core.errors import BadInput
from kept.core.notice.vocabulary import REGIONS
from kept.platform.privacy import subjects


class AskForm(forms.Form):
    """An address to prove, and where one lives when the notice tells regions apart."""

    email = forms.EmailField(label=_("Your email address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    region = forms.ChoiceField(label=_("Where you live"), help_text=_("Some laws give more than others; you get what yours gives."))

    def __init__(self, *args: Any, regions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(regions) < 2:
            del self.fields["region"]
        else:
            self.fields["region"].choices = regions  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """The address as it was typed, once it could be looked up."""
        return _checked("email", self.cleaned_data["email"])


class TakeInForm(forms.Form):
    """A request on somebody's behalf."""

    kind = forms.ChoiceField(
        label=_("They ask for"), choices=[(one.value, one.label) for one in (Kind.ACCESS, Kind.ERASE)], widget=forms.RadioSelect
    )
    known_by = forms.ChoiceField(
        label=_("They are known by"),
        choices=[("email", _("email address")), ("phone", _("telephone")), ("source", _("number in an old file"))],
    )
    value = forms.CharField(label=_("Which one"), max_length=320)
    email = forms.EmailField(
        label=_("Answer by email to"),
        required=False,
        help_text=_("Leave it empty to hand the answer over yourself, on paper or in person."),
    )
    note = forms.CharField(
        label=_("How they asked"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For instance: by telephone on Monday, called back on the number we know. Destroyed with the request."),
    )

    def clean_email(self) -> str:
        """Empty, or an address."""
        return _checked("email", self.cleaned_data["email"]) if self.cleaned_data["email"] else ""


def _checked(kind: str, value: str) -> str:
    try:
        subjects.normalised(kind, value, "")
    except BadInput as error:
        raise forms.ValidationError(f"{error.message} {error.cure}") from error
    return value.strip()


def regions(told_apart: tuple[str, ...], home: str) -> list[tuple[str, str]]:
    """The regions a person can name: home, and those that the notice tells apart."""
    names = {"GB": _("United Kingdom"), "US-CA": _("California"), "US": _("United States"), "EEA": _("European Economic Area")}
    offered = dict.fromkeys((home, *(one for one in told_apart if one in REGIONS)))
    return [(one, str(names.get(one, one))) for one in offered] if len(offered) > 1 else []

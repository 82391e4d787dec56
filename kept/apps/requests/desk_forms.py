"""What the team fills in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from kept.apps.requests.models import Channel, Kind
from kept.apps.requests.outcomes import GRANTED, REFUSED, Outcome
from kept.core.errors import BadInput
from kept.platform.privacy import subjects

Choices = Sequence[tuple[str, Any]]
LONG = 4000
KNOWN_BY = [("email", _("email address")), ("phone", _("telephone")), ("source", _("number in an old file"))]
HOW: Mapping[str, Any] = {
    "callback": _("I called back on a number that we hold"),
    "document": _("I looked at a document of theirs"),
    "signature": _("I compared the signature with one that we hold"),
    "known": _("I know them in person"),
    "facts": _("What they said matched what we hold"),
}
FACTS: Mapping[str, Any] = {
    "name": _("Name"),
    "email": _("Email address"),
    "phone": _("Telephone"),
    "customer-number": _("Customer number"),
    "postal-address": _("Address"),
    "birth-date": _("Date of birth"),
}
GROUNDS: Mapping[str, Any] = {
    "no-longer-needed": _("no longer needed"),
    "consent-withdrawn": _("consent withdrawn"),
    "objection": _("objection"),
    "direct-marketing": _("direct marketing"),
    "unlawful": _("used against the law"),
    "contested": _("its accuracy is contested"),
    "unjustified": _("not justified"),
    "claims-only": _("they need it for a claim"),
    "pending-objection": _("an objection is being weighed"),
    "particular-situation": _("their particular situation"),
    "legal-duty": _("a legal duty"),
}
REASONS: Mapping[str, Any] = {
    "legal-duty": _("a legal duty"),
    "legal-claim": _("a legal claim"),
    "needed-for-service": _("needed for the service"),
    "fraud-security": _("fraud and security"),
    "debugging": _("finding faults"),
    "free-speech": _("free speech"),
    "law-enforcement": _("law enforcement"),
    "research": _("research"),
    "internal-use": _("related use of our own"),
    "others-rights": _("rights of others"),
    "investigation": _("an investigation"),
    "risk-to-person": _("a risk to the person"),
    "risk-to-information": _("a risk to the information"),
    "risk-to-business": _("a risk to the business"),
}
CLOCK_REASONS: Mapping[str, Any] = {
    "identity-unverified": _("we wait for them to show who they are"),
    "complexity": _("it is complex"),
    "number": _("there are many requests"),
    "necessary": _("it is reasonably necessary"),
}


def _named(words: Iterable[str], names: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(word, capfirst(str(names.get(word, word)))) for word in words]


class _Templates(forms.Select):
    """Choices that each carry a text, which the page puts into the field below."""

    def __init__(self, outcomes: Mapping[str, Outcome], field: str) -> None:
        super().__init__(attrs={"data-fills": field})
        self.outcomes = outcomes

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.outcomes:
            option["attrs"]["data-text"] = str(self.outcomes[str(value)].text)
        return option


class _WithText(forms.Form):
    """An outcome, and its text: the template's own where nothing was written."""

    outcomes: Mapping[str, Outcome] = {}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("reason", "").strip() and given.get("why") in self.outcomes:
            given["reason"] = str(self.outcomes[given["why"]].text)
        if self.fields["reason"].required is False and "why" in given and given["why"] and not given["reason"]:
            self.add_error("reason", _("Write what stands against it; the person reads it."))
        return given


def _reason(help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=_("What the person reads"), required=False, max_length=LONG, widget=forms.Textarea(attrs={"rows": 5}), help_text=help_text
    )


class GrantForm(_WithText):
    """Granting, in whole or in part: what is kept and what is withheld, category by category, each for a reason that the notice names."""

    outcomes = GRANTED
    why = forms.ChoiceField(label=_("Outcome"), choices=[(key, one.name) for key, one in GRANTED.items()])
    reason = _reason(_("Leave it empty to use the words of the outcome. Where they can complain stands below it."))

    ground = forms.ChoiceField(label=_("Ground"), help_text=_("They named none; a decision states the one it is made on."))
    free = forms.BooleanField(label=_("This copy costs nothing"), required=False)

    def __init__(
        self, *args: Any, held: Choices, exceptions: Sequence[str], withhold: Sequence[str], grounds: Sequence[str], fee: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = _named(grounds, GROUNDS)  # type: ignore[attr-defined]
        self.fields["free"].help_text = fee
        for name in ([] if grounds else ["ground"]) + ([] if fee else ["free"]):
            del self.fields[name]
        self.fields["why"].widget = _Templates(GRANTED, "id_grant-reason")
        self.fields["why"].widget.choices = self.fields["why"].choices  # type: ignore[attr-defined]
        for prefix, words, label in (("except", exceptions, _("Keep %s")), ("withhold", withhold, _("Describe only: %s"))):
            for category, title in held if words else ():
                choices = [("", _("no")), *_named(words, REASONS)]
                self.fields[f"{prefix}:{category}"] = forms.ChoiceField(label=label % title, choices=choices, required=False)

    def chosen(self, prefix: str) -> dict[str, str]:
        """The reasons by category, of those with one."""
        given = {name.partition(":")[2]: why for name, why in self.cleaned_data.items() if name.startswith(f"{prefix}:")}
        return {category: why for category, why in given.items() if why}


class CorrectForm(forms.Form):
    """What is held, to be written as it should be; the keys are those of `answers.correcting`."""

    email = forms.EmailField(label=_("One more email address"), required=False)
    phone = forms.CharField(label=_("One more telephone"), required=False, max_length=64)
    reason = forms.CharField(
        label=_("What the person reads"),
        required=False,
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The letter lists what was changed. Add what else is to be said."),
    )
    ground = forms.ChoiceField(label=_("Ground"))

    def __init__(self, *args: Any, held: Sequence[tuple[str, str, str]], grounds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, label, value in held:
            self.fields[key] = forms.CharField(label=label, required=False, max_length=LONG, initial=value)
        self.order_fields([key for key, _label, _value in held])
        self.fields["ground"].choices = _named(grounds, GROUNDS)  # type: ignore[attr-defined]
        if not grounds:
            del self.fields["ground"]

    def changed(self) -> dict[str, str]:
        """What was written anew, by key."""
        own = ("email", "phone", "reason", "ground")
        return {key: str(self.cleaned_data[key]) for key in self.changed_data if key not in own}


class RefuseForm(_WithText):
    """A refusal: why, in a word that is counted, and in words that the person reads."""

    outcomes = REFUSED
    why = forms.ChoiceField(label=_("Reason"), choices=[("", _("Choose…")), *((key, one.name) for key, one in REFUSED.items())])
    reason = _reason(_("Leave it empty to use the words of the reason. The dispute body and the authority are named below it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].widget = _Templates(REFUSED, "id_refuse-reason")
        self.fields["why"].widget.choices = self.fields["why"].choices  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    """Nothing to fill in."""


class SureForm(forms.Form):
    """How a member made sure who asks."""

    how = forms.ChoiceField(
        label=_("How you made sure"), choices=[(key, HOW[key]) for key in HOW if key != "facts"], widget=forms.RadioSelect
    )


class CompareForm(forms.Form):
    """What they say about themselves, to be compared."""

    def __init__(self, *args: Any, asks: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in asks:
            attrs = {"autocomplete": "off"}
            label = FACTS.get(name, name)
            self.fields[name] = forms.CharField(label=label, required=False, max_length=320, widget=forms.TextInput(attrs=attrs))


class StartForm(SureForm):
    """Vouching for who asks. How they made sure is asked for once."""

    def __init__(self, *args: Any, sure: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sure:
            del self.fields["how"]


class ShowForm(forms.Form):
    """A power that an agent or a parent has shown; of a parent, also what the child is known by here."""

    power = forms.ChoiceField(label=_("What was shown"))
    known_by = forms.ChoiceField(label=_("The child is known by"), choices=KNOWN_BY)
    value = forms.CharField(label=_("Which one"), max_length=320, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, powers: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["power"].choices = powers  # type: ignore[attr-defined]
        if "parent" not in dict(powers):
            del self.fields["known_by"], self.fields["value"]

    def child(self) -> tuple[str, str] | None:
        """What the child is known by: kind and value."""
        given = self.cleaned_data
        return (given["known_by"], given["value"]) if "value" in given else None


class AssignForm(forms.Form):
    """Who works on it."""

    member = forms.ChoiceField(label=_("Works on it"), required=False)

    def __init__(self, *args: Any, members: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].choices = [("", _("nobody")), *members.items()]  # type: ignore[attr-defined]


class PauseForm(forms.Form):
    """Why the clock stands still: only what every clock takes."""

    why = forms.ChoiceField(label=_("Because"))

    def __init__(self, *args: Any, reasons: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].choices = _named(reasons, CLOCK_REASONS)  # type: ignore[attr-defined]


class ExtendForm(PauseForm):
    """Why it takes longer: what every clock takes, and in words."""

    words = forms.CharField(
        label=_("What the person reads"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It goes out at once, with the new day."),
    )


class WriteForm(forms.Form):
    """A message to the person."""

    text = forms.CharField(label=_("Message"), max_length=LONG, widget=forms.Textarea(attrs={"rows": 4}))


class ToldForm(forms.Form):
    """That a recipient was told by hand and has done it, or why it cannot be told."""

    recipient = forms.ChoiceField(label=_("Who"))
    how = forms.ChoiceField(
        label=_("How it went"),
        choices=[("done", _("We told them, and they have done it")), ("impossible", _("They cannot be told, and the person reads why"))],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(label=_("How you know, or why not"), max_length=LONG, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, recipients: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].choices = recipients  # type: ignore[attr-defined]


class TakeInForm(forms.Form):
    """A request on somebody's behalf."""

    channel = forms.ChoiceField(
        label=_("It came by"),
        choices=[(one.value, capfirst(str(one.label))) for one in (Channel.PHONE, Channel.POST, Channel.PERSON, Channel.EMAIL)],
        widget=forms.RadioSelect,
    )
    known_by = forms.ChoiceField(
        label=_("They are known by"),
        choices=KNOWN_BY,
    )
    value = forms.CharField(label=_("Which one"), max_length=320)
    email = forms.EmailField(
        label=_("Answer by email to"),
        required=False,
        help_text=_("Leave it empty to hand the answer over yourself, on paper or in person."),
    )
    ground = forms.ChoiceField(label=_("Ground"), required=False, help_text=_("Where the right has grounds, and they named one."))
    note = forms.CharField(
        label=_("How they asked"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For instance: by telephone on Monday. Destroyed with the request."),
    )

    def __init__(self, *args: Any, grounds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = [("", _("none named")), *_named(grounds, GROUNDS)]  # type: ignore[attr-defined]
        if not grounds:
            del self.fields["ground"]

    def clean_email(self) -> str:
        """Empty, or an address that could be looked up."""
        email = str(self.cleaned_data["email"])
        try:
            return subjects.normalised("email", email, "") and email.strip() if email else ""
        except BadInput as error:
            raise forms.ValidationError(f"{error.message} {error.cure}") from error


DETAILS: Mapping[str, tuple[str, ...]] = {
    Kind.KNOW: ("since", "until"),
    Kind.ACCESS: ("since", "until"),
    Kind.CORRECT: ("what", "should", "complete"),
    Kind.RESTRICT: ("purpose", "why"),
    Kind.OBJECT: ("purpose", "why"),
    Kind.WITHDRAW: ("purpose",),
    Kind.COMPLAIN: ("text",),
    Kind.MARKETING_DISCLOSURES: ("name", "street", "locality", "region", "postcode", "household"),
}
"""What each kind of request is told beyond who asks."""


def _text(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=LONG, **more)


def _long(label: Any) -> forms.CharField:
    return _text(label, widget=forms.Textarea(attrs={"rows": 3}))


class DetailsForm(forms.Form):
    """What a kind of request needs to know."""

    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    what = _long(_("What is wrong or missing"))
    should = _long(_("What it should say"))
    complete = forms.BooleanField(label=_("Something is missing, rather than wrong"), required=False)
    purpose = forms.ChoiceField(label=_("Of which use"), required=False)
    why = _long(_("Their reasons"))
    text = _long(_("What they say"))
    name = _text(_("Name"))
    street = _text(_("Street"))
    locality = _text(_("Town"))
    region = _text(_("State"))
    postcode = _text(_("Postcode"))
    household = forms.BooleanField(label=_("For personal, family or household use"), required=False)

    def __init__(self, *args: Any, kind: str, purposes: Choices, **kwargs: Any) -> None:
        kwargs["prefix"] = "details"
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(DETAILS.get(kind, ())):
            del self.fields[name]
        if "purpose" in self.fields:
            self.fields["purpose"].choices = [("", _("every one")), *purposes]  # type: ignore[attr-defined]

    def told(self) -> dict[str, str]:
        """As texts, without what was left empty."""
        given = {name: "1" if value is True else str(value or "").strip() for name, value in self.cleaned_data.items()}
        return {name: text for name, text in given.items() if text}


class AgentForm(forms.Form):
    """An authorised agent."""

    identifier = forms.CharField(label=_("Id in the directory"), max_length=128, help_text=_("As the Data Rights Protocol knows it."))
    name = forms.CharField(label=_("Name"), max_length=200)
    verify_key = forms.CharField(label=_("Public key"), max_length=64, help_text=_("Ed25519, in base64: 44 characters."))


class CorrespondentForm(forms.Form):
    """How a recipient is told."""

    recipient = forms.ChoiceField(label=_("Recipient"))
    address = forms.CharField(label=_("Address"), max_length=1000, help_text=_("It begins with https://"), widget=forms.URLInput())
    verify_key = forms.CharField(
        label=_("Public key"), required=False, max_length=64, help_text=_("Ed25519, in base64. Without one nobody can confirm but you.")
    )
    confirms_within = forms.CharField(label=_("Confirms within"), max_length=32, initial="10 business days")

    def __init__(self, *args: Any, recipients: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].choices = [(rule, f"{name} ({rule})") for rule, name in recipients.items()]  # type: ignore[attr-defined]


class CaseForm(forms.Form):
    """A matter for which data is held."""

    title = forms.CharField(label=_("What it is about"), max_length=200, help_text=_("Name nobody: it outlives whom it holds."))
    ground = forms.ChoiceField(label=_("Ground"))
    note = forms.CharField(label=_("Note"), required=False, max_length=LONG, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, grounds: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = _named(sorted(grounds), REASONS)  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    """Whom a case holds, what of them and until when."""

    known_by = forms.ChoiceField(
        label=_("They are known by"),
        choices=KNOWN_BY,
    )
    value = forms.CharField(label=_("Which ones"), widget=forms.Textarea(attrs={"rows": 3}), help_text=_("One a line."))
    categories = forms.MultipleChoiceField(
        label=_("Only these categories"), required=False, help_text=_("Without any, everything is held."), widget=forms.SelectMultiple()
    )
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, categories: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["categories"].choices = categories  # type: ignore[attr-defined]


class ReleaseForm(forms.Form):
    """Releasing a case, deliberately."""

    because = forms.CharField(label=_("Why it is released"), max_length=LONG, widget=forms.Textarea(attrs={"rows": 3}))

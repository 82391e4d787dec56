"""What people fill in: by kind of request, what it needs to be answered and nothing that could be left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

from kept.apps.requests import attachments, phrases
from kept.apps.requests.models import Kind
from kept.core.errors import BadInput
from kept.core.notice import Notice
from kept.core.notice.terms import PurposeTerms, RightTerms
from kept.platform.privacy import subjects

LONG, LINE = 4000, 320
"""How many characters a text, and a line, may have."""
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.txt"
TAKEN = format_lazy(_("PDF, PNG, JPEG or plain text, up to {n} MB."), n=attachments.MOST_BYTES // 1024 // 1024)
AUTOCOMPLETE = {"name": "name", "phone": "tel", "postal-address": "street-address", "postcode": "postal-code", "street": "address-line1"}
Choices = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Asking:
    """What a form is made for: the kind, what the notice offers where the asker lives, and who answers. `known` is the address of whoever
    is signed in, who proves nothing more. `whose` says to whom others' records belong, where one has to say which are meant.
    """

    kind: Kind
    right: RightTerms | None
    regions: Choices
    region: str
    purposes: Sequence[PurposeTerms]
    account: str
    known: str = ""
    whose: str = ""
    children: bool = False

    @property
    def for_others(self) -> bool:
        """Whether one says for whom one asks. An opt-out of sale asks for nothing but what it is about, whoever writes it."""
        return not self.known and self.kind not in (Kind.CHOICES, Kind.OPT_OUT_SALE, Kind.OPT_IN_SALE, Kind.COMPLAIN, Kind.QUESTION)

    @property
    def capacities(self) -> list[str]:
        """The persons whom the right leaves out."""
        left_out = self.right.body.not_for if self.right is not None else ()
        return [one for one in left_out if one in phrases.CAPACITIES]


class AskForm(forms.Form):
    """A request. The fields are made for its kind; `told` is what they say, as `actions.Asked` takes it."""

    def __init__(self, data: Any = None, files: Any = None, *, asking: Asking, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        self.asking = asking
        self.fields |= _of_kind(asking)
        if not asking.known:
            self.fields |= _address(asking.kind)
        if asking.regions:
            self.fields["region"] = forms.ChoiceField(
                label=_("Where you live"),
                choices=[(one, capfirst(title)) for one, title in asking.regions],
                initial=asking.region,
                help_text=_("Some laws give more than others; you get what yours gives."),
            )
        if asking.capacities:
            anybody = ("", _("A customer, a visitor, or anybody else"))
            named = [anybody, *((one, phrases.CAPACITIES[one]) for one in asking.capacities)]
            self.fields["capacity"] = _one_of(_("You ask as"), named, required=False)
        if asking.whose and asking.kind != Kind.OPT_OUT_SALE:
            own = ("own", _("Those that %(name)s keeps about me itself") % {"name": asking.account})
            told = {"name": asking.account, "to": asking.whose}
            theirs = ("customer", _("Those that a customer of %(name)s keeps there: they go to %(to)s") % told)
            self.fields["data"] = _one_of(_("Whose records you mean"), [own, theirs], required=False, initial="own")
        if asking.for_others:
            self.fields |= _for_others(asking)

    def clean_email(self) -> str:
        """The address as it was typed, once it could be looked up."""
        return checked("email", self.cleaned_data["email"]) if self.cleaned_data["email"] else ""

    def clean(self) -> dict[str, Any]:
        """What hangs together: one of address and number, days in their order, what somebody brings who asks for another."""
        given = super().clean() or {}
        if "phone" in self.fields:
            self._reached(given)
        if given.get("since") and given.get("until") and given["until"] < given["since"]:
            self.add_error("until", _("This day comes before the first one."))
        if given.get("by") == "agent" and not given.get("agent"):
            self.add_error("agent", _("Write your name, so that the person knows who asks for them."))
        if given.get("by") == "parent" and not given.get("child"):
            self.add_error("child", _("Write the child’s name."))
        if given.get("by") == "agent" and not given.get("email"):
            self.add_error("email", _("Write the address of the person: they confirm it themselves."))
        return given

    def _reached(self, given: dict[str, Any]) -> None:
        if not given.get("email") and not given.get("phone") and not self.errors:
            self.add_error("email", _("Fill in one of the two."))
        if given.get("phone"):
            try:
                subjects.normalised("phone", given["phone"], given.get("region", self.asking.region))
            except BadInput as error:
                self.add_error("phone", f"{error.message} {error.cure}")

    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields as the page groups them: what is asked, how one is reached, the time it is about, as whom and for whom one
        asks, and what stands only for an agent or a parent.
        """
        found: dict[str, list[forms.BoundField]] = {name: [] for name in ("what", "you", "time", "who", "agent", "parent")}
        for bound in self:
            found[PARTS.get(bound.name, "what")].append(bound)
        return found

    @property
    def email(self) -> str:
        """Where the answer goes; empty where only a number was given."""
        return self.asking.known or str(self.cleaned_data.get("email", ""))

    def told(self) -> dict[str, Any]:
        """What `actions.ask` is told besides."""
        given = self.cleaned_data
        by = given.get("by") or "self"
        details = {name: _text(given.get(field)) for field, name in DETAILS.get(self.asking.kind, {}).items()}
        details |= {"agent": _text(given.get("agent"))} if by == "agent" else {}
        details |= {"child": _text(given.get("child"))} if by == "parent" else {}
        found: dict[str, Any] = {"details": {name: text for name, text in details.items() if text}, "by": by}
        found |= {"ground": given["ground"]} if given.get("ground") else {}
        found |= {"data": given["data"]} if given.get("data") else {}
        found |= {"known_by": "phone", "value": given["phone"]} if given.get("phone") and not self.email else {}
        return found

    def files_told(self) -> list[tuple[str, UploadedFile[bytes]]]:
        """The files that came with it, each with what it is for."""
        found: list[tuple[str, UploadedFile[bytes]]] = []
        if self.cleaned_data.get("by") == "agent" and self.cleaned_data.get("permission"):
            found.append((self.cleaned_data.get("permission_kind") or "permission", self.cleaned_data["permission"]))
        if self.cleaned_data.get("evidence"):
            found.append(("evidence", self.cleaned_data["evidence"]))
        return found


PARTS = {
    **dict.fromkeys(("since", "until"), "time"),
    **dict.fromkeys(("email", "phone", "region"), "you"),
    **dict.fromkeys(("capacity", "data", "by"), "who"),
    **dict.fromkeys(("agent", "permission_kind", "permission"), "agent"),
    "child": "parent",
}
DETAILS: Mapping[Kind, Mapping[str, str]] = {
    Kind.KNOW: {"since": "since", "until": "until"},
    Kind.ACCESS: {"since": "since", "until": "until"},
    Kind.CORRECT: {"what": "what", "should": "should", "complete": "complete"},
    Kind.RESTRICT: {"purpose": "purpose", "why": "why"},
    Kind.OBJECT: {"purpose": "purpose", "why": "why"},
    Kind.WITHDRAW: {"purpose": "purpose"},
    Kind.COMPLAIN: {"text": "text"},
    Kind.QUESTION: {"text": "text"},
    Kind.MARKETING_DISCLOSURES: {
        **{name: name for name in ("name", "street", "locality", "postcode", "household")},
        "state": "region",
    },
}
"""The fields that tell what the kind needs, and the name under which the answer looks for it."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value or "").strip()


def _line(label: Any, *, required: bool = True, autocomplete: str = "", help_text: Any = "", most: int = LINE) -> forms.CharField:
    attrs = {"autocomplete": autocomplete} if autocomplete else {}
    return forms.CharField(label=label, required=required, max_length=most, help_text=help_text, widget=forms.TextInput(attrs=attrs))


def _long(label: Any, *, required: bool = True, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, required=required, max_length=LONG, widget=widget, help_text=help_text)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


def _one_of(label: Any, choices: Choices, *, required: bool = True, initial: str = "") -> forms.ChoiceField:
    told = {"required": _("Choose one of these.")}
    return forms.ChoiceField(
        label=label, choices=choices, required=required, initial=initial, widget=forms.RadioSelect, error_messages=told
    )


def _file(label: Any) -> forms.FileField:
    return forms.FileField(label=label, required=False, help_text=TAKEN, widget=forms.FileInput(attrs={"accept": ACCEPTED}))


def _address(kind: Kind) -> dict[str, forms.Field]:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    email = forms.EmailField(label=_("Your email address"), widget=widget, max_length=LINE)
    if kind != Kind.OPT_OUT_SALE:
        return {"email": email}
    email.required = False
    phone = _line(_("Or your telephone number"), required=False, autocomplete="tel")
    phone.help_text = _("One of the two is enough: it is how we find what is yours.")
    return {"email": email, "phone": phone}


def _of_kind(asking: Asking) -> dict[str, forms.Field]:
    """What this kind of request needs to be told."""
    right, found = asking.right, dict[str, forms.Field]()
    if right is not None and right.body.grounds and asking.kind != Kind.CHOICES:
        found["ground"] = _one_of(_("Why"), [(one, phrases.said(phrases.GROUNDS, one)) for one in right.body.grounds])
    match asking.kind:
        case Kind.KNOW | Kind.ACCESS:
            found |= {"since": _day(_("From")), "until": _day(_("Up to"))}
        case Kind.CORRECT:
            found |= {
                "what": _long(_("What is wrong or missing")),
                "should": _long(_("What it should say"), required=False),
                "complete": forms.BooleanField(label=_("Something is missing, rather than wrong"), required=False),
                "evidence": _file(_("Something that shows it")),
            }
        case Kind.RESTRICT | Kind.OBJECT:
            found |= {"purpose": _purposes(asking.purposes, _("Everything")), "why": _long(_("What speaks against it"), required=False)}
        case Kind.WITHDRAW:
            found |= {"purpose": _purposes(asking.purposes, _("Everything that I ever agreed to"))}
        case Kind.COMPLAIN:
            found |= {"text": _long(_("What went wrong"))}
        case Kind.QUESTION:
            found |= {"text": _long(_("Your question"))}
        case Kind.MARKETING_DISCLOSURES:
            found |= _shine()
    return found


def _purposes(purposes: Iterable[PurposeTerms], every: Any) -> forms.ChoiceField:
    named = sorted(((one.id, one.title or one.id) for one in purposes), key=lambda one: one[1].casefold())
    return forms.ChoiceField(label=_("Which use"), required=False, choices=[("", every), *named])


def _shine() -> dict[str, forms.Field]:
    """What Cal. Civ. Code § 1798.83 lets be asked: name and address, to find the customer; that it is a household's, for its scope."""
    return {
        "name": _line(_("Your name"), autocomplete="name"),
        "street": _line(_("Street and house number"), autocomplete="address-line1"),
        "locality": _line(_("Town or city"), autocomplete="address-level2"),
        "state": _line(_("State"), autocomplete="address-level1"),
        "postcode": _line(_("Postcode"), autocomplete="postal-code"),
        "household": forms.BooleanField(label=_("What I bought was for myself, my family or my household"), required=False),
    }


def _for_others(asking: Asking) -> dict[str, forms.Field]:
    who = [("self", _("Myself")), ("agent", _("Somebody who allowed me to ask for them"))]
    who += [("parent", _("My child"))] if asking.children else []
    found: dict[str, forms.Field] = {
        "by": _one_of(_("Whom you ask for"), who, required=False, initial="self"),
        "agent": _line(
            _("Your own name"), required=False, help_text=_("The address above is then the address of the person, who confirms it.")
        ),
        "permission_kind": _one_of(
            _("What shows that you may"),
            [("permission", _("Their signed permission")), ("power-of-attorney", _("A power of attorney"))],
            required=False,
            initial="permission",
        ),
        "permission": _file(_("The paper itself")),
    }
    if asking.children:
        about = _("The address above is yours. One of us looks at your request, and may write to you.")
        found["child"] = _line(_("The child’s name"), required=False, help_text=about)
    return found


class FactsForm(forms.Form):
    """Facts by which a person is known: what is asked for, and never what is held."""

    def __init__(self, *args: Any, notice: Notice, asked: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for category in asked:
            autocomplete = AUTOCOMPLETE.get(category, "off")
            self.fields[category] = _line(capfirst(phrases.category(notice, category)), required=False, autocomplete=autocomplete)

    def facts(self) -> dict[str, str]:
        """What was filled in."""
        return {name: text.strip() for name, text in self.cleaned_data.items() if text.strip()}


class MessageForm(forms.Form):
    """What a person writes about their request, and a file."""

    text = _long(_("Your message"), required=False)
    file = _file(_("A file"))

    def clean(self) -> dict[str, Any]:
        """Something of the two."""
        given = super().clean() or {}
        if not self.errors and not given.get("text", "").strip() and not given.get("file"):
            self.add_error("text", _("Write something, or choose a file."))
        return given


def checked(kind: Literal["email", "phone"], value: str, region: str = "") -> str:
    """An address or a number as it was typed, once it could be looked up."""
    try:
        subjects.normalised(kind, value, region)
    except BadInput as error:
        raise forms.ValidationError(f"{error.message} {error.cure}") from error
    return value.strip()

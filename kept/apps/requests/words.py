"""What each kind of request is called, for people: in a list, on a button, in a letter. One place, so that they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from kept.apps.requests.models import Kind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Words:
    """`title` stands on a button, `says` below it, `asked` goes on from “somebody asked …”; each of the latter takes the account's name.

    `icon` is a shape of the ui.
    """

    title: StrOrPromise
    says: StrOrPromise
    asked: StrOrPromise
    icon: str


WORDS: Mapping[Kind, Words] = {
    Kind.KNOW: Words(
        _("See what is held, and why"),
        _("Which kinds of data %(name)s holds about you, where they came from, what for, and who was given them."),
        _("asked %(name)s what it holds about the person with this address, and why"),
        "info",
    ),
    Kind.ACCESS: Words(
        _("Get a copy of your data"),
        _("Everything %(name)s holds about you, on a page to read and in files for a machine."),
        _("asked %(name)s for a copy of everything that it holds about the person with this address"),
        "download",
    ),
    Kind.PORTABILITY: Words(
        _("Take your data elsewhere"),
        _("What you gave %(name)s, in files that another service can read."),
        _("asked %(name)s for their data in a form to take elsewhere"),
        "document",
    ),
    Kind.CORRECT: Words(
        _("Put something right"),
        _("Say what is wrong or missing in what %(name)s holds about you."),
        _("asked %(name)s to put right what it holds about the person with this address"),
        "edit",
    ),
    Kind.ERASE: Words(
        _("Have everything erased"),
        _("Everything %(name)s holds about you goes, for good, and you get a certificate that anybody can check."),
        _("asked %(name)s to erase everything that it holds about the person with this address"),
        "close",
    ),
    Kind.RESTRICT: Words(
        _("Have your data left alone"),
        _("%(name)s goes on storing it, and uses it for nothing else meanwhile."),
        _("asked %(name)s to do nothing but store what it holds about the person with this address"),
        "lock",
    ),
    Kind.OBJECT: Words(
        _("Object to a use"),
        _("Say what %(name)s should not use your data for. For direct marketing your word is enough, and it ends at once."),
        _("objected to a use that %(name)s makes of the data of the person with this address"),
        "withheld",
    ),
    Kind.WITHDRAW: Words(
        _("Withdraw a consent"),
        _("What you once allowed %(name)s ends with your word."),
        _("withdrew a consent that the person with this address gave %(name)s"),
        "next",
    ),
    Kind.OPT_OUT_SALE: Words(
        _("Do not sell or share my data"),
        _("%(name)s puts you on its list, and passes nothing of yours on for money or for advertising. You prove nothing for it."),
        _("asked %(name)s not to sell or share the data of the person with this address"),
        "withheld",
    ),
    Kind.OPT_IN_SALE: Words(
        _("Allow sale and sharing again"),
        _("You asked %(name)s not to sell or share your data, and change your mind. We ask you twice."),
        _("asked %(name)s to allow sale and sharing of their data again"),
        "next",
    ),
    Kind.LIMIT_SENSITIVE: Words(
        _("Limit the use of my sensitive data"),
        _("%(name)s uses it for what you asked for, and for nothing beyond."),
        _("asked %(name)s to limit the use of the sensitive data of the person with this address"),
        "lock",
    ),
    Kind.MARKETING_DISCLOSURES: Words(
        _("See who had your data for their marketing"),
        _("To whom %(name)s gave your data for direct marketing of theirs in the last calendar year."),
        _("asked %(name)s to whom it gave their data for direct marketing"),
        "info",
    ),
    Kind.COMPLAIN: Words(
        _("Complain"),
        _("Tell %(name)s what went wrong. You hear from us, and where you can go if that is not enough."),
        _("complained to %(name)s"),
        "warning",
    ),
    Kind.QUESTION: Words(
        _("Ask us something"),
        _("A question about privacy at %(name)s, or a worry. One of us reads it and answers."),
        _("wrote to %(name)s"),
        "mail",
    ),
    Kind.CHOICES: Words(
        _("Decide what it may be used for"),
        _("Stop news, or any single use. It takes effect at once."),
        _("asked to change what %(name)s may do with the data of the person with this address"),
        "settings",
    ),
}


def title(kind: str) -> str:
    """What stands on its button."""
    return str(WORDS[Kind(kind)].title)


def says(kind: str, name: str) -> str:
    """What stands below it."""
    return str(WORDS[Kind(kind)].says) % {"name": name}


def asked(kind: str, name: str) -> str:
    """What somebody did who asks for this: “asked Larch for a copy of …”."""
    return str(WORDS[Kind(kind)].asked) % {"name": name}

"""What we write to people: plain sentences, the same in text and in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template import engines
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from kept.apps.requests import private
from kept.apps.requests.models import Kind, Request
from kept.platform.accounts.models import Account


@dataclass(frozen=True)
class Letter:
    """One letter: paragraphs, then a link to go on with, then a few more."""

    name: str
    subject: str
    account: str
    says: Sequence[str]
    link: str = ""
    link_says: str = ""
    then: Sequence[str] = ()

    def text(self) -> str:
        """As plain text."""
        link = [f"{self.link_says}:\n{self.link}"] if self.link else []
        return "\n\n".join([_("Hello,"), *self.says, *link, *self.then, self.account]) + "\n"

    def html(self) -> str:
        """As HTML, with the styles that mail programs understand."""
        return str(engines["jinja2"].get_template("requests/letter.html").render({"letter": self, "language": _("en")}))


def _day(when: datetime) -> str:
    return str(formats.date_format(localtime(when), "DATE_FORMAT"))


def _address(account: Account, name: str, token: str) -> str:
    return f"{settings.SITE}{reverse(f'requests:{name}', args=[account.slug, token])}"


def _page(account: Account, request: Request) -> str:
    return _address(account, "status", private.open_private(request).page)


def confirm(account: Account, request: Request, token: str) -> Letter:
    """Is it you?"""
    asked = {
        Kind.ACCESS: _("for a copy of everything that it holds about the person with this address"),
        Kind.ERASURE: _("to erase everything that it holds about the person with this address"),
        Kind.CHOICES: _("to change what it may do with the data of the person with this address"),
    }[Kind(request.kind)]
    titles = {
        Kind.ACCESS: _("Your copy of your data: is it you?"),
        Kind.ERASURE: _("Erasing your data: is it you?"),
        Kind.CHOICES: _("Your choices: is it you?"),
    }
    return Letter(
        "confirm",
        titles[Kind(request.kind)],
        account.name,
        [
            _("somebody, and we hope it was you, asked %(account)s %(asked)s.") % {"account": account.name, "asked": asked},
            _("So that nobody else can ask in your name, please open this link within 24 hours and say that it was you."),
        ],
        _address(account, "confirm", private.sign_link(token)),
        _("It was me: go on"),
        [_("If it was not you, do nothing. Without your word nothing happens, and what was asked is forgotten after a day.")],
    )


def ready(account: Account, request: Request) -> Letter:
    """The copy can be fetched."""
    assert request.closes_at is not None
    says = [
        _("the copy of your data that you asked for is ready. It holds a page to read or print, and files for a machine to read."),
        _("It is for you alone, and waits until %(day)s. Then it is destroyed.") % {"day": _day(request.closes_at)},
    ]
    then = [_("Keep this link to yourself: whoever has it can open the copy.")]
    return Letter("ready", _("Your copy is ready"), account.name, says, _page(account, request), _("Fetch your copy"), then)


def erased(account: Account, request: Request) -> Letter:
    """The first stage is over."""
    says = [
        _("what we held about you is erased, as you asked, and the key that opened it is destroyed."),
        _("Databases keep scraps of what was deleted for a while. We clear those too, and write to you once more when it is done."),
    ]
    return Letter("erased", _("Your data is erased"), account.name, says, _page(account, request), _("See how far it has come"))


def cleared(account: Account, request: Request) -> Letter:
    """The second stage is over, and the certificate final."""
    says = [
        _("the last scraps are cleared. Your certificate is ready: anybody can check it, with nothing but our public key."),
        _("Once you fetch it we destroy this address too, and hold nothing of you any more."),
    ]
    return Letter("cleared", _("Your certificate of erasure"), account.name, says, _page(account, request), _("Fetch the certificate"))


def nobody(account: Account, request: Request) -> Letter:
    """Nothing is held under this address."""
    says = [
        _("we looked for everything we hold under this address, and found nothing."),
        _("Should we know you by another address, ask from that one."),
    ]
    return Letter("nobody", _("We hold nothing about you"), account.name, says, _page(account, request), _("See your request"))


def refused(account: Account, request: Request, reason: str, authority: str) -> Letter:
    """The team says no, and why."""
    says = [_("we cannot do what you asked. The reason:"), reason]
    then = [_("If you are not content with this, you can complain to %(authority)s.") % {"authority": authority}] if authority else []
    return Letter("refused", _("About your request"), account.name, says, _page(account, request), _("See your request"), then)

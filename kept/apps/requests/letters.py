"""What we write to people: plain sentences, the same in text and in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template import engines
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from kept.apps.requests import private, queries, words
from kept.apps.requests.models import Kind, Request
from kept.apps.requests.queries import Complaint, complaint
from kept.platform.accounts.models import Account
from kept.platform.privacy.notices import policy_of


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


def _due(request: Request) -> str:
    return _("You have our answer by %(day)s.") % {"day": _day(request.due_at)}


def _follows(account: Account, request: Request) -> list[str]:
    """What follows for the person, in the notice's words, before they confirm."""
    right = queries.right_of(queries.offered(account), request.kind, request.region)
    return [right.body.consequence] if right is not None and right.body.consequence else []


def _steps(complaint: Complaint) -> list[str]:
    """Where somebody goes who is not content, in order: us, whoever settles disputes for us, the authority."""
    found = [_("If you are not content with this, write to us first: %(contact)s.") % {"contact": complaint.contact}]
    for step in complaint.steps:
        cost = _("It costs you nothing.") if step.free else _("It may cost something.")
        limits = f" {step.limits}" if step.limits else ""
        found.append(
            _("Then there is %(name)s: %(where)s. %(cost)s") % {"name": step.name, "where": step.url or "–", "cost": cost} + limits
        )
    if complaint.authority:
        found.append(_("You can complain to %(authority)s at any time.") % {"authority": complaint.authority})
    if complaint.regulator:
        found.append(_("We are supervised by %(regulator)s, too.") % {"regulator": complaint.regulator})
    return found


def _closing(account: Account, request: Request) -> list[str]:
    """What stands at the end of every letter that ends something."""
    return _steps(complaint(account, request.region))


def confirm(account: Account, request: Request, token: str) -> Letter:
    """Is it you? It also confirms receipt, with the day of the answer."""
    return Letter(
        "confirm",
        _("%(what)s: is it you?") % {"what": words.title(request.kind)},
        account.name,
        [
            _("somebody, and we hope it was you, %(asked)s.") % {"asked": words.asked(request.kind, account.name)},
            _("So that nobody else can ask in your name, please open this link within 24 hours and say that it was you."),
        ],
        _address(account, "confirm", private.sign_link(token)),
        _("It was me: go on"),
        [
            *_follows(account, request),
            _due(request),
            _("If it was not you, do nothing. Without your word nothing happens, and what was asked is forgotten after a day."),
        ],
    )


def _letter(account: Account, request: Request, name: str, subject: str, says: Sequence[str], then: Sequence[str] = ()) -> Letter:
    """A letter that leads to the page of the request."""
    return Letter(name, subject, account.name, says, _page(account, request), _("See your request"), then)


def received(account: Account, request: Request) -> Letter:
    """It has come in, and needs no link."""
    says = [
        _("we have what you asked for: %(what)s. It came in on %(day)s.")
        % {"what": Kind(request.kind).label, "day": _day(request.received_at)},
        *_follows(account, request),
        _due(request),
    ]
    return _letter(account, request, "received", _("We have your request"), says)


def referred(account: Account, request: Request) -> Letter:
    """We act for others, who answer."""
    role = next((body for _rule, body in policy_of(account.pk).roles if body.data == request.data and body.requests != "answer"), None)
    to = (role.to if role else None) or _("the company that gave us the data")
    if role is not None and role.requests == "forward":
        says = [_("we only keep these records for others, who decide about them: %(to)s.") % {"to": to}]
        says.append(
            _("If any of them keeps records about you with us, your request is passed on, and they answer you. We cannot tell you who.")
        )
    else:
        says = [_("we only work for others, who decide about these records. Please ask %(to)s.") % {"to": to}]
    return _letter(account, request, "referred", _("Your request goes to whoever is responsible"), says, _closing(account, request))


def unverified(account: Account, request: Request, complaint: Complaint) -> Letter:
    """Who asks could not be known."""
    says = [
        _("we cannot do what you asked: what you told us does not show us that it is you."),
        _("Ask again with other facts, or write to %(contact)s: one of us will look at a document that shows who you are.")
        % {"contact": complaint.contact},
    ]
    return _letter(account, request, "unverified", _("We could not make sure that it is you"), says, _steps(complaint))


def ready(account: Account, request: Request) -> Letter:
    """The copy can be fetched."""
    assert request.closes_at is not None
    says = [
        _("what you asked for is ready. It holds a page to read or print, and files for a machine to read."),
        _("It is for you alone, and waits until %(day)s. Then it is destroyed.") % {"day": _day(request.closes_at)},
    ]
    then = [_("Keep this link to yourself: whoever has it can open the copy."), *_closing(account, request)]
    return Letter("ready", _("Your copy is ready"), account.name, says, _page(account, request), _("Fetch your copy"), then)


def ready_at_a_fee(account: Account, request: Request, number: int, fee: str) -> Letter:
    """The copy can be fetched, and what it costs is said before."""
    letter = ready(account, request)
    return replace(letter, says=[*letter.says, _fee(number, fee), _("Leave it where it is, and you owe nothing.")])


def costs(account: Account, request: Request, number: int, fee: str) -> Letter:
    """A copy beyond the free ones: what it may cost, before anybody makes it."""
    says = [_("you asked for a copy of your data before."), _fee(number, fee)]
    says += [_("We look whether we ask for that, and tell you. Until then you can take your request back on its page.")]
    return _letter(account, request, "message", _("About your request"), says)


def _fee(number: int, fee: str) -> str:
    return _("This is copy number %(number)d of your data. Our privacy notice says of it: %(fee)s.") % {"number": number, "fee": fee}


def too_soon(day: datetime) -> str:
    """Why something is not answered that was answered lately."""
    return _("You asked for this before, and we answered. You can ask for it again from %(day)s on.") % {"day": _day(day)}


def disclosed(account: Account, request: Request, found: Sequence[Mapping[str, Any]], since: datetime | None, *, known: bool) -> Letter:
    """Who had data for direct marketing of their own: the answer itself, which the page of the request has too. Unless the person
    is `known`, it is about everybody.
    """
    from_ = {"day": _day(since) if since else _("the beginning")}
    if known:
        about = _("you asked to whom we gave your data for direct marketing of their own. This is about the time from %(day)s on.") % from_
        nothing = _("Nothing of yours went to anybody for that.")
    else:
        about = _("you asked to whom we gave data for direct marketing of their own. This is about the time from %(day)s on.") % from_
        about = f"{about} " + _("We do not know you by what you told us, so it is about all our customers.")
        nothing = _("Nothing about any of them went to anybody for that.")
    lines = [f"{', '.join(filter(None, (one['to'], one['kind'], one['country'])))}: {', '.join(one['categories'])}." for one in found]
    assert request.closes_at is not None
    then = [_("You find this answer on the page of your request until %(day)s, too.") % {"day": _day(request.closes_at)}]
    then += _closing(account, request)
    return _letter(account, request, "answered", _("Our answer"), [about, *(lines or [nothing])], then)


def hidden(account: Account, request: Request) -> Letter:
    """Hidden at once, erased on a coming day."""
    assert request.effective_at is not None
    day = {"day": _day(request.effective_at)}
    says = [
        _("what we hold about you is hidden from now on: nobody here reads it, and no use is made of it."),
        _("On %(day)s it is erased, for good. Until then you can take that back on the page of your request.") % day,
    ]
    return _letter(account, request, "hidden", _("Your data is hidden, and erased soon"), says)


def erased(account: Account, request: Request) -> Letter:
    """The first stage is over."""
    says = [_("what we held about you is erased, as you asked, and the key that opened it is destroyed.")]
    if request.outcome.get("kept"):
        says = [_("what we held about you is erased, but for what we must keep. The page of your request lists it, why, and until when.")]
    says.append(_("Databases keep scraps of what was deleted for a while. We clear those too, and write to you once more when it is done."))
    return Letter("erased", _("Your data is erased"), account.name, says, _page(account, request), _("See how far it has come"))


def cleared(account: Account, request: Request, told: str = "") -> Letter:
    """The second stage is over, and the certificate final. `told` says who else heard of it."""
    says = [
        _("the last scraps are cleared. Your certificate is ready: anybody can check it, with nothing but our public key."),
        *([told] if told else []),
        _("Once you fetch it we destroy this address too, and hold nothing of you any more."),
    ]
    then = _closing(account, request)
    return Letter(
        "cleared", _("Your certificate of erasure"), account.name, says, _page(account, request), _("Fetch the certificate"), then
    )


def nobody(account: Account, request: Request) -> Letter:
    """Nothing is held under this address."""
    says = [
        _("we looked for everything we hold under this address, and found nothing."),
        _("Should we know you by another address, ask from that one."),
    ]
    return _letter(account, request, "nobody", _("We hold nothing about you"), says, _closing(account, request))


def done(account: Account, request: Request, says: Sequence[str]) -> Letter:
    """It is done, and this is what was done."""
    return _letter(account, request, "done", _("What you asked for is done"), says, _closing(account, request))


def lifting(account: Account, request: Request, reason: str) -> Letter:
    """The restriction ends, and the person hears so first: Article 18(3) GDPR."""
    says = [_("we had put your data aside. From now on we use it again, as our notice says and as far as you let us.")]
    says += [_("The reason:"), reason] if reason else []
    return _letter(account, request, "lifting", _("Your data is used again"), says, _closing(account, request))


def answered(account: Account, request: Request, reason: str) -> Letter:
    """The team's own answer, and where to go next."""
    says = [_("here is our answer:"), reason] if reason else [_("we have looked at what you wrote.")]
    return _letter(account, request, "answered", _("Our answer"), says, _closing(account, request))


def refused(account: Account, request: Request, reason: str, complaint: Complaint) -> Letter:
    """The team says no, and why."""
    says = [_("we cannot do what you asked. The reason:"), reason]
    return _letter(account, request, "refused", _("About your request"), says, _steps(complaint))


def revoked(account: Account, request: Request) -> Letter:
    """It was taken back."""
    return _letter(
        account, request, "revoked", _("Your request is taken back"), [_("you took your request back. Everything stays as it was.")]
    )


def paused(account: Account, request: Request, why: str) -> Letter:
    """The clock stands still while something of theirs is awaited."""
    reasons = {"identity-unverified": _("we wait for you to show that it is you")}
    says = [_("the time for our answer stands still, for %(why)s.") % {"why": reasons.get(why, why)}]
    return _letter(account, request, "paused", _("We wait for you"), says)


def extended(account: Account, request: Request, reason: str) -> Letter:
    """It takes longer, and why."""
    says = [_("we need longer for what you asked. The reason:"), reason, _due(request)]
    return _letter(account, request, "extended", _("Your request takes longer"), says)


def message(account: Account, request: Request, text: str) -> Letter:
    """A message of the team."""
    return _letter(account, request, "message", _("About your request"), [text], [_("You can answer on the page of your request.")])

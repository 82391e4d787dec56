"""The words of a notice about requests, said to the person: grounds, exceptions, proofs, clocks. What a map lacks is said as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from kept.apps.requests import verifying
from kept.core.notice import Notice
from kept.core.notice.durations import Duration
from kept.core.notice.rules.identity import Contact, NoticeBody
from kept.core.notice.terms import RightTerms

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Words = Mapping[str, "StrOrPromise"]

GROUNDS: Words = {
    "no-longer-needed": lazy("It is not needed any more for what it was collected for."),
    "consent-withdrawn": lazy("I agreed to its use, and do not any more."),
    "objection": lazy("I object to its use, and my reasons weigh more."),
    "direct-marketing": lazy("It is used for direct marketing, and I do not want that."),
    "unlawful": lazy("It is used against the law."),
    "contested": lazy("It is wrong, and should be left alone while you check."),
    "unjustified": lazy("There is no good reason to use it."),
    "claims-only": lazy("You do not need it any more, but I do, for a legal claim."),
    "pending-objection": lazy("I objected to its use, and you are still weighing that."),
    "particular-situation": lazy("My own situation speaks against it."),
    "legal-duty": lazy("A law obliges you to."),
}
EXCEPTIONS: Words = {
    "legal-duty": lazy("what a law obliges us to keep"),
    "legal-claim": lazy("what a legal claim needs"),
    "needed-for-service": lazy("what the service you use needs"),
    "fraud-security": lazy("what protects against fraud and attacks"),
    "debugging": lazy("what helps to find faults"),
    "free-speech": lazy("what free speech protects"),
    "law-enforcement": lazy("what law enforcement may ask for"),
    "research": lazy("what research in the public interest needs"),
    "internal-use": lazy("what we use inside, as you would expect of us"),
    "others-rights": lazy("what the rights of others protect"),
    "investigation": lazy("what an investigation needs"),
}
WITHHELD: Words = {
    "risk-to-person": lazy("to show it would put you or your account at risk"),
    "risk-to-information": lazy("to show it would put the security of the information at risk"),
    "risk-to-business": lazy("to show it would put the security of our systems at risk"),
    "others-rights": lazy("to show it would go against the rights of others"),
}
CAPACITIES: Words = {
    "employee": lazy("Somebody who works there, or did"),
    "applicant": lazy("Somebody who applied for work there"),
    "contractor": lazy("A contractor"),
    "business-contact": lazy("Somebody who deals with it for another business"),
}
"""The persons whom a right may leave out; who asks says which they are."""
OUTSIDE: Words = {
    "employee": lazy("people who work for us, as such"),
    "applicant": lazy("people who apply for work with us, as such"),
    "contractor": lazy("our contractors, as such"),
    "business-contact": lazy("people who deal with us for another business"),
    "service-provider-data": lazy("data that we keep for others, who decide about it"),
    "public-record": lazy("what stands in public records"),
    "deidentified": lazy("data that points to nobody any more"),
    "aggregate": lazy("figures about groups"),
}
POWERS: Words = {
    "power-of-attorney": lazy("a power of attorney"),
    "signed-permission": lazy("your signed permission"),
    "identity": lazy("proof that it is you"),
    "direct-confirmation": lazy("your own word to us"),
    "parent": lazy("that you are the child’s parent or guardian"),
}
PAUSES: Words = {"identity-unverified": lazy("we wait for you to show that it is you")}
EXTENSIONS: Words = {
    "complexity": lazy("it is a complex one"),
    "number": lazy("there are many requests of yours"),
    "necessary": lazy("it could not reasonably be done sooner"),
}


def said(words: Words, term: str) -> str:
    """What a term of the notice means, to people."""
    return str(words.get(term, term))


def listed(terms: Iterable[str], last: str = "") -> str:
    """One, two and three; `last` stands before the last of them, “and” where nothing else is said."""
    *others, final = list(terms)
    return f"{', '.join(others)} {last or _('and')} {final}" if others else final


def length(one: Duration) -> str:
    """1 month, 10 business days."""
    match one.unit:
        case "days":
            return ngettext("%(n)d day", "%(n)d days", one.count) % {"n": one.count}
        case "business days":
            return ngettext("%(n)d business day", "%(n)d business days", one.count) % {"n": one.count}
        case "months":
            return ngettext("%(n)d month", "%(n)d months", one.count) % {"n": one.count}
        case "years":
            return ngettext("%(n)d year", "%(n)d years", one.count) % {"n": one.count}
    return str(one)


def category(notice: Notice, term: str) -> str:
    """What a category is called in a sentence."""
    known = notice.vocabulary["category"].all
    title = known[term].title if term in known else term
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def proof(right: RightTerms | None) -> str:
    """How a person shows that it is them, in a sentence."""
    ways = verifying.ways(right)
    if ways == ("none",):
        return _("You prove nothing.")
    facts = verifying.facts_needed(right)
    said = [_("a link in a letter to your address")] if {"link", "none"} & set(ways) else []
    said += [ngettext("%(n)d fact that we hold about you", "%(n)d facts that we hold about you", facts) % {"n": facts}] if facts else []
    said += [_("signing in here")] if "sign-in" in ways else []
    told = _("By %s.") % listed(said, _("or")) if said else ""
    if "human" in ways:
        told = f"{told or _('By a link in a letter to your address.')} {_('One of our team looks as well.')}"
    return told


def contacts(identity: NoticeBody, channels: Iterable[str]) -> list[Contact]:
    """Where a request can be sent to by these channels, beside the door in front of the reader."""
    found: list[Contact] = []
    for channel in dict.fromkeys(channels):
        if channel in ("email", "phone", "post"):
            matters = (identity.reach("requests"), identity.reach(), identity.contact)
            found += next(([one for one in some if one.via == channel] for some in matters if any(one.via == channel for one in some)), [])
    return list(dict.fromkeys(found))

"""Rules about the document itself: who speaks, for what, under which law, and how the notice changes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kept.core.notice import law
from kept.core.notice.rules.base import Body, ByRegion, Key, Length, OneOrMore, Table, Text, Texts, Tuple
from kept.core.notice.vocabulary import nearest


def _law(name: str) -> str:
    if name not in law.PACKS:
        close = nearest(name, law.PACKS)
        raise ValueError(f"{name!r} is no law pack; there are {', '.join(law.PACKS)}" + (f"; perhaps {close}" if close else ""))
    return name


LawName = Annotated[str, AfterValidator(_law)]
Matter = Literal["everything", "questions", "requests", "security", "minors", "opt-out", "complaints", "support", "terms"]
Surface = Literal["website", "platform", "mobile-app", "portal", "email", "api", "event", "advertising"]
Told = Literal["banner", "email", "site", "feed"]
Effect = Literal["purposes", "categories", "recipients", "retention", "rights", "choices", "transfers"]


class Contact(Table):
    """A way to reach us, and what for."""

    for_: Annotated[
        tuple[Matter, ...], OneOrMore, Field(alias="for"), Key("What it is for; `everything` where nothing more special is named.")
    ] = ("everything",)
    via: Annotated[Literal["email", "phone", "post", "web", "fax"], Key("The channel.")] = "email"
    value: Annotated[Text, Key("The address or number.")]


class Dispute(Table):
    """A step of settling a dispute."""

    name: Annotated[Text, Key("Who.")]
    url: Annotated[Text | None, Key("Where to turn to.")] = None
    free: Annotated[bool, Key("Whether it costs the person nothing.")] = True
    after: Annotated[Text | None, Key("What must have come before: `us`, or the name of an earlier step.")] = None
    limits: Annotated[Text | None, Key("What it cannot do or decide.")] = None


class Seal(Table):
    """A certification seal."""

    name: Annotated[Text, Key("Who certifies.")]
    url: Annotated[Text, Key("Where the certificate can be seen.")]
    covers: Annotated[tuple[Surface, ...], OneOrMore, Key("What it is about.")] = ()


def _contacts(value: object) -> object:
    if isinstance(value, str):
        return ({"value": value},)
    return tuple(value) if isinstance(value, list) else value


class NoticeBody(Body):
    """The identity of the document. It is the first rule. In a supplement it may restate its date and where to turn to."""

    example: ClassVar = """notice = "larch"
controller = "Larch & Daughters, 4 Quay Street, Bristol"
contact = [
  { for = "everything", via = "email", value = "privacy@larch.example" },
  { for = "complaints", via = "phone", value = "+1 555 0100" },
]
effective = 2026-03-01
law = ["gdpr", "uk-gdpr"]
covers = ["website", "email"]
authority = { default = "your data protection authority", GB = "the Information Commissioner's Office" }"""

    controller: Annotated[Text, Key("Legal name, trade name and address.")]
    contact: Annotated[
        tuple[Contact, ...], BeforeValidator(_contacts), Field(min_length=1), Key("Where to reach us: an address, or a list.")
    ]
    effective: Annotated[date, Key("The date from which it holds.")]
    law: Annotated[tuple[LawName, ...], Tuple, Key("The law packs that apply: they supply clocks, and `check` measures against them.")] = ()
    covers: Annotated[tuple[Surface, ...], OneOrMore, Key("Surfaces that the notice is about; each of them links it.", binds=True)] = ()
    sites: Annotated[Texts, Key("Host names that the notice is about, their subdomains included.")] = ()
    excludes: Annotated[Texts, Key("What the notice is not about, in words.")] = ()
    languages: Annotated[Texts, Key("Languages it is published in (BCP 47).")] = ("en",)
    supersedes: Annotated[Text | None, Key("The earlier notice that it replaces.")] = None
    dispute: Annotated[
        tuple[Dispute, ...], Tuple, Key("Where an unresolved concern goes, in order; every refusal and closing letter says so.", binds=True)
    ] = ()
    authority: Annotated[ByRegion[Text], Key("The data protection authority, by region; named in every refusal.")] = {}
    regulator: Annotated[ByRegion[Text], Key("Who else supervises us, by region.")] = {}
    prevails: Annotated[
        tuple[LawName, ...], OneOrMore, Key("Law packs whose principles win over this text where the two differ; the stricter is computed.")
    ] = ()
    seal: Annotated[Seal | None, Key("A certification seal.")] = None
    tables: Annotated[
        tuple[Literal["california", "processing", "subprocessors", "cookies"], ...],
        OneOrMore,
        Key("Tables published with the notice, computed from declarations and the ledger.", binds=True),
    ] = ()

    def reach(self, matter: str = "everything") -> tuple[Contact, ...]:
        """The contacts for a matter: those that name it, else those for everything, else all."""
        named = tuple(one for one in self.contact if matter in one.for_)
        return named or tuple(one for one in self.contact if "everything" in one.for_) or self.contact

    @property
    def address(self) -> str:
        """The one to show where there is room for one."""
        return self.reach()[0].value


class RoleBody(Body):
    """Whether we decide about the data or act for who does, and what becomes of a person's request."""

    example: ClassVar = """role = "customer-records"
data = "customer"
is = "processor"
requests = "forward"
to = "the administrator of the customer's account"
within = "5 business days"
except = ["legal-order"]"""

    is_: Annotated[Literal["controller", "processor"], Field(alias="is"), Key("What we are for this data.", binds=True)]
    requests: Annotated[
        Literal["answer", "refer", "forward"],
        Key("What becomes of a person's request: answered, referred to them, or passed on.", binds=True),
    ] = "answer"
    to: Annotated[Text | None, Key("To whom a request is referred or passed on, in words.")] = None
    within: Annotated[Length | None, Key("How soon a request is referred or passed on.", binds=True)] = None
    except_: Annotated[
        tuple[Literal["instruction", "legal-order", "consent"], ...],
        OneOrMore,
        Field(alias="except"),
        Key("What lets our staff read this data: as a processor they need one of these on file.", binds=True),
    ] = ()


class ChangeBody(Body):
    """How the notice itself changes. Whatever it says, data collected under an older version stays under it until its owner agrees."""

    example: ClassVar = """change = "announcements"
material = ["purposes", "categories", "recipients", "rights"]
tell = ["banner", "email"]
before = "30 days"
accept = "explicit"
reduce_rights = "explicit-consent\""""

    material: Annotated[tuple[Effect, ...], Tuple, Key("Effects that make a change material.", binds=True)] = (
        "purposes",
        "categories",
        "recipients",
        "rights",
    )
    tell: Annotated[tuple[Told, ...], OneOrMore, Key("How a material change is told: by each of these.", binds=True)] = ()
    tell_any: Annotated[tuple[Told, ...], OneOrMore, Key("How it is told: by one of these.", binds=True)] = ()
    before: Annotated[Length | None, Key("How long before it takes effect people are told.", binds=True)] = None
    effective: Annotated[Literal["on-publication", "as-stated"], Key("When a version takes effect.")] = "as-stated"
    accept: Annotated[
        Literal["explicit", "continued-use"],
        Key("How a person comes under a new version. Continued use never stands in for consent.", binds=True),
    ] = "explicit"
    reduce_rights: Annotated[Literal["explicit-consent"] | None, Key("Rights are not reduced without explicit consent.", binds=True)] = None


class StatementBody(Body):
    """Says that the sentences above it promise nothing."""

    example: ClassVar = 'statement = "no-promise"'

    text: Annotated[Text | None, Key("Why, for who writes the notice.")] = None

"""Rules about what comes in: categories and sources of the notice's own, inlets, trackers, the age below which nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from kept.core.notice.rules.base import (
    Among,
    Body,
    ByRegion,
    Categories,
    Key,
    Length,
    OneOrMore,
    Purposes,
    Refers,
    Regions,
    Table,
    Text,
    Texts,
    Tuple,
)


class CategoryBody(Body):
    """A category of the notice's own: a new leaf in the tree."""

    example: ClassVar = """category = "shoe-size"
under = "demographic"
title = "Shoe size"
ccpa = "commercial\""""

    under: Annotated[str, Among("category"), Key("The term it stands under, whose mapping it takes.")]
    title: Annotated[Text, Key("How people read it.")]
    sensitive: Annotated[bool, Key("Whether the law treats it as sensitive: then only explicit consent opens it.")] = False
    derived: Annotated[bool, Key("Whether we infer it: it is erased with what it was inferred from.", binds=True)] = False
    ccpa: Annotated[str | None, Key("Its class in California, where it differs from its parent's.")] = None
    access: Annotated[Literal["value", "describe"], Key("In an access answer: given, or named and never disclosed.", binds=True)] = "value"


class SourceBody(Body):
    """A source of the notice's own: a provenance label."""

    example: ClassVar = """source = "trade-fair"
under = "event-partner"
title = "The organiser of a trade fair\""""

    under: Annotated[str, Among("source"), Key("The term it stands under.")]
    title: Annotated[Text, Key("How people read it.")]
    rights: Annotated[
        ByRegion[Literal["in-scope", "out-of-scope"]],
        Key("Whether regional rights reach data from it (public government records may be out).", binds=True),
    ] = {}


class CollectBody(Body):
    """An inlet. What no `collect` lists is refused at every form, import, interface and event."""

    example: ClassVar = """collect = "demo-request"
categories = ["name", "email", "organisation"]
from = "subject"
for = ["communication"]
required = ["email"]
on = "demo-request"
shows = ["We get in touch about your request.", "/notice/"]
consent = { email = "You may write to me about this." }"""

    categories: Annotated[Categories, Key("What comes in here.", binds=True)]
    from_: Annotated[str, Among("source"), Field(alias="from"), Key("Where it comes from: the provenance of each value.")]
    for_: Annotated[Purposes, Field(alias="for"), Key("What for.")]
    required: Annotated[
        tuple[str, ...], Tuple, Among("category"), Key("What must be given; everything else may be left out.", binds=True)
    ] = ()
    on: Annotated[tuple[str, ...], OneOrMore, Among("occasion"), Key("The occasions on which it is collected.")] = ()
    regions: Annotated[
        Regions | None, Key("The regions whose people's data this inlet takes; whoever supplies it states the region.", binds=True)
    ] = None
    attest: Annotated[
        tuple[Literal["basis", "origin", "consent"], ...],
        Tuple,
        Key("What whoever supplies data about somebody else must state; `consent`: that person's consent, and no other basis.", binds=True),
    ] = ()
    consent: Annotated[
        Mapping[str, Text],
        Among("category"),
        Key("A box of its own beside a category, unticked, with this text; text and version are recorded.", binds=True),
    ] = {}
    shows: Annotated[Texts, Key("What is said and linked where the data is asked for.", binds=True)] = ()
    held_by: Annotated[
        Text | None,
        Refers(("disclose",)),
        Key("The `disclose` rule whose recipient takes it directly: it never touches our store.", binds=True),
    ] = None
    scope: Annotated[Text | None, Key("How far it goes, where the person or a grant sets that.")] = None
    signed: Annotated[bool, Key("Whether deliveries are accepted only with a verified signature.", binds=True)] = False
    expires: Annotated[Length | None, Key("How long a grant to collect lasts.", binds=True)] = None


class Cookie(Table):
    """A cookie that a tracker sets."""

    name: Annotated[Text, Key("Its name.")]
    keep: Annotated[Length | None, Key("How long it lasts; without it, as long as the browser is open.")] = None


def _cookies(value: object) -> object:
    return tuple({"name": one} if isinstance(one, str) else one for one in value) if isinstance(value, list) else value


US = "us"
"""How a tracker says that it is our own."""


class TrackerBody(Body):
    """A cookie, pixel or script that observes people. Nothing loads before the choice it needs, nor for who declined."""

    example: ClassVar = """tracker = "visit-statistics"
provider = "Otter Analytics"
recipient = "otter"
categories = ["cookie-identifier", "web-history", "ip-address"]
for = ["analytics"]
needs = "statistics-cookies"
cookies = [{ name = "_otter", keep = "6 months" }]
cross_site = false
link = "never"
gpc = "honour\""""

    provider: Annotated[Text, Key("Whose it is; `us` for our own.")]
    recipient: Annotated[Text | None, Refers(("disclose",)), Key("The `disclose` rule under which its provider receives the data.")] = None
    categories: Annotated[Categories, Key("What it observes.", binds=True)]
    for_: Annotated[Purposes, Field(alias="for"), Key("What for.")]
    needs: Annotated[Text | None, Refers(("choice",)), Key("The choice without which it does not load.", binds=True)] = None
    in_: Annotated[Literal["web", "email", "app"], Field(alias="in"), Key("Where it works.")] = "web"
    cookies: Annotated[tuple[Cookie, ...], BeforeValidator(_cookies), Key("The cookies it sets.", binds=True)] = ()
    cross_site: Annotated[bool, Key("Whether it follows people across sites: marked so, and off before a choice.", binds=True)] = False
    link: Annotated[
        Literal["never", "identify", "always"],
        Key("Whether what it observes is joined to a known person: never, once they identify themselves, or always.", binds=True),
    ] = "never"
    anonymised: Annotated[bool, Key("Whether its identifier is random and addresses are cut on arrival.", binds=True)] = False
    dnt: Annotated[Literal["ignore", "honour"] | None, Key("What Do Not Track does to it.", binds=True)] = None
    gpc: Annotated[Literal["ignore", "honour"] | None, Key("What the Global Privacy Control does to it.", binds=True)] = None


def _minimum(value: object) -> object:
    table = value if isinstance(value, dict) else {"default": value}
    return {region: 0 if age == "majority" else age for region, age in table.items()}


MAJORITY = 0
"""How `minimum` says “of legal age where they live”; the law packs hold the ages."""


class AgeBody(Body):
    """The age below which nothing is done with a person's data, and what happens when we learn that somebody is younger."""

    example: ClassVar = """age = "children"
minimum = { default = 16, US = 13 }
below = "refuse"
on_discovery = "erase"
delete_within = "10 days"
subject_line = "A child's data\""""

    minimum: Annotated[
        ByRegion[Annotated[int, Field(ge=0)]],
        BeforeValidator(_minimum),
        Key("Years, by region; or `majority`: of legal age where they live."),
    ]
    below: Annotated[
        Literal["refuse", "parental-consent"], Key("Who is younger is refused, or needs a parent's recorded consent.", binds=True)
    ]
    on: Annotated[tuple[str, ...], OneOrMore, Among("occasion"), Key("The occasions it is about; without it, everything.", binds=True)] = ()
    on_discovery: Annotated[Literal["erase", "restrict"], Key("What happens to data of somebody found to be younger.", binds=True)] = (
        "erase"
    )
    delete_within: Annotated[Length | None, Key("How soon.", binds=True)] = None
    except_: Annotated[tuple[Literal["legal-duty"], ...], OneOrMore, Field(alias="except"), Key("What may be kept nevertheless.")] = ()
    subject_line: Annotated[Text | None, Key("A mail with this subject line opens a request of a parent.", binds=True)] = None


__all__ = ["MAJORITY", "US", "AgeBody", "CategoryBody", "CollectBody", "Cookie", "SourceBody", "TrackerBody"]

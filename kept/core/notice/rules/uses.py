"""Rules about what is done with data: purposes, choices that move them, limits that fence it, how long it is kept, how it is secured."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from kept.core.notice.rules.base import (
    Among,
    Body,
    ByRegion,
    Categories,
    Channel,
    Key,
    Length,
    Lengths,
    OneOrMore,
    Purposes,
    Records,
    Refers,
    Table,
    Text,
    Texts,
    Tuple,
)

BasisName = Literal[
    "consent",
    "explicit-consent",
    "contract",
    "legal-obligation",
    "vital-interests",
    "public-task",
    "legitimate-interest",
    "opt-out",
    "by-provision",
    "instruction",
]
StatutoryPurpose = Literal[
    "auditing",
    "security",
    "debugging",
    "transient-use",
    "performing-services",
    "advertising",
    "internal-research",
    "quality-and-safety",
    "commercial",
]
MARKETS = ("sale", "sharing")
"""What a choice may govern and a limit forbid besides terms: every disclosure marked `sale`, or `share`."""


class PurposeBody(Body):
    """A use of data: the categories it reads and the lawful basis it rests on, by region."""

    example: ClassVar = """purpose = "direct-marketing"
categories = ["name", "email", "purchase-history"]
basis = { default = "consent", US = "opt-out" }
additional = "consent\""""

    under: Annotated[str | None, Among("purpose"), Key("The term it stands under, where it is the notice's own.")] = None
    title: Annotated[Text | None, Key("How people read it.")] = None
    categories: Annotated[Categories, Key("The categories it reads; every other column is closed to it.", binds=True)]
    basis: Annotated[ByRegion[BasisName], Key("The lawful basis it rests on, by region.", binds=True)]
    by: Annotated[
        tuple[Literal["owner", "privacy-lead", "member", "read-only", "staff"], ...],
        OneOrMore,
        Key("The roles that may act under it; without it, all whose role reads records.", binds=True),
    ] = ()
    only_sources: Annotated[tuple[str, ...], OneOrMore, Among("source"), Key("The only sources whose data it may use.", binds=True)] = ()
    needs: Annotated[Literal["agreement", "instruction"] | None, Key("What must be on file before it opens.", binds=True)] = None
    additional: Annotated[
        Literal["consent", "notice"] | None,
        Key("Whether data collected before this purpose was declared serves it with consent, or once people were told.", binds=True),
    ] = None
    ccpa: Annotated[
        tuple[StatutoryPurpose, ...], OneOrMore, Key("Statutory purposes in California (Cal. Civ. Code § 1798.140(e)), or `commercial`.")
    ] = ()


class Link(Table):
    """A link to somebody's own way to opt out."""

    title: Annotated[Text, Key("How it reads.")]
    url: Annotated[Text, Key("Where it leads.")]


class ChoiceBody(Body):
    """What a person can turn on and off; taking back is as easy as giving."""

    example: ClassVar = """choice = "marketing-mail"
governs = ["direct-marketing"]
channel = "email"
ways = ["link", "reply", "settings"]
signals = ["unsubscribe"]
effective_within = "0 days\""""

    governs: Annotated[
        tuple[Text, ...],
        Tuple,
        Field(min_length=1),
        Refers(("disclose", "tracker"), qualified=True, tree="purpose", words=MARKETS),
        Key("Purposes, rules as `disclose:id` and `tracker:id`, or `sale` and `sharing`: every disclosure so marked.", binds=True),
    ]
    default: Annotated[
        ByRegion[Literal["in", "out", "implied"]],
        Key("How it stands before anybody chose, by region, for recipients and trackers.", binds=True),
    ] = {}
    channel: Annotated[Channel | None, Key("The one channel on which it governs its purposes.", binds=True)] = None
    ways: Annotated[
        tuple[Literal["link", "reply", "email", "phone", "post", "settings", "banner", "signal", "device", "support", "form"], ...],
        OneOrMore,
        Key("The ways in which it can be made.", binds=True),
    ] = ()
    by: Annotated[Literal["person", "browser", "device", "account"], Key("What it counts for.")] = "person"
    effective_within: Annotated[Length, Key("How soon it is in force.", binds=True)]
    confirm_within: Annotated[
        Length | None, Key("How soon everybody downstream confirms it; who is late stands on a list.", binds=True)
    ] = None
    tail: Annotated[Length | None, Key("How long what was handed over before may still arrive.", binds=True)] = None
    signals: Annotated[
        tuple[Literal["gpc", "dnt", "unsubscribe", "stop-words"], ...], OneOrMore, Key("Signals that make it by themselves.", binds=True)
    ] = ()
    opt_in: Annotated[Literal["two-step"] | None, Key("Whether turning on again takes a second confirmation.", binds=True)] = None
    list_: Annotated[Text | None, Field(alias="list"), Key("The name of the list on which those stand who chose.", binds=True)] = None
    links: Annotated[tuple[Link, ...], Tuple, Key("Other parties' own ways to opt out.")] = ()
    costs: Annotated[Text | None, Key("What a person loses by it, shown where they choose.")] = None
    ask_again_after: Annotated[Length | None, Key("How long we wait before we ask again.", binds=True)] = None


class AppliesTo(Table):
    """The provenance a limit is about; what is left out means any."""

    source: Annotated[tuple[str, ...], OneOrMore, Among("source"), Key("Sources.")] = ()
    category: Annotated[tuple[str, ...], OneOrMore, Among("category"), Key("Categories.")] = ()
    records: Annotated[tuple[str, ...], OneOrMore, Among("record"), Key("Kinds of records.")] = ()
    derived: Annotated[bool, Key("Whether what is derived from it stands under the limit too.")] = True


class NeverAsk(Table):
    """What we never ask for, and where."""

    categories: Annotated[Categories, Key("What.")]
    channels: Annotated[
        tuple[Literal["email", "text", "phone", "chat", "web"], ...], OneOrMore, Field(min_length=1), Key("By which channels.")
    ]


class Humans(Table):
    """When human beings may read."""

    only_when: Annotated[
        tuple[Literal["agreement", "security", "law", "aggregated"], ...],
        Tuple,
        Field(min_length=1),
        Key("The grounds, one of which a reader must state."),
    ]


class LimitBody(Body):
    """A fence that follows provenance, derivations included; what is refused at every inlet; the smallest group an aggregate may show."""

    example: ClassVar = """limit = "google-data"
applies_to = { source = "google" }
only_purposes = ["service-provision"]
never = ["advertising"]
humans = { only_when = ["agreement", "security", "law", "aggregated"] }"""

    applies_to: Annotated[AppliesTo, Key("The provenance it is about.")] = AppliesTo()
    refuse: Annotated[Categories | None, Key("Categories refused at every inlet, before anything is stored or logged.", binds=True)] = None
    only_purposes: Annotated[Purposes | None, Key("The only purposes it may serve.", binds=True)] = None
    only_recipients: Annotated[
        tuple[Text, ...],
        OneOrMore,
        Refers(("disclose",), tree="recipient"),
        Key("The only recipients: ids of `disclose` rules, or classes of recipients.", binds=True),
    ] = ()
    never: Annotated[
        tuple[Text, ...],
        OneOrMore,
        Refers((), tree="purpose", words=MARKETS),
        Key("Purposes it may never serve; `sale` and `sharing` forbid disclosures so marked.", binds=True),
    ] = ()
    never_ask: Annotated[
        NeverAsk | None, Key("What is never asked for in messages; outgoing templates and messages are checked.", binds=True)
    ] = None
    humans: Annotated[Humans | None, Key("When human beings may read it; each look is told and in the ledger.", binds=True)] = None
    unless: Annotated[tuple[Literal["other-source", "legal-duty", "consent", "merger"], ...], OneOrMore, Key("What lifts the limit.")] = ()
    except_: Annotated[
        Texts, Refers((), qualified=True), Field(alias="except"), Key("Rules that stand outside the limit, as `kind:id`.")
    ] = ()
    min_group: Annotated[PositiveInt | None, Key("The smallest group that a published or disclosed aggregate may show.", binds=True)] = None
    truncate: Annotated[Categories | None, Key("Categories cut on arrival: an IP address to its network.", binds=True)] = None

    @model_validator(mode="after")
    def _limits_something(self) -> LimitBody:
        limits = (
            self.refuse,
            self.only_purposes,
            self.only_recipients,
            self.never,
            self.never_ask,
            self.humans,
            self.min_group,
            self.truncate,
        )
        if not any(limits):
            raise ValueError("limit states refuse, only_purposes, only_recipients, never, never_ask, humans, min_group or truncate")
        about = self.applies_to
        sold = set(self.never) <= set(MARKETS)
        fences = self.only_purposes or self.only_recipients or self.humans or (self.never and not sold)
        if fences and not (about.source or about.category or about.records):
            raise ValueError("a fence states in applies_to the source, category or records it is about")
        return self


class RetainBody(Body):
    """How long data is kept after an event, and what then becomes of it. Holds win."""

    example: ClassVar = """retain = "bills"
categories = ["payment-history"]
keep = ["7 years", "6 months"]
after = "invoice-issued"
then = "erase"
unless = ["legal-claim"]"""

    categories: Annotated[Categories | None, Key("Categories, or")] = None
    records: Annotated[Records | None, Key("kinds of records: one of the two.")] = None
    keep: Annotated[Lengths, Key("How long; of several lengths the longest.", binds=True)]
    after: Annotated[str, Among("event"), Key("The event at which the clock starts.", binds=True)]
    then: Annotated[Literal["erase", "nullify", "anonymise"], Key("What happens then.", binds=True)]
    unless: Annotated[
        tuple[Literal["legal-claim", "legal-duty", "dispute", "open-request", "agreement"], ...],
        OneOrMore,
        Key("Holds that keep it longer.", binds=True),
    ] = ()
    duty: Annotated[
        Literal["legal"] | None, Key("That the law wants it kept so long: an erasure leaves it until its time is over.", binds=True)
    ] = None

    @model_validator(mode="after")
    def _one_subject(self) -> RetainBody:
        if (self.categories is None) == (self.records is None):
            raise ValueError("retain states either categories or records")
        if self.duty and any(one.unit == "until withdrawn" for one in self.keep):
            raise ValueError("retain states a time in keep where the law wants it kept")
        return self


class Staff(Table):
    """How staff come to see data."""

    verify_first: Annotated[bool, Key("The account stays hidden until the caller is verified.")] = False
    need: Annotated[bool, Key("A reader states the business need.")] = False
    second_factor: Annotated[bool, Key("Staff sign in with a second factor.")] = False


class Grants(Table):
    """Access that customers grant us."""

    scope: Annotated[bool, Key("A grant names what it reaches.")] = True
    expires: Annotated[Length | None, Key("How long it lasts at most.")] = None


class Measure(Table):
    """An organisational measure: dated evidence with an owner."""

    text: Annotated[Text, Key("What is done.")]
    owner: Annotated[Text, Key("Who answers for it.")]
    reviewed: Annotated[date, Key("When it was last looked at.")]


class SecureBody(Body):
    """How data is secured: sealed columns, staff access, sign-in, transport, and measures as dated evidence."""

    example: ClassVar = """secure = "safeguards"
seal = ["birth-date"]
staff = { need = true, second_factor = true }
sign_in = ["password", "second-factor", "sessions"]
measures = [{ text = "Backups are restored on trial every quarter.", owner = "Operations", reviewed = 2026-02-01 }]
tls = true"""

    seal: Annotated[Categories | None, Key("Categories sealed under each person's own key: erasing destroys the key.", binds=True)] = None
    staff: Annotated[Staff | None, Key("How staff come to see data.", binds=True)] = None
    sign_in: Annotated[
        tuple[Literal["password", "second-factor", "sessions"], ...], OneOrMore, Key("What protects accounts.", binds=True)
    ] = ()
    grants: Annotated[Grants | None, Key("Access that customers grant us: with a scope and an end, sealed.", binds=True)] = None
    measures: Annotated[
        tuple[Measure, ...], Tuple, Key("Organisational measures, each with an owner and the date of its last review.", binds=True)
    ] = ()
    tls: Annotated[bool, Key("Whether data travels encrypted only.", binds=True)] = False

    @model_validator(mode="after")
    def _secures_something(self) -> SecureBody:
        if not (self.seal or self.staff or self.sign_in or self.grants or self.measures or self.tls):
            raise ValueError("secure states seal, staff, sign_in, grants, measures or tls")
        return self

"""The words of a policy: what is asked, what is known of a person, what is answered, and the compiled rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from kept.core.errors import BadInput
from kept.core.notice.durations import Duration
from kept.core.notice.model import Rule
from kept.core.notice.rules import Channel, Verification

BITS = 62
EVERYTHING_BIT = 62
EVERYTHING = 1 << EVERYTHING_BIT
UNFENCED = (1 << EVERYTHING_BIT + 1) - 1


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a policy. What is None is not asked about."""

    purpose: str
    category: str | None = None
    source: str | None = None
    recipient: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class ChoiceFact:
    """What a person last said about something. A yes counts from `at` until `until`; a no counts at once and does not lapse."""

    state: Literal["given", "withdrawn", "objected", "opted-out"]
    at: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or (self.until is not None and self.until.tzinfo is None):
            raise BadInput("A choice has a moment without a time zone.", cure="Give aware datetimes, such as datetime.now(UTC).")


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What a decision needs to know of a person.

    The keys of `choices` and the members of `restricted` are ids of choices (`choices` only), purposes, terms above purposes,
    or ``all``. `born` is None when unknown, and nobody is taken for a child on that account.
    """

    now: datetime
    region: str = ""
    born: date | None = None
    choices: Mapping[str, ChoiceFact] = field(default_factory=dict)
    restricted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise BadInput("`now` has no time zone.", cure="Give an aware datetime, such as datetime.now(UTC).")


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the names of the rules it rests on, and what whoever acts on it must also do.

    Where a rule is missing, `because` names the one that would be needed.
    """

    allowed: bool
    because: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is closed: the rule that closes it or would open it, and a sentence for people."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class PurposeTerms:
    """A declared purpose. `parents` are nearest first; `categories` include everything under those it names; `basis` is by region."""

    id: str
    title: str
    parents: tuple[str, ...]
    bit: int
    categories: frozenset[str]
    basis: Mapping[str, str]
    rule: Rule


@dataclass(frozen=True, slots=True)
class CollectTerms:
    """An inlet. `purposes` are the declared ones."""

    id: str
    categories: frozenset[str]
    required: frozenset[str]
    source: str
    purposes: tuple[str, ...]
    attest: tuple[str, ...]
    rule: Rule


@dataclass(frozen=True, slots=True)
class DiscloseTerms:
    """An outlet."""

    id: str
    to: str
    recipient_class: str
    role: Literal["processor", "controller"]
    categories: frozenset[str]
    purposes: tuple[str, ...]
    country: str
    safeguard: str | None
    tell: Literal["before", "after"] | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class RetainTerms:
    """How long something is kept; either `categories` or `records` is empty."""

    id: str
    categories: frozenset[str]
    records: tuple[str, ...]
    keep: Duration
    after: str
    then: Literal["erase", "nullify", "anonymise"]
    rule: Rule


@dataclass(frozen=True, slots=True)
class RightTerms:
    """A right as it stands in one region. `citation` names the law where the clock comes from it, else it is empty."""

    id: str
    kind: str
    within: Duration | None
    extend: Duration | None
    confirm_within: Duration | None
    verify: Verification
    formats: tuple[str, ...]
    channels: tuple[str, ...]
    citation: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class ChoiceTerms:
    """A choice as it stands in one region. `governs` are the declared purposes it moves."""

    id: str
    governs: tuple[str, ...]
    channel: Channel | None
    effective_within: Duration
    rule: Rule


@dataclass(frozen=True, slots=True)
class FenceTerms:
    """A limit of purposes, by provenance. An empty set of sources or categories means any."""

    sources: frozenset[str]
    categories: frozenset[str]
    mask: int
    rule: Rule

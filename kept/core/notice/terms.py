"""The words of a policy: what is asked, what is known of a person, what is answered, and the compiled rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from kept.core.errors import BadInput
from kept.core.notice.durations import Duration
from kept.core.notice.model import Rule
from kept.core.notice.rules import ChangeBody, Channel, ChoiceBody, DiscloseBody, PurposeBody, RightBody, TrackerBody, Verification

BITS = 61
PEOPLE_BIT = 61
"""Set in every fence but of what a limit closes to human readers (`humans`)."""
PEOPLE = 1 << PEOPLE_BIT
EVERYTHING_BIT = 62
EVERYTHING = 1 << EVERYTHING_BIT
UNFENCED = (1 << EVERYTHING_BIT + 1) - 1


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a policy. What is None is not asked about.

    `recipient` is a name or the id of a `disclose` rule, `ground` what was stated or is on file for a disclosure, `tracker` the id of
    a tracker, `record` the kind of record the value stands in.
    """

    purpose: str
    category: str | None = None
    source: str | None = None
    recipient: str | None = None
    channel: str | None = None
    ground: str | None = None
    tracker: str | None = None
    record: str | None = None


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

    The keys of `choices` and the members of `restricted` are ids of choices (`choices` only), purposes, terms above purposes, or
    ``all``; among `choices` also ``disclose:id``, ``tracker:id``, ``sale``, ``sharing`` and ``parental-consent``. `born` is None when
    unknown, and nobody is taken for a child on that account. `agreed` are the purposes, and terms above them, to which they said yes after
    they had them restricted: Article 18(2) GDPR.
    """

    now: datetime
    region: str = ""
    born: date | None = None
    choices: Mapping[str, ChoiceFact] = field(default_factory=dict)
    restricted: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()

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
    """A declared purpose. `parents` are nearest first; `categories` include everything under those it names; `basis` is by region.

    `sources` are the only ones whose data it may use, everything under them included; None where any may serve.
    """

    id: str
    title: str
    parents: tuple[str, ...]
    bit: int
    categories: frozenset[str]
    basis: Mapping[str, str]
    sources: frozenset[str] | None
    body: PurposeBody
    rule: Rule


@dataclass(frozen=True, slots=True)
class CollectTerms:
    """An inlet. `purposes` are the declared ones; `held_by` is the outlet whose recipient takes the data, so that it is never stored."""

    id: str
    categories: frozenset[str]
    required: frozenset[str]
    source: str
    purposes: tuple[str, ...]
    attest: tuple[str, ...]
    occasions: tuple[str, ...]
    held_by: str | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class DiscloseTerms:
    """An outlet. `to` is the recipient's name, or the rule's id where an event or somebody's act decides who it is."""

    id: str
    to: str
    recipient_class: str
    classes: frozenset[str]
    role: Literal["processor", "controller"]
    categories: frozenset[str]
    purposes: tuple[str, ...]
    countries: tuple[str, ...]
    safeguard: str | None
    agreement: str | None
    sale: bool
    share: bool
    needs: str | None
    grounds: frozenset[str]
    tell: Literal["before", "after"] | None
    body: DiscloseBody
    rule: Rule

    @property
    def stated(self) -> frozenset[str]:
        """The grounds, one of which each disclosure states; empty where none is needed."""
        return self.grounds or frozenset({self.needs} - {None, "choice", "consent"})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class TransferTerms:
    """What lets data of residents of `regions` leave them. `allow` maps each mechanism to the last day on which it admits anything new."""

    id: str
    regions: tuple[str, ...]
    to: tuple[str, ...] | None
    allow: Mapping[str, date | None]
    agreement: str | None
    copy: bool
    rule: Rule


@dataclass(frozen=True, slots=True)
class TrackerTerms:
    """A cookie, pixel or script that observes people. `purposes` are the declared ones."""

    id: str
    categories: frozenset[str]
    purposes: tuple[str, ...]
    body: TrackerBody
    rule: Rule


@dataclass(frozen=True, slots=True)
class RetainTerms:
    """How long something is kept; either `categories` or `records` is empty. `keep` is the longest of the lengths named. With `duty` the
    law wants it kept, and an erasure leaves it until then.
    """

    id: str
    categories: frozenset[str]
    records: tuple[str, ...]
    keep: Duration
    after: str
    then: Literal["erase", "nullify", "anonymise"]
    unless: tuple[str, ...]
    duty: bool
    rule: Rule


@dataclass(frozen=True, slots=True)
class RightTerms:
    """A right as it stands in one region. `citation` names the law where the clock comes from it, else it is empty."""

    id: str
    kind: str
    within: Duration | None
    extend: Duration | None
    confirm_within: Duration | None
    verify: tuple[Verification, ...]
    formats: tuple[str, ...]
    channels: tuple[str, ...]
    citation: str
    body: RightBody
    rule: Rule


@dataclass(frozen=True, slots=True)
class ChoiceTerms:
    """A choice as it stands in one region. `governs` are the declared purposes it moves, `moves` the rules of outlets and trackers."""

    id: str
    governs: tuple[str, ...]
    moves: tuple[str, ...]
    channel: Channel | None
    effective_within: Duration
    body: ChoiceBody
    rule: Rule


@dataclass(frozen=True, slots=True)
class FenceTerms:
    """A limit by provenance. An empty set of sources, categories or records means any.

    `mask` holds the purposes it leaves, and `PEOPLE` unless human readers state a ground; `outlets` the ids of the disclosures it
    leaves (None: all), `humans` the grounds, one of which a human reader states (empty: none is needed), `derived` whether it holds for
    what is derived too.
    """

    sources: frozenset[str]
    categories: frozenset[str]
    records: frozenset[str]
    derived: bool
    mask: int
    outlets: frozenset[str] | None
    humans: tuple[str, ...]
    unless: tuple[str, ...]
    rule: Rule

    def about(self, source: str | None, category: str | None, record: str | None = None) -> bool:
        """Whether a value of this provenance stands under it."""
        return (
            (not self.sources or source in self.sources)
            and (not self.categories or category in self.categories)
            and (not self.records or record in self.records)
        )

    def lifted(self, outlet: DiscloseTerms) -> bool:
        """Whether a disclosure stands outside it, by `unless`."""
        legal = outlet.needs in ("legal-order", "reasoned")
        return ("legal-duty" in self.unless and legal) or ("merger" in self.unless and outlet.body.bound_by == "merger")


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """How the notice itself changes."""

    id: str
    body: ChangeBody
    rule: Rule


@dataclass(frozen=True, slots=True)
class GroupTerms:
    """The smallest group that an aggregate of these may show; empty sets mean any."""

    sources: frozenset[str]
    categories: frozenset[str]
    minimum: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class NeverAskTerms:
    """What messages on these channels never ask for."""

    categories: frozenset[str]
    channels: tuple[str, ...]
    rule: Rule

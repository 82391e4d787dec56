"""Who is told of a request, as whom they know the person, and by when they confirm. It only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

from kept.apps.requests import private
from kept.apps.requests.models import Correspondent, Request
from kept.apps.requests.story import outlet_of
from kept.core.errors import BadInput
from kept.core.notice import Policy
from kept.core.notice.durations import Duration
from kept.core.notice.law import PACKS
from kept.core.notice.rules import EVERYBODY
from kept.core.notice.terms import DiscloseTerms, RightTerms
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import fields, ledger, subjects
from kept.platform.privacy.notices import policy_at, policy_of

What = Literal["erase", "correct", "restrict", "lift", "opt-out", "object"]
"""What was done for a person, of which others are told."""
GDPR: frozenset[str] = frozenset({"erase", "correct", "restrict", "lift"})
OWED: Mapping[str, frozenset[str]] = {"gdpr": GDPR, "uk-gdpr": GDPR, "ccpa": frozenset({"erase", "correct", "opt-out"})}
"""What recipients must be told of by each law: Article 19 GDPR; 11 CCR §§ 7022(b), 7023(c), 7026(f)."""
CONFIRMS_WITHIN = Duration.read("10 days")
"""Where neither a recipient's terms nor the notice say."""
NO_RECIPIENT = "authority"
"""The class of those who get data for an inquiry of theirs, and are no recipients: Article 4(9) GDPR."""
TYPES: Mapping[str, str] = {"email": "email", "phone": "phone", "customer-number": "controller_customer_id"}
"""The categories that identify somebody to others, each with its type of identity. OpenDSR has no type for a telephone number."""
_KINDS: Mapping[str, str] = {"email": "email", "phone": "phone", "controller_customer_id": "source"}


def laws(policy: Policy, region: str) -> list[str]:
    """The laws of the notice under which recipients of a resident's data must be told of something."""
    named = (PACKS[name] for name in policy.notice.identity.law if name in OWED)
    return [pack.id for pack in named if pack.entries[0].holds_in(region)]


def owed(policy: Policy, right: RightTerms | None, region: str, what: What) -> bool:
    """Whether recipients must be told: as the notice promises of the right, or by law."""
    promised = right is not None and "recipients" in right.body.tells
    return promised or any(what in OWED[law] for law in laws(policy, region))


def whom(use: Use, request: Request, subject: Subject, what: What) -> list[tuple[str, ...]]:
    """Everybody who is told, each by the rules of the notice that let data go to them: those to whom it went, by the ledger, and
    processors that are declared to get all that is held. `use` is of `rights`.

    Of an opt-out hear those who bought the data or got it for advertising; of an objection those who have it for what it is about.
    """
    policy, at = policy_of(use.account_id), policy_at(use.account_id)
    purposes = {purpose for term in about(request, what) for purpose in policy.opens(term)} if what == "object" else set[str]()
    found: dict[str, list[str]] = {}
    for entry in ledger.story(use, subject.reference, {"disclosure"}):
        header = ledger.header_of(entry)
        then = at(header.at)
        outlet = outlet_of(then, header.rule or "") if then else None
        if header.recipient and header.rule and outlet is not None and _concerns(outlet, what, purposes):
            found.setdefault(header.recipient, []).append(header.rule)
    held = {one.category for one in fields.held(use, subject.pk) if one.value}
    for outlet in _holding_everything(policy, request.data, held):
        if _concerns(outlet, what, purposes):
            found.setdefault(outlet.to, []).append(outlet.rule.name)
    return [tuple(dict.fromkeys(rules)) for rules in found.values()]


def _concerns(outlet: DiscloseTerms, what: What, purposes: Collection[str]) -> bool:
    if NO_RECIPIENT in outlet.classes:
        return False
    if what == "opt-out":
        return outlet.sale or outlet.share
    return not purposes or not set(purposes).isdisjoint(outlet.purposes)


def _holding_everything(policy: Policy, data: str, held: Collection[str]) -> Iterator[DiscloseTerms]:
    """Outlets to named processors that are declared to get every category held of a person: what they store for us is in no ledger."""
    by_name: dict[str, list[DiscloseTerms]] = {}
    for outlet in policy.outlets.values():
        if outlet.role == "processor" and outlet.body.to != EVERYBODY and outlet.body.data == data:
            by_name.setdefault(outlet.to, []).append(outlet)
    for outlets in by_name.values():
        if held and set(held) <= frozenset[str]().union(*(one.categories for one in outlets)):
            yield from outlets


def known_as(use: Use, request: Request, subject: Subject) -> list[tuple[str, str]]:
    """What a person is known by, each as type and normalised value: what we hold, and what the request came from."""
    asked = private.open_private(request)
    named = [(TYPES[one.category], one.value) for one in fields.held(use, subject.pk) if one.category in TYPES]
    named += [("email", asked.email), *((kind, asked.value) for kind, known in _KINDS.items() if known == asked.known_by)]
    found: set[tuple[str, str]] = set()
    for kind, value in named:
        try:
            found |= {(kind, subjects.normalised(_KINDS[kind], value, subject.region))} if value else set()
        except BadInput:  # it came in before it had to be well-formed
            continue
    return sorted(found)


def about(request: Request, what: What) -> list[str]:
    """What it is about, in words of the notice: the categories that were corrected, the purposes that ended; nothing: all."""
    match what:
        case "correct":
            return list(request.decision.get("corrected", ()))
        case "restrict" | "lift":
            return [one for one in request.decision.get("holds", ()) if one != "all"]
        case "object":
            named = private.open_private(request).details.get("purpose", "")
            return [named] if named else ["marketing"] if request.decision.get("ground") == "direct-marketing" else []
    return []


def due(policy: Policy, request: Request, what: What, whose: Correspondent | None, now: datetime) -> datetime:
    """By when a recipient confirms: by their own terms and by the notice's promise, whichever is sooner."""
    lengths = [Duration.read(whose.confirms_within)] if whose is not None else []
    if what in ("opt-out", "object"):
        lengths += [one.body.confirm_within for one in policy.choices(request.region).values() if one.body.confirm_within is not None]
    ending = [one for one in lengths if one.unit != "until withdrawn"] or [CONFIRMS_WITHIN]
    return min(day for one in ending if (day := one.after(now, request.region)) is not None)

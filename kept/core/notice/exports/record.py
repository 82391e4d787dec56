"""The record of processing activities (Article 30 GDPR), generated from the notice: (1) as controller, (2) as processor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kept.core.notice.declared import (
    MECHANISMS,
    bases_of,
    basis_title,
    inlets_for,
    is_ours,
    length,
    outlets_for,
    people_of,
    recipient,
    retention_of,
    title,
    titles,
    tops,
)
from kept.core.notice.policy import Policy
from kept.core.notice.rules import RoleBody, SecureBody, pick
from kept.core.notice.terms import DiscloseTerms, PurposeTerms

FORMAT = "kept-record-1"


@dataclass(frozen=True, slots=True)
class Receiving:
    """A recipient. `countries` are ISO 3166 codes, empty where an event decides who it is; `safeguard` what protects a transfer abroad."""

    rule: str
    name: str
    recipient_class: str
    role: Literal["processor", "controller"]
    countries: tuple[str, ...]
    safeguard: str
    agreement: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing activity: a purpose. `bases` are by region; as processor the instructions of the controller stand in their place."""

    rule: str
    title: str
    role: Literal["controller", "processor"]
    bases: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    categories: tuple[str, ...]
    special: tuple[str, ...]
    sources: tuple[str, ...]
    recipients: tuple[Receiving, ...]
    retention: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The whole record. `transfers` are the mechanisms under which data may leave a region."""

    controller: str
    contact: str
    authority: str
    dated: str
    activities: tuple[Activity, ...]
    transfers: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def recipients(self) -> tuple[Receiving, ...]:
        """Every recipient once."""
        return tuple(dict.fromkeys(one for activity in self.activities for one in activity.recipients))


def record(policy: Policy) -> Record:
    """The record of processing that a policy declares."""
    identity = policy.notice.identity
    return Record(
        controller=identity.controller,
        contact=identity.address,
        authority=pick(identity.authority, "") or "",
        dated=identity.effective.isoformat(),
        activities=tuple(_activity(policy, one) for one in policy.purposes.values()),
        transfers=tuple(_transfers(policy)),
        measures=tuple(measures(policy)),
    )


def document(policy: Policy) -> dict[str, Any]:
    """The record as JSON has it."""
    return {"format": FORMAT} | asdict(record(policy))


def receiving(policy: Policy, outlet: DiscloseTerms) -> Receiving:
    """A recipient as the record names it."""
    kind = title(policy, "recipient", outlet.recipient_class)
    return Receiving(
        outlet.rule.name,
        recipient(policy, outlet),
        kind,
        outlet.role,
        outlet.countries,
        MECHANISMS.get(outlet.safeguard or "", ""),
        outlet.agreement or "",
    )


def _role(policy: Policy, purpose: PurposeTerms) -> Literal["controller", "processor"]:
    """What we are for the data of a purpose: as the `role` rule of its regime says."""
    said = (body.is_ for _, body in policy.roles if isinstance(body, RoleBody) and body.data == purpose.rule.body.data)
    return next(said, "controller" if is_ours(purpose) else "processor")


def _activity(policy: Policy, purpose: PurposeTerms) -> Activity:
    categories = tops(policy, "category", purpose.categories)
    terms = policy.notice.vocabulary["category"]
    return Activity(
        rule=purpose.rule.name,
        title=purpose.title,
        role=_role(policy, purpose),
        bases=tuple((region, basis_title(basis)) for region, basis in bases_of(purpose)),
        people=tuple(one.title for one in people_of(policy, purpose)),
        categories=titles(policy, "category", categories),
        special=titles(
            policy, "category", (one for one in tops(policy, "category", [c for c in purpose.categories if terms[c].sensitive]))
        ),
        sources=titles(policy, "source", (one.source for one in inlets_for(policy, purpose))),
        recipients=tuple(receiving(policy, one) for one in outlets_for(policy, purpose.id)),
        retention=tuple(dict.fromkeys(length(policy, one) for one in retention_of(policy, purpose.categories, ours=is_ours(purpose)))),
    )


def _transfers(policy: Policy) -> Iterator[str]:
    for transfer in policy.transfers:
        ways = ", ".join(MECHANISMS[by] + (f" (until {until})" if until else "") for by, until in transfer.allow.items())
        to = f" to {', '.join(transfer.to)}" if transfer.to else ""
        under = f", under “{transfer.agreement}”" if transfer.agreement else ""
        yield f"Out of {', '.join(transfer.regions)}{to}: by {ways}{under}."


def measures(policy: Policy) -> Iterator[str]:
    """The technical and organisational measures that the notice names (Article 32 GDPR)."""
    for _, body in policy.notice.saying(SecureBody):
        if body.seal:
            sealed = titles(policy, "category", body.seal)
            yield f"Sealed under each person's own key: {', '.join(one[:1].lower() + one[1:] for one in sealed)}."
        if body.tls:
            yield "Data travels encrypted only."
        if body.sign_in:
            yield f"Accounts are protected by: {', '.join(body.sign_in)}."
        if body.staff:
            asked = {
                "verify_first": "the caller is verified first",
                "need": "a business need is stated",
                "second_factor": "a second factor is used",
            }
            yield f"Staff see data only where {', '.join(text for name, text in asked.items() if getattr(body.staff, name))}."
        if body.grants:
            yield "Access that customers grant is limited in scope and time."
        yield from (f"{one.text} ({one.owner}, reviewed {one.reviewed:%Y-%m-%d})" for one in body.measures)

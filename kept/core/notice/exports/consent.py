"""One person's choices as a consent receipt: the fields of ISO/IEC TS 27560:2023 under their names there, as JSON-LD by the mapping of
the guide https://w3id.org/dpv/guides/consent-27560.

A receipt here is a copy of the whole record. Beside consent it tells what else a person decides: objection, opt-out, restriction, and
agreement to a version of the notice. What a notice does not state is left out: contacts of recipients, and places of storage other than
the countries of processors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kept.core.notice.declared import is_ours, length, outlets_for, recipient, retention_of, title, tops
from kept.core.notice.exports import dpv
from kept.core.notice.policy import Policy
from kept.core.notice.rules import pick
from kept.core.notice.terms import DiscloseTerms, PurposeTerms, RightTerms
from kept.core.notice.vocabulary import BASES

SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#receipt-record"
Kind = Literal["consent", "objection", "opt-out", "restriction", "acceptance"]
State = Literal["given", "withdrawn", "objected", "opted-out", "restricted", "lifted", "accepted"]
TYPES: Mapping[Kind, str] = {
    "consent": "dpv:Consent",
    "objection": "dpv:ObjectingToProcess",
    "opt-out": "dpv:OptingOutFromProcess",
    "restriction": "dpv:EntityInvolvement",
    "acceptance": "dpv:EntityInvolvement",
}
CONTEXT: Mapping[str, Any] = {
    **dpv.CONTEXT,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema_version": {"@id": "dct:conformsTo", "@type": "@id"},
    "record_id": "dct:identifier",
    "pii_principal_id": "dpv:hasDataSubject",
    "issued": "dct:issued",
    "language": "dct:language",
    "jurisdiction": {"@id": "dpv:hasJurisdiction", "@type": "@id"},
    "privacy_notice": "dpv:hasNotice",
    "version": "dct:hasVersion",
    "digest": "dct:identifier",
    "pii_controllers": {"@id": "dpv:hasDataController", "@type": "@id"},
    "parties": "dpv:hasEntity",
    "party_id": "@id",
    "party_role": "@type",
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "countries": {"@id": "dpv:hasCountry", "@type": "@id"},
    "authority_party": {"@id": "dpv:hasAuthority", "@type": "@id"},
    "purposes": "dpv:hasProcess",
    "purpose": "dct:title",
    "purpose_type": "dpv:hasPurpose",
    "title": "dct:title",
    "lawful_basis": "dpv:hasLegalBasis",
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "@type",
    "recipient_third_parties": {"@id": "dpv:hasRecipient", "@type": "@id"},
    "storage_locations": {"@id": "dpv:hasLocation", "@type": "@id"},
    "retention_period": "dpv:hasStorageCondition",
    "withdrawal_method": "dpv:hasConsentControl",
    "privacy_rights": "dpv:hasRight",
    "exercised_at": {"@id": "dpv:isExercisedAt", "@type": "@id"},
    "within": "dpv:hasDuration",
    "events": "dpv:hasConsentStatus",
    "event_time": "dpv:isIndicatedAtTime",
    "event_type": "@type",
    "event_state": "@type",
    "entity_id": "dpv:isIndicatedBy",
    "validity_duration": "dpv:hasDuration",
    "indication_method": "dpv:hasIndicationMethod",
    "value": "rdf:value",
    "given": "dpv:ConsentGiven",
    "withdrawn": "dpv:ConsentWithdrawn",
    "objected": "dpv:ObjectingToProcess",
    "opted-out": "dpv:OptingOutFromProcess",
    "restricted": "dpv:EntityInvolvement",
    "lifted": "dpv:EntityInvolvement",
    "accepted": "dpv:EntityInvolvement",
}
"""The names of the technical specification, with what each is in the Data Privacy Vocabulary."""
PLAIN = frozenset({"permitted", "about", "rule", "request"})
"""Members that have no name there, for readers of plain JSON."""
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the notice: its number, the SHA-256 of its text in hex, and what it says."""

    number: int
    digest: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom it is about: by random reference only, where they live, and their mask."""

    reference: str
    region: str
    permits: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something the person decided, at a time (aware). `about` is a purpose or what else a choice moves, or the notice; `until` when it
    ends by itself; `method` how it was expressed, in words.
    """

    at: datetime
    kind: Kind
    state: State
    about: str
    until: datetime | None
    rule: str | None
    request: str | None
    method: str


def document(
    versions: Sequence[Version],
    principal: Principal,
    events: Sequence[Event],
    rights: Iterable[RightTerms],
    *,
    record_id: str,
    issued: datetime,
    notice: str,
    choices: str,
) -> Node:
    """The receipt. `versions` are the one that the person is under and, where it is another, the one in force; of the latter only what
    they decided on counts. `rights` are theirs; `notice` is where the notice is published, and `choices` where choices are changed.
    """
    writer = _Writer(versions, principal, notice, choices)
    purposes = list(writer.purposes({one.about for one in events}))
    authority = writer.authority()
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{record_id}",
        "@type": "dpv:ConsentReceipt",
        "schema_version": SCHEMA,
        "record_id": record_id,
        "issued": _time(issued),
        "pii_principal_id": principal.reference,
        "jurisdiction": f"loc:{principal.region}" if principal.region else None,
        "language": list(writer.identity.languages),
        "privacy_notice": [{"@id": notice, "@type": "dpv:PrivacyNotice", "version": one.number, "digest": one.digest} for one in versions],
        "pii_controllers": [writer.ref("controller")],
        "parties": [writer.controller(), *authority, *writer.recipients(purposes)],
        "authority_party": [one["party_id"] for one in authority],
        "purposes": [writer.purpose(policy, terms) for policy, terms in purposes],
        "withdrawal_method": {"@type": "dpv:WithdrawConsent", "exercised_at": choices},
        "privacy_rights": [writer.right(one) for one in rights],
        "events": [writer.event(one) for one in sorted(events, key=lambda one: one.at)],
    }


class _Writer:
    def __init__(self, versions: Sequence[Version], principal: Principal, notice: str, choices: str) -> None:
        self.policies = [one.policy for one in versions]
        self.identity = self.policies[0].notice.identity
        self.principal, self.notice, self.choices = principal, notice, choices

    def ref(self, name: str) -> str:
        """What the notice speaks of, as the published JSON-LD of the notice names it."""
        return f"{self.notice}#{name}"

    def controller(self) -> Node:
        post = [one.value for one in self.identity.contact if one.via == "post"]
        return {
            "party_id": self.ref("controller"),
            "party_role": "dpv:DataController",
            "party_name": self.identity.controller,
            "party_address": post[0] if post else self.identity.controller,
            "party_contact": [f"{one.via}: {one.value}" for one in self.identity.contact],
        }

    def authority(self) -> list[Node]:
        name = pick(self.identity.authority, self.principal.region)
        return [{"party_id": self.ref("authority"), "party_role": "dpv:DataProtectionAuthority", "party_name": name}] if name else []

    def purposes(self, decided: set[str]) -> Iterator[tuple[Policy, PurposeTerms]]:
        """Those of our own data: what customers keep with us is theirs to account for."""
        theirs, *others = self.policies
        yield from ((theirs, one) for one in theirs.purposes.values() if is_ours(one))
        for policy in others:
            yield from ((policy, one) for one in policy.purposes.values() if one.id in decided - theirs.purposes.keys() and is_ours(one))

    def recipients(self, purposes: Iterable[tuple[Policy, PurposeTerms]]) -> list[Node]:
        found = {outlet.id: self.recipient(policy, outlet) for policy, terms in purposes for outlet in outlets_for(policy, terms.id)}
        return list(found.values())

    def recipient(self, policy: Policy, outlet: DiscloseTerms) -> Node:
        return {
            "party_id": self.ref(outlet.rule.name),
            "party_role": "dpv:DataProcessor" if outlet.role == "processor" else "dpv:ThirdParty",
            "party_name": recipient(policy, outlet),
            "countries": [f"loc:{one}" for one in outlet.countries],
        }

    def purpose(self, policy: Policy, terms: PurposeTerms) -> Node:
        basis = policy.basis(terms.id, self.principal.region)
        words, outlets = policy.notice.vocabulary, outlets_for(policy, terms.id)
        stored = {country for one in outlets if one.role == "processor" for country in one.countries}
        return {
            "@id": self.ref(terms.rule.name),
            "@type": "dpv:PersonalDataHandling",
            "purpose": terms.title,
            "purpose_type": {"@type": words["purpose"][terms.id].dpv},
            "lawful_basis": {"@type": BASES[basis].dpv, "title": BASES[basis].title} if basis else None,
            "permitted": bool(self.principal.permits >> terms.bit & 1),
            "pii_information": [
                {"@id": self.ref(f"category:{one}"), "pii_type": words["category"][one].dpv, "title": words["category"][one].title}
                for one in tops(policy, "category", terms.categories)
            ],
            "recipient_third_parties": [self.ref(one.rule.name) for one in outlets],
            "storage_locations": [f"loc:{one}" for one in sorted(stored)],
            "retention_period": [length(policy, one) for one in retention_of(policy, terms.categories)],
        }

    def right(self, right: RightTerms) -> Node:
        return {
            "@type": dpv.right_type(self.policies[0], right.kind),
            "title": right.kind.replace("-", " "),
            "within": str(right.within) if right.within else None,
            "exercised_at": self.choices,
        }

    def event(self, event: Event) -> Node:
        ends = {"@type": "dpv:UntilEventDuration", "value": "until the person decides otherwise"}
        return {
            "event_time": _time(event.at),
            "event_type": TYPES[event.kind],
            "event_state": event.state,
            "entity_id": self.principal.reference,
            "about": event.about,
            "title": self.title(event.about),
            "validity_duration": {"@type": "dpv:UntilTimeDuration", "value": _time(event.until)} if event.until else ends,
            "indication_method": event.method,
            "rule": event.rule,
            "request": event.request,
        }

    def title(self, about: str) -> str:
        known = next((policy for policy in self.policies if about in policy.purposes), self.policies[0])
        return title(known, "purpose", about) if about in known.notice.vocabulary["purpose"] else about


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

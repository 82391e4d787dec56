"""A notice as JSON-LD in the W3C Data Privacy Vocabulary, version 2.2 (https://w3id.org/dpv), with its extensions for personal data
(``pd``), the GDPR (``eu-gdpr``) and places (``loc``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kept.core.notice.declared import bases_of, inlets_for, length, outlets_for, people_of, recipient, retention_of, titles, tops
from kept.core.notice.policy import Policy
from kept.core.notice.rules import DEFAULT, SecureBody
from kept.core.notice.terms import DiscloseTerms, PurposeTerms, RetainTerms, RightTerms
from kept.core.notice.vocabulary import BASES, Tree

CONTEXT: Mapping[str, str] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
}
GDPR = ("gdpr", "uk-gdpr")
RIGHTS: Mapping[str, str] = {
    "access": "eu-gdpr:A15",
    "correct": "eu-gdpr:A16",
    "erase": "eu-gdpr:A17",
    "restrict": "eu-gdpr:A18",
    "portability": "eu-gdpr:A20",
    "object": "eu-gdpr:A21",
    "withdraw": "eu-gdpr:A7-3",
    "complain": "eu-gdpr:A77",
}
"""The articles of the GDPR that our rights are; those of other laws are `dpv:DataSubjectRight`."""
SAFEGUARDS: Mapping[str, str] = {
    "adequacy": "eu-gdpr:A45-3",
    "dpf": "eu-gdpr:A45-3",
    "scc": "eu-gdpr:A46-2-c",
    "bcr": "eu-gdpr:A46-2-b",
    "consent": "eu-gdpr:A49-1-a",
}
"""The legal bases of transfers; the Privacy Shield and unnamed derogations have none in force to name."""
Node = dict[str, Any]


def document(policy: Policy, address: str) -> Node:
    """The JSON-LD document. `address` is where the notice is published; what it speaks of is named by fragments of it."""
    writer = _Writer(policy, address)
    return {"@context": dict(CONTEXT), "@graph": [writer.notice(), *writer.nodes()]}


def right_type(policy: Policy, kind: str) -> str:
    """The class of a right: the article of the GDPR where the notice is under it."""
    gdpr = not set(GDPR).isdisjoint(policy.notice.identity.law)
    return RIGHTS.get(kind, "dpv:DataSubjectRight") if gdpr else "dpv:DataSubjectRight"


class _Writer:
    def __init__(self, policy: Policy, address: str) -> None:
        self.policy, self.address = policy, address

    def ref(self, *names: str) -> list[Node]:
        return [{"@id": f"{self.address}#{name}"} for name in names]

    def node(self, name: str, types: Iterable[str], title: str, **more: Any) -> Node:
        """A node with an address of its own; what is empty is left out."""
        said = {"@id": f"{self.address}#{name}", "@type": list(types), "dct:title": title}
        return said | {key: value for key, value in more.items() if value}

    def term(self, tree: Tree, one: str) -> str:
        return self.policy.notice.vocabulary[tree][one].dpv

    def notice(self) -> Node:
        notice = self.policy.notice
        return {
            "@id": self.address,
            "@type": ["dpv:PrivacyNotice"],
            "dct:title": notice.title,
            "dct:language": list(notice.identity.languages),
            "dct:issued": notice.identity.effective.isoformat(),
            "dpv:hasDataController": self.ref("controller"),
            "dpv:hasProcess": self.ref(*(one.rule.name for one in self.policy.purposes.values())),
            "dpv:hasRight": self.ref(*(one.rule.anchor for one in self.rights())),
            "dpv:hasTechnicalMeasure": [{"@type": [one]} for one in self.measures()],
        }

    def nodes(self) -> Iterator[Node]:
        identity = self.policy.notice.identity
        contacts = [f"{one.via}: {one.value}" for one in identity.contact]
        yield self.node(
            "controller", ["dpv:DataController"], identity.controller, **{"dpv:hasName": identity.controller, "dpv:hasContact": contacts}
        )
        for purpose in self.policy.purposes.values():
            yield self.process(purpose)
        for category in self.categories():
            yield self.node(f"category:{category}", [self.term("category", category)], titles(self.policy, "category", [category])[0])
        for outlet in self.policy.outlets.values():
            yield self.recipient(outlet)
        for retain in self.policy.retains:
            yield self.storage(retain)
        for right in self.rights():
            yield self.right(right)

    def categories(self) -> tuple[str, ...]:
        """Every category that some process names."""
        named = {one for purpose in self.policy.purposes.values() for one in tops(self.policy, "category", purpose.categories)}
        return tuple(one for one in self.policy.notice.vocabulary["category"].all if one in named)

    def process(self, purpose: PurposeTerms) -> Node:
        """A purpose, with what it reads, on which basis, of whom, and where it goes."""
        categories = tops(self.policy, "category", purpose.categories)
        retained = retention_of(self.policy, purpose.categories, ours=purpose.rule.body.data == "own")
        sources = dict.fromkeys(one.source for one in inlets_for(self.policy, purpose))
        more = {
            "dpv:hasPurpose": [{"@type": [self.term("purpose", purpose.id)], "dct:title": purpose.title}],
            "dpv:hasPersonalData": self.ref(*(f"category:{one}" for one in categories)),
            "dpv:hasLegalBasis": list(self.bases(purpose)),
            "dpv:hasDataSubject": [{"@type": [one.dpv], "dct:title": one.title} for one in people_of(self.policy, purpose)],
            "dpv:hasDataSource": [
                {"@type": [self.term("source", one)], "dct:title": titles(self.policy, "source", [one])[0]} for one in sources
            ],
            "dpv:hasRecipient": self.ref(*(one.rule.name for one in outlets_for(self.policy, purpose.id))),
            "dpv:hasStorageCondition": self.ref(*(one.rule.name for one in retained)),
        }
        return self.node(purpose.rule.name, ["dpv:PersonalDataHandling"], purpose.title, **more)

    def bases(self, purpose: PurposeTerms) -> Iterator[Node]:
        for region, basis in bases_of(purpose):
            said: Node = {"@type": [BASES[basis].dpv], "dct:title": BASES[basis].title}
            yield said if region == DEFAULT else said | {"dpv:hasJurisdiction": {"@id": f"loc:{region}"}}

    def recipient(self, outlet: DiscloseTerms) -> Node:
        kind = self.term("recipient", outlet.recipient_class)
        role = "dpv:DataProcessor" if outlet.role == "processor" else "dpv:DataController"
        more = {
            "dpv:hasName": recipient(self.policy, outlet),
            "dpv:hasCountry": [{"@id": f"loc:{one}"} for one in outlet.countries],
            "dpv:hasLegalBasis": [{"@type": [basis]} for by, basis in SAFEGUARDS.items() if by == outlet.safeguard],
        }
        return self.node(outlet.rule.name, dict.fromkeys(["dpv:Recipient", kind, role]), recipient(self.policy, outlet), **more)

    def storage(self, retain: RetainTerms) -> Node:
        said = length(self.policy, retain)
        kind = "dpv:UntilEventDuration" if retain.keep.unit == "until withdrawn" else "dpv:TemporalDuration"
        return self.node(retain.rule.name, ["dpv:StorageCondition"], said, **{"dpv:hasDuration": [{"@type": [kind], "dct:title": said}]})

    def rights(self) -> tuple[RightTerms, ...]:
        """Every right of every region, once for each rule."""
        offered = {one.rule.anchor: one for region in self.policy.regions.values() for one in region.offered}
        return tuple(offered.values())

    def right(self, right: RightTerms) -> Node:
        where = {"dpv:hasJurisdiction": [{"@id": f"loc:{right.rule.region}"}]} if right.rule.region else {}
        return self.node(right.rule.anchor, [right_type(self.policy, right.kind)], right.kind.replace("-", " "), **where)

    def measures(self) -> tuple[str, ...]:
        """What is stated of `secure` in terms of the vocabulary."""
        bodies = [body for _, body in self.policy.notice.saying(SecureBody)]
        found = {"dpv:EncryptionAtRest": any(one.seal for one in bodies), "dpv:EncryptionInTransfer": any(one.tls for one in bodies)}
        signed = {"dpv:PasswordAuthentication": "password", "dpv:MultiFactorAuthentication": "second-factor"}
        found |= {term: any(word in one.sign_in for one in bodies) for term, word in signed.items()}
        return tuple(term for term, there in found.items() if there)

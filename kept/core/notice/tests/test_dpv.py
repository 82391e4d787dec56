"""The export in the Data Privacy Vocabulary, held against the names that the vocabulary publishes (dpv.toml)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kept.core.notice import Policy, compile, parse
from kept.core.notice.declared import PEOPLE
from kept.core.notice.exports import dpv
from kept.core.notice.vocabulary import BASE, BASES, FILES

NOTICES = sorted(path.parent.name for path in (Path(__file__).parents[4] / "notices").glob("*/notice.md"))
PUBLISHED = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("dpv.toml").read_text(encoding="utf-8")).items()
}
OBJECTS = {
    "dpv:hasDataController": "entity",
    "dpv:hasProcess": "process",
    "dpv:hasRight": "right",
    "dpv:hasTechnicalMeasure": "measure",
    "dpv:hasPurpose": "purpose",
    "dpv:hasPersonalData": "data",
    "dpv:hasLegalBasis": "legal_basis",
    "dpv:hasDataSubject": "entity",
    "dpv:hasDataSource": "source",
    "dpv:hasRecipient": "entity",
    "dpv:hasStorageCondition": "storage",
    "dpv:hasDuration": "storage",
}
"""What may stand behind each property: a class of this family."""
TREES = {"category": "data", "purpose": "purpose", "source": "source", "recipient": "entity"}


def policy_of(name: str) -> Policy:
    return compile(parse((Path(__file__).parents[4] / "notices" / name / "notice.md").read_text(encoding="utf-8")))


def test_every_term_that_the_vocabulary_maps_to_is_published() -> None:
    known = frozenset().union(*PUBLISHED.values())
    used = {f"{tree} {term.id}": term.dpv for tree in FILES for term in BASE[tree].all.values()} | {
        one.id: one.dpv for one in PEOPLE.values()
    }
    assert {name: term for name, term in used.items() if term not in known} == {}


@pytest.mark.parametrize("tree", TREES)
def test_a_term_is_mapped_to_a_class_of_its_kind(tree: Any) -> None:
    wrong = {term.id: term.dpv for term in BASE[tree].all.values() if term.dpv not in PUBLISHED[TREES[tree]]}
    assert wrong == {}
    assert {basis.dpv for basis in BASES.values()} <= PUBLISHED["legal_basis"]


def faults(document: dict[str, Any]) -> list[str]:
    """Everything in a document that the vocabulary does not know, or not in this place."""
    nodes = {node["@id"]: node for node in document["@graph"]}
    found: list[str] = []
    classes = frozenset().union(*(terms for name, terms in PUBLISHED.items() if name != "properties")) | {"dpv:PrivacyNotice"}

    def look(node: dict[str, Any]) -> None:
        found.extend(f"no class {one}" for one in node["@type"] if one not in classes)
        for key, values in node.items():
            if key.startswith("dpv:") and key not in PUBLISHED["properties"]:
                found.append(f"no property {key}")
            for value in values if isinstance(values, list) and key.startswith("dpv:") else ():
                if isinstance(value, dict) and not value.get("@id", "").startswith("loc:"):
                    inner = value if "@type" in value else nodes.get(value["@id"])
                    if inner is None:
                        found.append(f"{key} leads nowhere: {value}")
                    elif not PUBLISHED[OBJECTS[key]].intersection(inner["@type"]):
                        found.append(f"{key} holds {inner['@type']}")
                    if "@type" in value:
                        look(value)

    for node in document["@graph"]:
        look(node)
    return found


@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_is_written_in_published_terms(name: str) -> None:
    policy = policy_of(name)
    document = dpv.document(policy, f"https://{name}.example/notice/")
    assert faults(document) == []
    assert document["@graph"][0]["@type"] == ["dpv:PrivacyNotice"]
    ids = [node["@id"] for node in document["@graph"]]
    assert len(ids) == len(set(ids))
    handled = [node for node in document["@graph"] if node["@type"] == ["dpv:PersonalDataHandling"]]
    assert [node["@id"].partition("#")[2] for node in handled] == [one.rule.name for one in policy.purposes.values()]
    assert all(node["dpv:hasLegalBasis"] and node["dpv:hasPersonalData"] for node in handled)
    assert json.loads(json.dumps(document)) == document


def test_the_check_finds_what_is_not_published() -> None:
    document = dpv.document(policy_of("larch"), "https://larch.example/notice/")
    handled = next(node for node in document["@graph"] if node["@type"] == ["dpv:PersonalDataHandling"])
    handled["dpv:hasPurpose"] = [{"@type": ["dpv:Astrology"]}]
    handled["dpv:hasMagic"] = []
    handled["dpv:hasLegalBasis"] = [{"@type": ["dpv:Marketing"]}]
    assert faults(document) == [
        "dpv:hasPurpose holds ['dpv:Astrology']",
        "no class dpv:Astrology",
        "dpv:hasLegalBasis holds ['dpv:Marketing']",
        "no property dpv:hasMagic",
    ]


def test_what_the_example_says() -> None:
    document = dpv.document(policy_of("larch"), "https://larch.example/notice/")
    nodes = {node["@id"].partition("#")[2]: node for node in document["@graph"]}
    news = nodes["purpose:direct-marketing"]
    assert news["dpv:hasPurpose"][0]["@type"] == ["dpv:DirectMarketing"]
    assert [one["@type"] for one in news["dpv:hasLegalBasis"][:1]] == [["dpv:Consent"]]
    assert {one["dpv:hasJurisdiction"]["@id"] for one in news["dpv:hasLegalBasis"][1:]} == {"loc:US", "loc:US-CA"}
    assert {"@id": "https://larch.example/notice/#category:email"} in news["dpv:hasPersonalData"]
    assert nodes["category:email"]["@type"] == ["pd:EmailAddress"]
    assert any(node["@type"] == ["eu-gdpr:A17"] for node in nodes.values())

"""The consent receipt: the fields of ISO/IEC TS 27560, each with its name in the Data Privacy Vocabulary (dpv.toml)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from kept.core.ledger import encode
from kept.core.notice import Policy, compile, parse
from kept.core.notice.exports import consent
from kept.core.notice.terms import EVERYTHING
from kept.core.notice.tests.test_dpv import NOTICES, PUBLISHED, policy_of

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DANA = "da" * 16
NOTICE, CHOICES = "https://larch.example/notice/", "https://larch.example/privacy/"
RECORD = "0f8a6a3e-5a0c-4f7e-9c51-3a2b4f1d6e77"
MANDATORY = {"schema_version", "record_id", "pii_principal_id", "privacy_notice", "language", "pii_controllers", "parties", "purposes"}
MANDATORY |= {"withdrawal_method", "jurisdiction", "events"}
OF_A_PURPOSE = {"purpose", "purpose_type", "lawful_basis", "pii_information", "recipient_third_parties", "storage_locations"}
OF_AN_EVENT = {"event_time", "event_type", "event_state", "entity_id", "validity_duration"}


def event(minute: int, kind: consent.Kind, state: consent.State, about: str = "direct-marketing", **more: Any) -> consent.Event:
    fields = {"until": None, "rule": "choice:marketing-mail", "request": None, "method": "by themselves"} | more
    return consent.Event(AT + timedelta(minutes=minute), kind, state, about, **fields)


EVENTS = [
    event(3, "objection", "objected", "analytics", rule="purpose:analytics"),
    event(1, "consent", "given", until=AT + timedelta(days=365)),
    event(2, "consent", "withdrawn"),
]


def made(*policies: Policy, region: str = "GB", events: Any = EVENTS, permits: int = EVERYTHING) -> dict[str, Any]:
    versions = [consent.Version(number, f"{number:064x}", policy) for number, policy in enumerate(policies, 1)]
    principal, rights = consent.Principal(DANA, region, permits), policies[0].rights(region).values()
    return consent.document(
        versions, principal, events, rights, record_id=RECORD, issued=AT + timedelta(days=1), notice=NOTICE, choices=CHOICES
    )


def test_the_mandatory_fields_are_there_and_it_can_be_signed() -> None:
    receipt = made(policy_of("larch"))
    assert {key for key, value in receipt.items() if value} >= MANDATORY
    assert (receipt["record_id"], receipt["@id"], receipt["pii_principal_id"]) == (RECORD, f"urn:uuid:{RECORD}", DANA)
    assert receipt["privacy_notice"] == [{"@id": NOTICE, "@type": "dpv:PrivacyNotice", "version": 1, "digest": f"{1:064x}"}]
    assert receipt["withdrawal_method"] == {"@type": "dpv:WithdrawConsent", "exercised_at": CHOICES}
    assert {one["title"] for one in receipt["privacy_rights"]} >= {"access", "erase", "object"}
    assert all(set(one) >= OF_A_PURPOSE for one in receipt["purposes"])
    assert json.loads(encode(receipt)) == receipt


def test_the_events_stand_in_their_order_with_what_ends_them() -> None:
    events = made(policy_of("larch"))["events"]
    assert all(set(one) >= OF_AN_EVENT for one in events)
    assert {one["entity_id"] for one in events} == {DANA}
    assert [(one["event_time"], one["event_type"], one["event_state"], one["title"]) for one in events] == [
        ("2026-03-02T09:01:00.000000Z", "dpv:Consent", "given", "Direct marketing"),
        ("2026-03-02T09:02:00.000000Z", "dpv:Consent", "withdrawn", "Direct marketing"),
        ("2026-03-02T09:03:00.000000Z", "dpv:ObjectingToProcess", "objected", "Analytics"),
    ]
    assert events[0]["validity_duration"] == {"@type": "dpv:UntilTimeDuration", "value": "2027-03-02T09:00:00.000000Z"}
    assert events[1]["validity_duration"]["@type"] == "dpv:UntilEventDuration"


def test_purposes_say_their_basis_data_recipients_and_time_and_whether_they_are_open() -> None:
    policy = policy_of("larch")
    open_to = 1 << policy.bits["customer-relations"]
    purposes = {one["@id"].removeprefix(f"{NOTICE}#purpose:"): one for one in made(policy, permits=EVERYTHING | open_to)["purposes"]}
    assert set(purposes) == set(policy.purposes)
    news = purposes["direct-marketing"]
    assert news["lawful_basis"] == {"@type": "dpv:Consent", "title": "Consent"}
    assert {one["title"] for one in news["pii_information"]} == {"Name", "Email address"}
    assert news["retention_period"]
    assert {name for name, one in purposes.items() if one["permitted"]} == {"customer-relations"}
    elsewhere = {one["@id"]: one for one in made(policy, region="US-TX")["purposes"]}
    assert elsewhere[f"{NOTICE}#purpose:direct-marketing"]["lawful_basis"]["title"] == "Until you opt out"


def test_a_purpose_of_the_version_in_force_counts_once_they_decided_on_it() -> None:
    text = policy_of("larch").notice.text
    more = 'We mend the clocks.\n\n```rule\npurpose = "research"\ncategories = ["name"]\nbasis = "consent"\n```\n'
    under, active = compile(parse(text)), compile(parse(f"{text}\n## Clocks\n\n{more}"))
    assert set(active.purposes) - set(under.purposes) == {"research"}

    def told(events: list[consent.Event]) -> set[str]:
        return {one["@id"].rpartition(":")[2] for one in made(under, active, events=events)["purposes"]}

    assert told([]) == set(under.purposes)
    assert told([event(1, "consent", "given", "research")]) == set(active.purposes)
    assert [one["version"] for one in made(under, active)["privacy_notice"]] == [1, 2]


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_makes_one_in_published_terms_whose_references_lead_somewhere(name: str) -> None:
    policy = policy_of(name)
    for region in ("", *policy.notice.regions()):
        receipt = made(policy, region=region)
        assert encode(receipt)
        assert receipt["jurisdiction"] == (f"loc:{region}" if region else None)
        parties = [one["party_id"] for one in receipt["parties"]]
        assert len(parties) == len(set(parties))
        wanted = {*receipt["pii_controllers"], *receipt["authority_party"]}
        assert set(parties) == wanted.union(*(one["recipient_third_parties"] for one in receipt["purposes"]))
        assert unknown(receipt) == set()


def test_every_member_and_every_state_has_a_name_in_the_context_or_is_said_to_be_plain() -> None:
    receipt = made(policy_of("larch"))
    assert set(get_args(consent.State)) <= consent.CONTEXT.keys()
    assert {one for one in members({**receipt, "@context": None}) if not one.startswith("@")} <= consent.CONTEXT.keys() | consent.PLAIN
    assert members(receipt["events"]) >= {"about", "rule", "request"}


def members(value: Any) -> set[str]:
    """The names of every member in a document."""
    if isinstance(value, dict):
        return set(value).union(*(members(one) for one in value.values()))
    return set().union(*(members(one) for one in value)) if isinstance(value, list) else set()


def unknown(value: Any) -> set[str]:
    """The terms in a document that the vocabulary does not publish."""
    known = frozenset().union(*PUBLISHED.values()) | {"dpv:PrivacyNotice"}
    if isinstance(value, dict):
        return set().union(*(unknown(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(unknown(one) for one in value))
    return {value} - known if isinstance(value, str) and value.startswith(("dpv:", "pd:", "eu-gdpr:")) else set()

"""A notice as a manifest of Fides: one organisation, one system with a privacy declaration for each purpose, one for each recipient.

The manifest is a plain mapping. Written as JSON it is YAML too, which is what the tools of Fides read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from kept.core.notice.declared import inlets_for, is_ours, length, outlets_for, people_of, recipient, retention_of, tops
from kept.core.notice.exports.record import measures
from kept.core.notice.policy import Policy
from kept.core.notice.rules import EVERYBODY, TrackerBody
from kept.core.notice.terms import DiscloseTerms, PurposeTerms

TERMS: Mapping[str, Mapping[str, str]] = tomllib.loads(files(__package__).joinpath("fides.toml").read_text(encoding="utf-8"))
"""Our categories, purposes, bases and safeguards, in the words of fideslang's default taxonomy."""
ORGANISATION = "default_organization"
Resource = dict[str, Any]


def manifest(policy: Policy, address: str) -> dict[str, list[Resource]]:
    """The manifest. `address` is where the notice is published."""
    identity, notice = policy.notice.identity, policy.notice
    reach = {{"post": "address"}.get(one.via, one.via): one.value for one in reversed(identity.contact)}
    controller = {"name": identity.controller} | {via: reach[via] for via in ("address", "email", "phone") if via in reach}
    outlets = [one for one in policy.outlets.values() if one.body.to != EVERYBODY]
    abroad = sorted({TERMS["safeguard"][by] for one in outlets if (by := one.safeguard or "") in TERMS["safeguard"]})
    own: Resource = {
        "fides_key": notice.id,
        "organization_fides_key": ORGANISATION,
        "name": notice.title,
        "description": "What the privacy notice declares.",
        "system_type": "Application",
        "privacy_policy": address,
        "legal_name": identity.controller,
        "data_security_practices": " ".join(measures(policy)) or None,
        "does_international_transfers": bool(abroad),
        "legal_basis_for_transfers": abroad,
        "uses_cookies": any(body.cookies for _, body in notice.saying(TrackerBody)),
        "egress": [_flow(policy, one) for one in outlets],
        "ingress": [{"fides_key": "user", "type": "user", "data_categories": _fides(policy, _given(policy))}],
        "privacy_declarations": [_declaration(policy, one) for one in policy.purposes.values()],
    }
    organisation = {"fides_key": ORGANISATION, "name": identity.controller, "controller": controller}
    return {"organization": [organisation], "system": [own, *(_recipient(policy, notice.id, one) for one in outlets)]}


def term(policy: Policy, kind: str, one: str) -> str:
    """A category or purpose in the taxonomy of Fides: its own term, else that of the nearest above it."""
    tree = policy.notice.vocabulary["category" if kind == "category" else "purpose"]
    return next(TERMS[kind][name] for name in (one, *tree.above(one)) if name in TERMS[kind])


def _fides(policy: Policy, categories: Iterable[str]) -> list[str]:
    return sorted({term(policy, "category", one) for one in tops(policy, "category", frozenset(categories))})


def _given(policy: Policy) -> frozenset[str]:
    """What comes in from people themselves."""
    own = policy.notice.vocabulary["source"].under("subject", "automatic")
    return frozenset().union(*(one.categories for one in policy.collects if one.source in own))


def _flow(policy: Policy, outlet: DiscloseTerms) -> Resource:
    return {"fides_key": _key(policy, outlet), "type": "system", "data_categories": _fides(policy, outlet.categories)}


def _key(policy: Policy, outlet: DiscloseTerms) -> str:
    return f"{policy.notice.id}.{outlet.id}"


def _recipient(policy: Policy, source: str, outlet: DiscloseTerms) -> Resource:
    """A recipient as a system of its own, which receives from ours."""
    return {
        "fides_key": _key(policy, outlet),
        "organization_fides_key": ORGANISATION,
        "name": recipient(policy, outlet),
        "description": f"Receives data as {outlet.role}.",
        "system_type": "Third Party",
        "ingress": [{"fides_key": source, "type": "system", "data_categories": _fides(policy, outlet.categories)}],
        "privacy_declarations": [],
    }


def _declaration(policy: Policy, purpose: PurposeTerms) -> Resource:
    outlets = outlets_for(policy, purpose.id)
    ours = is_ours(purpose)
    special = policy.notice.vocabulary["category"]
    shared = frozenset().union(*(one.categories & purpose.categories for one in outlets))
    gdpr = next((region for region in ("EEA", "GB") if region in policy.regions), "")
    named = [_key(policy, one) for one in outlets if one.body.to != EVERYBODY]
    return {
        "name": f"{purpose.title} ({purpose.id})",
        "data_use": term(policy, "purpose", purpose.id),
        "data_categories": _fides(policy, purpose.categories),
        "data_subjects": sorted({one.fides for one in people_of(policy, purpose)}),
        "legal_basis_for_processing": TERMS["basis"].get(policy.basis(purpose.id, gdpr)),
        "retention_period": "; ".join(dict.fromkeys(length(policy, one) for one in retention_of(policy, purpose.categories, ours=ours)))
        or None,
        "processes_special_category_data": any(special[one].sensitive for one in purpose.categories),
        "data_shared_with_third_parties": bool(outlets),
        "third_parties": ", ".join(dict.fromkeys(recipient(policy, one) for one in outlets)) or None,
        "shared_categories": _fides(policy, shared),
        "egress": named or None,
        "ingress": ["user"] if any(one.categories & _given(policy) for one in inlets_for(policy, purpose)) else None,
    }

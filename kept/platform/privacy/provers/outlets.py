"""`disclose`: nothing went out except as the notice says."""

from __future__ import annotations

from kept.core.ledger import Header
from kept.core.notice import Rule
from kept.core.notice.rules import DiscloseBody
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, prover, unproven


def _disclosures(look: Look) -> list[Header]:
    return look.entries("disclosure")


def _fault(look: Look, entry: Header) -> str:
    """What a disclosure did outside the notice of its day; empty where nothing."""
    outlets = look.policy_at(entry.at).recipients.get(entry.recipient or "", ())
    if not outlets:
        return f"went to {entry.recipient or 'nobody named'}, whom the notice does not name"
    outlet = next((one for one in outlets if one.rule.name == entry.rule), None)
    if outlet is None:
        return "named no rule that allows it"
    if entry.purpose not in outlet.purposes:
        return f"was for {entry.purpose or 'no purpose'}, which the rule does not allow"
    beyond = sorted(set(entry.categories) - outlet.categories)
    return f"held {', '.join(beyond)}, which the rule does not allow" if beyond else ""


@prover("disclose")
def disclose(rule: Rule, look: Look) -> Finding:
    """Every disclosure to this recipient names this rule, a purpose and categories within it; none went to somebody unnamed."""
    assert isinstance(rule.body, DiscloseBody)
    query = "Disclosures in the ledger to this recipient, or to any whom the notice does not name: rule, purpose and categories of each."
    known = look.policy.recipients
    own = [one for one in look.once(_disclosures) if one.recipient == rule.body.to or one.recipient not in known or one.rule == rule.name]
    wrong = [f"{entry.at:%Y-%m-%d %H:%M} {fault}" for entry in own if (fault := _fault(look, entry))]
    if wrong:
        said = f"{many(len(wrong), 'disclosure was', 'disclosures were')} outside the notice: one {wrong[0].split(' ', 2)[2]}."
        return broken(len(own), wrong, said, query)
    if not own:
        return unproven(f"Nothing has been given to {rule.body.to}, or to anybody else.", query)
    said = f"{many(len(own), 'disclosure', 'disclosures')} to {rule.body.to}, each within the rule; none to anybody unnamed."
    return kept(len(own), said, query)

"""Rules that say who we are and which words we use: `notice`, `role`, `source`, `category`, and `statement`, which promises nothing."""

from __future__ import annotations

import hashlib

from kept.core.notice import Rule
from kept.core.notice.rules import NoticeBody, RoleBody
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, prover, unproven
from kept.platform.privacy.provers.collecting import admitted, fault_of, held, inlet_of

OPERATOR = "operator:"


@prover("notice")
def notice(rule: Rule, look: Look) -> Finding:
    """The text that is published and enforced is, byte for byte, one that was activated, and its day has come."""
    assert isinstance(rule.body, NoticeBody)
    query = "The text of every version against the digest taken when it was activated, and the newest against what is enforced."
    changed = [f"version {row.number}" for row in look.versions.values() if hashlib.sha256(row.text.encode()).hexdigest() != row.digest]
    newest = max(look.versions.values(), key=lambda row: row.number)
    if newest.text != look.policy.notice.text:
        changed.append("what is enforced")
    count = len(look.versions)
    if changed:
        return broken(count, changed, f"{', '.join(changed).capitalize()} is not the text that was put in force.", query)
    if rule.body.effective > look.now.date():
        return unproven(f"This notice takes effect on {rule.body.effective}.", query)
    said = f"The text you read is the one put in force as version {newest.number}, and the one the software obeys."
    return kept(count, said, query, digest=newest.digest)


@prover("role")
def role(rule: Rule, look: Look) -> Finding:
    """Nobody who hosts the software looked at data without an instruction."""
    assert isinstance(rule.body, RoleBody)
    query = "Entries of the ledger saying that staff of the operator were shown data, without a request that asked for it."
    wrong = [entry.at for entry in look.looks if entry.actor.startswith(OPERATOR) and entry.request is None]
    count = len(look.looks)
    if wrong:
        return broken(count, wrong, f"The operator's staff looked at data {many(len(wrong), 'time', 'times')} without being asked.", query)
    if not count:
        return unproven("Nobody has looked at data yet.", query)
    return kept(count, f"Of {many(count, 'look', 'looks')} at data, none was by the operator's staff on their own.", query)


@prover("source")
def source(rule: Rule, look: Look) -> Finding:
    """What came from a source of the notice's own came through an inlet for it."""
    query = "Occasions on which data came in from this source, each with a collect rule that names the source or one above it."
    family = look.policy.notice.vocabulary["source"].under(rule.id)
    found = [row for row in look.origins.values() if row.source in family]
    wrong = [f"occasion {row.pk} {fault}" for row in found if (fault := fault_of(look, row))]
    if wrong:
        return broken(
            len(found), wrong, f"Data came in from here {many(len(wrong), 'time', 'times')} otherwise than its inlets say.", query
        )
    if not found:
        return unproven("Nothing has come in from here yet.", query)
    return kept(len(found), f"Data came in from here {many(len(found), 'time', 'times')}, each through a declared inlet.", query)


@prover("category")
def category(rule: Rule, look: Look) -> Finding:
    """Values of a category of the notice's own came in through inlets that take it."""
    query = "Values labelled with this category, and the inlets they came in through."
    family = look.policy.notice.vocabulary["category"].under(rule.id)
    total, wrong = 0, []
    for (table, origin, one), count in held(look).items():
        if one in family:
            total += count
            came = look.origins.get(origin or 0)
            inlet = inlet_of(look, came) if came else None
            if one not in (inlet.categories if inlet else admitted(look.policy)):
                wrong.append(f"{one} in {table}")
    if wrong:
        return broken(total, wrong, f"Of {many(total, 'value', 'values')} held, some came in through no inlet that takes them.", query)
    if not total:
        return unproven("No such value is held.", query)
    return kept(total, f"{many(total, 'value is', 'values are')} held, through declared inlets.", query)


@prover("statement")
def statement(rule: Rule, look: Look) -> Finding:
    """Promises nothing."""
    evidence = {"query": "Nothing to look for.", "count": 0, "references": []}
    return Finding("statement", 0, "This passage informs and promises nothing.", evidence)

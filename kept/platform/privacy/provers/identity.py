"""Rules that say who we are and which words we use: `notice`, `role`, `source`, `category`, and `statement`, which promises nothing."""

from __future__ import annotations

import hashlib

from kept.core.notice import Rule
from kept.core.notice.rules import CategoryBody, NoticeBody, RoleBody
from kept.platform.privacy.provers.base import Asked, Finding, Look, broken, kept, many, prover, requests_amiss, unproven
from kept.platform.privacy.provers.collecting import admitted, derived, fault_of, held, inlet_of, occasions
from kept.platform.privacy.provers.papers import on_file
from kept.platform.privacy.provers.purposes import looks
from kept.platform.privacy.registry import registry


@prover("notice", "dispute")
def notice(rule: Rule, look: Look) -> Finding:
    """The text that is published and enforced is, byte for byte, one that was activated, and its day has come; refusals say where to go."""
    assert isinstance(rule.body, NoticeBody)
    asked = Asked(
        "The text of every version against the digest taken when it was activated, and the newest against what is enforced; every refusal "
        "against the letter that names where to go next.",
        "SELECT number FROM privacy_noticeversion WHERE sha256(text) <> digest",
    )
    changed = [f"version {row.number}" for row in look.versions.values() if hashlib.sha256(row.text.encode()).hexdigest() != row.digest]
    newest = max(look.versions.values(), key=lambda row: row.number)
    if newest.text != look.policy.notice.text:
        changed.append("what is enforced")
    count = len(look.versions)
    if changed:
        return broken(count, changed, f"{', '.join(changed).capitalize()} is not the text that was put in force.", asked)
    if faults := requests_amiss([due(look.use, rule, look.now) for due in registry.due]):
        return broken(count, [one for some in faults.values() for one in some], " ".join(faults), asked)
    if rule.body.effective > look.now.date():
        return unproven(f"This notice takes effect on {rule.body.effective}.", asked)
    said = f"The text you read is the one put in force as version {newest.number}, and the one the software obeys."
    return kept(count, said, asked, digest=newest.digest)


@prover("role", "is", "except", "requests", "within")
def role(rule: Rule, look: Look) -> Finding:
    """Nobody who hosts the software looked at data without an instruction; requests are answered in time, or passed on in time."""
    assert isinstance(rule.body, RoleBody)
    asked = Asked(
        "Entries of the ledger saying that staff of the operator were shown data, without a request that asked for it or a paper on file "
        "at that time: the customer's instruction or a legal order. Where we answer requests: those open past their due day. Where others "
        "do: those not passed on in time, and those answered in their name.",
        "SELECT id FROM privacy_entry WHERE kind = 'look' AND actor LIKE 'operator:%' AND request IS NULL AND NOT EXISTS (SELECT 1 FROM "
        "privacy_instrument WHERE kind IN (:except) AND at BETWEEN valid_from AND valid_until)",
    )
    found = look.once(looks)
    allowed = rule.body.except_ or ("instruction", "legal-order")
    wrong = [
        f"entry {entry}"
        for entry, at, request in found.operator
        if not request or (request.startswith("instrument:") and not on_file(look, allowed, at))
    ]
    desks = [due(look.use, rule, look.now) for due in registry.due]
    faults = requests_amiss(desks)
    asks = sum(desk.answered + desk.open for desk in desks)
    if wrong or faults:
        said = f"The operator's staff looked at data {many(len(wrong), 'time', 'times')} without being asked. " if wrong else ""
        references = [*wrong, *(one for some in faults.values() for one in some)]
        return broken(found.count + asks, references, (said + " ".join(faults)).strip(), asked)
    if not found.count + asks:
        return unproven("Nobody has looked at data yet, and nobody has asked for anything.", asked)
    done = f"{many(asks, 'request', 'requests')} in time. " if asks else ""
    said = (
        f"Of {many(found.count, 'look', 'looks')} at data, none was by the operator's staff on their own. {done}Looked at: {look.extent}."
    )
    return kept(found.count + asks, said, asked)


@prover("source")
def source(rule: Rule, look: Look) -> Finding:
    """What came from a source of the notice's own came through an inlet for it."""
    asked = Asked(
        "Occasions on which data came in from this source, each with a collect rule that names the source or one above it.",
        "SELECT id FROM privacy_provenance WHERE source IN (family) AND NOT fits(rule)",
    )
    family = look.policy.notice.vocabulary["source"].under(rule.id)
    found = [row for row in look.once(occasions).values() if row.source in family]
    wrong = [f"occasion {row.pk} {fault}" for row in found if (fault := fault_of(look, row))]
    times = many(len(wrong or found), "time", "times")
    if wrong:
        return broken(len(found), wrong, f"Data came in from here {times} otherwise than its inlets say.", asked)
    if not found:
        return unproven("Nothing has come in from here yet.", asked)
    return kept(len(found), f"Data came in from here {times}, each through a declared inlet. Looked at: {look.extent}.", asked)


@prover("category", "derived")
def category(rule: Rule, look: Look) -> Finding:
    """Values of a category of the notice's own came in through inlets that take it; one that is derived was derived."""
    assert isinstance(rule.body, CategoryBody)
    asked = Asked(
        "Values labelled with this category, and the inlets they came in through; where it is derived, what it was derived of.",
        "per table: SELECT provenance_id, count(*) WHERE category IN (family) GROUP BY 1; privacy_derivation WHERE provenance_id IN (…)",
    )
    family = look.policy.notice.vocabulary["category"].under(rule.id)
    total, wrong = 0, []
    for (table, origin, one), count in look.once(held).items():
        if one in family:
            total += count
            came = look.origins([origin]).get(origin or 0)
            inlet = inlet_of(look, came) if came else None
            if origin in look.once(derived):
                wrong += [] if rule.body.derived else [f"{one} in {table}, derived"]
            elif one not in (inlet.categories if inlet else admitted(look.policy)):
                wrong.append(f"{one} in {table}")
    if wrong:
        return broken(total, wrong, f"Of {many(total, 'value', 'values')} held, some came in otherwise than this says.", asked)
    if not total:
        return unproven("No such value is held.", asked)
    ways = "derived here" if rule.body.derived else "through declared inlets"
    return kept(total, f"{many(total, 'value is', 'values are')} held, {ways}. Looked at: {look.extent}.", asked)


@prover("statement")
def statement(rule: Rule, look: Look) -> Finding:
    """Promises nothing."""
    evidence = {"query": "Nothing to look for.", "sql": "", "count": 0, "references": []}
    return Finding("statement", 0, "This passage informs and promises nothing.", evidence)

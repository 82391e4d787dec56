"""`check`: what is wrong with a notice that can be read: contradictions, holes, law, promises without a rule, laxer supplements."""

from __future__ import annotations

from collections.abc import Iterator

from kept.core.notice import compiling, contradictions, holes
from kept.core.notice.findings import Finding, in_order
from kept.core.notice.lawful import lawful
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.rules import AgeBody, ChoiceBody, PurposeBody, RightBody, pick
from kept.core.notice.terms import BITS
from kept.core.notice.unbacked import unbacked
from kept.core.notice.vocabulary import BASES


def check(notice: Notice) -> list[Finding]:
    """Every finding on a well-formed notice, in document order. Malformed notices do not get here: `parse` refuses them."""
    purposes = dict.fromkeys(rule.id for rule in notice.rules if rule.kind == "purpose")
    if len(purposes) > BITS:
        last = next(rule for rule in reversed(notice.rules) if rule.kind == "purpose")
        cure = "Put purposes together under a common parent."
        return [notice.finding(last, "malformed", f"there are {len(purposes)} purposes, and an account has {BITS} bits", cure)]
    policy = compiling.compile(notice)
    found = [one for find in (*contradictions.ALL, *holes.ALL, laxer, lawful) for one in find(notice, policy)]
    return in_order(list(dict.fromkeys([*found, *unbacked(notice)])))


def laxer(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A supplement gives less than the rule for everybody."""
    for rule in notice.rules:
        general = next((one for one in notice.rules if one.name == rule.name and one.region is None), None)
        if rule.region is None or general is None:
            continue
        for key in _less(general, rule, rule.region):
            message = f"{rule.name} gives less in {rule.region} than elsewhere"
            yield notice.finding(rule, "laxer", message, f"Leave out `{key}`, if that is not meant.", key, warning=True)


def _less(general: Rule, local: Rule, region: str) -> Iterator[str]:
    """The keys in which a rule gives less than the general one."""
    pair = (general.body, local.body)
    match pair:
        case RightBody() as wide, RightBody() as near:
            lengths = ((key, getattr(wide, key), getattr(near, key)) for key in ("within", "extend", "confirm_within"))
            yield from (key for key, one, other in lengths if one and other and other.days_at_most > one.days_at_most)
        case ChoiceBody() as wide, ChoiceBody() as near:
            if near.effective_within.days_at_most > wide.effective_within.days_at_most:
                yield "effective_within"
            if not set(wide.governs) <= set(near.governs):
                yield "governs"
        case AgeBody() as wide, AgeBody() as near:
            if (pick(near.minimum, region) or 0) < (pick(wide.minimum, "") or 0):
                yield "minimum"
        case PurposeBody() as wide, PurposeBody() as near:
            before, after = pick(wide.basis, ""), pick(near.basis, region)
            if before and after and BASES[before].choice == "gives" != BASES[after].choice:
                yield "basis"

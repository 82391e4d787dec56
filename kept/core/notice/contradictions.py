"""Where a notice says two things that cannot both be kept."""

from __future__ import annotations

from collections.abc import Iterator

from kept.core.notice.findings import Finding
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.rules import (
    DEFAULT,
    ChoiceBody,
    CollectBody,
    DiscloseBody,
    NoticeBody,
    PurposeBody,
    RetainBody,
    TrackerBody,
)
from kept.core.notice.vocabulary import CUSTOMERS_BASIS


def refused_yet_named(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A rule reaches a category that a limit refuses. What others take directly may be named: it never comes in."""
    tree = notice.vocabulary["category"]
    elsewhere = frozenset().union(*(one.categories for one in policy.collects if one.held_by))
    for rule in notice.rules:
        body = rule.body
        if not isinstance(body, CollectBody | PurposeBody | DiscloseBody | TrackerBody) or "categories" not in rule.data:
            continue
        source = body.from_ if isinstance(body, CollectBody) else ""
        for named in body.categories:
            for category in sorted(tree.under(named) - elsewhere):
                limit = policy.refusals.get(category) or policy.refusals_by_source.get((source, category))
                if limit is None:
                    continue
                names = f"names {named}" if named == category else f"names {named}, which includes {category}"
                cure = f"Leave {named} out." if named == category else f"Name only what is meant under {named}."
                message = f"{rule.name} {names}, and {limit.name} refuses it"
                yield notice.finding(rule, "contradiction", message, cure, "categories", value=named)


def fenced_yet_meant(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Data is collected for a purpose that a limit keeps it from."""
    for inlet in policy.collects:
        for purpose in inlet.purposes:
            terms = policy.purposes[purpose]
            for category in sorted(inlet.categories & terms.categories):
                if not policy.fence(inlet.source, category) >> terms.bit & 1:
                    message = f"{inlet.rule.name} collects {category} for {purpose}, and a limit keeps it from there"
                    yield notice.finding(inlet.rule, "contradiction", message, f"Leave {purpose} out of `for`, or ease the limit.", "for")
                    break


def fenced_yet_reached(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A purpose or a recipient reaches a category that a limit keeps from it, wherever it comes from."""
    for fence in policy.fences:
        if fence.sources or fence.records:
            continue
        for purpose in policy.purposes.values():
            for category in sorted(fence.categories & purpose.categories)[:1]:
                if not fence.mask >> purpose.bit & 1:
                    message = f"{purpose.rule.name} reads {category}, and {fence.rule.name} keeps it from there"
                    yield notice.finding(purpose.rule, "contradiction", message, f"Leave {category} out.", "categories", value=category)
        for outlet in policy.outlets.values() if fence.outlets is not None else ():
            if outlet.id in (fence.outlets or ()) or fence.lifted(outlet):
                continue
            if not fence.categories:
                word = "sale" if outlet.sale else "share"
                message = f"{outlet.rule.name} is declared a {'sale' if outlet.sale else 'sharing'}, and {fence.rule.name} denies it"
                yield notice.finding(outlet.rule, "contradiction", message, "Leave one of the two out, or name it in `except`.", word)
            for category in sorted(fence.categories & outlet.categories)[:1]:
                message = f"{outlet.rule.name} gives away {category}, and {fence.rule.name} keeps it from there"
                yield notice.finding(outlet.rule, "contradiction", message, f"Leave {category} out.", "categories", value=category)


def idle_choices(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A choice governs nothing in a purpose it names, or bears the name of one it does not govern."""
    tree = notice.vocabulary["purpose"]
    for region, terms in policy.regions.items():
        where = "" if region == DEFAULT else region
        for rule, body in notice.saying(ChoiceBody, where):
            for named in body.governs:
                if named not in tree:
                    continue
                moved = [one for one in policy.opens(named) if one in terms.clauses and terms.clauses[one].choice != "none"]
                if not moved:
                    bases = ", ".join(f"{one} rests on {policy.basis(one, where)}" for one in policy.opens(named) if one in terms.clauses)
                    why = f": {bases}" if bases else ": no rule declares it"
                    message = f"{rule.name} governs nothing in {named}{why}"
                    cure = f"Leave {named} out, or give it a basis that a choice can move."
                    yield notice.finding(rule, "contradiction", message, cure, "governs", value=named)
            if rule.id in tree and not set(policy.opens(rule.id)) <= set(terms.choices[rule.id].governs):
                cure = "Govern that purpose, or give the choice another id."
                yield notice.finding(rule, "contradiction", f"{rule.name} is named like a purpose it does not govern", cure, "choice")


def regional_columns(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A supplement changes the columns of a purpose: one store has one set of columns."""
    for rule in notice.rules:
        if not isinstance(rule.body, PurposeBody) or not rule.region:
            continue
        if set(policy.purposes[rule.id].body.categories) != set(rule.body.categories):
            cure = "Leave `categories` out of the supplement, or declare a purpose of its own under this one."
            message = f"{rule.name} reads other categories in {rule.region} than elsewhere"
            yield notice.finding(rule, "contradiction", message, cure, "categories")


def inlets(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """An inlet requires, or asks consent for, what it does not collect; or hands what the recipient's rule does not list."""
    tree = notice.vocabulary["category"]
    for rule, body in notice.saying(CollectBody):
        family = tree.under(*body.categories)
        for key, named in (("required", body.required), ("consent", tuple(body.consent))):
            for one in named:
                if one not in family:
                    message = f"{one} is in `{key}` and not collected"
                    yield notice.finding(rule, "contradiction", message, "List it in `categories`, or leave it out.", key, value=one)
        if body.held_by:
            yield from _handed(notice, policy, rule, body.held_by, body.categories, "held_by")


def trackers(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A tracker needs a choice that does not govern it, or hands its recipient what their rule does not list."""
    for rule in notice.rules:
        if not isinstance(rule.body, TrackerBody):
            continue
        body = rule.body
        choice = policy.choices(rule.region or "").get(body.needs or "")
        if choice and rule.name not in choice.moves and not set(policy.trackers[rule.id].purposes) & set(choice.governs):
            message = f"{rule.name} needs {choice.rule.name}, which governs neither it nor its purposes"
            yield notice.finding(rule, "contradiction", message, f'Add "{rule.name}" to what the choice governs.', "needs")
        if body.recipient:
            yield from _handed(notice, policy, rule, body.recipient, body.categories, "recipient")


def _handed(notice: Notice, policy: Policy, rule: Rule, to: str, categories: tuple[str, ...], key: str) -> Iterator[Finding]:
    outlet = policy.outlets[to]
    for named in categories:
        if not notice.vocabulary["category"].under(named) <= outlet.categories:
            message = f"{rule.name} hands {named} to {outlet.to}, and {outlet.rule.name} does not list it"
            yield notice.finding(rule, "contradiction", message, f"List {named} in {outlet.rule.name}.", key)


def mechanisms(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A recipient abroad whose safeguard the transfer rule does not allow; a derogation where none can hold."""
    for rule, body in notice.saying(DiscloseBody):
        if body.safeguard == "derogation" and body.needs not in ("legal-order", "reasoned"):
            cure = 'Write needs = "legal-order" or "reasoned", or name another safeguard.'
            message = f"{rule.name} rests on a derogation, which is for single cases (Article 49 GDPR)"
            yield notice.finding(rule, "contradiction", message, cure, "safeguard")
    for terms in policy.regions.values():
        for outlet in terms.outlets.values():
            if outlet.abroad is not None and outlet.until is None and outlet.terms.safeguard is not None:
                message = f"{outlet.terms.rule.name} rests on {outlet.terms.safeguard}, which {outlet.abroad.because[0]} does not allow"
                cure = "Name a mechanism that the transfer rule allows, or allow this one."
                yield notice.finding(outlet.terms.rule, "contradiction", message, cure, "safeguard")


def instructions(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A purpose of ours rests on a customer's instructions."""
    for rule in notice.rules:
        if isinstance(rule.body, PurposeBody) and rule.body.data == "own" and CUSTOMERS_BASIS in rule.body.basis.values():
            cure = 'Write data = "customer", or name a basis of our own.'
            message = f"{rule.name} rests on instructions, and is no use of customers' data"
            yield notice.finding(rule, "contradiction", message, cure, "basis")


def disputes(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """A step of a dispute comes after one that is not there."""
    for rule in notice.rules:
        if isinstance(rule.body, NoticeBody):
            steps = ["us"]
            for step in rule.body.dispute:
                if step.after is not None and step.after not in steps:
                    message = f"{step.name} comes after {step.after}, which is no earlier step"
                    yield notice.finding(rule, "contradiction", message, f"Write one of {', '.join(steps)}.", "dispute", value=step.after)
                steps.append(step.name)


def duties(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """The law wants something kept, and the right to erasure does not say that this is left."""
    for rule, body in notice.saying(RetainBody):
        for region, terms in policy.regions.items():
            right = terms.rights.get("erase")
            if body.duty and right is not None and "legal-duty" not in right.body.except_:
                where = "" if region == DEFAULT else f" in {region}"
                message = f"{rule.name} is a legal duty, and {right.rule.name}{where} makes no exception for it"
                yield notice.finding(rule, "contradiction", message, 'Write except = ["legal-duty"] in the right.', "duty")


ALL = (
    refused_yet_named,
    fenced_yet_meant,
    fenced_yet_reached,
    idle_choices,
    regional_columns,
    inlets,
    trackers,
    mechanisms,
    instructions,
    disputes,
    duties,
)

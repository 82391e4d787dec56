"""`kept check --here` and `kept promises`: what this deployment binds of a notice, and how every promise of the register stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from kept.core.errors import BadInput
from kept.core.notice import Finding, Notice, Rule, compile, parse
from kept.core.notice.register import MISSING, carriers, read, worst
from kept.core.notice.rules import CollectBody, PurposeBody, StatementBody
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug
from kept.platform.data.datamap import tables
from kept.platform.privacy import proofs
from kept.platform.privacy.models import NoticeVersion
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.registry import registry

NOTICES = settings.ROOT / "notices"
FAILING = frozenset({MISSING, "broken", "unbound"})
"""States that make `--strict` fail."""


# What a deployment finds in a notice


def findings(notice: Notice, slug: str = "") -> list[Finding]:
    """What this deployment does not bind, and categories that nothing here holds. With an account also whether its purposes still fit.

    Raises NoticeError where they do not, NotFound for an account that is not there.
    """
    if slug:
        last = NoticeVersion.objects.filter(account_id=account_by_slug(slug).pk).order_by("-number").first()
        compile(notice, bits=last.bits if last else None)
    return [*_unbound(notice), *_unheld(notice)]


def _unbound(notice: Notice) -> Iterator[Finding]:
    for rule in notice.rules:
        missing = registry.unbound(rule, notice.vocabulary)
        if missing:
            cure = "It is not called kept here until the deployment has it."
            yield notice.finding(rule, "unbound", "; ".join(map(str, missing)), cure)


def _unheld(notice: Notice) -> Iterator[Finding]:
    """Each declared category that no column holds, once, where it is named first. What somebody else holds for us is none of these."""
    terms = notice.vocabulary["category"]
    columns = {category for table in tables() for category in table.model.personal.columns.values()} | registry.by_row
    here = terms.under(*columns)
    seen = set[str]()
    for rule in notice.rules:
        named = rule.body.categories if isinstance(rule.body, CollectBody | PurposeBody) else ()
        for category in named if getattr(rule.body, "held_by", None) is None else ():
            if category not in seen and terms.under(category).isdisjoint(here):
                message = f"no column of this deployment holds {category}"
                yield notice.finding(
                    rule, "unbound", message, "Nothing of it is taken in until one does.", "categories", value=category, warning=True
                )
            seen.add(category)


# The register


def promises(slugs: Sequence[str], folder: Path = NOTICES) -> list[dict[str, Any]]:
    """Every promise of the register with the rules that carry it, and how each stands: by the latest proof of an account under such a
    notice, else by what this deployment binds.
    """
    register = folder / "register.toml"
    try:
        rows = read(register.read_text(encoding="utf-8"), filename=register.name)
    except OSError as error:
        raise BadInput("There is no register of promises.", place=str(register), cure="Run this where the notices are.") from error
    notices = {
        one.id: one for path in sorted(folder.glob("*/notice.md")) for one in [parse(path.read_text(encoding="utf-8"), filename=str(path))]
    }
    proved: dict[str, Mapping[str, str]] = {}
    for account in map(account_by_slug, slugs):
        own = policy_of(account.pk).notice
        notices[own.id], proved[own.id] = own, _states(account, own)
    held = carriers(rows, notices.values())
    return [_row(row.id, row.says, held[row.id], notices, proved) for row in rows]


def _row(
    name: str, says: str, held: Sequence[Any], notices: Mapping[str, Notice], proved: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    rules = [
        {"notice": one.notice, "rule": one.rule.anchor, "state": _state(one.rule, notices[one.notice], proved.get(one.notice))}
        for one in held
    ]
    return {"id": name, "says": says, "state": worst(rule["state"] for rule in rules), "rules": rules}


def _state(rule: Rule, notice: Notice, proved: Mapping[str, str] | None) -> str:
    if isinstance(rule.body, StatementBody):
        return "statement"
    if proved is not None:
        return proved.get(rule.anchor, "unproven")
    return "unbound" if registry.unbound(rule, notice.vocabulary) else "bound"


def _states(account: Account, notice: Notice) -> dict[str, str]:
    """The state of each rule in the latest proof; `unbound` where that is why it is not proved, whatever the proof could see."""
    found = {one.rule: one.state for one in proofs.latest(account.pk)}
    for rule in notice.rules:
        if found.get(rule.anchor) != "broken" and registry.unbound(rule, notice.vocabulary):
            found[rule.anchor] = "unbound"
    return found


def in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each promise, one under it for each of its rules, and the counts."""
    lines = []
    for row in rows:
        lines.append(f"{row['id']:<6} {row['state']:<9} {row['says']}")
        lines += [f"       {rule['state']:<9} {rule['notice']} {rule['rule']}" for rule in row["rules"]]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    return "\n".join([*lines, "", ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))])


def failing(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any promise is missing, broken or unbound."""
    return any(row["state"] in FAILING for row in rows)

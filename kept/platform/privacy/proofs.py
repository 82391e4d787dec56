"""Proof: every rule of the notice in force, looked for in live data, and the outcome kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from kept.core import ledger as core
from kept.core.errors import NotFound
from kept.core.ledger.encoding import write_time
from kept.core.notice import Rule
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.use import writing
from kept.platform.privacy import incidents, ledger, masks
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import NoticeVersion, Proof
from kept.platform.privacy.notices import in_force, policy_of
from kept.platform.privacy.provers import PROVERS, Asked, Finding, Look, unproven
from kept.platform.privacy.provers.base import ROUND
from kept.platform.privacy.registry import registry

FORMAT = "kept-proof-1"
DAYS = 90
ORDER = ("broken", "unproven", "kept")
"""Worst first: the state of a day is the worst that any proof of the day found."""
PRIVATE = frozenset({"references", "ledger", "marks", "known", "seen"})
"""Evidence that only the account itself may see, or that the next run needs."""
Progress = Callable[[int, int], None]


def prove_rule(rule: Rule, look: Look) -> Finding:
    """The finding of one rule. One that this deployment does not wholly bind is `unproven` at best, and says what is missing.

    What was seen in an earlier run of the round counts where this run's part holds nothing that the rule is about.
    """
    found = PROVERS[rule.kind](rule, look) if rule.kind in PROVERS else unproven("There is nothing to look at.", Asked("Nothing.", ""))
    seen, said = _seen(rule, look)
    if found.state == "kept":
        seen, said = look.now.isoformat(), found.said
    elif found.state == "unproven" and seen:
        found = replace(found, state="kept", said=f"Nothing of this among {look.extent}. Before: {said}")
    missing = registry.unbound(rule, look.policy.notice.vocabulary)
    more: dict[str, Any] = {"seen": [seen, said]} if seen else {}
    if missing:
        more["unbound"] = [one.name for one in missing]
        if found.state in ("kept", "unproven"):
            said = f"Not bound in this deployment: {', '.join(map(str, missing))}. What could be looked at: {found.said}"
            found = replace(found, state="unproven", said=said)
    return replace(found, evidence={**found.evidence, **more})


def _seen(rule: Rule, look: Look) -> tuple[str, str]:
    """When something of a rule was last seen and all was well, within the round that this run goes on with, and what was said then."""
    last = look.before.get(rule.anchor)
    at, said = last.evidence.get("seen", ("", "")) if last and not look.whole else ("", "")
    return (at, said) if at and look.now - datetime.fromisoformat(at) < ROUND else ("", "")


def prove(account_id: int, actor: str, progress: Progress | None = None) -> list[Proof]:
    """Prove every rule of the notice in force, keep the outcome, and note it in the ledger; the proofs in the order of the notice.

    A promise found broken opens an incident; one proved kept again resolves its own.
    """
    policy = policy_of(account_id)
    masks.apply_due(account_id)
    before = {proof.rule: proof for proof in latest(account_id)}
    found: list[tuple[str, Finding]] = []
    with reserved(account_id, actor, "proof") as use:
        now = timezone.now()
        look = Look(policy, use, now, before)
        for position, rule in enumerate(policy.notice.rules):
            found.append((rule.anchor, prove_rule(rule, look)))
            if progress:
                progress(position + 1, len(policy.notice.rules))
        version = in_force(account_id).number
        outcomes = [(name, one.state, one.counted, one.said) for name, one in found]
        with writing(use):
            document = _document(account_id, version, now, outcomes)
            made = ledger.append(use, "proof", actor=actor, rule=f"notice:{policy.notice.id}", document=document)
            entry = {"entry": made.id, "salt": made.salt.hex() if made.salt else "", "version": version}
            marks: list[dict[str, Any]] = [{"marks": look.marks}, *[{}] * len(found)]
            lines = [
                (name, one.state, one.counted, one.said, {**one.evidence, **mark, "ledger": entry}, now)
                for (name, one), mark in zip(found, marks, strict=False)
            ]
            ids = rows.insert(use, Proof, ("rule", "state", "counted", "said", "evidence", "at"), lines)
        proofs = list(Proof.under(use).filter(pk__in=ids).order_by("pk"))
    incidents.follow(account_id, proofs)
    return proofs


def _document(account_id: int, version: int, at: datetime, outcomes: Iterable[tuple[str, str, int, str]]) -> dict[str, Any]:
    """What the ledger commits to: the state, count and sentence of every rule, under which version, when."""
    notice = NoticeVersion.objects.get(account_id=account_id, number=version)
    return {
        "format": FORMAT,
        "account": Account.objects.values_list("slug", flat=True).get(pk=account_id),
        "at": write_time(at),
        "notice": {"version": version, "digest": notice.digest},
        "proofs": [{"rule": rule, "state": state, "counted": counted, "said": said} for rule, state, counted, said in outcomes],
    }


def latest(account_id: int) -> list[Proof]:
    """The proofs of the newest run; none before the first."""
    with bookkeeping(account_id) as use:
        newest = Proof.under(use).order_by("-id").first()
        return list(Proof.under(use).filter(at=newest.at).order_by("pk")) if newest else []


def history(account_id: int, today: date, days: int = DAYS) -> dict[str, list[str]]:
    """The state of each rule on each of the last days, oldest first; ``none`` where nothing was proved. A day has its worst state."""
    first = today - timedelta(days=days - 1)
    found: dict[str, list[str]] = {}
    with bookkeeping(account_id) as use:
        since = datetime(first.year, first.month, first.day, tzinfo=timezone.get_current_timezone())
        for rule, state, at in Proof.under(use).filter(at__gte=since).order_by("pk").values_list("rule", "state", "at"):
            day = (timezone.localdate(at) - first).days
            states = found.setdefault(rule, ["none"] * days)
            if 0 <= day < days and state in ORDER:
                held = states[day]
                states[day] = state if held == "none" else min(state, held, key=ORDER.index)
    return found


def states(proofs: Iterable[Proof]) -> Counter[str]:
    """How many rules are in each state."""
    return Counter(proof.state for proof in proofs)


def evidence(account_id: int, rule: str) -> dict[str, Any]:
    """The newest proof of a rule with its evidence, and the ledger's receipt for the run it belongs to. Raises NotFound.

    Without the references of people, which only the account itself may see.
    """
    proofs = latest(account_id)
    proof = next((one for one in proofs if one.rule == rule), None)
    if proof is None:
        raise NotFound("There is no proof of this rule yet.", place=rule, cure="Proofs run every night.")
    shown = {name: value for name, value in proof.evidence.items() if name not in PRIVATE}
    return {
        "rule": proof.rule,
        "state": proof.state,
        "counted": proof.counted,
        "said": proof.said,
        "at": write_time(proof.at),
        "evidence": shown,
        "receipt": _receipt(account_id, proofs, proof.evidence["ledger"]),
    }


def _receipt(account_id: int, proofs: list[Proof], entry: Mapping[str, Any]) -> core.Receipt:
    """The receipt of a run. Its document is made again from what is kept: if a proof was changed since, this raises BadInput."""
    outcomes = [(one.rule, one.state, one.counted, one.said) for one in proofs]
    document = _document(account_id, int(entry["version"]), proofs[0].at, outcomes)
    return ledger.receipt(account_id, int(entry["entry"]), document, bytes.fromhex(entry["salt"]))

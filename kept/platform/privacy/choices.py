"""What people decide: consent, objection, opting out, restriction. A ledger entry, the projection, and the mask, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from django.utils import timezone

from kept.core.errors import BadInput
from kept.core.notice import Policy
from kept.core.notice.region import PARENTAL_CONSENT
from kept.core.notice.rules import MARKETS
from kept.core.notice.vocabulary import RESERVED
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import ledger, masks
from kept.platform.privacy.models import Choice
from kept.platform.privacy.notices import policy_of

Verb = Literal["allow", "withdraw", "object", "opt-out", "restrict", "lift"]
ENTRY: Mapping[Verb, str] = {
    "allow": "consent",
    "withdraw": "consent",
    "object": "objection",
    "opt-out": "opt-out",
    "restrict": "restriction",
    "lift": "restriction",
}
STATE: Mapping[Verb, str] = {"allow": "given", "withdraw": "withdrawn", "object": "objected", "opt-out": "opted-out"}


def check_subject_matter(policy: Policy, about: str, verb: Verb) -> None:
    """Raise BadInput unless the notice knows what it is about: a purpose, a choice, an outlet, a tracker, sale, a parent's word."""
    if about == "all" or (about not in RESERVED and policy.opens(about)):
        return
    rules = [*(one.rule.name for one in policy.outlets.values()), *(one.rule.name for one in policy.trackers.values())]
    named = {*rules, *(one for terms in policy.regions.values() for one in terms.choices), *MARKETS, PARENTAL_CONSENT}
    if about not in named or verb in ("restrict", "lift"):
        known = ", ".join(policy.purposes)
        raise BadInput(f"The notice declares no purpose “{about}”.", place="purpose", cure=f"Use one of: {known}, all.")


def choose(
    use: Use, subject: Subject, verb: Verb, purpose: str, *, rule: str = "", until: datetime | None = None, request: str = ""
) -> int:
    """Record a decision of this subject, in force when this returns; the ledger entry's id. `use` is of the purpose `rights`.

    `purpose` is what it is about: a purpose or a term above it, or what else a policy hears (`SubjectFacts.choices`).
    `allow` also lifts a restriction of the purpose: the person wants it.
    """
    policy = policy_of(use.account_id)
    check_subject_matter(policy, purpose, verb)
    now = timezone.now()
    with writing(use):
        change: dict[str, object] = {"at": now}
        if verb in STATE:
            change |= {"state": STATE[verb], "until": until}
        if verb in ("restrict", "lift", "allow"):
            change["restricted"] = verb == "restrict"
        held = Choice.under(use).filter(subject_id=subject.pk, purpose=purpose)
        if not held.update(**change):
            names = ("subject", "purpose", *change)
            rows.insert(use, Choice, names, [(subject.pk, purpose, *change.values())])
        said = {"verb": verb, "purpose": purpose, "until": until and until.isoformat()}
        entry = ledger.append(
            use,
            ENTRY[verb],
            purpose=purpose,
            rule=rule or _rule(policy, purpose),
            subjects=[subject.reference],
            request=request or None,
            payload=said,
            key_id=subject.key_id,
        )
        masks.refresh(use, [subject.pk])
    return entry.id


def _rule(policy: Policy, purpose: str) -> str | None:
    governing = [one.rule.name for one in policy.choices().values() if purpose in (one.id, *one.governs, *one.moves)]
    return governing[0] if governing else None


def replay(use: Use, reference: str) -> dict[str, tuple[str, bool]]:
    """What a subject's entries, read from the first to the last, say they decided: state and restriction by purpose. Raises Shredded."""
    found: dict[str, tuple[str, bool]] = {}
    for entry in ledger.story(use, reference, ENTRY.values()):
        said = ledger.payload_of(entry)
        state, restricted = found.get(said["purpose"], ("", False))
        verb: Verb = said["verb"]
        if verb in ("restrict", "lift", "allow"):
            restricted = verb == "restrict"
        found[said["purpose"]] = (STATE.get(verb, state), restricted)
    return found


def held(use: Use, subject_id: int) -> dict[str, tuple[str, bool]]:
    """The same, from the projection."""
    return {row.purpose: (row.state, row.restricted) for row in Choice.under(use).filter(subject_id=subject_id)}

"""`change`: people were told of what changed as promised, and what was collected under a version stays under it until they agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kept.core.notice import Policy, Rule
from kept.core.notice.diff import diff
from kept.core.notice.rules import ChangeBody
from kept.platform.privacy.models import Acceptance, Activation, EntrySubject, NoticeVersion
from kept.platform.privacy.provers.base import Asked, Finding, Look, batches, broken, kept, many, people, prover, unproven
from kept.platform.privacy.provers.persons import persons


@prover("change", "material", "tell", "tell_any", "before", "accept", "reduce_rights")
def change(rule: Rule, look: Look) -> Finding:
    """Every version but the first: told in the ways and the time that the one before it promised; agreed to where it asked for that."""
    assert isinstance(rule.body, ChangeBody)
    asked = Asked(
        "Each later version against the promises of the one before it: the ways in which a material change was told, and how long before; "
        "people under a version that they had to agree to and did not; purposes open to them that their own version does not declare; "
        "each agreement against its entry in the ledger.",
        "SELECT * FROM privacy_activation a JOIN privacy_noticeversion v ON v.id = a.version_id; SELECT reference FROM data_subject WHERE "
        "notice_version <> version_at(created_at) AND NOT EXISTS (privacy_acceptance); privacy_acceptance WITHOUT privacy_entry",
    )
    rows = list(look.versions.values())
    found = look.once(persons)
    wrong = [fault for before, after in pairwise(rows) for fault in _untold(look, before, after)]
    wrong += found.moved
    unasked = sorted({one for references in found.unasked.values() for one in references})
    agreed, unheard = look.once(_agreements)
    wrong += [*unasked, *unheard]
    later = len(rows) - 1
    if wrong:
        whose = f" {people(len({*found.moved, *unasked}))} stand otherwise than they agreed." if found.moved or unasked else ""
        said = f"{many(len(wrong), 'finding', 'findings')} about {many(later, 'change', 'changes')} of the notice: {wrong[0]}.{whose}"
        return broken(found.looked, wrong, said, asked)
    if not later:
        return unproven("This notice has not changed yet.", asked)
    older = sum(count for number, count in found.under.items() if number != look.version)
    said = f"{many(later, 'change', 'changes')} told as promised; {people(older)} still under an older version; {agreed:,} agreements."
    return kept(found.looked + later, f"{said} Looked at: {look.extent}.", asked)


def _untold(look: Look, before: NoticeVersion, after: NoticeVersion) -> Iterator[str]:
    """What a version owed people by the promises of the one before it, and did not do."""
    name, promised = f"version {after.number}", look.policy_of(before).change
    made = Activation.objects.filter(account_id=look.use.account_id, version_id=after.pk).first()
    if made is not None and made.digest != after.digest:
        yield f"{name} is not the text that was decided on"
    if promised is None or not _material(look.policy_of(before), look.policy_of(after)):
        return
    told = set(made.tell) if made else set()
    ways = set(promised.body.tell)
    if ways - told or (promised.body.tell_any and told.isdisjoint(promised.body.tell_any)):
        yield f"{name} was not told in the ways that version {before.number} promised"
    if "email" in told and (made is None or made.told_at is None or made.told_at > after.activated_at):
        yield f"{name} was in force before everybody had their letter"
    due = promised.body.before.after(made.decided_at) if promised.body.before and made else None
    if due is not None and after.activated_at < due:
        yield f"{name} was in force sooner than {promised.body.before} after it was told"


def _material(before: Policy, after: Policy) -> bool:
    return diff(before, after).material


def _agreements(look: Look) -> tuple[int, list[str]]:
    """How many agreements are on record, and those that no entry of the ledger knows."""
    count, wrong = 0, []
    for rows in look.rows(Acceptance):
        for batch in batches(rows.select_related("subject")):
            count += len(batch)
            references = {one.subject.reference for one in batch}
            named = EntrySubject.under(look.use).filter(reference__in=references, entry__kind="acceptance")
            heard = set(named.values_list("reference", flat=True))
            wrong += [f"agreement {one.pk}" for one in batch if one.subject.reference not in heard]
    return count, wrong

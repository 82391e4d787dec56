"""`purpose`, `choice`, `age`: the stored permission of everybody is what their own words and the notice give, no more."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F

from kept.core.errors import Shredded, Tampered
from kept.core.notice import Rule
from kept.core.notice.rules import AgeBody, pick
from kept.core.notice.terms import SubjectFacts
from kept.core.notice.vocabulary import regions_of
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED_BIT
from kept.platform.privacy import choices
from kept.platform.privacy.masks import facts_of
from kept.platform.privacy.models import Choice, Entry, EntrySubject
from kept.platform.privacy.provers.base import Finding, Look, broken, kept, many, people, prover, some, unproven

MOST_REPLAYED = 500
NO = frozenset({"withdrawn", "objected", "opted-out"})


@dataclass
class Masks:
    """The permission of the people looked at, compared with what it should be."""

    looked: int = 0
    open: Counter[int] = field(default_factory=Counter)
    wrong: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    births: int = 0
    children: int = 0
    open_children: list[str] = field(default_factory=list)


def masks(look: Look) -> Masks:
    """Recompute the permission of everybody, or of a sample, from their facts."""
    found = Masks()
    for batch in look.batches():
        facts = facts_of(look.use, batch, look.now)
        for subject in batch:
            _compare(look, found, subject, facts[subject.pk])
    _compare_rows(look, found)
    return found


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(RESERVED_BIT + 1) if mask >> bit & 1]


def _compare(look: Look, found: Masks, subject: Subject, facts: SubjectFacts) -> None:
    due, _ = look.policy.permits(facts)
    declared = sum(1 << one.bit for one in look.policy.purposes.values()) | 1 << RESERVED_BIT
    found.looked += 1
    found.open.update(_bits(subject.permits))
    for bit in _bits((due ^ subject.permits) & declared):
        found.wrong[bit].append(subject.reference)
    found.births += facts.born is not None
    age = look.policy.region(subject.region).age
    if age is not None and age.below(facts.born, look.now):
        found.children += 1
        if subject.permits & declared & ~(1 << RESERVED_BIT):
            found.open_children.append(subject.reference)


def _compare_rows(look: Look, found: Masks) -> None:
    """The mask on every row, of every table, is its subject's."""
    for table in of_subjects():
        if not table.masked:
            continue
        model: Any = table.model
        rows = model.under(look.use).exclude(permits=F("subject__permits"))
        for group in rows.values("permits", "subject__permits").annotate(n=Count("pk")).order_by():
            for bit in _bits(group["permits"] ^ group["subject__permits"]):
                found.rows[bit] += [f"{many(group['n'], 'row', 'rows')} of {table.name}"]


@prover("purpose")
def purpose(rule: Rule, look: Look) -> Finding:
    """Open to a purpose are those whom the notice and their own words leave open, on every row; looks keep to its categories."""
    query = (
        "The permission stored on people, recomputed from their choices, age and region; the copy on every row of theirs; "
        "and the categories shown under this purpose, as the ledger has them."
    )
    terms, found = look.policy.purposes[rule.id], look.once(masks)
    under = [entry for entry in look.looks if entry.purpose == rule.id]
    strayed = {category for entry in under for category in entry.categories if category not in _readable(look, entry.at, rule.id)}
    wrong = [*found.wrong[terms.bit], *found.rows[terms.bit], *(f"{category} was shown" for category in sorted(strayed))]
    if wrong:
        off, rows = len(found.wrong[terms.bit]), found.rows[terms.bit]
        said = f"The stored permission of {people(off)} is not what the notice gives. " if off else ""
        said += f"Records stand otherwise than their person: {', '.join(rows)}. " if rows else ""
        said += f"Shown beyond this purpose: {', '.join(sorted(strayed))}." if strayed else ""
        return broken(found.looked, wrong, said.strip(), query)
    if not found.looked:
        return unproven("Nobody's data is held yet.", query)
    opened = found.open[terms.bit]
    said = f"The data of {people(opened)} may serve this; checked for {look.extent} and every record of theirs."
    return kept(found.looked, said, query, open=opened)


def _readable(look: Look, moment: datetime, purpose_id: str) -> frozenset[str]:
    """The categories a purpose read at a moment."""
    declared = look.policy_at(moment).purposes.get(purpose_id)
    return declared.categories if declared else frozenset()


@prover("age")
def age(rule: Rule, look: Look) -> Finding:
    """Nothing is open for anybody who is known to be too young."""
    assert isinstance(rule.body, AgeBody)
    minimum = pick(rule.body.minimum, rule.region or "")
    query = f"People whose date of birth says they are under {minimum}, with any purpose open."
    found = look.once(masks)
    if found.open_children:
        said = f"The data of {people(len(found.open_children))} below the age may still be used."
        return broken(found.births, found.open_children, said, query)
    if not found.births:
        return unproven("No date of birth is held, so nobody is known to be too young.", query)
    dates = many(found.births, "date", "dates")
    return kept(found.births, f"{dates} of birth looked at; {people(found.children)} under {minimum}, closed to every use.", query)


@prover("choice")
def choice(rule: Rule, look: Look) -> Finding:
    """Nobody whose last word is a no is open, and the choices stored are those the ledger holds."""
    query = (
        "People whose last word on this was no, with the permission still open past the promised time; "
        f"and, for up to {MOST_REPLAYED:,} people, the entries of the ledger replayed against the choices stored."
    )
    terms = look.policy.choices(rule.region or "")[rule.id]
    said_no, still = 0, list[str]()
    for one in terms.governs:
        refused, opened = refusals(look, one, terms.effective_within.after, rule.region)
        said_no, still = said_no + refused, still + opened
    replayed, differing = look.once(replayed_otherwise)
    if still or differing:
        said = f"{people(len(still))} said no, and it is still open. " if still else ""
        said += f"The choices of {people(len(differing))} are stored otherwise than the ledger has them." if differing else ""
        return broken(said_no, [*still, *differing], said.strip(), query)
    if not replayed and not said_no:
        return unproven("Nobody has chosen yet.", query)
    said = f"{people(said_no)} said no, and it is closed for each of them. " if said_no else ""
    said += f"The stored choices of {people(replayed)} are those in the ledger."
    return kept(said_no + replayed, said, query, replayed=replayed)


def refusals(look: Look, purpose: str, effective: Any, within: str | None = None) -> tuple[int, list[str]]:
    """How many people's last word on a purpose is a no that counts, and the references of those still open after `effective(said)`.

    `within` limits the look to people of a region.
    """
    terms = look.policy.purposes[purpose]
    keys = {purpose, *terms.parents, "all"}
    columns = ("subject_id", "state", "at", "subject__permits", "subject__region", "subject__reference")
    last: dict[int, Any] = {}
    for row in Choice.under(look.use).filter(purpose__in=keys).exclude(state="").values_list(*columns):
        before = last.get(row[0])
        if before is None or (row[2], row[1] in NO) > (before[2], before[1] in NO):
            last[row[0]] = row
    count, still = 0, []
    for _, state, at, mask, region, reference in last.values():
        counts = state in NO and look.policy.region(region).clauses[purpose].choice != "none"
        if counts and (within is None or within in regions_of(region)):
            count += 1
            if mask >> terms.bit & 1 and (effective(at) or at) <= look.now:
                still.append(reference)
    return count, still


def replayed_otherwise(look: Look) -> tuple[int, list[str]]:
    """How many people's choices were replayed from the ledger, and the references of those whose stored choices differ."""
    kinds = set(choices.ENTRY.values())
    newest = Entry.under(look.use).filter(kind__in=kinds).order_by("-id").values_list("pk", flat=True)[:MOST_REPLAYED]
    named = EntrySubject.under(look.use).filter(entry_id__in=list(newest)).values_list("reference", flat=True)
    chosen = some(Choice.under(look.use).values_list("subject__reference", flat=True), MOST_REPLAYED)
    subjects = Subject.under(look.use).filter(reference__in=list({*named, *chosen})[:MOST_REPLAYED])
    known = list(subjects.values_list("pk", "reference"))
    return len(known), [reference for pk, reference in known if _differs(look, pk, reference)]


def _differs(look: Look, subject_id: int, reference: str) -> bool:
    """Whether the choices stored are not those the entries say. Entries that no longer open are a difference: the person is still here."""
    try:
        return choices.replay(look.use, reference) != choices.held(look.use, subject_id)
    except (Shredded, Tampered):
        return True

"""`retain` and `right`: nothing stays past its date, no request past its due day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from kept.core.errors import BadInput
from kept.core.ledger import encode, verify_receipt
from kept.core.ledger.keys import VerifyKey
from kept.core.notice import Rule
from kept.core.notice.rules import RightBody
from kept.core.notice.terms import RetainTerms
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.privacy.clocks import OF_PERSON, clocks_of, cutoff
from kept.platform.privacy.models import Erasure, LedgerKey
from kept.platform.privacy.provers.base import (
    BATCH,
    Asked,
    Finding,
    Look,
    batches,
    broken,
    kept,
    many,
    people,
    prover,
    requests_amiss,
    unproven,
)
from kept.platform.privacy.provers.persons import late, persons
from kept.platform.privacy.registry import Clock, registry
from kept.platform.privacy.retention import emptying, free, parts
from kept.platform.privacy.staying import standing

NIGHT = timedelta(hours=26)
"""Retention runs each night: what falls due after one run waits for the next, and a run may take its time."""


@prover("retain", "keep", "after", "then", "duty=legal")
def retain(rule: Rule, look: Look) -> Finding:
    """Nothing that a rule names is held past its date, a night's grace aside; and where the law wants it kept, no erasure took it."""
    terms = next(one for one in look.policy.retains if one.rule.name == rule.name)
    asked = Asked(
        f"What is held of this more than {terms.keep} after {terms.after}, and a night: of everybody, in every run.",
        "per clock: SELECT subject_id WHERE moment < :limit AND NOT EXISTS (moment >= :limit OR moment IS NULL); then what is held of them",
    )
    if missing := _taken(look, terms):
        return broken(len(missing), missing, f"Of {people(len(missing))} erased in part, rows that the law wants kept are gone.", asked)
    limit, clocks = cutoff(terms.keep, look.now - NIGHT), clocks_of(terms)
    if limit is None or not clocks:
        return unproven("Nothing is held here whose time this rule measures.", asked)
    of_person = terms.after in OF_PERSON
    wrong = list(_late_people(look, terms, limit)) if of_person else _late_records(look, terms, limit)
    counted = sum(_count(look, clock) for clock in clocks)
    thing = many(counted, "record", "records")
    if wrong:
        whose = people(len(wrong)) if of_person else many(len(wrong), "record", "records")
        return broken(counted, wrong, f"{whose}, of {thing} with a clock, past their date and still here.", asked)
    if not counted:
        return unproven("Nothing of this is held yet.", asked)
    return kept(counted, f"0 of {thing} past their date.", asked)


def _taken(look: Look, terms: RetainTerms) -> list[str]:
    """References of people of whom an erasure left something under this rule that is not there any more, before its time."""
    missing = []
    for held in Erasure.under(look.use).filter(kept__isnull=False) if terms.duty else ():
        subject = Subject.under(look.use).filter(reference=held.reference).first()
        for line in held.kept or []:
            over = line["until"] is not None and line["until"] <= look.now.isoformat()
            if over or terms.rule.name not in line["why"]:
                continue
            if subject is None or standing(look.use, subject.pk, line["table"], line["category"]) < line["rows"]:
                missing.append(held.reference)
    return sorted(set(missing))


def _count(look: Look, clock: Clock) -> int:
    """How many rows a clock has, asked once in a run."""
    model: Any = clock.model
    counts = look.once(_counts)
    if model not in counts:
        counts[model] = model.under(look.use).count()
    return counts[model]


def _counts(look: Look) -> dict[Any, int]:
    return {}


def _late_people(look: Look, terms: RetainTerms, limit: datetime) -> Iterator[str]:
    """References of people whose every event is past, and of whom something that the rule names is still held."""
    past: set[int] = set()
    for clock in clocks_of(terms):
        model: Any = clock.model
        past.update(model.under(look.use).filter(**{f"{clock.moment}__lt": limit}).values_list("subject_id", flat=True))
    ordered = sorted(past)
    for start in range(0, len(ordered), BATCH):
        some = set(ordered[start : start + BATCH])
        for clock in clocks_of(terms):
            model = clock.model
            alive = Q(**{f"{clock.moment}__gte": limit}) | Q(**{f"{clock.moment}__isnull": True})
            some -= set(model.under(look.use).filter(alive, subject_id__in=some).values_list("subject_id", flat=True))
        held = {pk for part in parts(look.use, terms, sorted(some), look.now) for pk in part.rows.values_list("subject_id", flat=True)}
        yield from Subject.under(look.use).filter(pk__in=held).values_list("reference", flat=True)


def _late_records(look: Look, terms: RetainTerms, limit: datetime) -> list[str]:
    late = []
    for clock in clocks_of(terms):
        model: Any = clock.model
        rows = model.under(look.use).filter(**{f"{clock.moment}__lt": limit})
        if terms.then == "erase":
            rows = free(look.use, terms, model, rows, look.now)
            late += [f"{model._meta.db_table} {pk}" for pk in rows.values_list("pk", flat=True)]
            continue
        for name, where in emptying(look.use, terms, model, rows, look.now).empty.items():
            late += [f"{model._meta.db_table}.{name} {pk}" for pk in rows.filter(where).values_list("pk", flat=True)]
    return late


@prover(
    "right",
    *("kind", "within", "extend", "confirm_within", "verify", "agent", "grounds", "except", "withhold", "while", "contents", "formats"),
    *("fee", "tells", "channels", "consequence", "not_for", "of_basis", "lookback", "once_per", "answer_by", "grace"),
    *("asks", "subject_line", "first_line"),
)
def right(rule: Rule, look: Look) -> Finding:
    """No request under it is open past its day, or was answered otherwise than it says; and what was done leaves what it says it leaves."""
    assert isinstance(rule.body, RightBody)
    kind = rule.body.kind
    asked = Asked(
        "Every request under this right: its day and what set it, the confirmation of its receipt, the proof of who asked, what an agent "
        "brought, its ground, what was kept or withheld and why, who refused it, what its answer held, who was told"
        + MORE.get(kind, ("", ""))[0]
        + ".",
        "SELECT reference FROM requests_request WHERE kind = :kind AND region IN (where this rule holds) AND NOT as_promised(rule)"
        + MORE.get(kind, ("", ""))[1],
    )
    desks = [due(look.use, rule, look.now) for due in registry.due]
    channels, formats = (frozenset[str]().union(*(getattr(desk, name) for desk in desks)) for name in ("channels", "formats"))
    ways = {one for one in rule.body.channels if f"right.channels={one}" in registry.enforcers}  # the others are unbound
    lacking = [*(ways - channels), *(set(rule.body.formats) - formats)] if desks else []
    answered, waiting = sum(desk.answered for desk in desks), sum(desk.open for desk in desks)
    more, wrong, said = LEAVES.get(kind, _nothing)(look)
    faults = requests_amiss(desks)
    faults |= {f"It cannot be asked for, or answered, by {', '.join(sorted(lacking))}.": lacking, said: wrong}
    if any(faults.values()):
        wrong = [one for some in faults.values() for one in some]
        return broken(answered + waiting + more, wrong, " ".join(words for words, some in faults.items() if some), asked)
    if not answered + waiting + more:
        return unproven("Nobody has asked for this yet.", asked)
    done = f"{many(answered, 'request', 'requests')} answered, {waiting:,} open, none past due. " if answered + waiting else ""
    return kept(answered + waiting + more, (done + said).strip(), asked)


MORE = {
    "erase": (
        "; every certificate of an erasure; whether anybody erased is back, and rows that belong to nobody",
        "; SELECT certificate FROM privacy_erasure; SELECT id WHERE NOT EXISTS (subject)",
    ),
    "restrict": ("; people whose data is restricted and open all the same", "; SELECT reference WHERE restricted AND permits & bit"),
    "object": ("; people who objected and whose data is open all the same", "; SELECT reference WHERE said no AND permits & bit"),
}
"""What else is asked of some rights."""
Kept = tuple[int, list[str], str]


def _nothing(look: Look) -> Kept:
    return 0, [], ""


def _erasures(look: Look) -> Kept:
    """Certificates verify against the account's keys, and nothing of the erased is left: no person, no key, no row without a person."""
    keys = [VerifyKey.from_pem(pem) for pem in LedgerKey.under(look.use).values_list("public", flat=True)]
    done, wrong = 0, []
    for rows in look.rows(Erasure):
        for batch in batches(rows):
            done += len(batch)
            for row in batch:
                if row.findings or (row.certificate and "draft" not in row.certificate and not _valid(row.certificate, keys)):
                    wrong.append(row.request)
    back = Subject.under(look.use).filter(reference__in=Erasure.under(look.use).filter(kept__isnull=True).values("reference"))
    wrong += back.values_list("reference", flat=True)
    for table in of_subjects():
        model: Any = table.model
        for rows in look.rows(model):
            orphans = rows.filter(~Exists(Subject.under(look.use).filter(pk=OuterRef("subject_id"))))
            wrong += [f"{table.name} {pk}" for pk in orphans.values_list("pk", flat=True)[:BATCH]]
    if wrong:
        return done, wrong, f"{many(len(wrong), 'trace', 'traces')} of erased people or wrong certificates found."
    return done, [], f"{people(done)} erased, nothing of them found again, every certificate verifies." if done else ""


def _valid(certificate: Any, keys: list[VerifyKey]) -> bool:
    try:
        text = encode(certificate)
    except BadInput:
        return False
    return any(verify_receipt(text, key).state == "valid" for key in keys)


def _restrictions(look: Look) -> Kept:
    """Where a person asked for their data to be left alone, it is."""
    found = look.once(persons)
    count, wrong = found.restrictions, found.unrestricted
    if wrong:
        return count, wrong, f"The data of {people(len(set(wrong)))} is used although they asked for it to be left alone."
    return count, [], f"{many(count, 'restriction stands', 'restrictions stand')}, each on every record." if count else ""


def _objections(look: Look) -> Kept:
    """Where a person objected to something that an objection ends, it is closed."""
    found = look.once(persons)
    count = sum(len(regions) for regions in found.no.values())
    wrong = [one for still in found.still.values() for one in late(still, lambda at: at, look.now)]
    if wrong:
        return count, wrong, f"The data of {people(len(set(wrong)))} is used although they objected."
    return count, [], f"{many(count, 'objection or withdrawal', 'objections and withdrawals')} on record, each in force." if count else ""


def _fairness(look: Look) -> Kept:
    """What is open for somebody follows from the notice and their own words alone, whatever they have asked for."""
    found = look.once(persons)
    wrong = sorted({one for references in found.wrong.values() for one in references})
    if wrong:
        return found.looked, wrong, f"What {people(len(wrong))} may do here follows from something else than the notice and their words."
    return found.looked, [], f"What is open for {people(found.looked)} follows from the notice and their own words alone."


LEAVES: Mapping[str, Callable[[Look], Kept]] = {
    "no-retaliation": _fairness,
    "opt-out-sale": _objections,
    "limit-sensitive": _objections,
    "erase": _erasures,
    "restrict": _restrictions,
    "object": _objections,
    "withdraw": _objections,
}
"""What the answer to some rights leaves behind, which is looked at too."""

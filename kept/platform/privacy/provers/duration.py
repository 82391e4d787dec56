"""`retain` and `right`: nothing stays past its date, no request past its due day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q

from kept.core.errors import BadInput
from kept.core.ledger import encode, verify_receipt
from kept.core.ledger.keys import VerifyKey
from kept.core.notice import Rule
from kept.core.notice.rules import RightBody
from kept.core.notice.terms import RetainTerms
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.privacy.models import Choice, Erasure, LedgerKey
from kept.platform.privacy.provers.base import BATCH, Finding, Look, broken, kept, many, people, prover, unproven
from kept.platform.privacy.provers.purposes import NO, refusals
from kept.platform.privacy.registry import registry
from kept.platform.privacy.retention import OF_PERSON, clocks_of, cutoff, parts

NIGHT = timedelta(hours=26)
"""Retention runs each night: what falls due after one run waits for the next, and a run may take its time."""


@prover("retain")
def retain(rule: Rule, look: Look) -> Finding:
    """Nothing that a rule names is held past its date, a night's grace aside."""
    terms = next(one for one in look.policy.retains if one.rule.name == rule.name)
    query = f"What is held of this more than {terms.keep} after {terms.after}, and a night."
    limit, clocks = cutoff(terms.keep, look.now - NIGHT), clocks_of(terms)
    if limit is None or not clocks:
        return unproven("Nothing is held here whose time this rule measures.", query)
    of_person = terms.after in OF_PERSON
    late = list(_late_people(look, terms, limit)) if of_person else _late_records(look, terms, limit)
    counted = sum(_counted(look, clock.model, of_person) for clock in clocks)
    thing = people(counted) if of_person else many(counted, "record", "records")
    if late:
        return broken(counted, late, f"{len(late):,} of {thing} past their date and still here.", query)
    if not counted:
        return unproven("Nothing of this is held yet.", query)
    return kept(counted, f"0 of {thing} past their date.", query)


def _counted(look: Look, model: Any, of_person: bool) -> int:
    rows = model.under(look.use)
    return int(rows.aggregate(n=Count("subject_id", distinct=True))["n"] if of_person else rows.count())


def _late_people(look: Look, terms: RetainTerms, limit: datetime) -> Iterator[str]:
    """References of people whose latest event is past, and of whom something that the rule names is still held."""
    latest: dict[int, datetime] = {}
    for clock in clocks_of(terms):
        model: Any = clock.model
        ended = model.under(look.use).values("subject_id").annotate(last=Max(clock.moment), all=Count("pk"), past=Count(clock.moment))
        for row in ended.order_by().filter(last__lt=limit):
            latest[row["subject_id"]] = max(row["last"], latest.get(row["subject_id"], row["last"]))
    late = sorted(latest)
    for clock in clocks_of(terms):
        model = clock.model
        for start in range(0, len(late), BATCH):
            alive = Q(**{f"{clock.moment}__gte": limit}) | Q(**{f"{clock.moment}__isnull": True})
            held = set(model.under(look.use).filter(alive, subject_id__in=late[start : start + BATCH]).values_list("subject_id", flat=True))
            latest = {pk: last for pk, last in latest.items() if pk not in held}
    late = sorted(latest)
    for start in range(0, len(late), BATCH):
        some = late[start : start + BATCH]
        held = {pk for part in parts(look.use, terms, some) for pk in part.rows.values_list("subject_id", flat=True)}
        yield from Subject.under(look.use).filter(pk__in=held).values_list("reference", flat=True)


def _late_records(look: Look, terms: RetainTerms, limit: datetime) -> list[str]:
    late = []
    for clock in clocks_of(terms):
        model: Any = clock.model
        ids = model.under(look.use).filter(**{f"{clock.moment}__lt": limit}).values_list("pk", flat=True)
        late += [f"{model._meta.db_table} {pk}" for pk in ids]
    return late


@prover("right")
def right(rule: Rule, look: Look) -> Finding:
    """No request of this kind is open past its due day; and what was done leaves what it says it leaves."""
    assert isinstance(rule.body, RightBody)
    kind = rule.body.kind
    query = f"Requests of the kind “{kind}” that are open past their due day."
    desks = [due(look.use, kind, look.now) for due in registry.due]
    late = [reference for desk in desks for reference in desk.late]
    answered, waiting = sum(desk.answered for desk in desks), sum(desk.open for desk in desks)
    more, wrong, said = {"erase": _erasures, "restrict": _restrictions, "object": _objections}.get(kind, _nothing)(look)
    if late or wrong:
        said = f"{many(len(late), 'request is', 'requests are')} past due. {said}".strip() if late else said
        return broken(answered + waiting + more, [*late, *wrong], said, query)
    if not answered + waiting + more:
        return unproven("Nobody has asked for this yet.", query)
    asked = f"{many(answered, 'request', 'requests')} answered, {waiting:,} open, none past due. " if answered + waiting else ""
    return kept(answered + waiting + more, (asked + said).strip(), query)


Kept = tuple[int, list[str], str]


def _nothing(look: Look) -> Kept:
    return 0, [], ""


def _erasures(look: Look) -> Kept:
    """Certificates verify against the account's keys, and nothing of the erased is left: no person, no key, no row without a person."""
    keys = [VerifyKey.from_pem(pem) for pem in LedgerKey.under(look.use).values_list("public", flat=True)]
    done, wrong = 0, []
    for row in Erasure.under(look.use).order_by("pk").iterator(chunk_size=BATCH):
        done += 1
        if row.findings or (row.certificate and "draft" not in row.certificate and not _valid(row.certificate, keys)):
            wrong.append(row.request)
    back = Subject.under(look.use).filter(reference__in=Erasure.under(look.use).values("reference"))
    wrong += back.values_list("reference", flat=True)
    for table in of_subjects():
        model: Any = table.model
        orphans = model.under(look.use).filter(~Exists(Subject.under(look.use).filter(pk=OuterRef("subject_id"))))
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
    count, wrong = 0, []
    columns = ("purpose", "subject__permits", "subject__region", "subject__reference")
    for key, mask, region, reference in Choice.under(look.use).filter(restricted=True).values_list(*columns):
        count += 1
        clauses = look.policy.region(region).clauses.values()
        if any(clause.restrictable and key in clause.names and mask >> clause.bit & 1 for clause in clauses):
            wrong.append(reference)
    if wrong:
        return count, wrong, f"The data of {people(len(wrong))} is used although they asked for it to be left alone."
    return count, [], f"{many(count, 'restriction stands', 'restrictions stand')}, each on every record." if count else ""


def _objections(look: Look) -> Kept:
    """Where a person objected to something that an objection ends, it is closed."""
    count = Choice.under(look.use).filter(state__in=NO).count()
    wrong = [reference for purpose in look.policy.purposes for reference in refusals(look, purpose, lambda at: at)[1]]
    if wrong:
        return count, wrong, f"The data of {people(len(set(wrong)))} is used although they objected."
    return count, [], f"{many(count, 'objection or withdrawal', 'objections and withdrawals')} on record, each in force." if count else ""

"""One pass over people for every prover that asks about them: what they said, what is open, under which version they stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, cast

from django.db.models import Count, F

from kept.core.notice import ChoiceFact, SubjectFacts
from kept.core.notice.region import PARENTAL_CONSENT, Clause
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED_BIT
from kept.platform.privacy import choices, ledger, masks, notices
from kept.platform.privacy.models import Acceptance, Activation, Choice, Entry, EntrySubject
from kept.platform.privacy.provers.base import BATCH, Look, batches, many
from kept.platform.privacy.registry import registry

NO = frozenset({"withdrawn", "objected", "opted-out"})
State = Literal["given", "withdrawn", "objected", "opted-out"]
Said = tuple[str, datetime, str]
"""A person's reference, when they said it, and where they live."""


@dataclass
class Persons:
    """What the pass found. By bit: whose permission is wrong, and rows that differ from their person's. By purpose: who said no."""

    looked: int = 0
    open: Counter[int] = field(default_factory=Counter)
    wrong: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    no: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    still: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))
    restrictions: int = 0
    unrestricted: list[str] = field(default_factory=list)
    births: int = 0
    children: dict[str, bool] = field(default_factory=dict)
    """Of those who are too young: whether anything is open."""
    replayed: int = 0
    differing: list[str] = field(default_factory=list)
    unasked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By purpose: those for whom it is open although it was declared after their version and they did not consent to it."""
    under: Counter[int] = field(default_factory=Counter)
    moved: list[str] = field(default_factory=list)
    """Those under a version that they never agreed to, and had to."""

    def add(self, more: Persons) -> None:
        """Take in what was found of others."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(more, one.name)
            if isinstance(mine, int):
                setattr(self, one.name, mine + theirs)
            elif isinstance(mine, defaultdict):
                for key, some in theirs.items():
                    mine[key] += some
            elif isinstance(mine, list):
                mine += theirs
            else:
                mine.update(theirs)

    @property
    def amiss(self) -> bool:
        """Whether anything is wrong with anybody."""
        faults = (self.wrong, self.still, self.unrestricted, self.differing, self.unasked, self.moved)
        return any(faults) or any(self.children.values())


def persons(look: Look) -> Persons:
    """Look at everybody, or at this run's part of them. Where something is amiss the same people are looked at a second time, for
    somebody may have chosen between two questions of the first.
    """
    found, run = Persons(), _Run(look)
    for rows in look.rows(Subject):
        for batch in batches(rows):
            one = run.batch(batch)
            found.add(run.batch(list(Subject.under(look.use).filter(pk__in=[each.pk for each in batch]))) if one.amiss else one)
    _compare_rows(look, found)
    return found


def bits(mask: int) -> list[int]:
    """The bits that are set."""
    return [bit for bit in range(RESERVED_BIT + 1) if mask >> bit & 1]


class _Run:
    """What does not change from person to person."""

    def __init__(self, look: Look) -> None:
        self.look, self.policy = look, look.policy
        self.ruling = notices.ruling(look.use.account_id)
        purposes = sum(1 << one.bit for one in self.policy.purposes.values())
        self.purposes, self.declared = purposes, purposes | 1 << RESERVED_BIT
        # While a version comes into force, masks are what both versions leave: narrower than either, never wider.
        under_way = Activation.objects.filter(account_id=look.use.account_id, finished_at=None, stopped_at=None)
        self.narrower = under_way.exists()
        self.chains = dict[tuple[int, int], bool]()

    def batch(self, subjects: Sequence[Subject]) -> Persons:
        found, ids = Persons(), [one.pk for one in subjects]
        said: dict[int, list[Choice]] = defaultdict(list)
        for row in Choice.under(self.look.use).filter(subject_id__in=ids):
            said[row.subject_id].append(row)
        born = registry.birth_dates(self.look.use, ids)
        agreed: dict[int, set[int]] = defaultdict(set)
        for subject_id, number in Acceptance.under(self.look.use).filter(subject_id__in=ids).values_list("subject_id", "number"):
            agreed[subject_id].add(number)
        for one in subjects:
            agreeing = masks.agreed(self.look.use, said[one.pk])
            facts = SubjectFacts(self.look.now, one.region, born.get(one.pk), *_facts(said[one.pk]), agreeing)
            self._permits(found, one, facts)
            self._words(found, one, said[one.pk])
            self._age(found, one, facts)
            self._version(found, one, facts, agreed[one.pk])
        self._replay(found, subjects, said)
        return found

    def _permits(self, found: Persons, subject: Subject, facts: SubjectFacts) -> None:
        due, _ = self.ruling.over(subject.notice_version).permits(facts)
        off = subject.permits & ~due if self.narrower else subject.permits ^ due
        found.looked += 1
        found.open.update(bits(subject.permits))
        for bit in bits(off & self.declared):
            found.wrong[bit].append(subject.reference)

    def _words(self, found: Persons, subject: Subject, said: Sequence[Choice]) -> None:
        """What they refused, read from their own words: not by the way in which masks are computed."""
        for purpose, clause in self.policy.region(subject.region).clauses.items() if said else ():
            last = _refusal(clause, said)
            if last is not None:
                found.no[purpose].append(subject.region)
                if subject.permits >> clause.bit & 1:
                    found.still[purpose].append((subject.reference, last, subject.region))
            if clause.restrictable and _restricted(clause, said):
                found.restrictions += 1
                if subject.permits >> clause.bit & 1:
                    found.unrestricted.append(subject.reference)

    def _age(self, found: Persons, subject: Subject, facts: SubjectFacts) -> None:
        found.births += facts.born is not None
        age = self.policy.region(subject.region).age
        if age is not None and age.below(facts.born, self.look.now):
            allowed = age.consent and _given(facts.choices.get(PARENTAL_CONSENT), self.look.now)
            found.children[subject.reference] = not allowed and bool(subject.permits & self.purposes)

    def _version(self, found: Persons, subject: Subject, facts: SubjectFacts, agreed: set[int]) -> None:
        """Whether what was collected under an older version is kept to it."""
        number = subject.notice_version or self.ruling.number
        found.under[number] += 1
        came = self.look.version_at(subject.created_at)
        if number not in self.look.versions:
            found.moved.append(subject.reference)
            return
        if came is not None and came.number < number and not any(self._follows(one, number) for one in (came.number, *agreed)):
            found.moved.append(subject.reference)
        if number == self.ruling.number:
            return
        known = self.look.policy_of(self.look.versions[number]).purposes
        for purpose, terms in self.policy.purposes.items():
            if subject.permits >> terms.bit & 1 and purpose not in known and not _given(facts.choices.get(purpose), self.look.now):
                found.unasked[purpose].append(subject.reference)

    def _follows(self, agreed: int, number: int) -> bool:
        """Whether somebody who agreed to one version need not be asked before a later one holds for them."""
        if (agreed, number) not in self.chains:
            later = self.look.versions[number]
            asked = notices.Ruling(self.look.use.account_id, number, self.look.policy_of(later)).asks(agreed)
            self.chains[agreed, number] = agreed == number or (agreed < number and not asked)
        return self.chains[agreed, number]

    def _replay(self, found: Persons, subjects: Sequence[Subject], said: Mapping[int, Sequence[Choice]]) -> None:
        """The choices stored are those that the entries of the ledger, read from the first to the last, say."""
        known = {one.reference: one.pk for one in subjects}
        named: dict[int, list[str]] = defaultdict(list)
        kinds = set(choices.ENTRY.values())
        pairs = EntrySubject.under(self.look.use).filter(reference__in=known, entry__kind__in=kinds)
        for reference, pk in pairs.values_list("reference", "entry_id"):
            named[pk].append(reference)
        told: dict[str, dict[str, tuple[str, bool]]] = defaultdict(dict)
        ids = sorted(named)
        for start in range(0, len(ids), BATCH):
            entries = list(Entry.under(self.look.use).filter(pk__in=ids[start : start + BATCH]).order_by("pk"))
            words = ledger.payloads_of(entries)
            for entry in (one for one in entries if one.pk in words):
                for reference in named[entry.pk]:
                    _tell(told[reference], words[entry.pk])
        for reference in {*told, *(one.reference for one in subjects if said[one.pk])}:
            found.replayed += 1
            stored = {one.purpose: (one.state, one.restricted) for one in said[known[reference]]}
            if stored != told.get(reference, {}):
                found.differing.append(reference)


def _facts(said: Sequence[Choice]) -> tuple[dict[str, ChoiceFact], frozenset[str]]:
    given = {one.purpose: ChoiceFact(cast(State, one.state), one.at, one.until) for one in said if one.state}
    return given, frozenset(one.purpose for one in said if one.restricted)


def _given(fact: ChoiceFact | None, now: datetime) -> bool:
    return fact is not None and fact.state == "given" and fact.at <= now and (fact.until is None or now < fact.until)


def _refusal(clause: Clause, said: Sequence[Choice]) -> datetime | None:
    """When the person said no to a purpose on every channel it knows, if that was their last word on each; None otherwise."""
    if clause.choice == "none":
        return None
    last = [max((one for one in said if one.state and one.purpose in keys), key=_rank, default=None) for keys in clause.heard.values()]
    noes = [one.at for one in last if one is not None and one.state in NO]
    return max(noes) if noes and len(noes) == len(last) else None


def _restricted(clause: Clause, said: Sequence[Choice]) -> bool:
    """Whether they had a purpose restricted and did not agree to it since."""
    about = [one for one in said if one.purpose in clause.names]
    last = max((one.at for one in about if one.restricted), default=None)
    agreed = (one.at for one in about if one.state == "given" and one.until is None)
    return last is not None and not any(when > last for when in agreed)


def _rank(one: Choice) -> tuple[datetime, bool]:
    return one.at, one.state in NO


def _tell(told: dict[str, tuple[str, bool]], words: Mapping[str, Any]) -> None:
    """What one more entry says of a person's choices."""
    state, restricted = told.get(words["purpose"], ("", False))
    verb: choices.Verb = words["verb"]
    if verb in ("restrict", "lift", "allow"):
        restricted = verb == "restrict"
    told[words["purpose"]] = (choices.STATE.get(verb, state), restricted)


def _compare_rows(look: Look, found: Persons) -> None:
    """The mask on every row, of every table, is its subject's."""
    for table in of_subjects():
        model: Any = table.model
        for rows in look.rows(model) if table.masked else ():
            differing = rows.exclude(permits=F("subject__permits"))
            for group in differing.values("permits", "subject__permits").annotate(n=Count("pk")).order_by():
                for bit in bits(group["permits"] ^ group["subject__permits"]):
                    found.rows[bit] += [f"{many(group['n'], 'row', 'rows')} of {table.name}"]


def late(still: Iterable[Said], effective: Callable[[datetime], datetime | None], now: datetime) -> list[str]:
    """Of those for whom it is open after a no, the references of those whose time is up; `effective` gives the moment of a word."""
    return [reference for reference, at, _ in still if (effective(at) or at) <= now]

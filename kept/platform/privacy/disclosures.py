"""The one outlet: what goes to anybody outside goes through `disclose`, person by person as the notice and they decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from kept.core.errors import BadInput, Refused
from kept.core.notice import Ask, Decision, Policy, SubjectFacts
from kept.core.notice.standing import Standing
from kept.core.notice.terms import DiscloseTerms
from kept.platform.data.datamap import Table, tables
from kept.platform.data.models import Subject
from kept.platform.data.personal import PersonalModel, ValueModel
from kept.platform.data.use import Use, reading, require, writing
from kept.platform.privacy import aggregates, evidence, fences, inlets, instruments, masks, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Disclosure, Instrument, Provenance, ValueOrigin
from kept.platform.privacy.notices import policy_of

PAPERS: Mapping[str, str] = {"instruction": "instruction", "legal-order": "legal-order", "agreement": "agreement"}
"""What `needs` may ask for that is a paper on file. The rest is stated with each disclosure, or is the person's own choice."""
BATCH = 2000
Piece = tuple[int, str, str]
"""A subject's id, a category, a source."""


@dataclass(frozen=True)
class HeldBack:
    """What was not let out: whose, what, from where, and the rules that keep it; `duties` say what would be needed."""

    reference: str
    category: str
    source: str
    because: tuple[str, ...]
    duties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disclosed:
    """What may now go to the recipient. Nothing that `covers` denies may. `duties` are what is owed with it (tell the person…)."""

    entry: int | None
    recipient: str
    rule: str
    purpose: str
    allowed: Mapping[str, tuple[str, ...]]
    """Categories by the reference of each person of whom anything goes."""
    refused: tuple[HeldBack, ...]
    duties: tuple[str, ...] = ()
    _pieces: frozenset[Piece] = field(default=frozenset(), repr=False)
    _made_of: Mapping[int | None, Sequence[fences.Origin]] = field(default_factory=dict, repr=False)

    def covers(self, row: PersonalModel, category: str = "", source: str = "") -> bool:
        """Whether this value may go: a row of its own, or a column of this category of a record from this source."""
        if isinstance(row, ValueModel):
            return (row.subject_id, row.category, _label(row.source, row.provenance_id, self._made_of)) in self._pieces
        return (row.subject_id, category, source) in self._pieces


def _label(source: str, origin: int | None, made_of: Mapping[int | None, Sequence[fences.Origin]]) -> str:
    """How a piece names its source: of what was derived, by the occasion, whose origins are all asked about."""
    return f"{source}/{origin}" if origin in made_of else source


def disclose(
    use: Use,
    recipient: str,
    subjects: Sequence[Subject],
    categories: Sequence[str],
    *,
    ground: str | None = None,
    reason: str = "",
    rule: str | None = None,
) -> Disclosed:
    """Ask the notice, of each of these people, category and source that the use sees, whether it may go to the recipient (a name, or the
    id of a `disclose` rule), and write one entry in the ledger for what may. `use` is entered. What is sent is filtered by `covers`.

    Raises Refused, with the rule, where the outlet is closed altogether: not in the notice, not for this purpose, for figures only, or
    without the ground, reason, agreement or paper that it needs. Nothing goes out then, and nothing is written.
    """
    require(use)
    policy = policy_of(use.account_id)
    outlet = outlet_for(policy, use.purpose, recipient, rule)
    if outlet.body.form == "aggregate":
        cure = "Ask aggregates.release and disclose_figures."
        raise Refused(
            f"{outlet.rule.name} lets figures about groups out, never persons.", place=recipient, rule=outlet.rule.name, cure=cure
        )
    paper = _stated(use, outlet, ground, reason)
    pieces, made_of = _pieces(use, subjects, categories)
    asked = _Asked(policy, use, outlet, ground, {one.pk: one for one in subjects}, made_of)
    for start in range(0, len(subjects), BATCH):
        asked.decide(list(subjects[start : start + BATCH]), pieces)
    entry = asked.write(reason, paper) if asked.passed else None
    allowed: dict[str, set[str]] = {}
    for subject_id, category, _source in asked.passed:
        allowed.setdefault(asked.subjects[subject_id].reference, set()).add(category)
    return Disclosed(
        entry,
        outlet.to,
        outlet.rule.name,
        use.purpose,
        {reference: tuple(sorted(found)) for reference, found in allowed.items()},
        tuple(asked.refused),
        tuple(sorted(asked.duties)),
        frozenset(asked.passed),
        made_of,
    )


def disclose_figures(
    use: Use, recipient: str, release: aggregates.Release, *, ground: str | None = None, reason: str = "", rule: str | None = None
) -> int:
    """Give figures about groups to a recipient: only a release that passed the group test. The ledger entry's id. Raises Refused."""
    require(use)
    policy = policy_of(use.account_id)
    outlet = outlet_for(policy, use.purpose, recipient, rule)
    beyond = sorted(set(release.categories) - outlet.categories)
    if beyond:
        said = f"{outlet.rule.name} does not let {', '.join(beyond)} out, not in figures either."
        raise Refused(said, place=recipient, rule=outlet.rule.name, cure="Ask for figures about other things.")
    paper = _stated(use, outlet, ground, reason)
    fields = _fields(use, outlet, "aggregate", ground, reason, paper) | {
        "people": 0,
        "passed": [["aggregate", str(release.id), 0]],
        "held_back": [],
    }
    header = {"purpose": use.purpose, "categories": release.categories, "recipient": outlet.to, "rule": outlet.rule.name}
    with bookkeeping(use.account_id, writing=True) as keeping:
        return evidence.keep(keeping, Disclosure, fields, "disclosure", actor=use.actor, **header).entry


def _fields(use: Use, outlet: DiscloseTerms, form: str, ground: str | None, reason: str, paper: Instrument | None) -> dict[str, Any]:
    named = {"recipient": outlet.to, "rule": outlet.rule.name, "purpose": use.purpose, "form": form, "by": use.actor}
    return {**named, "ground": ground or "", "reason": reason, "instrument_id": paper and paper.pk, "at": timezone.now()}


def outlet_for(policy: Policy, purpose: str, recipient: str, rule: str | None = None) -> DiscloseTerms:
    """The outlet to a recipient for a purpose. Raises Refused where the notice has none."""
    to = [one for one in policy.outlets.values() if recipient in (one.to, one.id) and rule in (None, one.rule.name)]
    found = next((one for one in to if purpose in one.purposes), None)
    if found is None:
        said = f"The notice lets nothing go to {recipient} for “{purpose}”."
        name = to[0].rule.name if to else rule or f"disclose:{recipient}"
        raise Refused(said, place=recipient, rule=name, cure="A disclose rule with this recipient, purpose and categories would open it.")
    return found


def _stated(use: Use, outlet: DiscloseTerms, ground: str | None, reason: str) -> Instrument | None:
    """The paper a disclosure rests on, where it needs one. Raises Refused and BadInput for what is not stated or not on file."""
    name = outlet.rule.name
    if inlets.refused_category(reason):
        raise BadInput("The reason holds a refused number.", place="reason", cure="Leave the number out.")
    if outlet.stated and ground not in outlet.stated:
        cure = f"State one of: {', '.join(sorted(outlet.stated))}."
        raise Refused(f"{name} needs a ground for each disclosure.", place="ground", rule=name, cure=cure)
    if (outlet.needs in ("reasoned", "own-act") or outlet.grounds) and not reason.strip():
        raise Refused(f"{name} needs a reason in writing for each disclosure.", place="reason", rule=name, cure="Say why.")
    parties = (outlet.to, outlet.id, outlet.recipient_class, instruments.CUSTOMER)
    held: Instrument | None = None
    kinds = list(dict.fromkeys([*([outlet.needs] if outlet.needs in PAPERS else []), *([ground] if ground in PAPERS else [])]))
    with bookkeeping(use.account_id) as keeping:
        for kind in kinds:
            held = _on_file(keeping, outlet, PAPERS[str(kind)], parties, use.purpose)
        if outlet.agreement is not None:
            agreed = _on_file(keeping, outlet, "agreement", parties[:3], use.purpose, title=outlet.agreement)
            held = held or agreed
    return held


def _on_file(use: Use, outlet: DiscloseTerms, kind: str, parties: Sequence[str], purpose: str, title: str = "") -> Instrument:
    held = instruments.on_file(use, (kind,), parties, purpose=purpose, rule=outlet.rule.name, title=title)
    if held is None:
        said = title or kind.replace("-", " ")
        cure = f"Put it on file as “{kind}” with {outlet.to}, or renew it."
        raise Refused(f"{outlet.rule.name} needs “{said}” on file.", place=outlet.to, rule=outlet.rule.name, cure=cure)
    return held


def _pieces(
    use: Use, subjects: Sequence[Subject], categories: Sequence[str]
) -> tuple[dict[int, set[tuple[str, str]]], dict[int | None, list[fences.Origin]]]:
    """What the use sees of these people in these categories: (category, source) by subject; and the origins of what was derived."""
    ids, found = [one.pk for one in subjects], dict[int, set[tuple[str, str]]]()
    values: list[tuple[int, str, str, int | None]] = []
    for table in tables():
        model: Any = table.model
        if table.by_row:
            seen = model.under(use).filter(subject_id__in=ids, category__in=categories)
            values += seen.values_list("subject_id", "category", "source", "provenance_id").distinct().order_by()
        elif table.of_subject and table.room:
            readable = {one for one in model.personal.columns.values() if one in categories and use.columns.reads(one)}
            held = (
                model.under(use).filter(subject_id__in=ids).values_list("subject_id", "provenance_id").distinct().order_by()
                if readable
                else ()
            )
            sources = dict(Provenance.under(use).filter(pk__in={origin for _, origin in held}).values_list("pk", "source"))
            values += [(subject_id, one, sources.get(origin, ""), origin) for subject_id, origin in held for one in readable]
            values += _of_their_own(use, table, ids, readable)
    made_of = fences.derivations(use, {origin for *_, origin in values})
    for subject_id, category, source, origin in values:
        found.setdefault(subject_id, set()).add((category, _label(source, origin, made_of)))
    return found, made_of


def _of_their_own(use: Use, table: Table, subject_ids: Sequence[int], readable: Collection[str]) -> list[tuple[int, str, str, int | None]]:
    """Of columns whose value is from elsewhere than its record: subject, category, source, occasion."""
    named = {name: category for name, category in table.model.personal.columns.items() if category in readable}
    noted = ValueOrigin.under(use).filter(table=table.name, subject_id__in=subject_ids, column__in=named)
    model: Any = table.model
    seen = model.under(use).filter(subject_id__in=subject_ids).values("pk")
    found = list(noted.filter(row_id__in=seen).values_list("subject_id", "column", "provenance_id"))
    sources = dict(Provenance.under(use).filter(pk__in={origin for *_, origin in found}).values_list("pk", "source"))
    return [(subject_id, named[column], sources.get(origin or 0, ""), origin) for subject_id, column, origin in found]


class _Asked:
    """The questions of one disclosure, and their answers."""

    def __init__(
        self,
        policy: Policy,
        use: Use,
        outlet: DiscloseTerms,
        ground: str | None,
        subjects: dict[int, Subject],
        made_of: Mapping[int | None, Sequence[fences.Origin]],
    ) -> None:
        self.policy, self.use, self.outlet, self.ground, self.subjects, self.made_of = policy, use, outlet, ground, subjects, made_of
        self.passed: list[Piece] = []
        self.refused: list[HeldBack] = []
        self.duties: set[str] = set()
        self.ruling = notices.ruling(use.account_id)

    def decide(self, subjects: Sequence[Subject], pieces: Mapping[int, set[tuple[str, str]]]) -> None:
        """Decide on everything of these people."""
        with reading(masks.rights_use(self.use.account_id, self.use.actor)) as rights:
            facts = masks.facts_of(rights, subjects, timezone.now())
        for subject in subjects:
            terms = self.ruling.over(subject.notice_version)
            for category, source in sorted(pieces.get(subject.pk, ())):
                answer = self._answer(terms, facts[subject.pk], category, source)
                if answer.allowed:
                    self.passed.append((subject.pk, category, source))
                    self.duties.update(answer.duties)
                else:
                    self.refused.append(HeldBack(subject.reference, category, source, answer.because, answer.duties))

    def _answer(self, terms: Policy | Standing, facts: SubjectFacts, category: str, source: str) -> Decision:
        """One answer for a value, and for what was derived one that all of its origins give."""
        outlet, _slash, origin = self.outlet.id, *source.partition("/")[1:]
        plain = Ask(self.use.purpose, category, None if origin else source or None, recipient=outlet, ground=self.ground)
        answer = terms.decide(plain, facts)
        for one in self.made_of.get(int(origin), ()) if origin and answer.allowed else ():
            for fence in fences.standing(self.policy, one):
                barred = fence.outlets is not None and outlet not in fence.outlets
                if fence.derived and barred and not fence.lifted(self.outlet):
                    return Decision(False, (fence.rule.name,))
        return answer

    def write(self, reason: str, paper: Instrument | None) -> int:
        """One entry for everything that passed, and what the entry's header has no room for."""
        people = sorted({self.subjects[subject_id].reference for subject_id, *_ in self.passed})
        categories = {category for _, category, _ in self.passed}
        passed = Counter((category, source) for _, category, source in self.passed)
        kept_back = Counter((one.category, one.source) for one in self.refused)
        counts = {"people": len(people), "passed": _counts(passed), "held_back": _counts(kept_back)}
        fields = _fields(self.use, self.outlet, "identified", self.ground, reason, paper) | counts
        header = {"purpose": self.use.purpose, "categories": categories, "recipient": self.outlet.to, "rule": self.outlet.rule.name}
        with writing(self.use):
            return evidence.keep(self.use, Disclosure, fields, "disclosure", subjects=people, **header).entry


def _counts(found: Counter[tuple[str, str]]) -> list[list[Any]]:
    return [[*piece, count] for piece, count in sorted(found.items())]

"""Correction: the person says what is wrong and what it should say, the team looks and writes it, with the person as its source.

While it is looked into what is contested is used for nothing, where the notice says so or the person asks: Article 18(1)(a) GDPR.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kept.apps.contacts.actions import one_line
from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.requests import letters, private, queries
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.actions.deciding import grant
from kept.apps.requests.answers import restricting
from kept.apps.requests.answers.base import Answer, finish
from kept.apps.requests.answers.telling import tells
from kept.apps.requests.models import Request, State
from kept.core.errors import BadInput, NotFound, Refused
from kept.core.notice.terms import CollectTerms
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import Table, of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.personal import PersonalModel, ValueModel
from kept.platform.data.use import Use, writing
from kept.platform.privacy import ledger, masks, provenance, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.digests import KINDS
from kept.platform.privacy.fields import held, of_row
from kept.platform.privacy.gate import looked, reserved
from kept.platform.privacy.models import Identifier
from kept.platform.privacy.notices import policy_of

SOURCES = ("subject", "staff")
"""Whose word a correction is, the person's before that of whoever writes it down for them."""
OCCASION = "corrected at the person's request"


@dataclass(frozen=True)
class Correctable:
    """One value that can be put right. `key` names it in a form: table, id of the row, field."""

    key: str
    place: str
    label: str
    category: str
    value: str = dataclasses.field(repr=False)


@dataclass(frozen=True)
class Correction:
    """One value as it should be. A record of 0 adds a value of the category that `field` names: an email address or a telephone number."""

    table: str
    record: int
    field: str
    value: str = dataclasses.field(repr=False)

    @classmethod
    def read(cls, key: str, value: str) -> Correction:
        """From a form. Raises BadInput for a key that names no value."""
        table, _slash, rest = key.partition("/")
        record, _slash, name = rest.partition("/")
        if not (table and name and record.isdigit()):
            raise BadInput(_("This names no value."), place="key", cure=_("Choose one of those listed."))
        return cls(table, int(record), name, value)


def correctable(use: Use, request: Request) -> list[Correctable]:
    """What is held of the person a request is about, empty fields included. `use` is of `rights`; showing it is a look."""
    subject = queries.subject_of(use, request)
    if subject is None:
        return []
    tree, tables = policy_of(use.account_id).notice.vocabulary["category"], _tables()
    found = []
    for one in held(use, subject.pk):
        table = tables[one.table]
        if one.field == "value" and table.model.personal.columns:  # made of its parts
            continue
        title = tree[one.category].title if one.category in tree else one.category
        label = title if one.field == "value" else capfirst(str(table.model._meta.get_field(one.field).verbose_name))  # type: ignore[union-attr]
        place = capfirst(str(table.model._meta.verbose_name))
        found.append(Correctable(f"{one.table}/{one.row_id}/{one.field}", place, label, one.category, one.value))
    looked(use, [subject.reference], categories=sorted({one.category for one in found}))
    return found


def apply_correction(
    account: Account, actor: Actor, request: Request, changes: Iterable[Correction], *, reason: str = "", ground: str = ""
) -> list[str]:
    """Write what is right, with the person as its source, and grant the request; the categories that changed. `reason` and `ground` are
    those of `actions.grant`.

    Raises BadInput for a malformed value or where nothing changes, NotFound for a value that is not the person's, Refused for what the
    notice keeps out, Conflict for an identifier that is somebody else's or a request that has moved on.
    """
    with reserved(account.pk, actor, "rights", rule=request.rule, request=request.reference) as use, writing(use):
        found = again(use, request, {State.VERIFIED, State.DECIDING})
        subject = queries.subject_of(use, found)
        if subject is None:
            raise NotFound(_("Nobody is there to be put right."), place=request.reference)
        desk = _Desk(use, found, subject)
        for one in changes:
            desk.take(one)
        if not desk.lines:
            raise BadInput(_("Nothing would change."), place="changes", cure=_("Write what it should say, or refuse with a reason."))
        desk.close()
        before = private.open_private(found)
        details = {**before.details, "corrected": "\n".join(desk.lines)}
        sealed = private.seal(found.key_id or 0, found.reference, replace(before, details=details))
        decision = {**found.decision, "corrected": sorted(desk.categories)}
        change(use, found, actor.reference, noted="corrected", decision=decision, sealed=sealed, subject_reference=subject.reference)
        grant(account, actor, found, reason=reason, ground=ground)
    return sorted(desk.categories)


def _tables() -> dict[str, Table]:
    return {table.name: table for table in of_subjects() if table.room}


class _Desk:
    """The corrections of one request. `lines` are what changed, for the person to read."""

    def __init__(self, use: Use, request: Request, subject: Subject) -> None:
        self.use, self.request, self.subject = use, request, subject
        self.tree = policy_of(use.account_id).notice.vocabulary["category"]
        self.lines: list[str] = []
        self.categories: set[str] = set()

    def take(self, one: Correction) -> None:
        """Write one."""
        value = one.value.strip()
        if one.record == 0:
            self._add(one.field, value)
            return
        row = self._row(one)
        before = {each.field: each for each in of_row(one.table, row)}
        if one.field not in before or (one.field == "value" and row.personal.columns):
            raise BadInput(_("This value cannot be put right by itself."), place=one.field, cure=_("Choose one of those listed."))
        old, category = before[one.field].value, before[one.field].category
        if value == old:
            return
        self._check(category, value)
        self._write(row, one.field, category, value)
        if isinstance(row, ValueModel) and category in KINDS:
            self._known_by(type(row), category, old, value)
        self._note(category, value)

    def _row(self, one: Correction) -> PersonalModel:
        table = _tables().get(one.table)
        model: Any = table.model if table else None
        row = model.under(self.use).filter(pk=one.record, subject_id=self.subject.pk).first() if model else None
        if row is None:
            raise NotFound(_("There is no such value of this person."), place=f"{one.table}/{one.record}")
        found: PersonalModel = values.opened(self.use, [row])[0]
        return found

    def _check(self, category: str, value: str) -> None:
        if category in ("email", "phone") and value:
            subjects.normalised(category, value, self.subject.region)
        if category == "birth-date" and value:
            try:
                date.fromisoformat(value)
            except ValueError:
                raise BadInput(_("This is no day of the calendar."), place=category, cure=_("Write it as 1984-02-12.")) from None

    def _write(self, row: PersonalModel, name: str, category: str, value: str) -> None:
        new = {name: value}
        if isinstance(row, PostalAddress):
            parts = {part: getattr(row, part) for part in row.personal.columns}
            new["value"] = one_line(parts | new)
        inlet = self._inlet(category)
        values.change(self.use, row, source=inlet.source if inlet else "", **new)
        if inlet:
            provenance.note_value(self.use, row, list(new), self._origin(inlet))

    def _inlet(self, category: str) -> CollectTerms | None:
        """How the notice lets such a value in from the person, or by the team's hand; else the value keeps its origin."""
        policy = policy_of(self.use.account_id)
        rules = [rule for source in SOURCES for rule in policy.may_collect(category, source).because]
        return next((one for rule in rules for one in policy.collects if one.rule.name == rule), None)

    def _origin(self, inlet: CollectTerms) -> int:
        """This occasion, on the basis of what the value serves where the person lives."""
        policy = policy_of(self.use.account_id)
        basis = policy.basis(inlet.purposes[0], self.subject.region) if inlet.purposes else ""
        return provenance.record(self.use, source=inlet.source, occasion=OCCASION, basis=basis, rule=inlet.rule.name)

    def _known_by(self, model: type[ValueModel], kind: str, old: str, new: str) -> None:
        """They are found by the new value, and no longer by the old one unless another of theirs says the same."""
        rest = values.opened(self.use, list(model.under(self.use).filter(subject_id=self.subject.pk, category=kind)))
        kept = {self._digest(kind, one.value) for one in rest}
        gone = {self._digest(kind, old) if old else None} - kept - {None}
        Identifier.under(self.use).filter(subject_id=self.subject.pk, kind=kind, digest__in=gone).delete()
        subjects.identify(self.use, self.subject.pk, [(kind, one)] if (one := self._digest(kind, new)) else [])

    def _digest(self, kind: str, value: str) -> bytes | None:
        try:
            return subjects.digest(self.use.account_id, kind, value, self.subject.region)
        except BadInput:  # it came in before it had to be well-formed
            return None

    def _add(self, category: str, value: str) -> None:
        record = Person.under(self.use).filter(subject_id=self.subject.pk).order_by("pk").first()
        if record is None or category not in ("email", "phone") or not value:
            cure = _("Add an email address or a telephone number.")
            raise BadInput(_("This cannot be added here."), place=category, cure=cure)
        self._check(category, value)
        inlet = self._inlet(category)
        if inlet is None:
            said = _("The notice lets no %(category)s in from people themselves.") % {"category": self.tree[category].title}
            raise Refused(said, place=category, rule=f"collect:{category}", cure=_("A collect rule of the notice would open it."))
        names = ("subject", "person", "category", "source", "value", "provenance_id")
        line = (self.subject.pk, record.pk, category, inlet.source, value, self._origin(inlet))
        values.insert(self.use, ContactPoint, names, [line])
        self._known_by(ContactPoint, category, "", value)
        self._note(category, value)

    def _note(self, category: str, value: str) -> None:
        title = self.tree[category].title if category in self.tree else category
        self.lines.append(f"{title}: {value or _('removed')}")
        self.categories.add(category)

    def close(self) -> None:
        """What depends on the values, and the entry in the ledger."""
        Person.under(self.use).filter(subject_id=self.subject.pk).update(changed_at=timezone.now())
        if "birth-date" in self.categories:
            masks.refresh(self.use, [self.subject.pk])
        ledger.append(
            self.use,
            "correction",
            purpose=self.use.purpose,
            categories=sorted(self.categories),
            rule=self.request.rule or None,
            subjects=[self.subject.reference],
            request=self.request.reference,
            payload={"fields": sorted(self.categories), "source": "subject"},
            key_id=self.subject.key_id,
        )


# The request


def _meanwhile(account: Account, request: Request, subject: Subject) -> None:
    """What is contested is used for nothing while it is looked into."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        right = queries.right_of(queries.terms_of(use, request), "restrict", request.region)
    contested = right is not None and "contested" in right.body.grounds
    if contested or private.open_private(request).details.get("restrict"):
        restricting.hold(account, request, subject, ["all"])


def _answer(account: Account, request: Request, subject: Subject) -> None:
    """What was changed, to the person and to those who had it; then what was put aside is used again."""
    told, put_aside = private.open_private(request), restricting.holds(request)
    corrected: Sequence[str] = told.details.get("corrected", "").splitlines()
    if corrected:
        tells(account, request, "correct")

    def letter(account: Account, request: Request) -> letters.Letter:
        if not corrected:
            return letters.answered(account, request, told.reason)
        says = [_("we have put right what we hold about you. It says now:"), *corrected]
        says += [told.reason] if told.reason else []
        says += [_("While we looked into it we only stored your data. From now on we use it again.")] if put_aside else []
        return letters.done(account, request, says)

    with bookkeeping(account.pk, writing=True):
        outcome = {"corrected": request.decision.get("corrected", []), "from": timezone.now().isoformat()}
        finish(account, request, letter, outcome)
        restricting.ending(account, request, told=bool(corrected))


CORRECT = Answer(_answer, decides=lambda request, right, held: True, meanwhile=_meanwhile, refused=restricting.ending)

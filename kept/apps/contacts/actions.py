"""Changes to people and companies: each one transaction, with its origin noted and its entry in the ledger.

What comes in by hand passes one inlet: a rule of the notice must let the category in from the source named, the purpose must list
it, and no payment card or national identity number may stand in it. What is refused is neither stored nor said again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.contacts import queries
from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.apps.contacts.queries import PARTS
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.core.notice import Ask, Policy, SubjectFacts
from kept.core.notice.vocabulary import BASES
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import choices, inlets, ledger, masks, provenance, subjects, suppression, values
from kept.platform.privacy.choices import Verb
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.fences import Origin, closing
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Identifier, ValueOrigin
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.subjects import Newcomer

ENTERED, CORRECTED = "entered by hand", "corrected by hand"
"""Occasions. Free text could hold a name."""
CATEGORIES = ("name", "job-title", "organisation", "email", "phone", "postal-address", "birth-date")
COLUMNS = {"given_name": "name", "family_name": "name", "job_title": "job-title", "birth_date": "birth-date"}


@dataclass(frozen=True)
class NewPerson:
    """What is entered of a person. `source` is a term of the vocabulary; `basis` empty: the notice's own for the purpose."""

    region: str
    source: str = "staff"
    given_name: str = ""
    family_name: str = ""
    job_title: str = ""
    birth_date: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    owner_id: int | None = None
    basis: str = ""

    def by_category(self) -> dict[str, list[str]]:
        """The texts that were entered, by category."""
        held = {
            "name": [self.given_name, self.family_name],
            "job-title": [self.job_title],
            "birth-date": [self.birth_date],
            "organisation": [self.company],
            "email": [self.email],
            "phone": [self.phone],
            "postal-address": [getattr(self, part) for part in PARTS],
        }
        return {category: [text for text in texts if text] for category, texts in held.items() if any(texts)}


# The inlet


def enterable(use: Use) -> dict[str, list[str]]:
    """The categories of this room that may be entered by hand, each with the sources it may come from and still be read afterwards."""
    policy = policy_of(use.account_id)
    never = policy.notice.vocabulary["source"].under("automatic", "import")
    declared = list(dict.fromkeys(one.source for one in policy.collects if one.source not in never))
    found = {category: [one for one in declared if _enters(use, policy, category, one)] for category in CATEGORIES}
    return {category: sources for category, sources in found.items() if sources}


def _enters(use: Use, policy: Policy, category: str, source: str) -> bool:
    open_after = not ~policy.fence(source, category) & use.mask
    return policy.may_collect(category, source).allowed and use.columns.writes(category) and open_after


def _admit(use: Use, policy: Policy, source: str, entered: Mapping[str, Sequence[str]]) -> None:
    """Raise Refused, with the rule, unless all this may come in. The message never holds the value."""
    for category, texts in entered.items():
        for text in texts:
            if found := inlets.refused_category(text):
                rule = policy.refused_by(found).name if found in policy.refused else f"collect:{found}"
                title = policy.notice.vocabulary["category"][found].title.lower()
                message = _("This holds what looks like a %(title)s. It was refused, and nothing was stored.") % {"title": title}
                raise Refused(message, place=category, rule=rule, cure=_("Leave the number out."))
        decision = policy.may_collect(category, source)
        if not decision.allowed:
            said = {"category": category, "source": policy.notice.vocabulary["source"][source].title if source else source}
            message = _("The notice lets no %(category)s in from “%(source)s”.") % said
            cure = _("Choose another source, or leave it empty. A collect rule of the notice would open it.")
            raise Refused(message, place=category, rule=next(iter(decision.because), f"collect:{category}"), cure=cure)
        if not use.columns.writes(category):
            rule, text = use.why(category)
            raise Refused(text, place=category, rule=rule)
        if closed := ~policy.fence(source, category) & use.mask:
            message = _("The notice keeps %(category)s from this source from whoever enters it here.") % {"category": category}
            raise Refused(message, place=category, rule=closing(policy, Origin(source, category), closed), cure=_("Choose another source."))


def _check_age(use: Use, policy: Policy, region: str, born: date | None) -> None:
    """Raise Refused when the notice closes this purpose to somebody of that age."""
    decision = policy.decide(Ask(use.purpose), SubjectFacts(now=timezone.now(), region=region, born=born))
    younger = policy.decide(Ask(use.purpose), SubjectFacts(now=timezone.now(), region=region))
    if younger.allowed and not decision.allowed:
        message = _("The notice does not let us work with somebody of this age.")
        raise Refused(message, place="birth-date", rule=next(iter(decision.because), ""), cure=_("Nothing was stored. Check the year."))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(_("This is no day of the calendar."), place="birth-date", cure=_("Write it as 1984-02-12.")) from None


def _origins(
    use: Use, policy: Policy, source: str, categories: Iterable[str], region: str, occasion: str, basis: str = ""
) -> dict[str, int]:
    """Note where values of these categories come from; the provenance of each. One for each rule that lets them in."""
    made: dict[str, int] = {}
    found = {}
    for category in categories:
        rule = policy.may_collect(category, source).because[0]
        if rule not in made:
            held_because = basis or policy.basis(use.purpose, region)
            made[rule] = provenance.record(use, source=source, occasion=occasion, basis=held_because, rule=rule)
        found[category] = made[rule]
    return found


# People


def add_person(use: Use, data: NewPerson) -> int:
    """Add somebody; the id of their record. Raises Refused, BadInput, and Conflict where an identifier is known already."""
    policy, entered = policy_of(use.account_id), data.by_category()
    if not entered:
        raise BadInput(_("Nothing was entered."), place="name", cure=_("Give at least a name."))
    born = _day(data.birth_date)
    _admit(use, policy, data.source, entered)
    _check_age(use, policy, data.region, born)
    identifiers = [(kind, _digest(use, kind, text, data.region)) for kind, text in (("email", data.email), ("phone", data.phone)) if text]
    with writing(use):
        subject_id = _subject_for(use, policy, Newcomer(data.region, born), identifiers, data.source)
        origins = _origins(use, policy, data.source, entered, data.region, ENTERED, data.basis)
        own = origins.get("name") or next(iter(origins.values()))
        now = timezone.now()
        columns = {name: getattr(data, name) for name in COLUMNS if getattr(data, name)}
        if data.company:
            columns["company"] = company_named(use, data.company)
        plain = {"owner_id": data.owner_id, "provenance_id": own, "created_at": now, "changed_at": now}
        names = ("subject", *columns, *plain)
        (person_id,) = values.insert(use, Person, names, [(subject_id, *columns.values(), *plain.values())])
        person = Person.under(use).get(pk=person_id)
        _note_differing(use, person, {name: origins[COLUMNS.get(name, "organisation")] for name in columns})
        for kind, text in (("email", data.email), ("phone", data.phone)):
            if text:
                _insert_point(use, policy, person, data.source, kind, text, "", origins[kind])
        if "postal-address" in entered:
            _insert_address(use, policy, person, data.source, {part: getattr(data, part) for part in PARTS}, origins["postal-address"])
        _tell(use, Subject.under(use).get(pk=subject_id), "collection", entered, {"source": data.source, "occasion": ENTERED})
    return person_id


def _note_differing(use: Use, person: Person, origins: Mapping[str, int]) -> None:
    """Note the values whose origin is not the record's."""
    for origin in set(origins.values()) - {person.provenance_id}:
        provenance.note_value(use, person, [name for name, one in origins.items() if one == origin], origin)


def change_person(use: Use, person_id: int, seen: datetime, changes: Mapping[str, Any], *, source: str = "staff") -> None:
    """Set the named values of a record that nobody changed since `seen`. Names: those of COLUMNS, `company` (a name) and `owner_id`.

    Raises Conflict when somebody did, Refused and BadInput for what may not come in, NotFound.
    """
    policy = policy_of(use.account_id)
    born = _day(str(changes.get("birth_date", "")))
    _admit(use, policy, source, _by_category(changes))
    with _changing(use, person_id, seen) as person:
        (held,) = values.opened(use, [person])
        subject = Subject.under(use).get(pk=person.subject_id)
        if born:
            _check_age(use, policy, subject.region, born)
        new = {name: value for name, value in changes.items() if name in (*COLUMNS, "owner_id") and getattr(held, name) != value}
        if "company" in changes:
            company_id = company_named(use, changes["company"]) if changes["company"] else None
            new |= {"company": company_id} if company_id != person.company_id else {}
        if not new:
            return
        values.change(use, person, source=source, **new)
        noted = {name: COLUMNS.get(name, "organisation") for name in new if name != "owner_id"}
        _note(use, policy, person, source, subject.region, {name: category for name, category in noted.items() if changes[name]})
        if "birth_date" in new:
            with writing(masks.rights_use(use.account_id, use.actor)) as rights:
                masks.refresh(rights, [person.subject_id])
        if noted:
            _tell(use, subject, "correction", noted.values(), {"fields": sorted(noted)})


def _by_category(changes: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in changes.items():
        if name != "owner_id" and value:
            found.setdefault(COLUMNS.get(name, "organisation"), []).append(str(value))
    return found


def _note(
    use: Use, policy: Policy, row: Person | ContactPoint | PostalAddress, source: str, region: str, columns: Mapping[str, str]
) -> None:
    """Give changed values an origin of their own; `columns` maps each to its category."""
    origins = _origins(use, policy, source, sorted(set(columns.values())), region, CORRECTED)
    for origin in set(origins.values()):
        provenance.note_value(use, row, [name for name, category in columns.items() if origins[category] == origin], origin)


def remove_person(use: Use, person_id: int) -> None:
    """Delete a record with its contact points and addresses. The subject stays, with choices and identifiers: erasing is another act."""
    with writing(use):
        person = _person(use, person_id)
        subject = Subject.under(use).get(pk=person.subject_id)
        # Rows that a fence or a category hides from this purpose go as well.
        with reserved(use.account_id, use.actor, "rights") as rights, writing(rights):
            for model in (ContactPoint, PostalAddress, Person):
                of_person = {"pk": person_id} if model is Person else {"person_id": person_id}
                ids = list(model.under(rights).filter(**of_person).values_list("pk", flat=True))
                ValueOrigin.under(rights).filter(table=model._meta.db_table, row_id__in=ids).delete()
                model.under(rights).filter(pk__in=ids).delete()
        _tell(use, subject, "correction", (), {"removed": "record"})


def company_named(use: Use, name: str) -> int:
    """The company of that name, made when there is none; inside an action."""
    plain = " ".join(name.split())
    held: int | None = Company.under(use).filter(name=plain).order_by("pk").values_list("pk", flat=True).first()
    if held is not None:
        return held
    (made,) = values.insert(use, Company, ("name", "created_at"), [(plain, timezone.now())])
    return made


def change_company(use: Use, company_id: int, changes: Mapping[str, str]) -> None:
    """Set name, website or city of a company. Raises NotFound, Refused."""
    policy, source = policy_of(use.account_id), enterable(use).get("organisation", ["staff"])[0]
    new = {name: changes[name].strip() for name in ("name", "website", "city") if name in changes}
    _admit(use, policy, source, {"organisation": [text for text in new.values() if text]})
    if new.get("name") == "":
        raise BadInput(_("A company needs a name."), place="name", cure=_("Give one."))
    with writing(use):
        if not Company.under(use).filter(pk=company_id).update(**new):
            raise NotFound(_("There is no such company here."), place=f"companies/{company_id}")


def choose(use: Use, person_id: int, purpose: str, agreed: bool) -> None:
    """Record what a person told the team about a purpose that is theirs to decide. Raises BadInput for another purpose."""
    policy, person = policy_of(use.account_id), _person(use, person_id)
    subject = Subject.under(use).get(pk=person.subject_id)
    basis = policy.basis(purpose, subject.region) if purpose in policy.purposes else ""
    moved = BASES[basis].choice if basis in BASES else "none"
    if moved == "none":
        raise BadInput(_("This purpose is not theirs to decide."), place="purpose", cure=_("They can ask for it to be restricted."))
    refusal: Verb = "withdraw" if moved == "gives" else "opt-out" if basis == "opt-out" else "object"
    with reserved(use.account_id, use.actor, "rights") as rights:
        choices.choose(rights, subject, "allow" if agreed else refusal, purpose)


# Contact points and addresses


def add_point(use: Use, person_id: int, category: str, value: str, *, label: str = "", source: str = "staff") -> int:
    """Add an email address or a telephone number; its id. Raises as `add_person` does."""
    policy = policy_of(use.account_id)
    _admit(use, policy, source, {category: [value, label]})
    with _changing(use, person_id) as person:
        subject = Subject.under(use).get(pk=person.subject_id)
        _identify(use, subject, category, new=value, source=source)
        origin = _origins(use, policy, source, [category], subject.region, ENTERED)[category]
        point_id = _insert_point(use, policy, person, source, category, value, label, origin)
        _tell(use, subject, "collection", [category], {"source": source, "occasion": ENTERED})
    return point_id


def change_point(use: Use, point_id: int, seen: datetime, value: str, *, label: str = "", source: str = "staff") -> None:
    """Change a contact point of a record that nobody changed since `seen`. Raises as `change_person` does."""
    policy, held = policy_of(use.account_id), _row(use, ContactPoint, point_id)
    _admit(use, policy, source, {held.category: [value, label]})
    with _changing(use, held.person_id, seen):
        (point,) = values.opened(use, [held])
        subject = Subject.under(use).get(pk=point.subject_id)
        if value != point.value:
            _identify(use, subject, point.category, old=point, new=value, source=source)
            _note(use, policy, point, source, subject.region, {"value": point.category})
            _tell(use, subject, "correction", [point.category], {"fields": [point.category]})
        values.change(use, point, source=source, value=value.strip(), label=label.strip())


def remove_point(use: Use, point_id: int) -> None:
    """Delete a contact point, and let nobody be found by it any more."""
    (point,) = values.opened(use, [_row(use, ContactPoint, point_id)])
    with _changing(use, point.person_id):
        subject = Subject.under(use).get(pk=point.subject_id)
        _identify(use, subject, point.category, old=point)
        _delete(use, point)
        _tell(use, subject, "correction", [point.category], {"removed": point.category})


def add_address(use: Use, person_id: int, parts: Mapping[str, str], *, source: str = "staff") -> int:
    """Add a postal address; its id."""
    policy = policy_of(use.account_id)
    _admit(use, policy, source, {"postal-address": _told_parts(parts)})
    with _changing(use, person_id) as person:
        subject = Subject.under(use).get(pk=person.subject_id)
        origin = _origins(use, policy, source, ["postal-address"], subject.region, ENTERED)["postal-address"]
        address_id = _insert_address(use, policy, person, source, parts, origin)
        _tell(use, subject, "collection", ["postal-address"], {"source": source, "occasion": ENTERED})
    return address_id


def change_address(use: Use, address_id: int, seen: datetime, parts: Mapping[str, str], *, source: str = "staff") -> None:
    """Change an address of a record that nobody changed since `seen`."""
    policy, held = policy_of(use.account_id), _row(use, PostalAddress, address_id)
    _admit(use, policy, source, {"postal-address": _told_parts(parts)})
    with _changing(use, held.person_id, seen):
        subject = Subject.under(use).get(pk=held.subject_id)
        values.change(use, held, source=source, value=one_line(parts), **{part: parts.get(part, "").strip() for part in PARTS})
        _note(use, policy, held, source, subject.region, {"value": "postal-address"})
        _tell(use, subject, "correction", ["postal-address"], {"fields": ["postal-address"]})


def remove_address(use: Use, address_id: int) -> None:
    """Delete an address."""
    held = _row(use, PostalAddress, address_id)
    with _changing(use, held.person_id):
        subject = Subject.under(use).get(pk=held.subject_id)
        _delete(use, held)
        _tell(use, subject, "correction", ["postal-address"], {"removed": "postal-address"})


def one_line(parts: Mapping[str, str]) -> str:
    """An address as people write it in a sentence."""
    said = {part: parts.get(part, "").strip() for part in PARTS}
    place = " ".join(text for text in (said["postcode"], said["city"]) if text)
    return ", ".join(text for text in (said["street"], place, said["state"], said["country"]) if text)


def _told_parts(parts: Mapping[str, str]) -> list[str]:
    told = [text for part in PARTS if (text := parts.get(part, "").strip())]
    if not told:
        raise BadInput(_("This address is empty."), place="street", cure=_("Fill in what you know of it, or remove it."))
    return [*told, one_line(parts)]


# Inside an action


def _person(use: Use, person_id: int) -> Person:
    found: Person | None = Person.under(use).filter(pk=person_id).first()
    if found is None:
        raise NotFound(_("There is no such person here."), place=f"people/{person_id}")
    return found


def _row(use: Use, model: type[Any], row_id: int) -> Any:
    found = model.under(use).filter(pk=row_id).first()
    if found is None:
        raise NotFound(_("There is no such value here."), place=f"{model._meta.model_name}/{row_id}")
    return found


@contextmanager
def _changing(use: Use, person_id: int, seen: datetime | None = None) -> Iterator[Person]:
    """One action on a record, which is marked as changed. With `seen`, Conflict if somebody changed it since."""
    with writing(use):
        held = Person.under(use).filter(pk=person_id)
        unchanged = held if seen is None else held.filter(changed_at=seen)
        if not unchanged.update(changed_at=timezone.now()):
            _person(use, person_id)
            message = _("Somebody changed this record while you worked on it.")
            raise Conflict(message, place=f"people/{person_id}", cure=_("Look at what it says now, and save again if you still want to."))
        yield _person(use, person_id)


def _insert_point(use: Use, policy: Policy, person: Person, source: str, category: str, value: str, label: str, origin: int) -> int:
    names = ("subject", "person", "category", "source", "fence", "value", "label", "provenance_id")
    fence = policy.fence(source, category)
    line = (person.subject_id, person.pk, category, source, fence, value.strip(), label.strip(), origin)
    (made,) = values.insert(use, ContactPoint, names, [line])
    return made


def _insert_address(use: Use, policy: Policy, person: Person, source: str, parts: Mapping[str, str], origin: int) -> int:
    category = "postal-address"
    names = ("subject", "person", "category", "source", "fence", "provenance_id", "value", *PARTS)
    head = (person.subject_id, person.pk, category, source, policy.fence(source, category), origin, one_line(parts))
    (made,) = values.insert(use, PostalAddress, names, [(*head, *(parts.get(part, "").strip() for part in PARTS))])
    return made


def _delete(use: Use, row: ContactPoint | PostalAddress) -> None:
    ValueOrigin.under(use).filter(table=row._meta.db_table, row_id=row.pk).delete()
    type(row).under(use).filter(pk=row.pk).delete()


def _tell(use: Use, subject: Subject, kind: str, categories: Iterable[str], said: Mapping[str, Any]) -> None:
    """The ledger's entry of this action."""
    named = sorted(set(categories))
    ledger.append(use, kind, purpose=use.purpose, categories=named, subjects=[subject.reference], payload=said, key_id=subject.key_id)


def _digest(use: Use, kind: str, value: str, region: str) -> bytes:
    return subjects.digest(use.account_id, kind, value, region)


def _subject_for(use: Use, policy: Policy, newcomer: Newcomer, identifiers: Sequence[tuple[str, bytes]], source: str) -> int:
    """A subject for a new record: a new one, or the one that these identifiers lead to and that has no record yet.

    Under `matching`, for whoever is restricted or erased must be met as well.
    """
    emails = [one for one in identifiers if one[0] == "email"]
    with reserved(use.account_id, use.actor, "matching") as matching, writing(matching):
        _check_suppressed(matching, identifiers, source)
        known = _owner(matching, emails)
        taken = known is not None and Person.under(matching).filter(subject_id=known).exists()
        if known is None:
            (known,) = subjects.add(matching, policy, [newcomer])
        if not taken:
            subjects.identify(matching, known, identifiers)
    if taken or not Subject.under(use).filter(pk=known).exists():
        raise _known_already(use, emails)
    return known


def _identify(use: Use, subject: Subject, kind: str, *, old: ContactPoint | None = None, new: str = "", source: str = "") -> None:
    """Let a subject be found by a new value, and no longer by an old one unless another of their contact points says the same."""
    dropped = set()
    if old is not None:
        others = ContactPoint.under(use).filter(subject_id=subject.pk, category=kind).exclude(pk=old.pk)
        kept = {_held_digest(use, kind, one.value, subject.region) for one in values.opened(use, list(others))}
        dropped = {_held_digest(use, kind, old.value, subject.region)} - kept - {None}
    added = [(kind, _digest(use, kind, new, subject.region))] if new else []
    with reserved(use.account_id, use.actor, "matching") as matching, writing(matching):
        _check_suppressed(matching, added, source)
        taken = kind == "email" and _owner(matching, added) not in (None, subject.pk)
        if not taken:
            Identifier.under(matching).filter(subject_id=subject.pk, kind=kind, digest__in=dropped).delete()
            subjects.identify(matching, subject.pk, added)
    if taken:
        raise _known_already(use, added)


def _held_digest(use: Use, kind: str, value: str, region: str) -> bytes | None:
    """The digest of a value as it is held; None for one that came in before it had to be well-formed."""
    try:
        return _digest(use, kind, value, region)
    except BadInput:
        return None


def _owner(matching: Use, identifiers: Sequence[tuple[str, bytes]]) -> int | None:
    """Who is known by one of these."""
    for kind, digest in identifiers:
        for _found, subject_id in rows_of(matching, Identifier, kind, [digest], "subject_id"):
            return subject_id
    return None


def _check_suppressed(matching: Use, identifiers: Sequence[tuple[str, bytes]], source: str) -> None:
    """Raise Conflict for somebody who was erased, unless they came back themselves."""
    if source != "subject" and suppression.found(matching, identifiers):
        message = _("Whoever is known by this was erased at their own request, and stays away.")
        raise Conflict(message, cure=_("If they came back themselves, say that the person is the source."))


def _known_already(use: Use, identifiers: Sequence[tuple[str, bytes]]) -> Conflict:
    """Names the record that an identifier leads to, where this purpose may show it."""
    for kind, digest in identifiers:
        found = queries.known_by(use, kind, digest)
        if found is not None:
            message = _("“%(name)s” is already known by this address.") % {"name": found[1] or _("Somebody")}
            return Conflict(message, place=f"people/{found[0]}", cure=_("Open that record and add to it."))
    message = _("This address is known already, for somebody who may not be shown for this purpose.")
    return Conflict(message, place="email", cure=_("Ask whoever handles requests in your team."))

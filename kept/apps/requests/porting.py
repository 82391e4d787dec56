"""A person's data in forms that other software reads: only what they gave or what was observed of them, on the bases that the right names.

Article 20 GDPR: by consent or contract, processed by automated means, structured, common, machine-readable, without harm to others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.requests import package
from kept.apps.requests.gathering import Gathering, Value
from kept.apps.requests.package import Made, Package, table_csv
from kept.apps.requests.period import Period
from kept.apps.requests.terms import Terms
from kept.apps.requests.vcard import vcard
from kept.core.notice.rules import CategoryBody
from kept.core.notice.terms import RightTerms
from kept.core.notice.vocabulary import BASES
from kept.platform.data.use import Use
from kept.platform.privacy import masks

FORMAT = "kept-portable-1"
GIVEN = ("subject", "automatic", "staff", "import", "customer")
"""The sources whose data the person gave, to us or to whoever handed it over, or that was observed of them; and those under them."""
CONCLUDED = "profile"
"""The category of what others concluded, which nobody gave."""
_PERSON = ("given_name", "family_name", "job_title", "birth_date")


def build(use: Use, made: Made, right: RightTerms | None, *, withheld: Mapping[str, str]) -> Package:
    """What is portable, as JSON, as CSV that an import understands, and as a vCard. `use` is of `rights`."""
    assert made.subject is not None
    terms = Terms(use.account_id, made.subject)
    gathered = Gathering(use, made.subject, terms, period=Period(), withheld=withheld)
    taken = _Portable(gathered, right.body.of_basis if right else (), made)
    chosen = [value for value in gathered.values if taken.why_not(value) is None]
    left_out: dict[str, int] = {}
    for reason in filter(None, map(taken.why_not, gathered.values)):
        left_out[reason] = left_out.get(reason, 0) + 1
    card = _Card(chosen)
    document = {
        **made.head(FORMAT),
        "contact": card.document(),
        "values": [_told(terms, value) for value in chosen],
        "described": package.described(gathered),
        "left_out": left_out,
        "outside": package.outside(right),
    }
    files = {
        "your-data.json": package.as_json(document),
        "contact.csv": table_csv(list(card.line()), [card.line()]),
        "values.csv": table_csv(("kind", "value", "source", "since", "basis", "label"), [_told(terms, value) for value in chosen]),
        "contact.vcf": vcard(card.person, card.emails, card.phones, card.addresses),
        "read-me.txt": _read_me(made, left_out).encode(),
    }
    counted = {**package.counts(gathered), "values": len(chosen), "left_out": sum(left_out.values())}
    return Package(files, counted).given_as(right.formats if right else ())


class _Portable:
    """Which values go along."""

    def __init__(self, gathered: Gathering, bases: Collection[str], made: Made) -> None:
        self.terms, self.bases = gathered.terms, frozenset(bases)
        unknown = {""}  # nothing says that somebody else gave it
        self.given = (self.terms.under(*GIVEN, tree="source") | unknown) - self.terms.under("inferred", tree="source")
        ours = {rule.id for policy in self.terms.policies for rule, body in policy.notice.saying(CategoryBody) if body.derived}
        self.concluded = self.terms.under(CONCLUDED, *ours)
        self.free = gathered.free
        subject = gathered.subject
        facts = masks.facts_of(gathered.use, [subject], made.now)[subject.pk]
        # A restriction closes purposes, and changes nothing about what the data is held on.
        self.open, _changes = self.terms.over.permits(replace(facts, restricted=frozenset()))
        self.region = subject.region

    def why_not(self, value: Value) -> str | None:
        """Why a value stays behind; None where it goes along."""
        noted = value.source == "staff" and value.category in self.free
        if value.source not in self.given or value.category in self.concluded or noted:
            return _("not given by you, nor observed of you")
        if self.bases and value.basis not in self.bases and not self._served(value):
            return _("held on another legal ground")
        return _("names somebody else") if value.covered else None

    def _served(self, value: Value) -> bool:
        """Whether it serves a purpose on one of these bases: by the person's word only as long as that stands."""
        policy = self.terms.active
        return any(
            (basis := policy.basis(one.id, self.region)) in self.bases
            and value.category in one.categories
            and (one.sources is None or value.source in one.sources)
            and bool(value.fence >> one.bit & 1)
            and (BASES[basis].choice != "gives" or bool(self.open >> one.bit & 1))
            for one in policy.purposes.values()
        )


class _Card:
    """The contact data among values, by the names that an import knows."""

    def __init__(self, values: Sequence[Value]) -> None:
        by_place = {value.place: value.text for value in values}
        people = {row for table, row, _name in by_place if table == Person._meta.db_table}
        first = min(people, default=0)
        self.person = {name: by_place.get((Person._meta.db_table, first, name), "") for name in _PERSON}
        self.person["company"] = by_place.get((Person._meta.db_table, first, "company.name"), "")
        points = [value for value in values if value.place[0] == ContactPoint._meta.db_table]
        self.emails = [value.text for value in points if value.category == "email"]
        self.phones = [value.text for value in points if value.category == "phone"]
        self.addresses = [dict(value.parts) for value in values if value.place[0] == PostalAddress._meta.db_table]

    def line(self) -> dict[str, str]:
        """As one line of a file, headed as imports know it. Of several addresses the first; all of them stand in the other files."""
        line = {name: text for name, text in self.person.items() if text}
        for kind, found in (("email", self.emails), ("phone", self.phones)):
            line |= {f"{kind}_{n}" if n else kind: text for n, text in enumerate(found)}
        return line | {part: text for part, text in next(iter(self.addresses), {}).items() if text}

    def document(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {**self.person, "emails": self.emails, "phones": self.phones, "addresses": self.addresses}


def _told(terms: Terms, value: Value) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": terms.title("category", value.category), "label": value.label, "value": value.text}
    return told | {"source": terms.title("source", value.source), "basis": terms.title("basis", value.basis), "since": value.at}


def _read_me(made: Made, left_out: Mapping[str, int]) -> str:
    lines = [
        _("Your data at %(name)s, to take elsewhere.") % {"name": made.account.name},
        "",
        _("contact.vcf: for address books (vCard 4.0)."),
        _("contact.csv: for the import of another customer system; one line, with a heading."),
        _("values.csv: every value, with where it is from and since when it is held."),
        _("your-data.json: all of that, for programs."),
    ]
    if left_out:
        lines += ["", _("Not in here, because the right to take data elsewhere does not reach it; a copy of your data has it:")]
        lines += [f"- {why}: {count}" for why, count in left_out.items()]
    return "\n".join(lines) + "\n"

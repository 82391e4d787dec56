"""An account whose notice limits much, and people in it, for the tests of limits, outlets and figures."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils import timezone

from kept.platform.accounts.testing import Cast, cast
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import notices, provenance, values
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import someone

Company: Any = apps.get_model("contacts", "Company")
ContactPoint: Any = apps.get_model("contacts", "ContactPoint")
Person: Any = apps.get_model("contacts", "Person")
PostalAddress: Any = apps.get_model("contacts", "PostalAddress")

RULES = """
notice = "limits"
controller = "Larch & Daughters, 4 Quay Street, Bristol"
contact = "privacy@larch.example"
effective = 2026-03-01

role = "own"
is = "controller"

retain = "all"
categories = ["name", "email", "phone", "postal-address", "job-title", "ip-address", "precise-location"]
keep = "3 years"
after = "last-activity"
then = "erase"

right = "objection"
kind = "object"
within = "1 month"
channels = ["web"]

collect = "sign-up"
categories = ["name", "email", "phone", "postal-address", "job-title", "ip-address", "precise-location"]
from = "subject"
for = ["customer-relations"]

collect = "mailbox"
categories = ["email", "phone", "name"]
from = "google"
for = ["customer-relations"]

collect = "card"
categories = ["bank-account"]
from = "subject"
for = ["billing"]
held_by = "till"

collect = "bought"
categories = ["email"]
from = "broker"
for = ["customer-relations"]

purpose = "customer-relations"
categories = ["name", "email", "phone", "postal-address", "job-title", "ip-address", "precise-location", "inference"]
basis = "contract"

purpose = "direct-marketing"
categories = ["name", "email"]
basis = "legitimate-interest"

purpose = "analytics"
categories = ["postal-address", "job-title", "email", "phone"]
basis = "legitimate-interest"

purpose = "diagnostics"
categories = ["email"]
basis = "contract"
needs = "agreement"

purpose = "billing"
categories = ["name", "email", "bank-account"]
basis = "contract"

choice = "news"
governs = ["direct-marketing"]
effective_within = "0 days"

choice = "partner"
governs = ["disclose:partner"]
effective_within = "0 days"
ways = ["link"]

limit = "google"
applies_to = { source = "google" }
only_purposes = ["customer-relations", "analytics"]
only_recipients = ["carrier"]
unless = ["other-source"]

limit = "google-people"
applies_to = { source = "google" }
humans = { only_when = ["agreement", "security", "law", "aggregated"] }

limit = "bought"
applies_to = { source = "broker" }
never = ["direct-marketing"]

limit = "cards"
refuse = ["payment-card", "national-id"]

limit = "addresses"
truncate = ["ip-address", "precise-location"]

limit = "groups"
min_group = 5

disclose = "carrier"
to = "Severn Carriers"
class = "delivery-provider"
categories = ["name", "postal-address", "phone", "email"]
for = ["customer-relations"]
country = "GB"

disclose = "partner"
to = "Otter Partners"
class = "partner"
as = "controller"
categories = ["email"]
for = ["customer-relations"]
country = "GB"
tell = "before"

disclose = "court"
to = "*"
bound_by = "order"
class = "authority"
as = "controller"
categories = ["name", "email"]
for = ["customer-relations"]
needs = "legal-order"

disclose = "till"
to = "Heron Payments"
class = "payment-provider"
categories = ["bank-account", "name"]
for = ["billing"]
country = "GB"
agreement = "payment terms"

disclose = "advisers"
to = "Marsh & Moor"
class = "adviser"
categories = ["email"]
for = ["customer-relations"]
country = "GB"
needs = "reasoned"
grounds = ["claims", "advice"]

disclose = "statistics"
to = "The public"
class = "public"
as = "controller"
categories = ["postal-address", "job-title"]
for = ["analytics"]
country = "GB"
form = "aggregate"
"""


def text() -> str:
    """The notice: each rule in a block of its own, with the sentence it stands under."""
    blocks = (f"What the rule below says is what we do.\n\n```rule\n{one.strip()}\n```" for one in RULES.strip().split("\n\n"))
    return "# Notice\n\n" + "\n\n".join(blocks) + "\n"


@dataclass(frozen=True)
class World:
    """The cast, with the notice in force."""

    cast: Cast

    @property
    def id(self) -> int:
        """The account's id."""
        return int(self.cast.account.pk)

    @property
    def bob(self) -> str:
        """Bob, as the ledger knows him."""
        return str(self.cast.account.members.get(user=self.cast.bob).actor.reference)

    def origin(self, source: str) -> int:
        """An occasion on which data came from there."""
        with reserved(self.id, "job:test", "rights") as use, writing(use):
            return provenance.record(use, source=source, occasion="test", basis="contract", rule="collect:sign-up")

    def person(self, email: str, **columns: Any) -> Any:
        """A person known by an address that is held nowhere else."""
        unique = f"{secrets.token_hex(4)}.{email}"
        subject_id, now = someone(self.cast.account, unique).id, timezone.now()
        fields = {"provenance_id": self.origin("subject")} | columns
        names = ("subject", "created_at", "changed_at", *fields)
        line = (subject_id, now, now, *fields.values())
        with reserved(self.id, "job:test", "rights") as use, writing(use):
            (made,) = values.insert(use, Person, names, [line])
            found: Any = Person.under(use).get(pk=made)
        return found

    def point(self, person: Any, category: str, value: str, source: str, **more: Any) -> Any:
        """A value of a person, from somewhere, written as every value is."""
        fields = {"category": category, "source": source, "value": value, "provenance_id": self.origin(source)} | more
        with reserved(self.id, "job:test", "rights") as use, writing(use):
            (made,) = values.insert(use, ContactPoint, ("subject", "person", *fields), [(person.subject_id, person.pk, *fields.values())])
            found: Any = ContactPoint.under(use).get(pk=made)
        return found

    def living_in(self, towns: Sequence[str], source: str = "subject") -> list[Any]:
        """Newcomers, one for each of these towns, written in bulk."""
        now, origin = timezone.now(), self.origin(source)
        subjects = [someone(self.cast.account, f"dana.{now.timestamp()}.{n}@quayside.example").id for n, _ in enumerate(towns)]
        with reserved(self.id, "job:test", "rights") as use, writing(use):
            heads = [(one, now, now, origin) for one in subjects]
            people = values.insert(use, Person, ("subject", "created_at", "changed_at", "provenance_id"), heads)
            names = ("subject", "person", "category", "source", "value", "city", "provenance_id")
            lines = [
                (*one, "postal-address", source, town, town, origin)
                for one, town in zip(zip(subjects, people, strict=True), towns, strict=True)
            ]
            made = values.insert(use, PostalAddress, names, lines)
            return list(PostalAddress.under(use).filter(pk__in=made).order_by("pk"))

    def subjects(self, *people: Any) -> list[Subject]:
        """Who they are."""
        with reserved(self.id, "job:test", "rights") as use:
            return list(Subject.under(use).filter(pk__in=[one.subject_id for one in people]).order_by("pk"))


def world(notice: str = "") -> World:
    """A fresh one."""
    made = World(cast())
    notices.activate(made.cast.account, notice or text(), "command:test")
    return made

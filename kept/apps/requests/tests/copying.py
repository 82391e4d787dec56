"""An account whose notice grants every kind of copy, people in it, and what was given out of theirs: for the tests of copies."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.test import Client

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.requests import actions, queries
from kept.apps.requests.models import Channel, Kind, Request
from kept.apps.requests.tests.people import requests_of, work
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, notices, provenance, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.disclosures import disclose
from kept.platform.privacy.gate import acting, reserved

RULES = """
notice = "copies"
controller = "Larch & Daughters, 4 Quay Street, Bristol"
contact = "privacy@larch.example"
effective = 2026-03-01
law = ["ccpa"]
authority = "your data protection authority"

role = "own"
is = "controller"
requests = "answer"

category = "likely-interest"
under = "inference"
title = "What you may want"
derived = true

category = "household-member"
under = "household"
title = "Who shares the account"
access = "describe"

collect = "sign-up"
categories = ["name", "email", "phone", "postal-address", "job-title", "birth-date", "organisation", "household-member"]
from = "subject"
for = ["customer-relations", "analytics"]

collect = "file"
categories = ["name", "email", "phone", "postal-address", "job-title", "birth-date", "organisation"]
from = "import"
for = ["customer-relations", "analytics"]
attest = ["basis", "origin"]

collect = "bought"
categories = ["email"]
from = "broker"
for = ["direct-marketing"]

purpose = "customer-relations"
categories = ["name", "email", "phone", "postal-address", "birth-date", "organisation", "likely-interest", "household-member"]
basis = "contract"

purpose = "analytics"
categories = ["job-title"]
basis = "legitimate-interest"

purpose = "direct-marketing"
categories = ["name", "email"]
basis = { default = "consent", US = "opt-out" }

choice = "news"
governs = ["direct-marketing"]
effective_within = "0 days"

choice = "no-sale"
governs = ["sale"]
effective_within = "0 days"
signals = ["gpc"]
ways = ["link", "email"]

disclose = "carrier"
to = "Severn Carriers"
class = "delivery-provider"
categories = ["name", "postal-address", "phone", "email"]
for = ["customer-relations"]
country = "GB"

disclose = "mailer"
to = "Fairwind Mail"
class = "service-provider"
categories = ["email"]
for = ["direct-marketing"]
country = "GB"

disclose = "otter"
to = "Otter Partners"
class = "marketing-partner"
as = "controller"
categories = ["email", "name"]
for = ["direct-marketing"]
country = "GB"

disclose = "brightlane"
to = "Brightlane Lists"
class = "marketing-partner"
as = "controller"
categories = ["email"]
for = ["direct-marketing"]
country = "US"
sale = true

retain = "all"
categories = ["personal-data"]
keep = "3 years"
after = "last-activity"
then = "erase"

right = "know"
kind = "know"
within = "1 month"
confirm_within = "10 business days"
verify = "link"
lookback = "12 months"
contents = ["categories", "sources", "purposes", "recipients", "sold", "buyers"]
formats = ["html", "json"]
channels = ["web", "email"]

right = "access"
kind = "access"
within = "1 month"
confirm_within = "10 business days"
verify = "link"
fee = { free = 2, then = "what copying and sending costs" }
withhold = ["others-rights"]
contents = ["pieces", "categories", "sources", "purposes", "recipients"]
formats = ["html", "json", "csv"]
channels = ["web", "email"]

right = "portability"
kind = "portability"
within = "1 month"
verify = "link"
of_basis = ["consent", "explicit-consent", "contract"]
formats = ["json", "csv"]
channels = ["web", "email"]

right = "shine-the-light"
kind = "direct-marketing-disclosures"
within = "30 days"
verify = "none"
asks = ["name", "street", "locality", "region", "postcode"]
not_for = ["business-contact"]
lookback = "calendar year"
once_per = "calendar year"
contents = ["categories", "recipients"]
channels = ["web", "email", "post"]
answer_by = "same-channel"

right = "erasure"
kind = "erase"
within = "1 month"
confirm_within = "10 business days"
verify = "link"
channels = ["web"]

right = "correction"
kind = "correct"
within = "1 month"
confirm_within = "10 business days"
channels = ["web"]

right = "no-sale"
kind = "opt-out-sale"
within = "15 business days"
verify = "none"
channels = ["web"]

right = "no-retaliation"
kind = "no-retaliation"

right = "objection"
kind = "object"
within = "1 month"
channels = ["web"]
"""


def text(swaps: Mapping[str, str] | None = None) -> str:
    """The notice: each rule in a block of its own, with the sentence it stands under. `swaps` replace what is written in it."""
    rules = RULES
    for old, new in (swaps or {}).items():
        assert old in rules, old
        rules = rules.replace(old, new)
    blocks = (f"What the rule below says is what we do.\n\n```rule\n{one.strip()}\n```" for one in rules.strip().split("\n\n"))
    return "# Notice\n\n" + "\n\n".join(blocks) + "\n"


def account_with(swaps: Mapping[str, str] | None = None) -> Account:
    """A fresh account under that notice."""
    made = cast().account
    notices.activate(made, text(swaps), "command:test")
    return made


def subject_of(account: Account, subject_id: int) -> Subject:
    """A subject by id."""
    with reserved(account.pk, "command:test", "rights") as use:
        return Subject.under(use).get(pk=subject_id)


def give(account: Account, subject_id: int, to: str, *categories: str, purpose: str = "customer-relations") -> None:
    """Let something of a person go out."""
    subject = subject_of(account, subject_id)
    with acting(account.pk, "job:test", purpose) as use:
        assert disclose(use, to, [subject], list(categories)).allowed


def agree(account: Account, subject_id: int, purpose: str, verb: Any = "allow") -> None:
    """A person's word on a purpose."""
    subject = subject_of(account, subject_id)
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, subject, verb, purpose)


def point(account: Account, subject_id: int, category: str, value: str, source: str, basis: str = "contract", label: str = "") -> None:
    """One more value of a person."""
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        person = Person.under(use).get(subject_id=subject_id)
        origin = provenance.record(use, source=source, occasion="test", basis=basis, rule="collect:sign-up")
        names = ("subject", "person", "category", "source", "value", "label", "provenance_id")
        values.insert(use, ContactPoint, names, [(subject_id, person.pk, category, source, value, label, origin)])


def conclude(account: Account, subject_id: int, value: str) -> None:
    """Conclude something from a person's first email address."""
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        (basis,) = ContactPoint.under(use).filter(subject_id=subject_id, category="email")[:1]
        made = values.derive(use, notices.policy_of(account.pk), [basis], category="likely-interest", occasion="scoring")
        names = ("subject", "person", "category", "source", "value", "fence", "provenance_id")
        line = (subject_id, basis.person_id, made.category, made.source, value, made.fence, made.provenance_id)
        values.insert(use, ContactPoint, names, [line])


def fetched(browser: Client, page: str) -> dict[str, bytes]:
    """The files of the copy that can be fetched on this page."""
    answer = browser.post(page + "package/")
    assert answer.status_code == 200, answer.content
    return unzipped(answer.content)


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        return {name: held.read(name) for name in held.namelist()}


def document(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The JSON among these files."""
    (name,) = [name for name in files if name.endswith(".json")]
    found: dict[str, Any] = json.loads(files[name])
    return found


def received(account: Account, kind: Kind, email: str, *, proof: str = "link", region: str = "", **told: Any) -> Request:
    """A request that was proved, answered as far as it goes by itself."""
    asked = actions.Asked(kind, told.pop("channel", Channel.WEB), region or account.region, email, proof=proof, **told)
    actions.receive(account, asked)
    work()
    return requests_of(account)[-1]


def package_of(account: Account, request: Request) -> dict[str, bytes]:
    """What the person would fetch."""
    now = queries.by_reference(account.pk, request.reference)
    return unzipped(actions.fetch_package(account, now, actions.person(now)))


def kinds(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """One column of some rows."""
    return [str(row[name]) for row in rows]


def live_together(account: Account, *subject_ids: int) -> None:
    """Give these people the same address."""
    tag = f"{subject_ids[0]} Household Row"
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        PostalAddress.under(use).filter(subject_id__in=subject_ids).update(
            street=tag, postcode="BS1 4QA", city="Bristol", value=f"{tag}, Bristol BS1 4QA"
        )


def earlier(account: Account, request: Request, days: int) -> None:
    """Let a request have been received so many days before it was."""
    with bookkeeping(account.pk, writing=True) as use:
        Request.under(use).filter(pk=request.pk).update(received_at=request.received_at - timedelta(days=days))


def member(account: Account) -> Actor:
    """One of the team."""
    found = Member.objects.filter(account=account).order_by("pk").first()
    assert found is not None
    return found.actor

"""Dana with a record of her own, and others around her."""

from __future__ import annotations

import itertools
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from kept.apps.contacts.models import Company, ContactPoint, Person, PostalAddress
from kept.apps.requests import outbox
from kept.apps.requests.models import OutboxMessage, Request
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.data import rows
from kept.platform.data.use import writing
from kept.platform.jobs import worker
from kept.platform.privacy import provenance, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of

_NUMBERS = itertools.count(secrets.randbelow(10_000))
"""Telephone numbers that nobody else in this database has: tests look for them in its files."""


@dataclass(frozen=True)
class Known:
    """Somebody with a record, and every value of theirs that stands in it."""

    id: int
    reference: str
    email: str
    values: tuple[str, ...] = field(repr=False)


def dana(account: Account, *, given: str = "Dana", family: str = "", region: str = "GB") -> Known:
    """A person with values that occur nowhere else."""
    tag = secrets.token_hex(5)
    family = family or f"Marsh{tag}"
    email, phone = f"dana.{tag}@quayside.example", f"+44117555{next(_NUMBERS) % 10_000:04}"
    street, postcode, title, born = f"{tag} Tideline Row", f"ZZ{tag}", f"Joiner {tag}", "1987-02-13"
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        (made,) = subjects.add(use, policy_of(account.pk), [subjects.Newcomer(region)])
        digests = [("email", subjects.digest(account.pk, "email", email, region))]
        subjects.identify(use, made, digests)
        origin = provenance.record(
            use,
            source="import",
            occasion="File of the old workshop, handed over by Jonas Olsen",
            basis="contract",
            rule="collect:customer-file",
        )
        now = timezone.now()
        (company,) = rows.insert(use, Company, ("name", "created_at"), [("Quayside Joinery", now)])
        names = ("subject", "given_name", "family_name", "job_title", "birth_date", "company", "provenance_id", "created_at", "changed_at")
        (person,) = values.insert(use, Person, names, [(made, given, family, title, born, company, origin, now, now)])
        point = ("subject", "person", "category", "source", "value", "label", "provenance_id")
        lines = [(made, person, "email", "import", email, "work", origin), (made, person, "phone", "import", phone, "", origin)]
        values.insert(use, ContactPoint, point, lines)
        place = ("subject", "person", "category", "source", "value", "street", "postcode", "provenance_id")
        whole = (made, person, "postal-address", "import", f"{street}, {postcode}", street, postcode, origin)
        values.insert(use, PostalAddress, place, [whole])
        reference = str(values.holders(use, [made])[made][1])
    return Known(made, reference, email, (family, email, phone, street, postcode, title))


def work() -> None:
    """Run what is due, the residue aside: it has tests of its own."""
    from kept.apps.requests import jobs

    worker.run_due(timezone.now() + timedelta(seconds=9), jobs.answer, jobs.deliver)


def requests_of(account: Account) -> list[Request]:
    """Every request of the account, oldest first."""
    with bookkeeping(account.pk) as use:
        return list(Request.under(use).order_by("id"))


def mail_to(account: Account, address: str) -> list[str]:
    """The texts of the letters that lie in the outbox for this address, oldest first."""
    with bookkeeping(account.pk) as use:
        ours = set(OutboxMessage.under(use).values_list("pk", flat=True))
    found = [mail for number, mail in outbox.letters_in_folder() if number in ours and mail["To"] == address]
    bodies = [mail.get_body(("plain",)) for mail in reversed(found)]
    return [body.get_content() for body in bodies if body is not None]


def link_in(text: str) -> str:
    """The path of the link in a letter."""
    (found,) = re.findall(r"https?://[^/]+(/\S+)", text)
    return str(found)


def asked(account: Account, email: str, kind: str, client: Client | None = None) -> tuple[Client, str]:
    """A person asks, and confirms; their browser, and the address of their request's page."""
    browser = client or stranger()
    before = len(mail_to(account, email))
    browser.post(f"/{account.slug}/privacy/ask/{kind}/", {"email": email, "region": account.region})
    work()
    letter = mail_to(account, email)[before]
    answer = browser.post(link_in(letter))
    assert answer.status_code == 302, answer.content
    return browser, str(answer["Location"])

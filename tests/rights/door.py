"""The doors of the five organisations, as people go through them: each organisation at work under its own notice, somebody who asks
there, and their request to its end in the ledger. And which promise of the register each test is about.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from html import unescape
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from kept.apps.contacts.models import ContactPoint, Person
from kept.apps.requests import actions, inbound, jobs, outbox, queries
from kept.apps.requests.models import OutboxMessage, Request, State
from kept.apps.requests.tests.people import Known, dana, requests_of
from kept.apps.requests.tests.test_drp import Client1
from kept.core.ledger import VerifyKey, verify_receipt
from kept.platform.accounts.actions import create_user
from kept.platform.accounts.models import Account, User
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.jobs import worker
from kept.platform.privacy import choices, disclosures, instruments, ledger, notices, provenance, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting, reserved
from tests.plugin import ROOT

HOMES: Final[Mapping[str, str]] = {
    "copper": "US-CA",
    "prosperworks": "US-CA",
    "cooper": "US-CA",
    "concord": "US",
    "customer-portfolios": "US",
}
"""Where each organisation is at home, by the address in its notice."""
ALSO: Final = frozenset({"CF-14", "CN-24", "CN-47", "CN-48", "CN-64", "CP-18", "CO-53", "CN-67", "CP-20"})
"""Promises that the register counts as no right, and that people make use of at the same doors."""
_FIELD: Final = re.compile(r'<input[^>]* name="(contacts_[a-z_]+/\d+/\w+)"(?: value="([^"]*)")?')
COVERED: dict[str, list[str]] = {}
"""The promises that have a test, each with its tests."""
Test = TypeVar("Test", bound=Callable[..., None])


def promise(*rows: str) -> Callable[[Test], Test]:
    """Say which promises of the register a test is about."""

    def noted(test: Test) -> Test:
        for row in rows:
            COVERED.setdefault(row, []).append(f"{test.__module__}.{test.__name__}")
        return test

    return noted


def settle() -> None:
    """Run what is due: answers, letters, liftings."""
    worker.run_due(timezone.now() + timedelta(seconds=9), jobs.answer, jobs.deliver, jobs.lift)


# An organisation


@dataclass(frozen=True)
class House:
    """An organisation, its people and its notice in force."""

    name: str
    team: Cast

    @property
    def account(self) -> Account:
        """Its account."""
        return self.team.account

    def path(self, rest: str = "") -> str:
        """An address in its privacy centre."""
        return f"/{self.account.slug}/privacy/{rest}"

    @cached_property
    def petra(self) -> Client:
        """Its privacy lead, at her desk."""
        return client_for(self.team.petra)

    @cached_property
    def alice(self) -> Client:
        """Its owner, who confirms what takes two."""
        return client_for(self.team.alice)

    def dana(self, region: str = "") -> Known:
        """Somebody with a record here."""
        return dana(self.account, region=region or self.account.region)

    # Asking

    def ask(self, kind: str, email: str, region: str = "", client: Client | None = None, **told: Any) -> Case:
        """Fill in the form of the privacy centre, and open the letter where one comes to be confirmed."""
        case = self.form(kind, email, region, client, **told)
        return case.confirm() if case.letter_to_confirm() else case

    def form(self, kind: str, email: str, region: str = "", client: Client | None = None, **told: Any) -> Case:
        """Fill in the form of the privacy centre; the letter lies unopened."""
        browser = client or stranger()
        answer = browser.post(self.path(f"ask/{kind}/"), {"email": email, "region": region or self.account.region, **told})
        assert answer.status_code == 302, answer.content.decode()
        settle()
        return Case(self, requests_of(self.account)[-1].reference, browser, email, sent=str(answer["Location"]))

    def offers(self, region: str = "") -> str:
        """What the privacy centre says to somebody who lives there."""
        answer = stranger().get(self.path(), {"region": region} if region else {})
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    def mail(self, sender: str, subject: str, text: str) -> Case:
        """Write to the privacy address."""
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = f"Dana <{sender}>", f"privacy@{self.name}.example", subject
        made["Message-ID"] = f"<{uuid4().hex}@quayside.example>"
        made.set_content(text)
        found = inbound.receive(self.account, made.as_bytes())
        assert found is not None
        settle()
        return Case(self, found.reference, stranger(), sender)

    def signed_in(self, email: str) -> Client:
        """The browser of somebody who has signed in with a proved address."""
        user = User.objects.filter(email=email).first() or create_user(email, "Dana Marsh")
        EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
        return client_for(user)

    def settings(self, kind: str, email: str) -> Case:
        """Ask in one's own settings, signed in, with one click."""
        browser = self.signed_in(email)
        answer = browser.post(f"/settings/your-data/{self.account.slug}/{kind}/")
        assert answer.status_code == 302, answer.content.decode()
        settle()
        return Case(self, requests_of(self.account)[-1].reference, browser, email, page=str(answer["Location"]))

    def take_in(self, kind: str, address: str, channel: str = "phone", **told: str) -> Case:
        """Petra writes down what somebody asked by telephone or by letter."""
        given = {"kind": kind, "channel": channel, "known_by": "email", "value": address, "email": address, "note": "", **told}
        answer = self.petra.post(f"/{self.account.slug}/requests/new/", given)
        assert answer.status_code == 302, answer.content.decode()
        settle()
        return Case(self, requests_of(self.account)[-1].reference, stranger(), address)

    def agent(self) -> Client1:
        """An authorised agent, entered by Petra and paired."""
        made = Client1(self.account)
        given = {"identifier": made.agent, "name": "Permission Slip of the Harbour", "verify_key": made.verify_key}
        answer = self.petra.post(f"/{self.account.slug}/requests/agents/", given)
        assert answer.status_code == 302, answer.content.decode()
        made.pair()
        return made

    def by_agent(self, agent: Client1, right: str, known: Known, **claims: Any) -> Case:
        """The agent asks by the Data Rights Protocol."""
        answer = agent.exercise(right, email=known.email, **claims)
        assert answer.status_code == 200, answer.content
        settle()
        return Case(self, answer.json()["request_id"].replace("-", ""), stranger(), known.email)

    # What holds

    def seen(self, known: Known, purpose: str) -> bool:
        """Whether the engine shows a person's record to whoever acts under a purpose."""
        with acting(self.account.pk, "member:1", purpose) as use:
            return bool(Person.under(use).filter(subject_id=known.id).exists())

    def open(self, known: Known, purpose: str) -> bool:
        """Whether a purpose is open to a person's data."""
        bit = notices.policy_of(self.account.pk).bit(purpose)
        return bool(self._subject(known).permits >> bit & 1)

    def allow(self, known: Known, *about: str) -> None:
        """The person said yes to this before."""
        for one in about:
            with self.rights() as use:
                choices.choose(use, Subject.under(use).get(pk=known.id), "allow", one)

    def stands(self, known: Known) -> dict[str, tuple[str, bool]]:
        """What the person decided, as it is stored, which is what their ledger tells."""
        with self.rights() as use:
            held = choices.held(use, known.id)
            assert choices.replay(use, known.reference) == held
            return held

    def gave(self, known: Known, to: str, purpose: str, *categories: str) -> bool:
        """Whether something of a person goes out, as any room would let it."""
        with acting(self.account.pk, "job:test", purpose) as use:
            people = list(Subject.under(use).filter(pk=known.id))
            return bool(disclosures.disclose(use, to, people, list(categories)).allowed)

    def note(self, known: Known, category: str, value: str, source: str = "subject") -> None:
        """One more value of a person."""
        with self.rights() as use, writing(use):
            person = Person.under(use).get(subject_id=known.id)
            origin = provenance.record(use, source=source, occasion="order form", basis="contract", rule="collect:test")
            names = ("subject", "person", "category", "source", "value", "label", "provenance_id")
            values.insert(use, ContactPoint, names, [(known.id, person.pk, category, source, value, "", origin)])

    def file(self, kind: instruments.Kind, party: str, title: str) -> None:
        """Put a paper on file that something needs."""
        with bookkeeping(self.account.pk, writing=True) as use:
            instruments.record(use, kind, party, title)

    def held(self, known: Known) -> bool:
        """Whether anything of the person is still here."""
        with self.rights() as use:
            there: bool = Subject.under(use).filter(pk=known.id).exists() or Person.under(use).filter(subject_id=known.id).exists()
            return there

    def rights(self) -> AbstractContextManager[Use]:
        """The use under which rights are looked into."""
        return reserved(self.account.pk, "command:test", "rights")

    def faultless(self) -> bool:
        """Whether the ledger verifies, every entry of it."""
        return ledger.faults(self.account.pk) == []

    def _subject(self, known: Known) -> Subject:
        with self.rights() as use:
            return Subject.under(use).get(pk=known.id)


def house(name: str, *, team: Cast | None = None) -> House:
    """An organisation opens, under its own notice as it is published."""
    made = House(name, team or cast())
    made.account.region = HOMES[name]
    made.account.save(update_fields=["region"])
    notices.activate(made.account, (ROOT / "notices" / name / "notice.md").read_text(), "command:test")
    return made


# A request


@dataclass
class Case:
    """One request, with whoever asked: their browser and mailbox, the page of it, and the team's record of it."""

    house: House
    reference: str
    browser: Client
    email: str
    sent: str = ""
    page: str = ""

    @property
    def now(self) -> Request:
        """The request as it stands."""
        return queries.by_reference(self.house.account.pk, self.reference)

    @property
    def reference_uuid(self) -> str:
        """Its number as agents know it."""
        return str(UUID(self.reference))

    @property
    def state(self) -> str:
        """How far it has come."""
        return str(self.now.state)

    # The person

    def letters(self) -> list[str]:
        """What came by mail about it, oldest first, each in one line."""
        return [" ".join(text.split()) for text in self._mails()]

    def _mails(self) -> list[str]:
        """The letters of the request that lie in the outbox, for the address that asked."""
        with bookkeeping(self.house.account.pk) as use:
            numbers = list(OutboxMessage.under(use).filter(request=self.reference).order_by("id").values_list("pk", flat=True))
        paths = [path for one in numbers if (path := outbox.folder() / f"{one}.eml").exists()]
        mails = [message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default) for path in paths]
        bodies = [mail.get_body(("plain",)) for mail in mails if mail["To"] == self.email]
        return [body.get_content() for body in bodies if body is not None]

    def _links(self) -> list[str]:
        found = re.compile(rf"https?://[^/\s]+({re.escape(self.house.path())}\S+)")
        return [link for text in self._mails() for link in found.findall(text)]

    def letter_to_confirm(self) -> str:
        """The link that asks whether it was them; empty where none came."""
        return next((link for link in self._links() if "/privacy/confirm/" in link), "")

    def confirm(self) -> Case:
        """Open the letter, read the page, and say yes."""
        link = self.letter_to_confirm()
        assert link, self.letters()
        assert self.browser.get(link).status_code == 200
        answer = self.browser.post(link)
        assert answer.status_code == 302, answer.content.decode()
        self.page = str(answer["Location"])
        settle()
        return self

    def read(self) -> str:
        """The page of the request, as its letters lead there."""
        self.page = self.page or next(link for link in self._links() if "/privacy/requests/" in link)
        answer = self.browser.get(self.page)
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    def facts(self, **facts: str) -> str:
        """Fill in facts on the page; what it says then."""
        assert self.page
        answer = self.browser.post(f"{self.page}facts/", {name.replace("_", "-"): text for name, text in facts.items()})
        settle()
        return answer.content.decode() if answer.status_code != 302 else ""

    def press(self, what: str, **given: str) -> None:
        """Press a button of the page."""
        self.read()
        answer = self.browser.post(f"{self.page}{what}/", given)
        assert answer.status_code == 302, answer.content.decode()
        settle()

    def package(self) -> dict[str, bytes]:
        """The files of the copy, downloaded and opened."""
        self.read()
        answer = self.browser.post(f"{self.page}package/")
        assert answer.status_code == 200, answer.content.decode()
        return opened(answer.content)

    def certificate(self) -> dict[str, Any]:
        """The final certificate: the residue is cleared, the last letter has come, and anybody can verify it with the public key."""
        actions.clear_residue()
        settle()
        self.read()
        answer = self.browser.get(f"{self.page}certificate/")
        key = VerifyKey.from_pem(stranger().get(self.house.path("ledger-key.pem")).content)
        assert verify_receipt(answer.content, key).state == "valid"
        found: dict[str, Any] = json.loads(answer.content)["document"]
        assert found["request"] == self.reference
        return found

    # The team

    def record(self, client: Client | None = None) -> str:
        """The team's page of it."""
        answer = (client or self.house.petra).get(f"/{self.house.account.slug}/requests/{self.reference}/")
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    def do(self, verb: str, client: Client | None = None, **given: str) -> int:
        """An act of the team's record; its status."""
        path = f"/{self.house.account.slug}/requests/{self.reference}/do/{verb}/"
        answer = (client or self.house.petra).post(path, given)
        settle()
        return int(answer.status_code)

    def decide(self, verb: str, client: Client | None = None, **given: str) -> Case:
        """An act that is done."""
        path = f"/{self.house.account.slug}/requests/{self.reference}/do/{verb}/"
        answer = (client or self.house.petra).post(path, given)
        assert answer.status_code == 302, f"{verb}: {answer.status_code} {' '.join(answer.content.decode().split())}"
        settle()
        return self

    def put_right(self, **said: str) -> Case:
        """Petra writes over what is wrong in the form of the record, and sends all of it, as a browser does."""
        held = {name: unescape(value) for name, value in _FIELD.findall(self.record())}
        changed: dict[str, Any] = {name: said.get(name.rpartition("/")[2], value) for name, value in held.items()}
        assert changed != held
        return self.decide("correct", reason="", **changed)

    def refuse(self, reason: str, why: str = "other") -> Case:
        """Petra proposes to refuse, and Alice confirms."""
        return self.decide("refuse", why=why, reason=reason).decide("refuse", self.house.alice)

    # The ledger

    def entries(self) -> list[str]:
        """The kinds of the entries about it, oldest first."""
        return [step.header.kind for step in self._steps()]

    def noted(self) -> list[str]:
        """What was done with it, in a word, oldest first."""
        return [step.noted for step in self._steps() if step.noted]

    def states(self) -> list[str]:
        """The states that its entries brought, each once, oldest first."""
        return list(dict.fromkeys(step.state for step in self._steps() if step.state))

    def _steps(self) -> list[queries.Step]:
        with self.house.rights() as use:
            return list(reversed(queries.history(use, self.now)))

    def ends(self, *kinds: str) -> None:
        """It ends in the ledger: with the entries of its own, those of these kinds besides, and nothing there that does not verify."""
        found = self.entries()
        assert "request" in found
        assert [kind for kind in kinds if kind not in found] == [], found
        assert self.states()[0] == State.RECEIVED
        assert self.states()[-1] == self.now.state
        assert self.house.faultless()


def opened(content: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        return {name: held.read(name) for name in held.namelist()}


def document(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The JSON among these files."""
    (name,) = [name for name in files if name.endswith(".json")]
    found: dict[str, Any] = json.loads(files[name])
    return found


def asked_as(location: str) -> dict[str, list[str]]:
    """What the page after the form is told."""
    return parse_qs(urlsplit(location).query)

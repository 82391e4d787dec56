"""The Data Rights Protocol 1.0: a client written from the published protocol alone, its exchanges, and each documented refusal."""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.test import Client

from kept.apps.requests import actions, jobs, queries
from kept.apps.requests.models import Agent, State
from kept.apps.requests.tests.people import dana, link_in, mail_to, requests_of, work
from kept.core.errors import BadInput, Conflict, Refused
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.jobs import outgoing, worker
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.testing import cast, notice_text

ALICE = Actor("member", 1, "Alice")
SALE = """
## Sale

We sell nothing. You can say so all the same.

```rule
right = "no-sale"
kind = "opt-out-sale"
within = "15 business days"
verify = "none"
agent = ["signed-permission"]
channels = ["web", "email", "phone"]
```
"""


@pytest.fixture(scope="module")
def account() -> Account:
    made = cast().account
    notices.activate(made, notice_text() + SALE, "command:test")
    return made


@dataclass
class Client1:
    """An authorised agent. It knows the protocol, its own key, and the two identifiers of the directory."""

    account: Account
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    agent: str = field(default_factory=lambda: f"AGENT_{secrets.token_hex(4).upper()}")
    token: str = ""
    http: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def verify_key(self) -> str:
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    @property
    def business(self) -> str:
        return str(self.http.get(f"/{self.account.slug}/drp/business.json").json()["id"])

    def sign(self, document: dict[str, Any]) -> bytes:
        """Combined mode: the signature, then the document; base64."""
        body = json.dumps(document).encode()
        return base64.b64encode(self.key.sign(body) + body)

    def envelope(self, **other: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "agent-id": self.agent,
            "business-id": self.business,
            "issued-at": (now - timedelta(seconds=5)).isoformat(),
            "expires-at": (now + timedelta(minutes=10)).isoformat(),
            "drp.version": "1.0",
            **other,
        }

    def send(self, method: str, path: str, body: bytes = b"", token: str | None = None) -> Any:
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.http.generic(method, f"/{self.account.slug}/drp/v1/{path}", body, content_type="text/plain", headers=headers)

    def pair(self) -> None:
        answer = self.send("POST", f"agent/{self.agent}", self.sign(self.envelope()))
        assert answer.status_code == 200, answer.content
        assert answer.json()["agent-id"] == self.agent
        self.token = answer.json()["token"]

    def exercise(self, right: str, **claims: Any) -> Any:
        return self.send("POST", "data-rights-request", self.sign(self.envelope(exercise=right, regime="ccpa", **claims)))

    def status(self, request_id: str) -> Any:
        return self.send("GET", f"data-rights-request/{request_id}")

    def revoke(self, request_id: str) -> Any:
        return self.send("DELETE", f"data-rights-request/{request_id}", self.sign({"reason": "I don't want my account deleted"}))


@pytest.fixture(scope="module")
def agent(account: Account) -> Client1:
    made = Client1(account)
    actions.add_agent(account, ALICE, made.agent, "Permission Slip of the Harbour", made.verify_key)
    made.pair()
    return made


def test_the_directory_entry_names_what_is_offered(account: Account, agent: Client1) -> None:
    entry = agent.http.get(f"/{account.slug}/drp/business.json").json()
    assert {"deletion", "access", "sale:opt-out"} <= set(entry["supported_actions"])
    assert entry["api_base"].endswith(f"/{account.slug}/drp")


def test_pairing_answers_a_token_that_holds(agent: Client1) -> None:
    assert (agent.send("GET", f"agent/{agent.agent}").status_code, agent.send("GET", f"agent/{agent.agent}").json()) == (200, {})
    assert agent.send("GET", "agent/SOMEBODY_ELSE").status_code == 403
    assert agent.send("GET", f"agent/{agent.agent}", token="x" * 43).status_code == 403
    assert agent.send("GET", f"agent/{agent.agent}", token="").status_code == 403


def test_pairing_anew_voids_the_token_before(account: Account) -> None:
    made = Client1(account)
    actions.add_agent(account, ALICE, made.agent, "Another", made.verify_key)
    made.pair()
    before = made.token
    made.pair()
    assert made.send("GET", f"agent/{made.agent}", token=before).status_code == 403
    assert made.send("GET", f"agent/{made.agent}").status_code == 200


@pytest.mark.parametrize("wrong", ["key", "agent-id", "business-id", "issued-at", "expires-at", "drp.version", "address"])
def test_a_pairing_that_is_not_right_is_403_and_says_nothing(account: Account, agent: Client1, wrong: str) -> None:
    now = datetime.now(UTC)
    changed = {
        "agent-id": "SOMEBODY_ELSE",
        "business-id": "ANOTHER_BUSINESS",
        "issued-at": (now + timedelta(minutes=5)).isoformat(),
        "expires-at": (now - timedelta(minutes=5)).isoformat(),
        "drp.version": "0.9",
    }
    document = agent.envelope(**({wrong: changed[wrong]} if wrong in changed else {}))
    body = Client1(account).sign(document) if wrong == "key" else agent.sign(document)
    answer = agent.send("POST", f"agent/{'NOBODY' if wrong == 'address' else agent.agent}", body)
    assert (answer.status_code, answer.content) == (403, b"")


def test_an_access_request_from_open_to_fulfilled(account: Account, agent: Client1) -> None:
    known = dana(account, region="US-CA")
    answer = agent.exercise("access", email=known.email, email_verified=True, name="Dana", **{"agent-request-id": "case-1"})
    assert answer.status_code == 200, answer.content
    status = answer.json()
    assert (status["status"], status["reason"], status["agent_request_id"]) == ("in_progress", "need_user_verification", "case-1")
    assert {"request_id", "received_at", "expected_by", "user_verification_url", "expires_at"} <= set(status)
    work()
    letter = mail_to(account, known.email)[-1]
    assert Client().post(link_in(letter)).status_code == 302
    _vouched(account)
    done = agent.status(status["request_id"]).json()
    assert (done["status"], "reason" in done) == ("fulfilled", False)
    assert "/privacy/requests/" in done["results_url"]
    request = requests_of(account)[-1]
    with bookkeeping(account.pk) as use:
        steps = [step.header.kind for step in queries.history(use, request)]
    assert "request" in steps
    assert ledger.faults(account.pk) == []


def _vouched(account: Account) -> None:
    """Answer the newest request; where the notice wants one of the team to look, one does."""
    work()
    request = requests_of(account)[-1]
    if request.state == State.VERIFIED:
        actions.start(account, ALICE, request)
        work()


def test_an_opt_out_of_sale_needs_the_signed_permission_alone(account: Account, agent: Client1) -> None:
    known = dana(account, region="US-CA")
    status = agent.exercise("sale:opt-out", email=known.email).json()
    assert (status["status"], "user_verification_url" in status) == ("in_progress", False)
    work()
    assert agent.status(status["request_id"]).json()["status"] == "fulfilled"
    with reserved(account.pk, "command:test", "rights") as use:
        assert Choice.under(use).filter(subject_id=known.id, purpose="sale", state="opted-out").exists()


def test_a_deletion_is_taken_back_before_it_is_done_and_not_after(account: Account, agent: Client1) -> None:
    known = dana(account, region="US-CA")
    status = agent.exercise("deletion", email=known.email, email_verified=True).json()
    answer = agent.revoke(status["request_id"])
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    assert agent.revoke(status["request_id"]).json()["status"] == "revoked"
    again = agent.exercise("deletion", email=known.email, email_verified=True).json()
    work()
    Client().post(link_in(mail_to(account, known.email)[-1]))
    _vouched(account)
    assert agent.status(again["request_id"]).json()["status"] == "fulfilled"
    late = agent.revoke(again["request_id"])
    assert (late.status_code, late.json()["code"]) == (409, "409")


def test_nobody_known_is_denied_for_no_match(account: Account, agent: Client1) -> None:
    email = f"nobody.{secrets.token_hex(4)}@elsewhere.example"
    status = agent.exercise("access", email=email, email_verified=True).json()
    assert status["status"] == "in_progress"
    work()
    Client().post(link_in(mail_to(account, email)[-1]))
    _vouched(account)
    denied = agent.status(status["request_id"]).json()
    assert (denied["status"], denied["reason"]) == ("denied", "no_match")


def test_the_same_message_or_number_is_one_request(account: Account, agent: Client1) -> None:
    known = dana(account, region="US-CA")
    body = agent.sign(agent.envelope(exercise="access", regime="ccpa", email=known.email))
    one, two = (agent.send("POST", "data-rights-request", body).json()["request_id"] for _ in range(2))
    assert one == two
    number = {"agent-request-id": secrets.token_hex(6)}
    three, four = (agent.exercise("access", email=known.email, **number).json()["request_id"] for _ in range(2))
    assert (three == four, three == one) == (True, False)


def test_agents_see_nothing_of_each_other(account: Account, agent: Client1) -> None:
    known = dana(account, region="US-CA")
    request_id = agent.exercise("access", email=known.email).json()["request_id"]
    other = Client1(account)
    actions.add_agent(account, ALICE, other.agent, "Another", other.verify_key)
    other.pair()
    for answer in (other.status(request_id), other.revoke(request_id)):
        assert (answer.status_code, answer.json()["code"]) == (403, "403")
    assert agent.status("00000000-0000-4000-8000-000000000000").status_code == 403
    assert agent.status("no-number").status_code == 403
    stolen = agent.sign(agent.envelope(exercise="access", regime="ccpa", email=known.email))
    assert other.send("POST", "data-rights-request", stolen).status_code == 403
    assert agent.status(request_id).json()["status"] == "in_progress"


def test_an_agent_of_one_account_is_nobody_in_another(agent: Client1) -> None:
    elsewhere = cast().other
    notices.activate(elsewhere, notice_text(), "command:test")
    answer = agent.http.post(f"/{elsewhere.slug}/drp/v1/data-rights-request", headers={"Authorization": f"Bearer {agent.token}"})
    assert answer.status_code == 403


def _broken(agent: Client1, what: str) -> bytes:
    now = datetime.now(UTC)
    good = agent.envelope(exercise="access", regime="ccpa", email="dana@quayside.example")
    match what:
        case "not base64":
            return b"%%%"
        case "nothing signed":
            return base64.b64encode(b"x" * 64)
        case "another key":
            return Client1(agent.account).sign(good)
        case "a changed byte":
            signed = bytearray(base64.b64decode(agent.sign(good)))
            signed[-3] ^= 1
            return base64.b64encode(bytes(signed))
        case "not json":
            return base64.b64encode(agent.key.sign(b"hello") + b"hello")
        case "no object":
            return base64.b64encode(agent.key.sign(b"[]") + b"[]")
        case "too long":
            return agent.sign({**good, "name": "x" * 70_000})
    changes: dict[str, dict[str, Any]] = {
        "another agent": {"agent-id": "SOMEBODY_ELSE"},
        "another business": {"business-id": "ANOTHER_BUSINESS"},
        "from the future": {"issued-at": (now + timedelta(minutes=5)).isoformat()},
        "expired": {"expires-at": (now - timedelta(seconds=1)).isoformat()},
        "no time zone": {"issued-at": "2026-01-01T00:00:00"},
        "another version": {"drp.version": "0.7"},
        "unknown right": {"exercise": "car:wash"},
        "unknown regime": {"regime": "moon"},
        "nobody named": {"email": ""},
        "no address": {"email": "not an address"},
        "callback inside": {"status_callback": "http://127.0.0.1/x"},
    }
    return agent.sign({**good, **changes[what]})


@pytest.mark.parametrize(
    ("what", "code", "fatal"),
    [
        ("not base64", 400, True),
        ("nothing signed", 400, True),
        ("another key", 403, True),
        ("a changed byte", 403, True),
        ("not json", 400, True),
        ("no object", 400, True),
        ("too long", 413, True),
        ("another agent", 403, True),
        ("another business", 403, True),
        ("from the future", 400, False),
        ("expired", 400, True),
        ("no time zone", 400, True),
        ("another version", 400, True),
        ("unknown right", 400, True),
        ("unknown regime", 400, True),
        ("nobody named", 400, True),
        ("no address", 400, True),
        ("callback inside", 400, True),
    ],
)
def test_what_is_not_right_gets_its_answer_and_leaves_nothing(account: Account, agent: Client1, what: str, code: int, fatal: bool) -> None:
    before = len(requests_of(account))
    answer = agent.send("POST", "data-rights-request", _broken(agent, what))
    said = answer.json()
    assert (answer.status_code, said["code"], said.get("fatal", False)) == (code, str(code), fatal), said
    assert said["message"]
    assert len(requests_of(account)) == before


def test_the_checks_come_in_the_order_of_the_protocol(agent: Client1) -> None:
    """A message that fails all of them fails at the first; each mended, it fails at the next."""
    now = datetime.now(UTC)
    past, future = (now - timedelta(days=1)).isoformat(), (now + timedelta(days=1)).isoformat()
    wrong = {"agent-id": "A", "business-id": "B", "issued-at": future, "expires-at": past}
    stranger = Client1(agent.account)
    said = [agent.send("POST", "data-rights-request", stranger.sign(agent.envelope(**wrong))).json()["message"]]
    for name in list(wrong):
        said.append(agent.send("POST", "data-rights-request", agent.sign(agent.envelope(**wrong))).json()["message"])
        del wrong[name]
    words = ("signature", "not from the agent", "another business", "issued in the future", "expired")
    assert all(word in one for word, one in zip(words, said, strict=True)), said


def test_an_agent_that_was_ended_is_nobody(account: Account) -> None:
    made = Client1(account)
    actions.add_agent(account, ALICE, made.agent, "Another", made.verify_key)
    with pytest.raises(Conflict):
        actions.add_agent(account, ALICE, made.agent, "Another", made.verify_key)
    with pytest.raises(BadInput):
        actions.add_agent(account, ALICE, "SHORT", "Another", "AAAA")
    made.pair()
    with bookkeeping(account.pk) as use:
        number = Agent.under(use).get(identifier=made.agent).pk
    actions.end(account, ALICE, Agent, number)
    assert made.send("GET", f"agent/{made.agent}").status_code == 403
    assert made.send("POST", f"agent/{made.agent}", made.sign(made.envelope())).status_code == 403
    with bookkeeping(account.pk) as use:
        assert Agent.under(use).filter(identifier=made.agent, token="").exists()


# Being told


class Listening(http.server.BaseHTTPRequestHandler):
    """An agent's own address: it keeps what it is told."""

    told: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        Listening.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(settings, "PRIVATE_ADDRESSES", True)
    server = http.server.HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/status"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_agent_is_told_of_every_move(account: Account, agent: Client1, listening: str) -> None:
    known = dana(account, region="US-CA")
    Listening.told.clear()
    request_id = agent.exercise("sale:opt-out", email=known.email, status_callback=listening).json()["request_id"]
    work()
    worker.run_due(datetime.now(UTC) + timedelta(seconds=9), jobs.call_back)
    assert [one["request_id"] for one in Listening.told] == [request_id] * len(Listening.told)
    assert Listening.told[-1]["status"] == "fulfilled"


@pytest.mark.parametrize(
    "address",
    [
        "http://agent.example/x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://user:pass@agent.example/x",
        "https:///x",
        "ftp://agent.example/x",
        "https://agent.example:99999/x",
    ],
)
def test_no_call_back_leads_into_the_house(address: str) -> None:
    with pytest.raises((BadInput, Refused)):
        outgoing.check(address)


def test_a_name_that_leads_into_the_house_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_given: [(0, 0, 0, "", ("192.168.1.7", 443))])
    with pytest.raises(Refused):
        outgoing.post("https://agent.example/x", b"{}", {})

"""Letters over SMTP, against a server of a dozen lines."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings

from kept.apps.requests import actions, limits, outbox
from kept.apps.requests.models import Kind, OutboxMessage
from kept.apps.requests.tests.people import dana, requests_of, work
from kept.core.errors import BadInput
from kept.platform.accounts.models import Account
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.testing import cast, with_notice

TALK = {b"EHLO": b"250 ready", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


class Server(socketserver.ThreadingTCPServer):
    """Takes letters."""

    allow_reuse_address = True
    daemon_threads = True
    taken: list[bytes]


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(b"220 post.example\r\n")
        for line in self.rfile:
            self.wfile.write(TALK[line[:4].upper()] + b"\r\n")
            if line.upper().startswith(b"DATA"):
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"250 taken\r\n")


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.taken = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(settings, "SMTP_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        yield server.taken
        server.shutdown()


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def test_a_letter_goes_out_over_smtp_and_lies_nowhere(account: Account, post_office: list[bytes]) -> None:
    known = dana(account)
    actions.ask(account, Kind.ACCESS, known.email, "GB", "fd00::")
    work()
    (letter,) = post_office
    assert f"To: {known.email}".encode() in letter
    assert b"From: Larch & Daughters <privacy@larch.example>" in letter or b'From: "Larch & Daughters" <privacy@larch.example>' in letter
    assert b"Auto-Submitted: auto-generated" in letter
    assert not any(mail["To"] == known.email for _, mail in outbox.letters_in_folder())
    request = requests_of(account)[-1]
    with bookkeeping(account.pk) as use:
        (sent,) = OutboxMessage.under(use).filter(request=request.reference)
    outbox.deliver(account.pk, sent.pk)
    assert len(post_office) == 1


def test_a_malformed_address_of_the_server_is_said_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SMTP_URL", "post.example:25")
    actions.ask(account, Kind.ACCESS, dana(account).email, "GB", "fd00::")
    with bookkeeping(account.pk) as use:
        waiting = OutboxMessage.under(use).latest("id")
    with pytest.raises(BadInput, match="malformed"):
        outbox.deliver(account.pk, waiting.pk)


def test_a_count_is_forgotten_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, tuple[object, float]] = {}

    class Cache:
        def get(self, key: str) -> object:
            return kept.get(key, (None, 0))[0]

        def set(self, key: str, value: object, timeout: float) -> None:
            kept[key] = (value, timeout)

    monkeypatch.setattr(limits, "cache", Cache())
    assert [limits.delay(1, "fd00::").total_seconds() for _ in range(3)] == [0, 0, 0]
    ((value, timeout),) = kept.values()
    assert isinstance(value, tuple)
    assert value[0] == 3
    assert timeout <= 3600

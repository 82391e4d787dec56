"""A mail server's pipe: what it hands over becomes a request, and what goes wrong has the exit code that it knows."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from django.db import OperationalError
from typer.testing import CliRunner, Result

from kept.apps.requests import inbound
from kept.apps.requests.models import Channel, Kind
from kept.apps.requests.tests.people import requests_of
from kept.platform.accounts.models import Account
from kept.platform.privacy.testing import cast, with_notice
from kept.project.cli import app


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def mail(sender: str, *more: str, text: str = "Please delete my data.") -> bytes:
    headers = [
        f"From: Dana <{sender}>",
        "To: privacy@larch.example",
        "Subject: My data",
        f"Message-ID: <{secrets.token_hex(8)}@quayside.example>",
    ]
    return "\r\n".join([*headers, *more, "", text, ""]).encode()


def piped(account: Account | str, raw: bytes, *arguments: str) -> Result:
    slug = account if isinstance(account, str) else account.slug
    return CliRunner().invoke(app, ["receive-mail", slug, *arguments], input=raw)


@pytest.fixture
def sender() -> str:
    return f"dana.{secrets.token_hex(4)}@quayside.example"


def test_a_mail_becomes_a_request_and_nothing_is_said(account: Account, sender: str) -> None:
    raw = mail(sender)
    assert [(one.exit_code, one.output) for one in (piped(account, raw), piped(account, raw, "-"))] == [(0, ""), (0, "")]
    mine = requests_of(account)
    assert [(one.kind, one.channel) for one in mine] == [(Kind.ERASE, Channel.EMAIL)]


def test_a_file_is_a_mail_too(account: Account, sender: str, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes(mail(sender))
    before = len(requests_of(account))
    assert piped(account, b"", str(file)).exit_code == 0
    assert len(requests_of(account)) == before + 1
    assert piped(account, b"", str(tmp_path / "absent.eml")).exit_code == 75


def test_what_a_program_sent_is_left_alone(account: Account, sender: str) -> None:
    before = len(requests_of(account))
    assert piped(account, mail(sender, "Auto-Submitted: auto-replied")).exit_code == 0
    assert len(requests_of(account)) == before


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff no mail",
        b"Subject: nobody\r\n\r\nHello.",
        b"From: dana@localhost\r\n\r\nHello.",
        b"From: dana@quayside.example\r\nContent-Type: text/plain; charset=no-such\r\n\r\nHello.",
        b"From: dana@quayside.example\r\n\r\n" + b"x" * inbound.MOST_BYTES,
    ],
    ids=["empty", "binary", "no sender", "no address", "no charset", "too long"],
)
def test_what_is_no_mail_is_returned(account: Account, raw: bytes) -> None:
    before = len(requests_of(account))
    done = piped(account, raw)
    assert done.exit_code == 65, done.output
    assert "dana" not in done.output
    assert len(requests_of(account)) == before


def test_what_is_not_the_mails_fault_is_tried_again(account: Account, sender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped("nobody-here", mail(sender)).exit_code == 75

    def away(*_: object) -> None:
        raise OperationalError(f"could not store {sender}")

    monkeypatch.setattr(inbound, "receive", away)
    done = piped(account, mail(sender))
    assert done.exit_code == 75
    assert sender not in done.output

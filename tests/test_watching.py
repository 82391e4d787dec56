"""A third party watches a ledger as docs/howto/watch-a-ledger.md says: with files from public addresses, and the command alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from kept.core import ledger as core
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast, stranger
from kept.platform.privacy import ledger
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import with_notice
from kept.project.cli import app


@pytest.fixture
def account() -> Account:
    made = with_notice(cast().account)
    ledger.sequence(made.pk)
    return made


def fetch(account: Account, address: str, file: Path) -> None:
    """What curl -o does."""
    answer = stranger().get(f"/{account.slug}/{address}")
    assert answer.status_code == 200
    file.write_bytes(answer.content)


def test_the_command_tells_whether_history_was_rewritten(account: Account, tmp_path: Path) -> None:
    def verify(*names: str, key: bool = True) -> tuple[int, str]:
        options = ["--key", str(tmp_path / "ledger-key.pem")] if key else []
        done = CliRunner().invoke(app, ["verify", *(str(tmp_path / name) for name in names), *options])
        return done.exit_code, (done.stdout.splitlines() or [done.stderr])[0]

    fetch(account, ".well-known/ledger-key.pem", tmp_path / "ledger-key.pem")
    fetch(account, "privacy-ledger/heads.json", tmp_path / "kept.json")
    size = ledger.head(account.pk)["head"]["size"]
    with reserved(account.pk, "command:test", "proof"):
        pass
    ledger.sequence(account.pk)
    fetch(account, f"privacy-ledger/consistency.json?from={size}", tmp_path / "proof.json")
    fetch(account, "privacy-ledger/heads.json", tmp_path / "now.json")
    for names in (["kept.json"], ["proof.json"], ["kept.json", "proof.json"], ["kept.json", "proof.json", "now.json"]):
        assert verify(*names) == (0, "valid")
    assert verify("kept.json", "proof.json", key=False) == (1, "consistent, signer unknown")
    code, said = verify("kept.json", "now.json")
    assert (code, f"from={size}" in said) == (2, True)
    assert verify("kept.json", "absent.json")[0] == 2

    key, public = ledger.signing_key(account.pk)
    head = core.Head(str(account.pk), size, b"f" * 32, timezone.now())
    (tmp_path / "forged.json").write_bytes(core.encode(core.make_signed_head(core.SignedHead(head, head.sign(key)), public)))
    assert verify("forged.json") == (0, "valid")
    assert verify("kept.json", "forged.json") == (1, "history was rewritten")
    (tmp_path / "kept.json").write_bytes((tmp_path / "kept.json").read_bytes() + b"\n")
    assert verify("kept.json", "proof.json") == (1, "invalid")

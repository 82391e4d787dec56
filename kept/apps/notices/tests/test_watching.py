"""The public addresses by which anybody watches a ledger."""

from __future__ import annotations

import json

import pytest

from kept.core import ledger as core
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import stranger
from kept.platform.data.models import Subject
from kept.platform.privacy import ledger
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import cast, someone, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    made = with_notice(cast().account)
    ledger.sequence(made.pk)
    return made


def fetch(account: Account, address: str, code: int = 200) -> bytes:
    answer = stranger().get(f"/{account.slug}/privacy-ledger/{address}")
    assert answer.status_code == code, answer.content
    return bytes(answer.content)


def go_on(account: Account) -> None:
    with reserved(account.pk, "command:test", "proof"):
        pass
    ledger.sequence(account.pk)


def test_a_stranger_keeps_a_head_and_sees_that_the_ledger_went_on_from_it(account: Account) -> None:
    key = core.VerifyKey.from_pem(stranger().get(f"/{account.slug}/.well-known/ledger-key.pem").content)
    held = fetch(account, "heads.json")
    size = json.loads(held)["head"]["size"]
    go_on(account)
    proof, newest = fetch(account, f"consistency.json?from={size}"), fetch(account, "heads.json")
    assert json.loads(newest)["head"]["size"] > size
    for files in ([held], [proof], [held, proof, newest]):
        assert core.verify_documents(files, key).state == "valid"
    assert fetch(account, f"heads.json?size={size}") == held


def test_what_never_changes_is_kept_for_ever_and_the_newest_for_a_minute(account: Account) -> None:
    size = ledger.head(account.pk)["head"]["size"]
    go_on(account)
    newest = ledger.head(account.pk)["head"]["size"]
    caching = {
        "heads.json": "public, max-age=60",
        f"heads.json?size={size}": "public, max-age=31536000, immutable",
        f"consistency.json?from={size}": "public, max-age=60",
        f"consistency.json?from={size}&to={newest}": "public, max-age=31536000, immutable",
    }
    for address, expected in caching.items():
        answer = stranger().get(f"/{account.slug}/privacy-ledger/{address}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, expected)
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("size", ["", "x", "-1", "1.5", "1" * 16, "²", "1_0", "٣"])
def test_a_size_is_a_number(account: Account, size: str) -> None:
    for address in (f"heads.json?size={size}", f"consistency.json?from={size}", f"consistency.json?from=1&to={size}"):
        assert stranger().get(f"/{account.slug}/privacy-ledger/{address}").status_code == 400
    assert "no-store" in stranger().get(f"/{account.slug}/privacy-ledger/heads.json?size={size}").headers["Cache-Control"]


def test_what_was_never_signed_is_not_found(account: Account) -> None:
    fetch(account, "consistency.json", 400)
    fetch(account, f"heads.json?size={'9' * 15}", 404)
    fetch(account, f"consistency.json?from={'9' * 15}", 404)
    assert stranger().get(f"/{cast().account.slug}/privacy-ledger/heads.json").status_code == 404


def test_nothing_in_it_names_anybody(account: Account) -> None:
    dana = someone(account, "dana.unnamed@quayside.example")
    go_on(account)
    with reserved(account.pk, "command:test", "proof") as use:
        reference = Subject.under(use).values_list("reference", flat=True).get(pk=dana.id)
    for address in ("heads.json", f"consistency.json?from={ledger.head(account.pk)['head']['size']}"):
        said = fetch(account, address).decode()
        assert reference not in said
        assert dana.email not in said

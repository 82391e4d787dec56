from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.core.ledger import (
    Frontier,
    Head,
    Header,
    MemoryNodeStore,
    Receipt,
    SigningKey,
    canonical,
    commit,
    encode,
    inclusion_proof,
    leaf_hash,
    make_receipt,
    verify_receipt,
)

AT = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
DANA = "da" * 16
# Fixed keys: they name parameters, which every worker must spell alike.
KEY, OTHER = (SigningKey(Ed25519PrivateKey.from_private_bytes(seed * 32)) for seed in (b"k", b"o"))
SALT = b"s" * 32
CERTIFICATE = {"title": "Certificate of erasure", "subject": DANA, "rows": {"contacts_person": 1, "contacts_note": 19}, "residue": None}
ERASURE = Header("erasure", AT, "job:erasure", "rights", subjects=(DANA,), request="r-1", commitment=commit(encode(CERTIFICATE), SALT))


@cache
def ledger(size: int = 11, place: int = 6) -> tuple[Head, list[bytes]]:
    headers = [ERASURE if n == place else Header("look", AT, f"member:{n}", subjects=(DANA,)) for n in range(size)]
    frontier, nodes = Frontier().extend([leaf_hash(canonical(header, n)) for n, header in enumerate(headers)])
    store = MemoryNodeStore()
    store.put_many(nodes)
    return Head("alder", size, frontier.root, AT), inclusion_proof(store, place, size)


def issue(signer: SigningKey = KEY, **changed: Any) -> Receipt:
    head, proof = ledger()
    parts: dict[str, Any] = {"head": head, "signature": head.sign(signer), "key": signer.verify_key, "document": CERTIFICATE, "salt": SALT}
    return make_receipt(ERASURE, 6, proof, **parts | changed)


RECEIPT = issue()
FILE = encode(RECEIPT)


def test_a_receipt_is_valid_with_the_published_key() -> None:
    for form in (RECEIPT, FILE, FILE.decode(), json.loads(FILE)):
        verdict = verify_receipt(form, KEY.verify_key)
        assert (verdict.state, verdict.summary, verdict.reasons) == ("valid", "valid", ())


def test_without_a_key_the_signer_is_unknown() -> None:
    verdict = verify_receipt(FILE)
    assert verdict.state == "signer-unknown"
    assert verdict.summary == "consistent, signer unknown"
    assert verdict.reasons


def test_signed_anew_with_another_key_it_is_invalid() -> None:
    forged = encode(issue(OTHER))
    verdict = verify_receipt(forged, KEY.verify_key)
    assert verdict.state == "invalid"
    assert OTHER.verify_key.id in verdict.reasons[0]
    assert KEY.verify_key.id in verdict.reasons[0]
    assert verify_receipt(forged).state == "signer-unknown"


@pytest.mark.parametrize("key", [KEY.verify_key, None])
def test_every_changed_byte_makes_it_invalid(key: Any) -> None:
    for position, byte in enumerate(FILE):
        for changed in {byte ^ 1, byte ^ 0x20, ord(" "), ord("0")} - {byte}:
            text = FILE[:position] + bytes([changed]) + FILE[position + 1 :]
            assert verify_receipt(text, key).state == "invalid", (position, changed)


def test_every_byte_added_or_removed_makes_it_invalid() -> None:
    for position in range(len(FILE) + 1):
        for more in (b" ", b"\n"):
            assert verify_receipt(FILE[:position] + more + FILE[position:]).state == "invalid", position
        if position < len(FILE):
            assert verify_receipt(FILE[:position] + FILE[position + 1 :]).state == "invalid", position


def test_a_change_of_spelling_alone_is_called_so() -> None:
    for text in (
        FILE + b"\n",
        json.dumps(RECEIPT, indent=2).encode(),
        json.dumps(RECEIPT).encode(),
        FILE.replace(b"Certificate", b"\\u0043ertificate"),
    ):
        verdict = verify_receipt(text, KEY.verify_key)
        assert verdict.state == "invalid"
        assert len(verdict.reasons) == 1
        assert "not written as it was issued" in verdict.reasons[0]
    twice = FILE.replace(b'{"document":', b'{"document":null,"document":', 1)
    assert verify_receipt(twice, KEY.verify_key).state == "invalid"


def changed(path: str, value: object) -> Receipt:
    receipt = json.loads(FILE)
    *outer, last = path.split(".")
    place = receipt
    for name in outer:
        place = place[name]
    place[last] = value
    return receipt  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("format", "kept-receipt-2"), ("document", None), ("salt", None), ("salt", "00" * 32), ("document.rows.contacts_note", 18)),
        *(("entry.subjects", []), ("entry.rule", "right:erase"), ("entry.commitment", None), ("entry.at", "2026-01-31T09:00:00.000001Z")),
        *(
            ("index", 7),
            ("index", -1),
            ("index", True),
            ("index", "6"),
            ("index", 2**60),
            ("proof", []),
            ("proof", [5]),
            ("proof", ["00" * 32]),
        ),
        *(("head.size", 12), ("head.account", "birch"), ("head.root", "00" * 32), ("head", None), ("signature", "00" * 64)),
        *(("signature", RECEIPT["signature"].upper()), ("signature", ""), ("key.id", "0" * 16), ("key.public", OTHER.verify_key.raw.hex())),
        *(("key", {"id": OTHER.verify_key.id, "public": OTHER.verify_key.raw.hex()}), ("key.name", "x"), ("comment", "x"), ("proof", {})),
    ],
)
def test_every_changed_member_makes_it_invalid(path: str, value: object) -> None:
    assert verify_receipt(changed(path, value)).state == "invalid"
    text = json.dumps(changed(path, value), sort_keys=True, separators=(",", ":"))
    assert verify_receipt(text, KEY.verify_key).state == "invalid"


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"format": NaN}', b"[" * 200_000, b"1" * 5000, "\ud800", {"format": 1.5}, {1: 2}),
        *(FILE.decode().encode("utf-16"), b"\xef\xbb\xbf" + FILE, FILE[:-1] + b',"x":1.5}'),
    ],
)
def test_whatever_is_given_there_is_a_verdict(text: Any) -> None:
    verdict = verify_receipt(text, KEY.verify_key)
    assert verdict.state == "invalid"
    assert verdict.reasons


@given(st.binary(max_size=60) | st.text(max_size=60) | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut]))
@settings(deadline=None)
def test_only_the_whole_file_verifies(text: bytes | str) -> None:
    assert (verify_receipt(text, KEY.verify_key).state == "valid") == (text == FILE)


def test_a_receipt_without_a_document_proves_the_entry() -> None:
    receipt = issue(document=None, salt=None)
    assert receipt["document"] is None
    assert verify_receipt(encode(receipt), KEY.verify_key).state == "valid"


def test_the_only_entry_of_a_ledger_has_a_receipt() -> None:
    head, proof = ledger(1, 0)
    receipt = make_receipt(ERASURE, 0, proof, head=head, signature=head.sign(KEY), key=KEY.verify_key)
    assert receipt["proof"] == []
    assert verify_receipt(encode(receipt), KEY.verify_key).state == "valid"


@pytest.mark.parametrize(
    "wrong",
    [
        *({"salt": None}, {"document": None}, {"document": CERTIFICATE | {"rows": {}}}, {"document": {"share": 0.5}}),
        *({"signature": b"x" * 64}, {"signature": b"x"}, {"key": OTHER.verify_key}, {"head": Head("alder", 11, b"r" * 32, AT)}),
    ],
)
def test_no_receipt_is_issued_that_would_be_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        issue(**wrong)

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kept.core.errors import BadInput
from kept.core.ledger import Head, SigningKey, VerifyKey

AT = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
KEY = SigningKey.generate()
HEAD = Head("alder", 12, b"r" * 32, AT)


def test_keys_read_back_from_pem() -> None:
    assert VerifyKey.from_pem(KEY.verify_key.to_pem()) == KEY.verify_key
    assert VerifyKey.from_pem(KEY.verify_key.to_pem().encode()) == KEY.verify_key
    assert SigningKey.from_pem(KEY.to_pem()).verify_key == KEY.verify_key
    assert KEY.verify_key.to_pem().startswith("-----BEGIN PUBLIC KEY-----\n")


def test_a_key_id_is_the_beginning_of_its_hash() -> None:
    key = KEY.verify_key
    assert key.id == sha256(key.raw).hexdigest()[:16]


def test_a_known_signature() -> None:
    """RFC 8032, section 7.1, test 1."""
    key = VerifyKey(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert key.verify(signature, b"")
    assert not key.verify(signature, b"x")
    assert not key.verify(signature[:-1], b"")


def test_other_keys_are_refused_with_a_cure() -> None:
    other = generate_private_key(SECP256R1())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in ("", "é", "nonsense", public):
        with pytest.raises(BadInput, match="not an Ed25519 public key"):
            VerifyKey.from_pem(pem)
    with pytest.raises(BadInput, match="a private key") as refusal:
        VerifyKey.from_pem(KEY.to_pem())
    assert KEY.to_pem().split("\n")[1] not in str(refusal.value)
    for pem in ("", "nonsense", private, KEY.verify_key.to_pem()):
        with pytest.raises(BadInput, match="not an Ed25519 private key"):
            SigningKey.from_pem(pem)
    with pytest.raises(BadInput):
        VerifyKey(b"short")


def test_a_signing_key_never_shows_itself() -> None:
    assert repr(KEY) == "SigningKey()"


def test_a_head_is_bound_in_every_part() -> None:
    signature = HEAD.sign(KEY)
    assert HEAD.verify(signature, KEY.verify_key)
    assert not HEAD.verify(signature, SigningKey.generate().verify_key)
    for other in (
        Head("birch", 12, b"r" * 32, AT),
        Head("alder", 13, b"r" * 32, AT),
        Head("alder", 12, b"s" * 32, AT),
        Head("alder", 12, b"r" * 32, AT + timedelta(microseconds=1)),
    ):
        assert not other.verify(signature, KEY.verify_key)


def test_a_head_reads_back_from_its_document() -> None:
    assert Head.from_document(json.loads(json.dumps(HEAD.as_document()))) == HEAD


@pytest.mark.parametrize(
    "wrong",
    [
        *({"account": ""}, {"account": 1}, {"size": -1}, {"size": True}, {"size": "12"}),
        *({"root": "R" * 64}, {"root": "72" * 31}, {"at": "now"}, {"more": 1}),
    ],
)
def test_a_wrong_head_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Head.from_document(HEAD.as_document() | wrong)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(BadInput):
        Head("alder", 12, b"r" * 32, datetime(2026, 1, 31))  # noqa: DTZ001

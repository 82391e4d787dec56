from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kept.core.errors import BadInput
from kept.core.ledger import (
    Frontier,
    Head,
    Header,
    MemoryNodeStore,
    SignedHead,
    SigningKey,
    canonical,
    consistency_proof,
    encode,
    inclusion_proof,
    leaf_hash,
    make_consistency,
    make_receipt,
    make_signed_head,
    verify_documents,
)

AT = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
DANA = "da" * 16
KEY, OTHER = (SigningKey(Ed25519PrivateKey.from_private_bytes(seed * 32)) for seed in (b"k", b"o"))
PUBLIC = KEY.verify_key
REAL, FORGED = "withdrawn", "given"


def entry(number: int, third: str) -> Header:
    """Entry 3 is the one that the forger changes after the fact."""
    return Header("consent", AT + timedelta(minutes=number), third if number == 3 else "subject", subjects=(DANA,))


@cache
def store(third: str) -> MemoryNodeStore:
    """The tree of twenty entries."""
    _, nodes = Frontier().extend([leaf_hash(canonical(entry(n, third), n)) for n in range(20)])
    made = MemoryNodeStore()
    made.put_many(nodes)
    return made


def signed(size: int, third: str = REAL, key: SigningKey = KEY, *, account: str = "alder", late: int = 0) -> SignedHead:
    """The head of so many entries, signed a minute after the last of them, or `late` minutes after that."""
    head = Head(account, size, Frontier.read(store(third), size).root, AT + timedelta(minutes=size + late))
    return SignedHead(head, head.sign(key))


def kept(size: int, third: str = REAL, **more: Any) -> bytes:
    """What a third party fetched and kept."""
    return encode(make_signed_head(signed(size, third, **more), more.get("key", KEY).verify_key))


def going_on(old: int, new: int, third: str = REAL) -> bytes:
    """What the account answers to whoever asks how it went on."""
    return encode(make_consistency(signed(old, third), signed(new, third), consistency_proof(store(third), old, new), PUBLIC))


def receipt(index: int, size: int) -> bytes:
    """A receipt that Dana holds."""
    head = signed(size)
    proof = inclusion_proof(store(REAL), index, size)
    return encode(make_receipt(entry(index, REAL), index, proof, head=head.head, signature=head.signature, key=PUBLIC))


def test_an_honest_ledger_verifies_however_it_is_watched() -> None:
    for documents in (
        [kept(12)],
        [receipt(5, 12)],
        [kept(12), going_on(12, 20)],
        [receipt(5, 12), going_on(12, 20)],
        [kept(7), going_on(7, 12), going_on(12, 20), kept(20)],
        [going_on(12, 12)],
        [json.loads(kept(12)), going_on(12, 20).decode()],
    ):
        assert verify_documents(documents, PUBLIC).state == "valid"
        unknown = verify_documents(documents)
        assert (unknown.state, unknown.summary, len(unknown.reasons)) == ("signer-unknown", "consistent, signer unknown", 1)


@pytest.mark.parametrize("held", [kept(12), receipt(5, 12), going_on(7, 12)])
def test_a_rewritten_ledger_is_caught_by_whatever_somebody_kept(held: bytes) -> None:
    """One entry changed, the tree rebuilt, everything signed anew with the genuine key: within itself nothing is wrong with it."""
    forged = going_on(12, 20, FORGED)
    assert verify_documents([forged], PUBLIC).state == "valid"
    for key in (PUBLIC, None):
        verdict = verify_documents([held, forged], key)
        assert (verdict.state, verdict.summary) == ("rewritten", "history was rewritten")
        assert verdict.reasons == (f"Two heads of 12 entries differ, and key {PUBLIC.id} signed both: entries up to 12 were changed.",)


def test_a_forger_who_leaves_the_old_head_alone_finds_no_proof() -> None:
    for size in range(1, 20):
        for third in (REAL, FORGED):
            proof = consistency_proof(store(third), size, 20)
            if size > 3:
                with pytest.raises(BadInput, match="history was rewritten"):
                    make_consistency(signed(size), signed(20, FORGED), proof, PUBLIC)
    honest = json.loads(going_on(12, 20))
    honest["new"] = signed(20, FORGED).as_document()
    verdict = verify_documents([honest], PUBLIC)
    assert verdict.state == "invalid"
    assert "history was rewritten" in verdict.reasons[0]


def test_entries_taken_away_are_seen_too() -> None:
    shorter = kept(9, late=30)
    verdict = verify_documents([kept(12), shorter], PUBLIC)
    assert verdict.state == "rewritten"
    assert "were taken away" in verdict.reasons[0]
    with pytest.raises(BadInput, match="Nothing tells"):  # signed a moment later, by a server whose clock is behind
        verify_documents([kept(12), kept(9, late=4)], PUBLIC)


def test_what_does_not_hang_together_is_asked_for() -> None:
    with pytest.raises(BadInput, match=r"between 12 entries and 20\.") as caught:
        verify_documents([kept(12), kept(20)], PUBLIC)
    assert "from=12" in caught.value.cure
    with pytest.raises(BadInput, match="between 7 entries and 12"):
        verify_documents([kept(7), going_on(12, 20)], PUBLIC)


def test_another_key_accuses_nobody() -> None:
    """A forger without the account's key can make two heads that contradict each other, but not in its name."""
    mine, theirs = kept(12), kept(12, FORGED, key=OTHER)
    verdict = verify_documents([mine, theirs], PUBLIC)
    assert verdict.state == "invalid"
    assert verdict.reasons[0].startswith("Document 2: The document was signed with key")
    assert verify_documents([mine, theirs]).state == "invalid"
    broken = json.loads(theirs) | {"key": json.loads(mine)["key"]}
    assert verify_documents([mine, broken], PUBLIC).state == "invalid"


def test_ledgers_of_two_accounts_are_not_compared() -> None:
    assert "different ledgers" in verify_documents([kept(12), kept(12, account="birch")], PUBLIC).reasons[0]
    with pytest.raises(BadInput, match="different ledgers"):
        make_consistency(signed(12), signed(20, account="birch"), consistency_proof(store(REAL), 12, 20), PUBLIC)


@pytest.mark.parametrize("whole", [kept(12), going_on(12, 20)])
def test_every_changed_byte_makes_it_invalid(whole: bytes) -> None:
    for position, byte in enumerate(whole):
        for changed in {byte ^ 1, ord(" "), ord("0")} - {byte}:
            text = whole[:position] + bytes([changed]) + whole[position + 1 :]
            assert verify_documents([text]).state == "invalid", (position, changed)
        assert verify_documents([whole[:position] + whole[position + 1 :]]).state == "invalid", position


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", b'{"format":"kept-signed-head-1"}', b'{"format":["kept-receipt-1"]}'])
def test_what_is_no_such_document_cannot_be_read(text: bytes) -> None:
    verdict = verify_documents([text], PUBLIC)
    assert verdict.state == "invalid"
    assert verdict.reasons[0].startswith("The document cannot be read.")


def test_nothing_is_issued_that_would_be_refused() -> None:
    proof = consistency_proof(store(REAL), 12, 20)
    for old, new, nodes, key in (
        (signed(12), signed(20), proof[1:], PUBLIC),
        (signed(20), signed(12), proof, PUBLIC),
        (signed(12), signed(20), proof, OTHER.verify_key),
        (signed(12), replace(signed(20), signature=b"x" * 64), proof, PUBLIC),
    ):
        with pytest.raises(BadInput):
            make_consistency(old, new, nodes, key)
    with pytest.raises(BadInput):
        make_signed_head(signed(12), OTHER.verify_key)

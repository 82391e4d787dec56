"""Entries, Merkle heads, receipts, offline verification. No I/O: entries and nodes come in from outside."""

from kept.core.ledger.encoding import commit, encode, new_salt
from kept.core.ledger.entries import KINDS, Header, canonical
from kept.core.ledger.heads import Head
from kept.core.ledger.keys import SigningKey, VerifyKey
from kept.core.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    MemoryNodeStore,
    NodeId,
    NodeStore,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from kept.core.ledger.receipts import Receipt, Verdict, make_receipt, verify_receipt

__all__ = [
    "EMPTY_ROOT",
    "KINDS",
    "Frontier",
    "Head",
    "Header",
    "MemoryNodeStore",
    "NodeId",
    "NodeStore",
    "Receipt",
    "SigningKey",
    "Verdict",
    "VerifyKey",
    "canonical",
    "commit",
    "consistency_proof",
    "encode",
    "inclusion_proof",
    "leaf_hash",
    "make_receipt",
    "new_salt",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
    "verify_receipt",
]

"""Entries, Merkle heads, receipts, proofs of consistency, offline verification. No I/O: entries and nodes come in from outside."""

from kept.core.ledger.consistency import SKEW, make_consistency, make_signed_head, verify_documents
from kept.core.ledger.encoding import commit, encode, new_salt
from kept.core.ledger.entries import KINDS, Header, canonical
from kept.core.ledger.heads import Head, SignedHead
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
from kept.core.ledger.receipts import Receipt, make_receipt, verify_receipt
from kept.core.ledger.verdicts import Verdict

__all__ = [
    "EMPTY_ROOT",
    "KINDS",
    "SKEW",
    "Frontier",
    "Head",
    "Header",
    "MemoryNodeStore",
    "NodeId",
    "NodeStore",
    "Receipt",
    "SignedHead",
    "SigningKey",
    "Verdict",
    "VerifyKey",
    "canonical",
    "commit",
    "consistency_proof",
    "encode",
    "inclusion_proof",
    "leaf_hash",
    "make_consistency",
    "make_receipt",
    "make_signed_head",
    "new_salt",
    "node_hash",
    "verify_consistency",
    "verify_documents",
    "verify_inclusion",
    "verify_receipt",
]

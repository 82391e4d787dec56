"""Signed heads and proofs of consistency between them, as documents that a third party keeps and compares.

A head that somebody outside keeps binds the account to everything it had written until then: whoever rewrites an entry afterwards can
sign a new tree, but can neither prove that it goes on from the head kept, nor take the signature on that head back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Any

from kept.core.errors import BadInput
from kept.core.ledger.encoding import write_time
from kept.core.ledger.heads import Head, SignedHead
from kept.core.ledger.keys import SIGNATURE_BYTES, VerifyKey
from kept.core.ledger.merkle import HASH_BYTES, verify_consistency
from kept.core.ledger.receipts import FORMAT as RECEIPT
from kept.core.ledger.receipts import read_receipt
from kept.core.ledger.verdicts import Parts, Verdict, Written, judge, key_document, read_key, unhex

HEAD = "kept-signed-head-1"
CONSISTENCY = "kept-consistency-1"
SKEW = timedelta(minutes=5)
"""How far the clocks of an account's servers may stand apart."""


@dataclass(frozen=True, slots=True)
class _OneHead:
    signed: SignedHead
    key: VerifyKey

    @property
    def heads(self) -> tuple[SignedHead, ...]:
        return (self.signed,)

    def as_document(self) -> dict[str, Any]:
        return {"format": HEAD, **self.signed.as_document(), "key": key_document(self.key)}

    def faults(self) -> list[str]:
        return [] if self.signed.verify(self.key) else ["The head's signature is not that of the key the document names."]


@dataclass(frozen=True, slots=True)
class _TwoHeads:
    old: SignedHead
    new: SignedHead
    proof: tuple[bytes, ...]
    key: VerifyKey

    @property
    def heads(self) -> tuple[SignedHead, ...]:
        return (self.old, self.new)

    def as_document(self) -> dict[str, Any]:
        return {
            "format": CONSISTENCY,
            "old": self.old.as_document(),
            "new": self.new.as_document(),
            "proof": [node.hex() for node in self.proof],
            "key": key_document(self.key),
        }

    def faults(self) -> list[str]:
        old, new = self.old.head, self.new.head
        unsigned = [name for name, one in (("old", self.old), ("new", self.new)) if not one.verify(self.key)]
        faults = [f"The signature of the {name} head is not that of the key the document names." for name in unsigned]
        if old.account != new.account:
            faults.append("The two heads are of different ledgers.")
        if not verify_consistency(old.size, new.size, self.proof, old.root, new.root):
            faults.append(
                "The proof does not lead from the old head to the new: it was changed, or history was rewritten. Ask for it again."
            )
        return faults


def make_signed_head(signed: SignedHead, key: VerifyKey) -> dict[str, Any]:
    """A signed head as a document. Raises BadInput when `key` did not sign it."""
    return _made(_OneHead(signed, key))


def make_consistency(old: SignedHead, new: SignedHead, proof: Sequence[bytes], key: VerifyKey) -> dict[str, Any]:
    """The document that proves that the ledger under `new` begins with that under `old`. Raises BadInput when it would be refused."""
    return _made(_TwoHeads(old, new, tuple(proof), key))


def _made(parts: Parts) -> dict[str, Any]:
    faults = parts.faults()
    if faults:
        raise BadInput(" ".join(faults), place="ledger", cure="Give heads, proof and key that belong together.")
    return parts.as_document()


def verify_documents(documents: Sequence[Written], key: VerifyKey | None = None) -> Verdict:
    """Verify receipts, signed heads and proofs of consistency, each by itself and all against each other, oldest first.

    Beside the states of `verify_receipt`: ``rewritten`` when heads with genuine signatures of one key contradict each other, which
    whoever holds that key cannot explain away. Raises BadInput where nothing tells how the ledger went on from one to the next.
    """
    judged = [judge(one, _read, "document", key) for one in documents]
    read = [parts for parts, _ in judged if parts is not None]
    signed = [(one.head, parts.key) for parts in read for one in parts.heads if one.verify(parts.key) and key in (None, parts.key)]
    contradictions = tuple(dict.fromkeys(said for pair in combinations(signed, 2) if (said := _contradiction(*pair))))
    if contradictions:
        return Verdict("rewritten", contradictions)
    many = len(judged) > 1
    reasons = [f"Document {n}: {said}" if many else said for n, (_, one) in enumerate(judged, 1) for said in one.reasons]
    if any(one.state == "invalid" for _, one in judged):
        return Verdict("invalid", tuple(reasons))
    if len({(one.head.account, parts.key) for parts in read for one in parts.heads}) > 1:
        return Verdict("invalid", ("The documents are of different ledgers, or signed with different keys.",))
    _check_chain(read)
    return Verdict("signer-unknown" if key is None else "valid", tuple(dict.fromkeys(one for _, each in judged for one in each.reasons)))


def _contradiction(one: tuple[Head, VerifyKey], other: tuple[Head, VerifyKey]) -> str:
    """Why two heads cannot both be of one ledger that only grew; empty where they can."""
    (first, key), (second, other_key) = sorted((one, other), key=lambda pair: pair[0].at)
    if key != other_key or first.account != second.account:
        return ""
    if first.size == second.size and first.root != second.root:
        return f"Two heads of {first.size} entries differ, and key {key.id} signed both: entries up to {first.size} were changed."
    if first.size > second.size and second.at - first.at > SKEW:
        times = f"{first.size} entries at {write_time(first.at)} and {second.size} at {write_time(second.at)}"
        return f"Key {key.id} signed {times}: entries were taken away."
    return ""


def _check_chain(read: Sequence[Parts]) -> None:
    """Raise BadInput unless each document has a head of a size that one before it has: equal roots of one size join them."""
    seen: set[int] = set()
    for parts in read:
        sizes = {one.head.size for one in parts.heads}
        if seen and seen.isdisjoint(sizes):
            raise BadInput(
                f"Nothing tells how the ledger went on between {max(seen)} entries and {min(sizes)}.",
                place="documents",
                cure=f"Fetch the account's proof of consistency (privacy-ledger/consistency.json?from={max(seen)}) and give it too.",
            )
        seen |= sizes


def _read(document: object) -> Parts:
    match document:
        case {"format": written} if written == RECEIPT:
            return read_receipt(document)
        case {"format": written, "key": {"public": public}} if written == HEAD:
            return _OneHead(_signed(document, "document"), read_key(public))
        case {"format": written, "old": old, "new": new, "proof": list(proof), "key": {"public": public}} if written == CONSISTENCY:
            nodes = tuple(unhex(node, HASH_BYTES, f"proof[{n}]") for n, node in enumerate(proof))
            return _TwoHeads(_signed(old, "old"), _signed(new, "new"), nodes, read_key(public))
    raise BadInput(
        f"A document has one of the formats {RECEIPT}, {HEAD}, {CONSISTENCY} and all of its members.",
        place="document",
        cure="Give the file as it was issued.",
    )


def _signed(document: object, place: str) -> SignedHead:
    match document:
        case {"head": head, "signature": signature}:
            return SignedHead(Head.from_document(head), unhex(signature, SIGNATURE_BYTES, f"{place}.signature"))
    raise BadInput("This is no signed head.", place=place, cure="Give the file as it was issued.")

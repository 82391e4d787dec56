"""Receipts: one document that proves, offline and for ever, that an entry stands in a signed ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kept.core.errors import BadInput
from kept.core.ledger.encoding import SALT_BYTES, commit, encode
from kept.core.ledger.entries import Header, canonical
from kept.core.ledger.heads import Head, SignedHead
from kept.core.ledger.keys import SIGNATURE_BYTES, VerifyKey
from kept.core.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from kept.core.ledger.verdicts import Verdict, Written, judge, key_document, read_key, unhex

FORMAT = "kept-receipt-1"

Receipt = dict[str, Any]
"""format · document and salt (or null) · entry · index · proof · head · signature · key {id, public}. `encode` gives the file."""

_MEMBERS = ("format", "document", "salt", "entry", "index", "proof", "head", "signature", "key")


@dataclass(frozen=True, slots=True)
class _Parts:
    """A receipt that has been read: every member of its right type."""

    header: Header
    index: int
    proof: tuple[bytes, ...]
    signed: SignedHead
    key: VerifyKey
    document: Mapping[str, Any] | None
    salt: bytes | None

    @property
    def heads(self) -> tuple[SignedHead, ...]:
        return (self.signed,)

    def as_document(self) -> Receipt:
        return {
            "format": FORMAT,
            "document": self.document,
            "salt": None if self.salt is None else self.salt.hex(),
            "entry": self.header.as_document(),
            "index": self.index,
            "proof": [node.hex() for node in self.proof],
            **self.signed.as_document(),
            "key": key_document(self.key),
        }

    def faults(self) -> list[str]:
        head = self.signed.head
        faults = []
        if (self.document is None) != (self.salt is None):
            faults.append("The receipt has a document without its salt, or a salt without its document.")
        elif self.document is not None and self.salt is not None and commit(encode(self.document), self.salt) != self.header.commitment:
            faults.append("The document is not the one this entry of the ledger was made for.")
        if not verify_inclusion(leaf_hash(canonical(self.header, self.index)), self.index, head.size, self.proof, head.root):
            faults.append("The entry does not stand in the ledger that the head describes.")
        if not self.signed.verify(self.key):
            faults.append("The head's signature is not that of the key the receipt names.")
        return faults


def make_receipt(
    header: Header,
    index: int,
    proof: Sequence[bytes],
    *,
    head: Head,
    signature: bytes,
    key: VerifyKey,
    document: Mapping[str, Any] | None = None,
    salt: bytes | None = None,
) -> Receipt:
    """A receipt for entry `index`, proved under a signed head; with the document that the entry commits to, if there is one to show.

    Raises BadInput, with the reasons, when the parts do not verify together: no receipt leaves that would be refused.
    """
    receipt = _Parts(header, index, tuple(proof), SignedHead(head, signature), key, document, salt).as_document()
    verdict = verify_receipt(receipt, key)
    if verdict.state != "valid":
        raise BadInput(" ".join(verdict.reasons), place="receipt", cure="Give the entry, proof, head and signature that belong together.")
    return receipt


def verify_receipt(receipt: Written, key: VerifyKey | None = None) -> Verdict:
    """Verify a receipt, as a file or as a document, against the key that the account publishes. Needs nothing else, and never raises.

    valid           everything agrees and `key` signed it
    signer-unknown  everything agrees, but no key was given to say whose signature it is
    invalid         something was changed, or another key signed it
    """
    return judge(receipt, read_receipt, "receipt", key)[1]


def read_receipt(document: object) -> _Parts:
    """The parts of a receipt. Raises BadInput."""
    match document:
        case {
            "format": str(written),
            "document": dict() | None as shown,
            "salt": str() | None as salt,
            "entry": entry,
            "index": int(index),
            "proof": list(proof),
            "head": head,
            "signature": signature,
            "key": {"public": public},
        } if written == FORMAT:
            return _Parts(
                header=Header.from_document(entry),
                index=index,
                proof=tuple(unhex(node, HASH_BYTES, f"proof[{n}]") for n, node in enumerate(proof)),
                signed=SignedHead(Head.from_document(head), unhex(signature, SIGNATURE_BYTES, "signature")),
                key=read_key(public),
                document=shown,
                salt=None if salt is None else unhex(salt, SALT_BYTES, "salt"),
            )
    raise BadInput(
        f"A receipt has the format {FORMAT} and the members {', '.join(_MEMBERS)}.", place="receipt", cure="Give the file as it was issued."
    )

"""Receipts: one document that proves, offline and for ever, that an entry stands in a signed ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kept.core.errors import BadInput
from kept.core.ledger.encoding import SALT_BYTES, commit, encode
from kept.core.ledger.entries import Header, canonical
from kept.core.ledger.heads import Head
from kept.core.ledger.keys import PUBLIC_BYTES, SIGNATURE_BYTES, VerifyKey
from kept.core.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion

FORMAT = "kept-receipt-1"
LARGEST_BYTES = 16 * 1024 * 1024

Receipt = dict[str, Any]
"""format · document and salt (or null) · entry · index · proof · head · signature · key {id, public}. `encode` gives the file."""

State = Literal["valid", "signer-unknown", "invalid"]

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_MEMBERS = ("format", "document", "salt", "entry", "index", "proof", "head", "signature", "key")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receipt is worth. `reasons` says why it is not valid, in sentences."""

    state: State
    reasons: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The state in words."""
        return "consistent, signer unknown" if self.state == "signer-unknown" else self.state


@dataclass(frozen=True, slots=True)
class _Parts:
    """A receipt that has been read: every member of its right type."""

    header: Header
    index: int
    proof: tuple[bytes, ...]
    head: Head
    signature: bytes
    key: VerifyKey
    document: Mapping[str, Any] | None
    salt: bytes | None

    def as_receipt(self) -> Receipt:
        return {
            "format": FORMAT,
            "document": self.document,
            "salt": None if self.salt is None else self.salt.hex(),
            "entry": self.header.as_document(),
            "index": self.index,
            "proof": [node.hex() for node in self.proof],
            "head": self.head.as_document(),
            "signature": self.signature.hex(),
            "key": {"id": self.key.id, "public": self.key.raw.hex()},
        }

    def faults(self) -> list[str]:
        """What contradicts itself, whoever signed it."""
        faults = []
        if (self.document is None) != (self.salt is None):
            faults.append("The receipt has a document without its salt, or a salt without its document.")
        elif self.document is not None and self.salt is not None and commit(encode(self.document), self.salt) != self.header.commitment:
            faults.append("The document is not the one this entry of the ledger was made for.")
        if not verify_inclusion(leaf_hash(canonical(self.header, self.index)), self.index, self.head.size, self.proof, self.head.root):
            faults.append("The entry does not stand in the ledger that the head describes.")
        if not self.head.verify(self.signature, self.key):
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
    receipt = _Parts(header, index, tuple(proof), head, signature, key, document, salt).as_receipt()
    verdict = verify_receipt(receipt, key)
    if verdict.state != "valid":
        raise BadInput(" ".join(verdict.reasons), place="receipt", cure="Give the entry, proof, head and signature that belong together.")
    return receipt


def verify_receipt(receipt: bytes | str | Mapping[str, Any], key: VerifyKey | None = None) -> Verdict:
    """Verify a receipt, as a file or as a document, against the key that the account publishes. Needs nothing else, and never raises.

    valid           everything agrees and `key` signed it
    signer-unknown  everything agrees, but no key was given to say whose signature it is
    invalid         something was changed, or another key signed it

    A file must be byte for byte what `encode` wrote: every byte within a value is hashed or signed, and every byte between
    values has one place only, so a space added is a change like any other.
    """
    try:
        text = encode(receipt) if isinstance(receipt, Mapping) else receipt.encode() if isinstance(receipt, str) else receipt
        parts = _read(text)
        faults = parts.faults()
        if encode(parts.as_receipt()) != text:
            faults.append("The receipt is not written as it was issued: spaces, order, spelling or members were changed.")
    except (BadInput, ValueError, RecursionError) as error:
        return Verdict("invalid", (f"The receipt cannot be read. {error if isinstance(error, BadInput) else 'It is not JSON in UTF-8.'}",))
    if key is not None and parts.key != key:
        faults.append(f"The receipt was signed with key {parts.key.id}, not with the key given, {key.id}.")
    if faults:
        return Verdict("invalid", tuple(faults))
    if key is None:
        return Verdict("signer-unknown", ("No key was given: give the key that the account publishes to know who signed this.",))
    return Verdict("valid")


def _read(text: bytes) -> _Parts:
    if len(text) > LARGEST_BYTES:
        raise BadInput(f"It is larger than {LARGEST_BYTES} bytes.", place="receipt", cure="Give one receipt.")
    match json.loads(text.decode()):
        case {
            "format": str(written),
            "document": dict() | None as document,
            "salt": str() | None as salt,
            "entry": entry,
            "index": int(index),
            "proof": list(proof),
            "head": head,
            "signature": str(signature),
            "key": {"public": str(public)},
        } if written == FORMAT:
            return _Parts(
                header=Header.from_document(entry),
                index=index,
                proof=tuple(_unhex(node, HASH_BYTES, f"proof[{n}]") for n, node in enumerate(proof)),
                head=Head.from_document(head),
                signature=_unhex(signature, SIGNATURE_BYTES, "signature"),
                key=VerifyKey(_unhex(public, PUBLIC_BYTES, "key.public")),
                document=document,
                salt=None if salt is None else _unhex(salt, SALT_BYTES, "salt"),
            )
    raise BadInput(
        f"A receipt has the format {FORMAT} and the members {', '.join(_MEMBERS)}.", place="receipt", cure="Give the file as it was issued."
    )


def _unhex(text: object, length: int, place: str) -> bytes:
    if not isinstance(text, str) or len(text) != 2 * length or not _HEX.fullmatch(text):
        raise BadInput(f"This is not {length} bytes in hex, lower case.", place=place, cure="Give the receipt as it was issued.")
    return bytes.fromhex(text)

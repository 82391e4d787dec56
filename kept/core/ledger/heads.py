"""Signed heads: what an account's ledger was at one moment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kept.core.errors import BadInput
from kept.core.ledger.encoding import encode, read_time, write_time
from kept.core.ledger.keys import SigningKey, VerifyKey
from kept.core.ledger.merkle import HASH_BYTES

FORMAT = "kept-head-1"

_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """The root over the first `size` entries of one account (its public name), at a time (aware; kept in UTC)."""

    account: str
    size: int
    root: bytes
    at: datetime

    def __post_init__(self) -> None:
        if not self.account or self.size < 0 or len(self.root) != HASH_BYTES or self.at.tzinfo is None:
            raise BadInput(
                "This is no head of a ledger.", place="head", cure="Give an account, a size from 0, a root of 32 bytes and an aware time."
            )
        object.__setattr__(self, "at", self.at.astimezone(UTC))

    def as_document(self) -> dict[str, Any]:
        """The head as JSON has it."""
        return {"account": self.account, "size": self.size, "root": self.root.hex(), "at": write_time(self.at)}

    @classmethod
    def from_document(cls, document: object) -> Head:
        """What `as_document` wrote. Raises BadInput for a member missing, unknown or of another type."""
        match document:
            case {"account": str(account), "size": int(size), "root": str(root), "at": at, **others} if (
                not others and not isinstance(size, bool) and _ROOT.fullmatch(root)
            ):
                return cls(account, size, bytes.fromhex(root), read_time(at, "head.at"))
        raise BadInput("This is no head of a ledger.", place="head", cure="Give it as it was published.")

    def sign(self, key: SigningKey) -> bytes:
        """The signature over this head: 64 bytes."""
        return key.sign(self._message())

    def verify(self, signature: bytes, key: VerifyKey) -> bool:
        """Whether `key` signed this head."""
        return key.verify(signature, self._message())

    def _message(self) -> bytes:
        return encode(self.as_document() | {"format": FORMAT})


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head and the signature over it."""

    head: Head
    signature: bytes

    def as_document(self) -> dict[str, Any]:
        """The two as JSON has them."""
        return {"head": self.head.as_document(), "signature": self.signature.hex()}

    def verify(self, key: VerifyKey) -> bool:
        """Whether `key` signed it."""
        return self.head.verify(self.signature, key)

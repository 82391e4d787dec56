"""The master key, and the one small protocol through which a key management service can stand in for it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kept.core.errors import BadInput, Tampered

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES  # one length for all: a row of the key table can be overwritten in place

_WRAPPING = b"kept/wrapped-key/1"
_CURE = "Give 32 random bytes in base64, as `openssl rand -base64 32` prints them."


class KeyWrapper(Protocol):
    """Wraps and unwraps 32-byte keys.

    `unwrap` raises Tampered when these bytes were changed or were wrapped by another master key, and
    VaultClosed when the service that holds the master key cannot be reached.
    """

    def wrap(self, key: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes) -> bytes: ...


def check_key(secret: bytes, place: str) -> None:
    """Raise BadInput unless `secret` has 32 bytes; the message never shows it."""
    if len(secret) != KEY_BYTES:
        raise BadInput(f"A key has {KEY_BYTES} bytes; this one has {len(secret)}.", place=place, cure=_CURE)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key held in this process: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.

    `label` names the key in messages, never its secret; by default it is a fingerprint of it.
    """

    secret: bytes = field(repr=False)
    label: str = ""

    def __post_init__(self) -> None:
        check_key(self.secret, "master key")
        if not self.label:
            object.__setattr__(self, "label", hashlib.sha256(b"kept/master-key/1" + self.secret).hexdigest()[:8])

    @classmethod
    def generate(cls) -> MasterKey:
        """A new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str, label: str = "") -> MasterKey:
        """Read what `to_text` wrote: base64, standard or URL-safe. Raises BadInput."""
        try:
            secret = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("This is not base64 text.", place="master key", cure=_CURE) from None
        return cls(secret, label)

    def to_text(self) -> str:
        """The secret in base64, for the file or the environment variable that holds it."""
        return base64.b64encode(self.secret).decode("ascii")

    def wrap(self, key: bytes) -> bytes:
        """The key under this master key: 60 bytes (nonce, key, tag)."""
        check_key(key, "key to wrap")
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, _WRAPPING)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again. Raises Tampered."""
        try:
            if len(wrapped) == WRAPPED_BYTES:
                return AESGCM(self.secret).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _WRAPPING)
        except InvalidTag:
            pass
        raise Tampered(
            f"Master key {self.label} does not open this key.",
            cure="Give the master key that wrapped it; during a rotation, give both. Otherwise restore the key database.",
        )

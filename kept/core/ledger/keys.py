"""Ed25519 keys (RFC 8032) that sign heads, and their published halves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kept.core.errors import BadInput

PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The published half. Two are equal when their 32 raw bytes are."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC_BYTES:
            raise BadInput(f"An Ed25519 public key has {PUBLIC_BYTES} bytes.", place="key", cure="Give the key as it was published.")

    @property
    def id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the raw key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: bytes that are no point of the curve, where the back end looks
            return False
        return True

    @classmethod
    def from_pem(cls, pem: str | bytes) -> VerifyKey:
        """Read a public key in PEM (SubjectPublicKeyInfo). Raises BadInput."""
        text = _ascii(pem)
        if b"PRIVATE KEY" in text:
            raise BadInput("This is a private key.", place="key", cure="Give the published half, and keep this one secret.")
        try:
            key = load_pem_public_key(text)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise BadInput("This is not an Ed25519 public key in PEM.", place="key", cure="Give the file that the account publishes.")
        return cls(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def to_pem(self) -> str:
        """The key in PEM, as it is published."""
        return Ed25519PublicKey.from_public_bytes(self.raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new random key."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def verify_key(self) -> VerifyKey:
        """The half to publish."""
        return VerifyKey(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    @classmethod
    def from_pem(cls, pem: str | bytes) -> SigningKey:
        """Read a private key in PEM (PKCS 8, not encrypted). Raises BadInput."""
        try:
            key = load_pem_private_key(_ascii(pem), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: the file asks for a password
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput("This is not an Ed25519 private key in PEM.", place="signing key", cure="Give the file that to_pem() wrote.")
        return cls(key)

    def to_pem(self) -> str:
        """The key in PEM, not encrypted: the caller keeps it secret."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _ascii(pem: str | bytes) -> bytes:
    return pem if isinstance(pem, bytes) else pem.encode("ascii", errors="replace")

"""Keyed blind indexes: equal identifiers meet without being stored."""

from __future__ import annotations

import hmac

from kept.core.vault.keys import check_key

_DOMAIN = b"kept/blind-index/1\0"


class BlindIndex:
    """HMAC-SHA-256 (RFC 2104) over an identifier, separated by account and kind.

    The secret has 32 bytes, is not the master key, and is never changed: every stored digest hangs on it.
    """

    def __init__(self, secret: bytes) -> None:
        check_key(secret, "blind index secret")
        self._secret = secret

    def digest(self, account_id: int, kind: str, normalised: str) -> bytes:
        """32 bytes that are equal only for the same account, kind ("email", "phone", "source-id:erp") and normalised text."""
        name = kind.encode()
        return hmac.digest(self._secret, _DOMAIN + account_id.to_bytes(8) + len(name).to_bytes(2) + name + normalised.encode(), "sha256")

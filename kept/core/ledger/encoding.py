"""One spelling for each document, so that its bytes can be hashed and signed; and salted commitments to it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kept.core.errors import BadInput

SALT_BYTES = 32

_DEEPEST = 64
_WIDEST_INT = 2**53 - 1  # beyond it other JSON readers round
_COMMITMENT = b"kept/commitment/1\0"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as canonical JSON (RFC 8785), UTF-8.

    It may hold objects, arrays, text, integers up to 2**53 - 1, true, false and null. Raises BadInput, naming the place,
    for anything else: fractions above all, which have more than one spelling.
    """
    return _dumps(_ordered(document, "document", 0)).encode()


def commit(payload: bytes, salt: bytes) -> str:
    """A commitment to the payload: SHA-256 over a fixed prefix, the 32-byte salt and the payload, in hex.

    Without the salt it says nothing about the payload, so the salt belongs beside the payload, under the same key:
    once they are shredded, the commitment that remains in the ledger is a random number.
    """
    if len(salt) != SALT_BYTES:
        raise BadInput(f"A salt has {SALT_BYTES} bytes; this one has {len(salt)}.", place="salt", cure="Take one from new_salt().")
    return hashlib.sha256(_COMMITMENT + salt + payload).hexdigest()


def new_salt() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SALT_BYTES)


def write_time(at: datetime) -> str:
    """UTC with microseconds, "2026-01-31T09:00:00.000000Z"."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_time(text: object, place: str) -> datetime:
    """What `write_time` wrote, and no other spelling. Raises BadInput."""
    try:
        if isinstance(text, str) and _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput("This is not a time in UTC.", place=place, cure="Write it as 2026-01-31T09:00:00.000000Z.")


def _ordered(value: object, place: str, depth: int) -> object:
    """The value with the members of every object in the order of their UTF-16 code units."""
    if depth > _DEEPEST:
        raise BadInput(f"This is nested deeper than {_DEEPEST} levels.", place=place, cure="Flatten it.")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _WIDEST_INT:
        return value
    if isinstance(value, str):
        return _checked(value, place)
    if isinstance(value, Mapping):
        members = {_checked(name, place): _ordered(member, f"{place}.{name}", depth + 1) for name, member in value.items()}
        return dict(sorted(members.items(), key=lambda member: member[0].encode("utf-16-be")))
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{place}[{n}]", depth + 1) for n, item in enumerate(value)]
    raise BadInput(
        f"A value of type {type(value).__name__} has no canonical spelling here.",
        place=place,
        cure="Use text, an integer up to 2**53 - 1, true, false, null, a list or an object; write a fraction as text.",
    )


def _checked(text: object, place: str) -> str:
    if isinstance(text, str):
        try:
            text.encode()
            return text
        except UnicodeEncodeError:
            pass
    raise BadInput("This is not text that UTF-8 can write.", place=place, cure="Remove lone surrogates; name members by text.")


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode

"""Judging a signed document: does it agree with itself, is it as it was issued, and who signed it?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from kept.core.errors import BadInput
from kept.core.ledger.encoding import encode
from kept.core.ledger.heads import SignedHead
from kept.core.ledger.keys import PUBLIC_BYTES, VerifyKey

LARGEST_BYTES = 16 * 1024 * 1024

Written = bytes | str | Mapping[str, Any]
"""A document as a file or as what was read from one."""
State = Literal["valid", "signer-unknown", "invalid", "rewritten"]

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_SUMMARIES = {"signer-unknown": "consistent, signer unknown", "rewritten": "history was rewritten"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a document is worth. `reasons` says why it is not valid, in sentences."""

    state: State
    reasons: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The state in words."""
        return _SUMMARIES.get(self.state, self.state)


class Parts(Protocol):
    """A document that has been read: every member of its right type."""

    @property
    def key(self) -> VerifyKey: ...

    @property
    def heads(self) -> tuple[SignedHead, ...]: ...

    def as_document(self) -> dict[str, Any]: ...

    def faults(self) -> list[str]:
        """What contradicts itself, whoever signed it."""
        ...


P = TypeVar("P", bound=Parts)


def judge(written: Written, read: Callable[[object], P], what: str, key: VerifyKey | None) -> tuple[P | None, Verdict]:
    """The parts of a document (None where it cannot be read) and what it is worth against `key`. `what` names it in the reasons.

    A file must be byte for byte what `encode` wrote: every byte within a value is hashed or signed, and every byte between
    values has one place only, so a space added is a change like any other.
    """
    try:
        text = encode(written) if isinstance(written, Mapping) else written.encode() if isinstance(written, str) else written
        if len(text) > LARGEST_BYTES:
            raise BadInput(f"It is larger than {LARGEST_BYTES} bytes.", place=what, cure=f"Give one {what}.")
        parts = read(json.loads(text.decode()))
        faults = parts.faults()
        if encode(parts.as_document()) != text:
            faults.append(f"The {what} is not written as it was issued: spaces, order, spelling or members were changed.")
    except (BadInput, ValueError, RecursionError) as error:
        said = error if isinstance(error, BadInput) else "It is not JSON in UTF-8."
        return None, Verdict("invalid", (f"The {what} cannot be read. {said}",))
    if key is not None and parts.key != key:
        faults.append(f"The {what} was signed with key {parts.key.id}, not with the key given, {key.id}.")
    if faults:
        return parts, Verdict("invalid", tuple(faults))
    if key is None:
        return parts, Verdict("signer-unknown", ("No key was given: give the key that the account publishes to know who signed this.",))
    return parts, Verdict("valid")


def unhex(text: object, length: int, place: str) -> bytes:
    """Bytes from hex in its one spelling. Raises BadInput."""
    if not isinstance(text, str) or len(text) != 2 * length or not _HEX.fullmatch(text):
        raise BadInput(f"This is not {length} bytes in hex, lower case.", place=place, cure="Give the file as it was issued.")
    return bytes.fromhex(text)


def key_document(key: VerifyKey) -> dict[str, str]:
    """A key as documents name it."""
    return {"id": key.id, "public": key.raw.hex()}


def read_key(public: object) -> VerifyKey:
    """The key of a document from its member `public`. Raises BadInput."""
    return VerifyKey(unhex(public, PUBLIC_BYTES, "key.public"))

"""What an entry of the ledger says in clear, and the bytes of it that are hashed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from kept.core.errors import BadInput
from kept.core.ledger.encoding import encode, read_time, write_time

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "consent": "A person gave or withdrew consent to a purpose.",
        "objection": "A person objected to a purpose, or took the objection back.",
        "opt-out": "A person opted out of a sale, a sharing or another use, or opted in again.",
        "restriction": "Processing of a person's data was restricted, or the restriction was lifted.",
        "acceptance": "A person, or the company, accepted a version of a notice or of terms.",
        "disclosure": "Data of these categories was disclosed to this recipient.",
        "look": "A member of staff or a program was shown data of these people.",
        "request": "A person exercised a right, or the request moved a step.",
        "hold": "A hold that keeps data from erasure was placed or lifted.",
        "erasure": "A person's data was erased.",
        "collection": "Data was collected from this source, in one record or one batch.",
        "correction": "A value held on a person was corrected.",
        "retention": "Data whose time had come was deleted as the notice says.",
        "proof": "The notice's promises were proved on live data.",
        "incident": "A promise was found broken, or something was done about it.",
        "release": "A package of a person's data was handed over.",
        "key-destruction": "The keys of these people were destroyed; what was sealed under them cannot come back.",
        "instrument": "An agreement, an instruction, an order or a leave that something needs was put on file, or ended.",
        "aggregate": "Figures about groups of people were released.",
        "account": "The account itself changed: its notice, its members or its settings.",
    }
)

FORMAT = "kept-entry-1"

_FIELDS = ("kind", "at", "actor", "purpose", "categories", "recipient", "rule", "subjects", "request", "commitment")
_REFERENCE = re.compile(r"[0-9a-f]{16,64}")
_COMMITMENT = re.compile(r"[0-9a-f]{64}")
_CURE = "Write the header as kept.core.ledger.Header describes it."


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part of an entry. Nothing in it is personal: people appear by random reference only.

    kind        one of KINDS
    at          when, aware; kept in UTC
    actor       who acted, by reference ("member:12", "subject", "job:retention"), never by name
    purpose     the purpose acted under
    categories  the categories of data concerned; kept sorted, each once
    recipient   to whom data went
    rule        the rule of the notice that allowed or asked for it ("kind:id")
    subjects    the people concerned, by reference (16 to 64 hex digits); kept sorted, each once
    request     the request this belongs to, by reference
    commitment  `commit` of the sealed payload, or of the document that a receipt shows (64 hex digits)

    Raises BadInput for a kind unknown, a naive time, a reference or commitment of another shape.
    """

    kind: str
    at: datetime
    actor: str
    purpose: str | None = None
    categories: tuple[str, ...] = ()
    recipient: str | None = None
    rule: str | None = None
    subjects: tuple[str, ...] = ()
    request: str | None = None
    commitment: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"“{self.kind}” is no kind of entry.", place="kind", cure=f"Use one of: {', '.join(KINDS)}.")
        if self.at.tzinfo is None:
            raise BadInput("This time says no zone.", place="at", cure="Give an aware datetime.")
        if not self.actor:
            raise BadInput("An entry names who acted.", place="actor", cure="Give a reference such as member:12 or job:retention.")
        if not all(_REFERENCE.fullmatch(subject) for subject in self.subjects):
            raise BadInput("This is no subject reference.", place="subjects", cure="Give references of 16 to 64 hex digits, lower case.")
        if self.commitment is not None and not _COMMITMENT.fullmatch(self.commitment):
            raise BadInput("This is no commitment.", place="commitment", cure="Give what commit() answered: 64 hex digits, lower case.")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        object.__setattr__(self, "categories", tuple(sorted(set(self.categories))))
        object.__setattr__(self, "subjects", tuple(sorted(set(self.subjects))))

    def as_document(self) -> dict[str, Any]:
        """The header as JSON has it."""
        document: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        return document | {"at": write_time(self.at), "categories": list(self.categories), "subjects": list(self.subjects)}

    @classmethod
    def from_document(cls, document: object) -> Header:
        """What `as_document` wrote. Raises BadInput for a member missing, unknown or of another type."""
        if not isinstance(document, Mapping) or set(document) != set(_FIELDS):
            raise BadInput(f"An entry has the members {', '.join(_FIELDS)}, no more and no fewer.", place="entry", cure=_CURE)
        for name in ("categories", "subjects"):
            if not isinstance(document[name], list | tuple) or not all(isinstance(item, str) for item in document[name]):
                raise BadInput("This is not a list of text.", place=f"entry.{name}", cure=_CURE)
        for name in ("kind", "actor", "purpose", "recipient", "rule", "request", "commitment"):
            optional = name not in ("kind", "actor")
            if not isinstance(document[name], str) and not (optional and document[name] is None):
                raise BadInput("This is not text.", place=f"entry.{name}", cure=_CURE)
        changed = {
            "at": read_time(document["at"], "entry.at"),
            "categories": tuple(document["categories"]),
            "subjects": tuple(document["subjects"]),
        }
        return cls(**{**document, **changed})


def canonical(header: Header, number: int) -> bytes:
    """The bytes of entry `number` (counted from 0 within the account) that its leaf hash is taken over."""
    return encode(header.as_document() | {"format": FORMAT, "number": number})

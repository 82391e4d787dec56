"""What passes between us and a recipient who is told of a request: OpenDSR 2.0, with Ed25519 signatures over the exact bytes.

docs/howto/tell-recipients.md describes it for those on the other side. Nothing here touches the database or the clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kept.core.errors import BadInput, Refused
from kept.core.ledger import VerifyKey

VERSION = "2.0"
MOST_BYTES = 64 * 1024
DOMAIN, SIGNATURE = "X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"
"""The headers of OpenDSR's callbacks. What we send carries its signature in the second one too."""
Status = Literal["received", "in_progress", "denied", "completed"]
TYPES: Mapping[str, str] = {
    "erase": "erasure",
    "correct": "rectification",
    "restrict": "restriction",
    "lift": "restriction_lifted",
    "opt-out": "opt_out",
    "object": "objection",
}
"""What was done, as a recipient is asked to do it too. OpenDSR names the first only; the others are ours, in its manner."""
REGULATIONS: Mapping[str, str] = {"gdpr": "gdpr", "uk-gdpr": "gdpr", "ccpa": "ccpa"}
STATUSES: Mapping[str, Status] = {
    "received": "received",
    "pending": "received",
    "in_progress": "in_progress",
    "denied": "denied",
    "cancelled": "denied",
    "completed": "completed",
}
"""What a recipient answers, in our words and in OpenDSR's."""
ORDER: tuple[Status, ...] = ("received", "in_progress", "denied", "completed")
"""An answer never leads back: so one that is sent again, by whomever, changes nothing."""


@dataclass(frozen=True)
class Order:
    """What one recipient is told. `about` are categories or purposes, in words of our notice; `identities` are those of `identities`.

    Both are empty in a reminder that goes out when we hold them no more.
    """

    id: str
    what: str
    laws: Sequence[str]
    submitted: datetime
    callback: str
    controller: str
    key: str
    about: Sequence[str]
    identities: Sequence[Mapping[str, str]]

    def document(self) -> bytes:
        """The bytes that are signed and sent."""
        said: dict[str, Any] = {
            "api_version": VERSION,
            "regulation": next((REGULATIONS[law] for law in self.laws), "none"),
            "subject_request_id": self.id,
            "subject_request_type": TYPES[self.what],
            "submitted_time": self.submitted.astimezone(UTC).isoformat(timespec="seconds"),
            "subject_identities": list(self.identities),
            "status_callback_urls": [self.callback],
            "extensions": {self.controller: {"key": self.key, "about": list(self.about)}},
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def headers(signature: bytes) -> dict[str, str]:
    """The headers of what is sent."""
    return {"Content-Type": "application/json", SIGNATURE: base64.b64encode(signature).decode()}


def identities(known: Iterable[tuple[str, str]], *, hashed: bool) -> list[dict[str, str]]:
    """Typed identities, each given as type and normalised value: its SHA-256 in hex, or the value itself."""
    form = "sha256" if hashed else "raw"
    values = ((kind, hashlib.sha256(value.encode()).hexdigest() if hashed else value) for kind, value in known)
    return [{"identity_type": kind, "identity_value": value, "identity_format": form} for kind, value in values]


class Callback(BaseModel):
    """How a recipient says that it stands."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    subject_request_id: Annotated[str, Field(max_length=64)]
    status_callback_url: Annotated[str, Field(max_length=2048)]
    request_status: Literal["received", "pending", "in_progress", "denied", "cancelled", "completed"]


def opened(body: bytes, signature: str, key: str) -> Callback:
    """What a recipient signed with this key, base64. Raises Refused for another's word, BadInput for what cannot be read."""
    try:
        signed = base64.b64decode(signature, validate=True)
        public = VerifyKey(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused("The signature is not base64.", place=SIGNATURE, cure="Sign the bytes of the body with Ed25519.") from error
    if not public.verify(signed, body):
        raise Refused("The signature is not that of this recipient.", place=SIGNATURE, cure="Sign the bytes of the body as they are sent.")
    try:
        return Callback.model_validate(json.loads(body))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise BadInput("The body does not say how the request stands.", place=place, cure=f"Use one of {', '.join(STATUSES)}.") from error
    except ValueError as error:
        raise BadInput("The body is not JSON.", place="body", cure="Send a JSON object in UTF-8.") from error


def answered(body: bytes) -> Status:
    """What a recipient answered at once. Any answer that it was taken means that it was received, and no more."""
    try:
        said = json.loads(body)
    except ValueError:
        return "received"
    status = said.get("request_status") if isinstance(said, dict) else None
    return STATUSES.get(status, "received") if isinstance(status, str) else "received"

"""The Data Rights Protocol 1.0, as a covered business speaks it: messages, their checks in the order it sets, and its words.

Source: data-rights-protocol.md of the Data Rights Protocol, sections 2 and 3. Nothing here touches the database or the clock.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kept.apps.requests.models import Kind, State

SIGNATURE_BYTES = 64
MOST_BYTES = 64 * 1024
KINDS: Mapping[str, Kind] = {
    "sale:opt-out": Kind.OPT_OUT_SALE,
    "sale:opt-in": Kind.OPT_IN_SALE,
    "deletion": Kind.ERASE,
    "access": Kind.ACCESS,
    "access:categories": Kind.KNOW,
    "access:specific": Kind.ACCESS,
}
"""The rights of section 3.01, and what each is here."""
Text = Annotated[str, Field(max_length=512)]


class Fault(Exception):
    """A message that is not taken: section 3.06. A fatal one is not to be tried again."""

    def __init__(self, status: int, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.status, self.message, self.fatal = status, message, fatal

    def as_dict(self) -> dict[str, Any]:
        """The answer's body."""
        return {"code": str(self.status), "message": self.message, **({"fatal": True} if self.fatal else {})}


class Envelope(BaseModel):
    """Who speaks to whom, and when: the first group of section 2.01, and the whole of a pairing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    agent_id: Annotated[Text, Field(alias="agent-id")]
    business_id: Annotated[Text, Field(alias="business-id")]
    issued_at: Annotated[AwareDatetime, Field(alias="issued-at")]
    expires_at: Annotated[AwareDatetime, Field(alias="expires-at")]
    version: Annotated[Literal["1.0"], Field(alias="drp.version")]


class Address(BaseModel):
    """An address claim: OpenID Connect Core 1.0, section 5.1.1."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    formatted: Text = ""
    street_address: Text = ""
    locality: Text = ""
    region: Text = ""
    postal_code: Text = ""
    country: Text = ""


class Exercise(Envelope):
    """A data rights request: section 2.01, with the identity claims of section 3.04."""

    exercise: Text
    regime: Text = ""
    agent_request_id: Annotated[Text, Field(alias="agent-request-id")] = ""
    relationships: tuple[Text, ...] = ()
    status_callback: Annotated[str, Field(max_length=2048)] = ""
    name: Text = ""
    email: Text = ""
    email_verified: bool = False
    phone_number: Text = ""
    phone_number_verified: bool = False
    address: Address = Address()
    address_verified: bool = False
    power_of_attorney: Text = ""

    @property
    def verified(self) -> bool:
        """Whether the agent attests that it made sure of who asks, by what they are known by here."""
        return bool((self.email and self.email_verified) or (self.phone_number and self.phone_number_verified))


class Revocation(BaseModel):
    """A request taken back: section 2.04."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reason: Annotated[str, Field(max_length=2000)] = ""


def verify_key(text: str) -> bytes:
    """The raw public key of 32 bytes that a directory writes in base64. Raises ValueError."""
    key = base64.b64decode(text, validate=True)
    Ed25519PublicKey.from_public_bytes(key)
    return key


def opened(body: bytes, key: bytes) -> dict[str, Any]:
    """The signed JSON object of a message: the first two checks of section 3.07. Raises Fault."""
    if len(body) > MOST_BYTES:
        raise Fault(413, f"The message is longer than {MOST_BYTES} bytes.", fatal=True)
    try:
        signed = base64.b64decode(body.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Fault(400, "The message is not base64.", fatal=True) from error
    if len(signed) <= SIGNATURE_BYTES:
        raise Fault(400, "The message holds no signature and document.", fatal=True)
    signature, document = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, document)
    except InvalidSignature as error:
        raise Fault(403, "The signature is not that of this agent.", fatal=True) from error
    try:
        found = json.loads(document)
    except ValueError as error:
        raise Fault(400, "The signed document is not JSON.", fatal=True) from error
    if not isinstance(found, dict):
        raise Fault(400, "The signed document is no JSON object.", fatal=True)
    return found


def checked(found: Mapping[str, Any], agent: str, business: str, now: datetime) -> None:
    """The other checks of section 3.07, in its order: the agent, the business, not before its time, not after. Raises Fault."""
    if found.get("agent-id") != agent:
        raise Fault(403, "The message is not from the agent that presents it.", fatal=True)
    if found.get("business-id") != business:
        raise Fault(403, "The message is meant for another business.", fatal=True)
    times = _read(_Times, found)
    if now < times.issued_at:
        raise Fault(400, "The message was issued in the future: check your clock.")
    if now > times.expires_at:
        raise Fault(400, "The message has expired.", fatal=True)


class _Times(BaseModel):
    model_config = ConfigDict(extra="ignore")

    issued_at: Annotated[AwareDatetime, Field(alias="issued-at")]
    expires_at: Annotated[AwareDatetime, Field(alias="expires-at")]


def exercise(found: Mapping[str, Any]) -> Exercise:
    """The request in a message that was checked. Raises Fault for what is missing, and for a right that does not exist."""
    made: Exercise = _read(Exercise, found)
    if made.exercise not in KINDS:
        raise Fault(400, f"“{made.exercise}” is none of {', '.join(KINDS)}.", fatal=True)
    if made.regime not in ("", "ccpa"):
        raise Fault(400, f"The regime “{made.regime}” is not known; it is ccpa, or left out.", fatal=True)
    if not made.email and not made.phone_number:
        raise Fault(400, "Without email or phone_number nobody is found.", fatal=True)
    return made


def envelope(found: Mapping[str, Any]) -> Envelope:
    """A pairing that was checked. Raises Fault."""
    made: Envelope = _read(Envelope, found)
    return made


def revocation(found: Mapping[str, Any]) -> Revocation:
    """A revocation. Raises Fault."""
    made: Revocation = _read(Revocation, found)
    return made


def _read(model: type[BaseModel], found: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        raise Fault(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}.", fatal=True) from error


def business_id(slug: str) -> str:
    """How an account is called in the directory."""
    return slug.upper().replace("-", "_")


STATUS: Mapping[State, str] = {
    State.RECEIVED: "in_progress",
    State.VERIFIED: "in_progress",
    State.DECIDING: "in_progress",
    State.WORKING: "in_progress",
    State.HIDDEN: "in_progress",
    State.READY: "fulfilled",
    State.DONE: "fulfilled",
    State.NOBODY: "denied",
    State.REFUSED: "denied",
    State.REFERRED: "denied",
    State.REVOKED: "revoked",
    State.EXPIRED: "expired",
}
"""The statuses of section 3.02. What we take in ourselves is in progress at once."""

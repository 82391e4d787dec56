"""What is personal in a request, under the request's own key: the address to write to, the token of its page, a note."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.core import signing

from kept.apps.requests.models import Request
from kept.core.errors import Refused, Shredded
from kept.platform.privacy.inlets import refused_category
from kept.platform.privacy.secrets import vault

LINK_HOURS = 24
_SIGNER = signing.TimestampSigner(salt="kept.requests.link", sep=".")


@dataclass(frozen=True)
class Private:
    """`email` is empty where the team took the request in without one. `known_by` and `value`: what the person is known by, where that is
    not the address. `details` are what the kind of request needs to know, by name; the answers say which.
    """

    email: str = ""
    page: str = ""
    note: str = ""
    reason: str = ""
    known_by: str = "email"
    value: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def _context(reference: str, what: str) -> str:
    return f"{reference}/requests.{what}"


def seal(key_id: int, reference: str, private: Private) -> bytes:
    """The sealed form. Raises Shredded; Refused where what was written holds a number that no inlet takes."""
    if any(refused_category(text) for text in (private.note, private.reason, *private.details.values())):
        cure = "Leave the number out. Nothing was stored."
        raise Refused("This holds a payment card or national identity number, which is refused here.", place="note", cure=cure)
    return vault().seal(key_id, json.dumps(asdict(private)).encode(), _context(reference, "private"))


def open_private(request: Request) -> Private:
    """What was sealed; nothing once the key is gone."""
    if request.key_id is None or request.sealed is None:
        return Private()
    try:
        return Private(**json.loads(vault().open(request.key_id, bytes(request.sealed), _context(request.reference, "private"))))
    except Shredded:
        return Private()


def seal_bytes(request: Request, content: bytes, what: str) -> bytes:
    """Seal a package or a letter of this request. Raises Shredded."""
    return seal_under(request.key_id or 0, request.reference, content, what)


def seal_under(key_id: int, reference: str, content: bytes, what: str) -> bytes:
    """Seal something under a key, for this reference. Raises Shredded."""
    return vault().seal(key_id, content, _context(reference, what))


def open_bytes(key_id: int, reference: str, sealed: bytes, what: str) -> bytes:
    """Open one. Raises Shredded."""
    return vault().open(key_id, sealed, _context(reference, what))


def new_token() -> str:
    """A random token of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """How a token stands in the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_link(token: str) -> str:
    """The token as it stands in the mailed link: signed, with the time."""
    return _SIGNER.sign(token)


def read_link(link: str) -> str | None:
    """The token of a mailed link; None when it was changed or is older than a day."""
    try:
        return _SIGNER.unsign(link, max_age=LINK_HOURS * 3600)
    except signing.BadSignature:
        return None

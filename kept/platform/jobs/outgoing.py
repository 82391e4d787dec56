"""Going out to an address that somebody gave us: TLS, public addresses only, no redirect, and only to what was looked at.

The address is resolved once, each result is looked at, and the connection goes to one of those: a name that changes in between leads
nowhere. Network never happens inside a transaction, so this is called by jobs.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db import connections

from kept.core.errors import BadInput, Closed, Refused

TIMEOUT_SECONDS = 10
MOST_ANSWER_BYTES = 64 * 1024


def check(address: str) -> SplitResult:
    """The parts of an address that may be called. Raises BadInput for what is none, Refused for one inside the house."""
    parts = urlsplit(address)
    allowed = ("https", "http") if settings.PRIVATE_ADDRESSES else ("https",)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in allowed or not parts.hostname or parts.username or port == 0 or len(address) > 2048:
        raise BadInput(
            "This is no address that can be called.", place="address", cure="Write it whole: https://host/path, without a name in it."
        )
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    _refuse_private(literal)
    return parts


def _refuse_private(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = getattr(found, "ipv4_mapped", None) or found
    if not settings.PRIVATE_ADDRESSES and (not mapped.is_global or mapped.is_multicast):
        raise Refused("This address leads inside the house.", place="address", cure="Use one that is reachable from outside.")


def post(address: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Send, and take what comes back, as far as it is short. Raises BadInput, Refused; Closed, to be tried again, when nobody takes it."""
    assert not connections["default"].in_atomic_block
    parts = check(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        where = _resolved(host, port)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        connection.sock = socket.create_connection(where, TIMEOUT_SECONDS)
        try:
            if parts.scheme == "https":
                connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
            connection.request("POST", path, body, {"User-Agent": "kept", **headers})
            answer = connection.getresponse()
            told = answer.read(MOST_ANSWER_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Closed("Nobody took what was sent.", place=host, cure="It is tried again by itself.") from error
    if not 200 <= answer.status < 300:
        raise Closed(f"They answered {answer.status}.", place=host, cure="It is tried again by itself.")
    return told


def _resolved(host: str, port: int) -> tuple[str, int]:
    """The first address of a name; all of them must lie outside. Raises Refused, OSError."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for one in found:
        _refuse_private(ipaddress.ip_address(one))
    return found[0], port

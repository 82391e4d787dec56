"""Limits that stop floods of letters and never deny a real person: an address that has its letters gets no more of them that day,
and a network that asks for very many gets them later. Nobody is told, and nobody learns whose address is known.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from kept.platform.privacy import subjects

LETTERS_A_DAY = 3
"""To one address, for one kind of request: each of them works."""
AT_ONCE_AN_HOUR = 20
"""Requests from one network whose letters leave at once."""
LONGEST_DELAY_MINUTES = 60
_DAY, _HOUR = 86400, 3600


def _count(key: str, seconds: int) -> int:
    """How many there were since the first of them, which the cache forgets after so many seconds."""
    now = timezone.now().timestamp()
    count, until = cache.get(key) or (0, now + seconds)
    cache.set(key, (count + 1, until), until - now)
    return int(count) + 1


def may_write(account_id: int, kind: str, email: str, region: str) -> bool:
    """Whether one more letter of this kind may go to this address today. Raises BadInput for what is no address."""
    digest = subjects.digest(account_id, "email", email, region).hex()
    return _count(f"requests.address.{kind}.{digest}", _DAY) <= LETTERS_A_DAY


def delay(account_id: int, network: str) -> timedelta:
    """How much later a letter leaves that this network asked for."""
    beyond = _count(f"requests.network.{account_id}.{network}", _HOUR) - AT_ONCE_AN_HOUR
    return timedelta(minutes=max(0, min(beyond, LONGEST_DELAY_MINUTES)))


def network_of(request: HttpRequest) -> str:
    """The network a request came from: a /24, or a /64. Behind TLS a proxy of ours stands in front, which appends whom it saw."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TLS:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).rpartition(",")[2].strip()
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 64}", strict=False).network_address)

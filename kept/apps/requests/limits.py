"""Limits that stop floods and never deny a real person: an address that has its letters gets no more of them that day, a network that
asks for very many gets them later, guesses end. What is closed for today is open by telephone, by letter and tomorrow, and what was taken
in already is answered. Nobody is told, and nobody learns whose address is known.
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
"""To one address, for one kind of request, asked for in one network: each of them works."""
MOST_LETTERS_A_DAY = 12
"""The same, whoever asks: so that nobody uses up somebody else's."""
AT_ONCE_AN_HOUR = 20
"""Requests from one network whose letters leave at once."""
LONGEST_DELAY_MINUTES = 60
GUESSES_A_DAY = 12
"""Facts tried in the name of one address, over all its requests: each request allows a few (`verifying.MOST_TRIES`)."""
MESSAGES_A_DAY = 20
"""What somebody may write or send on the page of one request."""
FAILURES_AN_HOUR = 60
"""Words of recipients that one network may get wrong before none of its are looked at for a while."""
_DAY, _HOUR = 86400, 3600


def _count(key: str, seconds: int) -> int:
    """How many there were since the first of them, which the cache forgets after so many seconds."""
    now = timezone.now().timestamp()
    count, until = cache.get(key) or (0, now + seconds)
    cache.set(key, (count + 1, until), until - now)
    return int(count) + 1


def may_write(account_id: int, kind: str, value: str, region: str, network: str = "", known_by: str = "email") -> bool:
    """Whether one more letter of this kind may go to this address, or one more request for this number be taken in, today. Raises
    BadInput for what is none.
    """
    digest = subjects.digest(account_id, known_by, value, region).hex()
    here = _count(f"requests.address.{kind}.{digest}.{network}", _DAY)
    return here <= LETTERS_A_DAY and _count(f"requests.address.{kind}.{digest}", _DAY) <= MOST_LETTERS_A_DAY


def may_guess(account_id: int, email: str, region: str) -> bool:
    """Whether facts may be tried once more today in the name of this address."""
    return _count(f"requests.guesses.{subjects.digest(account_id, 'email', email, region).hex()}", _DAY) <= GUESSES_A_DAY


def may_add(reference: str) -> bool:
    """Whether one more message or file may be added to a request today."""
    return _count(f"requests.messages.{reference}", _DAY) <= MESSAGES_A_DAY


def may_knock(account_id: int, network: str) -> bool:
    """Whether what a program sends from this network is looked at."""
    count, _until = cache.get(f"requests.knocks.{account_id}.{network}") or (0, 0)
    return int(count) < FAILURES_AN_HOUR


def knocked(account_id: int, network: str) -> None:
    """It was none that we could take."""
    _count(f"requests.knocks.{account_id}.{network}", _HOUR)


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

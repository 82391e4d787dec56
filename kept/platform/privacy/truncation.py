"""Cutting on arrival what the notice promises to cut (`limit.truncate`), so that nothing longer is ever stored.

Cutting what is cut already changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from kept.core.errors import BadInput, Refused

IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""Bits that are left of an address: a network of 256, and what a provider gives to one site (RFC 6177)."""
COORDINATE_PLACES = 1
"""Decimal places that are left of degrees, about 11 km by 7 km in Europe: above the 1,850 feet (564 m) of Cal. Civ. Code § 1798.140(w)."""
_POSITION = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*")


def network(address: str) -> str:
    """The network of an internet address, as ``203.0.113.0/24``. Raises BadInput, which does not repeat what came."""
    try:
        found = ipaddress.ip_interface(address.strip()).ip
    except ValueError:
        raise BadInput("This is no internet address.", place="ip-address", cure="Write it as 203.0.113.7 or 2001:db8::7.") from None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    prefix = IPV4_PREFIX if found.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((int(found), prefix) if found.version == 4 else f"{found}/{prefix}", strict=False))


def position(text: str) -> str:
    """A position in degrees, latitude first, to one decimal place. Raises BadInput."""
    found = _POSITION.fullmatch(text)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise BadInput("This is no position.", place="precise-location", cure="Write degrees, latitude first, as 51.45, -2.59.")
    return ", ".join(f"{float(degrees):.{COORDINATE_PLACES}f}" for degrees in found.groups())


CUTS: Mapping[str, Callable[[str], str]] = {"ip-address": network, "precise-location": position}
"""Categories for which cutting is defined. A notice that has another cut keeps it out altogether."""


def truncate(category: str, text: str, rule: str = "") -> str:
    """What may be stored of a value of this category. Raises Refused where nobody has said what is left of such a value."""
    cut = CUTS.get(category)
    if cut is None:
        raise Refused(
            f"The notice has {category} cut on arrival, and there is no cut of it, so it stays out.",
            place=category,
            rule=rule,
            cure=f"Truncate one of {', '.join(CUTS)}; refuse the others.",
        )
    return cut(text)

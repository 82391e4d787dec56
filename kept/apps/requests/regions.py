"""Where people live, as far as a notice tells regions apart: their names, and which are worth asking for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from kept.core.notice import Notice, law
from kept.core.notice.vocabulary import REGIONS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NAMES: Mapping[str, StrOrPromise] = {
    "EEA": _("the European Economic Area"),
    "EU": _("the European Union"),
    "GB": _("the United Kingdom"),
    "CH": _("Switzerland"),
    "GI": _("Gibraltar"),
    "US": _("the United States"),
    "US-CA": _("California"),
    "AT": _("Austria"),
    "BE": _("Belgium"),
    "BG": _("Bulgaria"),
    "CA": _("Canada"),
    "CY": _("Cyprus"),
    "CZ": _("Czechia"),
    "DE": _("Germany"),
    "DK": _("Denmark"),
    "EE": _("Estonia"),
    "ES": _("Spain"),
    "FI": _("Finland"),
    "FR": _("France"),
    "GR": _("Greece"),
    "HR": _("Croatia"),
    "HU": _("Hungary"),
    "IE": _("Ireland"),
    "IS": _("Iceland"),
    "IT": _("Italy"),
    "LI": _("Liechtenstein"),
    "LT": _("Lithuania"),
    "LU": _("Luxembourg"),
    "LV": _("Latvia"),
    "MT": _("Malta"),
    "NL": _("the Netherlands"),
    "NO": _("Norway"),
    "PL": _("Poland"),
    "PT": _("Portugal"),
    "RO": _("Romania"),
    "SE": _("Sweden"),
    "SI": _("Slovenia"),
    "SK": _("Slovakia"),
}


def name(region: str) -> str:
    """What people call a region; its code where we have no name for it."""
    return str(NAMES.get(region, region))


def told_apart(notice: Notice, home: str) -> list[tuple[str, str]]:
    """The regions a person can name, with what they are called: home, and those in which a supplement, a law that the notice names or an
    authority of its own makes a difference. None where it makes none.
    """
    identity = notice.identity
    laws = [region for clock in law.saying(law.Clock, identity.law) for region in clock.regions]
    found = dict.fromkeys((home, *notice.regions(), *laws, *identity.authority, *identity.regulator))
    offered = sorted(((one, name(one)) for one in found if one in REGIONS and one != home), key=lambda one: _order(one[1]))
    return [(home, name(home)), *offered] if offered else []


def _order(title: str) -> str:
    return title.removeprefix("the ").casefold()

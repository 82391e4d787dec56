"""What stands at well-known addresses (RFC 8615), of an account or of the host itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import quote

from django.db.models import Q
from django.utils import timezone

from kept.apps.notices.queries import Published, published
from kept.core.errors import NotFound
from kept.core.notice import Policy
from kept.core.notice.exports import plain
from kept.core.notice.rules.identity import Contact
from kept.platform.accounts.models import Account
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.models import NoticeVersion
from kept.platform.privacy.registry import registry

SIGNAL = "gpc"
EXPIRES_DAYS = 180
"""RFC 9116 § 2.5.5 recommends less than a year."""


def of_host(host: str, own: str) -> Published:
    """The account that speaks at the root of a host: the one whose notice names it, or a domain above it, among its `sites`; else the only
    account there is. `own` is the host's own name, which no account of several can claim. Raises NotFound, also where two claim a host.
    """
    host = host.partition(":")[0].lower()
    accounts = list(Account.objects.filter(closed_at=None, notice_version__isnull=False).order_by("pk")[:2])
    if len(accounts) == 1:
        return published(accounts[0].slug)
    claims = [] if host == own.lower() else _claiming(host)
    if len(claims) != 1:
        raise NotFound("No account speaks for this host.", place=host, cure="Ask under the account's own address: /account/.well-known/….")
    return published(claims[0].slug)


def _claiming(host: str) -> list[Account]:
    labels = host.split(".")
    names = [".".join(labels[place:]) for place in range(max(1, len(labels) - 1))]
    held = Account.objects.filter(closed_at=None, notice_version__isnull=False)
    # The texts are searched first, so that not every notice is compiled for a stranger's question.
    near = NoticeVersion.objects.filter(pk__in=held.values("notice_version")).filter(reduce(or_, (Q(text__contains=one) for one in names)))
    found = {row.account_id for row in near if not set(names).isdisjoint(notices.compiled(row.pk).notice.identity.sites)}
    return list(held.filter(pk__in=found))


# The Global Privacy Control (W3C draft, section “GPC Support Resource”)


def gpc(here: Published) -> Mapping[str, Any]:
    """Whether the signal is honoured: the notice says so, and something here acts on it. A promise that nothing keeps is none."""
    honoured = hears(here.policy) and not {"choice.signals", f"choice.signals={SIGNAL}"}.isdisjoint(registry.enforcers)
    return {"gpc": honoured, "lastUpdate": here.version.activated_at.date().isoformat()}


def hears(policy: Policy) -> bool:
    """Whether some choice is made by the signal."""
    return any(SIGNAL in choice.body.signals for region in policy.regions.values() for choice in region.choices.values())


# security.txt (RFC 9116)


def security(here: Published, canonical: str, notice: str) -> str:
    """The file. `canonical` is its own address, `notice` that of the notice. Raises NotFound where no contact has a URI."""
    contacts = [uri for one in here.notice.identity.reach("security") if (uri := _uri(one))]
    if not contacts:
        raise NotFound(
            "This notice names no contact for security.", place="contact", cure='Add one for = ["security"] by email, phone or web.'
        )
    expires = datetime.combine(timezone.now().date() + timedelta(days=EXPIRES_DAYS), time(), tzinfo=timezone.get_default_timezone())
    lines = [*(f"Contact: {one}" for one in contacts), f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"]
    lines += [f"Preferred-Languages: {', '.join(here.notice.identity.languages)}", f"Canonical: {canonical}", f"Policy: {notice}"]
    return "\n".join(lines) + "\n"


def _uri(contact: Contact) -> str:
    """A contact as a URI; empty where there is none for its channel."""
    if contact.via == "email":
        return f"mailto:{quote(contact.value, safe='@+')}"
    if contact.via == "phone":
        return f"tel:{''.join(one for one in contact.value if one.isdigit() or one == '+')}"
    return contact.value if contact.via == "web" and contact.value.startswith("https://") else ""


# The notice for machines


def machine(here: Published, addresses: Mapping[str, str]) -> Mapping[str, Any]:
    """The notice in force as JSON, with the key that signs the ledger and where the other forms are."""
    _private, public = ledger.signing_key(here.account.pk)
    return plain.document(here.notice) | {
        "account": here.account.slug,
        "version": here.version.number,
        "in_force_since": here.version.activated_at.isoformat(),
        "key": {"id": public.id, "pem": public.to_pem()},
        "addresses": dict(addresses),
    }


def key(here: Published) -> str:
    """The public key that the ledger is signed with (PEM)."""
    return ledger.signing_key(here.account.pk)[1].to_pem()

"""The four roles of a member, and what each may do: one table, read as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kept.core.errors import NotPermitted

if TYPE_CHECKING:
    from kept.platform.accounts.models import Member


class Role(models.TextChoices):
    """What a member is to the account."""

    OWNER = "owner", gettext_lazy("owner")
    PRIVACY_LEAD = "privacy-lead", gettext_lazy("privacy lead")
    MEMBER = "member", gettext_lazy("member")
    READ_ONLY = "read-only", gettext_lazy("read-only")


Capability = Literal[
    "records.read",
    "records.write",
    "records.import",
    "requests.handle",
    "requests.erase",
    "choices.set",
    "notice.read",
    "notice.write",
    "notice.approve",
    "incidents.handle",
    "members.manage",
    "settings.manage",
    "proof.run",
]

_EVERYONE = frozenset(Role)
_WORKERS = frozenset({Role.OWNER, Role.PRIVACY_LEAD, Role.MEMBER})
_LEADS = frozenset({Role.OWNER, Role.PRIVACY_LEAD})
_OWNERS = frozenset({Role.OWNER})

PERMISSIONS: Mapping[Capability, frozenset[Role]] = {
    "records.read": _EVERYONE,
    "records.write": _WORKERS,
    "records.import": _WORKERS,
    "requests.handle": _LEADS,
    "requests.erase": _LEADS,
    "choices.set": _WORKERS,
    "notice.read": _EVERYONE,
    "notice.write": _LEADS,
    "notice.approve": _LEADS,
    "incidents.handle": _LEADS,
    "members.manage": _OWNERS,
    "settings.manage": _OWNERS,
    "proof.run": _LEADS,
}


def may(member: Member, capability: Capability) -> bool:
    """Whether the member's role has the capability."""
    return member.role in PERMISSIONS[capability]


def require(member: Member, capability: Capability) -> None:
    """Raise `NotPermitted`, naming the member's role and the roles that would do, unless the role has the capability."""
    if may(member, capability):
        return
    enough = ", ".join(str(role.label) for role in Role if role in PERMISSIONS[capability])
    raise NotPermitted(
        _("The role “%(role)s” does not allow “%(capability)s”.") % {"role": Role(member.role).label, "capability": capability},
        place=member.account.slug,
        cure=_("An owner of the account can give you a role that does: %(roles)s.") % {"roles": enough},
    )

"""The banner by which an account's public pages tell of a change of its notice."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from kept.platform.accounts.models import Account
from kept.platform.privacy import versions
from kept.platform.ui.pages import Banner, Link

MOST = 12


def banner(account: Account) -> Banner | None:
    """The banner of the account's newest version, while it is to be shown."""
    found = versions.announced(account.pk)
    if found is None:
        return None
    day = date_format(timezone.localtime(found.effective_at), "DATE_FORMAT")
    says = (
        _("Our privacy notice changes on %(day)s.") if found.effective_at > timezone.now() else _("Our privacy notice changed on %(day)s.")
    )
    address = reverse("notices:history", args=[account.slug]) + f"#version-{found.number}"
    return Banner(says % {"day": day}, found.summary[:MOST], Link(_("Everything that changes"), address))

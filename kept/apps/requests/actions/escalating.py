"""Before a day is missed: what is due within a week, or overdue, told to the account's privacy leads."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kept.apps.requests import desk_queries
from kept.apps.requests.models import Kind, Request
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import members
from kept.platform.accounts.roles import Role
from kept.platform.privacy.bookkeeping import bookkeeping

MOST_LINES = 200


def escalate(account_id: int, now: datetime) -> int:
    """Write one mail to the privacy leads, or where there is none to the owners; how many requests it lists. None is written for none.

    It names requests and kinds only: a mailbox is no place for whom they are about.
    """
    account = Account.objects.get(pk=account_id)
    with bookkeeping(account_id) as use:
        pressing = desk_queries.pressing(use, now)
        due, count = list(pressing[:MOST_LINES]), pressing.count()
    if due:
        subject = ngettext("%(account)s: a request is due", "%(account)s: %(count)d requests are due", count)
        text = _("These requests must be answered within a week, or should have been.\n\n%(lines)s\n\nThe queue: %(address)s\n")
        lines = "\n".join(_line(request, now) for request in due)
        said = {"account": account.name, "count": count, "lines": lines, "address": _queue(account)}
        send_mail(subject % said, text % said, None, _leads(account))
    return count


def _line(request: Request, now: datetime) -> str:
    day = formats.date_format(localtime(request.due_at), "DATE_FORMAT")
    words = _("%(number)s  %(kind)s: overdue since %(day)s") if request.due_at < now else _("%(number)s  %(kind)s: due on %(day)s")
    return words % {"number": request.reference[:8], "kind": Kind(request.kind).label, "day": day}


def _queue(account: Account) -> str:
    return f"{settings.SITE}{reverse('requests:queue', args=[account.slug])}"


def _leads(account: Account) -> list[str]:
    found = [one for one in members(account) if one.user.is_active]
    leads = [one.user.email for one in found if one.role == Role.PRIVACY_LEAD]
    return leads or [one.user.email for one in found if one.role == Role.OWNER]

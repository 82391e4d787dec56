"""What is written about a request, both ways: the person on its page, the team by letter. All of it is sealed under the request's key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import attachments, limits, private
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.attachments import Attached
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Message, OutboxMessage, Request, State
from kept.core.errors import BadInput, Refused, Shredded
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.inlets import refused_category

LETTERS = ("message", "answered", "extended", "paused")
"""The letters in which the team says something of its own."""
LONGEST = 4000
TALKING = OPEN | {State.READY}
File = tuple[str, str, bytes]
"""What a file is for, its name, its bytes."""


@dataclass(frozen=True)
class Said:
    """One thing that was written. `ours` is the team's."""

    text: str
    at: datetime
    ours: bool


def may_write(request: Request) -> bool:
    """Whether somebody can still write about it."""
    return request.state in TALKING and request.closed_at is None and request.key_id is not None


def said(request: Request) -> list[Said]:
    """Everything that was written, oldest first; nothing once the request's key is gone."""
    found = []
    with bookkeeping(request.account_id) as use:
        theirs = list(Message.under(use).filter(request=request.reference, sealed__isnull=False))
        ours = list(OutboxMessage.under(use).filter(request=request.reference, sealed__isnull=False, letter__in=LETTERS))
    try:
        for message in theirs:
            text = private.open_bytes(message.key_id, message.request, bytes(message.sealed or b""), "message").decode()
            found.append(Said(text, message.at, ours=False))
        for letter in ours:
            content = json.loads(private.open_bytes(letter.key_id, letter.request, bytes(letter.sealed or b""), "letter"))
            found.append(Said("\n\n".join(content["says"]), letter.created_at, ours=True))
    except Shredded:
        return []
    return sorted(found, key=lambda one: one.at)


def files(request: Request) -> list[Attached]:
    """The files that came with it."""
    with bookkeeping(request.account_id) as use:
        return attachments.listed(use, request)


def write(account: Account, request: Request, text: str, came: Sequence[File] = ()) -> None:
    """Add what a person writes, and files, to their request. Raises BadInput, Refused for what is not taken, Conflict once it is closed."""
    if not limits.may_add(request.reference):
        cure = _("Go on tomorrow, or write to us by email or letter.")
        raise BadInput(_("You have written a lot here today."), place="text", cure=cure)
    if refused_category(text):
        cure = _("Leave the number out. Nothing was stored.")
        raise Refused(_("This holds a payment card or national identity number, which is refused here."), place="text", cure=cure)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, TALKING)
        change(use, request, person(request))
        if text.strip():
            sealed = private.seal_bytes(request, text.strip()[:LONGEST].encode(), "message")
            row = (request.reference, request.key_id, sealed, timezone.now())
            rows.insert(use, Message, ("request", "key_id", "sealed", "at"), [row])
        for what, name, content in came:
            attachments.add(use, request, what, name, content)

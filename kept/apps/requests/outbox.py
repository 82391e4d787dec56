"""Letters to people: rows sealed under the key of their request, sent after the commit by a job that carries ids only.

In development they become files, ``KEPT_DATA/outbox/<id>.eml``, which only their owner may read; with KEPT_SMTP_URL they are sent.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email import policy as email_policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils import timezone

from kept.apps.requests import jobs, private
from kept.apps.requests.letters import Letter
from kept.apps.requests.models import OutboxMessage, Request
from kept.core.errors import BadInput, Shredded
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.faults import point
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of

TIMEOUT_SECONDS = 30
_FIELDS = ("request", "letter", "key_id", "sealed", "created_at")


def folder() -> Path:
    """Where letters lie in development."""
    return Path(settings.DATA) / "outbox"


def post(use: Use, request: Request, letter: Letter, *, delay: timedelta = timedelta()) -> None:
    """Put a letter into the outbox, at the end of the action that it tells of. Without an address there is nobody to write to."""
    to = private.open_private(request).email
    if not to or request.key_id is None:
        return
    (made,) = put(use, [(request.reference, request.key_id, to, letter)])
    jobs.deliver.using(run_after=timezone.now() + delay).enqueue(account_id=use.account_id, message_id=made)


def put(use: Use, letters: Sequence[tuple[str, int, str, Letter]]) -> list[int]:
    """Store letters, given as reference, key, address and letter, for somebody to `deliver`; their ids. Raises Shredded."""
    lines = []
    for reference, key_id, to, letter in letters:
        content = {"to": to, "subject": letter.subject, "text": letter.text(), "html": letter.html(), "says": list(letter.says)}
        sealed = private.seal_under(key_id, reference, json.dumps(content).encode(), "letter")
        lines.append((reference, letter.name, key_id, sealed, timezone.now()))
    return rows.insert(use, OutboxMessage, _FIELDS, lines)


def deliver(account_id: int, message_id: int) -> None:
    """Send a letter. When its request was closed meanwhile it is not sent, and a file just written goes again."""
    with bookkeeping(account_id) as use:
        message = OutboxMessage.under(use).get(pk=message_id)
    if message.sealed is not None and message.sent_at is None:
        try:
            content = json.loads(private.open_bytes(message.key_id, message.request, bytes(message.sealed), "letter"))
        except Shredded:
            return
        _send(_mail(Account.objects.get(pk=account_id), message, content), message_id)
        point("outbox:delivered")
        with bookkeeping(account_id, writing=True) as use:
            OutboxMessage.under(use).filter(pk=message_id, sent_at=None).update(sent_at=timezone.now())
            message = OutboxMessage.under(use).get(pk=message_id)
    if message.sealed is None:
        remove_files([message_id])


def remove_files(message_ids: list[int]) -> int:
    """Remove the files of these letters; how many there were."""
    found = [_path(one) for one in message_ids if _path(one).exists()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def letters_in_folder() -> Iterator[tuple[int, EmailMessage]]:
    """The letters that lie in the folder, newest first."""
    for path in sorted(folder().glob("*.eml"), key=lambda one: int(one.stem), reverse=True):
        yield int(path.stem), BytesParser(_class=EmailMessage, policy=email_policy.default).parsebytes(path.read_bytes())


def _path(message_id: int) -> Path:
    return folder() / f"{message_id}.eml"


def _sender(account: Account) -> Address:
    contact = policy_of(account.pk).notice.identity.address
    name, at, domain = contact.rpartition("@")
    if not at:
        name, domain = "privacy", urlsplit(settings.SITE).hostname or "localhost"
    return Address(account.name, name, domain)


def _mail(account: Account, message: OutboxMessage, content: dict[str, str]) -> EmailMessage:
    mail = EmailMessage(policy=email_policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = _sender(account), content["to"], content["subject"]
    mail["Date"] = format_datetime(message.created_at)
    # The same at every attempt, so that a letter sent twice can be told by the mailbox.
    mail["Message-ID"] = f"<{message.request}.{message.pk}@{urlsplit(settings.SITE).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content["text"])
    mail.add_alternative(content["html"], subtype="html")
    return mail


def _send(mail: EmailMessage, message_id: int) -> None:
    if settings.SMTP_URL:
        _by_smtp(mail)
        return
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(_path(message_id), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(mail.as_bytes())


def _by_smtp(mail: EmailMessage) -> None:
    url = urlsplit(settings.SMTP_URL)
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise BadInput(
            "The mail server's address is malformed.", place="KEPT_SMTP_URL", cure="Write smtp:// or smtps://user:password@host."
        )
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(url.hostname, url.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(url.hostname, url.port or 587, timeout=TIMEOUT_SECONDS)
    with server:
        if url.scheme == "smtp" and url.username:  # a password never goes over an open line
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(mail)

"""Files that come with a request: a letter, evidence, a proof of identity, a power of attorney. Looked at for size and type before anything
is written, sealed under the request's key, and gone with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import private
from kept.apps.requests.models import Attachment, Request
from kept.core.errors import BadInput, NotFound, Refused, Shredded
from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy.inlets import refused_category

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 8
WHAT = ("evidence", "identity", "power-of-attorney", "permission", "mail")
"""What a file can be for; `mail` is a message as it came in."""
STARTS = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""The types that are taken besides plain text, and how their bytes begin: what a file says of itself decides nothing."""
_ACTIVE = (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/OpenAction")
"""What makes a PDF do something when it is opened."""


@dataclass(frozen=True)
class Attached:
    """A file as the team and the person see it. `size` is in bytes."""

    id: int
    what: str
    name: str
    media_type: str
    size: int
    at: datetime


def folder() -> Path:
    """Where sealed files lie."""
    return Path(settings.DATA) / "attachments"


def path(attachment_id: int) -> Path:
    """Where one lies."""
    return folder() / f"{attachment_id}.sealed"


def media_type(name: str, content: bytes) -> str:
    """The type of a file, by its bytes. Raises BadInput for an empty, too long or unknown one, Refused for one that would do something."""
    if not content:
        raise BadInput(_("This file is empty."), place=name, cure=_("Choose the file again."))
    if len(content) > MOST_BYTES:
        cure = _("Send up to %(n)d MB, for instance as a smaller picture.") % {"n": MOST_BYTES // 1024 // 1024}
        raise BadInput(_("This file is too large."), place=name, cure=cure)
    found = next((kind for kind, start in STARTS.items() if content.startswith(start)), "")
    if found == "application/pdf" and any(one in content for one in _ACTIVE):
        raise Refused(_("This PDF would run a program when it is opened."), place=name, cure=_("Print it into a new PDF, and send that."))
    if found:
        return found
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if any(ord(one) < 32 and one not in "\t\r\n\f" for one in text) or text.lstrip()[:1] == "<":
        cure = _("Send a PDF, a PNG or JPEG picture, or plain text.")
        raise BadInput(_("Files of this type are not taken."), place=name, cure=cure)
    if refused_category(text):
        cure = _("Leave the number out. Nothing was stored.")
        raise Refused(_("This holds a payment card or national identity number, which is refused here."), place=name, cure=cure)
    return "text/plain"


def add(use: Use, request: Request, what: str, name: str, content: bytes) -> int:
    """Seal a file and keep it with its request, inside the action it belongs to; its id. Raises BadInput, Refused, Shredded."""
    if what not in WHAT:
        raise BadInput(_("Nobody knows what this file is for."), place=what, cure=", ".join(WHAT))
    if Attachment.under(use).filter(request=request.reference).count() >= MOST_FILES:
        raise BadInput(_("There are too many files already."), place=name, cure=_("Put the rest into one PDF, or write to us."))
    kind, key_id = media_type(name, content), request.key_id or 0
    sealed = private.seal_under(key_id, request.reference, PurePath(name).name[:120].encode(), "attachment-name")
    names = ("request", "what", "media_type", "size", "key_id", "name", "at")
    (made,) = rows.insert(use, Attachment, names, [(request.reference, what, kind, len(content), key_id, sealed, timezone.now())])
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path(made), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(private.seal_under(key_id, request.reference, content, f"attachment/{made}"))
    return made


def listed(use: Use, request: Request) -> list[Attached]:
    """The files of a request, oldest first; nothing once its key is gone."""
    found = []
    for one in Attachment.under(use).filter(request=request.reference, name__isnull=False).order_by("id"):
        try:
            name = private.open_bytes(one.key_id, one.request, bytes(one.name or b""), "attachment-name").decode()
        except Shredded:
            return []
        found.append(Attached(one.pk, one.what, name, one.media_type, one.size, one.at))
    return found


def content(request: Request, attachment_id: int) -> bytes:
    """The bytes of one of its files. Raises NotFound once it is gone, and for a file of another request."""
    try:
        return private.open_bytes(request.key_id or 0, request.reference, path(attachment_id).read_bytes(), f"attachment/{attachment_id}")
    except (FileNotFoundError, Shredded) as error:
        raise NotFound(_("This file is not there any more."), place=str(attachment_id)) from error


def remove_files(ids: Iterable[int]) -> int:
    """Remove the files of these attachments; how many there were."""
    found = [path(one) for one in ids if path(one).exists()]
    for one in found:
        one.unlink(missing_ok=True)
    return len(found)


def files(before: datetime) -> set[int]:
    """The attachments whose files were written before a moment. A younger one may belong to an action that is not over."""
    return {int(one.stem) for one in folder().glob("*.sealed") if one.stat().st_mtime < before.timestamp()}

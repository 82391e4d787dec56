"""A person's receipt: what they decided and what follows from it, after ISO/IEC TS 27560, signed by the ledger.

It is made from the ledger's own entries at the moment it is asked for, handed over, and not kept: the ledger commits to it, with a salt
that only the receipt holds. Once the person is erased that commitment is a random number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from kept.core import ledger as core
from kept.core.errors import NotFound
from kept.core.notice.exports import consent
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import gate, ledger, notices
from kept.platform.privacy.choices import Verb
from kept.platform.privacy.models import Entry, NoticeVersion

STATES: Mapping[Verb, consent.State] = {
    "allow": "given",
    "withdraw": "withdrawn",
    "object": "objected",
    "opt-out": "opted-out",
    "restrict": "restricted",
    "lift": "lifted",
}
HOW = {"explicit": "by agreeing to this version of the notice", "continued-use": "by going on after being told of this version"}


def receipt(use: Use, subject: Subject, *, notice: str, changes: str, request: str = "") -> core.Receipt:
    """The receipt; `core.encode` of it is the file that `kept verify` verifies. Each is a new document and an entry of its own.

    `use` is of the purpose `rights`, outside an action: the entry is numbered and signed before this returns. `notice` and `changes` are
    the addresses where the notice is published and where the person changes their mind. Raises NotFound when they are no longer here,
    Shredded when their key was destroyed.
    """
    gate.bring_up(use.account_id)
    with writing(use):
        document = _document(use, subject, notice, changes)
        made = ledger.append(use, "release", purpose=use.purpose, subjects=[subject.reference], request=request or None, document=document)
    return ledger.receipt(use.account_id, made.id, document, made.salt)


def _document(use: Use, subject: Subject, notice: str, changes: str) -> dict[str, Any]:
    held = Subject.under(use).filter(pk=subject.pk, reference=subject.reference).first()
    if held is None:
        raise NotFound("Nobody is there to have a receipt.", place="subject", cure="They were erased already, or were never here.")
    ruling = notices.ruling(use.account_id)
    numbers = dict.fromkeys((held.notice_version or ruling.number, ruling.number))
    rows = {row.number: row for row in NoticeVersion.objects.filter(account_id=use.account_id, number__in=numbers)}
    return consent.document(
        [consent.Version(number, rows[number].digest, notices.compiled(rows[number].pk)) for number in numbers],
        consent.Principal(held.reference, held.region, held.permits),
        [_event(entry) for entry in ledger.story(use, held.reference, consent.TYPES)],
        ruling.over(held.notice_version).rights(held.region).values(),
        record_id=str(uuid4()),
        issued=timezone.now(),
        notice=notice,
        choices=changes,
    )


def _event(entry: Entry) -> consent.Event:
    header, said = ledger.header_of(entry), ledger.payload_of(entry)
    kind = next(one for one in consent.TYPES if one == header.kind)
    if kind == "acceptance":
        about = f"notice version {said['notice_version']}"
        return consent.Event(header.at, kind, "accepted", about, None, header.rule, header.request, HOW[said["how"]])
    until = datetime.fromisoformat(said["until"]) if said["until"] else None
    method = "by themselves" if header.actor.startswith("person:") else "recorded by us"
    return consent.Event(header.at, kind, STATES[said["verb"]], said["purpose"], until, header.rule, header.request, method)

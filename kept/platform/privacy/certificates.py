"""Looking for what is left of an erased person, and certifying what can be claimed: nothing, while anything is found.

Verification goes by reference, id and digest. It has no value to search for, and keeps none for that. What full text remembers is
looked at when residue is cleared (`residue`); the queue holds ids only, which `jobs` refuses anything else for.
"""

from __future__ import annotations

from typing import Any

from kept.core.errors import NotFound, Shredded, Tampered
from kept.core.ledger import Receipt
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, masks, staying, suppression
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.models import Entry, EntrySubject, Erasure
from kept.platform.privacy.registry import registry
from kept.platform.privacy.secrets import vault

FORMAT = "kept-erasure-1"
MARK = "erasure.mark"
DRAFT = "draft"
"""Member of a certificate that is not issued yet: the number of its entry."""
CLAIMS = {
    "sqlite": "No file of the database, its log, its search index or its key store holds a value of this person.",
    "postgresql": "No SQL path and no dump holds a value of this person. Sealed values cannot be recovered at all; plain values may "
    "persist in bytes of the server's own files until the server overwrites them.",
}
IN_PART = " What is listed under “kept” is excepted: it stays until the time or the decision that is named there."


def key_stands(intent: Intent) -> bool:
    """Whether the subject's own key is still there: by now its id may have been given out again."""
    try:
        return bool(intent.mark) and vault().open(intent.key_id, bytes.fromhex(intent.mark), MARK) == intent.reference.encode()
    except (Shredded, Tampered):
        return False


def findings(intent: Intent) -> dict[str, int]:
    """Verification: what is found of the subject that ought to be gone, by place: rows, columns of rows that stay, the keys, suppression,
    the stores. Of a person of whom something stays: purposes that are open to it as well.
    """
    found: dict[str, int] = {}
    with reserved(intent.account_id, "job:verification", "proof", request=intent.request) as use:
        subject = Subject.under(use).filter(reference=intent.reference).first()
        part = Erasure.under(use).filter(request=intent.request, kept__isnull=False).exists()
        stays = staying.stays_of(use, subject) if subject is not None and part else []
        if subject is not None and staying.anything(use, subject.pk, stays):
            found |= _beyond(use, subject, stays)
        else:
            stays = []
            found["data_subject"] = int(subject is not None)
            found |= _rows(use, intent)
        digests = {(kind, bytes.fromhex(one)) for kind, one in intent.identifiers}
        found["suppression missing"] = len(digests - suppression.found(use, list(digests)))
    found["keys"] = int(not stays and key_stands(intent))
    for store in registry.stores if not any(one.whole for one in stays) else ():
        found[store.name] = store.find(intent.account_id, intent.subject_id, intent.reference)
    return {place: count for place, count in found.items() if count}


def _rows(use: Use, intent: Intent) -> dict[str, int]:
    """Rows of somebody who is gone. After a restore their id may be somebody else's."""
    if Subject.under(use).filter(pk=intent.subject_id).exclude(reference=intent.reference).exists():
        return {}
    return {table.name: staying.rows_of(use, table, intent.subject_id).count() for table in of_subjects()}


def _beyond(use: Use, subject: Subject, stays: list[staying.Stay]) -> dict[str, int]:
    """What is there of somebody beyond what stays."""
    found = {"purposes open": (subject.permits & ~masks.restricted(use, subject)).bit_count()}
    for table in of_subjects():
        rows = staying.rows_of(use, table, subject.pk)
        found[table.name] = rows.exclude(staying.stays_in(use, table, stays)).count()
        for column, where in staying.emptied(table, stays):
            found[f"{table.name}.{column}"] = rows.filter(where).count()
    return found


def stage(held: Erasure) -> str:
    """How far it has come, as its certificate says."""
    if held.kept is not None:
        return "erased in part"
    return "residue cleared" if held.residue_at else "erased"


def current(held: Erasure) -> bool:
    """Whether the certificate, or its draft, says how things stand."""
    document = (held.certificate or {}).get("document") or {}
    said = tuple(document.get(name) for name in ("stage", "kept", "residue_cleared"))
    return said == (stage(held), held.kept or [], held.residue_at.isoformat() if held.residue_at else None)


def issued(held: Erasure) -> bool:
    """Whether the certificate that says how things stand is there."""
    return current(held) and DRAFT not in (held.certificate or {})


def draft(use: Use, intent: Intent, held: Erasure) -> dict[str, Any]:
    """Append the certificate's entry; with its salt the draft can become the receipt at any later time."""
    account = Account.objects.get(pk=intent.account_id)
    claim = CLAIMS["postgresql" if on_postgres() else "sqlite"] + (IN_PART if held.kept is not None else "")
    document: dict[str, Any] = {
        "format": FORMAT,
        "controller": account.name,
        "account": account.slug,
        "request": intent.request,
        "subject": intent.reference,
        "stage": stage(held),
        "erased": held.erased_at.isoformat(),
        "key_destroyed": held.key_destroyed_at.isoformat() if held.key_destroyed_at else None,
        "residue_cleared": held.residue_at.isoformat() if held.residue_at else None,
        "rows": held.counts,
        "stores": held.files or {},
        "kept": held.kept or [],
        "found_afterwards": {},
        "claim": claim if held.residue_at else "",
        "rule": intent.rule,
    }
    made = ledger.append(use, "erasure", actor=intent.actor, subjects=[intent.reference], request=intent.request, document=document)
    return {DRAFT: made.id, "salt": (made.salt or b"").hex(), "document": document}


def issue(intent: Intent, held: Erasure) -> None:
    """Make the receipt of a draft."""
    made: dict[str, Any] = held.certificate or {}
    receipt = ledger.receipt(intent.account_id, made[DRAFT], made["document"], bytes.fromhex(made["salt"]))
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request).update(certificate=receipt)
    held.certificate = receipt


def key_receipt(account_id: int, request: str) -> Receipt:
    """The receipt that the person's key was destroyed, apart from the certificate. Raises NotFound before that."""
    with bookkeeping(account_id) as use:
        held = Erasure.under(use).filter(request=request).first()
        ids = EntrySubject.under(use).filter(reference=held.reference if held else "").values("entry_id")
        entries = Entry.under(use).filter(pk__in=ids, kind="key-destruction").order_by("pk")
        found = next((entry.pk for entry in entries if ledger.header_of(entry).request == request), None)
    if found is None:
        raise NotFound("No key was destroyed for this request.", place=request, cure="Their key stays while anything of them does.")
    return ledger.receipt(account_id, found)

"""Erasing a subject, finally. Each step is idempotent by request, so that a crash at any point resumes.

(1) journal the intent; (2) one transaction: rows, ledger, suppression; (3) destroy the key; (4) files; (5) residue;
(6) verification; (7) certificate; (8) journal done. Steps 1–4 take milliseconds and are certified as “erased”; residue is cleared
in a batch for all that wait, and certified as “residue cleared”.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from kept.platform.accounts.models import Account
from kept.platform.data.datamap import Table, of_subjects, tables
from kept.platform.data.faults import point
from kept.platform.data.guard import sqlite
from kept.platform.data.models import Subject
from kept.platform.data.rows import insert, on_postgres
from kept.platform.data.use import Use, writing
from kept.platform.privacy import journal, ledger, suppression
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.models import Erasure, Identifier, Suppression
from kept.platform.privacy.registry import registry
from kept.platform.privacy.secrets import vault

FORMAT = "kept-erasure-1"
CLAIMS = {
    "sqlite": "No file of the database, its log, its search index or its key store holds a value of this person.",
    "postgresql": "No SQL path and no dump holds a value of this person. Sealed values cannot be recovered at all; plain values may "
    "persist in bytes of the server's own files until the server overwrites them.",
}


def plan(use: Use, subject: Subject) -> dict[str, dict[str, Any]]:
    """What an erasure would do: by table, how many rows, and what happens to them or why they stay."""
    found = {}
    for table in of_subjects():
        count = _rows_of(table, use, subject.pk).count()
        if count:
            found[table.name] = {"rows": count, "erase": table.erase, "because": table.model.personal.keep_because}
    return found


def _rows_of(table: Table, use: Use, subject_id: int) -> QuerySet[Any]:
    model: Any = table.model
    rows: QuerySet[Any] = model.under(use).filter(subject_id=subject_id)
    return rows


def erase(account_id: int, actor: str, subject_id: int, request: str, rule: str) -> Erasure:
    """Erase a subject, up to the certificate of the first stage. May be called again with the same request at any time."""
    intent = journal.intents().get(request)
    if intent is None:
        with reserved(account_id, actor, "rights", rule=rule, request=request) as use:
            subject = Subject.under(use).get(pk=subject_id)
            held = Identifier.under(use).filter(subject_id=subject_id)
            intent = Intent(
                request=request,
                account_id=account_id,
                subject_id=subject_id,
                reference=subject.reference,
                key_id=subject.key_id or 0,
                actor=actor,
                rule=rule,
                identifiers=tuple(sorted((row.kind, bytes(row.digest).hex()) for row in held)),
                at=datetime.now(UTC).isoformat(),
            )
        journal.intend(intent)
    return resume(intent)


def resume(intent: Intent) -> Erasure:
    """Carry an intended erasure on from wherever it stands."""
    point("erasure:journalled")
    _delete_rows(intent)
    point("erasure:deleted")
    _destroy_key(intent)
    point("erasure:key")
    _clear_stores(intent)
    point("erasure:files")
    return _certify(intent)


def resume_all() -> int:
    """Carry on every erasure that a crash interrupted; how many. Runs before the first page is served."""
    waiting = journal.unfinished()
    for intent in waiting:
        resume(intent)
    return len(waiting)


def _erasure(use: Use, request: str) -> Erasure | None:
    found: Erasure | None = Erasure.under(use).filter(request=request).first()
    return found


def _delete_rows(intent: Intent) -> None:
    """One transaction: every row of the subject as the map says, suppression, the ledger entry, and the subject itself."""
    with reserved(intent.account_id, intent.actor, "rights", rule=intent.rule, request=intent.request) as use, writing(use):
        if _erasure(use, intent.request) is not None:
            return
        counts = {}
        for table in of_subjects():
            held = _rows_of(table, use, intent.subject_id)
            if table.erase == "delete":
                counts[table.name] = held.delete()[0]
            elif table.erase == "nullify":
                emptied = dict.fromkeys(table.model.personal.columns, "")
                counts[table.name] = held.update(**emptied)
        suppression.add(use, [(kind, bytes.fromhex(one)) for kind, one in intent.identifiers], rule=intent.rule)
        Subject.under(use).filter(pk=intent.subject_id).delete()
        counts = {name: count for name, count in counts.items() if count}
        ledger.append(use, "erasure", rule=intent.rule or None, subjects=[intent.reference], request=intent.request)
        names = ("request", "reference", "rule", "counts", "erased_at")
        insert(use, Erasure, names, [(intent.request, intent.reference, intent.rule, counts, timezone.now())])
        point("erasure:deleting")


def _destroy_key(intent: Intent) -> None:
    """Destroy the subject's key; its destruction is an entry of its own."""
    vault().shred([intent.key_id])
    point("erasure:shredded")
    with bookkeeping(intent.account_id, writing=True) as use:
        if Erasure.under(use).filter(request=intent.request, key_destroyed_at=None).update(key_destroyed_at=timezone.now()):
            ledger.append(use, "key-destruction", actor=intent.actor, subjects=[intent.reference], request=intent.request)


def _clear_stores(intent: Intent) -> None:
    """Files and queues that rooms registered."""
    removed = {store.name: store.erase(intent.account_id, intent.subject_id, intent.reference) for store in registry.stores}
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request, files=None).update(files={k: n for k, n in removed.items() if n})


def findings(intent: Intent) -> dict[str, int]:
    """Verification: what is still found of the subject, by place, over every declared table, digest, search index and store."""
    found: dict[str, int] = {}
    with reserved(intent.account_id, "job:verification", "proof", request=intent.request) as use:
        for table in of_subjects():
            if table.erase != "keep":
                found[table.name] = _rows_of(table, use, intent.subject_id).count()
        found["data_subject"] = Subject.under(use).filter(reference=intent.reference).count()
        digests = [bytes.fromhex(one) for _, one in intent.identifiers]
        found["identifiers"] = Identifier.under(use).filter(digest__in=digests, subject_id=intent.subject_id).count()
        suppressed = Suppression.under(use).filter(digest__in=digests).count()
        found["suppression missing"] = max(0, len(set(digests)) - suppressed)
    found["keys"] = len(vault_keys(intent))
    for store in registry.stores:
        found[store.name] = store.find(intent.account_id, intent.subject_id, intent.reference)
    return {place: count for place, count in found.items() if count}


def vault_keys(intent: Intent) -> list[int]:
    """The subject's keys that are still there."""
    from kept.platform.data.keystore import DatabaseKeyStore

    return list(DatabaseKeyStore().get([intent.key_id]))


def _certify(intent: Intent) -> Erasure:
    """Verify and sign what can be claimed now."""
    account = Account.objects.get(pk=intent.account_id)
    left = findings(intent)
    with bookkeeping(intent.account_id, writing=True) as use:
        erasure = _erasure(use, intent.request)
        assert erasure is not None
        stage = "residue cleared" if erasure.residue_at else "erased"
        if erasure.certificate and erasure.certificate["document"]["stage"] == stage:
            return erasure
        document: dict[str, Any] = {
            "format": FORMAT,
            "controller": account.name,
            "account": account.slug,
            "request": intent.request,
            "subject": intent.reference,
            "stage": stage,
            "erased": erasure.erased_at.isoformat(),
            "key_destroyed": erasure.key_destroyed_at.isoformat() if erasure.key_destroyed_at else None,
            "residue_cleared": erasure.residue_at.isoformat() if erasure.residue_at else None,
            "rows": erasure.counts,
            "stores": erasure.files or {},
            "found_afterwards": left,
            "claim": CLAIMS["postgresql" if on_postgres() else "sqlite"] if stage == "residue cleared" else "",
            "rule": intent.rule,
        }
        made = ledger.append(use, "erasure", actor=intent.actor, subjects=[intent.reference], request=intent.request, document=document)
    receipt = ledger.receipt(intent.account_id, made.id, document, made.salt)
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request).update(certificate=receipt, findings=left)
        erasure = _erasure(use, intent.request)
        assert erasure is not None
    point("erasure:certified")
    if erasure.residue_at and not left:
        journal.finish(intent.request)
    return erasure


def clear_residue() -> int:
    """The second stage, for every erasure that waits for it; how many."""
    waiting = journal.unfinished()
    if not waiting:
        return 0
    _vacuum()
    point("erasure:residue")
    for intent in waiting:
        with bookkeeping(intent.account_id, writing=True) as use:
            Erasure.under(use).filter(request=intent.request, residue_at=None).update(residue_at=timezone.now())
        resume(intent)
    return len(waiting)


def _vacuum() -> None:
    """Have the engines rewrite what they kept of deleted rows."""
    for alias in ("owner", "keys"):
        with connections[alias].cursor() as cursor:
            if connections[alias].vendor == "postgresql":
                names = "subject_key" if alias == "keys" else ", ".join(f'"{table.name}"' for table in tables())
                cursor.execute(f"VACUUM (ANALYZE) {names}")
                continue
            if alias == "owner":
                for table in tables():
                    if table.search:
                        cursor.execute(f"INSERT INTO {sqlite.fts(table)}({sqlite.fts(table)}) VALUES ('optimize')")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = cursor.fetchone()
            if busy and busy[0]:
                raise TimeoutError("A reader keeps the write-ahead log from being emptied; residue is cleared at the next try.")

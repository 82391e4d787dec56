"""Erasing a subject, finally. Each step is idempotent by request, so that a crash at any point resumes.

(1) journal the intent; (2) one transaction: rows, ledger, suppression; (3) destroy the key; (4) files; (5) residue;
(6) verification; (7) certificate; (8) journal done. Steps 1–4 take milliseconds and are certified as “erased”; residue is cleared
in a batch for all that wait, and certified as “residue cleared”. Whoever carries an erasure on, and however often, ends there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from kept.core.errors import Closed, Conflict, KeptError, NotFound, Shredded, Tampered
from kept.platform.accounts.models import Account
from kept.platform.data.datamap import Table, of_subjects, tables
from kept.platform.data.faults import point
from kept.platform.data.guard import sqlite
from kept.platform.data.models import Subject
from kept.platform.data.rows import insert, on_postgres
from kept.platform.data.use import ALIAS, Use, writing
from kept.platform.privacy import journal, ledger, suppression
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.models import Erasure, Identifier
from kept.platform.privacy.registry import registry
from kept.platform.privacy.secrets import vault

FORMAT = "kept-erasure-1"
MARK = "erasure.mark"
DRAFT = "draft"
"""Member of a certificate that is not issued yet: the number of its entry."""
PATIENCE_MS = 2000
CLAIMS = {
    "sqlite": "No file of the database, its log, its search index or its key store holds a value of this person.",
    "postgresql": "No SQL path and no dump holds a value of this person. Sealed values cannot be recovered at all; plain values may "
    "persist in bytes of the server's own files until the server overwrites them.",
}


def plan(use: Use, subject: Subject) -> dict[str, int]:
    """What an erasure would delete: rows by table."""
    counts = {table.name: _rows_of(table, use, subject.pk).count() for table in of_subjects()}
    return {name: count for name, count in counts.items() if count}


def _rows_of(table: Table, use: Use, subject_id: int) -> QuerySet[Any]:
    model: Any = table.model
    rows: QuerySet[Any] = model.under(use).filter(subject_id=subject_id)
    return rows


def erase(account_id: int, actor: str, subject_id: int, request: str, rule: str) -> Erasure:
    """Erase a subject, up to the certificate of the first stage. May be called again with the same request at any time.

    Raises NotFound when nobody is there any more, Conflict when the request is already about somebody else.
    """
    intent = journal.find(request)
    if intent is None:
        intent = _intent(account_id, actor, subject_id, request, rule)
        journal.intend(intent)
    elif (intent.account_id, intent.subject_id) != (account_id, subject_id):
        raise Conflict("This request is about somebody else.", place=request, cure="Give each request a reference of its own.")
    elif not journal.is_open(request):
        with bookkeeping(account_id) as use:
            done = _held(use, request)
        if done is not None:
            return done
    return resume(intent)


def _intent(account_id: int, actor: str, subject_id: int, request: str, rule: str) -> Intent:
    with reserved(account_id, actor, "rights", rule=rule, request=request) as use, writing(use):
        subject = Subject.under(use).filter(pk=subject_id).first()
        if subject is None:
            raise NotFound("Nobody is there to be erased.", place="subject", cure="They were erased already, or were never here.")
        try:
            mark = vault().seal(subject.key_id or 0, subject.reference.encode(), MARK).hex()
        except Shredded:
            mark = ""
        return Intent(
            request=request,
            account_id=account_id,
            subject_id=subject_id,
            reference=subject.reference,
            key_id=subject.key_id or 0,
            mark=mark,
            actor=actor,
            rule=rule,
            identifiers=_identifiers(use, subject_id),
            at=datetime.now(UTC).isoformat(),
        )


def _identifiers(use: Use, subject_id: int) -> tuple[tuple[str, str], ...]:
    held = Identifier.under(use).filter(subject_id=subject_id)
    return tuple(sorted((row.kind, bytes(row.digest).hex()) for row in held))


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
    """Before the first page is served: carry on what a crash interrupted, erase again whom a restored database brought back.

    How many there were. One that fails keeps no other from being carried on; then its error is raised. Raises Closed when the
    database holds erasures that the journal does not know: then it is not the journal of this database.
    """
    intents, waiting = journal.intents(), {intent.request for intent in journal.unfinished()}
    accounts = list(Account.objects.values_list("pk", flat=True))
    for account_id in accounts:
        with bookkeeping(account_id) as use:
            known = set(Erasure.under(use).values_list("request", flat=True))
        if known - intents.keys():
            raise Closed("The erasure journal is missing or too old.", place=journal.path().name, cure="Restore it from its own backup.")
        for request, intent in intents.items():
            if intent.account_id == account_id and request not in known | waiting:
                journal.intend(intent)
    return _each([intent for intent in journal.unfinished() if intent.account_id in accounts], resume)


def _each(intents: Sequence[Intent], step: Callable[[Intent], object]) -> int:
    """Take a step for each, whatever becomes of the others; how many there were. Then raises the first error there was."""
    failed: KeptError | None = None
    for intent in intents:
        try:
            step(intent)
        except KeptError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return len(intents)


def _held(use: Use, request: str) -> Erasure | None:
    found: Erasure | None = Erasure.under(use).filter(request=request).first()
    return found


def _alone(request: str) -> None:
    """Two processes that carry on one erasure take turns. SQLite has one writer anyway."""
    if on_postgres():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kept.erasure'), hashtext(%s))", [request])


def _delete_rows(intent: Intent) -> None:
    """One transaction: every row of the subject as the map says, suppression, the ledger entry, and the subject itself."""
    with reserved(intent.account_id, intent.actor, "rights", rule=intent.rule, request=intent.request) as use, writing(use):
        _alone(intent.request)
        if _held(use, intent.request) is not None:
            return
        counts: dict[str, int] = {}
        identifiers = set(intent.identifiers)
        subject = Subject.under(use).filter(pk=intent.subject_id, reference=intent.reference)
        if subject.exists():  # or another request erased them in between
            identifiers |= set(_identifiers(use, intent.subject_id))
            counts = _delete(use, intent.subject_id)
            subject.delete()
        suppression.add(use, [(kind, bytes.fromhex(one)) for kind, one in sorted(identifiers)], rule=intent.rule)
        ledger.append(use, "erasure", rule=intent.rule or None, subjects=[intent.reference], request=intent.request)
        names = ("request", "reference", "rule", "counts", "erased_at")
        insert(use, Erasure, names, [(intent.request, intent.reference, intent.rule, counts, timezone.now())])
        point("erasure:deleting")


def _delete(use: Use, subject_id: int) -> dict[str, int]:
    """Delete the rows of a subject; how many there were, by table."""
    counts = {table.name: _rows_of(table, use, subject_id).delete()[0] for table in of_subjects()}
    return {name: count for name, count in counts.items() if count}


def _key_stands(intent: Intent) -> bool:
    """Whether the subject's own key is still there: by now its id may have been given out again."""
    try:
        return bool(intent.mark) and vault().open(intent.key_id, bytes.fromhex(intent.mark), MARK) == intent.reference.encode()
    except (Shredded, Tampered):
        return False


def _destroy_key(intent: Intent) -> None:
    """Destroy the subject's key; its destruction is an entry of its own."""
    if _key_stands(intent):
        vault().shred([intent.key_id])
    point("erasure:shredded")
    with bookkeeping(intent.account_id, writing=True) as use:
        if Erasure.under(use).filter(request=intent.request, key_destroyed_at=None).update(key_destroyed_at=timezone.now()):
            ledger.append(use, "key-destruction", actor=intent.actor, subjects=[intent.reference], request=intent.request)


def _clear_stores(intent: Intent) -> None:
    """Files and queues that rooms registered."""
    removed = {store.name: store.erase(intent.account_id, intent.subject_id, intent.reference) for store in registry.stores}
    point("erasure:stores")
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request, files__isnull=True).update(files={k: n for k, n in removed.items() if n})


def findings(intent: Intent) -> dict[str, int]:
    """Verification: what is still found of the subject, by place, over every declared table, the keys, suppression and the stores."""
    found: dict[str, int] = {}
    with reserved(intent.account_id, "job:verification", "proof", request=intent.request) as use:
        if not Subject.under(use).filter(pk=intent.subject_id).exclude(reference=intent.reference).exists():
            for table in of_subjects():
                if table.erase == "delete":
                    found[table.name] = _rows_of(table, use, intent.subject_id).count()
        found["data_subject"] = Subject.under(use).filter(reference=intent.reference).count()
        digests = {(kind, bytes.fromhex(one)) for kind, one in intent.identifiers}
        found["suppression missing"] = len(digests - suppression.found(use, list(digests)))
    found["keys"] = int(_key_stands(intent))
    for store in registry.stores:
        found[store.name] = store.find(intent.account_id, intent.subject_id, intent.reference)
    return {place: count for place, count in found.items() if count}


def _certify(intent: Intent) -> Erasure:
    """Verify, and sign what can be claimed now. While anything is found nothing is claimed: it is looked for again at the next try."""
    left = findings(intent)
    with bookkeeping(intent.account_id, writing=True) as use:
        _alone(intent.request)
        held = _held(use, intent.request)
        assert held is not None
        stage = "residue cleared" if held.residue_at else "erased"
        if left or held.certificate is None or held.certificate["document"]["stage"] != stage:
            held.findings, held.certificate = left, held.certificate if left else _draft(use, intent, held, stage)
            held.save(update_fields=["findings", "certificate"])
    point("erasure:drafted")
    if left:
        return held
    if DRAFT in (held.certificate or {}):
        _issue(intent, held)
    point("erasure:certified")
    if held.residue_at and journal.is_open(intent.request):
        journal.finish(intent.request)
    return held


def _draft(use: Use, intent: Intent, held: Erasure, stage: str) -> dict[str, Any]:
    """Append the certificate's entry; with its salt the draft can become the receipt at any later time."""
    account = Account.objects.get(pk=intent.account_id)
    document: dict[str, Any] = {
        "format": FORMAT,
        "controller": account.name,
        "account": account.slug,
        "request": intent.request,
        "subject": intent.reference,
        "stage": stage,
        "erased": held.erased_at.isoformat(),
        "key_destroyed": held.key_destroyed_at.isoformat() if held.key_destroyed_at else None,
        "residue_cleared": held.residue_at.isoformat() if held.residue_at else None,
        "rows": held.counts,
        "stores": held.files or {},
        "found_afterwards": {},
        "claim": CLAIMS["postgresql" if on_postgres() else "sqlite"] if held.residue_at else "",
        "rule": intent.rule,
    }
    made = ledger.append(use, "erasure", actor=intent.actor, subjects=[intent.reference], request=intent.request, document=document)
    return {DRAFT: made.id, "salt": (made.salt or b"").hex(), "document": document}


def _issue(intent: Intent, held: Erasure) -> None:
    draft: dict[str, Any] = held.certificate or {}
    receipt = ledger.receipt(intent.account_id, draft[DRAFT], draft["document"], bytes.fromhex(draft["salt"]))
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request).update(certificate=receipt)
    held.certificate = receipt


def clear_residue() -> int:
    """The second stage, for every erasure that waits for it; how many reached it.

    Raises Conflict while a reader keeps old pages alive: to be tried again. Only what was erased before the engines began to
    rewrite counts as cleared.
    """
    late: KeptError | None = None
    try:
        _each([intent for intent in journal.unfinished() if not _certified(intent)], resume)
    except KeptError as error:
        late = error
    waiting = [intent for intent in journal.unfinished() if _certified(intent)]
    if waiting:
        _rewrite("owner")
        _rewrite("keys")
    _empty_log("keys")  # in any case: keys of requests and imports are destroyed too
    point("erasure:residue")
    count = _each(waiting, _cleared)
    if late is not None:
        raise late
    return count


def _certified(intent: Intent) -> bool:
    """Whether the first stage is over."""
    with bookkeeping(intent.account_id) as use:
        held = _held(use, intent.request)
    return held is not None and held.files is not None and held.certificate is not None


def _cleared(intent: Intent) -> None:
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request, residue_at=None).update(residue_at=timezone.now())
    point("erasure:cleared")
    resume(intent)


def _rewrite(alias: str) -> None:
    """Have the engine rewrite what it kept of deleted rows."""
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            names = "subject_key" if alias == "keys" else ", ".join(f'"{table.name}"' for table in tables())
            cursor.execute(f"VACUUM (ANALYZE) {names}")
            return
        if alias == "owner":
            for table in tables():
                if table.search:
                    cursor.execute(f"INSERT INTO {sqlite.fts(table)}({sqlite.fts(table)}) VALUES ('optimize')")
        cursor.execute("VACUUM")
    _empty_log(alias)


def _empty_log(alias: str) -> None:
    """Empty SQLite's write-ahead log, which holds old pages. While it waits for readers it holds up writers: rather come again."""
    if connections[alias].vendor == "postgresql":
        return
    with connections[alias].cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {int(connections[alias].settings_dict['OPTIONS']['timeout'] * 1000)}")
    if busy:
        raise Conflict("A reader keeps the write-ahead log from being emptied.", place=alias, cure="It is tried again by itself.")

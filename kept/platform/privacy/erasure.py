"""Erasing a subject, finally. Each step is idempotent by request, so that a crash at any point resumes.

(1) journal the intent; (2) one transaction: rows, ledger, suppression; (3) destroy the key; (4) files; (5) residue;
(6) verification; (7) certificate; (8) journal done. Steps 1–4 take milliseconds and are certified as “erased”; residue is cleared
in a batch for all that wait, and certified as “residue cleared”. Whoever carries an erasure on, and however often, ends there.

What a case holds, and what the law wants kept, stays (`staying`): then the person is erased in part. Everything else goes, every purpose
is closed to what stays, the certificate lists it, the journal stays open, and the key stays. Once nothing holds any of it back, carrying
the erasure on finishes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from django.db import connections
from django.utils import timezone

from kept.core.errors import BadInput, Closed, Conflict, KeptError, NotFound, Shredded
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.rows import insert, on_postgres
from kept.platform.data.use import ALIAS, Use, writing
from kept.platform.privacy import certificates, choices, holds, journal, ledger, residue, staying, suppression
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.certificates import DRAFT, MARK, findings, key_receipt
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.models import Choice, Erasure, Identifier
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.registry import registry
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.staying import Planned, plan


def erase(account_id: int, actor: str, subject_id: int, request: str, rule: str, excepted: Mapping[str, str] | None = None) -> Erasure:
    """Erase a subject, up to the certificate of the first stage. May be called again with the same request at any time.

    `excepted` maps a category to the exception, one that the rule's right names, under which somebody decided to leave it: until the case
    opened for it is released. Raises NotFound when nobody is there any more, Conflict when the request is already about somebody else,
    BadInput for a category unknown or an exception that the notice does not name.
    """
    intent = journal.find(request)
    if intent is None:
        intent = _intent(account_id, actor, subject_id, request, rule, excepted or {})
        journal.intend(intent)
    elif (intent.account_id, intent.subject_id) != (account_id, subject_id):
        raise Conflict("This request is about somebody else.", place=request, cure="Give each request a reference of its own.")
    elif not journal.is_open(request):
        with bookkeeping(account_id) as use:
            done = _held(use, request)
        if done is not None:
            return done
    return resume(intent)


def _intent(account_id: int, actor: str, subject_id: int, request: str, rule: str, excepted: Mapping[str, str]) -> Intent:
    with reserved(account_id, actor, "rights", rule=rule, request=request) as use, writing(use):
        subject = Subject.under(use).filter(pk=subject_id).first()
        if subject is None:
            raise NotFound("Nobody is there to be erased.", place="subject", cure="They were erased already, or were never here.")
        _check(use, subject, rule, excepted)
        holds.settled(use, placing=True)
        holds.except_(use, actor, request, subject.reference, excepted)
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
            holds=holds.remembered(use, subject.reference, timezone.now()),
        )


def _check(use: Use, subject: Subject, rule: str, excepted: Mapping[str, str]) -> None:
    """Raise BadInput for a category nobody knows, or an exception that the right does not name."""
    holds.check_categories(use, excepted)
    rights = [one for one in policy_of(use.account_id).rights(subject.region).values() if one.rule.name == rule]
    named = frozenset().union(*(one.body.except_ for one in rights)) if rights else holds.EXCEPTIONS
    for category, word in excepted.items():
        if word not in named:
            cure = f"Use one of {', '.join(sorted(named))}." if named else "Erase it."
            raise BadInput(f"{rule} names no exception “{word}”.", place=category, cure=cure, rule=rule)


def _identifiers(use: Use, subject_id: int) -> tuple[tuple[str, str], ...]:
    held = Identifier.under(use).filter(subject_id=subject_id)
    return tuple(sorted((row.kind, bytes(row.digest).hex()) for row in held))


def resume(intent: Intent) -> Erasure:
    """Carry an intended erasure on from wherever it stands."""
    point("erasure:journalled")
    whole = _delete_rows(intent)
    point("erasure:deleted")
    if whole:
        journal.note_erased(intent.request)
        point("erasure:noted")
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
            known = dict(Erasure.under(use).values_list("request", "kept"))
        if known.keys() - intents.keys():
            raise Closed("The erasure journal is missing or too old.", place=journal.path().name, cure="Restore it from its own backup.")
        whole = {request for request, kept in known.items() if kept is None}
        for request, intent in intents.items():
            if intent.account_id == account_id and request not in whole | waiting:
                journal.intend(intent)
    return _each([intent for intent in journal.unfinished() if intent.account_id in accounts], resume)


def carry_on_released(account_id: int) -> int:
    """Finish the erasures in part of which nothing is held back any more, and take what else is free of the others; how many are whole
    now. To be called often: it does nothing where nothing ended.
    """
    with bookkeeping(account_id) as use:
        parts = set(Erasure.under(use).filter(kept__isnull=False).values_list("request", flat=True))
    done: list[Erasure] = []
    _each([intent for intent in journal.unfinished() if intent.request in parts], lambda intent: done.append(resume(intent)))
    return sum(held.kept is None for held in done)


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


def _delete_rows(intent: Intent) -> bool:
    """One transaction: every row of the subject that may go, suppression, the ledger entry, and where nothing stays the subject itself.

    Whether nothing stays. Holds are looked at in here again: none can be placed before it is over. What the stores hold is counted before.
    """
    stored = {store.name: store.find(intent.account_id, intent.subject_id, intent.reference) for store in registry.stores}
    with reserved(intent.account_id, intent.actor, "rights", rule=intent.rule, request=intent.request) as use, writing(use):
        _alone(intent.request)
        holds.settled(use)
        held = _held(use, intent.request)
        if held is not None and held.kept is None:
            return True
        subject = Subject.under(use).filter(pk=intent.subject_id, reference=intent.reference).first()
        counts, kept = dict[str, int](), None
        identifiers = set(intent.identifiers)
        if subject is not None:  # or another request erased them in between
            identifiers |= set(_identifiers(use, intent.subject_id))
            counts, kept = _delete(use, intent, subject, first=held is None)
        suppression.add(use, [(kind, bytes.fromhex(one)) for kind, one in sorted(identifiers)], rule=intent.rule)
        if held is None or counts or kept != held.kept:
            _note(use, intent, held, counts, {} if _held_whole(use, intent) else stored, kept)
        point("erasure:deleting")
        return kept is None


def _delete(use: Use, intent: Intent, subject: Subject, *, first: bool) -> tuple[dict[str, int], list[dict[str, object]] | None]:
    """Delete what may go; how many rows, by table, and what stays, if anything does. Who was once gone wholly goes wholly again: a hold
    that says otherwise came with a restored database.
    """
    stays: list[staying.Stay] = []
    if not journal.is_erased(intent.request):
        if first:
            holds.recall(use, intent.actor, subject.reference, intent.holds)
        stays = staying.stays_of(use, subject)
    if not staying.anything(use, subject.pk, stays):
        counts = staying.remove(use, subject.pk, [])
        Subject.under(use).filter(pk=subject.pk).delete()
        return counts, None
    if not Choice.under(use).filter(subject_id=subject.pk, purpose="all", restricted=True).exists():
        choices.choose(use, subject, "restrict", "all", rule=intent.rule, request=intent.request)
    counts = staying.remove(use, subject.pk, stays)
    return counts, staying.kept(use, subject.pk, stays)


def _note(
    use: Use,
    intent: Intent,
    held: Erasure | None,
    counts: Mapping[str, int],
    stored: Mapping[str, int],
    kept: list[dict[str, object]] | None,
) -> None:
    """Write down what was deleted just now, and what the stores are about to remove. What was carried on leaves residue anew."""
    ledger.append(use, "erasure", rule=intent.rule or None, subjects=[intent.reference], request=intent.request)
    now, known = timezone.now(), held or Erasure(counts={}, files={})
    rows, files = (dict(Counter(old) + Counter(new)) for old, new in ((known.counts, counts), (known.files or {}, stored)))
    if held is None:
        names = ("request", "reference", "rule", "counts", "files", "kept", "erased_at")
        insert(use, Erasure, names, [(intent.request, intent.reference, intent.rule, rows, files, kept, now)])
        return
    held.counts, held.files, held.kept, held.erased_at, held.residue_at = rows, files, kept, now, None
    held.save(update_fields=["counts", "files", "kept", "erased_at", "residue_at"])


def _destroy_key(intent: Intent) -> None:
    """Destroy the subject's key; its destruction is an entry of its own."""
    if certificates.key_stands(intent):
        vault().shred([intent.key_id])
    point("erasure:shredded")
    with bookkeeping(intent.account_id, writing=True) as use:
        if Erasure.under(use).filter(request=intent.request, key_destroyed_at=None).update(key_destroyed_at=timezone.now()):
            ledger.append(use, "key-destruction", actor=intent.actor, subjects=[intent.reference], request=intent.request)


def _held_whole(use: Use, intent: Intent) -> bool:
    """Whether everything of the person is held, files included."""
    subject = Subject.under(use).filter(reference=intent.reference).first()
    return subject is not None and any(one.whole for one in staying.stays_of(use, subject))


def _clear_stores(intent: Intent) -> None:
    """Files and queues that rooms registered."""
    with bookkeeping(intent.account_id) as use:
        whole = _held_whole(use, intent)
    for store in registry.stores if not whole else ():
        store.erase(intent.account_id, intent.subject_id, intent.reference)
    point("erasure:stores")


def _certify(intent: Intent) -> Erasure:
    """Verify, and sign what can be claimed now. While anything is found nothing is claimed: it is looked for again at the next try."""
    left = findings(intent)
    with bookkeeping(intent.account_id, writing=True) as use:
        _alone(intent.request)
        held = _held(use, intent.request)
        assert held is not None
        if left or not certificates.current(held):
            held.findings, held.certificate = left, held.certificate if left else certificates.draft(use, intent, held)
            held.save(update_fields=["findings", "certificate"])
    point("erasure:drafted")
    if left:
        return held
    if DRAFT in (held.certificate or {}):
        certificates.issue(intent, held)
    point("erasure:certified")
    if held.kept is None and held.residue_at and journal.is_open(intent.request):
        journal.finish(intent.request)
    return held


def clear_residue() -> int:
    """The second stage, for every erasure that waits for it; how many reached it.

    Raises Conflict while a reader keeps old pages alive: to be tried again. Only what was erased before the engines began to
    rewrite counts as cleared.
    """
    late: KeptError | None = None
    try:
        _each([intent for intent in journal.unfinished() if _unfinished(intent)], resume)
    except KeptError as error:
        late = error
    waiting = [intent for intent in journal.unfinished() if _waits(intent)]
    if waiting:
        residue.rewrite("owner")
        residue.rewrite("keys")
    residue.empty_log("keys")  # in any case: keys of requests and imports are destroyed too
    point("erasure:residue")
    count = _each(waiting, _cleared)
    if late is not None:
        raise late
    return count


def _look(intent: Intent) -> Erasure | None:
    with bookkeeping(intent.account_id) as use:
        return _held(use, intent.request)


def _unfinished(intent: Intent) -> bool:
    """Whether there is something to do but residue: the first stage is not over, or the second one's certificate is missing."""
    held = _look(intent)
    return held is None or not certificates.issued(held) or bool(held.kept is None and held.residue_at)


def _waits(intent: Intent) -> bool:
    """Whether residue alone is left."""
    held = _look(intent)
    return held is not None and certificates.issued(held) and held.residue_at is None


def _cleared(intent: Intent) -> None:
    with bookkeeping(intent.account_id, writing=True) as use:
        Erasure.under(use).filter(request=intent.request, residue_at=None).update(residue_at=timezone.now())
    point("erasure:cleared")
    resume(intent)


__all__ = [
    "DRAFT",
    "MARK",
    "Planned",
    "carry_on_released",
    "clear_residue",
    "erase",
    "findings",
    "key_receipt",
    "plan",
    "resume",
    "resume_all",
]

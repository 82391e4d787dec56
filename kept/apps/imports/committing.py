"""Committing an import, chunk by chunk. Each chunk is one transaction that also moves the import's position, so that whoever
carries a broken-off import on begins exactly where it stopped.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError
from django.db.models import F
from django.utils import timezone

from kept.apps.contacts.models import Person
from kept.apps.imports import columns, staging
from kept.apps.imports.matching import Outcome, decide
from kept.apps.imports.models import COMMITTED, COMMITTING, Batch, Before, Import
from kept.apps.imports.records import Fault, Reader, Record
from kept.apps.imports.writing import Chunk, Updates, add_people, company_ids
from kept.core.errors import NotFound
from kept.core.notice import Policy
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.faults import point
from kept.platform.data.lookup import lookup
from kept.platform.data.use import Use, writing
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

CHUNK_BATCHES = 5
TRIES = 3  # another import may take the same identifiers, or lock the same rows, at the same moment
Progress = Callable[[int, int], None]


@dataclass
class Part:
    """One batch of a chunk: what was staged, the records made of it, what was left out."""

    batch: Batch
    staged: dict[str, Any]
    records: list[Record]
    faults: list[Fault]


def load(account_id: int, import_id: int) -> Import:
    """The import as it stands. Raises NotFound."""
    with bookkeeping(account_id) as use:
        run = Import.under(use).filter(pk=import_id).first()
    if run is None:
        raise NotFound("No such import.", place=f"import {import_id}")
    return run


def reader_for(run: Import, policy: Policy) -> Reader:
    """What turns this import's rows into records."""
    region = Account.objects.values_list("region", flat=True).get(pk=run.account_id)
    return Reader(run.account_id, region, run.source, policy, run.layout["names"], run.mapping, timezone.now())


def touched_by(run: Import, use: Use, subject_ids: Collection[int]) -> set[int]:
    """Which of these subjects this import created or met in earlier chunks. `use` reads nothing of them."""
    met = lookup(use, Before, "subject_id", subject_ids, ("subject_id",), f"t.run_id = {run.pk}")
    created = lookup(use, Person, "subject_id", subject_ids, ("subject_id",), f"t.import_id = {run.pk}")
    return {one for (one,) in met} | {one for (one,) in created}


def commit_now(account_id: int, import_id: int, progress: Progress = lambda done, total: None) -> Import:
    """Commit what is left of an import whose commit was begun. May be called again at any time."""
    run, keys = load(account_id, import_id), list[int]()
    while run.state == COMMITTING and run.position < run.batches:
        for tries_left in reversed(range(TRIES)):
            try:
                with _without_collector():
                    _commit_chunk(run, keys)
                break
            except (IntegrityError, OperationalError):
                keys.clear()  # whether they are in use is not known
                if not tries_left:
                    raise
        run = load(account_id, import_id)
        progress(run.position, run.batches)
    if keys:
        vault().shred(keys)
    if run.state == COMMITTING:
        _finish(run)
        run = load(account_id, import_id)
    return run


@contextmanager
def _without_collector() -> Iterator[None]:
    """A chunk makes some hundred thousand objects that live until it ends: looking for garbage among them costs a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _commit_chunk(run: Import, keys: list[int]) -> None:
    """`keys` are spare ones, made before the transaction; those that newcomers get leave the list once it is committed."""
    policy = policy_of(run.account_id)
    with bookkeeping(run.account_id) as use:
        batches = staging.open_batches(use, run, run.position, CHUNK_BATCHES)
    reader = reader_for(run, policy)
    parts = [Part(batch, staged, *reader.read(staged)) for batch, staged in batches]
    records = [record for part in parts for record in part.records]
    if len(keys) < len(records):
        keys += vault().create(len(records) - len(keys))
    point("import:keys")
    with reserved(run.account_id, run.by, "matching", rule=run.rule) as matching:
        used = _write_chunk(run, policy, matching, parts, records, keys)
    del keys[:used]
    point("import:chunk-committed")


def _write_chunk(run: Import, policy: Policy, matching: Use, parts: Sequence[Part], records: Sequence[Record], keys: Sequence[int]) -> int:
    """The transaction of one chunk; how many of the keys it used."""
    with writing(matching):
        here = Import.under(matching).select_for_update().filter(pk=run.pk, state=COMMITTING, position=run.position)
        if here.first() is None:
            return 0  # somebody else carried it on meanwhile
        outcome = decide(matching, records, lambda ids: touched_by(run, matching, ids))
        companies, cells = _write_people(Chunk(run, policy, timezone.now(), matching), outcome, keys[: len(outcome.new)])
        _place_faults(parts, [*outcome.faults, *cells])
        _close_batches(run, matching, parts, companies)
        faults = [fault for part in parts for fault in part.faults]
        Import.under(matching).filter(pk=run.pk).update(
            position=run.position + len(parts),
            created=F("created") + len(outcome.new),
            updated=F("updated") + outcome.updated,
            duplicates=F("duplicates") + outcome.duplicates,
            suppressed=F("suppressed") + outcome.suppressed + sum(part.staged.get("gone", 0) for part in parts),
            rejected=F("rejected") + sum(not fault.column for fault in faults),
            dropped_cells=F("dropped_cells") + sum(bool(fault.column) for fault in faults),
        )
        point("import:chunk")
    return len(outcome.new)


def _write_people(chunk: Chunk, outcome: Outcome, keys: Sequence[int]) -> tuple[list[int], list[Fault]]:
    """Newcomers, and changes of people who are here; the companies created for them, and the cells that records here did not take."""
    run = chunk.run
    named = {one.record.company for one in (*outcome.new, *outcome.known.values())} - {""}
    companies: dict[str, int] = {}
    made: list[int] = []
    faults: list[Fault] = []
    if outcome.known or named:
        with reserved(run.account_id, run.by, "retention", rule=run.rule) as keeping:
            companies, made = company_ids(keeping, named, chunk.now)
            if outcome.known:
                updates = Updates(chunk, keeping, outcome.known, companies, outcome.owners)
                updates.write()
                faults = updates.faults
    add_people(chunk, outcome.new, keys, companies)
    return made, faults


def _place_faults(parts: Sequence[Part], faults: Sequence[Fault]) -> None:
    """Put what was left out to the batch it came in, a whole row with its cells."""
    for fault in faults:
        for part in parts:
            cells = next((row[1:] for row in part.staged["rows"] if row[0] == fault.line), None)
            if cells is not None:
                fault.cells = [] if fault.column else cells
                part.faults.append(fault)


def _close_batches(run: Import, use: Use, parts: Sequence[Part], companies: list[int]) -> None:
    """What was staged goes; what was left out of it stays, sealed, for the rejects file."""
    lines = []
    for number, part in enumerate(parts):
        rejects = seal_rejects(run, part.batch.number, part.faults) if part.faults else None
        lines.append((part.batch.pk, b"", rejects, companies if not number and companies else None))
    rows.update(use, Batch, ("sealed", "rejects", "companies"), lines)


def seal_rejects(run: Import, number: int, faults: Sequence[Fault]) -> bytes:
    """What was left out of a batch, sealed."""
    packed = json.dumps([fault.packed() for fault in faults], ensure_ascii=False).encode()
    return vault().seal(run.key_id or 0, packed, staging.context(run.pk, f"rejects:{number}"))


def open_rejects(run: Import, batch: Batch) -> list[Fault]:
    """What was left out of a batch."""
    if not batch.rejects:
        return []
    plain = vault().open(run.key_id or 0, bytes(batch.rejects), staging.context(run.pk, f"rejects:{batch.number}"))
    return [Fault(*fault) for fault in json.loads(plain)]


def _finish(run: Import) -> None:
    """The last chunk is in: say so, in the ledger too."""
    categories = sorted({columns.TARGETS[target].category for target in run.mapping.values()})
    with bookkeeping(run.account_id, writing=True) as use:
        if Import.under(use).filter(pk=run.pk, state=COMMITTING).update(state=COMMITTED, committed_at=timezone.now()):
            ledger.append(use, "collection", actor=run.by, rule=run.rule, categories=categories)
    point("import:committed")

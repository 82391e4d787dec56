"""What imports hold outside the rows of people: staged rows and rejects, sealed. At an erasure the person's rows leave them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from kept.apps.imports import staging
from kept.apps.imports.columns import IDENTIFYING
from kept.apps.imports.committing import open_rejects, reader_for, seal_rejects
from kept.apps.imports.models import STAGED, STAGING, Batch, Import
from kept.apps.imports.records import Reader
from kept.platform.data import rows
from kept.platform.privacy import journal
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

Digests = Collection[tuple[str, bytes]]


class Staged:
    """The store that erasure asks. A row without any identifier could be anybody's, so it loses its cells as well."""

    name = "imports"

    def erase(self, account_id: int, subject_id: int, reference: str) -> int:
        """Take the person's rows out of everything staged and rejected; how many."""
        theirs, count = _digests(reference), 0
        for run in _live(account_id):
            if run.state in (STAGING, STAGED) and not _recognises(run):
                staging.discard(account_id, run.pk)
                count += 1
                continue
            reader = reader_for(run, policy_of(account_id))
            with bookkeeping(account_id, writing=True) as use:
                here = Import.under(use).select_for_update().get(pk=run.pk)
                for batch in Batch.under(use).filter(run_id=run.pk).order_by("number").iterator(chunk_size=10):
                    change, removed = _without(here, batch, reader, theirs)
                    count += removed
                    if change:
                        rows.update(use, Batch, tuple(change), [(batch.pk, *change.values())])
                if subject_id in (here.left or ()):
                    left = [one for one in here.left or () if one != subject_id]
                    Import.under(use).filter(pk=run.pk).update(left=left)
        return count

    def find(self, account_id: int, subject_id: int, reference: str) -> int:
        """How many of the person's rows are still staged or among rejects."""
        theirs, count = _digests(reference), 0
        for run in _live(account_id):
            reader = reader_for(run, policy_of(account_id))
            count += subject_id in (run.left or ())
            with bookkeeping(account_id) as use:
                for batch in Batch.under(use).filter(run_id=run.pk).order_by("number").iterator(chunk_size=10):
                    staged = staging.unpack(run, batch)["rows"] if batch.sealed else []
                    rejected = [[fault.line, *fault.cells] for fault in open_rejects(run, batch) if fault.cells]
                    count += sum(not theirs.isdisjoint(reader.digests(row)) for row in (*staged, *rejected))
        return count


def _digests(reference: str) -> frozenset[tuple[str, bytes]]:
    """What the erased person was known by, as the journal says."""
    found = (one for one in journal.intents().values() if one.reference == reference)
    return frozenset((kind, bytes.fromhex(digest)) for intent in found for kind, digest in intent.identifiers)


def _live(account_id: int) -> list[Import]:
    """Imports under whose key anything can still be read."""
    with bookkeeping(account_id) as use:
        return list(Import.under(use).filter(key_id__isnull=False).order_by("pk"))


def _recognises(run: Import) -> bool:
    """Whether the rows of this import can be told apart as it is described now."""
    targets = set(run.mapping.values()) & set(IDENTIFYING)
    return bool(targets) and (bool(run.source) or "source_id" not in targets)


def _without(run: Import, batch: Batch, reader: Reader, theirs: Digests) -> tuple[dict[str, Any], int]:
    """What changes of a batch when the person leaves it, and how many rows that takes."""
    change: dict[str, Any] = {}
    removed = 0
    if batch.sealed:
        staged, kept, blank = staging.unpack(run, batch), list[Any](), list[int]()
        for row in staged["rows"]:
            known = reader.digests(row)
            if not known:
                blank.append(row[0])
            elif not any(one in theirs for one in known):
                kept.append(row)
        gone = len(staged["rows"]) - len(kept) - len(blank)
        if gone or blank:
            staged |= {"rows": kept, "blank": [*staged.get("blank", ()), *blank], "gone": staged.get("gone", 0) + gone}
            packed = json.dumps(staged, ensure_ascii=False).encode()
            change["sealed"] = vault().seal(run.key_id or 0, packed, staging.context(run.pk, f"rows:{batch.number}"))
            removed += gone
    faults, emptied = open_rejects(run, batch), False
    for fault in faults:
        if fault.cells:
            known = reader.digests([fault.line, *fault.cells])
            if not known or any(one in theirs for one in known):
                fault.cells, emptied = [], True
                removed += bool(known)
    if emptied:
        change["rejects"] = seal_rejects(run, batch.number, faults)
    return change, removed

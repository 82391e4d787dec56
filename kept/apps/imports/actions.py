"""What can be done with an import: start, map, preview, commit, undo, discard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from kept.apps.imports import columns, committing, jobs, staging, undoing
from kept.apps.imports.committing import Progress, load, reader_for
from kept.apps.imports.matching import decide
from kept.apps.imports.models import COMMITTED, COMMITTING, STAGED, UNDOING, Import
from kept.apps.imports.records import Fault, Record
from kept.core.errors import Conflict
from kept.platform.accounts.actor import Actor
from kept.platform.data.use import writing
from kept.platform.privacy import gate, provenance
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.notices import policy_of

PREVIEW_BATCHES = 20
"""A preview counts over so many batches at most."""
PREVIEW_ROWS = 5


@dataclass
class Preview:
    """What committing would do, counted over the first `counted` of `read` rows. `rows` are (line, {target: value})."""

    read: int
    counted: int
    created: int
    updated: int
    duplicates: int
    suppressed: int
    rejected: int
    dropped_cells: int
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def start(account_id: int, file: BinaryIO, source: str, basis: str, actor: Actor | str, mapping: Mapping[str, str] | None = None) -> Import:
    """Stage a file and say where it is from; `mapping` (header → target) replaces what the headers tell. Raises BadInput, Refused."""
    columns.check_origin(columns.inlet(policy_of(account_id), {}), source, basis)
    import_id = staging.stage(account_id, actor, file)
    try:
        return describe(account_id, import_id, source, basis, mapping)
    except Exception:
        staging.discard(account_id, import_id)
        raise


def describe(account_id: int, import_id: int, source: str, basis: str, mapping: Mapping[str, str] | None = None) -> Import:
    """Say where a staged file is from, on which basis, and what its columns are. Raises BadInput, Refused, Conflict."""
    run = load(account_id, import_id)
    policy = policy_of(account_id)
    chosen = columns.check_mapping(run.layout["names"], run.mapping if mapping is None else mapping, policy)
    terms = columns.inlet(policy, chosen)
    columns.check_origin(terms, source, basis)
    change = {"source": " ".join(source.split()), "basis": basis, "rule": terms.rule.name, "mapping": chosen}
    with bookkeeping(account_id, writing=True) as use:
        if not Import.under(use).filter(pk=import_id, state=STAGED).update(**change):
            raise _moved_on(run)
    return load(account_id, import_id)


def preview(account_id: int, import_id: int, actor: Actor | str) -> Preview:
    """What committing would do. Nothing is changed."""
    run = load(account_id, import_id)
    if run.state != STAGED:
        raise _moved_on(run)
    reader = reader_for(run, policy_of(account_id))
    with bookkeeping(account_id) as use:
        batches = staging.open_batches(use, run, 0, PREVIEW_BATCHES)
    records: list[Record] = []
    faults: list[Fault] = []
    for _, staged in batches:
        made, left_out = reader.read(staged)
        records += made
        faults += left_out
    with gate.reserved(account_id, actor, "matching", rule=run.rule) as matching:
        outcome = decide(matching, records, lambda ids: ())
    faults += outcome.faults
    return Preview(
        read=run.read,
        counted=sum(batch.rows for batch, _ in batches),
        created=len(outcome.new),
        updated=outcome.updated,
        duplicates=outcome.duplicates,
        suppressed=outcome.suppressed,
        rejected=sum(not fault.column for fault in faults),
        dropped_cells=sum(bool(fault.column) for fault in faults),
        rows=_first_rows(account_id, actor, batches[0][1] if batches else {}, run),
        faults=sorted(faults, key=lambda fault: fault.line)[:50],
    )


def _first_rows(account_id: int, actor: Actor | str, staged: Mapping[str, Any], run: Import) -> list[tuple[int, dict[str, str]]]:
    """The first rows by header, those columns that the room's purpose reads."""
    use = gate.use_for(account_id, actor, staging.PURPOSE)
    shown = [
        (place, name)
        for place, name in enumerate(run.layout["names"], 1)
        if name in run.mapping and use.columns.reads(columns.TARGETS[run.mapping[name]].category)
    ]
    return [(row[0], {name: row[place].strip() for place, name in shown}) for row in staged.get("rows", [])[:PREVIEW_ROWS]]


def begin(account_id: int, import_id: int, actor: Actor | str, *, background: bool = True) -> Import:
    """Begin to commit: from here on it is carried to its end, by a job or by `commit_now`. Raises BadInput, Refused, Conflict."""
    run = load(account_id, import_id)
    policy = policy_of(account_id)
    columns.check_mapping(run.layout["names"], run.mapping, policy)  # the notice may have changed
    columns.require_identifier(run.mapping)
    columns.check_origin(columns.inlet(policy, run.mapping), run.source, run.basis)
    use = gate.use_for(account_id, actor, staging.PURPOSE)
    with writing(use):
        here = Import.under(use).filter(pk=import_id, state=STAGED)
        if not here.update(state=COMMITTING, by=use.actor):
            raise _moved_on(run)
        origin = provenance.record(use, source=columns.SOURCE, occasion=run.source, basis=run.basis, rule=run.rule)
        Import.under(use).filter(pk=import_id).update(provenance_id=origin)
        if background:
            jobs.commit_import.enqueue(account_id=account_id, import_id=import_id)
    return load(account_id, import_id)


def commit_now(account_id: int, import_id: int, actor: Actor | str, progress: Progress = lambda done, total: None) -> Import:
    """Commit here and now; carries on what was begun before. Raises Conflict for an import that is past it."""
    if load(account_id, import_id).state == STAGED:
        begin(account_id, import_id, actor, background=False)
    return committing.commit_now(account_id, import_id, progress)


def discard(account_id: int, import_id: int) -> None:
    """Forget a staged file. Raises Conflict once its commit was begun."""
    run = load(account_id, import_id)
    if run.state != STAGED:
        raise _moved_on(run)
    staging.discard(account_id, import_id)


def undo(account_id: int, import_id: int, actor: Actor | str, *, background: bool = True) -> Import:
    """Take a committed import back. People to whom something else happened since stay, and are listed. Raises Conflict."""
    run = load(account_id, import_id)
    use = gate.use_for(account_id, actor, staging.PURPOSE)
    with writing(use):
        if run.key_id is None or not Import.under(use).filter(pk=import_id, state=COMMITTED).update(
            state=UNDOING, by=use.actor, position=0
        ):
            raise Conflict(
                "This import cannot be undone (any more).", place=f"import {import_id}", cure="Change or erase the people themselves."
            )
        if background:
            jobs.undo_import.enqueue(account_id=account_id, import_id=import_id)
    return load(account_id, import_id) if background else undoing.undo_now(account_id, import_id)


def _moved_on(run: Import) -> Conflict:
    return Conflict(
        f"This import is {run.state}.", place=f"import {run.pk}", cure="Look at it again; perhaps somebody else went on with it."
    )

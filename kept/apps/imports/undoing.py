"""Taking an import back: values as they were, people it brought gone with their keys. Whoever something else happened to since stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db.models import F
from django.utils import timezone

from kept.apps.contacts.models import Company, Person
from kept.apps.imports import staging
from kept.apps.imports.committing import Progress, load
from kept.apps.imports.models import UNDOING, UNDONE, Batch, Before, Import
from kept.apps.imports.writing import Image, open_image
from kept.platform.data import rows
from kept.platform.data.datamap import of_subjects
from kept.platform.data.faults import point
from kept.platform.data.lookup import lookup, remove
from kept.platform.data.models import Subject
from kept.platform.data.personal import PersonalModel
from kept.platform.data.use import Use, writing
from kept.platform.privacy import ledger, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import ValueOrigin
from kept.platform.privacy.secrets import vault

CHUNK_PEOPLE = 1000
MOST_LISTED = 1000


def undo_now(account_id: int, import_id: int, progress: Progress = lambda done, total: None) -> Import:
    """Carry an undoing that was begun to its end. May be called again at any time."""
    run = load(account_id, import_id)
    if run.state != UNDOING:
        return run
    with reserved(account_id, run.by, "retention", rule=run.rule) as keeping:
        while _restore_some(run, keeping):
            point("import:undo-restored")
        _shred_doomed(run)
        while _remove_some(run, keeping):
            _shred_doomed(run)
            run = load(account_id, import_id)
            progress(run.undone, run.created)
        _remove_companies(run, keeping)
        point("import:undo-removed")
    staging.destroy(account_id, import_id)
    point("import:undo-key")
    with bookkeeping(account_id, writing=True) as use:
        if Import.under(use).filter(pk=import_id, state=UNDOING).update(state=UNDONE, ended_at=timezone.now()):
            ledger.append(use, "erasure", actor=run.by, rule=run.rule)
    return load(account_id, import_id)


def _restore_some(run: Import, keeping: Use) -> bool:
    """Put back what was changed of some people who were here before; whether there were any."""
    with writing(keeping):
        met = list(Before.under(keeping).filter(run_id=run.pk).order_by("subject_id")[:CHUNK_PEOPLE])
        left = []
        for before in met:
            image = open_image(run, before.subject_id, bytes(before.sealed or b""))
            if image != Image() and not _restore(keeping, image):
                left.append(before.subject_id)
        _list(run, keeping, left)
        remove(keeping, Before, [before.pk for before in met])
        point("import:undo")
    return bool(met)


def _restore(keeping: Use, image: Image) -> bool:
    """Put back what this import changed of one person, wherever it still stands as the import left it; False when somewhere it does not."""
    whole = True
    by_row: dict[tuple[str, int], dict[str, list[Any]]] = {}
    for place, change in image.columns.items():
        table, number, column = place.split("/")
        by_row.setdefault((table, int(number)), {})[column] = change
    for (table, row_id), changes in by_row.items():
        model = _model(table)
        found = model.under(keeping).filter(pk=row_id).first()
        if found is None:
            continue
        (row,) = values.opened(keeping, [found])
        same = {name: before for name, (before, after) in changes.items() if getattr(row, name) == after}
        every, fence = len(same) == len(changes), same.pop("fence", None)
        whole = whole and every
        values.change(keeping, row, **{name.removesuffix("_id"): before for name, before in same.items()})
        if fence is not None and every and not any(getattr(row, name) for name in row.personal.columns if name not in same):
            rows.update(keeping, model, ("fence",), [(row_id, fence)])  # nothing is left in it of what narrowed it, or of what came since
        if isinstance(row, Person) and every and (moment := image.changed_at.get(str(row_id))):
            rows.update(keeping, Person, ("changed_at",), [(row_id, _moment(moment))])
        _restore_origins(keeping, image, table, row_id, same)
    for table, ids in reversed(image.added.items()):
        remove(keeping, _model(table), ids)
    return whole


def _restore_origins(keeping: Use, image: Image, table: str, row_id: int, columns: Collection[str]) -> None:
    for column in columns:
        held = ValueOrigin.under(keeping).filter(table=table, row_id=row_id, column=column)
        before = image.origins.get(f"{table}/{row_id}/{column}")
        if before is None:
            held.delete()
        else:
            held.update(provenance_id=before)


def _remove_some(run: Import, keeping: Use) -> bool:
    """Remove some of the people whom this import created; whether there were any."""
    with writing(keeping):
        here = Import.under(keeping).select_for_update().get(pk=run.pk)
        people = Person.under(keeping).filter(import_id=run.pk, pk__gt=here.position).order_by("pk")
        found = list(people.values_list("pk", "subject_id")[:CHUNK_PEOPLE])
        if not found:
            return False
        everybody = [subject_id for _, subject_id in found]
        stay = _changed_since(run, keeping, everybody)
        gone = [one for one in everybody if one not in stay]
        for table in of_subjects():
            remove(keeping, table.model, [pk for (pk,) in lookup(keeping, table.model, "subject_id", gone, ("id",))])
        keys = [key for (key,) in lookup(keeping, Subject, "id", gone, ("key_id",)) if key]
        remove(keeping, Subject, gone)
        _list(run, keeping, sorted(stay))
        change = {"position": found[-1][0], "undone": F("undone") + len(gone), "doomed_keys": keys}
        Import.under(keeping).filter(pk=run.pk).update(**change)
        point("import:undo-people")
    return True


def _changed_since(run: Import, keeping: Use, subject_ids: Sequence[int]) -> set[int]:
    """Those to whom something else happened since: a value changed, something added, a decision of theirs."""
    other = f"(t.provenance_id IS NULL OR t.provenance_id <> {run.provenance_id})"
    found: set[int] = set()
    for table in of_subjects():
        where = other if "provenance_id" in table.columns else "TRUE"
        found.update(one for (one,) in lookup(keeping, table.model, "subject_id", subject_ids, ("subject_id",), where))
    changed = lookup(keeping, Person, "subject_id", subject_ids, ("subject_id",), "t.changed_at <> t.created_at")
    return found | {one for (one,) in changed}


def _shred_doomed(run: Import) -> None:
    """Destroy the keys of people who are gone. They are written down until that is done."""
    keys = load(run.account_id, run.pk).doomed_keys
    if not keys:
        return
    point("import:undo-doomed")
    vault().shred(keys)
    with bookkeeping(run.account_id, writing=True) as use:
        Import.under(use).filter(pk=run.pk).update(doomed_keys=None)


def _remove_companies(run: Import, keeping: Use) -> None:
    """Companies that this import created, that nobody belongs to now and that nothing was added to."""
    with writing(keeping):
        made = [pk for ids in Batch.under(keeping).filter(run_id=run.pk).values_list("companies", flat=True) for pk in ids or ()]
        used = {pk for (pk,) in lookup(keeping, Person, "company_id", made, ("company_id",))}
        bare = lookup(keeping, Company, "id", set(made) - used, ("id",), "t.website = '' AND t.city = ''")
        remove(keeping, Company, [pk for (pk,) in bare])


def _list(run: Import, use: Use, subject_ids: Sequence[int]) -> None:
    """Note whom the undoing left as they are."""
    if subject_ids:
        held = Import.under(use).values_list("left", flat=True).get(pk=run.pk) or []
        Import.under(use).filter(pk=run.pk).update(left=[*held, *subject_ids][:MOST_LISTED])


def _model(table: str) -> type[PersonalModel]:
    found = next(model for model in apps.get_models() if model._meta.db_table == table)
    assert issubclass(found, PersonalModel)
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""Questions about imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from kept.apps.contacts.models import Person
from kept.apps.imports.committing import load, open_rejects
from kept.apps.imports.models import OUTCOMES, STAGING, Batch, Import
from kept.apps.imports.records import Fault
from kept.core.errors import NotFound
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import bookkeeping

MOST_LISTED = 100
MOST_LEFT = 20


def find(account_id: int, import_id: int) -> Import:
    """One import. Raises NotFound."""
    return load(account_id, import_id)


def imports(account_id: int) -> list[Import]:
    """The newest imports first."""
    with bookkeeping(account_id) as use:
        return list(Import.under(use).exclude(state=STAGING).order_by("-pk")[:MOST_LISTED])


def people_left(use: Use, run: Import) -> list[int]:
    """The records, among those that the use sees, of some people whom the undoing left."""
    return list(Person.under(use).filter(subject_id__in=(run.left or [])[:MOST_LEFT]).order_by("pk").values_list("pk", flat=True))


def report(run: Import) -> dict[str, Any]:
    """The figures of an import. `created + updated + duplicates + rejected + suppressed` is `read` once it is committed."""
    return {name: getattr(run, name) for name in OUTCOMES} | {"refused_columns": [one["name"] for one in run.layout["refused"]]}


def reason(fault: Fault) -> str:
    """Why something was left out, in words."""
    known = {
        "cells": _("The row has %(said)s cells, which is not the number of columns.") % {"said": fault.said},
        "identifier": _("Nothing in this row says who the person is: no valid email address, telephone number or number in the source."),
        "name": _("The row has no name, which the notice requires."),
        "age": _("The person is younger than %(said)s; the notice refuses data of people below that age.") % {"said": fault.said},
        "conflict": _("What identifies this row belongs to two different people here."),
        "shared": _("Several people share this telephone number, and the row has nothing else to tell whose it is."),
        "email": _("This is not an email address."),
        "phone": _("This is not a complete telephone number."),
        "source_id": _("This number in the source cannot be used."),
        "birth_date": _("This is not a possible date of birth."),
        "long": _("This value is too long."),
        "form": _("A value must not begin like a sealed one."),
        "fenced": _("The record here serves more than the notice lets a value from a file serve. It was left as it is."),
        "refused-payment-card": _("This is a payment card number. It was not stored."),
        "refused-national-id": _("This is a social security or national identity number. It was not stored."),
    }
    return known.get(fault.reason, fault.reason)


def rejects(run: Import) -> Iterator[str]:
    """The rejects as lines of CSV: what was left out, at which line and why; rejected rows with their cells, refused ones masked.

    Raises NotFound once the import's key is destroyed.
    """
    if run.key_id is None:
        raise NotFound("The rejects of this import have expired.", cure="Import the file again to see what is wrong with it.")
    return _reject_lines(run)


def _reject_lines(run: Import) -> Iterator[str]:
    names = run.layout["names"]
    yield _line([_("line"), _("left out"), _("column"), _("reason"), *names])
    first = 0
    while True:
        with bookkeeping(run.account_id) as use:
            batches = list(Batch.under(use).filter(run_id=run.pk, number__gte=first).order_by("number")[:10])
        if not batches:
            return
        for batch in batches:
            yield from _of_batch(run, batch, names)
        first = batches[-1].number + 1


def _of_batch(run: Import, batch: Batch, names: list[str]) -> Iterator[str]:
    faults = sorted(open_rejects(run, batch), key=lambda fault: (fault.line, fault.column))
    masked = {(fault.line, fault.column) for fault in faults if fault.reason.startswith("refused-")}
    for fault in faults:
        cells = [_("refused") if (fault.line, name) in masked else cell for name, cell in zip(names, fault.cells, strict=False)]
        what = _("cell") if fault.column else _("row")
        yield _line([str(fault.line), what, fault.column, reason(fault), *cells])


def _line(cells: list[str]) -> str:
    """One line of CSV. A cell that a spreadsheet would take for a formula is marked as text."""
    text = io.StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell[:1] in "=@\t\r" and cell else cell for cell in cells])
    return text.getvalue()

"""From the bytes of a file to sealed batches: what may not come in is dropped on the way, before anything is written.

Header and a sample are held in memory; columns whose header or content says payment card or national identity number are dropped
whole, and later cells that turn out to be such numbers are dropped one by one. Only what is left is sealed and stored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from django.utils import timezone

from kept.apps.imports import columns
from kept.apps.imports.models import DISCARDED, STAGED, STAGING, Batch, Before, Import
from kept.apps.imports.reading import Reader, Row
from kept.core.errors import BadInput
from kept.platform.accounts.actor import Actor
from kept.platform.data import rows
from kept.platform.data.faults import point
from kept.platform.data.use import Use, writing
from kept.platform.privacy import gate
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.inlets import by_header, refused_category
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault

PURPOSE = "customer-relations"
"""What the room acts for."""
BATCH_ROWS = 1000
WRITTEN_AT_ONCE = 5  # batches
SAMPLE_ROWS = 1000
MOST_COLUMNS = 200
LONGEST_NAME = 100  # characters
LARGEST_FILE = 2 * 1024**3  # bytes
READ_AT_ONCE = 1024 * 1024  # bytes
_REFUSED_SHARE = 0.3  # of a column's filled cells in the sample: from then on it is a column of such numbers
_REFUSED_LEAST = 3  # cells, unless all are: one stray number does not cost a short file its column


def context(import_id: int, what: str) -> str:
    """What a sealed value of an import is bound to."""
    return f"import:{import_id}/{what}"


class Staging:
    """Stages one file. `feed` bytes as they come, then `finish`; or `discard`. Raises BadInput that names the line."""

    def __init__(self, account_id: int, actor: Actor | str) -> None:
        policy = policy_of(account_id)
        gate.declared(policy, PURPOSE)
        columns.inlet(policy, {})
        self.account_id, self.policy = account_id, policy
        self.by = actor if isinstance(actor, str) else actor.reference
        self.import_id = 0
        self.refused: dict[str, tuple[str, str]] = {}
        self.names: list[str] = []
        self._width = 0
        self._keep: list[int] = []
        self._header: Row | None = None
        self._reader = Reader()
        self._bytes = self._read = self._batches = 0
        self._sample: list[Row] | None = []
        self._waiting: list[Row] = []
        self._key = 0

    def feed(self, data: bytes) -> None:
        """More of the file."""
        self._bytes += len(data)
        if self._bytes > LARGEST_FILE:
            cure = "Split the file; the parts may be imported one after the other."
            raise BadInput(f"The file is larger than {LARGEST_FILE >> 30} GiB.", place="file", cure=cure)
        self._take(self._reader.feed(data))

    def finish(self) -> int:
        """The end of the file: the id of what is now staged."""
        self._take(self._reader.feed(b"", final=True))
        if self._header is None:
            raise BadInput("The file is empty.", place="file", cure="Send a CSV file whose first line names its columns.")
        if self._sample is not None:
            self._begin()
        if not self._read + len(self._waiting):
            raise BadInput("The file has a header and no rows.", place="line 2", cure="Send a file with one person a line.")
        self._write(all_of_it=True)
        with bookkeeping(self.account_id, writing=True) as use:
            Import.under(use).filter(pk=self.import_id).update(state=STAGED, batches=self._batches, read=self._read, layout=self._layout())
        point("import:staged")
        return self.import_id

    def discard(self) -> None:
        """Forget what was staged so far."""
        if self.import_id:
            discard(self.account_id, self.import_id)

    def _take(self, found: list[Row]) -> None:
        if found and self._header is None:
            self._header = found.pop(0)
            _check_header(self._header)
        if self._sample is None:
            self._waiting += found
        else:
            self._sample += found
            if len(self._sample) < SAMPLE_ROWS:
                return
            self._begin()
        self._write()

    def _begin(self) -> None:
        """The sample is complete: decide which columns are dropped, and make the import."""
        assert self._header is not None
        assert self._sample is not None
        headers = _names(self._header.cells)
        self._width = len(headers)
        self.refused = _refused_columns(headers, self._sample)
        self._keep = [place for place, name in enumerate(headers) if name not in self.refused]
        self.names = [headers[place] for place in self._keep]
        mapping, _ = columns.guess(self.names, self.policy)
        (self._key,) = vault().create()
        fields = ("state", "layout", "mapping", "by", "key_id", "created_at")
        with bookkeeping(self.account_id, writing=True) as use:
            line = (STAGING, self._layout(), mapping, self.by, self._key, timezone.now())
            (self.import_id,) = rows.insert(use, Import, fields, [line])
        self._waiting, self._sample = self._sample, None

    def _layout(self) -> dict[str, Any]:
        return {
            "encoding": self._reader.encoding,
            "separator": self._reader.separator,
            "names": self.names,
            "refused": [{"name": name, "category": category, "by": by} for name, (category, by) in self.refused.items()],
        }

    def _write(self, *, all_of_it: bool = False) -> None:
        """Seal and store whole batches of what waits."""
        least = 1 if all_of_it else BATCH_ROWS * WRITTEN_AT_ONCE
        while len(self._waiting) >= least:
            taken = self._waiting[: BATCH_ROWS * WRITTEN_AT_ONCE]
            del self._waiting[: len(taken)]
            lines = []
            for part in _parts(taken):
                sealed = vault().seal(self._key, self._pack(part), context(self.import_id, f"rows:{self._batches}"))
                lines.append((self.import_id, self._batches, len(part), sealed))
                self._batches += 1
            with bookkeeping(self.account_id, writing=True) as use:
                rows.insert(use, Batch, ("run", "number", "rows", "sealed"), lines)
            self._read += len(taken)
            point("import:staging")

    def _pack(self, part: Sequence[Row]) -> bytes:
        """A batch: rows that fit the header, refused cells emptied and noted; of rows that do not fit only the line, for in those
        nobody knows which cell stands in which column.
        """
        kept: list[list[Any]] = []
        refused: list[tuple[int, str, str]] = []
        misfits: list[tuple[int, int]] = []
        for row in part:
            if len(row.cells) != self._width:
                misfits.append((row.line, len(row.cells)))
                continue
            cells = [row.cells[place] for place in self._keep]
            for place, cell in enumerate(cells):
                if (category := refused_category(cell)) is not None:
                    cells[place] = ""
                    refused.append((row.line, self.names[place], category))
            kept.append([row.line, *cells])
        return json.dumps({"rows": kept, "refused": refused, "misfits": misfits}, ensure_ascii=False, separators=(",", ":")).encode()


def stage(account_id: int, actor: Actor | str, file: BinaryIO) -> int:
    """Stage a whole file; the id of the import. Raises BadInput, and leaves nothing behind then."""
    staging = Staging(account_id, actor)
    try:
        while data := file.read(READ_AT_ONCE):
            staging.feed(data)
        return staging.finish()
    except Exception:
        staging.discard()
        raise


def discard(account_id: int, import_id: int) -> None:
    """Destroy what was staged of an import that was not committed."""
    with bookkeeping(account_id, writing=True) as use:
        Import.under(use).filter(pk=import_id, state__in=(STAGING, STAGED)).update(state=DISCARDED, ended_at=timezone.now())
    destroy(account_id, import_id)


def destroy(account_id: int, import_id: int) -> None:
    """Destroy an import's key and with it everything sealed under it, then the rows that held it. May be repeated."""
    with bookkeeping(account_id) as use:
        key = Import.under(use).filter(pk=import_id).values_list("key_id", flat=True).get()
    if key:
        vault().shred([key])
    with gate.reserved(account_id, "job:imports", "retention") as use, writing(use):
        Batch.under(use).filter(run_id=import_id).delete()
        Before.under(use).filter(run_id=import_id).delete()
        Import.under(use).filter(pk=import_id).update(key_id=None)


def open_batches(use: Use, run: Import, first: int, most: int) -> list[tuple[Batch, dict[str, Any]]]:
    """Staged batches and what they hold, from number `first`."""
    found = list(Batch.under(use).filter(run_id=run.pk, number__gte=first).order_by("number")[:most])
    return [(batch, unpack(run, batch)) for batch in found]


def unpack(run: Import, batch: Batch) -> dict[str, Any]:
    """What a staged batch holds."""
    opened: dict[str, Any] = json.loads(vault().open(run.key_id or 0, bytes(batch.sealed), context(run.pk, f"rows:{batch.number}")))
    return opened


def _parts(taken: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(taken), BATCH_ROWS):
        yield taken[start : start + BATCH_ROWS]


def _check_header(header: Row) -> None:
    """The header's cells are kept as they are, so they must be names, not data."""
    place, cure = f"line {header.line}", "Put a line on top that names the columns."
    if len(header.cells) > MOST_COLUMNS:
        raise BadInput(f"The file has more than {MOST_COLUMNS} columns.", place=place, cure="Leave out those that are not needed.")
    if not any(cell.strip() for cell in header.cells):
        raise BadInput("The first line is empty.", place=place, cure=cure)
    for cell in header.cells:
        if "@" in cell or refused_category(cell) or sum(character.isdigit() for character in cell) > 5:
            raise BadInput("The first line seems to hold a person's data rather than names of columns.", place=place, cure=cure)


def _names(cells: Sequence[str]) -> list[str]:
    """The headers without outer spaces, each once; an empty one is called by its number."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = base = " ".join(cell.split())[:LONGEST_NAME] or f"column {number}"
        again = 2
        while name in names:
            name, again = f"{base} ({again})", again + 1
        names.append(name)
    return names


def _refused_columns(names: Sequence[str], sample: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Columns to be dropped: by their header, or because a good part of their cells in the sample are such numbers."""
    found: dict[str, tuple[str, str]] = {}
    for place, name in enumerate(names):
        if category := by_header(name):
            found[name] = (category, "header")
            continue
        filled = [row.cells[place].strip() for row in sample if len(row.cells) == len(names)]
        filled = [cell for cell in filled if cell]
        hits = Counter(category for cell in filled if (category := refused_category(cell)))
        count = hits.total()
        if count >= _REFUSED_SHARE * len(filled) and (count >= _REFUSED_LEAST or count == len(filled) > 0):
            found[name] = (hits.most_common(1)[0][0], "content")
    return found

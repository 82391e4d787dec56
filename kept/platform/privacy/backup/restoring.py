"""Restoring a backup: everything is checked first, then keys, rows and files are put back, then the erasure journal is replayed.

The erased are kept out twice. A key whose destruction the journal knows to be done is not put back, so the person's rows stay noise;
whatever the journal knows as begun is carried to its end before the mark of the unfinished restore is taken away.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction

from kept.core.errors import BadInput, Closed, Conflict, Shredded, Tampered
from kept.platform.accounts.models import Account
from kept.platform.data import keystore
from kept.platform.data.faults import point
from kept.platform.data.guard import install
from kept.platform.data.rows import on_postgres
from kept.platform.data.use import ALIAS, SUBJECT
from kept.platform.privacy import certificates, erasure, journal, ledger, residue
from kept.platform.privacy.backup import archive, content, unfinished
from kept.platform.privacy.backup.making import KEY, SEALED_FILES, context, index_check
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.journal import Intent
from kept.platform.privacy.models import Erasure
from kept.platform.privacy.notices import accounts_in_force
from kept.platform.privacy.secrets import vault

_AT_ONCE = 1000


@dataclass(frozen=True)
class Replayed:
    """An erasure of the journal that the backup did not have, or not whole. `done` is false where it waits for something on purpose."""

    request: str
    account: str
    intended_at: str
    done: bool


@dataclass
class Restored:
    """What a restore did. `destroyed` are keys that the journal knew to be destroyed and the file of keys still held; `lacking` are people
    whose key is gone, of whom `unexplained` are named by no erasure; `ledgers` are the faults of each account's ledger."""

    made_at: str
    tables: dict[str, int] = field(default_factory=dict)
    files: int = 0
    keys: int = 0
    destroyed: int = 0
    lacking: int = 0
    rows_lacking: int = 0
    unexplained: int = 0
    replayed: list[Replayed] = field(default_factory=list)
    ledgers: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


def restore(path: Path, keys_path: Path, *, replace: bool = False) -> Restored:
    """Put a backup back and replay the erasure journal. Begins anew where an earlier restore was broken off.

    Raises BadInput for files that are no backup or are damaged, Closed for want of the journal or of a secret, Conflict where the
    database holds data and `replace` does not say so: until then nothing was changed.
    """
    began = time.monotonic()
    with archive.Reader(path, archive.CONTENT) as backup, archive.Reader(keys_path, archive.KEYS) as keys:
        backup.check()
        keys.check()
        _check_place(backup)
        _check_journal(backup)
        keystore.create_table()
        if content.holds_data() and not (replace or unfinished.unfinished()):
            cure = "Restore into an empty one, or say --replace: what it holds is then gone."
            raise Conflict("The database holds data.", place="restore", cure=cure)
        done = Restored(backup.manifest["made_at"])
        _restore_keys(backup, keys, done)
        point("restore:keys")
        install.migrate()
        point("restore:migrated")
        _restore_rows(backup, done)
        point("restore:rows")
        done.files = _restore_files(backup)
        point("restore:files")
        content.open_roles(backup.manifest["roles"])
    connections[ALIAS].close()
    install.compare()
    try:
        residue.rewrite(install.OWNER)
        residue.rewrite(keystore.KEYS)
        point("restore:rewritten")
        _replay(done)
    except Conflict as error:
        cure = "Stop whatever has the database open, and run `kept restore` again."
        raise Conflict(error.message, place=error.place, cure=cure) from error
    point("restore:replayed")
    done.ledgers = {account.slug: ledger.faults(account.pk) for account in accounts_in_force()}
    unfinished.end()
    done.seconds = time.monotonic() - began
    return done


def _check_place(backup: archive.Reader) -> None:
    """Whether this program, engine and deployment can take it."""
    said = backup.manifest
    engine = "postgresql" if on_postgres() else "sqlite"
    if said["engine"] != engine:
        cure = f"Restore it where KEPT_DATABASE_URL names {said['engine']}."
        raise BadInput(f"This backup is of {said['engine']}; the database here is {engine}.", place=backup.path.name, cure=cure)
    here = {name: list(part.columns) for name, part in content.parts().items()}
    there = {name: table["columns"] for name, table in said["tables"].items()}
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            cure = "Restore it with the version of Kept that made it; then bring that to this version with `kept migrate`."
            raise BadInput(f"This backup is of another version: it has another table {name}.", place=backup.path.name, cure=cure)
    if said["index"] != index_check(said["id"]):
        cure = "Give the index.key (or KEPT_INDEX_KEY) of the deployment that made the backup."
        raise Closed("The secret of the index is another: nobody would be found, nor stay erased.", place="index.key", cure=cure)


def _check_journal(backup: archive.Reader) -> None:
    """Whether the journal is there, and goes on from where it stood when the backup was made."""
    known, place = backup.manifest["journal"], journal.path().name
    cure = "Put back the newest copy of the erasure journal; without it the restore would bring erased people back."
    try:
        written = journal.path().read_bytes()[: known["size"]]
    except FileNotFoundError as error:
        raise Closed("There is no erasure journal.", place=place, cure=cure) from error
    if hashlib.sha256(written).hexdigest() != known["digest"]:
        message = f"The erasure journal is older than this backup, which knows of {known['intents']} erasures, or is not its own."
        raise Closed(message, place=place, cure=cure)


def _restore_keys(backup: archive.Reader, keys: archive.Reader, done: Restored) -> None:
    """Have the keys of the file, see that they are those of the backup, and destroy again what the journal knows as destroyed.

    One transaction. The mark of the unfinished restore is set within it: once this is committed, the old state is gone.
    """
    intents, waiting = journal.intents(), {intent.request for intent in journal.unfinished()}
    last = max(backup.manifest["last_key"], keys.manifest["last_key"], *(intent.key_id for intent in intents.values()), 0)
    with transaction.atomic(using=keystore.KEYS):
        done.keys = keystore.DatabaseKeyStore().refill(_keys(keys), last)
        for one, form in ((keys, archive.KEYS), (backup, archive.CONTENT)):
            _authenticate(one, form)
        for request, intent in intents.items():
            if (request not in waiting or journal.is_erased(request)) and certificates.key_stands(intent):
                done.destroyed += vault().shred([intent.key_id])
        done.keys -= done.destroyed
        unfinished.begin(backup.path)


def _keys(keys: archive.Reader) -> Iterator[list[tuple[int, bytes]]]:
    left = b""
    for piece in keys.pieces("keys"):
        whole = (len(left) + len(piece)) // KEY.size * KEY.size
        left += piece
        yield [(key_id, wrapped) for key_id, wrapped in KEY.iter_unpack(left[:whole])]
        left = left[whole:]


def _authenticate(one: archive.Reader, form: str) -> None:
    said = one.manifest
    try:
        one.authenticate(lambda sealed: vault().open(said["key"], sealed, context(form, said["id"])))
    except Shredded as error:
        cure = "Give, with --keys, the keys of this backup or of a later one."
        raise BadInput(
            "The keys given are older than this backup, or its own key was destroyed.", place=one.path.name, cure=cure
        ) from error
    except Tampered as error:
        cure = "Give the master key that the deployment had (master.key or KEPT_MASTER_KEY), and the keys of its own."
        raise Closed("These keys, or the master key here, are not those of this backup.", place=one.path.name, cure=cure) from error


def _restore_rows(backup: archive.Reader, done: Restored) -> None:
    explained = {intent.key_id for intent in journal.intents().values()}
    bound_to = backup.manifest["id"]
    with content.replacing() as cursor:
        for name, part in content.parts().items():
            opening = _Opening(context(archive.CONTENT, bound_to, name))
            content.fill(cursor, part, opening.blocks(backup.frames(f"tables/{name}")))
            done.tables[name] = opening.rows
            done.rows_lacking += opening.lacking
            if name == SUBJECT:
                done.lacking, done.unexplained = opening.lacking, len(opening.gone - explained)
        content.set_sequences(cursor, backup.manifest["sequences"])
        point("restore:filled")


class _Opening:
    """Opens the rows of one table; those whose key is gone stay noise, and are counted."""

    def __init__(self, bound_to: str) -> None:
        self.bound_to = bound_to
        self.rows = self.lacking = 0
        self.gone: set[int] = set()

    def blocks(self, frames: Iterator[tuple[int, int, bytes]]) -> Iterator[bytes]:
        some: list[tuple[int, int, bytes]] = []
        count = 0
        for frame in frames:
            some.append(frame)
            count += frame[1]
            if count >= _AT_ONCE:
                yield self._opened(some)
                some, count = [], 0
        yield self._opened(some)

    def _opened(self, some: list[tuple[int, int, bytes]]) -> bytes:
        opened = vault().open_many([(key_id, sealed, self.bound_to) for key_id, _, sealed in some])
        for (key_id, rows, _), plain in zip(some, opened, strict=True):
            if plain is None:
                self.lacking += rows
                self.gone.add(key_id)
            else:
                self.rows += rows
        return b"".join(plain for plain in opened if plain is not None)


def _restore_files(backup: archive.Reader) -> int:
    """Have the sealed files of the backup, and no others."""
    for path in settings.DATA.glob(SEALED_FILES):
        path.unlink()
    names = backup.names("files")
    for name in names:
        path = settings.DATA / name.removeprefix("files/")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in backup.pieces(name):
                file.write(piece)
    return len(names)


def _replay(done: Restored) -> None:
    """Carry every erasure of the journal to where it was, residue included."""
    intents, waiting = journal.intents(), {intent.request for intent in journal.unfinished()}
    missing: list[tuple[Intent, str]] = []
    for account in Account.objects.order_by("pk"):
        whole = _whole(account.pk)
        missing += [(one, account.slug) for one in intents.values() if one.account_id == account.pk and one.request not in whole - waiting]
    for intent, _ in missing:
        if intent.request not in waiting:
            journal.intend(intent)
    erasure.resume_all()
    erasure.clear_residue()
    waiting = {intent.request for intent in journal.unfinished()}
    done.replayed = [Replayed(one.request, slug, one.at, one.request not in waiting) for one, slug in missing]


def _whole(account_id: int) -> set[str]:
    """Requests of the erasures that the database knows as certified to their end, with nothing held back."""
    with bookkeeping(account_id) as use:
        ended = Erasure.under(use).filter(residue_at__isnull=False, kept__isnull=True)
        return {held.request for held in ended.iterator(chunk_size=_AT_ONCE) if certificates.issued(held)}

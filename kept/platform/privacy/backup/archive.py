"""The file of a backup: a ZIP archive, stored, whose manifest names every member with its SHA-256 and is sealed itself.

Anybody can check that the file is whole; that it is ours is known once its key is at hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from kept.core.errors import BadInput

CONTENT: Final = "kept-backup-1"
KEYS: Final = "kept-keys-1"
BLOCK: Final = 1 << 20  # bytes
_MANIFEST, _SEAL = "manifest.json", "manifest.seal"
_FRAME: Final = struct.Struct(">QII")
"""Before the sealed bytes of some rows: the id of their key, how many rows, how many bytes."""

Write = Callable[[bytes], None]


class Writer:
    """Writes an archive beside its name; `finish` puts it in place. Only its owner reads it."""

    def __init__(self, path: Path) -> None:
        self.path, self._part = path, path.with_name(f"{path.name}.part")
        try:
            descriptor = os.open(self._part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        except OSError as error:
            raise BadInput(f"It cannot be written: {error.strerror}.", place=str(path), cure="Name a folder that is there.") from error
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zipfile.ZipFile(self._file, "w")
        self._digests: dict[str, str] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[Write]:
        """A member, of any size, to be written in pieces."""
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as stream:

            def write(piece: bytes) -> None:
                digest.update(piece)
                stream.write(piece)

            yield write
        self._digests[name] = digest.hexdigest()

    def finish(self, manifest: Mapping[str, object], seal: Callable[[bytes], bytes]) -> None:
        """Close it with its manifest; on return it is on the disk, still under the name of a part."""
        said = json.dumps({**manifest, "members": self._digests}, indent=1).encode()
        self._zip.writestr(_MANIFEST, said)
        self._zip.writestr(_SEAL, seal(hashlib.sha256(said).digest()))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def place(self) -> int:
        """Give it its name; how many bytes it has."""
        self._part.replace(self.path)
        return self.path.stat().st_size

    def discard(self) -> None:
        """Remove what was written of it, unless it has its name."""
        try:
            self._zip.close()
        finally:
            self._file.close()
            self._part.unlink(missing_ok=True)


def frame(key_id: int, rows: int, sealed: bytes) -> bytes:
    """Some rows, sealed, as they stand in a member."""
    return _FRAME.pack(key_id, rows, len(sealed)) + sealed


class Reader:
    """Reads an archive. Raises BadInput unless it is one of this format, whole and unchanged."""

    def __init__(self, path: Path, form: str) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self._said, self._sealed = self._zip.read(_MANIFEST), self._zip.read(_SEAL)
            self.manifest: dict[str, Any] = json.loads(self._said)
        except OSError as error:
            raise BadInput(f"It cannot be read: {error.strerror}.", place=str(path), cure="Check the name.") from error
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise self._broken("is not a backup, or was cut short") from error
        if self.manifest.get("format") != form:
            raise self._broken(f"is of the format {self.manifest.get('format')}, not {form}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _broken(self, how: str) -> BadInput:
        return BadInput(f"This file {how}. Nothing was changed here.", place=self.path.name, cure="Take another copy of the backup.")

    def check(self) -> None:
        """Read every byte, and compare it with what the manifest says."""
        digests: dict[str, str] = self.manifest["members"]
        if {*self._zip.namelist()} != {*digests, _MANIFEST, _SEAL}:
            raise self._broken("has other members than its manifest")
        for name, known in digests.items():
            digest = hashlib.sha256()
            try:
                for piece in self.pieces(name):
                    digest.update(piece)
            except (zipfile.BadZipFile, EOFError) as error:
                raise self._broken(f"is damaged in {name}") from error
            if digest.hexdigest() != known:
                raise self._broken(f"was changed in {name}")

    def authenticate(self, unseal: Callable[[bytes], bytes]) -> None:
        """Compare the manifest with the seal on it."""
        if unseal(self._sealed) != hashlib.sha256(self._said).digest():
            raise self._broken("has another manifest than was sealed")

    def names(self, folder: str) -> list[str]:
        """Members under a folder, by their whole names."""
        return [name for name in self.manifest["members"] if name.startswith(f"{folder}/")]

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member in pieces."""
        with self._zip.open(name) as stream:
            while piece := stream.read(BLOCK):
                yield piece

    def frames(self, name: str) -> Iterator[tuple[int, int, bytes]]:
        """What `frame` wrote: key id, number of rows, sealed bytes."""
        with self._zip.open(name) as stream:
            while head := stream.read(_FRAME.size):
                key_id, rows, length = _FRAME.unpack(head)
                yield key_id, rows, stream.read(length)

"""Where wrapped keys live: the protocol, and its twin in memory for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol


class KeyStore(Protocol):
    """A table of wrapped keys of one fixed length, under sequential ids from 1, with no other index.

    An id is never given again after its key was deleted: a value sealed under the old key must say Shredded, not Tampered.
    `get` leaves out ids that are gone. `replace` changes only rows that still stand: a key deleted meanwhile must
    not come back. `delete` returns how many rows it removed. `all_ids` answers in ascending order.
    Each call is atomic; a call of any size is allowed, so the store splits what its database cannot take at once.
    """

    def add(self, wrapped: Sequence[bytes]) -> list[int]: ...

    def get(self, ids: Iterable[int]) -> dict[int, bytes]: ...

    def delete(self, ids: Iterable[int]) -> int: ...

    def replace(self, wrapped: Mapping[int, bytes]) -> None: ...

    def all_ids(self, after: int, limit: int) -> list[int]: ...


class MemoryKeyStore:
    """The twin in memory. `reads` counts the calls of `get`."""

    def __init__(self) -> None:
        self._rows: dict[int, bytes] = {}
        self._last = 0
        self._lock = threading.Lock()
        self.reads = 0

    def add(self, wrapped: Sequence[bytes]) -> list[int]:
        with self._lock:
            ids = list(range(self._last + 1, self._last + 1 + len(wrapped)))
            self._rows.update(zip(ids, wrapped, strict=True))
            self._last += len(wrapped)
            return ids

    def get(self, ids: Iterable[int]) -> dict[int, bytes]:
        with self._lock:
            self.reads += 1
            return {key_id: self._rows[key_id] for key_id in ids if key_id in self._rows}

    def delete(self, ids: Iterable[int]) -> int:
        with self._lock:
            return sum(self._rows.pop(key_id, None) is not None for key_id in ids)

    def replace(self, wrapped: Mapping[int, bytes]) -> None:
        with self._lock:
            self._rows.update({key_id: key for key_id, key in wrapped.items() if key_id in self._rows})

    def all_ids(self, after: int, limit: int) -> list[int]:
        with self._lock:
            return list(islice((key_id for key_id in self._rows if key_id > after), limit))

"""Keys per subject: seal, open, rotate, shred."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kept.core.errors import Shredded, Tampered
from kept.core.vault.keys import KEY_BYTES, NONCE_BYTES, TAG_BYTES, KeyWrapper
from kept.core.vault.store import KeyStore

SEAL_BYTES = NONCE_BYTES + TAG_BYTES  # how much longer a sealed value is than its plaintext
CACHED_KEYS = 4096
_ROTATED_AT_ONCE = 1000
_NAMED_IN_ERROR = 10


class Vault:
    """Seals values under keys that can be destroyed: AES-256-GCM, 96-bit random nonce, the context as associated data.

    Whether a key exists is always asked of the store, so a key shredded by any process is gone for all at once. The cache
    saves only the unwrapping: it is found by the wrapped bytes, so neither a key rotated elsewhere nor an id that a
    rolled-back transaction gave back can ever yield a wrong key.

    `former` are master keys under which some keys may still be wrapped: those of a rotation that is not finished.
    A vault may be shared by threads, as far as its store may.
    """

    def __init__(self, store: KeyStore, wrapper: KeyWrapper, *, former: Sequence[KeyWrapper] = (), cached_keys: int = CACHED_KEYS) -> None:
        self._store = store
        self._wrappers: tuple[KeyWrapper, ...] = (wrapper, *former)
        self._cache: OrderedDict[bytes, AESGCM] = OrderedDict()
        self._cached_keys = cached_keys
        self._cleared = 0  # counts clearings: what was unwrapped before one must not enter the cache after it
        self._lock = threading.Lock()

    def create(self, n: int = 1) -> list[int]:
        """Make `n` new keys; their ids."""
        wrapper = self._wrappers[0]
        return self._store.add([wrapper.wrap(secrets.token_bytes(KEY_BYTES)) for _ in range(n)])

    def seal(self, key_id: int, plaintext: bytes, context: str) -> bytes:
        """Seal one value; 28 bytes longer than the plaintext. `context` says where it stands ("subject-ref/table.column").

        Raises Shredded when the key is gone.
        """
        return _seal(self._key(key_id), plaintext, context)

    def open(self, key_id: int, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises Shredded when the key is gone, Tampered when the bytes or the context differ."""
        return _open(self._key(key_id), sealed, context)

    def seal_many(self, items: Sequence[tuple[int, bytes, str]]) -> list[bytes]:
        """Seal (key id, plaintext, context) of each item with one read of the store, in the order given.

        Raises Shredded when one of the keys is gone.
        """
        keys = self._keys({key_id for key_id, _, _ in items})
        try:
            return [_seal(keys[key_id], plaintext, context) for key_id, plaintext, context in items]
        except KeyError as gone:
            raise _shredded(gone.args[0]) from None

    def open_many(self, items: Sequence[tuple[int, bytes, str]]) -> list[bytes | None]:
        """Open (key id, sealed, context) of each item with one read of the store, in the order given.

        None stands where the key is gone: a list must not fail because one person in it was erased. Raises Tampered.
        """
        keys = self._keys({key_id for key_id, _, _ in items})
        return [_open(keys[key_id], sealed, context) if key_id in keys else None for key_id, sealed, context in items]

    def shred(self, ids: Iterable[int]) -> int:
        """Destroy keys; how many there were. What was sealed under them is noise from now on, in every copy."""
        try:
            return self._store.delete(ids)
        finally:
            self._clear()

    def rotate(self, wrapper: KeyWrapper) -> int:
        """Wrap every key anew under `wrapper`, in batches; how many were changed.

        Whoever was stopped half-way calls it again. Until then both master keys are needed: every process runs with
        `wrapper` and the old one as `former` before the rotation begins. The old one may be destroyed once a run returns 0
        while no process wraps with it any more. Keys that open under neither are left as they are and named, after
        the rest is done, in a Tampered.
        """
        self._wrappers = (wrapper, *(former for former in self._wrappers if former != wrapper))
        changed, damaged, last = 0, list[int](), 0
        while ids := self._store.all_ids(last, _ROTATED_AT_ONCE):
            anew: dict[int, bytes] = {}
            for key_id, wrapped in self._store.get(ids).items():
                try:
                    key, opened_by = self._unwrap(wrapped)
                except Tampered:
                    damaged.append(key_id)
                    continue
                if opened_by is not wrapper:
                    anew[key_id] = wrapper.wrap(key)
            if anew:
                self._store.replace(anew)
            changed, last = changed + len(anew), ids[-1]
        self._clear()
        if damaged:
            raise Tampered(
                f"{len(damaged)} keys open under no master key given; the first: {damaged[:_NAMED_IN_ERROR]}.",
                place="vault",
                cure="Give the master key they were wrapped with as a former one, or restore these rows of the key database.",
            )
        return changed

    def _key(self, key_id: int) -> AESGCM:
        key = self._keys((key_id,)).get(key_id)
        if key is None:
            raise _shredded(key_id)
        return key

    def _keys(self, ids: Iterable[int]) -> dict[int, AESGCM]:
        """The ciphers of the keys that still stand."""
        with self._lock:
            cleared = self._cleared
        stored = self._store.get(ids)
        keys: dict[int, AESGCM] = {}
        missing: dict[int, bytes] = {}
        with self._lock:
            for key_id, wrapped in stored.items():
                if wrapped in self._cache:
                    self._cache.move_to_end(wrapped)
                    keys[key_id] = self._cache[wrapped]
                else:
                    missing[key_id] = wrapped
        if not missing:
            return keys
        for key_id, wrapped in missing.items():
            try:
                keys[key_id] = AESGCM(self._unwrap(wrapped)[0])
            except Tampered as error:
                raise Tampered(error.message, place=f"key {key_id}", cure=error.cure) from None
        with self._lock:
            if cleared == self._cleared:
                self._cache.update((wrapped, keys[key_id]) for key_id, wrapped in missing.items())
                while len(self._cache) > self._cached_keys:
                    self._cache.popitem(last=False)
        return keys

    def _unwrap(self, wrapped: bytes) -> tuple[bytes, KeyWrapper]:
        """The key, and which master key opened it."""
        *others, last = self._wrappers
        for wrapper in others:
            try:
                return wrapper.unwrap(wrapped), wrapper
            except Tampered:
                continue
        return last.unwrap(wrapped), last

    def _clear(self) -> None:
        with self._lock:
            self._cache.clear()
            self._cleared += 1


def _seal(key: AESGCM, plaintext: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plaintext, context.encode())


def _open(key: AESGCM, sealed: bytes, context: str) -> bytes:
    try:
        if len(sealed) >= SEAL_BYTES:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except InvalidTag:
        pass
    raise Tampered(
        "The sealed value does not open here: its bytes were changed, or it was moved from another place.",
        place=context,
        cure="Restore this value from a backup.",
    )


def _shredded(key_id: int) -> Shredded:
    return Shredded("This key was destroyed; what it sealed cannot come back.", place=f"key {key_id}")

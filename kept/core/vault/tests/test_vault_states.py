"""After shred nothing opens; everything else opens to what was sealed, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from kept.core.errors import Shredded, Tampered
from kept.core.vault import MasterKey, MemoryKeyStore, Vault
from kept.core.vault import vault as vault_module


@dataclass(frozen=True)
class Sealed:
    key: int
    plaintext: bytes
    context: str
    sealed: bytes


class DyingStore(MemoryKeyStore):
    """Dies before the write of a batch when `batches_left` is used up."""

    batches_left: int | None = None

    def replace(self, wrapped: Mapping[int, bytes]) -> None:
        if self.batches_left is not None:
            if not self.batches_left:
                raise ConnectionError
            self.batches_left -= 1
        super().replace(wrapped)


@contextmanager
def small_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault_module, "_ROTATED_AT_ONCE", 2)
        yield


CONTEXTS = st.sampled_from(["5eed/note.body", "5eed/mail.body", "b0b/note.body", ""])


class VaultStates(RuleBasedStateMachine):
    keys: Bundle[int] = Bundle("keys")
    values: Bundle[Sealed] = Bundle("values")

    def __init__(self) -> None:
        super().__init__()
        self.store = DyingStore()
        self.masters = [MasterKey.generate()]
        self.restart()
        self.shredded: set[int] = set()
        self.all: list[Sealed] = []

    def restart(self) -> None:
        """A new process, which knows the master keys of a rotation that is not finished."""
        self.vault = Vault(self.store, self.masters[-1], former=self.masters[:-1], cached_keys=2)

    @rule(target=keys, n=st.integers(1, 3))
    def create(self, n: int) -> MultipleResults[int]:
        return multiple(*self.vault.create(n))

    @rule(target=values, key=keys, plaintext=st.binary(max_size=20), context=CONTEXTS, many=st.booleans())
    def seal(self, key: int, plaintext: bytes, context: str, many: bool) -> MultipleResults[Sealed] | Sealed:
        try:
            sealed = self.vault.seal_many([(key, plaintext, context)])[0] if many else self.vault.seal(key, plaintext, context)
        except Shredded:
            assert key in self.shredded
            return multiple()
        assert key not in self.shredded
        self.all.append(Sealed(key, plaintext, context, sealed))
        return self.all[-1]

    @rule(value=values, context=CONTEXTS)
    def open(self, value: Sealed, context: str) -> None:
        if value.key in self.shredded:
            with pytest.raises(Shredded):
                self.vault.open(value.key, value.sealed, context)
        elif context != value.context:
            with pytest.raises(Tampered):
                self.vault.open(value.key, value.sealed, context)
        else:
            assert self.vault.open(value.key, value.sealed, context) == value.plaintext

    @rule(value=values, position=st.integers(0), flip=st.integers(1, 255))
    def flip(self, value: Sealed, position: int, flip: int) -> None:
        changed = bytearray(value.sealed)
        changed[position % len(changed)] ^= flip
        with pytest.raises(Shredded if value.key in self.shredded else Tampered):
            self.vault.open(value.key, bytes(changed), value.context)

    @rule(key=consumes(keys))
    def shred(self, key: int) -> None:
        assert self.vault.shred([key]) == 1
        self.shredded.add(key)

    @rule(values=st.lists(values, max_size=3))
    def shred_again(self, values: list[Sealed]) -> None:
        gone = {value.key for value in values} & self.shredded
        assert self.vault.shred(gone) == 0

    @rule()
    def start_again(self) -> None:
        self.restart()

    @rule(batches=st.none() | st.integers(0, 3), restart=st.booleans())
    def rotate(self, batches: int | None, restart: bool) -> None:
        """To the end, or dying before some batch; what was begun before is finished with it."""
        self.masters.append(MasterKey.generate())
        self.store.batches_left = batches
        with small_batches(), suppress(ConnectionError):
            self.vault.rotate(self.masters[-1])
            self.masters = self.masters[-1:]
        self.store.batches_left = None
        if restart:
            self.restart()

    @invariant()
    def everything_else_opens(self) -> None:
        opened = self.vault.open_many([(value.key, value.sealed, value.context) for value in self.all])
        assert opened == [None if value.key in self.shredded else value.plaintext for value in self.all]


TestVaultStates = VaultStates.TestCase
TestVaultStates.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)

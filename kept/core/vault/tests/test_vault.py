from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import pytest

from kept.core.errors import Shredded, Tampered, VaultClosed
from kept.core.vault import SEAL_BYTES, MasterKey, MemoryKeyStore, Vault

OLD, NEW = MasterKey(b"o" * 32, "old"), MasterKey(b"n" * 32, "new")
DANA = "5eed/contacts_note.body"


def test_what_is_sealed_opens() -> None:
    vault = Vault(MemoryKeyStore(), OLD)
    key = vault.create()[0]
    sealed = vault.seal(key, b"called on Monday", DANA)
    assert len(sealed) == len(b"called on Monday") + SEAL_BYTES
    assert vault.open(key, sealed, DANA) == b"called on Monday"
    assert vault.seal(key, b"called on Monday", DANA) != sealed


def test_every_changed_byte_is_noticed() -> None:
    vault = Vault(MemoryKeyStore(), OLD)
    key = vault.create()[0]
    sealed = vault.seal(key, b"Dana", DANA)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 0x80
        with pytest.raises(Tampered):
            vault.open(key, bytes(changed), DANA)
    for cut in range(len(sealed)):
        with pytest.raises(Tampered):
            vault.open(key, sealed[:cut], DANA)


def test_a_value_moved_to_another_place_or_key_does_not_open() -> None:
    vault = Vault(MemoryKeyStore(), OLD)
    dana, bob = vault.create(2)
    sealed = vault.seal(dana, b"Dana", DANA)
    with pytest.raises(Tampered) as refusal:
        vault.open(dana, sealed, "b0b/contacts_note.body")
    assert refusal.value.place == "b0b/contacts_note.body"
    with pytest.raises(Tampered):
        vault.open(bob, sealed, DANA)


def test_after_shred_nothing_opens_or_seals() -> None:
    store = MemoryKeyStore()
    vault = Vault(store, OLD)
    dana, bob = vault.create(2)
    sealed, kept = vault.seal(dana, b"Dana", DANA), vault.seal(bob, b"Bob", DANA)
    assert vault.shred([dana]) == 1
    assert vault.shred([dana]) == 0
    with pytest.raises(Shredded) as refusal:
        vault.open(dana, sealed, DANA)
    assert refusal.value.place == f"key {dana}"
    with pytest.raises(Shredded):
        vault.seal(dana, b"again", DANA)
    with pytest.raises(Shredded):
        vault.seal_many([(bob, b"Bob", DANA), (dana, b"Dana", DANA)])
    assert vault.open_many([(dana, sealed, DANA), (bob, kept, DANA)]) == [None, b"Bob"]


def test_a_key_shredded_by_another_process_is_gone_here_too() -> None:
    store = MemoryKeyStore()
    here, there = Vault(store, OLD), Vault(store, OLD)
    key = here.create()[0]
    sealed = here.seal(key, b"Dana", DANA)
    there.shred([key])
    with pytest.raises(Shredded):
        here.open(key, sealed, DANA)


def test_an_id_given_back_by_a_rollback_never_meets_the_lost_key() -> None:
    store = MemoryKeyStore()
    vault = Vault(store, OLD)
    key = vault.create()[0]
    vault.seal(key, b"lost with the transaction", DANA)
    store.replace({key: OLD.wrap(b"another key under this id       ")})
    sealed = vault.seal(key, b"Dana", DANA)
    assert Vault(store, OLD).open(key, sealed, DANA) == b"Dana"


def test_bulk_reads_the_store_once_and_keeps_the_order() -> None:
    store = MemoryKeyStore()
    vault = Vault(store, OLD, cached_keys=10)
    keys = vault.create(100)
    items = [(key, f"{key}.{n}".encode(), f"{key}/t.c") for n in range(3) for key in keys]
    sealed = vault.seal_many(items)
    assert store.reads == 1
    opened = vault.open_many([(key, value, place) for (key, _, place), value in zip(items, sealed, strict=True)])
    assert store.reads == 2
    assert opened == [plaintext for _, plaintext, _ in items]
    with pytest.raises(Tampered):
        vault.open_many([(keys[0], sealed[0], DANA)])


class CountingMaster:
    """A key management service that counts what is asked of it."""

    def __init__(self) -> None:
        self.unwrapped = 0

    def wrap(self, key: bytes) -> bytes:
        return OLD.wrap(key)

    def unwrap(self, wrapped: bytes) -> bytes:
        self.unwrapped += 1
        return OLD.unwrap(wrapped)


def test_the_cache_is_bounded_keeps_the_latest_and_is_emptied_by_shred_and_rotate() -> None:
    master = CountingMaster()
    vault = Vault(MemoryKeyStore(), master, cached_keys=2)
    one, two, three = vault.create(3)
    for key in (one, two, one, three, one):  # three pushes two out
        vault.seal(key, b"x", DANA)
    assert master.unwrapped == 3
    vault.seal(two, b"x", DANA)
    assert master.unwrapped == 4
    vault.shred([three])
    vault.seal_many([(one, b"x", DANA), (two, b"x", DANA)])
    assert master.unwrapped == 6
    vault.rotate(master)
    vault.seal(one, b"x", DANA)
    assert master.unwrapped == 6 + 2 + 1


def test_a_key_unwrapped_while_another_is_shredded_does_not_stay_in_the_cache() -> None:
    class ShreddingMaster(CountingMaster):
        def unwrap(self, wrapped: bytes) -> bytes:
            if not self.unwrapped:
                vault.shred([two])
            return super().unwrap(wrapped)

    master = ShreddingMaster()
    vault = Vault(MemoryKeyStore(), master)
    one, two = vault.create(2)
    vault.seal(one, b"x", DANA)
    vault.seal(one, b"x", DANA)
    assert master.unwrapped == 2


def test_rotation_wraps_every_key_anew() -> None:
    store = MemoryKeyStore()
    vault = Vault(store, OLD)
    keys = vault.create(2345)  # more than two batches
    sealed = [vault.seal(key, b"x", DANA) for key in keys[::500]]
    assert vault.rotate(NEW) == 2345
    assert vault.rotate(NEW) == 0
    later = vault.create()[0]
    vault.seal(later, b"x", DANA)
    only_new = Vault(store, NEW)
    assert [only_new.open(key, value, DANA) for key, value in zip(keys[::500], sealed, strict=True)] == [b"x"] * 5
    only_new.seal(later, b"x", DANA)
    with pytest.raises(Tampered):
        Vault(store, OLD).open(keys[0], sealed[0], DANA)


class FailingStore(MemoryKeyStore):
    """The process dies at the second batch written."""

    writes = 0

    def replace(self, wrapped: Mapping[int, bytes]) -> None:
        self.writes += 1
        if self.writes == 2:
            raise KeyboardInterrupt
        super().replace(wrapped)


def test_a_rotation_stopped_half_way_opens_everything_and_resumes() -> None:
    store = FailingStore()
    vault = Vault(store, OLD)
    keys = vault.create(2500)
    items = [(key, str(key).encode(), DANA) for key in keys]
    sealed = [(key, value, DANA) for key, value in zip(keys, vault.seal_many(items), strict=True)]
    with pytest.raises(KeyboardInterrupt):
        vault.rotate(NEW)
    expected = [plaintext for _, plaintext, _ in items]
    assert vault.open_many(sealed) == expected
    restarted = Vault(store, NEW, former=[OLD])
    assert restarted.open_many(sealed) == expected
    assert Vault(store, OLD, former=[NEW]).open_many(sealed) == expected
    assert restarted.rotate(NEW) == 1500
    assert Vault(store, NEW).open_many(sealed) == expected


def test_a_key_shredded_during_a_rotation_stays_gone() -> None:
    class ShreddedMeanwhile(MemoryKeyStore):
        def get(self, ids: Iterable[int]) -> dict[int, bytes]:
            rows = super().get(ids)
            self.delete([1])
            return rows

    store = ShreddedMeanwhile()
    vault = Vault(store, OLD)
    vault.create(3)
    vault.rotate(NEW)
    assert store.all_ids(0, 10) == [2, 3]


def test_a_damaged_key_is_named_and_stops_no_other() -> None:
    store = MemoryKeyStore()
    vault = Vault(store, OLD)
    first, damaged, last = vault.create(3)
    store.replace({damaged: b"?" * 60})
    with pytest.raises(Tampered, match=rf"\[{damaged}\]"):
        vault.rotate(NEW)
    assert sorted(store.get([first, last])) == [first, last]
    Vault(store, NEW).seal_many([(first, b"x", DANA), (last, b"x", DANA)])
    with pytest.raises(Tampered) as refusal:
        vault.seal(damaged, b"x", DANA)
    assert refusal.value.place == f"key {damaged}"


def test_an_unreachable_service_is_not_taken_for_a_wrong_key() -> None:
    class Unreachable(CountingMaster):
        def unwrap(self, wrapped: bytes) -> bytes:
            raise VaultClosed("The key service does not answer.")

    store = MemoryKeyStore()
    key = Vault(store, OLD).create()[0]
    with pytest.raises(VaultClosed, match="does not answer") as refusal:
        Vault(store, Unreachable(), former=[OLD]).seal(key, b"x", DANA)
    assert not isinstance(refusal.value, Tampered)


def test_threads_share_a_vault() -> None:
    vault = Vault(MemoryKeyStore(), OLD, cached_keys=3)
    keys = vault.create(8)
    wrong: list[object] = []

    def work(key: int) -> None:
        try:
            for n in range(200):
                text = f"{key}.{n}".encode()
                if vault.open(key, vault.seal(key, text, DANA), DANA) != text:
                    wrong.append(key)
                if n % 50 == 0:
                    vault.shred([])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

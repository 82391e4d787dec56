"""Against the definition of RFC 6962, section 2.1, written here as it stands there: recursively, over whole lists."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.errors import BadInput, Closed
from kept.core.ledger import (
    EMPTY_ROOT,
    Frontier,
    MemoryNodeStore,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [f"entry {n}".encode() for n in range(70)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(entries: list[bytes]) -> bytes:
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], known: bool) -> list[bytes]:
    if m == len(entries):
        return [] if known else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def grown(*batches: int) -> tuple[Frontier, MemoryNodeStore]:
    """A tree of the first entries, appended in batches of these sizes."""
    frontier, store = Frontier(), MemoryNodeStore()
    for batch in batches:
        frontier, nodes = frontier.extend(LEAVES[frontier.size : frontier.size + batch])
        store.put_many(nodes)
    return frontier, store


def test_the_vectors_of_the_reference_implementation() -> None:
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    frontier = Frontier()
    for size, root in enumerate(roots):
        assert frontier.size == size
        assert frontier.root.hex() == root
        if size < len(entries):
            frontier, _ = frontier.extend([leaf_hash(bytes.fromhex(entries[size]))])


def test_roots_and_proofs_are_those_of_the_definition_for_every_index_and_size() -> None:
    frontier, store = grown(len(ENTRIES))
    assert frontier.root == mth(ENTRIES)
    for size in range(len(ENTRIES) + 1):
        root = mth(ENTRIES[:size])
        assert Frontier.read(store, size).root == root
        for index in range(size):
            proof = inclusion_proof(store, index, size)
            assert proof == path(index, ENTRIES[:size])
            assert verify_inclusion(LEAVES[index], index, size, proof, root)


def test_consistency_is_that_of_the_definition_for_every_two_sizes() -> None:
    _, store = grown(len(ENTRIES))
    roots = [mth(ENTRIES[:size]) for size in range(len(ENTRIES) + 1)]
    for new in range(len(ENTRIES) + 1):
        for old in range(new + 1):
            proof = consistency_proof(store, old, new)
            assert proof == (subproof(old, ENTRIES[:new], True) if old else [])
            assert verify_consistency(old, new, proof, roots[old], roots[new])


@given(st.lists(st.integers(0, 12), max_size=6))
def test_batches_make_the_same_tree_as_single_entries(batches: list[int]) -> None:
    frontier, store = grown(*batches)
    single, single_store = grown(*[1] * frontier.size)
    assert frontier == single
    assert Frontier.read(store, frontier.size) == frontier
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier
    assert store._nodes == single_store._nodes


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, len(ENTRIES)))
    return draw(st.integers(0, size - 1)), size


ALL = grown(len(ENTRIES))[1]


@given(places(), st.data())
@settings(deadline=None)
def test_a_wrong_leaf_place_or_proof_fails(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    proof, root = inclusion_proof(ALL, index, size), mth(ENTRIES[:size])
    leaf = LEAVES[index]
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, proof, leaf_hash(b"another"))
    assert not verify_inclusion(leaf, index, size, [*proof, leaf], root)
    assert not verify_inclusion(leaf, -1, size, proof, root)
    assert not verify_inclusion(leaf, size, size, proof, root)
    other = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(leaf, other, size, proof, root) == (other == index)
    if proof:
        n = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(leaf, index, size, proof[:n] + proof[n + 1 :], root)
        assert not verify_inclusion(leaf, index, size, [*proof[:n], leaf_hash(b"another"), *proof[n + 1 :]], root)


def test_a_proof_does_not_serve_a_tree_of_another_height() -> None:
    roots = {size: mth(ENTRIES[:size]) for size in (2, 4, 8)}
    for size, claimed in ((4, 8), (8, 4), (4, 2)):
        assert not verify_inclusion(LEAVES[0], 0, claimed, inclusion_proof(ALL, 0, size), roots[size])
        assert not verify_consistency(1, claimed, consistency_proof(ALL, 1, size), LEAVES[0], roots[size])
        assert not verify_consistency(2, claimed, consistency_proof(ALL, 2, size), roots[2], roots[size])
    assert not verify_inclusion(LEAVES[7], 3, 4, inclusion_proof(ALL, 7, 8), roots[8])
    assert not verify_consistency(3, 4, consistency_proof(ALL, 7, 8), mth(ENTRIES[:7]), roots[8])


@given(places(), st.data())
@settings(deadline=None)
def test_a_rewritten_history_is_not_consistent(place: tuple[int, int], data: st.DataObject) -> None:
    old, new = place[0] + 1, place[1]
    proof, old_root, new_root = consistency_proof(ALL, old, new), mth(ENTRIES[:old]), mth(ENTRIES[:new])
    other = leaf_hash(b"another")
    assert not verify_consistency(old, new, proof, other, new_root)
    assert not verify_consistency(old, new, proof, old_root, other)
    assert not verify_consistency(old, new, [*proof, other], old_root, new_root)
    assert verify_consistency(new, old, proof, old_root, new_root) == (old == new)
    if proof:
        n = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_consistency(old, new, proof[:n] + proof[n + 1 :], old_root, new_root)
        assert not verify_consistency(old, new, [*proof[:n], other, *proof[n + 1 :]], old_root, new_root)


def test_a_proof_takes_few_nodes_of_a_large_tree() -> None:
    size = 100_003
    frontier, nodes = Frontier().extend([bytes(28) + n.to_bytes(4) for n in range(size)])
    assert len(nodes) < 2 * size
    store = MemoryNodeStore()
    store.put_many(nodes)
    for index in (0, 1, 65_535, 65_536, 99_999, size - 1):
        store.lookups = 0
        proof = inclusion_proof(store, index, size)
        assert verify_inclusion(bytes(28) + index.to_bytes(4), index, size, proof, frontier.root)
        assert len(proof) <= 17
        assert store.lookups <= 2 * 17
    for old in (1, 65_535, 65_537, size - 1):
        store.lookups = 0
        proof = consistency_proof(store, old, size)
        assert verify_consistency(old, size, proof, Frontier.read(store, old).root, frontier.root)
        assert len(proof) <= 18
        assert store.lookups <= 4 * 17


def test_the_empty_tree() -> None:
    assert Frontier().root == EMPTY_ROOT == mth([])
    assert Frontier().extend([]) == (Frontier(), {})
    assert not verify_consistency(0, 1, [], LEAVES[0], LEAVES[0])


def test_questions_outside_the_tree_are_refused() -> None:
    _, store = grown(5)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(BadInput):
            inclusion_proof(store, index, size)
    for old, new in ((3, 2), (-1, 2)):
        with pytest.raises(BadInput):
            consistency_proof(store, old, new)
    with pytest.raises(Closed, match="lost node"):
        inclusion_proof(store, 0, 9)


@pytest.mark.parametrize(
    "text", [b"", b"\x00" * 7, bytes(8) + b"x" * 32, (1).to_bytes(8), (1).to_bytes(8) + b"x" * 31, (1).to_bytes(8) + b"x" * 64]
)
def test_a_damaged_frontier_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput):
        Frontier.from_bytes(text)

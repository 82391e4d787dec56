"""Merkle trees of RFC 6962, section 2.1, over a store of complete nodes.

Node (level, index) is the root over leaves index * 2**level up to, not including, (index + 1) * 2**level. Only complete nodes are
stored and a stored node never changes, so n leaves make fewer than 2n nodes, and each proof takes one read of O(log n) nodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from kept.core.errors import BadInput, Closed

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeId = tuple[int, int]
"""(level, index)"""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class NodeStore(Protocol):
    """Where complete nodes live. `get_many` leaves out what it does not have; `put_many` may meet a node it has already."""

    def get_many(self, nodes: Sequence[NodeId]) -> dict[NodeId, bytes]: ...

    def put_many(self, nodes: Mapping[NodeId, bytes]) -> None: ...


class MemoryNodeStore:
    """The twin in memory. `lookups` counts the nodes asked for."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, bytes] = {}
        self.lookups = 0

    def get_many(self, nodes: Sequence[NodeId]) -> dict[NodeId, bytes]:
        self.lookups += len(nodes)
        return {node: self._nodes[node] for node in nodes if node in self._nodes}

    def put_many(self, nodes: Mapping[NodeId, bytes]) -> None:
        self._nodes.update(nodes)


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: its size, and the roots of the complete subtrees it consists of, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count() or any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise BadInput("This frontier does not fit its size.", place="frontier", cure="Read it anew from the node store.")

    @property
    def root(self) -> bytes:
        """The tree's head (MTH of RFC 6962)."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def extend(self, leaves: Iterable[bytes]) -> tuple[Frontier, dict[NodeId, bytes]]:
        """The frontier after these leaf hashes, and the complete nodes they made, to be stored with it. O(n)."""
        row = list(leaves)
        size, start, level = self.size + len(row), self.size, 0
        peaks = dict(zip((n for n in range(start.bit_length()) if start >> n & 1), reversed(self.peaks), strict=True))
        nodes: dict[NodeId, bytes] = {}
        while row:
            nodes.update({(level, start + n): node for n, node in enumerate(row)})
            if level in peaks:
                row.insert(0, peaks.pop(level))
            if len(row) % 2:
                peaks[level] = row.pop()
            row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
            start, level = start // 2, level + 1
        return Frontier(size, tuple(peaks[level] for level in sorted(peaks, reverse=True))), nodes

    @classmethod
    def read(cls, store: NodeStore, size: int) -> Frontier:
        """The frontier that the tree had at `size`, from its stored nodes. Raises Closed when one is missing."""
        ids = _complete(0, size)
        nodes = _get(store, ids)
        return cls(size, tuple(nodes[node] for node in ids))

    def to_bytes(self) -> bytes:
        """Eight bytes of size, big-endian, then the peaks."""
        return self.size.to_bytes(8) + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, text: bytes) -> Frontier:
        """What `to_bytes` wrote. Raises BadInput."""
        size = int.from_bytes(text[:8]) if len(text) >= 8 else -1
        return cls(size, tuple(text[n : n + HASH_BYTES] for n in range(8, len(text), HASH_BYTES)))


def inclusion_proof(store: NodeStore, index: int, size: int) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1: that the leaf at `index` stands in the tree of `size` leaves. Raises BadInput, Closed."""
    if not 0 <= index < size:
        raise BadInput(f"There is no leaf {index} in a tree of {size}.", place="index", cure="Ask for an entry below the head's size.")
    start, end, spans = 0, size, list[tuple[int, int]]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return _roots(store, spans[::-1])


def consistency_proof(store: NodeStore, old: int, new: int) -> list[bytes]:
    """PROOF of RFC 6962, 2.1.2: that the tree of `old` leaves is the beginning of the tree of `new`. Raises BadInput, Closed.

    Empty when `old` is 0 or equal to `new`.
    """
    if not 0 <= old <= new:
        raise BadInput(f"A tree of {old} cannot be the beginning of one of {new}.", place="old", cure="Give the smaller size first.")
    if old in (0, new):
        return []
    start, end, spans, known = 0, new, list[tuple[int, int]](), True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, known = middle, False
    if not known:  # else this subtree is the whole old tree, whose root the verifier has
        spans.append((start, end))
    return _roots(store, spans[::-1])


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf hash at `index` to the root of the tree of `size` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node % 2 or node == last:
            computed = node_hash(sibling, computed)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of `old` leaves with `old_root` is the beginning of that of `new` with `new_root` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not proof and old_root == (new_root if old == new else EMPTY_ROOT)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            old_computed, new_computed = node_hash(sibling, old_computed), node_hash(sibling, new_computed)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_computed == old_root and new_computed == new_root


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _complete(start: int, end: int) -> list[NodeId]:
    """The complete subtrees that a span of the tree consists of, largest first."""
    nodes: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def _roots(store: NodeStore, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """The root over each span, with one read of the store."""
    parts = [_complete(*span) for span in spans]
    nodes = _get(store, [node for part in parts for node in part])
    return [_fold([nodes[node] for node in part]) for part in parts]


def _fold(peaks: Sequence[bytes]) -> bytes:
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))


def _get(store: NodeStore, ids: Sequence[NodeId]) -> dict[NodeId, bytes]:
    nodes = store.get_many(ids)
    missing = [node for node in ids if node not in nodes]
    if missing:
        raise Closed(f"The ledger has lost node {missing[0]}.", place="ledger nodes", cure="Compute the nodes anew from the entries.")
    return nodes

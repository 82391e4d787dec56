"""The ledger of an account: appending, numbering, signed heads, receipts, proofs that it only grew.

Entries are inserted freely, without a link between them; one sequencer numbers them and signs a head (RFC 6962) over all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from kept.core import ledger as core
from kept.core.errors import BadInput, ClockBackwards, Closed, NotFound
from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy.bookkeeping import alone, bookkeeping
from kept.platform.privacy.models import Entry, EntrySubject, Head, LedgerKey, Node
from kept.platform.privacy.secrets import vault

SKEW = core.SKEW
"""How far clocks of several servers may stand apart before appending refuses."""
_ENTRY = ("kind", "at", "header", "payload", "key_id")


@dataclass(frozen=True)
class Appended:
    """An entry just made. `salt` opens its commitment to `document`; without it the commitment says nothing."""

    id: int
    salt: bytes | None


def _check_clock(use: Use, now: datetime) -> None:
    latest = Entry.under(use).order_by("-id").values_list("at", flat=True).first()
    if latest is not None and latest > now + SKEW:
        raise ClockBackwards("The clock stands before the last entry of the ledger.", cure="Set the server's clock right.")


def append(
    use: Use,
    kind: str,
    *,
    actor: str = "",
    purpose: str | None = None,
    categories: Iterable[str] = (),
    recipient: str | None = None,
    rule: str | None = None,
    subjects: Sequence[str] = (),
    request: str | None = None,
    payload: Mapping[str, Any] | None = None,
    key_id: int | None = None,
    document: Mapping[str, Any] | None = None,
) -> Appended:
    """Append an entry inside the action that it is about. `payload` is sealed under `key_id`, with a salted commitment in the header;
    a `document` is committed to and kept by whoever holds it. Subjects are named by their random references only.
    """
    now = timezone.now()
    _check_clock(use, now)
    salt = core.new_salt() if payload is not None or document is not None else None
    said = core.encode(document) if document is not None else json.dumps(payload, default=str).encode()
    header = core.Header(
        kind=kind,
        at=now,
        actor=actor or use.actor,
        purpose=purpose,
        categories=tuple(categories),
        recipient=recipient,
        rule=rule,
        subjects=tuple(subjects),
        request=request,
        commitment=core.commit(said, salt) if salt else None,
    )
    sealed = vault().seal(key_id, salt + said, "ledger.payload") if payload is not None and key_id and salt else None
    text = core.encode(header.as_document()).decode()
    (entry,) = rows.insert(use, Entry, _ENTRY, [(kind, now, text, sealed, key_id if sealed else None)])
    rows.insert(use, EntrySubject, ("reference", "entry"), [(reference, entry) for reference in header.subjects])
    return Appended(entry, salt)


def append_each(
    use: Use, kind: str, people: Sequence[tuple[str, int]], payload: Mapping[str, Any], *, purpose: str, rule: str | None
) -> None:
    """An entry for each of these people, given as reference and key, that says the same of all: what a set-based action decides."""
    now = timezone.now()
    _check_clock(use, now)
    plain, salts, lines = json.dumps(payload, default=str).encode(), [core.new_salt() for _ in people], []
    sealed = vault().seal_many([(key_id, salt + plain, "ledger.payload") for (_, key_id), salt in zip(people, salts, strict=True)])
    for (reference, key_id), salt, content in zip(people, salts, sealed, strict=True):
        said = core.Header(
            kind=kind, at=now, actor=use.actor, purpose=purpose, rule=rule, subjects=(reference,), commitment=core.commit(plain, salt)
        )
        lines.append((kind, now, core.encode(said.as_document()).decode(), content, key_id))
    made = rows.insert(use, Entry, _ENTRY, lines)
    rows.insert(use, EntrySubject, ("reference", "entry"), [(one, entry) for (one, _), entry in zip(people, made, strict=True)])


def payload_of(entry: Entry) -> dict[str, Any]:
    """What an entry sealed. Raises Shredded when the person was erased."""
    opened = vault().open(entry.key_id or 0, bytes(entry.payload or b""), "ledger.payload")
    found: dict[str, Any] = json.loads(opened[32:])
    return found


def payloads_of(entries: Sequence[Entry]) -> dict[int, dict[str, Any]]:
    """What these entries sealed, by id, with one read of the keys. Entries without a payload, or of the erased, are left out."""
    sealed = [entry for entry in entries if entry.payload is not None and entry.key_id]
    opened = vault().open_many([(entry.key_id or 0, bytes(entry.payload or b""), "ledger.payload") for entry in sealed])
    return {entry.id: json.loads(plain[32:]) for entry, plain in zip(sealed, opened, strict=True) if plain is not None}


def entries_of(use: Use, reference: str, most: int = 200) -> list[Entry]:
    """The newest entries about one subject."""
    ids = EntrySubject.under(use).filter(reference=reference).order_by("-entry_id").values_list("entry_id", flat=True)[:most]
    return list(Entry.under(use).filter(id__in=list(ids)).order_by("-id"))


def story(use: Use, reference: str, kinds: Iterable[str]) -> list[Entry]:
    """Every entry of these kinds about one subject, oldest first."""
    ids = EntrySubject.under(use).filter(reference=reference).values_list("entry_id", flat=True)
    return list(Entry.under(use).filter(id__in=list(ids), kind__in=set(kinds)).order_by("id"))


def header_of(entry: Entry) -> core.Header:
    """The clear part of a stored entry."""
    return core.Header.from_document(json.loads(entry.header))


class _Nodes:
    """The tree's nodes, in the database."""

    def __init__(self, use: Use) -> None:
        self.use = use

    def get_many(self, nodes: Iterable[core.NodeId]) -> dict[core.NodeId, bytes]:
        wanted = list(nodes)
        found: dict[core.NodeId, bytes] = {}
        for level in {level for level, _ in wanted}:
            places = [position for one, position in wanted if one == level]
            for node in Node.under(self.use).filter(level=level, position__in=places):
                found[level, node.position] = bytes(node.hash)
        return found

    def put_many(self, nodes: Mapping[core.NodeId, bytes]) -> None:
        made = [(level, position, digest) for (level, position), digest in nodes.items()]
        rows.insert(self.use, Node, ("level", "position", "hash"), made)


def signing_key(account_id: int) -> tuple[core.SigningKey, core.VerifyKey]:
    """The account's key, made at its first notice. The private half is sealed."""
    with bookkeeping(account_id, writing=True) as use:
        held = LedgerKey.under(use).order_by("-id").first()
        if held is None:
            key = core.SigningKey.generate()
            (key_id,) = vault().create()
            sealed = vault().seal(key_id, key.to_pem().encode(), "ledger.key")
            fields = ("public", "private", "key_id", "created_at")
            rows.insert(use, LedgerKey, fields, [(key.verify_key.to_pem(), sealed, key_id, timezone.now())])
            return key, key.verify_key
        pem = vault().open(held.key_id, bytes(held.private), "ledger.key").decode()
        key = core.SigningKey.from_pem(pem)
        return key, key.verify_key


def sequence(account_id: int) -> int:
    """Number the entries that wait, extend the tree and sign its head; how many there were."""
    key, _ = signing_key(account_id)
    with alone(account_id, "kept.sequencer") as use:
        waiting = list(Entry.under(use).filter(number__isnull=True).order_by("id")[:10_000])
        if not waiting:
            return 0
        size = (Entry.under(use).aggregate(most=Max("number"))["most"] or 0) if _any_numbered(use) else -1
        size += 1
        leaves = [core.leaf_hash(core.canonical(header_of(entry), size + n)) for n, entry in enumerate(waiting)]
        nodes = _Nodes(use)
        frontier, made = core.Frontier.read(nodes, size).extend(leaves)
        nodes.put_many(made)
        rows.update(use, Entry, ("number",), [(entry.pk, size + n) for n, entry in enumerate(waiting)])
        head = core.Head(account=str(account_id), size=frontier.size, root=frontier.root, at=timezone.now())
        fields = ("size", "root", "at", "signature", "key")
        rows.insert(use, Head, fields, [(head.size, head.root, head.at, head.sign(key), key.verify_key.id)])
    return len(waiting)


def _any_numbered(use: Use) -> bool:
    return bool(Entry.under(use).filter(number=0).exists())


def public_key(account_id: int) -> core.VerifyKey:
    """The published half of the account's key. Raises NotFound before its first notice."""
    with bookkeeping(account_id) as use:
        held = LedgerKey.under(use).order_by("-id").first()
    if held is None:
        raise NotFound("This account has no ledger yet.", place="ledger", cure="Put its first notice in force.")
    return core.VerifyKey.from_pem(held.public)


def signed_head(use: Use, size: int | None = None) -> core.SignedHead:
    """The signed head of so many entries, else the newest. Raises NotFound where none was signed."""
    heads = Head.under(use).order_by("-size")
    held = (heads if size is None else heads.filter(size=size)).first()
    if held is not None:
        head = core.Head(account=str(held.account_id), size=held.size, root=bytes(held.root), at=held.at)
        return core.SignedHead(head, bytes(held.signature))
    if size is None:
        raise NotFound("The ledger has no head yet.", cure="Wait for the sequencer, which runs every minute.")
    raise NotFound(f"No head of {size} entries was signed.", place="size", cure="Ask for the size of a head or receipt that you hold.")


def head(account_id: int, size: int | None = None) -> dict[str, Any]:
    """The same as a document that anybody can keep. Raises NotFound."""
    key = public_key(account_id)
    with bookkeeping(account_id) as use:
        return core.make_signed_head(signed_head(use, size), key)


def consistency(account_id: int, old_size: int, new_size: int | None = None) -> dict[str, Any]:
    """The document that proves that the ledger under the head of `new_size` entries (else the newest) begins with that of `old_size`.

    Raises NotFound where no such head was signed, BadInput where the old one is the larger, Closed where the proof does not hold: then
    entries or nodes are no longer those that were signed. It reads O(log n) nodes.
    """
    key = public_key(account_id)
    with bookkeeping(account_id) as use:
        old, new = signed_head(use, old_size), signed_head(use, new_size)
        proof = core.consistency_proof(_Nodes(use), old.head.size, new.head.size)
    try:
        return core.make_consistency(old, new, proof, key)
    except BadInput as error:
        message = f"The ledger of {new.head.size} entries does not go on from the head of {old.head.size} that was signed."
        raise Closed(message, place="ledger", cure="Whoever runs this service finds out why with `kept doctor`.") from error


def receipt(account_id: int, entry_id: int, document: Mapping[str, Any] | None = None, salt: bytes | None = None) -> core.Receipt:
    """A receipt that the entry, and the document it commits to, stand in the signed ledger."""
    while sequence(account_id):
        continue
    key = public_key(account_id)
    with bookkeeping(account_id) as use:
        entry = Entry.under(use).get(pk=entry_id, number__isnull=False)
        number = entry.number or 0
        held = signed_head(use)
        proof = core.inclusion_proof(_Nodes(use), number, held.head.size)
    return core.make_receipt(
        header_of(entry), number, proof, head=held.head, signature=held.signature, key=key, document=document, salt=salt
    )


def faults(account_id: int) -> list[str]:
    """Everything wrong with the ledger: numbers, tree, heads, signatures. Empty when it verifies."""
    found: list[str] = []
    _, public = signing_key(account_id)
    with bookkeeping(account_id) as use:
        frontier, sizes = core.Frontier(), {head.size: head for head in Head.under(use).order_by("size")}
        entries = Entry.under(use).filter(number__isnull=False).order_by("number")
        for position, entry in enumerate(entries.iterator(chunk_size=2000)):
            if entry.number != position:
                return [f"Entry {position} is missing."]
            frontier, _ = frontier.extend([core.leaf_hash(core.canonical(header_of(entry), position))])
            held = sizes.pop(frontier.size, None)
            if held is None:
                continue
            head = core.Head(account=str(account_id), size=held.size, root=bytes(held.root), at=held.at)
            if head.root != frontier.root:
                found.append(f"The entries up to {held.size} are not those that were signed.")
            if not head.verify(bytes(held.signature), public):
                found.append(f"The head of size {held.size} is not signed by the account's key.")
        found += [f"A head of size {size} has no entries under it." for size in sizes]
    return found

"""Who the records are: new people, people who are here already, people met twice in one file, people who must not come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from kept.apps.imports.records import Fault, Record
from kept.platform.data.use import Use
from kept.platform.privacy import suppression
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Identifier

Digest = tuple[str, bytes]
Earlier = Callable[[Collection[int]], Collection[int]]
"""Asked for subjects; which of them rows before these ones created or changed already."""


@dataclass(slots=True, eq=False)
class Somebody:
    """A person as the records of a chunk tell of them; `subject_id` is 0 for one who is new."""

    subject_id: int
    record: Record
    fresh: bool = True


@dataclass
class Outcome:
    """What becomes of each record. `created + updated + duplicates + suppressed + len(faults)` is their number."""

    new: list[Somebody] = field(default_factory=list)
    known: dict[int, Somebody] = field(default_factory=dict)
    owners: dict[Digest, list[int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    updated: int = 0
    duplicates: int = 0
    suppressed: int = 0


def decide(use: Use, records: Sequence[Record], earlier: Earlier) -> Outcome:
    """Match records, in their order, with the people of the account and with one another. `use` is of the purpose `matching`.

    An email address or a source's number tells who somebody is. A telephone may be shared: it decides only where a record has nothing
    else, and one person alone has it. Identifiers are asked before suppression: somebody erased in between is then seen in one of them.
    """
    outcome = Outcome()
    outcome.owners = _owners(use, records)
    suppressed = suppression.found(use, [one for record in records for one in record.digests])
    touched = earlier({owner for owners in outcome.owners.values() for owner in owners})
    met: dict[Digest, list[Somebody]] = {}
    for record in records:
        strong = [one for one in record.digests if one[0] != "phone"]
        if suppressed and not suppressed.isdisjoint(strong):
            outcome.suppressed += 1
            continue
        found = _found(record, strong or record.digests, outcome, met)
        if len(found) > 1:
            outcome.faults.append(Fault(record.line, "conflict" if strong else "shared"))
        elif found:
            _merge(found[0], record, outcome, touched)
        elif suppressed and not suppressed.isdisjoint(record.digests):
            outcome.suppressed += 1
            continue
        else:
            found = [Somebody(0, record)]
            outcome.new += found
        if len(found) == 1:
            for one in record.digests:
                held = met.setdefault(one, [])
                if found[0] not in held:
                    held.append(found[0])
    return outcome


def _owners(use: Use, records: Sequence[Record]) -> dict[Digest, list[int]]:
    by_kind: dict[str, list[bytes]] = {}
    for record in records:
        for kind, one in record.digests:
            by_kind.setdefault(kind, []).append(one)
    owners: dict[Digest, list[int]] = {}
    for kind, digests in by_kind.items():
        for one, subject_id in rows_of(use, Identifier, kind, digests, "subject_id"):
            owners.setdefault((kind, one), []).append(subject_id)
    return owners


def _found(record: Record, digests: Sequence[Digest], outcome: Outcome, met: dict[Digest, list[Somebody]]) -> list[Somebody]:
    """The people whom these digests name, of this chunk and of the account, each once."""
    found: list[Somebody] = []
    for one in digests:
        for somebody in met.get(one, ()):
            if somebody not in found:
                found.append(somebody)
        for subject_id in outcome.owners.get(one, ()):
            if all(somebody.subject_id != subject_id for somebody in found):
                found.append(outcome.known.get(subject_id) or Somebody(subject_id, record))
    return found


def _merge(somebody: Somebody, record: Record, outcome: Outcome, touched: Collection[int]) -> None:
    """What a later row says goes before what an earlier one said; what it leaves empty stays."""
    first = somebody.subject_id != 0 and somebody.subject_id not in outcome.known
    if first:
        somebody.fresh = somebody.subject_id not in touched
        outcome.known[somebody.subject_id] = somebody
    if first and somebody.fresh:
        outcome.updated += 1
    else:
        outcome.duplicates += 1
    if first:
        return
    held = somebody.record
    held.person |= {name: text for name, text in record.person.items() if text}
    held.company = record.company or held.company
    held.points += [one for one in record.points if one not in held.points]
    held.digests += [one for one in record.digests if one not in held.digests]
    if record.address:
        held.address = {part: record.address[part] or held.address.get(part, "") for part in record.address}
    held.born = record.born or held.born

"""Subjects: making them, finding them by what they are known by."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice import Policy, SubjectFacts
from kept.core.vault import normalise
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import optouts
from kept.platform.privacy.digests import KINDS, rows_of
from kept.platform.privacy.models import Identifier, Provenance
from kept.platform.privacy.notices import in_force
from kept.platform.privacy.secrets import blind_index, vault


@dataclass(frozen=True)
class Newcomer:
    """A subject to be made: where they live, and their date of birth where it is known."""

    region: str
    born: date | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A subject just made."""

    id: int
    key_id: int
    reference: str
    permits: int


def add_many(use: Use, policy: Policy, newcomers: Sequence[Newcomer], keys: Sequence[int]) -> list[Added]:
    """Make subjects with these keys, in order, and the mask that the notice gives somebody who has decided nothing yet."""
    now = timezone.now()
    known: dict[Newcomer, tuple[int, datetime | None]] = {}
    found = []
    for one in newcomers:
        age = policy.region(one.region).age
        told = one if age is not None and age.below(one.born, now) else Newcomer(one.region)  # of age, a birth date decides nothing
        if told not in known:
            known[told] = policy.permits(SubjectFacts(now=now, region=told.region, born=told.born))
        found.append(known[told])
    references = [secrets.token_hex(16) for _ in newcomers]
    masks, changes = [mask for mask, _ in found], [change for _, change in found]
    version = in_force(use.account_id).number
    ids = rows.add_subjects(use, keys, references, masks, changes, [one.region for one in newcomers], now, version)
    return [Added(*one) for one in zip(ids, keys, references, masks, strict=True)]


def add(use: Use, policy: Policy, newcomers: Sequence[Newcomer]) -> list[int]:
    """`add_many`, each with a new key of their own; their ids."""
    return [one.id for one in add_many(use, policy, newcomers, vault().create(len(newcomers)))]


def normalised(kind: str, value: str, region: str) -> str:
    """The one spelling of an identifier. Raises BadInput."""
    match kind:
        case "email":
            return normalise.email(value)
        case "phone":
            return normalise.phone(value, region.partition("-")[0])
        case "source":
            return normalise.source_id(value)
    raise BadInput(f"Nobody is found by {kind}.", place="identifier", cure=f"Use one of {', '.join(KINDS)}.")


def source_kind(source: str) -> str:
    """The kind under which a source's own numbers are digested: two sources may give two people the same number."""
    return f"source:{' '.join(source.split()).casefold()}"


def digest(account_id: int, kind: str, value: str, region: str, source: str = "") -> bytes:
    """The keyed digest of an identifier; of a source's own number, with the source's name. Raises BadInput."""
    text = normalised(kind, value, region)
    return blind_index().digest(account_id, source_kind(source) if kind == "source" else kind, text)


def identify(use: Use, subject_id: int, identifiers: Iterable[tuple[str, bytes]]) -> None:
    """Let a subject be found by these digests, unless they are already; one on the Do-Not-Sell list opts them out.

    Raises Conflict when one belongs to somebody else.
    """
    wanted, held = set(identifiers), set[tuple[str, bytes]]()
    for kind in {kind for kind, _ in wanted}:
        for one, owner in rows_of(use, Identifier, kind, [one for other, one in wanted if other == kind], "subject_id"):
            if owner == subject_id:
                held.add((kind, one))
            elif kind != "phone":
                raise Conflict("Somebody else is already known by this.", cure="Look for the other record; the two may be one person.")
    rows.insert(use, Identifier, ("subject", "kind", "digest"), [(subject_id, kind, one) for kind, one in wanted - held])
    optouts.heed(use, [(subject_id, one) for one in wanted - held])


def find(use: Use, kind: str, value: str, region: str) -> Subject:
    """The one subject known by this; a source's own number is looked for in every source there was. Raises NotFound; Conflict when it
    is said of several.
    """
    sources = [""]
    if kind == "source":
        sources = list(Provenance.under(use).exclude(occasion="").values_list("occasion", flat=True).distinct()) + sources
    asked = [digest(use.account_id, kind, value, region, source) for source in sources]
    ids = {subject_id for _, subject_id in rows_of(use, Identifier, kind, asked, "subject_id")}
    if not ids:
        raise NotFound("Nobody here is known by this.", place=f"--{kind}", cure="Check the spelling, or try another identifier.")
    if len(ids) > 1:
        raise Conflict("Several people are known by this.", place=f"--{kind}", cure="Use their email address or another identifier.")
    found: Subject = Subject.under(use).get(pk=ids.pop())
    return found

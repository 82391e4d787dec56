"""Subjects: making them, finding them by what they are known by."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice import Policy, SubjectFacts
from kept.core.vault import normalise
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy.models import Identifier
from kept.platform.privacy.secrets import blind_index, vault

KINDS = ("email", "phone", "source")
"""What a person can be found by: an address, a number in E.164, the number that a source gave the record."""


@dataclass(frozen=True)
class Newcomer:
    """A subject to be made: where they live, and their date of birth where it is known."""

    region: str
    born: date | None = None


def add(use: Use, policy: Policy, newcomers: Sequence[Newcomer]) -> list[int]:
    """Make subjects, each with a key of their own and the mask that the notice gives somebody who has decided nothing yet."""
    now = timezone.now()
    known: dict[Newcomer, tuple[int, object]] = {}
    for one in newcomers:
        if one not in known:
            known[one] = policy.permits(SubjectFacts(now=now, region=one.region, born=one.born))
    keys = vault().create(len(newcomers))
    references = [secrets.token_hex(16) for _ in newcomers]
    masks = [known[one][0] for one in newcomers]
    changes = [known[one][1] for one in newcomers]
    return rows.add_subjects(use, keys, references, masks, changes, [one.region for one in newcomers], now)  # type: ignore[arg-type]


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


def digest(account_id: int, kind: str, value: str, region: str) -> bytes:
    """The keyed digest of an identifier. Raises BadInput."""
    return blind_index().digest(account_id, kind, normalised(kind, value, region))


def identify(use: Use, subject_id: int, identifiers: Iterable[tuple[str, bytes]]) -> None:
    """Let a subject be found by these digests, unless they are already. Raises Conflict when one belongs to somebody else."""
    wanted = set(identifiers)
    held = {
        (row.kind, bytes(row.digest)): row.subject_id
        for row in Identifier.under(use).filter(kind__in=KINDS, digest__in=[one for _, one in wanted])
        if row.kind != "phone" or row.subject_id == subject_id
    }
    for other in held.values():
        if other != subject_id:
            raise Conflict("Somebody else is already known by this.", cure="Look for the other record; the two may be one person.")
    new = [(subject_id, kind, one) for kind, one in wanted if (kind, one) not in held]
    rows.insert(use, Identifier, ("subject", "kind", "digest"), new)


def find(use: Use, kind: str, value: str, region: str) -> Subject:
    """The one subject known by this. Raises NotFound; Conflict when several share a telephone."""
    asked = digest(use.account_id, kind, value, region)
    ids = list(Identifier.under(use).filter(kind=kind, digest=asked).values_list("subject_id", flat=True).distinct()[:3])
    if not ids:
        raise NotFound("Nobody here is known by this.", place=f"--{kind}", cure="Check the spelling, or try another identifier.")
    if len(ids) > 1:
        raise Conflict("Several people share this number.", place=f"--{kind}", cure="Use their email address or their id.")
    found: Subject = Subject.under(use).get(pk=ids[0])
    return found

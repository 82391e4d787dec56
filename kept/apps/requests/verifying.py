"""How surely a person must be known before an answer, and whether they are: by what the right asks for, in its own words."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from kept.apps.requests import private
from kept.apps.requests.models import Request
from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice.terms import RightTerms
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import subjects, values
from kept.platform.privacy.digests import KINDS, rows_of
from kept.platform.privacy.models import Identifier

MOST_TRIES = 3
ASKED = ("name", "email", "phone", "customer-number", "postal-address")
"""What is asked for where the notice does not say."""
IDENTIFIERS = {"email": "email", "phone": "phone", "customer-number": "source"}
"""The facts by which somebody is found, and the kind of identifier each is."""
AGENT = ("power-of-attorney", "signed-permission", "direct-confirmation")
"""What an agent must bring where the notice does not say: 11 CCR § 7063."""
ENOUGH: Mapping[str, frozenset[str]] = {
    "none": frozenset({"none", "link", "match-2", "match-3", "sign-in", "human"}),
    "link": frozenset({"link", "match-2", "match-3", "sign-in", "human"}),
    "match-2": frozenset({"match-2", "match-3", "human"}),
    "match-3": frozenset({"match-3", "human"}),
    "sign-in": frozenset({"sign-in", "human"}),
    "human": frozenset({"human"}),
}
"""What is as sure as each, or surer. `human` is one of the team who vouches for the person; signing in proves an address and more."""


def ways(right: RightTerms | None) -> tuple[str, ...]:
    """How a person may prove to be themselves."""
    return tuple(right.verify) if right is not None and right.verify else ("link",)


def proved(proof: str, right: RightTerms | None) -> bool:
    """Whether this proof is enough for this right. Where one of the team must look as well, the proof of the person alone is not."""
    needed = ways(right)
    if "human" in needed and proof != "human":
        return False
    return any((proof or "none") in ENOUGH[one] for one in needed)


def by_link(right: RightTerms | None) -> bool:
    """Whether a mailed link is a step of the proof: alone, or before facts are asked for, or before one of us looks."""
    return set(ways(right)) != {"sign-in"}


def facts_needed(right: RightTerms | None) -> int:
    """How many facts must match; 0 where none are asked for."""
    return min((int(one[-1]) for one in ways(right) if one.startswith("match-")), default=0)


def asked_of(right: RightTerms | None) -> tuple[str, ...]:
    """The facts that may be asked for, and no others."""
    told = right.body.asks if right is not None else ()
    return tuple(one for one in told or ASKED if one not in ("region", "country"))


def agent_lacks(right: RightTerms | None, powers: Iterable[str]) -> tuple[str, ...]:
    """What an agent still has to bring: nothing with a power of attorney where that is named, else all the others named."""
    wanted, shown = (right.body.agent if right is not None else ()) or AGENT, set(powers)
    if "power-of-attorney" in wanted and "power-of-attorney" in shown:
        return ()
    return tuple(one for one in wanted if one != "power-of-attorney" and one not in shown)


def find(use: Use, request: Request, facts: Mapping[str, str] = {}) -> Subject | None:
    """Whom a request is about: by the reference once it is known, else by what they are known by, else by facts that identify.

    `use` is of `rights`.
    """
    if request.subject_reference:
        return Subject.under(use).filter(reference=request.subject_reference).first()
    if request.decision.get("by") == "parent":
        return None  # one of the team names the child (`actions.show`): the address is the parent's own
    held = private.open_private(request)
    known = [(held.known_by, held.value)] if held.value else [("email", held.email)]
    known += [(IDENTIFIERS[category], facts[category]) for category in facts if category in IDENTIFIERS]
    for kind, value in known:
        try:
            return subjects.find(use, kind, value, request.region)
        except (NotFound, BadInput, Conflict):
            continue
    return None


def matching(use: Use, subject: Subject, facts: Mapping[str, str]) -> int:
    """How many of these facts we hold just so. Every fact is compared with everything held, so that the time tells nothing."""
    return sum([_matches(use, subject, category, told) for category, told in sorted(facts.items()) if told.strip()])


def _matches(use: Use, subject: Subject, category: str, told: str) -> bool:
    if category in IDENTIFIERS and _identifies(use, subject, IDENTIFIERS[category], told):
        return True
    given, found = _plain(told), False
    for held in _held(use, subject, category):
        found |= hmac.compare_digest(given.encode(), _plain(held).encode())
    return found and bool(given)


def _identifies(use: Use, subject: Subject, kind: str, told: str) -> bool:
    assert kind in KINDS
    try:
        found = subjects.find(use, kind, told, subject.region) if kind != "phone" else None
        if found is None:
            digest = subjects.digest(use.account_id, kind, told, subject.region)
            return any(owner == subject.pk for _, owner in rows_of(use, Identifier, kind, [digest], "subject_id"))
    except (NotFound, BadInput, Conflict):
        return False
    return found.pk == subject.pk


def _held(use: Use, subject: Subject, category: str) -> list[str]:
    """Everything held of this category on a person; of several columns of one row also the whole, in their order."""
    found: list[str] = []
    for table in of_subjects():
        model: Any = table.model
        names = [name for name, one in model.personal.columns.items() if one == category]
        rows = model.under(use).filter(subject_id=subject.pk)
        if table.by_row:
            rows = rows.filter(category=category)
        elif not names:
            continue
        for row in values.opened(use, list(rows)):
            told = [str(getattr(row, name) or "") for name in names]
            found += [*told, " ".join(one for one in told if one), *([str(row.value)] if table.by_row else ())]
    return [one for one in found if one]


def _plain(text: str) -> str:
    """A spelling by which two ways of writing the same are the same: letters and digits, without accents, case or spaces."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in bare if one.isalnum())

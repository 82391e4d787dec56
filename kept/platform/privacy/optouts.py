"""The Do-Not-Sell list: whoever is added or imported later under an identifier on it is opted out as they come in.

No mask depends on it: a sale or a sharing is decided person by person as it happens (`disclosures`, trackers).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from kept.core.notice.rules import MARKETS
from kept.platform.data import rows
from kept.platform.data.lookup import lookup
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, suppression
from kept.platform.privacy.models import Choice
from kept.platform.privacy.suppression import Digest


def enlist(use: Use, digests: Sequence[Digest], rule: str) -> None:
    """Put these identifiers on the list. In an action."""
    suppression.add(use, digests, rule=rule, scope="sale")


def delist(use: Use, digests: Sequence[Digest]) -> None:
    """Take these identifiers off the list. In an action."""
    suppression.remove(use, digests, "sale")


def on_list(use: Use, digests: Sequence[Digest]) -> bool:
    """Whether one of them is on the list."""
    return bool(suppression.found(use, digests, "sale"))


def heed(use: Use, identified: Sequence[tuple[int, Digest]], origin: int | None = None) -> None:
    """Opt out those who have just become known by an identifier on the list: all at once, in the action that identified them.

    `origin` is the occasion on which they came in, so that taking it back takes this along.
    """
    listed = suppression.found(use, [one for _, one in identified], "sale")
    ids = {subject_id for subject_id, one in identified if one in listed}
    if not ids:
        return
    held = lookup(use, Choice, "subject_id", ids, ("subject_id", "purpose", "id", "state"))
    there = {(subject_id, purpose): (pk, state) for subject_id, purpose, pk, state in held}
    people = {pk: (reference, key_id) for pk, reference, key_id in lookup(use, Subject, "id", ids, ("id", "reference", "key_id"))}
    now = timezone.now()
    for market in MARKETS:
        new = [one for one in sorted(ids) if there.get((one, market), (0, ""))[1] != "opted-out"]
        rows.update(
            use,
            Choice,
            ("state", "at", "until"),
            [(there[one, market][0], "opted-out", now, None) for one in new if (one, market) in there],
        )
        fresh = [(one, market, "opted-out", now, origin) for one in new if (one, market) not in there]
        rows.insert(use, Choice, ("subject", "purpose", "state", "at", "provenance_id"), fresh)
        said = {"verb": "opt-out", "purpose": market, "until": None}
        ledger.append_each(use, "opt-out", [people[one] for one in new], said, purpose=market, rule=None)

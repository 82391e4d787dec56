"""Papers on file as they stood at a moment: read here from the tables, apart from the code that asks for them before it opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kept.platform.privacy.models import Instrument
from kept.platform.privacy.provers.base import Look

CUSTOMER = "customer"
"""The party of papers that the account itself gives."""


def papers(look: Look) -> list[Instrument]:
    """Every paper that was ever on file: an account has few."""
    return list(Instrument.under(look.use).order_by("pk"))


def on_file(
    look: Look, kinds: Sequence[str], at: datetime, *, parties: Sequence[str] = (), purpose: str = "", rule: str = "", title: str = ""
) -> bool:
    """Whether a paper of one of these kinds was in its time then, with one of these parties (none: anybody), for this purpose and rule."""
    return any(
        one.kind in kinds
        and (not parties or one.party in parties)
        and (not title or one.title == title)
        and one.recorded_at <= at
        and one.valid_from <= at
        and all(end is None or at < end for end in (one.valid_until, one.ended_at))
        and purpose in (one.scope.get("purposes") or (purpose,))
        and rule in (one.scope.get("rules") or (rule,))
        for one in look.once(papers)
    )

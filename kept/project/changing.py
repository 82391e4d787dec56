"""What the commands about versions of a notice say and do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from kept.core.notice.diff import Diff

_SIGNS = {"wider": "+", "narrower": "-", "neutral": "="}
WORDS = {"explicit": "each person is asked", "continued-use": "by going on, where the law allows it", "none": "not needed"}


def in_words(found: Diff) -> str:
    """What changes, a line each: ``+`` we may do more or people have less, ``-`` the opposite."""
    if not found:
        return "Nothing changes in effect."
    lines = [f"{_SIGNS[one.direction]} {one.sentence}" for one in found.changes]
    said = [name for name, holds in (("material", found.material), ("reduces rights", found.reduces_rights)) if holds]
    return "\n".join([*lines, f"{', '.join(said).capitalize() or 'Not material'}. Agreement: {WORDS[found.acceptance]}."])


def document(found: Diff) -> dict[str, Any]:
    """The same for a program."""
    return {
        "changes": [asdict(one) | {"sentence": one.sentence} for one in found.changes],
        "material": found.material,
        "reduces_rights": found.reduces_rights,
        "adds_purpose": found.adds_purpose,
        "acceptance": found.acceptance,
        "regions": list(found.regions),
    }


def activate(slug: str, text: str, filename: str, tell: Sequence[str], actor: str, *, ask: bool) -> dict[str, Any]:
    """Decide for a version, after a look at what it changes, and carry it as far as it goes now."""
    from kept.apps.notices import versions as room
    from kept.platform.accounts.queries import account_by_slug
    from kept.platform.privacy import versions

    account = account_by_slug(slug)
    seen = versions.preview(account, text, filename=filename)
    if ask:
        typer.echo(_preview(seen))
        typer.confirm("Put it in force?", abort=True)
    made = room.decide(account, text, actor, tell=tell, filename=filename)
    done = room.bring_about(account.pk) or made
    return {
        "notice_version": done.number,
        "in_force": done.version_id is not None,
        "effective_at": done.effective_at.isoformat(),
        "told_by": list(done.tell),
        "letters": done.told,
        "asked": seen.asked,
    }


def _preview(seen: Any) -> str:
    stops = [f"{one.title} stops for {one.closes:,}" for one in seen.uses if one.closes]
    starts = [f"{one.title} starts for {one.opens:,}" for one in seen.uses if one.opens]
    lines = [
        *(str(one) for one in seen.findings),
        in_words(seen.diff),
        f"{seen.people:,} people, {seen.concerned:,} concerned, {seen.asked:,} stay under their version until they agree.",
        *stops,
        *starts,
        f"Takes effect {seen.effective_at:%d %B %Y}. Told by {', '.join(seen.tell) or 'publication only'}.",
    ]
    return "\n".join(lines)


def outcome(said: dict[str, Any]) -> str:
    """What came of it."""
    number = said["notice_version"]
    if said["in_force"]:
        return f"Version {number} is in force."
    return f"Version {number} is announced, and takes effect {said['effective_at'][:10]}. Letters written: {said['letters']}."

"""What a member sees of one request: looked up under the purpose `rights`, which leaves an entry; nothing of whom it is about until
somebody has made sure that it is them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kept.apps.requests import actions, attachments, private, queries, telling
from kept.apps.requests.answers.correcting import Correctable, correctable
from kept.apps.requests.attachments import Attached
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Kind, Message, OutboxMessage, Request, State
from kept.apps.requests.private import Private
from kept.core.errors import Shredded
from kept.core.notice.deadlines import Deadline
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.door import TeamRequest
from kept.platform.data.datamap import Table, of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import erasure, values
from kept.platform.privacy.erasure import Planned
from kept.platform.privacy.gate import looked, reserved
from kept.platform.privacy.notices import policy_of


@dataclass(frozen=True)
class Said:
    """A message of the person's, or a letter of ours; `text` is empty once its key is gone."""

    name: str
    text: str
    at: datetime
    ours: bool
    waits: bool = False


@dataclass(frozen=True)
class Sight:
    """Everything a record shows that is looked up. While it is `hidden`, `held`, `name`, `plan` and `said` are empty."""

    right: RightTerms | None
    clock: Deadline
    hidden: bool
    held: Private
    name: str = ""
    known: bool = False
    plan: list[Planned] | None = None
    categories: Mapping[str, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    tellings: list[telling.Told] = field(default_factory=list)
    history: list[queries.Step] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    files: list[Attached] = field(default_factory=list)
    correctable: list[Correctable] = field(default_factory=list)


def sight(request: TeamRequest, found: Request) -> Sight:
    """Look at a request."""
    acting = found.state in OPEN and found.decision.get("by", "self") != "self"
    lacking = actions.lacking(found) if acting else ()
    hidden = actions.unsure(found)
    with reserved(request.account.pk, request.actor, "rights", rule=found.rule, request=found.reference) as use:
        right = queries.right_of(queries.terms_of(use, found), found.kind, found.region)
        seen: dict[str, Any] = {} if hidden else _seen(use, found)
        history, tellings = queries.history(use, found), telling.told(use, found)
    held = Private() if hidden else private.open_private(found)
    clock = Deadline.model_validate(found.clock)
    return Sight(right, clock, hidden, held, history=history, tellings=tellings, lacking=lacking, **seen)


def _seen(use: Use, found: Request) -> dict[str, Any]:
    seen: dict[str, Any] = {"said": _said(use, found), "files": attachments.listed(use, found)}
    if found.state not in OPEN or not (found.subject_reference or found.verified_at):
        return seen  # an unproved address is not looked up, and an answered request is about nobody any more
    subject = queries.subject_of(use, found)
    if subject is None:
        return {**seen, "plan": []}
    looked(use, [subject.reference], categories=["name"])
    if found.kind == Kind.CORRECT and found.state == State.DECIDING:
        seen["correctable"] = correctable(use, found)
    planned = erasure.plan(use, subject, found.decision.get("exceptions", {}) if found.kind == Kind.ERASE else {})
    held = [table for table in of_subjects() if any(one.table == table.name for one in planned)]
    return {**seen, "known": True, "plan": planned, "name": _name(use, subject, held), "categories": _categories(use, subject, held)}


def _name(use: Use, subject: Subject, held: list[Table]) -> str:
    """What the person is called, by the first record that says so."""
    for table in held:
        model: Any = table.model
        fields = [name for name, category in model.personal.columns.items() if category == "name"]
        if fields and not table.by_row:
            for row in values.opened(use, list(model.under(use).filter(subject_id=subject.pk).order_by("pk")[:1])):
                if name := " ".join(text for one in fields if (text := str(getattr(row, one) or ""))):
                    return name
    return ""


def _categories(use: Use, subject: Subject, held: list[Table]) -> dict[str, str]:
    """The categories that are held of them, with their titles."""
    found: set[str] = set()
    for table in held:
        model: Any = table.model
        if table.by_row:
            found |= set(model.under(use).filter(subject_id=subject.pk).order_by().values_list("category", flat=True).distinct())
        else:
            found |= {one for one in table.columns.values() if one}
    policy = policy_of(use.account_id)
    tree = policy.notice.vocabulary["category"]
    titles = {one: tree[one].title for one in found & policy.categories if one in tree}
    return dict(sorted(titles.items(), key=lambda one: one[1]))


def _said(use: Use, found: Request) -> list[Said]:
    theirs = [
        Said("", _open(message.key_id, found.reference, message.sealed, "message"), message.at, ours=False)
        for message in Message.under(use).filter(request=found.reference)
    ]
    ours = [
        Said(one.letter, _text(_open(one.key_id, found.reference, one.sealed, "letter")), one.created_at, True, one.sent_at is None)
        for one in OutboxMessage.under(use).filter(request=found.reference)
    ]
    return sorted([*theirs, *ours], key=lambda one: one.at, reverse=True)


def _open(key_id: int, reference: str, sealed: bytes | memoryview | None, what: str) -> str:
    try:
        return private.open_bytes(key_id, reference, bytes(sealed), what).decode() if sealed is not None else ""
    except Shredded:
        return ""


def _text(content: str) -> str:
    return str(json.loads(content)["text"]) if content else ""

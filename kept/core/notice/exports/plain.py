"""A notice as plain JSON, for whoever reads it with a program: who speaks, since when, and every rule as it stands in the text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from kept.core.notice.model import Notice, Rule
from kept.core.notice.rules import NoticeBody

FORMAT = "kept-notice-1"


def document(notice: Notice) -> dict[str, Any]:
    """The document. `digest` is the SHA-256 of the text, which is the notice itself; each rule has that of its own block."""
    identity = notice.identity
    return {
        "format": FORMAT,
        "id": notice.id,
        "title": notice.title,
        "digest": digest(notice.text),
        "controller": identity.controller,
        "contact": [one.model_dump(by_alias=True) for one in identity.contact],
        "effective": {region or "default": body.effective.isoformat() for region, body in _dated(notice)},
        "law": list(identity.law),
        "covers": list(identity.covers),
        "sites": list(identity.sites),
        "excludes": list(identity.excludes),
        "languages": list(identity.languages),
        "rules": [_rule(rule) for rule in notice.rules],
    }


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _dated(notice: Notice) -> list[tuple[str, NoticeBody]]:
    return [(rule.region or "", rule.body) for rule in notice.rules if isinstance(rule.body, NoticeBody)]


def _rule(rule: Rule) -> dict[str, Any]:
    said = {"rule": rule.name, "region": rule.region, "promise": rule.promise, "says": _plain(rule.data), "digest": digest(rule.source)}
    return {key: value for key, value in said.items() if value not in (None, "")}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value

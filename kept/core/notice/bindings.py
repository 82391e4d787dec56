"""What a rule needs of a deployment: something that enforces and something that proves each binding key, and the rooms it speaks of.

A need is named ``kind``, ``kind.key`` (``kind.key.inner`` inside a table) or ``room:name``. Where a key is one of a few words, each word
is a need of its own, ``kind.key=word``: a deployment may know how to identify people by a mailed link and not by three facts. What
names rules or terms of several trees counts by what it names: ``limit.never=sale`` and ``=purpose``, ``choice.governs=tracker``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from kept.core.notice.model import Rule
from kept.core.notice.rules import KINDS, CollectBody, Refers, StatementBody, Table, alias, key_of, marks, table_of, terms_in, words_of
from kept.core.notice.rules.base import Among
from kept.core.notice.vocabulary import BASE, Tree, Vocabulary

ROOM = "room:"


def needs(rule: Rule, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What this rule needs, each once: its kind, the binding keys it sets, its rooms; nothing for a statement.

    A key that is switched off (`false`, an empty list) binds nothing.
    """
    if isinstance(rule.body, StatementBody):
        return ()
    return tuple(dict.fromkeys((rule.kind, *_set(rule.body, rule.kind), *_rooms(rule, vocabulary))))


def binding() -> Mapping[str, frozenset[str]]:
    """Everything but rooms that a rule can need: the kinds and their binding keys, each with its words; none where it is free."""
    found = {kind: frozenset[str]() for kind in KINDS if kind != "statement"}
    for kind, model in KINDS.items():
        found |= dict(_declared(model, kind))
    return found


def _declared(model: type[Table], path: str) -> Iterator[tuple[str, frozenset[str]]]:
    for name, field in model.model_fields.items():
        place, inner = f"{path}.{alias(name, field)}", table_of(field)
        if key_of(field).binds:
            yield place, _words(field)
        if inner is not None:
            yield from _declared(inner, place)


def _words(field: FieldInfo) -> frozenset[str]:
    """The words that a key is made of; none where it is free, or a table."""
    if table_of(field) is not None:
        return frozenset()
    words = set(words_of(field))
    for mark in marks(field):
        if isinstance(mark, Refers) and (mark.qualified or mark.words):
            words.update(mark.kinds, mark.words, [mark.tree] if mark.tree else [])
        elif isinstance(mark, Among) and mark.tree == "event":
            words.update(BASE["event"].all)
    return frozenset(words)


def _set(body: Table, path: str) -> Iterator[str]:
    for name, field in type(body).model_fields.items():
        value: Any = getattr(body, name)
        place = f"{path}.{alias(name, field)}"
        if name in body.model_fields_set and value and key_of(field).binds:
            words = _words(field)
            yield from (f"{place}={_word(word, words)}" for word in _values(value)) if words else (place,)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Table):
                yield from _set(one, place)


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, tuple):
        yield from value
    else:
        yield value


def _word(value: str, words: frozenset[str]) -> str:
    """The word a value counts as: itself, the kind of the rule it names, or the tree it is a term of."""
    if value in words:
        return value
    kind = value.partition(":")[0]
    return kind if kind in words else next(iter(sorted(words & set(BASE.trees))))


def _rooms(rule: Rule, vocabulary: Vocabulary) -> Iterator[str]:
    trees: list[Tree] = ["occasion", "record", "source"] if isinstance(rule.body, CollectBody) else ["occasion", "record"]
    words = [(tree, term) for _, mark, term in terms_in(rule.body) for tree in trees if mark == tree]
    if rule.kind == "purpose":
        words.insert(0, ("purpose", rule.id))
    for tree, term in words:
        if room := vocabulary[tree][term].room:
            yield ROOM + room

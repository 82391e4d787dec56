"""Promises without a rule: found as often as docs say, at their place, and silenced by a rule."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from itertools import chain
from pathlib import Path

import pytest

from kept.core.notice import Finding, parse
from kept.core.notice.tests.writing import HEAD
from kept.core.notice.unbacked import unbacked

pytestmark = pytest.mark.once

Half = Mapping[str, Mapping[str, list[str]]]
SENTENCES: Mapping[str, Half] = tomllib.loads(files(__package__).joinpath("sentences.toml").read_text(encoding="utf-8"))
LARCH = Path(__file__).parents[4] / "notices" / "larch" / "notice.md"
STATEMENT = '\n\n```rule\nstatement = "s"\n```\n'


def found(prose: str) -> list[Finding]:
    return list(unbacked(parse(f"{HEAD}\n{prose}")))


def places(prose: str) -> list[tuple[int, int]]:
    """Line and column of each finding, counted within the prose."""
    before = f"{HEAD}\n".count("\n")
    return [(one.line - before, one.column) for one in found(prose)]


def labelled(half: str, label: str) -> list[str]:
    return list(chain.from_iterable(habit[label] for habit in SENTENCES[half].values()))


# Measure


def test_the_labelled_set() -> None:
    every = [sentence for half in SENTENCES for label in ("promise", "plain") for sentence in labelled(half, label)]
    assert len(every) == len(set(every)) >= 320
    assert SENTENCES["development"].keys() == SENTENCES["held-out"].keys()
    for half in SENTENCES:
        assert 0.45 <= len(labelled(half, "promise")) / sum(len(labelled(half, label)) for label in ("promise", "plain")) <= 0.6


@pytest.mark.parametrize(("half", "recall", "precision"), [("development", 0.98, 0.98), ("held-out", 0.98, 0.9)])
def test_recall_and_precision(half: str, recall: float, precision: float) -> None:
    promises, plain = labelled(half, "promise"), labelled(half, "plain")
    right = sum(bool(found(sentence)) for sentence in promises)
    wrong = sum(bool(found(sentence)) for sentence in plain)
    assert right / len(promises) >= recall
    assert right / (right + wrong) >= precision


def test_what_larch_binds_is_seen_to_promise() -> None:
    larch = parse(LARCH.read_text(encoding="utf-8"))
    assert list(unbacked(larch)) == []
    bound = [one for one in larch.passages if one.kind == "prose" and any(rule.kind != "statement" for rule in one.rules)]
    assert [one.text for one in bound if not found(one.source)] == []


# Cover


@pytest.mark.parametrize("half", SENTENCES)
def test_a_statement_silences_every_one(half: str) -> None:
    assert [promise for promise in labelled(half, "promise") if found(promise + STATEMENT)] == []


def test_any_rule_silences_it() -> None:
    for rule in ('role = "r"\nis = "controller"', 'limit = "l"\nrefuse = ["payment-card"]', 'secure = "s"\nseal = ["birth-date"]'):
        assert found(f"We never do.\n\nWe will not.\n\n```rule\n{rule}\n```\n") == []
    assert places("We never do.\n\n## News\n\nWe will not." + STATEMENT) == [(1, 1)]
    assert places("We never do." + STATEMENT + "\nWe will not.") == [(7, 1)]


def test_a_heading_promises_nothing() -> None:
    assert found("## We never sell your data" + STATEMENT) == []
    assert found("## We never sell your data\n\nWood is warm.") == []


# Stems


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("We use it to:\n\n- send letters; we never sell\n- bill you", [(1, 1)]),
        ("Wood is warm. Your rights:\n\n1. to see it\n2. to have it erased", [(1, 15)]),
        ("Some examples:\n\n- wood is warm\n- we keep wood\n  - we never burn it\n- we sell it to you", [(4, 3), (6, 3)]),
        ("A ticket is:\n\n- green\n- *read* by the agent", [(4, 4)]),
        ("We use it:\n\n- here\n\nWe never sell it.", [(1, 1), (5, 1)]),
        ("We use it:\n\n- here\n\n  We never sell it.\n\n- there", [(1, 1)]),
        ("## What we collect\n\n- names\n- streets", [(1, 4)]),
        ("## Who we are\n\n- a bakery\n- a mill", []),
        ("## What we collect\n\nWood is warm.\n\n- names", []),
        ("| Data | Kept for |\n|---|---|\n| Name | two years |\n| Street | a year |", [(1, 3)]),
        ("| Data | Colour |\n|:--|--:|\n| Name | red |\n| Street | erased after a year |", [(4, 3)]),
        ("We keep:\n\n| Data | Kept for |\n|---|---|\n| Name | two years |", [(1, 1)]),
        ("We use it:" + STATEMENT + "\n- we never sell it", [(7, 3)]),
    ],
)
def test_a_stem_speaks_for_its_items(prose: str, expected: list[tuple[int, int]]) -> None:
    assert places(prose) == expected


# Places


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Wood is warm.\nIt lasts. We never\nburn it. We will\nnot.", [(2, 11), (3, 10)]),
        ("Wood is **warm.** **We never** burn it.", [(1, 21)]),
        ("Wood is warm. *“We never burn it.”* We will.", [(1, 17), (1, 37)]),
        ("See [the page](https://x.example/a.%20We never). [We](y.md) never burn it.", [(1, 51)]),
        ("Run `oak. We never`. `sid` is kept for a year.", [(1, 22)]),
        ("Größe: 3 – 4 Ä. “Ümlaut” data is deleted.", [(1, 18)]),
        ("> Wood is warm.\n> We never burn it.", [(2, 3)]),
        ("- a\n- Wood is warm. We\n  never burn it.\n\n  We will not.", [(2, 17), (5, 3)]),
        ("   We never burn it.", [(1, 4)]),
        ("Oak &amp; Elm Ltd. is old.  \nWe&nbsp;never burn it.", [(2, 1)]),
        ("Wood \\*is\\* warm. \\*We never burn it.", [(1, 21)]),
    ],
)
def test_the_sentence_is_found_at_its_place(prose: str, expected: list[tuple[int, int]]) -> None:
    assert places(prose) == expected
    assert places(prose.replace("\n", "\r\n")) == expected


@pytest.mark.parametrize(
    "prose",
    [
        "Mr. Oak of Elm & Co., 3 Dock St., Hull, keeps your bookings for 2.5 years, e.g. in a box.",
        "By 5 p.m. on Jan. 3 we answer.",
        "Under Art. 6 no. 1 we keep it.",
        "We write to J. R. Oak, i.e. to the owner.",
        "We read www.oak.example and version 1.2 of it.",
    ],
)
def test_abbreviations_and_decimals_end_no_sentence(prose: str) -> None:
    assert places(prose) == [(1, 1)]
    assert places(f"Wood is warm. {prose} Wood lasts.") == [(1, 15)]


def test_an_abbreviation_may_end_a_sentence_all_the_same() -> None:
    assert places("This is Oak Ltd. We never burn wood.") == [(1, 18)]


def test_the_finding() -> None:
    (one,) = found("Your data **is\ndeleted** after a year.")
    assert (one.level, one.code, one.rule) == ("error", "unbacked", "")
    assert one.message == "this sentence promises ('is deleted'), and no rule stands under it"
    assert "statement" in one.cure

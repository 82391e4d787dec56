"""Declaring: ids only, keys, schedules."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kept.core.errors import BadInput
from kept.platform.jobs.task import daily, every, job
from kept.platform.jobs.tests import samples

pytestmark = pytest.mark.once

REFERENCE = "3f2a9c0d4e5b6a7f8091a2b3c4d5e6f7"
NOW = datetime(2026, 3, 4, 2, 29, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", [1, -1, True, None, "import-file", "a", REFERENCE, str(uuid.UUID(REFERENCE)), REFERENCE * 2])
def test_ids_are_accepted(value: Any) -> None:
    assert samples.write_note.arguments((1, value), {}) == {"account_id": 1, "reference": value, "number": 0}


TEXTS = [
    "dana@people.example",
    "Dana",
    "dana doe",
    "5550100",
    "+15550100",
    "4111111111111111",
    "1990-02-03",
    "détente",
    "",
    "a" * 65,
    "line\n",
]


@pytest.mark.parametrize("value", [*TEXTS, 1.5, 2**63, b"x", ["a"], {"a": 1}, NOW])
def test_anything_else_is_refused_without_being_quoted(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        samples.write_note.enqueue(account_id=1, reference=value)
    assert caught.value.place == "tests.note(reference)"
    assert str(value) not in str(caught.value) or value in ("", "a" * 65)


def test_a_key_is_the_label_the_account_and_the_named_arguments() -> None:
    key = samples.write_once.key
    assert key({"account_id": 1, "reference": "x"}) == "tests.unique(account_id=1,reference=x)"
    assert key({"account_id": 2, "reference": "x"}) != key({"account_id": 1, "reference": "x"})
    assert samples.write_note.key({"account_id": 1, "reference": "x"}) is None


@pytest.mark.parametrize(
    ("schedule", "slot"),
    [
        (every(minutes=1), datetime(2026, 3, 4, 2, 29, tzinfo=UTC)),
        (every(minutes=15), datetime(2026, 3, 4, 2, 15, tzinfo=UTC)),
        (every(minutes=1440), datetime(2026, 3, 4, tzinfo=UTC)),
        (daily("02:29"), datetime(2026, 3, 4, 2, 29, tzinfo=UTC)),
        (daily("02:30"), datetime(2026, 3, 3, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_slot_is_the_latest_due_time(schedule: Any, slot: datetime) -> None:
    assert schedule.slot(NOW) == slot
    assert schedule.slot(slot) == slot
    assert schedule.slot(slot - timedelta(seconds=1)) == slot - schedule.period


@pytest.mark.parametrize("at", ["2:30", "24:00", "02:60", "02:30\n", "noon"])
def test_a_daily_time_is_hh_mm(at: str) -> None:
    with pytest.raises(BadInput):
        daily(at)


@pytest.mark.parametrize("minutes", [0, -5, 1441])
def test_a_period_is_at_most_a_day(minutes: int) -> None:
    with pytest.raises(BadInput):
        every(minutes=minutes)


def test_a_wrong_declaration_says_what_is_wrong() -> None:
    def takes(account_id: int) -> None: ...

    with pytest.raises(BadInput, match="Two jobs"):
        job("tests.note")(takes)
    with pytest.raises(BadInput, match="no label"):
        job("Tests note")(takes)
    with pytest.raises(BadInput, match="No such argument"):
        job("tests.wrong", unique=("import_id",))(takes)
    with pytest.raises(BadInput, match="no arguments"):
        job("tests.wrong", schedule=every(minutes=1))(takes)

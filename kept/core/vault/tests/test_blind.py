from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.core.vault import BlindIndex

INDEX = BlindIndex(b"b" * 32)
WHERE = st.tuples(st.integers(0, 2**63 - 1), st.text("aé:-", max_size=8), st.text("aé:-", max_size=8))


def test_the_same_identifier_meets_itself() -> None:
    digest = INDEX.digest(7, "email", "dana@mail.example")
    assert len(digest) == 32
    assert digest == BlindIndex(b"b" * 32).digest(7, "email", "dana@mail.example")


@pytest.mark.parametrize(
    "other",
    [
        (8, "email", "dana@mail.example"),
        (7, "phone", "dana@mail.example"),
        (7, "email", "diana@mail.example"),
        (7, "emaild", "ana@mail.example"),
    ],
)
def test_nothing_else_meets_it(other: tuple[int, str, str]) -> None:
    assert INDEX.digest(*other) != INDEX.digest(7, "email", "dana@mail.example")


def test_another_secret_gives_another_digest() -> None:
    assert BlindIndex(b"c" * 32).digest(7, "email", "dana@mail.example") != INDEX.digest(7, "email", "dana@mail.example")


@given(WHERE, WHERE)
def test_digests_are_equal_only_for_equal_inputs(one: tuple[int, str, str], other: tuple[int, str, str]) -> None:
    assert (INDEX.digest(*one) == INDEX.digest(*other)) == (one == other)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(BadInput, match="blind index secret"):
        BlindIndex(b"b" * 16)

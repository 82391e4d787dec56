from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.core.vault import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dana@mail.example", "dana@mail.example"),
        ("  Dana.Q@Mail.EXAMPLE\t", "dana.q@mail.example"),
        ("\uff24\uff21\uff2e\uff21\uff20mail.example", "dana@mail.example"),
        ("da\u0301na@mail.example", "d\u00e1na@mail.example"),
        ("dana@B\u00dcCHER.example", "dana@b\u00fccher.example"),
        ("dana@xn--bcher-kva.example", "dana@b\u00fccher.example"),
        ("dana+news@mail.example", "dana+news@mail.example"),
    ],
)
def test_email(text: str, expected: str) -> None:
    assert normalise.email(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "dana", "dana@", "@mail.example", "dana@mail", "da na@mail.example", "dana..q@mail.example", "d\x00@mail.example"),
        *("Dana <dana@mail.example>", "dana@localhost", "dana@[192.0.2.1]", "dana@mail.example, bob@mail.example"),
        *("\ud800@mail.example", "d" * 2000 + "@mail.example"),
    ],
)
def test_not_an_email(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        normalise.email(text)
    assert refusal.value.place == "email"
    assert refusal.value.cure
    assert not text.strip() or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("(212) 555-0123", "US", "+12125550123"),
        ("212.555.0123", "us", "+12125550123"),
        ("+1 212 555 0123", "DE", "+12125550123"),
        ("tel:+1-212-555-0123", "DE", "+12125550123"),
        ("\uff0b1 212 555 0123", "DE", "+12125550123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+44 (0)20 7946 0123", "US", "+442079460123"),
        ("+39 06 1234567", "US", "+39061234567"),
        ("212-555-0123 ext. 7", "US", "+12125550123;ext=7"),
    ],
)
def test_phone(text: str, region: str, expected: str) -> None:
    assert normalise.phone(text, region) == expected


@pytest.mark.parametrize("text", ["", "dana", "555-0123", "12", "1" * 40, "+999 212 555 0123", "\ud800", "2" * 2000])
def test_not_a_phone(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        normalise.phone(text, "US")
    assert refusal.value.place == "phone"
    assert refusal.value.cure


def test_a_number_that_does_not_read_back_is_refused() -> None:
    with pytest.raises(BadInput):
        normalise.phone("000000", "DE")


def test_a_national_number_needs_a_region() -> None:
    with pytest.raises(BadInput, match="does not say its country"):
        normalise.phone("212 555 0123", "")


@pytest.mark.parametrize(
    ("text", "expected"), [(" rec-1-org ", "rec-1-org"), ("Caf\u0065\u0301", "Caf\u00e9"), ("A1", "A1"), ("00 7", "00 7")]
)
def test_source_id(text: str, expected: str) -> None:
    assert normalise.source_id(text) == expected


@pytest.mark.parametrize("text", ["", " \t\n", "a\x00b", "a\nb", "\ud800", "x" * 1025])
def test_not_a_source_id(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        normalise.source_id(text)
    assert refusal.value.place == "source id"


NORMALISERS = st.sampled_from([normalise.email, partial(normalise.phone, region="US"), normalise.source_id])
WRITTEN = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"\s?[\w.+-]{1,12}@[\w-]{1,10}\.example", fullmatch=True),
    st.from_regex(r"\+?[0-9 ()./-]{6,18}( ?(x|ext\.?) ?[0-9]{1,4})?", fullmatch=True),
)


@given(NORMALISERS, WRITTEN)
@example(normalise.email, "\u0130dil@mail.example")
@example(normalise.email, "\u1e9e@mail.example")
@settings(deadline=None)
def test_the_result_stays_as_it_is_and_nothing_else_is_raised(normaliser: Callable[[str], str], text: str) -> None:
    try:
        once = normaliser(text)
    except BadInput:
        return
    assert normaliser(once) == once

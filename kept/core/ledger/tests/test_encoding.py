from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.core.ledger import commit, encode, new_salt
from kept.core.ledger.encoding import read_time, write_time

DOCUMENTS = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


def test_spelling_is_that_of_rfc_8785() -> None:
    assert encode({"b": [1, True, None, (2, "é")], "a": '"\\/\b\f\n\r\t\x01\x7f'}) == (
        '{"a":"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f","b":[1,true,null,[2,"é"]]}'.encode()
    )


def test_members_stand_in_the_order_of_utf_16() -> None:
    """The example of RFC 8785, section 3.2.3."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(encode(dict.fromkeys(names, 0)))) == ordered


@given(DOCUMENTS)
def test_a_document_reads_back_and_its_order_does_not_matter(document: dict[str, Any]) -> None:
    text = encode(document)
    assert json.loads(text) == document
    assert encode(dict(reversed(document.items()))) == text
    assert encode(json.loads(text)) == text


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"a": {"b": [0, 1.5]}}, "document.a.b[1]"),
        ({"a": float("nan")}, "document.a"),
        ({"a": 2**53}, "document.a"),
        ({"a": b"x"}, "document.a"),
        ({"a": "\ud800"}, "document.a"),
        ({"\ud800": 1}, "document"),
        ({1: 1}, "document"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "document.a"),
    ],
)
def test_what_has_no_one_spelling_is_refused_with_its_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput) as refusal:
        encode(document)
    assert refusal.value.place == place
    assert refusal.value.cure


def test_deep_nesting_is_refused() -> None:
    document: dict[str, Any] = {}
    for _ in range(100):
        document = {"a": document}
    with pytest.raises(BadInput, match="nested"):
        encode(document)


def test_a_commitment_hangs_on_payload_and_salt() -> None:
    salt = new_salt()
    assert commit(b"Dana", salt) == commit(b"Dana", salt)
    assert len({commit(b"Dana", salt), commit(b"Bob", salt), commit(b"Dana", new_salt())}) == 3
    with pytest.raises(BadInput, match="salt"):
        commit(b"Dana", b"short")


def test_time_has_one_spelling() -> None:
    at = datetime(2026, 1, 31, 11, 0, tzinfo=timezone(timedelta(hours=2)))
    assert write_time(at) == "2026-01-31T09:00:00.000000Z"
    assert read_time(write_time(at), "at") == at
    assert read_time("0999-01-31T09:00:00.000000Z", "at").year == 999


@pytest.mark.parametrize(
    "text",
    [
        *(None, 5, "", "2026-01-31", "2026-01-31T09:00:00Z", "2026-01-31T09:00:00.000000+00:00", "2026-02-31T09:00:00.000000Z"),
        *("\u0662\u0660\u0662\u0666-01-31T09:00:00.000000Z", "2026-01-31T09:00:00.000000Z\n"),
    ],
)
def test_no_other_spelling_of_time_is_read(text: object) -> None:
    with pytest.raises(BadInput) as refusal:
        read_time(text, "entry.at")
    assert refusal.value.place == "entry.at"

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept.core.errors import BadInput
from kept.core.ledger import KINDS, Header, canonical

AT = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
DANA, BOB = "da" * 16, "b0" * 16

TEXT = st.text(max_size=8)
HEADERS = st.builds(
    Header,
    kind=st.sampled_from(sorted(KINDS)),
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])),  # noqa: DTZ001
    actor=st.text(min_size=1, max_size=8),
    purpose=st.none() | TEXT,
    categories=st.lists(TEXT, max_size=3).map(tuple),
    recipient=st.none() | TEXT,
    rule=st.none() | TEXT,
    subjects=st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=3).map(tuple),
    request=st.none() | TEXT,
    commitment=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
)


def test_the_kinds_are_a_closed_set_of_sentences() -> None:
    assert " ".join(KINDS) == (
        "consent objection opt-out restriction acceptance disclosure look request hold erasure collection correction "
        "retention proof incident release key-destruction instrument aggregate account"
    )
    assert all(sentence.endswith(".") for sentence in KINDS.values())


def test_the_bytes_of_an_entry() -> None:
    header = Header(
        "disclosure",
        datetime(2026, 1, 31, 10, 0, tzinfo=timezone(timedelta(hours=1))),
        "job:campaign",
        purpose="direct-marketing",
        categories=("email", "name", "email"),
        recipient="printer",
        rule="disclose:printer",
        subjects=(DANA, BOB),
        commitment="c0" * 32,
    )
    assert canonical(header, 41) == (
        b'{"actor":"job:campaign","at":"2026-01-31T09:00:00.000000Z","categories":["email","name"],"commitment":"'
        + b"c0" * 32
        + b'","format":"kept-entry-1","kind":"disclosure","number":41,"purpose":"direct-marketing","recipient":"printer",'
        + b'"request":null,"rule":"disclose:printer","subjects":["'
        + BOB.encode()
        + b'","'
        + DANA.encode()
        + b'"]}'
    )


@given(HEADERS, st.integers(0, 2**40))
def test_a_header_reads_back_from_its_document(header: Header, number: int) -> None:
    again = Header.from_document(json.loads(json.dumps(header.as_document())))
    assert again == header
    assert canonical(again, number) == canonical(header, number)
    assert canonical(header, number) != canonical(header, number + 1)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"kind": "gossip"}, "kind"),
        ({"at": datetime(2026, 1, 31)}, "at"),  # noqa: DTZ001
        ({"actor": ""}, "actor"),
        ({"subjects": ("dana@mail.example",)}, "subjects"),
        ({"subjects": ("DA" * 16,)}, "subjects"),
        ({"subjects": (DANA + "\n",)}, "subjects"),
        ({"commitment": "c0"}, "commitment"),
    ],
)
def test_a_wrong_header_is_refused(wrong: dict[str, Any], place: str) -> None:
    parts: dict[str, Any] = {"kind": "look", "at": AT, "actor": "member:1"} | wrong
    with pytest.raises(BadInput) as refusal:
        Header(**parts)
    assert refusal.value.place == place
    assert refusal.value.cure


GOOD = Header("look", AT, "member:1").as_document()


@pytest.mark.parametrize(
    "document",
    [None, [], {}, GOOD | {"more": 1}, {name: GOOD[name] for name in GOOD if name != "rule"}]
    + [GOOD | {name: 5} for name in GOOD]
    + [GOOD | {"actor": None}, GOOD | {"kind": None}, GOOD | {"categories": [1]}, GOOD | {"subjects": "da"}, GOOD | {"at": "now"}],
)
def test_a_wrong_document_is_refused(document: object) -> None:
    with pytest.raises(BadInput):
        Header.from_document(document)

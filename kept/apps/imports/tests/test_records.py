from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept.apps.imports import columns, records
from kept.core.errors import BadInput
from kept.core.notice import compile, parse
from kept.core.vault import normalise
from kept.platform.privacy.testing import notice_text

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("19720824", date(1972, 8, 24)),
        ("1972-8-24", date(1972, 8, 24)),
        ("1972-08-24 00:00:00", date(1972, 8, 24)),
        ("24.8.1972", date(1972, 8, 24)),
        ("03/04/1972", date(1972, 4, 3)),
        *((text, None) for text in ("19721301", "18001212", "31.02.1970", "1972", "yesterday", "10019720824")),
    ],
)
def test_days_as_files_write_them(text: str, day: date | None) -> None:
    assert records.birth_date(text, True) == day


def test_in_the_united_states_the_month_comes_first() -> None:
    assert records.birth_date("03/04/1972", False) == date(1972, 3, 4)


@given(
    st.emails() | st.from_regex(r"[a-z0-9._+-]{1,12}@[a-z0-9-]{1,8}\.(example|COM|test|xn--p1ai)", fullmatch=True) | st.text(max_size=20)
)
def test_the_quick_way_with_addresses_is_the_slow_way(text: str) -> None:
    slow = quick = "refused"
    with contextlib.suppress(BadInput):
        slow = normalise.email(text)
    with contextlib.suppress(BadInput):
        quick = records.email(text)
    assert quick == slow


def test_names_and_addresses_on_one_line() -> None:
    assert records.split_name("Dana Maria Reyes") == ("Dana Maria", "Reyes")
    assert records.split_name("Reyes, Dana") == ("Dana", "Reyes")
    assert records.split_name("Reyes") == ("", "Reyes")
    parts = {"street": "8 stanley street, miami", "city": "winston hills", "state": "nsw", "postcode": "4223", "country": ""}
    assert records.whole_address(parts) == "8 stanley street, miami, winston hills nsw 4223"


def test_headers_are_guessed_and_what_the_notice_does_not_let_in_is_named_with_its_rule() -> None:
    policy = compile(parse(notice_text()))
    mapping, closed = columns.guess(["rec_id", "Given-Name", "SURNAME", "E-Mail", "Home phone", "Mobile", "date_of_birth", "shoe"], policy)
    assert list(mapping.values()) == ["source_id", "given_name", "family_name", "email", "phone", "phone", "birth_date"]
    assert closed == []
    poorer = compile(
        parse(
            notice_text().replace(
                '"birth-date", "organisation", "job-title", "source-identifier",\n]\nfrom = "import"', ']\nfrom = "import"'
            )
        )
    )
    mapping, closed = columns.guess(["email", "date_of_birth"], poorer)
    assert mapping == {"email": "email"}
    assert [(one.name, one.rule) for one in closed] == [("date_of_birth", "collect:customer-file")]

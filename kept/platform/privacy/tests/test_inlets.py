"""What no inlet lets in, and what only looks like it."""

from __future__ import annotations

import pytest

from kept.platform.privacy.inlets import by_header, refused_category

pytestmark = pytest.mark.once

# Numbers that networks and authorities publish for tests, or of nobody.
CARDS = """
4111 1111 1111 1111|4111-1111-1111-1111|4111.1111.1111.1111|5555555555554444|2223003122003222|378282246310005|30569309025904
6011111111111117|3530111333300000|6200000000000005|call 07700 900123, card 4111 1111 1111 1111 12/29
+4111111111111111
"""
NATIONAL = """
078-05-1120|ssn is 078-05-1120|078–05–1120|900-70-1234|AB 12 34 56 C|ab123456c|12345678Z|X1234567L|1 84 12 76 451 089 46
RSSMRA85T10A562S|850709-9805|131052-308T|111.444.777-35
"""
PASS = """
+44 117 555 0142|0117 555 0142|00441175550142|+4915112345678|2026-03-01|19850301|dana@quayside.example|INV-2026-00412
12 Quay Street, BS1 4DJ
GB33 BUKB 2020 1555 5555 55|rec-1234-org|1-800-555-0142|000-12-3456|666-12-3456|900-10-1234|QQ123456C|12345678A|850732-9805|131052-3089
4111 1111 1111 1112|1234567890123456|111.444.777-36|555-0142||Dana Marsh|1.234.567,89|9999999999999999999999999
"""


def cases(text: str) -> list[str]:
    return text.strip().replace("\n", "|").split("|")


@pytest.mark.parametrize("text", cases(CARDS))
def test_cards_are_refused(text: str) -> None:
    assert refused_category(text) == "payment-card"


def test_digits_of_another_width_are_digits() -> None:
    assert refused_category("".join(chr(ord(one) + 0xFEE0) for one in "4111111111111111")) == "payment-card"


@pytest.mark.parametrize("text", cases(NATIONAL))
def test_national_numbers_are_refused(text: str) -> None:
    assert refused_category(text) == "national-id"


@pytest.mark.parametrize("text", cases(PASS))
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert refused_category(text) is None


@pytest.mark.parametrize(
    ("name", "category"),
    [
        (" soc_sec_id", "national-id"),
        ("SSN", "national-id"),
        ("socialSecurityNumber", "national-id"),
        ("National Insurance No.", "national-id"),
        ("NI number", "national-id"),
        ("Codice fiscale", "national-id"),
        ("SIN", "national-id"),
        ("Credit card", "payment-card"),
        ("cardNumber", "payment-card"),
        ("card_no", "payment-card"),
        ("PAN", "payment-card"),
        ("CVV", "security-code"),
        ("Security code", "security-code"),
        ("Password", "credentials"),
        ("PIN", "credentials"),
        ("apiKey", "credentials"),
        ("password last changed", None),
        ("pineapple", None),
        ("Loyalty card number", None),
        ("company", None),
        ("Customer no", None),
        ("postcode", None),
        ("single", None),
        ("nickname", None),
        ("", None),
    ],
)
def test_headers(name: str, category: str | None) -> None:
    assert by_header(name) == category


def test_a_long_text_takes_no_long_time() -> None:
    assert refused_category("1 " * 20_000) is None

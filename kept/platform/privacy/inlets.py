"""What no inlet lets in: payment cards and national identity numbers, known by checksum and shape, or by a column's header; security
codes and passwords, known by a header alone.

Every door that takes text from outside asks here before anything is written or logged; the answer names a category, never the value.
A number that only looks like one (a telephone number, an order) passes: where a country's numbers have neither a checksum nor a
shape of their own, only the header tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date

CARD, NATIONAL = "payment-card", "national-id"
SECURITY_CODE, CREDENTIALS = "security-code", "credentials"

_DIGITS = re.compile(r"(?<![\d+])\d(?:[ .\-]?\d){12,}|(?<!\d)\d(?:[ .\-]?\d){15,}")
"""Thirteen digits or more. After a + it is a telephone number up to fifteen (E.164)."""
_LEAST = re.compile(r"\d(?:\D*\d){5}|(?<!\w)(?=\w*\d)\w{16}(?!\w)")
"""Six digits, or the sixteen signs of a codice fiscale: whatever has neither is let through at once."""
_SHORTEST = 9
"""Characters: no number that is refused is shorter."""
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720))\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}|(?:50|5[6-9]|6[0378])\d{11,17}"
)
"""ISO/IEC 7812 numbers by the networks' prefixes and lengths, 13 to 19 digits."""
_MOST = 512
"""Separate groups of digits looked at in one text: a longer one is a table, not a value."""


def refused_category(text: str) -> str | None:
    """The category that keeps this text out, ``payment-card`` or ``national-id``; None when neither stands in it."""
    if (len(text) < _SHORTEST and text.isascii()) or text.isalpha():
        return None
    plain = unicodedata.normalize("NFKC", text)
    if not _LEAST.search(plain):
        return None
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    if any(_NETWORKS.fullmatch(number) and luhn(number) for number in _numbers(plain)):
        return CARD
    return NATIONAL if any(check(match) for shape, check in _SHAPES for match in shape.finditer(plain)) else None


def by_header(name: str) -> str | None:
    """The category that a column so named holds, where its name alone keeps it out."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = " ".join(re.findall(r"[^\W_]+", spaced.lower()))
    if _NATIONAL_HEADER.search(words):
        return NATIONAL
    if _CODE_HEADER.search(words):
        return SECURITY_CODE
    if _SECRET_HEADER.search(words) and not _NO_SECRET.search(words):
        return CREDENTIALS
    return CARD if _CARD_HEADER.search(words) and not _OTHER_CARD.search(words) else None


_NATIONAL_HEADER = re.compile(
    r"\b(?:ssn|soc(?:ial)? ?sec(?:urity)?|social insurance|sin(?: number| no)?$|national ?(?:id\b|insurance|identity|identification)"
    r"|nino|ni number"
    r"|nhs number|itin|tax ?payer id\w*|aadhaa?r|bsn|burgerservicenummer|personnummer|personal identity (?:code|number)|hetu|codice fiscale"
    r"|dni|nie|nif|nir|num[eé]ro de s[eé]curit[eé] sociale|cpf|curp|pesel|steuer ?id\w*|identity card|id card|sozialversicherungs\w*)\b"
)
_CARD_HEADER = re.compile(
    r"\b(?:(?:credit|debit|payment|bank) ?card|card ?(?:number|num|no|nr)|cc ?(?:number|num|no|nr)|ccn|pan|kreditkarte\w*"
    r"|carte bancaire|tarjeta de cr[eé]dito)\b"
)
_CODE_HEADER = re.compile(
    r"\b(?:cvv2?|cvc2?|cvn|cid code|card ?(?:security|verification) ?(?:code|value|number)|security ?code|pr[uü]fziffer)\b"
)
_SECRET_HEADER = re.compile(
    r"\b(?:pass ?words?|pass ?wd|pwd|pass ?phrases?|pass ?codes?|kennwort|passwort|mot de passe|contrase[nñ]a|pin(?: code| number)?$"
    r"|(?:api|secret|private) ?keys?|access ?tokens?|refresh ?tokens?)\b"
)
_NO_SECRET = re.compile(r"\b(?:hint|reset|changed|expires|expiry|last|policy|length)\b")
_OTHER_CARD = re.compile(r"\b(?:loyalty|business|library|member(?:ship)?|gift|club|bonus)\b")


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _numbers(text: str) -> Iterator[str]:
    """Every number of 13 to 19 digits that neighbouring groups of digits make, with spaces, dashes or dots between them or none."""
    for run in _DIGITS.finditer(text):
        groups = re.findall(r"\d+", run.group())[:_MOST]
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > 19:
                    break
                if len(number) >= 13:
                    yield number


def _day(text: str, form: str) -> bool:
    """Whether the digits are a day of the calendar; `form` orders them, as in ``ymd``."""
    parts = dict(zip(form, (int(text[at : at + 2]) for at in (0, 2, 4)), strict=True))
    try:
        date(2000 + parts["y"] % 100, parts["m"], parts["d"])
    except ValueError:
        return False
    return True


def _us(match: re.Match[str]) -> bool:
    """A social security number, or the number the revenue gives in its place (IRS Publication 1635)."""
    area, group, serial = match.groups()
    if serial == "0000" or group == "00" or area in ("000", "666"):
        return False
    return area < "900" or "50" <= group <= "65" or "70" <= group <= "88" or "90" <= group <= "92" or group >= "94"


def _spanish(match: re.Match[str]) -> bool:
    """DNI and NIE: the letter is the number modulo 23."""
    first, digits, letter = match.groups()
    number = int({"": "", "X": "0", "Y": "1", "Z": "2"}[first.upper()] + digits)
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter.upper()


def _french(match: re.Match[str]) -> bool:
    """NIR: the key is 97 less the number modulo 97; Corsica's departments count as 19 and 18."""
    text = re.sub(r"\W", "", match.group()).upper()
    body = text[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(text[13:])


_ODD = dict(zip("0123456789ABCDEFGHIJ", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2, strict=True)) | dict(
    zip("KLMNOPQRSTUVWXYZ", (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True)
)


def _italian(match: re.Match[str]) -> bool:
    """Codice fiscale: its last letter is the weighted sum of the others (D.M. 23/12/1976)."""
    text = match.group().upper()
    total = 0
    for place, sign in enumerate(text[:15]):
        total += (int(sign) if sign.isdigit() else ord(sign) - ord("A")) if place % 2 else _ODD[sign]
    return chr(ord("A") + total % 26) == text[15]


def _swedish(match: re.Match[str]) -> bool:
    """Personnummer: a day, a number and the Luhn digit."""
    day, number = match.groups()
    return _day(day, "ymd") and luhn(day + number)


def _finnish(match: re.Match[str]) -> bool:
    """Henkilötunnus: a day, a number, and the two together modulo 31."""
    day, number, sign = match.groups()
    return _day(day, "dmy") and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(day + number) % 31] == sign.upper()


def _brazilian(match: re.Match[str]) -> bool:
    """CPF: two check digits, modulo 11."""
    digits = [int(sign) for sign in match.group() if sign.isdigit()]
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        rest = sum(digit * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False)) * 10 % 11 % 10
        if rest != digits[length]:
            return False
    return True


def _always(match: re.Match[str]) -> bool:
    return True


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    (re.compile(r"(?<![\d-])(\d{3})-(\d{2})-(\d{4})(?![\d-])"), _us),
    # United Kingdom, national insurance number (HMRC NIM39110)
    (
        re.compile(r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", re.IGNORECASE),
        _always,
    ),
    (re.compile(r"(?<![\w.])([XYZ]?)-?(\d{8}|(?<=[XYZxyz])\d{7}|(?<=[XYZxyz]-)\d{7})[ -]?([A-HJ-NP-TV-Z])(?!\w)", re.IGNORECASE), _spanish),
    (
        re.compile(
            r"(?<![\d+])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\d|5[0-9]|[6-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\d)", re.IGNORECASE
        ),
        _french,
    ),
    (re.compile(r"(?<!\w)[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPR-T][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z](?!\w)", re.IGNORECASE), _italian),
    (re.compile(r"(?<!\d)(?:18|19|20)?(\d{6})[-+](\d{4})(?!\d)"), _swedish),
    (re.compile(r"(?<!\w)(\d{6})[-+A-FU-Y](\d{3})([\dA-FHJ-NPR-Y])(?!\w)", re.IGNORECASE), _finnish),
    (re.compile(r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"), _brazilian),
)

__all__ = ["CARD", "CREDENTIALS", "NATIONAL", "SECURITY_CODE", "by_header", "luhn", "refused_category"]

"""One spelling for each identifier, so that equal ones meet.

No message shows the value: it is personal data, and messages reach logs. Each function leaves its own result unchanged.
"""

from __future__ import annotations

import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from kept.core.errors import BadInput

LONGEST = 1024  # characters, of any identifier as it comes in


def email(text: str) -> str:
    """An email address for matching: NFKC, stripped, lower case in both parts, the domain in Unicode. Raises BadInput.

    Lower case in the local part merges addresses that RFC 5321 allows to differ and that no known provider tells apart.
    """
    folded = unicodedata.normalize("NFKC", _bounded(text, "email").strip().lower()).strip()
    try:
        address = validate_email(folded, check_deliverability=False).normalized
    except EmailNotValidError:
        raise BadInput(
            "This is not an email address that mail can be sent to.",
            place="email",
            cure="Write name@domain: no display name, no spaces, and no domain reserved for local use.",
        ) from None
    return unicodedata.normalize("NFKC", address.lower())


def phone(text: str, region: str) -> str:
    """A telephone number in E.164 (ITU-T), "+12125550123"; an extension follows as in RFC 3966, ";ext=7". Raises BadInput.

    `region` (ISO 3166, two letters) is where a number without "+" is dialled. The extension stays because two people behind one
    switchboard are two people. Length is checked, not assignment: new ranges are in use before any table knows them.
    """
    written = _dialled(unicodedata.normalize("NFKC", _bounded(text, "phone")), region.upper())
    if _dialled(written, None) != written:  # "000000" has a length that is possible, but is no number once written out
        raise _no_phone()
    return written


def source_id(text: str) -> str:
    """The identifier a source gave a record: NFC, stripped, otherwise as it came, case included. Raises BadInput."""
    identifier = unicodedata.normalize("NFC", _bounded(text, "source id").strip()).strip()
    if not identifier or any(unicodedata.category(character) in ("Cc", "Cs") for character in identifier):
        raise BadInput(
            "This identifier is empty or holds control characters.",
            place="source id",
            cure="Give the identifier the source uses, as printable text.",
        )
    return identifier


def _dialled(text: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise BadInput(
                "This telephone number does not say its country.",
                place="phone",
                cure="Write it with + and the country code, or give the region (two letters) it is dialled in.",
            ) from None
        raise _no_phone() from None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise _no_phone()
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def _bounded(text: str, place: str) -> str:
    if len(text) > LONGEST:
        raise BadInput(f"This is longer than {LONGEST} characters.", place=place, cure="Give one identifier only.")
    return text


def _no_phone() -> BadInput:
    return BadInput(
        "This is not a complete telephone number.",
        place="phone",
        cure="Write the whole number, with + and the country code or in national form.",
    )

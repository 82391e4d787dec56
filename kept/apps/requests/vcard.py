"""A person's contact data as vCard 4.0 (RFC 6350)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

FOLD_OCTETS = 75
"""A line has no more octets than this: RFC 6350, section 3.2."""
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n", "\r": None})


def vcard(person: Mapping[str, str], emails: Sequence[str], phones: Sequence[str], addresses: Sequence[Mapping[str, str]]) -> bytes:
    """One card. `person` and `addresses` are by the names that an import knows (``given_name``, ``street`` …); what is empty is left out.

    `birth_date` is ISO 8601; anything else is left out, since a card has no place for it.
    """
    lines = ["BEGIN:VCARD", "VERSION:4.0", *_lines(person, emails, phones, addresses), "END:VCARD"]
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _lines(
    person: Mapping[str, str], emails: Sequence[str], phones: Sequence[str], addresses: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    given, family, company = (person.get(name, "") for name in ("given_name", "family_name", "company"))
    # A card names somebody: section 6.2.1
    yield f"FN:{_text(' '.join(one for one in (given, family) if one) or company or next(iter((*emails, *phones)), ''))}"
    if given or family:
        yield f"N:{_text(family)};{_text(given)};;;"
    if _is_date(person.get("birth_date", "")):
        yield f"BDAY:{person['birth_date'].replace('-', '')}"
    for name, key in (("ORG", "company"), ("TITLE", "job_title")):
        if person.get(key):
            yield f"{name}:{_text(person[key])}"
    yield from (f"EMAIL:{_text(one)}" for one in emails)
    yield from (f"TEL;VALUE=text:{_text(one)}" for one in phones)
    for one in addresses:
        parts = (_text(one.get(part, "")) for part in ("street", "city", "state", "postcode", "country"))
        yield f"ADR:;;{';'.join(parts)}"


def _text(text: str) -> str:
    """A text value: section 3.4."""
    return text.translate(_ESCAPES)


def _is_date(text: str) -> bool:
    return len(text) == 10 and text[:4].isdigit() and text[4] == text[7] == "-" and text[5:7].isdigit() and text[8:].isdigit()


def _folded(line: str) -> str:
    """A long line over several, each of which begins with a space; a character is never cut."""
    lines, room = [""], FOLD_OCTETS
    for one in line:
        octets = len(one.encode())
        if octets > room:
            lines.append(" ")
            room = FOLD_OCTETS - 1
        lines[-1] += one
        room -= octets
    return "\r\n".join(lines)

"""Short notices for tests: a head, then the rules a test is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kept.core.errors import NoticeError
from kept.core.notice import ChoiceFact, Finding, Notice, Policy, SubjectFacts, check, compile, parse

NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)

HEAD = """```rule
notice = "test"
controller = "Test Ltd, 1 Test Lane"
contact = "privacy@test.example"
effective = 2026-03-01
authority = "the authority"
law = ["gdpr", "ccpa"]
```
"""

RIGHTS = (
    'right = "copy"\nkind = "access"\nverify = "sign-in"',
    'right = "mend"\nkind = "correct"\nverify = "sign-in"',
    'right = "wipe"\nkind = "erase"\nverify = "sign-in"',
    'right = "halt"\nkind = "restrict"',
    'right = "move"\nkind = "portability"\nverify = "sign-in"',
    'right = "fair"\nkind = "no-retaliation"',
)
# What a whole notice has, so that `check` finds nothing else.
WHOLE = (
    'role = "ours"\nis = "controller"',
    'collect = "form"\ncategories = ["name", "email"]\nfrom = "subject"\nfor = ["support"]',
    'purpose = "support"\ncategories = ["name", "email"]\nbasis = "contract"',
    'retain = "records"\ncategories = ["name", "email"]\nkeep = "1 year"\nafter = "last-activity"\nthen = "erase"',
    *RIGHTS,
)


def text(*parts: str) -> str:
    """A document: rules are fenced, headings and prose (which hold no ``=`` in their first line) stay as they are."""
    return HEAD + "".join(f"\n```rule\n{part}\n```\n" if "=" in part.split("\n")[0].split("{")[0] else f"\n{part}\n" for part in parts)


def notice(*parts: str) -> Notice:
    return parse(text(*parts))


def policy(*parts: str, bits: Mapping[str, int] | None = None) -> Policy:
    return compile(notice(*parts), bits=bits)


def malformed(*parts: str) -> tuple[Finding, ...]:
    """The findings for which a document is refused; none when it is not."""
    try:
        parse(text(*parts))
    except NoticeError as error:
        return error.findings
    return ()


def found(*parts: str) -> list[Finding]:
    return check(notice(*parts))


def facts(**known: object) -> SubjectFacts:
    return SubjectFacts(**({"now": NOW} | known))  # type: ignore[arg-type]


def given(at: datetime = NOW, until: datetime | None = None) -> ChoiceFact:
    return ChoiceFact("given", at, until)

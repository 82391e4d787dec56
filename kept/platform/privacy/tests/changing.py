"""A notice, and the version that follows it: a right reduced, a purpose added, retention shortened and lengthened, a recipient abroad."""

from __future__ import annotations

from kept.platform.privacy.testing import notice_text

CHANGES = """
## When this notice changes

We tell you of changes on our pages and by email, ten days before they take effect, and what we hold already stays under this version
until you agree.

```rule
change = "changes"
material = ["purposes", "categories", "recipients", "retention", "rights", "choices", "transfers"]
tell = ["banner", "email", "site", "feed"]
before = "10 days"
accept = "explicit"
reduce_rights = "explicit-consent"
```
"""
TITLES = """
## What you do

What you do in your firm we forget a year after we last had to do with each other.

```rule
retain = "titles"
categories = ["job-title"]
keep = "1 year"
after = "last-activity"
then = "nullify"
```
"""
RESEARCH = """
## Asking around

We ask people now and then what they think of our stairs, with their email address.

```rule
purpose = "research"
categories = ["email"]
basis = "legitimate-interest"
additional = "consent"
```
"""


def europe(text: str) -> str:
    """The example's notice under the law of Europe and the United Kingdom alone."""
    return text.replace(', "ccpa"]', "]")


def first(changes: str = CHANGES) -> str:
    """The notice people came under."""
    return europe(notice_text()) + TITLES + changes


def second(changes: str = CHANGES) -> str:
    """The version that follows."""
    text = europe(notice_text()) + TITLES.replace("1 year", "2 years").replace("a year", "two years") + changes + RESEARCH
    for before, after in (
        ('formats = ["html", "json", "csv"]', 'formats = ["html", "json"]'),
        ('keep = "3 years"', 'keep = "30 months"'),
        ('country = "GB"', 'country = "US"\nsafeguard = "scc"'),
    ):
        assert before in text
        text = text.replace(before, after)
    return text

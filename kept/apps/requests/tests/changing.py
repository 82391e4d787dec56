"""A workshop whose notice weighs objections, restricts on grounds, sells to an advertiser and tells recipients; and ways to ask there."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from django.test import Client
from django.utils import timezone

from kept.apps.contacts.models import Person
from kept.apps.requests import actions, jobs, queries
from kept.apps.requests.models import Kind, Request, State, Telling
from kept.apps.requests.tests.people import link_in, mail_to, requests_of
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast, stranger
from kept.platform.data.models import Subject
from kept.platform.jobs import worker
from kept.platform.privacy import choices, disclosures, notices
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.testing import notice_text

_RIGHTS = {
    'kind = "restrict"\n': 'kind = "restrict"\n'
    'grounds = ["contested", "unlawful", "claims-only", "pending-objection"]\n'
    'while = ["store", "consent", "claims", "others-rights", "public-interest"]\ntells = "recipients"\n',
    'kind = "object"\n': 'kind = "object"\ngrounds = ["particular-situation", "direct-marketing"]\nexcept = ["legal-claim"]\n',
    'kind = "correct"\n': 'kind = "correct"\ntells = "recipients"\n',
}
_MORE = """
You can take a consent back at any time, without proving who you are, and you can end the sale of your data the same way.

```rule
right = "withdrawal"
kind = "withdraw"
within = "2 days"
verify = "none"
channels = ["web", "email"]
```

```rule
right = "no-sale"
kind = "opt-out-sale"
within = "10 business days"
verify = "none"
channels = ["web", "email", "phone"]
consequence = "It reaches the records that we can tell are yours."
```

Our advertiser gets names and email addresses, which is a sale.

```rule
disclose = "advertiser"
to = "Brightlane Advertising"
class = "advertising-partner"
as = "controller"
categories = ["name", "email"]
for = ["direct-marketing"]
country = "GB"
sale = true
share = true
```

```rule
choice = "no-sale"
governs = ["sale", "sharing"]
default = "in"
ways = ["link", "signal", "email", "phone"]
effective_within = "0 days"
signals = ["gpc"]
opt_in = "two-step"
list = "do not sell or share"
ask_again_after = "12 months"
```

What you tell us of your health we use to build for you, and with your express consent to learn what people need. You can limit that.

```rule
collect = "health"
categories = ["health"]
from = "subject"
for = ["research"]
```

```rule
purpose = "research"
categories = ["name", "health"]
basis = "explicit-consent"
```

```rule
choice = "research"
governs = ["research"]
ways = ["settings", "email"]
effective_within = "0 days"
```

```rule
retain = "health"
categories = ["health"]
keep = "1 year"
after = "last-activity"
then = "erase"
```

```rule
right = "sensitive"
kind = "limit-sensitive"
within = "15 business days"
verify = "none"
channels = ["web", "email"]
```
"""


@cache
def weighing() -> str:
    """Its notice: Larch's, with more rules before those for California."""
    text = notice_text()
    for old, new in _RIGHTS.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    head, mark, tail = text.partition("## If you live in California")
    return head + _MORE + "\n" + mark + tail


def workshop(account: Account | None = None) -> Account:
    """An account, of its own unless one is given, under that notice."""
    account = account or cast().account
    notices.activate(account, weighing(), "command:test")
    return account


def settle() -> None:
    """Run what is due: answers, letters, liftings."""
    worker.run_due(timezone.now() + timedelta(seconds=9), jobs.answer, jobs.deliver, jobs.lift)


def ask(account: Account, kind: Kind, email: str, **told: str) -> tuple[Client, Request]:
    """A person fills in the form of the privacy centre, and opens the link where the notice wants that; their browser, the request."""
    browser, before = stranger(), len(mail_to(account, email))
    answer = browser.post(f"/{account.slug}/privacy/ask/{kind}/", {"email": email, "region": "GB", **told})
    assert answer.status_code == 302, answer.content
    return browser, _confirmed(account, browser, of_kind(account, kind), email, before)


def write(account: Account, kind: Kind, email: str, *, ground: str = "", **details: str) -> Request:
    """The same from somebody who fills in no form, as by mail: they may leave things out."""
    before = len(mail_to(account, email))
    made = actions.ask(account, kind, email, "GB", "fd00::1", ground=ground, details=details)
    assert made is not None
    return _confirmed(account, stranger(), made, email, before)


def _confirmed(account: Account, browser: Client, made: Request, email: str, before: int) -> Request:
    settle()
    if again(account, made).state == State.RECEIVED:
        answer = browser.post(link_in(mail_to(account, email)[before]))
        assert answer.status_code == 302, answer.content
        settle()
    return again(account, made)


def again(account: Account, request: Request) -> Request:
    """The request as it stands now."""
    return queries.by_reference(account.pk, request.reference)


def delivered(account: Account, subject_id: int) -> None:
    """The carrier gets somebody's name and address for a delivery."""
    with acting(account.pk, "job:delivery", "customer-relations") as use:
        people = list(Subject.under(use).filter(pk=subject_id))
        assert disclosures.disclose(use, "Severn Carriers", people, ["name", "postal-address"]).allowed


def told(account: Account, request: Request) -> set[tuple[str, str]]:
    """Who was written down to be told of a request, and what of."""
    with reserved(account.pk, "command:test", "rights") as use:
        return set(Telling.under(use).filter(request=request.reference).values_list("recipient", "what"))


def seen(account: Account, subject_id: int, purpose: str = "customer-relations") -> bool:
    """Whether the engine shows a person's record to whoever acts under a purpose."""
    with acting(account.pk, "member:1", purpose) as use:
        return bool(Person.under(use).filter(subject_id=subject_id).exists())


def stands(account: Account, subject_id: int) -> dict[str, tuple[str, bool]]:
    """What the person decided, as it is stored, which is what their ledger tells."""
    with reserved(account.pk, "command:test", "rights") as use:
        held = choices.held(use, subject_id)
        assert choices.replay(use, Subject.under(use).get(pk=subject_id).reference) == held
        return held


def entries(account: Account, request: Request) -> list[str]:
    """The kinds of the entries about a request, oldest first."""
    with reserved(account.pk, "command:test", "rights") as use:
        return [step.header.kind for step in reversed(queries.history(use, again(account, request)))]


def letters(account: Account, email: str) -> list[str]:
    """What lies in a person's mailbox, oldest first, without line breaks."""
    return [" ".join(text.split()) for text in mail_to(account, email)]


def of_kind(account: Account, kind: Kind) -> Request:
    """The newest request of a kind."""
    return next(one for one in reversed(requests_of(account)) if one.kind == kind)

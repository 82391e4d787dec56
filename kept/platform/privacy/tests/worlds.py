"""An account with people in it, and violations put in behind the enforcer's back, for the tests of provers and incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.utils import timezone

from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import OPEN_MASK, Use, writing
from kept.platform.privacy import ledger, notices, proofs, provenance, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.provers import PROVERS, Finding, Look
from kept.platform.privacy.testing import notice_text

CLUB = """
## The club

Members of our club have a number, which we keep to find their card again. It comes from the club's own books.

```rule
category = "club-number"
under = "identifier"
title = "Club number"
```

```rule
source = "club-books"
under = "partner"
title = "The books of the club"
```

```rule
collect = "club"
categories = ["name", "club-number"]
from = "club-books"
for = ["customer-relations"]
```

```rule
purpose = "club-care"
under = "customer-relations"
categories = ["name", "club-number"]
basis = "contract"
```

```rule
retain = "club"
categories = ["club-number"]
keep = "1 year"
after = "last-activity"
then = "erase"
```

## The harbour

What the harbour office tells us about a berth we use to look after it, and people of ours read it only when they must.

```rule
source = "harbour-office"
under = "partner"
title = "The harbour office"
```

```rule
collect = "berths"
categories = ["name", "postal-address", "ip-address"]
from = "harbour-office"
for = ["berth-care"]
regions = ["GB", "EEA", "US"]
```

```rule
purpose = "berth-care"
under = "service-provision"
categories = ["name", "email", "postal-address", "ip-address"]
basis = "contract"
by = ["owner", "privacy-lead"]
only_sources = ["harbour-office", "staff"]
needs = "instruction"
```

```rule
retain = "berths"
categories = ["ip-address"]
keep = "1 year"
after = "last-activity"
then = "erase"
```

```rule
limit = "berths"
applies_to = { source = "harbour-office" }
humans = { only_when = ["agreement", "law"] }
only_recipients = ["harbour-board"]
```

```rule
limit = "groups"
min_group = 5
```

```rule
limit = "networks"
truncate = ["ip-address"]
```

Harbour figures go to the board; our insurer in America gets your name when there is a claim.

```rule
disclose = "harbour-board"
to = "Harbour Board"
class = "vendor"
as = "processor"
categories = ["locality"]
for = ["customer-relations"]
country = "GB"
form = "aggregate"
```

```rule
disclose = "insurer"
to = "Atlantic Mutual"
class = "vendor"
as = "processor"
categories = ["name"]
for = ["customer-relations"]
country = "US"
safeguard = "scc"
agreement = "the policy of 2026"
needs = "reasoned"
```

```rule
transfer = "america"
from = ["GB"]
allow = [{ by = "scc", valid_until = 2099-12-31 }, "adequacy"]
```

Drawings go to the joiner you chose, if you say so.

```rule
disclose = "joiner"
to = "Tamar Joiners"
class = "vendor"
as = "processor"
categories = ["name"]
for = ["customer-relations"]
country = "GB"
needs = "consent"
```

```rule
choice = "joiner"
governs = ["disclose:joiner"]
default = "out"
effective_within = "0 days"
```

Our doors are locked.

```rule
secure = "workshop"
measures = [{ text = "The doors are locked at night.", owner = "Petra", reviewed = 2026-06-01 }]
tls = true
```

We do not work with children's data. Anything of theirs is erased within ten days.

```rule
age = "berths"
minimum = 18
below = "refuse"
on_discovery = "erase"
delete_within = "10 days"
```

When this notice changes we tell you.

```rule
change = "announcements"
material = ["purposes", "categories", "recipients", "retention", "rights"]
tell = ["site"]
accept = "explicit"
reduce_rights = "explicit-consent"
```
"""


@dataclass
class World:
    """An account, and what is in it. `dana` is a subject with a record that came in through `collect:workshop-notes`."""

    account: Account
    dana: Subject
    person: int
    points: list[int]

    def prove(self, name: str, *, bound: bool = True) -> Finding:
        """The finding of one rule, now; with `bound` false what its prover alone says, whatever else the deployment lacks."""
        policy = notices.policy_of(self.account.pk)
        rule = next(rule for rule in policy.notice.rules if rule.anchor == name)
        before = {proof.rule: proof for proof in proofs.latest(self.account.pk)}
        with reserved(self.account.pk, "command:test", "proof") as use:
            look = Look(policy, use, timezone.now(), before)
            return proofs.prove_rule(rule, look) if bound else PROVERS[rule.kind](rule, look)


def owner(sql: str, *values: str | int | datetime | None) -> None:
    """Through the connection of the tables' owner."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)


def models() -> Any:
    from django.apps import apps

    return apps.get_app_config("contacts")


def came_in(use: Use, source: str, rule: str, basis: str = "contract") -> int:
    return provenance.record(use, source=source, occasion="entered by hand", basis=basis, rule=rule)


def record(use: Use, subject: int, origin: int | None, at: datetime, born: str = "1980-02-03") -> int:
    names = ("subject", "given_name", "family_name", "birth_date", "provenance_id", "created_at", "changed_at")
    (made,) = values.insert(use, models().get_model("person"), names, [(subject, "Dana", "Marsh", born, origin, at, at)])
    return made


def point(use: Use, subject: int, person: int, value: str, category: str = "email", source: str = "staff", **more: Any) -> int:
    given = {"provenance_id": None, "fence": OPEN_MASK} | more
    names = ("subject", "person", "category", "source", "value", *given)
    (made,) = rows.insert(use, models().get_model("contactpoint"), names, [(subject, person, category, source, value, *given.values())])
    return made


def made(account: Account, at: datetime | None = None, born: str = "1980-02-03", origin: bool = True) -> World:
    """Dana, with a name, a sealed date of birth and an email address."""
    with reserved(account.pk, "command:test", "retention") as use, writing(use):
        (subject,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer("GB")])
        occasion = came_in(use, "staff", "collect:workshop-notes") if origin else None
        person = record(use, subject, occasion, at or timezone.now(), born)
        email = point(use, subject, person, "dana@quayside.example", provenance_id=occasion)
        return World(account, Subject.under(use).get(pk=subject), person, [email])


def bare() -> World:
    """An account with a notice and nobody in it."""
    account = cast().account
    notices.activate(account, notice_text() + CLUB, "command:test")
    return World(account, Subject(), 0, [])


def enter(account: Account, kind: str, **header: Any) -> int:
    """An entry of the ledger."""
    with bookkeeping(account.pk, writing=True) as use:
        return ledger.append(use, kind, **header).id

"""What an employer hears of its people: who of them has subscribed, and exactly that."""

from __future__ import annotations

import pytest

from kept.apps.contacts.models import Person
from kept.apps.requests import reports
from kept.apps.requests.tests.copying import account_with, agree, point
from kept.apps.requests.tests.people import Known, dana
from kept.core.errors import RoomClosed
from kept.platform.accounts.models import Account
from kept.platform.privacy import ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Disclosure, Entry

OUTLET = """disclose = "employer-subscribers"
to = "*"
bound_by = "employer"
class = "employer"
as = "controller"
categories = ["name", "email", "subscription"]
for = ["employer-report"]

purpose = "employer-report"
categories = ["name", "email", "subscription"]
basis = "legitimate-interest"

collect = "subscriptions"
categories = ["subscription"]
from = "subject"
for = ["employer-report"]

disclose = "carrier\""""


@pytest.fixture(scope="module")
def account() -> Account:
    return account_with({'disclose = "carrier"': OUTLET})


def company_of(account: Account, known: Known) -> int:
    with reserved(account.pk, "command:test", "rights") as use:
        return int(Person.under(use).get(subject_id=known.id).company_id or 0)


def entries(account: Account) -> int:
    with bookkeeping(account.pk) as use:
        return int(Entry.under(use).filter(kind="disclosure").count())


def test_an_employer_hears_who_of_its_people_subscribes_and_exactly_that(account: Account) -> None:
    known, other = dana(account), dana(account)
    point(account, known.id, "subscription", "Workshop, yearly", "subject")
    point(account, other.id, "subscription", "Workshop, monthly", "subject")
    (one,) = reports.subscribers(account, "job:test", company_of(account, known))
    family, email = known.values[:2]
    assert (one.name, one.emails, one.subscriptions) == (f"Dana {family}", (email,), ("Workshop, yearly",))
    told = str(one)
    assert not any(value in told for value in known.values[2:])
    with bookkeeping(account.pk) as use:
        header = ledger.header_of(Entry.under(use).filter(kind="disclosure").order_by("-id")[0])
        row = Disclosure.under(use).order_by("-id")[0]
    assert (header.subjects, header.categories) == ((known.reference,), ("email", "name", "subscription"))
    assert row.reason == f"company {company_of(account, known)}"


def test_who_has_not_subscribed_or_said_no_is_not_told_of(account: Account) -> None:
    known = dana(account)
    company, before = company_of(account, known), entries(account)
    assert reports.subscribers(account, "job:test", company) == ()
    point(account, known.id, "subscription", "Workshop, yearly", "subject")
    agree(account, known.id, "employer-report", "object")
    assert reports.subscribers(account, "job:test", company) == ()
    assert entries(account) == before


def test_a_notice_without_such_an_outlet_tells_employers_nothing() -> None:
    account = account_with()
    with pytest.raises(RoomClosed):
        reports.subscribers(account, "job:test", company_of(account, dana(account)))

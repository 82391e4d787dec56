"""The privacy centre and the page of a request as axe-core sees them, at both widths, light and dark."""

from __future__ import annotations

import pytest
from django.test import Client

from kept.apps.requests import actions
from kept.apps.requests.tests.people import dana, link_in, mail_to, requests_of, work
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy import notices
from tests.axe import faults, violations
from tests.plugin import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]


@pytest.fixture(scope="module")
def them() -> Cast:
    """A cast under the notice that offers the most."""
    made = cast()
    Account.objects.filter(pk=made.account.pk).update(region="US")
    made.account.refresh_from_db()
    notices.activate(made.account, (ROOT / "notices/concord/notice.md").read_text(encoding="utf-8"), "command:test")
    return made


def test_the_centre_and_what_is_filled_in(them: Cast) -> None:
    centre = f"/{them.account.slug}/privacy/"
    forms = [f"{centre}ask/{kind}/?region=US-CA" for kind in ("access", "correct", "object", "erase", "opt-out-sale")]
    sent = [f"{centre}sent/", f"{centre}sent/?kind=opt-out-sale&region=US-CA&next=at-once"]
    assert violations(stranger(), [centre, f"{centre}?region=US-CA", *forms, *sent]) == []
    wrong = stranger().post(f"{centre}ask/object/", {"email": "dana at"})
    assert faults({f"{centre}ask/object/": wrong.content.decode()}) == []


def test_the_settings(them: Cast) -> None:
    assert violations(client_for(them.alice), ["/settings/your-data/", f"/{them.account.slug}/privacy/ask/access/"]) == []


def opened(account: Account, email: str, kind: str, **told: str) -> tuple[Client, str, str]:
    """The browser, what the mailed link shows, and the page it leads to."""
    browser = stranger()
    browser.post(f"/{account.slug}/privacy/ask/{kind}/", {"email": email, "region": "US-CA", **told})
    work()
    link = link_in(mail_to(account, email)[-1])
    shown = browser.get(link).content.decode()
    return browser, shown, str(browser.post(link)["Location"]) if "/confirm/" in link else link


def test_the_page_of_a_request(them: Cast) -> None:
    account, known = them.account, dana(them.account, region="US-CA")
    browser, shown, page = opened(account, known.email, "access")
    pages = {page: browser.get(page).content.decode(), page + "link/": shown}
    wrong = browser.post(page + "facts/", {"name": "Nobody", "phone": "+1 614 555 0100"})
    pages[page + "facts/"] = wrong.content.decode()
    browser.post(page + "write/", {"text": "Which customer number?"})
    actions.write(account, Member.objects.get(account=account, user=them.petra).actor, requests_of(account)[-1], "The one on your bill.")
    facts = {"name": f"Dana {known.values[0]}", "phone": known.values[2]}
    assert browser.post(page + "facts/", facts).status_code == 302
    work()
    pages[page + "?ready"] = browser.get(page).content.decode()
    browser, _, page = opened(account, known.email, "choices")
    pages[page] = browser.get(page).content.decode()
    pages[page + "choose/"] = browser.post(page + "choose/", {"purpose": "sale", "on": "1"}).content.decode()
    other = dana(account, region="US-CA")
    browser, _, page = opened(account, other.email, "complain", text="Nobody answers.")
    pages[page] = browser.get(page).content.decode()
    assert faults(pages) == []

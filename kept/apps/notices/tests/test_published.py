"""The published notice, its tables from declarations and ledger, its exports, and what stands at well-known addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import connections
from django.utils import timezone
from openpyxl import load_workbook

from kept.apps.notices import tables, well_known
from kept.apps.notices.queries import published
from kept.core.errors import NotFound
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy import ledger, notices, versions
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Activation, NoticeVersion
from kept.platform.privacy.registry import registry
from kept.platform.privacy.testing import notice_text, with_notice

TABLES = 'tables = ["california", "processing", "subprocessors", "cookies"]\n'
HEAD = 'notice = "larch"\n'


def text(*more: str, head: str = TABLES) -> str:
    """The example notice, with more said in its head and further rules."""
    rules = "".join(f"\n## More\n\nMore is said.\n\n```rule\n{one}\n```\n" for one in more)
    written = notice_text().replace(HEAD, HEAD + head, 1) + rules
    assert written != notice_text()
    return written


HOSTING = (
    'disclose = "hosting"\nto = "Otter Hosting"\nclass = "service-provider"\nas = "processor"\ncategories = ["email"]\n'
    'for = ["customer-relations"]\ncountry = "GB"'
)


@pytest.fixture(scope="module")
def people() -> Cast:
    made = cast()
    notices.activate(made.account, text(), "command:test")
    with_notice(made.other)
    return made


@pytest.fixture
def account() -> Account:
    made = cast().account
    notices.activate(made, text(), "command:test")
    return made


def page(account: Account, path: str, status: int = 200) -> str:
    answer = stranger().get(f"/{account.slug}/{path}")
    assert answer.status_code == status
    said: str = answer.content.decode()
    return said


def done(account: Account, kind: str, **header: Any) -> None:
    with bookkeeping(account.pk, writing=True) as use:
        ledger.append(use, kind, **header)


# The page


def test_the_page_has_highlights_contents_and_whom_to_turn_to(people: Cast) -> None:
    said = page(people.account, "notice/")
    assert said.index("At a glance") < said.index('<article class="passages"')
    assert "changes nothing: the text counts" in said
    assert 'href="#collect:sign-up"' in said
    assert 'id="collect:sign-up"' in said
    assert '<h2 id="what-you-can-ask-of-us">' in said
    assert said.count('href="#what-you-can-ask-of-us"') == 2
    assert "if-you-live-in-california" not in said
    assert "if-you-live-in-california" in page(people.account, "notice/?region=US-CA")
    for path in ("california", "processing", "subprocessors", "cookies"):
        assert f'href="/{people.account.slug}/notice/{path}/"' in said
    assert "You can complain to" in said


def test_every_link_into_the_page_leads_somewhere(people: Cast) -> None:
    for region in ("", "?region=US-CA"):
        said = page(people.account, f"notice/{region}")
        ids = re.findall(r' id="([^"]+)"', said)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', said)) <= set(ids)


def test_a_supplement_shows_its_own_date() -> None:
    made = cast().account
    heading = "## If you live in California {region=US-CA}\n"
    rule = '\nIt has a date.\n\n```rule\nnotice = "larch"\neffective = 2026-05-04\n```\n'
    notices.activate(made, notice_text().replace(heading, heading + rule, 1), "command:test")
    said = page(made, "notice/?region=US-CA")
    assert re.search(r"This section is dated .*2026-05-04.*\.</p>", said)
    assert "This section is dated" not in page(made, "notice/")


# Who sees the tables


@pytest.mark.parametrize("path", ["california/", "processing/", "processing.xlsx", "subprocessors/", "subprocessors.atom", "cookies/"])
def test_a_table_that_the_notice_does_not_publish_is_the_teams(people: Cast, path: str) -> None:
    address = f"/{people.other.slug}/notice/{path}"
    assert stranger().get(address).status_code == 404
    assert client_for(people.alice).get(address).status_code == 404
    assert client_for(people.olga).get(address).status_code == 404
    assert client_for(people.charlie).get(address).status_code == 200
    assert stranger().get(f"/{people.account.slug}/notice/{path}").status_code == 200


# California: declarations and ledger


def test_a_disclosure_outside_the_declaration_shows_as_a_difference(account: Account) -> None:
    assert "Nothing was done that the notice did not declare" in page(account, "notice/california/")
    (outlet,) = notices.policy_of(account.pk).outlets.values()
    right = {"rule": outlet.rule.name, "recipient": outlet.to, "purpose": outlet.purposes[0], "categories": sorted(outlet.categories)[:1]}
    done(account, "disclosure", **right)
    assert tables.california(published(account.slug)).table.differences == ()
    assert outlet.to in page(account, "notice/california/")
    done(account, "disclosure", **right | {"recipient": "Unknown Traders", "rule": "disclose:nobody", "categories": ["email"]})
    (found,) = tables.california(published(account.slug)).table.differences
    assert (found.category, found.recipient, found.why, found.times) == ("email", "Unknown Traders", "recipient", 1)
    said = page(account, "notice/california/")
    assert "Something was done that the notice did not declare" in said
    assert "Unknown Traders" in said


def test_what_is_older_than_twelve_months_is_not_in_the_table(account: Account) -> None:
    done(account, "disclosure", rule="disclose:nobody", recipient="Unknown Traders", purpose="analytics", categories=["email"])
    with connections["owner"].cursor() as cursor:
        moment = timezone.now() - timedelta(days=400)
        cursor.execute("UPDATE privacy_entry SET at = %s WHERE account_id = %s AND kind = 'disclosure'", [moment, account.pk])
    assert tables.california(published(account.slug)).table.differences == ()


def test_a_disclosure_is_held_against_the_version_of_its_day(account: Account) -> None:
    notices.activate(account, text(HOSTING), "command:test")
    done(account, "disclosure", rule="disclose:hosting", recipient="Otter Hosting", purpose="customer-relations", categories=["email"])
    notices.activate(account, text(), "command:test")
    assert tables.california(published(account.slug)).table.differences == ()
    done(account, "disclosure", rule="disclose:hosting", recipient="Otter Hosting", purpose="customer-relations", categories=["email"])
    (found,) = tables.california(published(account.slug)).table.differences
    assert (found.recipient, found.times) == ("Otter Hosting", 1)


# Record, subprocessors, cookies


def test_the_workbook_holds_the_record_and_no_formula(people: Cast) -> None:
    answer = stranger().get(f"/{people.account.slug}/notice/processing.xlsx")
    assert answer.headers["Content-Disposition"].endswith('-record-of-processing.xlsx"')
    book = load_workbook(BytesIO(answer.content))
    rows = list(book["Processing"].iter_rows(values_only=True))
    assert rows[0][:3] == ("Purpose", "We are", "Lawful basis")
    purposes = notices.policy_of(people.account.pk).purposes
    assert [row[-1] for row in rows[1:]] == [one.rule.name for one in purposes.values()]
    for one in purposes.values():
        assert f'id="{one.rule.name}"' in page(people.account, "notice/processing/")


def test_a_text_that_looks_like_a_formula_stays_one() -> None:
    made = cast().account
    notices.activate(made, text().replace("Larch & Daughters, 4", "=1+1, 4", 1), "command:test")
    book = load_workbook(BytesIO(stranger().get(f"/{made.slug}/notice/processing.xlsx").content))
    cell = book.worksheets[0]["B2"]
    assert (cell.data_type, str(cell.value)[:4]) == ("s", "=1+1")


def test_the_feed_tells_who_comes_goes_and_is_announced(account: Account) -> None:
    assert "None since the first version" in page(account, "notice/subprocessors/")
    notices.activate(account, text(HOSTING), "command:test")
    later = timezone.now() + timedelta(days=30)
    change = 'change = "news"\nmaterial = ["recipients"]\ntell = ["site"]\nbefore = "30 days"\nreduce_rights = "explicit-consent"'
    notices.activate(account, text(HOSTING, change), "command:test")
    versions.decide(account, text(HOSTING.replace("Otter", "Badger"), change), "command:test")
    waiting = Activation.objects.get(account_id=account.pk, version_id=None)
    news = tables.subprocessor_news(account)
    assert [(one.change.processor.name, one.change.kind, one.coming) for one in news] == [
        ("Otter Hosting", "removed", True),
        ("Badger Hosting", "added", True),
        ("Otter Hosting", "added", False),
    ]
    assert news[1].since == waiting.effective_at
    assert abs(waiting.effective_at - later) < timedelta(days=1)
    feed = ET.fromstring(page(account, "notice/subprocessors.atom"))
    titles = [one.text for one in feed.iter("{http://www.w3.org/2005/Atom}title")][1:]
    assert titles == ["Otter Hosting goes", "Badger Hosting comes", "Otter Hosting comes"]
    summaries = [one.text or "" for one in feed.iter("{http://www.w3.org/2005/Atom}summary")]
    assert summaries[1].startswith(f"From {waiting.effective_at.date().isoformat()}.")
    said = page(account, "notice/subprocessors/")
    assert "announced" in said
    assert f'id="{news[0].id}"' in said


def test_the_cookie_list_is_made_of_the_tracker_rules() -> None:
    made = cast().account
    tracker = (
        'tracker = "counting"\nprovider = "us"\ncategories = ["country"]\nfor = ["analytics"]\nanonymised = true\n'
        'cookies = [{ name = "_count", keep = "6 months" }, "_visit"]\ngpc = "honour"'
    )
    notices.activate(made, text(tracker), "command:test")
    said = page(made, "notice/cookies/")
    assert "<code>_count</code>" in said
    assert "6 months" in said
    assert "until the browser is closed" in said
    assert "Global Privacy Control: honoured" in " ".join(said.split())


# Exports


def test_exports_name_the_address_of_the_notice(people: Cast) -> None:
    answer = stranger().get(f"/{people.account.slug}/notice.jsonld")
    assert answer.headers["Content-Type"] == "application/ld+json"
    assert answer.json()["@graph"][0]["@id"].endswith(f"/{people.account.slug}/notice/")
    manifest = json.loads(page(people.account, "notice.fides.yml"))
    assert manifest["system"][0]["privacy_policy"].endswith(f"/{people.account.slug}/notice/")


# Well-known addresses


@pytest.fixture
def heard() -> Iterator[None]:
    """A deployment that acts on the signal."""
    had = dict(registry.enforcers)
    registry.enforces("tests", "choice.signals=gpc")
    yield
    registry.enforcers = had


def test_the_signal_is_said_to_be_honoured_where_it_is(heard: None) -> None:
    made, other = cast().account, cast().account
    signal = 'choice = "signals"\ngoverns = ["analytics"]\nways = ["signal"]\nsignals = ["gpc"]\neffective_within = "0 days"'
    notices.activate(made, text(signal), "command:test")
    with_notice(other)
    version = NoticeVersion.objects.get(account_id=made.pk)
    answer = stranger().get(f"/{made.slug}/.well-known/gpc.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"gpc": True, "lastUpdate": version.activated_at.date().isoformat()}
    assert stranger().get(f"/{other.slug}/.well-known/gpc.json").json()["gpc"] is False
    registry.enforcers = {name: by for name, by in registry.enforcers.items() if not name.startswith("choice.signals")}
    assert stranger().get(f"/{made.slug}/.well-known/gpc.json").json()["gpc"] is False


def test_security_txt_says_where_to_report_and_until_when(people: Cast) -> None:
    answer = stranger().get(f"/{people.account.slug}/.well-known/security.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == f"mailto:{published(people.account.slug).notice.identity.address}"
    assert fields["Canonical"].endswith(f"/{people.account.slug}/.well-known/security.txt")
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=170) < expires - timezone.now() < timedelta(days=365)


def test_contacts_are_written_as_addresses() -> None:
    made = cast().account
    contact = (
        'contact = [{ for = ["everything"], via = "email", value = "privacy@larch.example" }, '
        '{ for = ["security"], via = "phone", value = "+44 117 555 0142" }, { for = ["security"], via = "post", value = "4 Quay Street" }]'
    )
    original = next(line for line in notice_text().splitlines() if line.startswith("contact = "))
    notices.activate(made, notice_text().replace(original, contact, 1), "command:test")
    assert "Contact: tel:+441175550142\nExpires" in page(made, ".well-known/security.txt")
    notices.activate(made, notice_text().replace(original, contact.replace('"phone"', '"fax"'), 1), "command:test")
    page(made, ".well-known/security.txt", 404)


def test_the_notice_for_machines_carries_the_key_that_signs(people: Cast) -> None:
    found = json.loads(page(people.account, ".well-known/privacy-notice.json"))
    version = NoticeVersion.objects.get(account_id=people.account.pk)
    assert (found["digest"], found["version"]) == (version.digest, 1)
    _private, public = ledger.signing_key(people.account.pk)
    assert found["key"] == {"id": public.id, "pem": public.to_pem()}
    assert page(people.account, ".well-known/ledger-key.pem") == public.to_pem()
    assert set(found["addresses"]) == {"notice", "text", "dpv", "fides", "key", "head", "consistency"}


def test_a_host_is_spoken_for_by_the_account_that_names_it(people: Cast) -> None:
    made, rival = cast().account, cast().account
    host = f"{made.slug}.example"
    notices.activate(made, text(head=f'sites = ["{host}"]\n'), "command:test")
    assert well_known.of_host(f"www.{host}:8000", "kept.example").account == made
    assert well_known.of_host(host.upper(), "kept.example").account == made
    for other in (f"not{host}", "example", "unnamed.example", ""):
        with pytest.raises(NotFound):
            well_known.of_host(other, "kept.example")
    with pytest.raises(NotFound):  # nobody of several claims the host's own name
        well_known.of_host(host, host)
    notices.activate(rival, text(head=f'sites = ["{host}"]\n'), "command:test")
    with pytest.raises(NotFound):  # two claim it
        well_known.of_host(host, "kept.example")


@pytest.mark.parametrize("name", ["gpc.json", "security.txt", "privacy-notice.json", "ledger-key.pem"])
def test_the_root_of_a_host_answers_for_its_account(name: str) -> None:
    made = cast().account
    notices.activate(made, text(head='sites = ["testserver"]\n'), "command:test")
    try:
        own = stranger().get(f"/{made.slug}/.well-known/{name}")
        root = stranger().get(f"/.well-known/{name}")
        assert root.status_code == 200
        if name != "security.txt":
            assert root.content == own.content
        assert root.headers["Cache-Control"] == "public, max-age=3600"
    finally:
        notices.activate(made, text(), "command:test")
    assert stranger().get(f"/.well-known/{name}").status_code == 404

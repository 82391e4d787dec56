"""The pages: who reaches which, and what they say."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from kept.apps.notices import actions, jobs, queries
from kept.core import ledger as core
from kept.core.errors import NotFound
from kept.platform.accounts.queries import membership
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.jobs.models import Job
from kept.platform.jobs.worker import run_due
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Proof
from kept.platform.privacy.testing import notice_text, someone, with_notice

EVERYBODY = {"alice": 200, "petra": 200, "bob": 200, "rolf": 200, "charlie": 200, "olga": 200, "": 200}
TEAM = {"alice": 200, "petra": 200, "bob": 200, "rolf": 200, "charlie": 404, "olga": 404, "": 302}
TABLE = TEAM | {"": 404}
"""A table that the notice does not publish."""
LEADS = TEAM | {"bob": 403, "rolf": 403}
ADDRESSES = {
    ("GET", "notice/"): EVERYBODY,
    ("GET", "notice/?region=US-CA"): EVERYBODY,
    ("GET", "notice.md"): EVERYBODY,
    ("GET", "notice/california/"): TABLE,
    ("GET", "notice/processing/"): TABLE,
    ("GET", "notice/processing.xlsx"): TABLE,
    ("GET", "notice/subprocessors/"): TABLE,
    ("GET", "notice/subprocessors.atom"): TABLE,
    ("GET", "notice/cookies/"): TABLE,
    ("GET", "notice.jsonld"): EVERYBODY,
    ("GET", "notice.fides.yml"): EVERYBODY,
    ("GET", ".well-known/gpc.json"): EVERYBODY,
    ("GET", ".well-known/security.txt"): EVERYBODY,
    ("GET", ".well-known/privacy-notice.json"): EVERYBODY,
    ("GET", ".well-known/ledger-key.pem"): EVERYBODY,
    ("GET", "privacy-ledger/heads.json"): EVERYBODY,
    ("GET", "privacy-ledger/consistency.json"): dict.fromkeys(EVERYBODY, 400),
    ("GET", "promises/"): EVERYBODY,
    ("GET", "promises/age:sixteen/evidence.json"): EVERYBODY,
    ("GET", "promise-desk/"): TEAM,
    ("POST", "promise-desk/prove/"): LEADS | {"alice": 302, "petra": 302},
    ("GET", "promise-desk/prove/"): LEADS | {"alice": 405, "petra": 405},
    ("GET", "promise-desk/run/{job}/"): TEAM,
    ("GET", "promise-desk/run/999999999/"): TEAM | dict.fromkeys(("alice", "petra", "bob", "rolf"), 404),
    ("GET", "promise-desk/visibility/"): LEADS | {"alice": 405, "petra": 403},
    ("POST", "promise-desk/visibility/"): LEADS | {"alice": 302, "petra": 403},
    ("GET", "promise-desk/incidents/999999999/"): TEAM | dict.fromkeys(("alice", "petra", "bob", "rolf"), 404),
    ("POST", "promise-desk/incidents/999999999/act/"): LEADS | {"alice": 404, "petra": 404},
    ("GET", "promise-desk/gaps/"): TEAM,
    ("GET", "promise-desk/choices/"): TEAM,
    ("GET", "notice-editor/"): LEADS,
    ("POST", "notice-editor/"): LEADS | {"alice": 302, "petra": 302},
    ("GET", "notice-editor/999999999/"): LEADS | {"alice": 404, "petra": 404},
    ("POST", "notice-editor/999999999/look/"): LEADS | {"alice": 404, "petra": 404},
    ("POST", "notice-editor/999999999/save/"): LEADS | {"alice": 404, "petra": 404},
    ("POST", "notice-editor/999999999/step/"): LEADS | {"alice": 400, "petra": 400},
    ("POST", "notice-editor/999999999/approval/"): LEADS | {"alice": 400, "petra": 400},
    ("GET", "promise-desk/retention/"): LEADS,
    ("GET", "promise-desk/versions/"): TEAM,
    ("GET", "promise-desk/versions/new/"): LEADS | {"petra": 403},
    ("POST", "promise-desk/versions/stop/"): LEADS | {"alice": 409, "petra": 403},
    ("GET", "notice/versions/"): EVERYBODY,
    ("GET", "notice/versions.atom"): EVERYBODY,
    ("GET", "notice/agree/x/"): dict.fromkeys(EVERYBODY, 404),
}
"""Each address with the answer to everyone."""


@pytest.fixture(scope="module")
def people() -> Cast:
    made = cast()
    with_notice(made.account)
    with_notice(made.other)
    someone(made.account, "dana.pages@quayside.example")
    actions.prove(made.account)
    ledger.sequence(made.account.pk)
    return made


@pytest.fixture
def job(people: Cast) -> Job:
    """A proof that waits."""
    jobs.prove.enqueue(account_id=people.account.pk)
    found = queries.proving(people.account.pk)
    assert found is not None
    return found


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_who_reaches_what(people: Cast, job: Job, who: str, method: str, path: str) -> None:
    client = client_for(getattr(people, who)) if who else stranger()
    response = client.generic(method, f"/{people.account.slug}/{path.format(job=job.pk)}")
    assert response.status_code == ADDRESSES[method, path][who]
    if response.status_code == 302 and not who:
        assert response.headers["Location"].startswith("/sign-in/?next=")


def test_every_address_of_the_room_is_in_the_table() -> None:
    from kept.apps.notices.urls import urlpatterns

    shapes = {re.sub(r"<[^>]+>", "[^/]+", str(one.pattern).removeprefix("<slug:slug>/")) for one in urlpatterns}
    listed = {path.partition("?")[0] for _, path in ADDRESSES}
    assert all(any(re.fullmatch(shape, path) for path in listed) for shape in shapes)


def text(people: Cast, path: str, who: str = "") -> str:
    client = client_for(getattr(people, who)) if who else stranger()
    said: str = client.get(f"/{people.account.slug}/{path}").content.decode()
    return said


def test_the_notice_is_read_in_order_with_a_mark_beside_each_promise(people: Cast) -> None:
    whole = text(people, "notice/")
    page = whole.partition('<article class="passages"')[2]
    assert page.index("We never take card numbers") < page.index("We do not work with the data") < page.index("Who else sees it")
    assert "```" not in page
    assert "under 16, closed to every use" in page or "nobody is known to be too young" in page
    assert 'href="/{slug}/promises/#choice:marketing-mail"'.replace("{slug}", people.account.slug) in page
    assert 'id="collect:sign-up"' in page
    assert '/notice/?region=US-CA"' in whole
    assert "ten business days" not in page


def test_the_supplement_is_shown_to_those_it_is_for(people: Cast) -> None:
    page = text(people, "notice/?region=US-CA")
    assert "within ten business days" in page
    assert "California Privacy Protection Agency" in page
    assert text(people, "notice/?region=FR").count("ten business days") == 0


def test_the_copy_for_machines_is_the_text_in_force_and_earlier_ones_stay(people: Cast) -> None:
    account = cast().account
    with_notice(account)
    notices.activate(account, notice_text() + "\n## More\n\n" + 'Thank you.\n\n```rule\nstatement = "thanks"\n```\n', "command:test")
    client = stranger()
    assert client.get(f"/{account.slug}/notice.md").content.decode().endswith('statement = "thanks"\n```\n')
    assert client.get(f"/{account.slug}/notice.md?version=1").content.decode() == notice_text()
    assert client.get(f"/{account.slug}/notice.md?version=3").status_code == 404
    assert client.get(f"/{account.slug}/notice.md?version=x").status_code == 404


def test_where_there_is_no_notice_there_is_no_page() -> None:
    account = cast().account
    for path in ("notice/", "notice.md", "promises/", "promises/age:sixteen/evidence.json"):
        assert stranger().get(f"/{account.slug}/{path}").status_code == 404
    with pytest.raises(NotFound):
        queries.published("nobody-is-here")


def test_every_promise_is_listed_in_its_words_and_statements_are_not(people: Cast) -> None:
    page = text(people, "promises/")
    here = queries.published(people.account.slug)
    found = queries.promises(here)
    assert [one.rule for one in found if one.kind == "statement"] == []
    assert len(found) == sum(rule.kind != "statement" for rule in here.notice.rules)
    assert page.count('<svg class="history"') == len(found)
    for one in found:
        assert f'id="{one.rule}"' in page
    assert found[0].words


def test_evidence_is_a_file_that_verifies(people: Cast) -> None:
    response = stranger().get(f"/{people.account.slug}/promises/purpose:customer-relations/evidence.json")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{people.account.slug}-purpose-customer-relations.json"'
    shown = response.json()
    assert shown["state"] == "kept"
    _, key = ledger.signing_key(people.account.pk)
    assert core.verify_receipt(core.encode(shown["receipt"]), key).state == "valid"
    assert stranger().get(f"/{people.account.slug}/promises/purpose:astrology/evidence.json").status_code == 404


def test_a_proof_too_old_counts_as_none() -> None:
    account = with_notice(cast().account)
    actions.prove(account)
    here = queries.published(account.slug)
    assert queries.summary(queries.promises(here)).kept >= 2
    with bookkeeping(account.pk, writing=True) as use:
        Proof.under(use).update(at=timezone.now() - timedelta(days=4))
    found = queries.promises(here)
    assert {one.state for one in found} == {"unproven"}
    assert found[0].said.startswith("Not looked at for some days.")
    assert queries.summary(found).share == 1.0


def test_the_share_counts_broken_days(people: Cast) -> None:
    account = with_notice(cast().account)
    here = queries.published(account.slug)
    assert queries.summary(queries.promises(here)).share is None
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE privacy_noticeversion SET digest = '' WHERE account_id = %s", [account.pk])
    report = actions.prove(account)
    assert [line.rule for line in report.broken] == ["notice:larch"]
    found = queries.summary(queries.promises(here))
    assert (found.broken, found.share) == (1, 0.5)
    page = client_for(people.alice).get(f"/{account.slug}/promises/").content.decode()
    assert "Broken" in page


def test_the_lead_proves_from_the_desk(people: Cast) -> None:
    run_due(timezone.now(), jobs.prove)
    client, member = client_for(people.petra), membership(people.petra, people.account.slug)
    address = f"/{people.account.slug}/promise-desk/"
    client.post(f"{address}prove/")
    waiting = queries.proving(people.account.pk)
    assert waiting is not None
    assert waiting.arguments == {"account_id": people.account.pk, "member_id": member.pk}
    page = client.get(address).content.decode()
    assert f"run/{waiting.pk}/" in page
    assert "Proving the promises" in client.get(f"{address}run/{waiting.pk}/").content.decode()
    assert run_due(timezone.now(), jobs.prove) == 1
    done = client.get(f"{address}run/{waiting.pk}/", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == address
    assert client.get(f"{address}run/{waiting.pk}/").headers["Location"] == address
    assert "Proving the promises" not in client.get(address).content.decode()


def test_references_are_for_the_team_only(people: Cast) -> None:
    account, dana = people.other, someone(people.other, "dana.references@quayside.example")
    bit = 1 << notices.policy_of(account.pk).bits["direct-marketing"]
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE data_subject SET permits = permits | %s WHERE id = %s", [bit, dana.id])
        cursor.execute("SELECT reference FROM data_subject WHERE id = %s", [dana.id])
        (reference,) = cursor.fetchone()
    # A permission that does not follow from what somebody said also breaks the promise to treat everybody alike.
    assert {line.rule for line in actions.prove(account).broken} == {"purpose:direct-marketing", "right:fair-treatment@US-CA"}
    assert reference in client_for(people.charlie).get(f"/{account.slug}/promise-desk/").content.decode()
    for path in ("promises/", "notice/", "promises/purpose:direct-marketing/evidence.json"):
        assert reference not in stranger().get(f"/{account.slug}/{path}").content.decode()


def test_the_desk_tells_of_the_last_night_and_leads_to_each_rule(people: Cast) -> None:
    assert "Retention has not run yet." in text(people, "promise-desk/retention/", "petra")
    jobs.retain.enqueue(account_id=people.account.pk)
    run_due(timezone.now(), jobs.retain)
    page = text(people, "promise-desk/retention/", "petra")
    assert "nothing was past its date" in page
    assert f'href="/{people.account.slug}/notice/#retain:customer-records"' in page


def test_the_desk_shows_what_retention_will_do_and_does_nothing(people: Cast) -> None:
    page = text(people, "promise-desk/retention/", "petra")
    assert "retain:customer-records" in page
    assert "nothing held yet" in page
    assert "retain:requests" in page
    assert text(people, "promise-desk/versions/", "rolf").count("in force") >= 1

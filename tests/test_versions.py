"""A version that reduces a right, adds a purpose, shortens and lengthens retention and moves a recipient abroad, from the preview to one
person's agreement; and the process that dies on the way."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kept.apps.contacts.models import ContactPoint, Person
from kept.apps.notices import editor
from kept.apps.notices import versions as room
from kept.apps.notices.versions_history import token
from kept.apps.requests.models import OutboxMessage
from kept.apps.requests.tests.people import Known, dana, mail_to
from kept.core.notice import Ask, SubjectFacts
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import membership
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import erasure, ledger, notices, retention, versions
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Activation, Entry
from kept.platform.privacy.tests.changing import first, second

ACTOR = "command:test"


def opened() -> tuple[Cast, Known, Known]:
    """An account under its first notice, with Dana and Tom."""
    people = cast()
    notices.activate(people.account, first(), ACTOR)
    return people, dana(people.account), dana(people.account, given="Tom")


def agreed(people: Cast, text: str) -> None:
    """Petra proposes a text, and Alice approves it."""
    petra, alice = (membership(one, people.account.slug) for one in (people.petra, people.alice))
    draft = editor.start(people.account, petra.actor.reference, text)
    editor.propose(people.account, petra, draft.pk, draft.revision)
    editor.approve(people.account, alice, draft.pk)


def subject(account: Account, known: Known) -> Subject:
    with reserved(account.pk, ACTOR, "rights") as use:
        return Subject.under(use).get(pk=known.id)


def steps(account: Account) -> list[tuple[str, str | None]]:
    """The account's entries about its notice, and acceptances, oldest first: kind and whom they name."""
    with bookkeeping(account.pk) as use:
        entries = list(Entry.under(use).filter(kind__in=("account", "acceptance")).order_by("id"))
    return [(header.kind, header.request) for header in map(ledger.header_of, entries)]


def due(account: Account) -> None:
    """The day it was announced for has come."""
    Activation.objects.filter(account_id=account.pk, finished_at=None).update(effective_at=timezone.now())


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def aged(account: Account, known: Known, days: int) -> None:
    """We last had to do with them so long ago."""
    with reserved(account.pk, ACTOR, "rights") as use, writing(use):
        Person.under(use).filter(subject_id=known.id).update(changed_at=timezone.now() - timedelta(days=days))


def held(account: Account, known: Known) -> str | None:
    """Their job title; None when they are erased."""
    with reserved(account.pk, ACTOR, "rights") as use:
        return Person.under(use).filter(subject_id=known.id).values_list("job_title", flat=True).first()


def test_previewed_activated_told_and_agreed_by_one() -> None:
    people, known, tom = opened()
    account, alice = people.account, client_for(people.alice)
    new = f"/{account.slug}/promise-desk/versions/new/"

    # Agreed on by two, and previewed: nothing changes.
    agreed(people, second())
    page = text(alice.post(new, {"text": second()}))
    for said in (
        "We use data for a further purpose: Research",
        "Your right to a copy can no longer be used by csv.",
        "before 3 years after",
        "We keep job title 2 years after",
        "Severn Carriers holds data in US too.",
        "stay under their version until they agree",
        "Put it in force",
    ):
        assert said in page, said
    assert notices.in_force(account.pk).number == 1

    # Decided, told, and not in force before it was said.
    alice.post(new, {"text": second(), "decide": "yes"})
    room.bring_about(account.pk)
    assert notices.in_force(account.pk).number == 1
    public = text(stranger().get(f"/{account.slug}/privacy/"))
    assert "Our privacy notice changes on" in public
    (letter,) = mail_to(account, known.email)
    assert "Severn Carriers holds data in US too." in letter
    link = re.search(r"/[\w-]+/notice/agree/\S+", letter)
    assert link
    room.bring_about(account.pk)
    assert len(mail_to(account, known.email)) == 1

    # In force: data held already stays under the older version.
    due(account)
    room.bring_about(account.pk)
    assert notices.in_force(account.pk).number == 2
    ruling, facts = notices.ruling(account.pk), SubjectFacts(timezone.now(), "GB")
    assert subject(account, known).notice_version == subject(account, tom).notice_version == 1
    with acting(account.pk, ACTOR, "research") as use:
        assert not ContactPoint.under(use).exists()
    abroad = Ask("customer-relations", "name", recipient="Severn Carriers")
    assert not ruling.over(1).decide(abroad, facts).allowed
    assert ruling.over(2).decide(abroad, facts).allowed

    # One person agrees, by the link of the letter.
    visitor = stranger()
    page = text(visitor.get(link[0]))
    assert "I agree to the new notice" in page
    assert subject(account, known).notice_version == 1
    assert "You are under this version" in text(visitor.post(link[0], follow=True))
    assert subject(account, known).notice_version == 2
    assert subject(account, tom).notice_version == 1
    with acting(account.pk, ACTOR, "research") as use:
        assert set(ContactPoint.under(use).values_list("subject_id", flat=True)) == {known.id}

    # All of it stands in the ledger and on the public page.
    digest = notices.in_force(account.pk).digest[:32]
    assert Counter(steps(account))["account", digest] >= 4  # decided, told (each batch, and all), in force
    assert Counter(steps(account))["acceptance", digest] == 1
    assert ledger.faults(account.pk) == []
    page = text(stranger().get(f"/{account.slug}/notice/versions/"))
    assert 'id="version-2"' in page
    assert "Severn Carriers holds data in US too." in page
    feed = text(stranger().get(f"/{account.slug}/notice/versions.atom"))
    assert feed.startswith("<?xml")
    assert "Version 2" in feed


def test_each_person_is_kept_as_long_as_their_version_says() -> None:
    people, known, tom = opened()
    account = people.account
    notices.activate(account, second(), ACTOR)
    with reserved(account.pk, ACTOR, "rights") as use:
        versions.agree(use, Subject.under(use).get(pk=tom.id))
    aged(account, known, 400)
    aged(account, tom, 400)
    outcomes = retention.run(account.pk, timezone.now(), dry_run=True)
    assert ("retain:titles", 1, {"contacts_person": 1}) in [(one.rule, one.version, dict(one.rows)) for one in outcomes]
    retention.run(account.pk, timezone.now())
    assert held(account, known) == ""  # a year, as the version says that she is under
    assert held(account, tom) in tom.values  # two years, as the version says that he agreed to
    aged(account, known, 950)
    retention.run(account.pk, timezone.now())
    assert held(account, known) is None  # thirty months now, for everybody
    assert held(account, tom) in tom.values


def test_values_held_already_come_under_a_limit_that_is_added() -> None:
    people, known, _ = opened()
    rule = 'limit = "old-books"\napplies_to = { source = "import" }\nnever = ["analytics"]'
    limit = f"\n## Old books\n\nWe never count what came from the old books.\n\n```rule\n{rule}\n```\n"
    notices.activate(people.account, first() + limit, ACTOR)
    with reserved(people.account.pk, ACTOR, "rights") as use:
        fences = set(ContactPoint.under(use).filter(subject_id=known.id).values_list("fence", flat=True))
    bit = notices.policy_of(people.account.pk).bits["analytics"]
    assert fences
    assert not any(fence >> bit & 1 for fence in fences)


def test_letters_about_versions_go_with_the_person() -> None:
    people, known, _ = opened()
    account = people.account
    room.decide(account, second(), ACTOR)
    room.bring_about(account.pk)
    assert mail_to(account, known.email)
    done = erasure.erase(account.pk, ACTOR, known.id, os.urandom(16).hex(), "right:erasure")
    assert done.certificate
    assert mail_to(account, known.email) == []
    with bookkeeping(account.pk) as use:
        assert OutboxMessage.under(use).filter(letter="version", sealed__isnull=True).count() == 1


def test_the_link_of_another_account_leads_nowhere() -> None:
    people, known, _ = opened()
    other, _, _ = opened()
    link = token(people.account.pk, known.reference)
    assert stranger().get(f"/{people.account.slug}/notice/agree/{link}/").status_code == 200
    assert stranger().get(f"/{other.account.slug}/notice/agree/{link}/").status_code == 404
    assert stranger().get(f"/{people.account.slug}/notice/agree/{link}x/").status_code == 404


def killed(at: str, account: Account) -> None:
    """Carry the version on in another process, which dies at the fault point."""
    command = [sys.executable, "-m", "kept.apps.notices.tests.process", str(account.pk)]
    done = subprocess.run(command, env={**os.environ, "KEPT_FAULT": at}, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("at", [*(f"versions:{step}" for step in ("written", "told", "strict", "flipped", "moving")), "outbox:delivered"])
def test_whoever_comes_next_carries_on(at: str) -> None:
    people, known, tom = opened()
    account = people.account
    decided = room.decide(account, second(), ACTOR)
    due(account)
    killed(at, account)
    purpose = notices.policy_of(account.pk).bits.get("research")
    if purpose is not None:
        assert not subject(account, known).permits >> purpose & 1
    while (done := room.bring_about(account.pk)) is not None and done.finished_at is None:
        continue
    decided.refresh_from_db()
    assert (decided.version_id, decided.told) == (notices.in_force(account.pk).pk, 2)
    assert notices.in_force(account.pk).number == 2
    assert [len(mail_to(account, one.email)) for one in (known, tom)] == [1, 1]
    assert subject(account, known).notice_version == 1
    digest = decided.digest[:32]
    assert Counter(steps(account))["account", digest] == 4
    assert ledger.faults(account.pk) == []

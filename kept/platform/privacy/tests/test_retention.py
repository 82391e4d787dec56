"""Retention: what has passed its date goes, all of it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from kept.core.errors import NotFound
from kept.core.notice import Duration
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, clocks, erasure, ledger, notices, proofs, retention, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice, Entry, Erasure, Suppression
from kept.platform.privacy.registry import Clock, registry
from kept.platform.privacy.testing import notice_text

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=4 * 366)
LATELY = NOW - timedelta(days=2 * 366)
TITLES = """
## Titles

Your place in the firm is forgotten a year after we last had to do with each other.

```rule
retain = "titles"
categories = ["job-title", "phone"]
keep = "1 year"
after = "last-activity"
then = "nullify"
```
"""
SHORT = """
## Notes

Telephone numbers are erased a year after we last had to do with each other.

```rule
retain = "phones"
categories = ["job-title", "phone"]
keep = "1 year"
after = "last-activity"
then = "erase"
```
"""


def account(more: str = "") -> Account:
    made = cast().account
    notices.activate(made, notice_text() + more, "command:test")
    return made


def person(account: Account, at: datetime) -> Subject:
    """Somebody with a record last touched at a time, a telephone number and an email address."""
    contacts: Any = apps.get_app_config("contacts")
    with reserved(account.pk, "command:test", "retention") as use, writing(use):
        (subject,) = subjects.add(use, notices.policy_of(account.pk), [subjects.Newcomer("GB")])
        subjects.identify(use, subject, [("phone", subjects.digest(account.pk, "phone", f"+4411755501{subject % 100:02}", "GB"))])
        names = ("subject", "given_name", "job_title", "birth_date", "created_at", "changed_at")
        (row,) = values.insert(use, contacts.get_model("person"), names, [(subject, "Dana", "Joiner", "1980-02-03", at, at)])
        points = [(subject, row, "email", "staff", "dana@quayside.example"), (subject, row, "phone", "staff", "+441175550142")]
        values.insert(use, contacts.get_model("contactpoint"), ("subject", "person", "category", "source", "value"), points)
        return Subject.under(use).get(pk=subject)


def held(account: Account) -> dict[str, list[str]]:
    """What is held of everybody, by reference: given name, job title, contact points."""
    contacts: Any = apps.get_app_config("contacts")
    with reserved(account.pk, "command:test", "proof") as use:
        found = {
            one.pk: (one.reference, [row.given_name, row.job_title])
            for row in contacts.get_model("person").under(use)
            for one in [row.subject]
        }
        for point in contacts.get_model("contactpoint").under(use).order_by("pk"):
            found[point.subject_id][1].append(point.category)
    return dict(found.values())


def outcomes(found: list[retention.Outcome]) -> dict[str, tuple[int, dict[str, int]]]:
    """What was asked for, by rule; rules of the example that find nothing here are left out."""
    of = [one for one in found if one.measured and not (one.nothing and one.rule == "retain:requests")]
    return {one.rule: (one.people, dict(one.rows)) for one in of}


def test_people_past_their_date_are_erased_whole_and_others_stay() -> None:
    here = account()
    gone, stays = person(here, LONG_AGO), person(here, LATELY)
    with reserved(here.pk, "command:test", "rights") as use:
        choices.choose(use, gone, "object", "analytics")
    expected: dict[str, tuple[int, dict[str, int]]] = {"retain:customer-records": (1, {})}
    assert outcomes(retention.run(here.pk, NOW, dry_run=True)) == expected
    assert set(held(here)) == {gone.reference, stays.reference}
    assert outcomes(retention.run(here.pk, NOW)) == expected
    assert set(held(here)) == {stays.reference}
    with bookkeeping(here.pk) as use:
        assert [(row.rule, row.reference) for row in Erasure.under(use)] == [("retain:customer-records", gone.reference)]
        assert not Choice.under(use).exists()
        assert Suppression.under(use).count() == 1
        entries = [ledger.header_of(row) for row in Entry.under(use).filter(kind="retention")]
    assert [(entry.rule, entry.subjects) for entry in entries] == [("retain:customer-records", (gone.reference,))]
    assert outcomes(retention.run(here.pk, NOW)) == {"retain:customer-records": (0, {})}


def test_a_rule_that_empties_leaves_the_record() -> None:
    here = account(TITLES)
    early, late = person(here, LATELY), person(here, NOW)
    found = outcomes(retention.run(here.pk, NOW))
    assert found["retain:titles"] == (0, {"contacts_contactpoint": 1, "contacts_person": 1})
    assert held(here) == {early.reference: ["Dana", "", "email"], late.reference: ["Dana", "Joiner", "email", "phone"]}
    assert outcomes(retention.run(here.pk, NOW, dry_run=True))["retain:titles"] == (0, {})


def test_where_another_rule_still_keeps_something_only_what_is_named_goes() -> None:
    here = account(SHORT)
    early, gone = person(here, LATELY), person(here, LONG_AGO)
    planned = outcomes(retention.run(here.pk, NOW, dry_run=True))
    assert planned["retain:phones"] == (1, {"contacts_contactpoint": 1, "contacts_person": 1})
    done = outcomes(retention.run(here.pk, NOW))
    assert (done["retain:customer-records"], done["retain:phones"]) == ((1, {}), (0, {"contacts_contactpoint": 1, "contacts_person": 1}))
    assert held(here) == {early.reference: ["Dana", "", "email"]}
    assert gone.reference not in held(here)


@pytest.fixture
def lately_called() -> Iterator[None]:
    """A second room that keeps the same event: here the time of a choice."""
    clock = Clock("last-activity", Choice, "at")
    registry.clocks.append(clock)
    yield
    registry.clocks.remove(clock)


@pytest.mark.usefixtures("lately_called")
def test_the_latest_of_all_dealings_counts() -> None:
    here = account()
    one = person(here, LONG_AGO)
    with reserved(here.pk, "command:test", "rights") as use:
        choices.choose(use, one, "object", "analytics")
    assert outcomes(retention.run(here.pk, timezone.now())) == {"retain:customer-records": (0, {})}
    assert set(held(here)) == {one.reference}
    assert {proof.rule: proof.state for proof in proofs.prove(here.pk, "command:test")}["retain:customer-records"] == "kept"


@pytest.fixture
def closed_choices() -> Iterator[None]:
    """A clock of records, each with a moment of its own."""
    clock = Clock("request-closed", Choice, "until", "request")
    registry.clocks.append(clock)
    yield
    registry.clocks.remove(clock)


@pytest.mark.usefixtures("closed_choices")
def test_records_go_by_their_own_moment_and_open_ones_stay() -> None:
    here = account()
    one = person(here, NOW)
    with reserved(here.pk, "command:test", "rights") as use:
        for purpose, until in (("analytics", LONG_AGO), ("direct-marketing", NOW), ("billing", None)):
            choices.choose(use, one, "allow", purpose, until=until)
    assert {proof.rule: proof.state for proof in proofs.prove(here.pk, "command:test")}["retain:requests"] == "broken"
    assert outcomes(retention.run(here.pk, NOW))["retain:requests"] == (0, {"privacy_choice": 1})
    with bookkeeping(here.pk) as use:
        assert sorted(Choice.under(use).values_list("purpose", flat=True)) == ["billing", "direct-marketing"]


def test_many_are_erased_in_batches_and_a_night_cut_short_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here = account()
    people = [person(here, LONG_AGO) for _ in range(5)]
    stays = person(here, NOW)
    monkeypatch.setattr(retention, "BATCH", 2)
    done = []

    def interrupt(name: str) -> None:
        done.append(name)
        if len(done) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(retention, "point", interrupt)
    with pytest.raises(KeyboardInterrupt):
        retention.run(here.pk, NOW)
    assert len(held(here)) == 3
    assert outcomes(retention.run(here.pk, NOW)) == {"retain:customer-records": (2, {})}
    assert set(held(here)) == {stays.reference}
    with bookkeeping(here.pk) as use:
        assert {row.reference for row in Erasure.under(use)} == {one.reference for one in people}
    assert ledger.sequence(here.pk)
    assert ledger.faults(here.pk) == []


def test_another_account_keeps_its_people() -> None:
    here, there = account(), account()
    person(here, LONG_AGO)
    other = person(there, LONG_AGO)
    retention.run(here.pk, NOW)
    assert set(held(there)) == {other.reference}


def test_somebody_erased_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    here = account()
    person(here, LONG_AGO)

    def gone(*arguments: object) -> None:
        raise NotFound("Nobody is there.")

    monkeypatch.setattr(erasure, "erase", gone)
    assert outcomes(retention.run(here.pk, NOW)) == {"retain:customer-records": (0, {})}


LENGTHS = st.builds(Duration, st.integers(0, 400), st.sampled_from(["days", "business days", "months"]))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.once
@given(LENGTHS, MOMENTS, st.timedeltas(timedelta(), timedelta(days=900)))
def test_nothing_goes_early_and_nothing_stays_more_than_a_day(keep: Duration, now: datetime, ago: timedelta) -> None:
    event = now - ago
    due, limit = keep.after(event), clocks.cutoff(keep, now)
    assert due is not None
    assert limit is not None
    if event < limit:
        assert due <= now
    elif event > limit:
        later = clocks.cutoff(keep, now + timedelta(days=3 if keep.unit == "business days" else 1))
        assert later is not None
        assert due > now or event < later


@pytest.mark.once
def test_until_withdrawn_has_no_date() -> None:
    assert clocks.cutoff(Duration.read("until withdrawn"), NOW) is None

"""The one outlet, the papers it needs, and purposes and people that are closed until one is on file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kept.core.errors import BadInput, NotFound, NotPermitted, Refused, RoomClosed
from kept.platform.data.use import writing
from kept.platform.privacy import aggregates, choices, evidence, instruments, ledger, notices, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.disclosures import Disclosed, disclose, disclose_figures
from kept.platform.privacy.gate import acting, looked, reserved
from kept.platform.privacy.models import Disclosure, Entry, Instrument
from kept.platform.privacy.tests.limiting import ContactPoint, PostalAddress, World, world

JOB = "job:test"
ROOM = "customer-relations"


@pytest.fixture(scope="module")
def here() -> World:
    return world()


def given(
    here: World, recipient: str, *people: Any, purpose: str = ROOM, categories: tuple[str, ...] = ("email",), **more: Any
) -> Disclosed:
    subjects = here.subjects(*people)
    with acting(here.id, JOB, purpose) as use:
        return disclose(use, recipient, subjects, categories, **more)


def entries(here: World) -> int:
    with bookkeeping(here.id) as use:
        return int(Entry.under(use).filter(kind="disclosure").count())


def test_one_entry_says_what_went_to_whom_under_which_rule(here: World) -> None:
    dana = here.person("dana.out@quayside.example", given_name="Dana")
    here.point(dana, "email", "dana.out@quayside.example", "subject")
    before = entries(here)
    done = given(here, "Severn Carriers", dana, categories=("email", "name", "job-title"))
    (subject,) = here.subjects(dana)
    assert done.allowed == {subject.reference: ("email", "name")}
    assert [(one.category, one.because) for one in done.refused] == [("job-title", ("disclose:carrier",))]
    assert entries(here) == before + 1
    with bookkeeping(here.id) as use:
        header = ledger.header_of(Entry.under(use).get(pk=done.entry or 0))
        row = Disclosure.under(use).get(entry=done.entry or 0)
        assert evidence.intact(use, row)
        with writing(use):
            Disclosure.under(use).filter(pk=row.pk).update(people=2)
        assert not evidence.intact(use, Disclosure.under(use).get(pk=row.pk))
    assert (header.recipient, header.rule, header.purpose) == ("Severn Carriers", "disclose:carrier", ROOM)
    assert header.categories == ("email", "name")
    assert header.subjects == (subject.reference,)


def test_a_persons_word_about_a_recipient_counts(here: World) -> None:
    dana = here.person("dana.word@quayside.example", given_name="Dana")
    here.point(dana, "email", "dana.word@quayside.example", "subject")
    (subject,) = here.subjects(dana)
    for verb, goes in (("withdraw", False), ("allow", True)):
        with reserved(here.id, JOB, "rights") as use:
            choices.choose(use, subject, verb, "disclose:carrier")  # type: ignore[arg-type]
        assert bool(given(here, "Severn Carriers", dana).allowed) is goes
    with reserved(here.id, JOB, "rights") as use:
        for verb, about in (("withdraw", "disclose:nobody"), ("restrict", "disclose:carrier"), ("allow", "tracker:none")):
            with pytest.raises(BadInput):
                choices.choose(use, subject, verb, about)  # type: ignore[arg-type]


def test_a_fenced_value_goes_only_to_the_recipients_of_its_limit_also_when_it_was_derived(here: World) -> None:
    dana = here.person("dana.fenced@quayside.example")
    google = here.point(dana, "email", "dana.g@quayside.example", "google")
    told = here.point(dana, "email", "dana.t@quayside.example", "subject")
    with reserved(here.id, JOB, "rights") as use, writing(use):
        made = values.derive(use, notices.policy_of(here.id), [google], category="email", occasion="snippet")
        names = ("subject", "person", "category", "source", "provenance_id", "value")
        line = (dana.subject_id, dana.pk, made.category, made.source, made.provenance_id, "dana.s@quayside.example")
        (pk,) = values.insert(use, ContactPoint, names, [line])
        derived = ContactPoint.under(use).get(pk=pk)
    done = given(here, "partner", dana)
    assert [done.covers(one) for one in (google, told, derived)] == [False, True, False]
    assert {one.because for one in done.refused} == {("limit:google",)}
    assert done.duties == ("record the disclosure", "tell the person before")
    done = given(here, "carrier", dana)
    assert [done.covers(one) for one in (google, told, derived)] == [True, True, True]


def test_a_person_who_said_no_is_left_out(here: World) -> None:
    dana, other = here.person("dana.no@quayside.example"), here.person("erin.yes@quayside.example")
    for one in (dana, other):
        here.point(one, "email", f"{one.pk}@quayside.example", "subject")
    (subject,) = here.subjects(dana)
    with reserved(here.id, JOB, "rights") as use:
        choices.choose(use, subject, "restrict", ROOM)
    done = given(here, "partner", dana, other)
    assert subject.reference not in done.allowed
    assert len(done.allowed) == 1


def test_nothing_that_goes_out_writes_nothing(here: World) -> None:
    dana = here.person("dana.nothing@quayside.example")
    before = entries(here)
    assert given(here, "carrier", dana).entry is None
    assert entries(here) == before


@pytest.mark.parametrize(
    ("recipient", "more", "rule"),
    [
        ("Nobody & Sons", {}, "disclose:Nobody & Sons"),
        ("carrier", {"purpose": "analytics"}, "disclose:carrier"),
        ("carrier", {"rule": "disclose:partner"}, "disclose:partner"),
        ("statistics", {"purpose": "analytics"}, "disclose:statistics"),
        ("court", {}, "disclose:court"),
        ("court", {"ground": "legal-order"}, "disclose:court"),
        ("till", {"purpose": "billing"}, "disclose:till"),
        ("advisers", {}, "disclose:advisers"),
        ("advisers", {"ground": "claims"}, "disclose:advisers"),
        ("advisers", {"ground": "merger", "reason": "We sell the firm"}, "disclose:advisers"),
    ],
)
def test_what_is_not_stated_or_not_on_file_keeps_the_outlet_shut(here: World, recipient: str, more: dict[str, Any], rule: str) -> None:
    dana = here.person("dana.stated@quayside.example")
    before = entries(here)
    with pytest.raises(Refused) as caught:
        given(here, recipient, dana, **more)
    assert caught.value.rule == rule
    assert entries(here) == before


def test_a_reasoned_disclosure_keeps_its_reason(here: World) -> None:
    dana = here.person("dana.reason@quayside.example")
    here.point(dana, "email", "dana.reason@quayside.example", "subject")
    done = given(here, "advisers", dana, ground="claims", reason="A bill that is disputed")
    with bookkeeping(here.id) as use:
        row = Disclosure.under(use).get(entry=done.entry or 0)
    assert (row.ground, row.reason, row.people, row.passed) == ("claims", "A bill that is disputed", 1, [["email", "subject", 1]])
    with pytest.raises(BadInput, match="refused number"):
        given(here, "advisers", dana, ground="claims", reason="078-05-1120 owes us")


def test_an_order_opens_in_its_time_and_no_longer(here: World) -> None:
    dana, now = here.person("dana.order@quayside.example"), timezone.now()
    here.point(dana, "email", "dana.order@quayside.example", "subject")
    with bookkeeping(here.id, writing=True) as use:
        instruments.record(use, "legal-order", "court", "Order 1", valid_from=now + timedelta(days=1))
        instruments.record(use, "legal-order", "court", "Order 2", valid_from=now - timedelta(days=2), valid_until=now - timedelta(days=1))
        instruments.record(use, "legal-order", "court", "Order 3", scope={"rules": ["disclose:other"]})
        instruments.record(use, "agreement", "court", "Agreement")
    with pytest.raises(Refused):
        given(here, "court", dana, ground="legal-order")
    with bookkeeping(here.id, writing=True) as use:
        order = instruments.record(use, "legal-order", "court", "Order 4", scope={"rules": ["disclose:court"]})
        assert evidence.intact(use, order)
    done = given(here, "court", dana, ground="legal-order")
    with bookkeeping(here.id, writing=True) as use:
        assert Disclosure.under(use).get(entry=done.entry or 0).instrument_id == order.pk
        instruments.end(use, order.pk)
        assert evidence.intact(use, Instrument.under(use).get(pk=order.pk))
        with pytest.raises(NotFound):
            instruments.end(use, order.pk)
    with pytest.raises(Refused):
        given(here, "court", dana, ground="legal-order")


def test_the_agreement_that_the_notice_names_must_be_on_file(here: World) -> None:
    dana = here.person("dana.till@quayside.example", given_name="Dana")
    with bookkeeping(here.id, writing=True) as use:
        instruments.record(use, "agreement", "Heron Payments", "Some other terms")
    with pytest.raises(Refused, match="payment terms"):
        given(here, "till", dana, purpose="billing", categories=("name",))
    with bookkeeping(here.id, writing=True) as use:
        instruments.record(use, "agreement", "Heron Payments", "payment terms")
    assert given(here, "till", dana, purpose="billing", categories=("name",)).allowed


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "handshake"},
        {"party": " "},
        {"title": ""},
        {"valid_until": timezone.now() - timedelta(days=1)},
        {"scope": {"moods": ["good"]}},
        {"note": "card 4111 1111 1111 1111"},
    ],
)
def test_a_paper_that_says_nothing_is_not_put_on_file(here: World, more: dict[str, Any]) -> None:
    said: dict[str, Any] = {"kind": "agreement", "party": "Severn Carriers", "title": "Terms"} | more
    with bookkeeping(here.id, writing=True) as use, pytest.raises(BadInput):
        instruments.record(use, **said)


def test_a_purpose_that_needs_an_agreement_is_closed_until_it_is_on_file(here: World) -> None:
    with pytest.raises(RoomClosed, match="needs an agreement") as caught, acting(here.id, JOB, "diagnostics"):
        pass
    assert caught.value.rule == "purpose:diagnostics"
    with bookkeeping(here.id, writing=True) as use:
        instruments.record(use, "agreement", "Severn Carriers", "Not the customer's")
        instruments.record(use, "agreement", "customer", "For something else", scope={"purposes": ["billing"]})
    with pytest.raises(RoomClosed), acting(here.id, JOB, "diagnostics"):
        pass
    with bookkeeping(here.id, writing=True) as use:
        paper = instruments.record(use, "agreement", "customer", "Order form", scope={"purposes": ["diagnostics"]})
    with acting(here.id, JOB, "diagnostics") as use:
        assert use.purpose == "diagnostics"
    with bookkeeping(here.id, writing=True) as use:
        instruments.end(use, paper.pk)
    with pytest.raises(RoomClosed), acting(here.id, JOB, "diagnostics"):
        pass


def test_the_operators_staff_read_nothing_without_an_instruction_and_each_look_names_it() -> None:
    there = world()
    with pytest.raises(NotPermitted), acting(there.id, "operator:7", ROOM):
        pass
    with pytest.raises(NotPermitted), reserved(there.id, "operator:7", "rights"):
        pass
    with bookkeeping(there.id, writing=True) as use:
        paper = instruments.record(use, "instruction", "customer", "Look into the failed import")
    dana = there.person("dana.operator@quayside.example")
    with acting(there.id, "operator:7", ROOM) as use:
        looked(use, [one.reference for one in there.subjects(dana)])
    with bookkeeping(there.id) as use:
        entry = Entry.under(use).filter(kind="look").order_by("-id").first()
        assert entry is not None
        assert ledger.header_of(entry).request == f"instrument:{paper.pk}"


def test_figures_go_out_as_a_release_only_and_persons_never_through_that_outlet(here: World) -> None:
    here.living_in(["Bristol"] * 6)
    with acting(here.id, JOB, "analytics") as use:
        question = aggregates.Question(ContactPoint, where={"category": "email"})
        with pytest.raises(Refused, match="email"):
            disclose_figures(use, "statistics", aggregates.release(use, question))

        release = aggregates.release(use, aggregates.Question(PostalAddress, ("city",), {"category": "postal-address"}))
        entry = disclose_figures(use, "statistics", release)
    with bookkeeping(here.id) as use:
        header = ledger.header_of(Entry.under(use).get(pk=entry))
        assert (header.recipient, header.subjects, header.categories) == ("The public", (), ("postal-address",))
        row = Disclosure.under(use).get(entry=entry)
        assert (row.form, row.passed) == ("aggregate", [["aggregate", str(release.id), 0]])

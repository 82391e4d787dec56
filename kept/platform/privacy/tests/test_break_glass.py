"""People read what is closed to people on a stated ground only: particular records, for a time, told and written down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from kept.core.errors import BadInput, NotFound, Refused
from kept.platform.data.search import search
from kept.platform.data.use import Opened
from kept.platform.privacy import evidence, glass, instruments, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting
from kept.platform.privacy.models import Entry, Glass
from kept.platform.privacy.tests.limiting import ContactPoint, World, world

ROOM = "customer-relations"
WHY = "A sign-in that Dana reported as not hers"


@pytest.fixture(scope="module")
def here() -> World:
    return world()


def soon(**span: float) -> datetime:
    return timezone.now() + timedelta(**(span or {"hours": 1}))


def leave(here: World, *points: Any, actor: str = "", **more: Any) -> Glass:
    said: dict[str, Any] = {"ground": "security", "reason": WHY, "expires_at": soon()} | more
    return glass.grant(here.id, actor or here.bob, ROOM, ContactPoint, [one.pk for one in points], **said)


def test_only_the_named_records_open_for_the_one_who_asked_and_everything_is_written_down(here: World) -> None:
    mail.outbox.clear()
    dana = here.person("dana.glass@quayside.example")
    one = here.point(dana, "email", "dana.aspen@quayside.example", "google")
    other = here.point(dana, "email", "dana.birch@quayside.example", "google")
    (subject,) = here.subjects(dana)
    shut = glass.shut(here.id, here.bob, ROOM, ContactPoint, [dana.subject_id])
    assert [(found.row_id, found.rule, found.category) for found in shut] == [
        (one.pk, "limit:google-people", "email"),
        (other.pk, "limit:google-people", "email"),
    ]
    made = leave(here, one)
    with glass.breaking(here.id, here.bob, made.reference) as use:
        assert [row.value for row in ContactPoint.under(use).filter(person_id=dana.pk)] == ["dana.aspen@quayside.example"]
        assert search(use, ContactPoint, "aspen") == [one.pk]
        assert search(use, ContactPoint, "birch") == []
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM contacts_contactpoint WHERE person_id = {dana.pk}")
            assert cursor.fetchone()[0] == 1
    with acting(here.id, here.bob, ROOM) as use:
        assert not ContactPoint.under(use).filter(person_id=dana.pk).exists()
    with bookkeeping(here.id) as use:
        looks = [ledger.header_of(entry) for entry in Entry.under(use).filter(kind="look").order_by("-id")[:3]]
        (look,) = [entry for entry in looks if entry.request == made.reference]
        assert evidence.intact(use, Glass.under(use).get(pk=made.pk))
        assert Glass.under(use).get(pk=made.pk).told_at is not None
    assert (look.actor, look.rule, look.purpose) == (here.bob, "limit:google-people", ROOM)
    assert look.subjects == (subject.reference,)
    assert look.categories == ("email",)
    (told,) = mail.outbox
    assert told.to == [here.cast.alice.email]
    assert "Bob Hale" in told.subject
    assert WHY in told.body
    assert "aspen" not in told.body
    assert not glass.tell(here.id, made.reference)


def test_the_database_closes_it_when_the_time_is_up(here: World) -> None:
    dana = here.person("dana.time@quayside.example")
    point = here.point(dana, "email", "dana.time@quayside.example", "google")
    made = leave(here, point)
    with glass.breaking(here.id, here.bob, made.reference) as use:
        over = Opened(use.opened.rows if use.opened else frozenset(), soon(seconds=-2))
    from dataclasses import replace

    from kept.platform.data.use import reading

    with reading(replace(use, opened=over)) as late:
        assert not ContactPoint.under(late).filter(pk=point.pk).exists()
        assert search(late, ContactPoint, "time") == []
    late_clock = mock.patch("django.utils.timezone.now", return_value=soon(hours=2))
    with late_clock, pytest.raises(Refused, match="ended"), glass.breaking(here.id, here.bob, made.reference):
        pass


def test_it_opens_to_nobody_else(here: World) -> None:
    dana = here.person("dana.mine@quayside.example")
    made = leave(here, here.point(dana, "email", "dana.mine@quayside.example", "google"))
    with pytest.raises(NotFound), glass.breaking(here.id, "member:0", made.reference):
        pass
    other = here.cast.other
    with pytest.raises(NotFound), glass.breaking(other.pk, here.bob, made.reference):
        pass


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"reason": "because"}, BadInput, "reason"),
        ({"reason": "card 4111 1111 1111 1111"}, BadInput, "reason"),
        ({"expires_at": soon(days=2)}, BadInput, "day"),
        ({"expires_at": soon(hours=-1)}, BadInput, "day"),
        ({"ground": "curiosity"}, Refused, "curiosity"),
        ({"ground": "aggregated"}, Refused, "aggregated"),
        ({"ground": "agreement"}, Refused, "agreement"),
        ({"ground": "law"}, Refused, "legal order"),
        ({"actor": "job:import"}, BadInput, "program"),
    ],
)
def test_what_is_missing_keeps_it_shut(here: World, more: dict[str, Any], error: type[Exception], said: str) -> None:
    dana = here.person("dana.shut@quayside.example")
    point = here.point(dana, "email", "dana.shut@quayside.example", "google")
    with bookkeeping(here.id) as use:
        before = Glass.under(use).count()
    with pytest.raises(error, match=said):
        leave(here, point, **more)
    with bookkeeping(here.id) as use:
        assert Glass.under(use).count() == before


def test_a_record_that_is_not_closed_or_not_here_needs_no_leave(here: World) -> None:
    dana = here.person("dana.open@quayside.example")
    point = here.point(dana, "email", "dana.open@quayside.example", "subject")
    with pytest.raises(NotFound):
        leave(here, point)
    with pytest.raises(BadInput):
        leave(here)


def test_an_agreement_names_whose_records_and_its_end_ends_the_leave(here: World) -> None:
    dana = here.person("dana.agrees@quayside.example")
    point = here.point(dana, "email", "dana.agrees@quayside.example", "google")
    (subject,) = here.subjects(dana)
    with bookkeeping(here.id, writing=True) as use:
        instruments.record(use, "agreement", "customer", "Terms of service")
    with pytest.raises(Refused):
        leave(here, point, ground="agreement")
    with bookkeeping(here.id, writing=True) as use:
        paper = instruments.record(use, "agreement", "Dana", "May look at one message", scope={"subjects": [subject.reference]})
    made = leave(here, point, ground="agreement")
    assert made.instrument_id == paper.pk
    with glass.breaking(here.id, here.bob, made.reference) as use:
        assert ContactPoint.under(use).get(pk=point.pk).value == "dana.agrees@quayside.example"
    with bookkeeping(here.id, writing=True) as use:
        instruments.end(use, paper.pk)
    with pytest.raises(Refused, match="ended"), glass.breaking(here.id, here.bob, made.reference):
        pass

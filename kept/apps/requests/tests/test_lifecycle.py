"""The model of a request's life, explored whole; and the room, driven along random walks through it."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from kept.apps.requests import actions, lifecycle, private, queries
from kept.apps.requests.answers import erasing
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.tests import model
from kept.apps.requests.tests.model import Life
from kept.apps.requests.tests.people import Known, dana
from kept.core.errors import Conflict, NotFound, NotPermitted
from kept.platform.accounts.actions import add_member
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import Cast
from kept.platform.data.models import Subject
from kept.platform.privacy import erasure, holds, journal, ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Choice
from kept.platform.privacy.testing import cast, notice_text

LIVES = model.explore()
SEED = 20261122
WALKS = 24
LENGTH = 14
FINAL = {"refused", "revoked", "expired", "done"}


# The model, whole


def test_the_model_reaches_what_the_table_allows_and_nothing_else() -> None:
    moved = {(before.state, after.state) for before, steps in LIVES.items() for _, after in steps if before.state != after.state}
    assert all(lifecycle.may_follow(*one) or _by_way_of_working(*one) for one in moved)
    assert {one for pair in moved for one in pair} == set(State) - {State.DECIDING, State.NOBODY, State.REFERRED}


def _by_way_of_working(before: str, after: str) -> bool:
    """The model takes an answer for one step."""
    return lifecycle.may_follow(before, State.WORKING) and lifecycle.may_follow(State.WORKING, after)


def test_nothing_is_handed_out_or_erased_before_the_person_is_known() -> None:
    for life in LIVES:
        if life.package or life.begun or life.rows != "there":
            assert life.sure, life


def test_what_was_refused_or_taken_back_is_never_done() -> None:
    for life, steps in LIVES.items():
        if life.state in FINAL:
            assert all(after.state == life.state for _, after in steps), life
        if life.state in ("refused", "revoked"):
            assert life.rows == "there", life


def test_nobody_refuses_alone() -> None:
    assert all(life.proposed for life in LIVES if life.state == "refused")


def test_what_is_held_is_not_gone() -> None:
    assert not [life for life in LIVES if life.held and life.rows == "gone"]


def test_a_closed_request_holds_nothing() -> None:
    assert not [life for life in LIVES if not life.key and (life.package or life.link)]


def test_from_everywhere_it_comes_to_an_end() -> None:
    """Backwards from where the key is destroyed and nothing is half done, every life is met."""
    ends = {life for life in LIVES if not life.key and life.state in FINAL and not (life.begun and life.rows != "gone")}
    met, grown = set(ends), True
    while grown:
        found = {life for life, steps in LIVES.items() if life not in met and any(after in met for _, after in steps)}
        met, grown = met | found, bool(found)
    assert met == set(LIVES)


# The room, along random walks


class Died(BaseException):
    """The process dies here."""


class Walk:
    """One request in the room, moved by the model's events."""

    def __init__(self, account: Account, people: Cast, life: Life) -> None:
        self.account, self.kind = account, life.kind
        self.known: Known = dana(account)
        self.alice, self.petra = (Actor("member", one.pk, one.name) for one in (people.alice, people.petra))
        self.case = 0
        asked = actions.Asked(Kind.ACCESS if life.kind == "copy" else Kind.ERASE, Channel.WEB, "GB", self.known.email, by=life.by)
        tokens: list[str] = []
        made = private.new_token
        private.new_token = lambda: tokens.append(made()) or tokens[-1]  # type: ignore[func-returns-value]
        try:
            self.reference = actions.receive(account, asked).reference
        finally:
            private.new_token = made
        self.link = private.sign_link(tokens[0])

    @property
    def request(self) -> Request:
        return queries.by_reference(self.account.pk, self.reference)

    def do(self, event: str) -> None:
        """Let it happen. What is not possible now must say so, and change nothing."""
        account = self.account
        with suppress(Conflict, NotFound, NotPermitted):
            match event:
                case "confirm":
                    actions.confirm(account, self.link)
                case "show":
                    actions.show(account, self.alice, self.request, "signed-permission")
                case "vouch":
                    actions.start(account, self.alice, self.request)
                case "refuse":
                    actions.refuse(account, self.alice, self.request, "We could not find what this is about.")
                case "refuse: another":
                    actions.refuse(account, self.petra, self.request, "")
                case "revoke":
                    actions.revoke(account, self.request)
                case "answer":
                    actions.answer(account.pk, self.reference)
                case "hold":
                    self._hold()
                case "release":
                    self._release()
                case "its day comes":
                    erasing.due(account.pk, timezone.now() + timedelta(days=60))
                case "fetch":
                    actions.fetch_package(account, self.request, "command:test")
                case "lapse":
                    actions.sweep(timezone.now() + timedelta(days=60))
                case _:
                    self._crash(event.removeprefix("crash: "))

    def _crash(self, at: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings, "FAULT", at)
            patch.setattr("os.kill", _die)
            with pytest.raises(Died):
                actions.answer(self.account.pk, self.reference)

    def _hold(self) -> None:
        with reserved(self.account.pk, self.alice, "security") as use:
            case = holds.open_case(use, self.alice.reference, "A claim about a staircase", "legal-claim")
            holds.place(use, self.alice.reference, case.pk, [self.known.reference], categories=["phone"])
        self.case = case.pk

    def _release(self) -> None:
        with reserved(self.account.pk, self.alice, "security") as use:
            holds.release(use, self.alice.reference, self.case, "It is settled.")
        erasure.carry_on_released(self.account.pk)
        actions.clear_residue()

    def seen(self, life: Life) -> Life:
        """What can be seen of the room, as a life; what the model alone remembers is taken from there."""
        request = self.request
        with reserved(self.account.pk, "command:test", "rights") as use:
            subject = Subject.under(use).filter(reference=self.known.reference).first()
            hidden = subject is not None and Choice.under(use).filter(subject_id=subject.pk, purpose="all", restricted=True).exists()
        rows = life.rows if life.rows == "kept" and subject is not None else "gone" if subject is None else "hidden" if hidden else "there"
        return Life(
            kind=self.kind,
            by=life.by,
            state=request.state,
            link=bool(request.link),
            proved=request.proof in ("link", "human") if life.by == "self" else life.proved,
            shown="signed-permission" in request.decision.get("powers", ()),
            proposed="proposed" in request.decision,
            rows=rows,
            due=request.effective_at is not None,
            begun=journal.find(self.reference) is not None,
            package=actions.package_path(self.reference).exists(),
            held=life.held,
            key=request.key_id is not None,
        )


def _die(*_: object) -> None:
    raise Died


@pytest.fixture(scope="module")
def people() -> Cast:
    """Two accounts under the example notice; under that of the second an erasure can be taken back for a week."""
    found = cast()
    right = 'right = "erasure"\nkind = "erase"\n'
    assert right in notice_text()
    notices.activate(found.account, notice_text(), "command:test")
    notices.activate(found.other, notice_text().replace(right, f'{right}grace = "7 days"\n'), "command:test")
    add_member(found.other, found.petra, Role.PRIVACY_LEAD)
    return found


@pytest.mark.parametrize("seed", range(SEED, SEED + WALKS))
def test_the_room_goes_where_the_model_goes(people: Cast, seed: int) -> None:
    chance = random.Random(seed)
    life = chance.choice(model.STARTS)
    walk = Walk(people.other if life.kind == "grace" else people.account, people, life)
    path = []
    for _ in range(LENGTH):
        choices = [one for one in model.steps(life) if one[1] != life] * 3 + list(model.steps(life))
        event, life = chance.choice(choices)
        path.append(event)
        walk.do(event)
        assert walk.seen(life) == life, path
    with bookkeeping(walk.account.pk) as use:
        assert Request.under(use).filter(reference=walk.reference).count() == 1
    assert ledger.faults(walk.account.pk) == []

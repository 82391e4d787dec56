"""Restriction: the engine shows the person to no purpose, but on the grounds that the notice leaves, and they hear before it ends."""

from __future__ import annotations

import pytest

from kept.apps.requests import actions
from kept.apps.requests.answers.changes import lift
from kept.apps.requests.models import Kind, State
from kept.apps.requests.tests.changing import again, ask, delivered, entries, letters, seen, settle, stands, told, workshop, write
from kept.apps.requests.tests.people import dana
from kept.apps.requests.tests.test_correcting import members
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.privacy import choices, ledger, restricted
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import Subject, with_notice

WHY = "The claim of March needs what was ordered."


@pytest.fixture(scope="module")
def account() -> Account:
    return workshop()


def test_every_other_purpose_is_refused_and_the_rights_desk_still_reads(account: Account) -> None:
    known = dana(account)
    assert seen(account, known.id)
    _browser, request = ask(account, Kind.RESTRICT, known.email, ground="unlawful", why="I was never asked.")
    assert (request.state, request.closes_at) == (State.READY, None)
    assert request.outcome["restricted"] == ["all"]
    assert request.outcome["from"]
    assert request.decision["ground"] == "unlawful"
    assert not seen(account, known.id)
    assert not seen(account, known.id, "billing")
    assert seen(account, known.id, "legal-compliance")  # the law obliges: Article 18(2) leaves it
    with reserved(account.pk, "command:test", "rights") as use:
        assert Subject.under(use).filter(pk=known.id).exists()
    assert stands(account, known.id)["all"] == ("", True)
    assert "restriction" in entries(account, request)
    assert "it is used for no purpose" in letters(account, known.email)[-1]


def test_one_purpose_and_the_rest_goes_on(account: Account) -> None:
    known = dana(account)
    ask(account, Kind.RESTRICT, known.email, ground="claims-only", purpose="billing")
    assert seen(account, known.id)
    assert not seen(account, known.id, "billing")


def test_what_no_ground_supports_is_decided_by_the_team(account: Account) -> None:
    known = dana(account)
    request = write(account, Kind.RESTRICT, known.email)
    assert request.state == State.DECIDING
    assert not seen(account, known.id)
    with pytest.raises(BadInput):
        actions.grant(account, members(account)[0], request)
    with pytest.raises(BadInput):
        actions.grant(account, members(account)[0], request, ground="no-longer-needed")
    actions.grant(account, members(account)[0], request, ground="contested")
    settle()
    request = again(account, request)
    assert (request.state, request.decision["ground"]) == (State.READY, "contested")
    assert not seen(account, known.id)


@pytest.mark.parametrize("ground", restricted.READ_ON)
def test_it_is_read_on_a_ground_that_the_notice_leaves_and_that_is_in_the_ledger(account: Account, ground: str) -> None:
    known = dana(account)
    _browser, _request = ask(account, Kind.RESTRICT, known.email, ground="claims-only")
    actor = members(account)[0]
    found = restricted.read(account.pk, actor, known.id, ground=ground, reason=WHY)
    assert set(known.values) <= {one.value for one in found}
    with reserved(account.pk, "command:test", "rights") as use:
        (look,) = [one for one in ledger.entries_of(use, known.reference) if one.kind == "look" and one.payload is not None]
        header = ledger.header_of(look)
        assert (header.actor, header.rule) == (actor.reference, "right:restriction")
        assert "email" in header.categories
        assert ledger.payload_of(look) == {"ground": ground, "reason": WHY}
    assert not seen(account, known.id)


def test_it_is_read_on_no_other_ground(account: Account) -> None:
    known, free = dana(account), dana(account)
    ask(account, Kind.RESTRICT, known.email, ground="claims-only")
    actor = members(account)[0]
    for ground in ("store", "consent", "marketing", ""):
        with pytest.raises(Refused):
            restricted.read(account.pk, actor, known.id, ground=ground, reason=WHY)
    with pytest.raises(BadInput):
        restricted.read(account.pk, actor, known.id, ground="claims", reason="because")
    with pytest.raises(Refused):
        restricted.read(account.pk, actor, free.id, ground="claims", reason=WHY)
    with pytest.raises(NotFound):
        restricted.read(with_notice(cast().account).pk, actor, known.id, ground="claims", reason=WHY)


def test_a_notice_that_leaves_no_ground_lets_nobody_read() -> None:
    account = with_notice(cast().account)
    known = dana(account)
    ask(account, Kind.RESTRICT, known.email)
    assert not seen(account, known.id)
    with pytest.raises(Refused):
        restricted.read(account.pk, members(account)[0], known.id, ground="claims", reason=WHY)


def test_consent_to_a_purpose_opens_that_purpose_alone(account: Account) -> None:
    known = dana(account)
    ask(account, Kind.RESTRICT, known.email, ground="unlawful")
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=known.id), "allow", "billing")
    assert seen(account, known.id, "billing")
    assert not seen(account, known.id)
    ask(account, Kind.RESTRICT, known.email, ground="unlawful", purpose="billing")
    assert not seen(account, known.id, "billing")


def test_a_consent_from_before_opens_nothing(account: Account) -> None:
    known = dana(account)
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=known.id), "allow", "direct-marketing")
    assert seen(account, known.id, "direct-marketing")
    ask(account, Kind.RESTRICT, known.email, ground="unlawful")
    assert not seen(account, known.id, "direct-marketing")


def test_the_person_is_told_before_it_is_lifted(account: Account) -> None:
    known = dana(account)
    delivered(account, known.id)
    _browser, request = ask(account, Kind.RESTRICT, known.email, ground="contested")
    assert told(account, request) == {("disclose:carrier", "restrict")}
    actor = members(account)[0]
    with pytest.raises(BadInput):
        lift(account, actor, request, " ")
    lift(account, actor, request, "What you contested has been put right.")
    assert not seen(account, known.id)
    with pytest.raises(Conflict):
        lift(account, actor, request, "Twice.")
    settle()
    assert "What you contested has been put right." in letters(account, known.email)[-1]
    assert seen(account, known.id)
    request = again(account, request)
    assert request.closes_at is not None
    assert [one for one in entries(account, request) if one == "restriction"] == ["restriction", "restriction"]
    assert stands(account, known.id)["all"] == ("", False)
    assert ("disclose:carrier", "lift") in told(account, request)


def test_it_is_not_lifted_while_the_letter_has_not_gone(account: Account) -> None:
    from kept.apps.requests.answers.restricting import lifted

    known = dana(account)
    _browser, request = ask(account, Kind.RESTRICT, known.email, ground="contested")
    lift(account, members(account)[0], request, "It was right as it stood.")
    with pytest.raises(Conflict):
        lifted(account.pk, request.reference)
    assert not seen(account, known.id)


def test_the_person_ends_it_without_a_reason_and_another_restriction_stays(account: Account) -> None:
    known = dana(account)
    _one, first = ask(account, Kind.RESTRICT, known.email, ground="contested")
    _two, second = ask(account, Kind.RESTRICT, known.email, ground="claims-only")
    lift(account, actions.person(first), first, "")
    settle()
    assert not seen(account, known.id)
    lift(account, actions.person(second), second, "")
    settle()
    assert seen(account, known.id)


def test_a_purpose_that_the_notice_does_not_know_is_said_so(account: Account) -> None:
    with pytest.raises(BadInput):
        write(account, Kind.RESTRICT, dana(account).email, ground="contested", purpose="astrology")
    with pytest.raises(BadInput):
        write(account, Kind.RESTRICT, dana(account).email, ground="direct-marketing")

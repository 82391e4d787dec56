"""Objecting, withdrawing, limiting: what ends with a word ends at once, and what is weighed is left alone until it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from kept.apps.requests import actions
from kept.apps.requests.answers.ending import beyond
from kept.apps.requests.models import Channel, Kind, State
from kept.apps.requests.tests.changing import again, ask, entries, letters, seen, settle, stands, workshop, write
from kept.apps.requests.tests.people import dana
from kept.apps.requests.tests.test_correcting import members
from kept.core.errors import BadInput, Refused
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.privacy import choices, masks
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.testing import Subject, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return workshop()


def say(account: Account, subject_id: int, verb: choices.Verb, purpose: str) -> None:
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=subject_id), verb, purpose)


def open_to(account: Account, subject_id: int, purpose: str) -> bool:
    with reserved(account.pk, "command:test", "rights") as use:
        return bool(Subject.under(use).get(pk=subject_id).permits >> policy_of(account.pk).bit(purpose) & 1)


def test_direct_marketing_ends_at_once_and_nothing_is_held_against_it(account: Account) -> None:
    known = dana(account)
    say(account, known.id, "allow", "direct-marketing")
    assert seen(account, known.id, "direct-marketing")
    _browser, request = ask(account, Kind.OBJECT, known.email, ground="direct-marketing")
    assert request.state == State.READY
    assert request.outcome["objected"] == ["direct-marketing"]
    assert not seen(account, known.id, "direct-marketing")
    assert open_to(account, known.id, "analytics")
    assert stands(account, known.id)["direct-marketing"] == ("objected", False)
    assert "objection" in entries(account, request)


def test_nobody_refuses_it_or_keeps_something_back_for_a_claim(account: Account) -> None:
    known = dana(account)
    made = actions.ask(account, Kind.OBJECT, known.email, "GB", "fd00::2", ground="direct-marketing")
    named = actions.ask(account, Kind.OBJECT, known.email, "GB", "fd00::2", details={"purpose": "direct-marketing"})
    for request in (made, named):
        assert request is not None
        with pytest.raises(Refused):
            actions.refuse(account, members(account)[0], request, "We have a claim.")
        with pytest.raises(Refused):
            actions.grant(account, members(account)[0], request, exceptions={"email": "legal-claim"}, ground="direct-marketing")


def test_a_particular_situation_is_weighed_and_granted_with_reasons(account: Account) -> None:
    known = dana(account)
    say(account, known.id, "allow", "direct-marketing")
    _browser, request = ask(account, Kind.OBJECT, known.email, ground="particular-situation", why="I am in hiding.")
    assert request.state == State.DECIDING
    assert not seen(account, known.id, "direct-marketing")  # whatever becomes of the rest
    assert not open_to(account, known.id, "analytics")
    assert stands(account, known.id)["analytics"] == ("", True)
    assert seen(account, known.id)
    actions.grant(account, members(account)[0], request, reason="Your situation outweighs our counting.")
    settle()
    request = again(account, request)
    assert (request.state, request.decision["outcome"]) == (State.READY, "granted")
    assert stands(account, known.id)["analytics"] == ("objected", False)
    assert not open_to(account, known.id, "analytics")
    assert "Your situation outweighs our counting." in letters(account, known.email)[-1]


def test_refused_it_is_used_again_once_they_know_and_marketing_is_not(account: Account) -> None:
    known = dana(account)
    say(account, known.id, "allow", "direct-marketing")
    request = write(account, Kind.OBJECT, known.email)
    assert request.state == State.DECIDING
    for actor in members(account):
        if actions.refuse(account, actor, again(account, request), "Counting towns shows nobody."):
            break
    assert not open_to(account, known.id, "analytics")
    settle()
    assert open_to(account, known.id, "analytics")
    assert not open_to(account, known.id, "direct-marketing")
    assert stands(account, known.id) == {"direct-marketing": ("objected", False), "analytics": ("", False)}


def test_a_use_that_rests_on_no_interest_of_ours_cannot_be_objected_to(account: Account) -> None:
    known = dana(account)
    request = write(account, Kind.OBJECT, known.email, ground="particular-situation", purpose="billing")
    actions.grant(account, members(account)[0], request)
    settle()
    assert "nothing to object to" in letters(account, known.email)[-1]
    assert seen(account, known.id, "billing")


def test_where_nothing_is_weighed_the_word_is_enough() -> None:
    account = with_notice(cast().account)
    known = dana(account)
    assert open_to(account, known.id, "analytics")
    _browser, request = ask(account, Kind.OBJECT, known.email)
    assert request.outcome["objected"] == ["direct-marketing", "analytics"]
    assert not open_to(account, known.id, "analytics")
    assert not open_to(account, known.id, "direct-marketing")


# Withdrawing


def test_a_consent_ends_without_proof_by_mail_as_easily_as_it_was_given(account: Account) -> None:
    known = dana(account)
    say(account, known.id, "allow", "direct-marketing")
    say(account, known.id, "allow", "research")
    asked_by_mail = actions.Asked(Kind.WITHDRAW, Channel.EMAIL, "GB", known.email, details={"purpose": "direct-marketing"})
    request = actions.receive(account, asked_by_mail)
    settle()
    request = again(account, request)
    assert (request.state, request.outcome["withdrawn"]) == (State.READY, ["direct-marketing"])
    assert not seen(account, known.id, "direct-marketing")
    assert open_to(account, known.id, "research")
    assert "consent" in entries(account, request)


def test_all_consents_end_and_nothing_else(account: Account) -> None:
    known = dana(account)
    for about in ("direct-marketing", "research", "disclose:advertiser"):
        say(account, known.id, "allow", about)
    _browser, request = ask(account, Kind.WITHDRAW, known.email)
    assert set(request.outcome["withdrawn"]) == {"direct-marketing", "research", "disclose:advertiser"}
    held = stands(account, known.id)
    assert {held[one] for one in ("direct-marketing", "research", "disclose:advertiser")} == {("withdrawn", False)}
    assert open_to(account, known.id, "analytics")
    assert seen(account, known.id)


def test_a_consent_given_meanwhile_is_withdrawn_as_well(account: Account) -> None:
    known = dana(account)
    ask(account, Kind.WITHDRAW, known.email, purpose="direct-marketing")
    say(account, known.id, "allow", "marketing-mail")
    assert open_to(account, known.id, "direct-marketing")
    ask(account, Kind.WITHDRAW, known.email, purpose="direct-marketing")
    assert not open_to(account, known.id, "direct-marketing")


def test_the_team_takes_it_in_by_telephone_and_it_holds_at_once(account: Account) -> None:
    known, actor = dana(account), members(account)[0]
    say(account, known.id, "allow", "direct-marketing")
    taken = actions.take_in(account, actor, actions.TakenIn(Kind.WITHDRAW, "email", known.email, "", "", Channel.PHONE))
    settle()
    assert again(account, taken).state == State.READY
    assert not open_to(account, known.id, "direct-marketing")


# Sensitive data


def test_sensitive_data_serves_nothing_beyond_what_was_asked(account: Account) -> None:
    known = dana(account)
    say(account, known.id, "allow", "research")
    assert beyond(policy_of(account.pk), "US-CA") == (["research"], [])
    browser, request = ask(account, Kind.LIMIT_SENSITIVE, known.email)
    assert (request.state, request.outcome["limited"]) == (State.READY, ["research"])
    assert not open_to(account, known.id, "research")
    assert seen(account, known.id)
    assert stands(account, known.id)["research"] == ("opted-out", False)
    assert browser is not None


def test_a_notice_without_sensitive_data_has_nothing_to_limit() -> None:
    assert beyond(policy_of(with_notice(cast().account).pk), "US-CA") == ([], [])


def test_time_does_not_bring_back_what_was_ended(account: Account) -> None:
    known = dana(account)
    ask(account, Kind.OBJECT, known.email, ground="direct-marketing")
    masks.apply_due(account.pk)
    actions.sweep(timezone.now() + timedelta(days=40))
    assert not open_to(account, known.id, "direct-marketing")


def test_a_purpose_or_ground_unknown_is_refused_before_anything_is_stored(account: Account) -> None:
    for known in ({"ground": "contested"}, {"purpose": "astrology"}):
        with pytest.raises(BadInput):
            write(account, Kind.OBJECT, dana(account).email, **known)

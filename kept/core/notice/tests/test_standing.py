"""Somebody who has not agreed to a newer version stands under what both allow."""

from datetime import timedelta

from hypothesis import given, settings

from kept.core.notice import EVERYTHING_BIT, RESERVED, UNFENCED, Ask, SubjectFacts, compile, parse
from kept.core.notice.standing import Standing
from kept.core.notice.tests.test_agreement import people
from kept.core.notice.tests.test_diff import ERASE, NEWS, SLOTS, SUPPORT, WHOLE, notices
from kept.core.notice.tests.writing import NOW, facts, policy
from kept.core.notice.tests.writing import given as yes

NOT_ASKED = 'purpose = "direct-marketing"\ncategories = ["name"]\nbasis = "legitimate-interest"\nadditional = "consent"'


def standing(*earlier: str, active: tuple[str, ...]) -> Standing:
    before = policy(*earlier)
    return Standing(before, policy(*active, bits=before.bits))


@settings(max_examples=150, deadline=None)
@given(notices, notices, people)
def test_decide_and_permits_agree_and_open_nothing_that_the_active_version_closes(one: str, other: str, person: SubjectFacts) -> None:
    before = compile(parse(one))
    stands = Standing(before, compile(parse(other), bits=before.bits))
    mask, changes = stands.permits(person)
    assert mask >> EVERYTHING_BIT == 1
    assert mask & ~stands.active.permits(person)[0] == 0
    assert changes is None or changes > person.now
    for purpose, terms in stands.active.purposes.items():
        assert stands.decide(Ask(purpose), person).allowed is bool(mask >> terms.bit & 1)
    for purpose in RESERVED:
        assert stands.decide(Ask(purpose), person).allowed


@settings(max_examples=100, deadline=None)
@given(notices, notices, people)
def test_the_mask_holds_until_the_moment_named(one: str, other: str, person: SubjectFacts) -> None:
    before = compile(parse(one))
    stands = Standing(before, compile(parse(other), bits=before.bits))
    mask, changes = stands.permits(person)
    end = changes or person.now + timedelta(days=3000)
    for part in (0.3, 0.999):
        later = person.now + (end - person.now) * part
        assert stands.permits(SubjectFacts(later, person.region, person.born, person.choices, person.restricted))[0] == mask


def test_a_new_purpose_is_closed_until_they_consent_to_that_very_purpose() -> None:
    stands = standing(*WHOLE, active=(*WHOLE, NOT_ASKED))
    assert stands.asks
    assert not stands.decide(Ask("direct-marketing"), facts()).allowed
    assert not stands.decide(Ask("direct-marketing"), facts(choices={"all": yes()})).allowed
    person = facts(choices={"direct-marketing": yes(until=NOW + timedelta(days=9))})
    assert stands.decide(Ask("direct-marketing"), person).allowed
    assert stands.permits(person) == (1 << EVERYTHING_BIT | 0b11, NOW + timedelta(days=9))


def test_what_only_the_earlier_version_declares_is_closed() -> None:
    stands = standing(*WHOLE, NEWS, active=WHOLE)
    assert not stands.decide(Ask("direct-marketing"), facts(choices={"all": yes()})).allowed


def test_a_consent_that_the_active_version_does_not_need_any_more_is_still_needed() -> None:
    stands = standing(*WHOLE, NEWS, active=(*WHOLE, NEWS.replace('"consent"', '"contract"')))
    assert stands.asks
    assert stands.active.decide(Ask("direct-marketing"), facts()).allowed
    assert not stands.decide(Ask("direct-marketing"), facts()).allowed


def test_a_recipient_that_moved_abroad_gets_nothing_of_them() -> None:
    stands = standing(*WHOLE, SLOTS[11][1], active=(*WHOLE, SLOTS[11][2]))
    ask = Ask("support", "name", recipient="Post Ltd")
    assert stands.earlier.decide(ask, facts()).allowed
    assert stands.active.decide(ask, facts()).allowed
    assert stands.decide(ask, facts()).because == ("disclose:post",)
    assert stands.decide(Ask("support", "name"), facts()).allowed


def test_the_better_right_stays() -> None:
    fast = ERASE.replace("1 month", "10 days")
    for earlier, active in ((fast, ERASE), (ERASE, fast)):
        assert str(standing(*WHOLE, earlier, active=(*WHOLE, active)).rights()["erase"].within) == "10 days"
    assert "erase" in standing(*WHOLE, ERASE, active=WHOLE).rights()
    assert "erase" in standing(*WHOLE, active=(*WHOLE, ERASE)).rights()


def test_the_choice_of_the_earlier_version_stays() -> None:
    mail = 'choice = "mail"\ngoverns = ["direct-marketing"]\neffective_within = "0 days"'
    assert "mail" in standing(*WHOLE, NEWS, mail, active=(*WHOLE, NEWS)).choices()


def test_both_fences_stand() -> None:
    fenced = (*WHOLE, 'limit = "l"\napplies_to = { source = "subject" }\nnever = ["support"]')
    assert standing(*fenced, active=WHOLE).fence("subject", "name") == UNFENCED & ~1
    assert standing(*WHOLE, active=fenced).fence("subject", "name") == UNFENCED & ~1


def test_what_a_mask_cannot_keep_from_a_purpose() -> None:
    wider = SUPPORT.replace('["name", "email"]', '["name", "email", "phone"]')
    assert not standing(*WHOLE, active=(*WHOLE[:2], wider, WHOLE[3])).inexpressible  # nothing asks, so nobody is left behind
    (change,) = standing(*WHOLE, ERASE, active=(*WHOLE[:2], wider, WHOLE[3])).inexpressible
    assert change.keys == (("support", "phone"),)

"""A new version: previewed, decided, in force, and what was collected before it stays under the older one until its owner agrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NoticeError
from kept.core.notice import Ask, SubjectFacts
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast
from kept.platform.data.models import Subject
from kept.platform.privacy import choices, ledger, notices, proofs, versions
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Acceptance, Activation
from kept.platform.privacy.testing import someone
from kept.platform.privacy.tests.changing import CHANGES, first, second

ACTOR = "command:test"


@dataclass
class House:
    """An account under its first notice, and Dana."""

    account: Account
    dana: int

    def subject(self, pk: int = 0) -> Subject:
        with reserved(self.account.pk, ACTOR, "rights") as use:
            return Subject.under(use).get(pk=pk or self.dana)

    def open(self, purpose: str, pk: int = 0) -> bool:
        return bool(self.subject(pk).permits >> notices.policy_of(self.account.pk).bits[purpose] & 1)

    def choose(self, verb: choices.Verb, purpose: str) -> None:
        with reserved(self.account.pk, ACTOR, "rights") as use:
            choices.choose(use, Subject.under(use).get(pk=self.dana), verb, purpose)

    def agree(self) -> bool:
        with reserved(self.account.pk, ACTOR, "rights") as use:
            return versions.agree(use, Subject.under(use).get(pk=self.dana))

    def go_on(self) -> bool:
        with reserved(self.account.pk, ACTOR, "rights") as use:
            return versions.went_on(use, Subject.under(use).get(pk=self.dana))

    def headers(self, kind: str) -> list[Any]:
        with reserved(self.account.pk, ACTOR, "rights") as use:
            entries = ledger.entries_of(use, self.subject().reference)
            return [header for entry in entries if (header := ledger.header_of(entry)).kind == kind]


def house(text: str = "", region: str = "GB") -> House:
    account = cast().account
    notices.activate(account, text or first(), ACTOR)
    return House(account, someone(account, "dana.versions@quayside.example", region).id)


def newer(here: House, text: str = "") -> None:
    notices.activate(here.account, text or second(), ACTOR)


def test_a_preview_says_what_changes_for_how_many_and_changes_nothing() -> None:
    here = house()
    someone(here.account, "tom.versions@quayside.example")
    seen = versions.preview(here.account, second())
    assert (seen.number, seen.possible, seen.diff.acceptance, seen.people, seen.asked) == (2, True, "explicit", 2, 2)
    assert seen.tell == ("banner", "email", "site", "feed")
    assert timedelta(days=9) < seen.effective_at - timezone.now() <= timedelta(days=10)
    told = {(one.facet, one.direction) for one in seen.diff.changes}
    wanted = {("purposes", "wider"), ("retention", "wider"), ("retention", "narrower"), ("countries", "wider"), ("ways", "wider")}
    assert wanted <= told
    assert seen.uses == ()
    assert notices.in_force(here.account.pk).number == 1
    assert versions.pending(here.account.pk) is None


def test_uses_that_stop_are_counted() -> None:
    here = house()
    text = first().replace("analytics", "research")
    seen = versions.preview(here.account, text)
    assert [(one.purpose, one.closes, one.opens) for one in seen.stops] == [("analytics", 1, 0)]
    assert seen.asked == 1


def test_nobody_need_be_asked_about_a_narrower_version() -> None:
    here = house()
    newer(here, first().replace('keep = "3 years"', 'keep = "2 years"').replace('material = ["purposes", ', "material = ["))
    assert here.subject().notice_version == 1  # the first version counts a change of retention as material, and asks
    newer(here, first(CHANGES.replace('"retention", ', "")))
    assert here.subject().notice_version == 1
    plain = house(first(""))
    newer(plain, first("").replace('keep = "3 years"', 'keep = "2 years"'))
    assert plain.subject().notice_version == 2


def test_data_of_people_who_have_not_agreed_stays_under_the_older_version() -> None:
    here = house()
    newer(here)
    assert here.subject().notice_version == 1
    assert not here.open("research")
    tom = someone(here.account, "tom.new@quayside.example").id
    assert here.subject(tom).notice_version == 2
    assert here.open("research", tom)
    with acting(here.account.pk, ACTOR, "research") as use:
        assert list(Subject.under(use).values_list("pk", flat=True)) == [tom]


def test_who_agrees_comes_under_the_new_version() -> None:
    here = house()
    newer(here)
    assert here.agree()
    assert not here.agree()
    assert here.subject().notice_version == 2
    assert here.open("research")
    (header,) = here.headers("acceptance")
    assert header.rule == "notice:larch"
    assert header.request == notices.in_force(here.account.pk).digest[:32]
    with reserved(here.account.pk, ACTOR, "rights") as use:
        assert [(one.number, one.how) for one in Acceptance.under(use).filter(subject_id=here.dana)] == [(2, "explicit")]


def test_consent_to_the_new_purpose_alone_opens_it_and_nothing_else() -> None:
    here = house()
    newer(here)
    here.choose("allow", "research")
    assert here.open("research")
    assert here.subject().notice_version == 1
    here.choose("withdraw", "research")
    assert not here.open("research")


def test_disclosure_abroad_is_refused_for_people_under_the_older_version() -> None:
    here = house()
    newer(here)
    ruling = notices.ruling(here.account.pk)
    ask = Ask("customer-relations", "name", recipient="Severn Carriers")
    facts = SubjectFacts(timezone.now(), "GB")
    assert ruling.policy.decide(ask, facts).allowed
    assert ruling.over(1).decide(ask, facts).because == ("disclose:carrier",)


def test_rights_never_get_worse() -> None:
    here = house()
    newer(here)
    ruling = notices.ruling(here.account.pk)
    assert "csv" in ruling.over(1).rights("GB")["access"].formats
    assert "csv" not in ruling.over(2).rights("GB")["access"].formats


def test_provers_agree_with_the_masks() -> None:
    here = house()
    newer(here)
    found = {one.rule: one.state for one in proofs.prove(here.account.pk, ACTOR)}
    assert found["purpose:research"] == "kept"
    assert "broken" not in {state for rule, state in found.items() if rule.startswith("purpose:")}


def test_what_a_mask_cannot_keep_apart_is_refused_with_the_cure() -> None:
    here = house()
    text = second().replace('categories = ["name", "email"]\nbasis = {', 'categories = ["name", "email", "phone"]\nbasis = {')
    seen = versions.preview(here.account, text)
    assert not seen.possible
    with pytest.raises(Conflict) as refused:
        versions.decide(here.account, text, ACTOR)
    assert 'under = "direct-marketing"' in refused.value.cure
    apart = second() + (
        '\nWe text about it.\n\n```rule\npurpose = "texting"\nunder = "direct-marketing"\ntitle = "News by text"\n'
        'categories = ["phone"]\nbasis = "legitimate-interest"\n```\n'
    )
    assert versions.preview(here.account, apart).possible


def test_a_later_version_asks_against_the_one_that_each_person_is_under() -> None:
    here = house()
    newer(here)
    newer(here, second() + '\nThank you.\n\n```rule\nstatement = "thanks"\n```\n')
    tom = someone(here.account, "tom.third@quayside.example").id
    assert (here.subject().notice_version, here.subject(tom).notice_version) == (1, 3)
    newer(here, first())
    assert here.subject().notice_version == 4
    assert here.subject(tom).notice_version == 3  # fewer purposes, but recipients, retention and more count as material


def test_it_takes_effect_when_it_was_said_to_and_after_everybody_was_told() -> None:
    here = house()
    decided = versions.decide(here.account, second(), ACTOR)
    assert versions.carry_on(decided).version_id is None
    Activation.objects.filter(pk=decided.pk).update(effective_at=timezone.now())
    decided.refresh_from_db()
    assert versions.carry_on(decided).version_id is None  # letters are still to be written
    Activation.objects.filter(pk=decided.pk).update(told_at=timezone.now())
    decided.refresh_from_db()
    assert here.agree()  # before it is in force
    assert here.subject().notice_version == 1
    assert versions.carry_on(decided).finished_at is not None
    assert here.subject().notice_version == 2
    assert here.open("research")


def test_one_version_is_on_its_way_at_a_time_and_can_be_called_off() -> None:
    here = house()
    versions.decide(here.account, second(), ACTOR)
    with pytest.raises(Conflict):
        versions.decide(here.account, second(), ACTOR)
    versions.stop(here.account.pk, ACTOR)
    with pytest.raises(Conflict):
        versions.stop(here.account.pk, ACTOR)
    assert versions.pending(here.account.pk) is None
    versions.decide(here.account, second(), ACTOR)


def test_the_promised_way_of_telling_is_kept() -> None:
    here = house()
    with pytest.raises(BadInput):
        versions.decide(here.account, second(), ACTOR, tell=["site"])
    either = CHANGES.replace('tell = ["banner", "email", "site", "feed"]', 'tell_any = ["email", "site"]')
    other = house(first(either))
    seen = versions.preview(other.account, second(either))
    assert (seen.tell, seen.choice) == (("email", "site"), True)
    assert versions.decide(other.account, second(either), ACTOR, tell=["site"]).tell == ["site"]


def test_a_notice_with_errors_is_not_decided() -> None:
    here = house()
    with pytest.raises(NoticeError):
        versions.decide(here.account, second().replace('within = "1 month"', 'within = "9 months"'), ACTOR)


def going_on(law: str = "") -> tuple[str, str]:
    accept = CHANGES.replace('accept = "explicit"', 'accept = "continued-use"').replace('reduce_rights = "explicit-consent"\n', "")
    return first(accept), second(accept).replace('additional = "consent"\n', "")


def test_going_on_is_acceptance_where_the_notice_says_so_and_never_stands_in_for_consent() -> None:
    before, after = going_on()
    here = house(before, region="AU")
    newer(here, after)
    assert here.subject().notice_version == 1
    assert here.go_on()
    assert here.subject().notice_version == 2
    assert [header.kind for header in here.headers("acceptance")] == ["acceptance"]
    european = house(before, region="DE")
    newer(european, after)
    assert not european.go_on()
    assert european.subject().notice_version == 1
    assert european.agree()


def test_going_on_is_nothing_where_agreement_must_be_explicit() -> None:
    here = house()
    newer(here)
    assert not here.go_on()
    assert here.subject().notice_version == 1

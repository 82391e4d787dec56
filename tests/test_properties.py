"""Whatever people decide, in whatever order, and however time passes: ledger, projection, masks and the policy's own answer agree.

A stateful test (Hypothesis): it takes decisions, lets consents expire and erases people, and after each step compares four tellings of
the same thing. The erased replay to a tombstone.
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

import hypothesis.strategies as st
from django.utils import timezone
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from kept.apps.contacts.models import Person
from kept.core.errors import Shredded
from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, erasure, journal, ledger, masks, notices, values
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.testing import cast, someone, with_notice

VERBS = st.sampled_from(["allow", "withdraw", "object", "opt-out", "restrict", "lift"])
PURPOSES = st.sampled_from(["direct-marketing", "analytics", "customer-relations", "billing", "all"])
REGIONS = st.sampled_from(["GB", "US-CA", "EU"])
ACTOR = "command:test"


@dataclass
class One:
    """What the model remembers of a person."""

    id: int
    reference: str
    decided: dict[str, tuple[str, bool]] = field(default_factory=dict)


class Decisions(RuleBasedStateMachine):
    """People decide, time passes, some are erased."""

    @initialize()
    def open_account(self) -> None:
        self.account = with_notice(cast().account)
        self.people: list[One] = []
        self.erased: list[One] = []
        self.later = timedelta()

    def now(self) -> AbstractContextManager[object]:
        instant = timezone.now() + self.later
        return mock.patch("django.utils.timezone.now", return_value=instant)

    @rule(region=REGIONS)
    def arrive(self, region: str) -> None:
        with self.now():
            known = someone(self.account, f"{secrets.token_hex(6)}@quayside.example", region)
            with reserved(self.account.pk, ACTOR, "rights") as use, writing(use):
                now = timezone.now()
                names = ("subject", "given_name", "created_at", "changed_at")
                values.insert(use, Person, names, [(known.id, "Dana", now, now)])
                self.people.append(One(known.id, Subject.under(use).get(pk=known.id).reference))

    @precondition(lambda self: self.people)
    @rule(data=st.data(), verb=VERBS, purpose=PURPOSES, days=st.none() | st.integers(1, 30))
    def decide(self, data: st.DataObject, verb: choices.Verb, purpose: str, days: int | None) -> None:
        one = data.draw(st.sampled_from(self.people))
        with self.now(), reserved(self.account.pk, ACTOR, "rights") as use:
            until = timezone.now() + timedelta(days=days) if days and verb == "allow" else None
            choices.choose(use, Subject.under(use).get(pk=one.id), verb, purpose, until=until)
        state, restricted = one.decided.get(purpose, ("", False))
        if verb in ("restrict", "lift", "allow"):
            restricted = verb == "restrict"
        one.decided[purpose] = (choices.STATE.get(verb, state), restricted)

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.later += timedelta(days=days)
        with self.now(), acting(self.account.pk, ACTOR, "customer-relations"):
            pass

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.people))
        self.people.remove(one)
        with self.now():
            done = erasure.erase(self.account.pk, ACTOR, one.id, secrets.token_hex(16), "right:erasure")
        assert done.findings == {}
        self.erased.append(one)

    @invariant()
    def all_tell_the_same(self) -> None:
        policy = notices.policy_of(self.account.pk)
        with self.now(), reserved(self.account.pk, ACTOR, "rights") as use:
            subjects = list(Subject.under(use).filter(pk__in=[one.id for one in self.people]))
            assert len(subjects) == len(self.people)
            facts = masks.facts_of(use, subjects, timezone.now())
            on_rows = dict(Person.under(use).values_list("subject_id", "permits"))
            for subject in subjects:
                assert subject.permits == policy.permits(facts[subject.pk])[0] == on_rows[subject.pk]
            for one in self.people:
                assert choices.replay(use, one.reference) == choices.held(use, one.id) == one.decided
            for one in self.erased:
                assert not Person.under(use).filter(subject_id=one.id).exists()
                if one.decided:
                    try:
                        choices.replay(use, one.reference)
                    except Shredded:
                        continue
                    raise AssertionError("An erased person's decisions can still be read.")

    def teardown(self) -> None:
        """The ledger verifies at the end of every story."""
        mine = [intent for intent in journal.unfinished() if intent.account_id == self.account.pk]
        with self.now(), mock.patch.object(journal, "unfinished", return_value=mine):  # other tests' accounts live in the present
            erasure.clear_residue()
        while ledger.sequence(self.account.pk):
            continue
        assert ledger.faults(self.account.pk) == []


def test_ledger_projection_masks_and_policy_agree() -> None:
    run_state_machine_as_test(Decisions, settings=settings(max_examples=20, stateful_step_count=15, deadline=None))

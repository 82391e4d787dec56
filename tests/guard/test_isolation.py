"""Whatever is inserted, merged, refused, deleted and undone: each account sees its own rows whose masks allow it, and no mask is stale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis.strategies as st
from django.db import connections
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kept.apps.contacts.models import Person
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.search import search
from kept.platform.data.testing import BITS, NOW, account, mask, subjects, use
from kept.platform.data.use import Use, reading, writing
from tests.guard.people import PERSON

MASKS = st.sets(st.sampled_from(sorted(BITS))).map(lambda purposes: mask(*purposes))
STALE = """SELECT count(*) FROM contacts_person p LEFT JOIN data_subject s ON s.id = p.subject_id AND s.account_id = p.account_id
           WHERE p.account_id IN (%s, %s) AND (s.id IS NULL OR s.permits <> p.permits)"""


class Undone(Exception):
    """Ends an action that is to leave nothing behind."""


class Isolation(RuleBasedStateMachine):
    """Two accounts, and what each should see."""

    @initialize()
    def open_accounts(self) -> None:
        """Empty accounts, of which nothing is known elsewhere."""
        self.accounts = (account(), account())
        self.masks: dict[int, int] = {}
        self.home: dict[int, int] = {}
        self.people: dict[int, int] = {}

    def _pick(self, known: dict[int, int], number: int) -> int:
        return sorted(known)[number % len(known)]

    @contextmanager
    def _action(self, account_id: int, undo: bool) -> Iterator[Use]:
        """An action, and whether to undo it. What the model was told inside it is undone too."""
        before = (dict(self.masks), dict(self.home), dict(self.people))
        try:
            with writing(use(account_id, "rights")) as acting:
                yield acting
                if undo:
                    raise Undone
        except Undone:
            self.masks, self.home, self.people = before

    @rule(whose=st.integers(0, 1), permits=MASKS)
    def someone_comes(self, whose: int, permits: int) -> None:
        """A subject with a mask."""
        (made,) = subjects(self.accounts[whose], [permits]).ids
        self.masks[made], self.home[made] = permits, self.accounts[whose]

    @precondition(lambda self: self.masks)
    @rule(who=st.integers(0, 99), undo=st.booleans())
    def a_record_is_made(self, who: int, undo: bool) -> None:
        """A person of some subject."""
        subject = self._pick(self.masks, who)
        with self._action(self.home[subject], undo) as acting:
            (made,) = rows.insert(acting, Person, PERSON, [(subject, "Dana", "Marsh", "", NOW, NOW)])
            self.people[made] = subject

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 99), whom=st.integers(0, 99), undo=st.booleans())
    def a_record_moves(self, which: int, whom: int, undo: bool) -> None:
        """Two subjects turn out to be one; never across accounts."""
        person, subject = self._pick(self.people, which), self._pick(self.masks, whom)
        home = self.home[self.people[person]]
        if self.home[subject] == home:
            with self._action(home, undo) as acting:
                assert rows.update(acting, Person, ("subject",), [(person, subject)]) == 1
                self.people[person] = subject

    @precondition(lambda self: self.masks)
    @rule(who=st.integers(0, 99), permits=MASKS, undo=st.booleans())
    def someone_decides(self, who: int, permits: int, undo: bool) -> None:
        """A mask changes."""
        subject = self._pick(self.masks, who)
        with self._action(self.home[subject], undo) as acting:
            assert rows.set_permits(acting, [subject], [permits], [None]) == 1
            self.masks[subject] = permits

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 99), wrongly=st.booleans(), undo=st.booleans())
    def a_record_goes(self, which: int, wrongly: bool, undo: bool) -> None:
        """A person is deleted; asked by another account, nobody is."""
        person = self._pick(self.people, which)
        home = self.home[self.people[person]]
        other = next(one for one in self.accounts if one != home)
        with self._action(other if wrongly else home, undo) as acting:
            gone = Person.objects.filter(pk=person).delete()[0]
            assert gone == (0 if wrongly else 1), acting
            if not wrongly:
                del self.people[person]

    @precondition(lambda self: self.masks)
    @rule(who=st.integers(0, 99))
    def someone_goes(self, who: int) -> None:
        """A subject without records is deleted."""
        subject = self._pick(self.masks, who)
        if subject not in self.people.values():
            with self._action(self.home[subject], undo=False) as acting:
                assert Subject.under(acting).filter(pk=subject).delete()[0] == 1
                del self.masks[subject], self.home[subject]

    @invariant()
    def each_sees_its_own(self) -> None:
        """By list and by search, under every purpose."""
        for one in self.accounts:
            for purpose, bit in BITS.items():
                allowed = [p for p, s in sorted(self.people.items()) if self.home[s] == one and self.masks[s] >> bit & 1]
                with reading(use(one, purpose)) as acting:
                    assert list(Person.under(acting).order_by("pk").values_list("pk", flat=True)) == allowed
                    assert sorted(search(acting, Person, "dana")) == ([] if purpose == "analytics" else allowed)

    @invariant()
    def no_mask_is_stale(self) -> None:
        """Every row's mask is its subject's."""
        with connections["owner"].cursor() as cursor:
            cursor.execute(STALE, self.accounts)
            assert cursor.fetchone() == (0,)


class TestIsolation(Isolation.TestCase):  # type: ignore[valid-type,misc]
    """Some four hundred steps."""

    settings = settings(max_examples=30, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))

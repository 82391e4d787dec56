"""Figures about groups: small groups stay out, and no addition or subtraction of what was released isolates anybody."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from kept.core.errors import BadInput, Refused
from kept.platform.data.use import writing
from kept.platform.privacy import evidence, ledger, values
from kept.platform.privacy.aggregates import LEAST, Question, members_of, release, smallest_group
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Aggregate, AggregateBlock, AggregateCell, Entry
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.tests.limiting import ContactPoint, Person, PostalAddress, World, world

JOB = "job:test"
TOWNS = Question(PostalAddress, ("city",), {"category": "postal-address"})
EVERYBODY = Question(PostalAddress, (), {"category": "postal-address"})


def ask(here: World, question: Question, actor: str = JOB) -> dict[tuple[str, ...], Decimal]:
    with acting(here.id, actor, "analytics") as use:
        return dict(release(use, question).figures)


def move(here: World, rows: Iterable[Any], town: str) -> None:
    with reserved(here.id, JOB, "rights") as use, writing(use):
        for row in rows:
            values.change(use, row, city=town, value=town)


def remove(here: World, rows: Iterable[Any]) -> None:
    with reserved(here.id, JOB, "rights") as use, writing(use):
        PostalAddress.under(use).filter(pk__in=[row.pk for row in rows]).delete()


def smallest_block(here: World) -> int:
    with bookkeeping(here.id) as use:
        return min(AggregateBlock.under(use).filter(split_by=None).values_list("people", flat=True))


def test_a_group_under_the_minimum_is_left_out_and_looks_like_one_that_is_not_there() -> None:
    here = world()
    here.living_in(["Bristol"] * 6 + ["Bath"] * 5 + ["Wells"] * 4)
    assert ask(here, TOWNS) == {("Bristol",): 6, ("Bath",): 5}


def test_a_small_group_cannot_be_had_by_subtraction_from_the_total() -> None:
    here = world()
    here.living_in(["Bristol"] * 9 + ["Bath"] * 6 + ["Wells"] * 2)
    shown = ask(here, Question(PostalAddress, ("city",), {"category": "postal-address"}, total=True))
    assert shown == {(): 17, ("Bristol",): 9}


def test_the_differencing_attack_of_two_filters_is_refused() -> None:
    here = world()
    rows = here.living_in(["Bristol"] * 12)
    with reserved(here.id, JOB, "rights") as use, writing(use):
        values.change(use, rows[0], street="1 Quay Street")
    assert ask(here, EVERYBODY) == {(): 12}
    assert ask(here, Question(PostalAddress, (), {"category": "postal-address", "street": ""})) == {}
    assert ask(here, Question(PostalAddress, (), {"category": "postal-address", "street": "1 Quay Street"})) == {}
    assert ask(here, EVERYBODY) == {(): 12}


def test_the_differencing_attack_over_time_is_refused_until_enough_have_come_or_gone() -> None:
    here = world()
    first = here.living_in(["Bristol"] * 10)
    assert ask(here, TOWNS) == {("Bristol",): 10}
    here.living_in(["Bristol"])
    assert ask(here, TOWNS) == {}
    here.living_in(["Bristol"] * 4)
    assert ask(here, TOWNS) == {("Bristol",): 15}
    remove(here, first[:1])
    assert ask(here, TOWNS) == {}
    remove(here, first[1:5])
    assert ask(here, TOWNS) == {("Bristol",): 10}
    assert smallest_block(here) == 5


def test_somebody_who_moves_is_not_isolated_by_the_two_towns() -> None:
    here = world()
    rows = here.living_in(["Bristol"] * 10 + ["Bath"] * 10)
    assert ask(here, TOWNS) == {("Bristol",): 10, ("Bath",): 10}
    move(here, rows[:1], "Bath")
    assert ask(here, TOWNS) == {}
    move(here, rows[1:5], "Bath")
    assert ask(here, TOWNS) == {("Bath",): 15, ("Bristol",): 5}


def test_a_sum_does_not_give_away_a_value_that_changed() -> None:
    here = world()
    rows = here.living_in(["Bristol"] * 10)

    def pay(rows: Iterable[Any], amount: str) -> None:
        with reserved(here.id, JOB, "rights") as use, writing(use):
            for row in rows:
                values.change(use, row, postcode=amount)

    for n, row in enumerate(rows):
        pay([row], str(10 * n))
    asked = Question(PostalAddress, ("city",), {"category": "postal-address"}, "sum", "postcode")
    assert ask(here, asked) == {("Bristol",): 450}
    assert ask(here, Question(PostalAddress, ("city",), {"category": "postal-address"}, "mean", "postcode")) == {("Bristol",): 45}
    pay(rows[:1], "1000")
    assert ask(here, asked) == {}
    pay(rows[1:5], "7.5")
    assert ask(here, asked) == {("Bristol",): 1000 + 4 * Decimal("7.5") + 350}


def in_span(vectors: list[list[Fraction]], wanted: list[Fraction]) -> bool:
    """Whether a combination of the vectors is the wanted one: Gauss, over the rationals."""
    basis: list[list[Fraction]] = []

    def reduced(vector: list[Fraction]) -> list[Fraction]:
        for one in basis:
            pivot = next(n for n, value in enumerate(one) if value)
            if vector[pivot]:
                factor = vector[pivot] / one[pivot]
                vector = [a - factor * b for a, b in zip(vector, one, strict=True)]
        return vector

    for vector in vectors:
        left = reduced(vector)
        if any(left):
            basis.append(left)
    return not any(reduced(wanted))


def test_no_combination_of_many_releases_tells_of_fewer_than_the_minimum() -> None:
    """An attacker who knows who is in every cell: every set of fewer than five of twelve people, against all that was released."""
    here = world()
    rows = here.living_in(["Bristol"] * 7 + ["Bath"] * 5)
    known: list[set[int]] = []

    def attack(question: Question, who: Iterable[Any]) -> None:
        if ask(here, question):
            known.append({row.pk for row in who})

    where = {"category": "postal-address"}
    with reserved(here.id, JOB, "rights") as use, writing(use):
        for n, row in enumerate(rows):
            values.change(use, row, street=f"{n % 2}", state=f"{n // 4}", postcode=f"{n % 3}")
        rows = list(PostalAddress.under(use).filter(pk__in=[row.pk for row in rows]))
    for names in itertools.chain.from_iterable(itertools.combinations(("city", "street", "state", "postcode"), size) for size in range(3)):
        for wanted in dict.fromkeys(tuple(getattr(row, name) for name in names) for row in rows):
            picked = dict(zip(names, wanted, strict=True))
            same = [row for row in rows if all(getattr(row, name) == value for name, value in picked.items())]
            attack(Question(PostalAddress, (), where | picked), same)
    assert len(known) >= 2
    vectors = [[Fraction(row.pk in cell) for row in rows] for cell in known]
    for size in range(1, 5):
        for few in itertools.combinations(range(len(rows)), size):
            assert not in_span(vectors, [Fraction(n in few) for n in range(len(rows))])


def test_a_release_leaves_what_a_prover_needs() -> None:
    here = world()
    here.living_in(["Bristol"] * 12 + ["Bath"] * 6)
    with acting(here.id, JOB, "analytics") as use:
        everybody, towns = release(use, EVERYBODY), release(use, TOWNS)
    assert (everybody.minimum, everybody.rule, everybody.categories) == (5, "limit:groups", frozenset({"postal-address"}))
    with bookkeeping(here.id) as use:
        held = Aggregate.under(use).get(pk=towns.id)
        assert evidence.intact(use, held)
        header = ledger.header_of(Entry.under(use).get(pk=towns.entry))
        assert (header.kind, header.rule, header.subjects) == ("aggregate", "limit:groups", ())
        for found in (everybody, towns):
            row = Aggregate.under(use).get(pk=found.id)
            for position, (group, figure, people) in enumerate(row.cells):
                blocks = AggregateCell.under(use).filter(release_id=row.pk, position=position).values_list("block_id", flat=True)
                sizes = AggregateBlock.under(use).filter(pk__in=list(blocks)).values_list("people", flat=True)
                assert sum(sizes) == people == int(figure) == found.figures[tuple(group)]
        leaves = list(AggregateBlock.under(use).filter(split_by=None))
        assert sorted(one.people for one in leaves) == [6, 12]
        assert [len(set(members_of(one).values())) for one in leaves] == [one.people for one in leaves]
        (split,) = AggregateBlock.under(use).exclude(split_by=None)
        assert (split.split_by, split.sealed, split.people) == (towns.id, None, 18)
        assert {one.parent for one in leaves} == {split.pk}


def test_people_get_figures_about_what_is_closed_to_them_where_the_limit_says_so() -> None:
    here = world()
    for n in range(6):
        dana = here.person(f"dana.figures{n}@quayside.example")
        here.point(dana, "email", f"dana{n}@quayside.example", "google", label="work")
    asked = Question(ContactPoint, ("label",), {"category": "email"})
    with acting(here.id, here.bob, "analytics") as use:
        assert not ContactPoint.under(use).exists()
    assert ask(here, asked, here.bob) == {("work",): 6}


def test_who_refused_is_not_counted() -> None:
    here = world()
    rows = here.living_in(["Bristol"] * 6)
    from kept.platform.data.models import Subject
    from kept.platform.privacy import choices

    with reserved(here.id, JOB, "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=rows[0].subject_id), "object", "analytics")
    assert ask(here, TOWNS) == {("Bristol",): 5}


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (Question(PostalAddress, ("city",)), BadInput),
        (Question(PostalAddress, ("planet",), {"category": "postal-address"}), BadInput),
        (Question(PostalAddress, (), {"category": "postal-address", "city__startswith": "B"}), BadInput),
        (Question(PostalAddress, (), {"category": "postal-address"}, "sum"), BadInput),
        (Question(PostalAddress, (), {"category": "postal-address"}, "count", "postcode"), BadInput),
        (Question(Person, ("given_name",)), Refused),
        (Question(Person, ("birth_date",)), Refused),
    ],
)
def test_what_cannot_be_asked(question: Question, error: type[Exception]) -> None:
    here = world()
    with pytest.raises(error):
        ask(here, question)


def test_without_a_rule_the_products_own_least_holds() -> None:
    from kept.core.notice import compile, parse
    from kept.platform.privacy.tests.limiting import text

    silent = compile(parse(text().replace('limit = "groups"\nmin_group = 5', 'limit = "groups"\nrefuse = ["health"]')))
    assert smallest_group(silent, frozenset({"email"})) == (LEAST, "")
    here = world()
    assert smallest_group(policy_of(here.id), frozenset({"email"})) == (5, "limit:groups")


def test_a_numbers_column_may_hold_words() -> None:
    here = world()
    rows = here.living_in(["Bristol"] * 7)
    with reserved(here.id, JOB, "rights") as use, writing(use):
        for row, amount in zip(rows, ("1", "2", "3", "4", "5", "many", "NaN"), strict=True):
            values.change(use, row, postcode=amount)
    assert ask(here, Question(PostalAddress, (), {"category": "postal-address"}, "sum", "postcode")) == {(): 15}

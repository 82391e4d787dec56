"""Limits follow the value: behind its fence wherever it goes, refused or cut at the door, whatever door it is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from kept.core.errors import BadInput, Refused
from kept.core.notice import compile, parse
from kept.platform.data.datamap import table_of, tables
from kept.platform.data.models import Subject
from kept.platform.data.search import search
from kept.platform.data.use import OPEN_MASK, PEOPLE_BIT, Use, writing
from kept.platform.privacy import fences, notices, provenance, values
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Derivation, Provenance
from kept.platform.privacy.tests.limiting import Company, ContactPoint, Person, World, text, world
from kept.platform.privacy.truncation import truncate

CARD = "4111 1111 1111 1111"
SSN = "078-05-1120"
JOB = "job:test"


@pytest.fixture(scope="module")
def here() -> World:
    return world()


def held(use: Use, person: Any) -> set[str]:
    return set(ContactPoint.under(use).filter(person_id=person.pk).values_list("value", flat=True))


# Fences


def test_a_value_serves_only_what_its_provenance_allows_and_the_same_fact_from_elsewhere_serves_the_rest(here: World) -> None:
    dana = here.person("dana.fence@quayside.example", given_name="Dana")
    here.point(dana, "email", "dana.sycamore@quayside.example", "google")
    here.point(dana, "email", "dana.alder@quayside.example", "subject")
    with acting(here.id, JOB, "direct-marketing") as use:
        assert held(use, dana) == {"dana.alder@quayside.example"}
    with acting(here.id, JOB, "customer-relations") as use:
        assert held(use, dana) == {"dana.alder@quayside.example", "dana.sycamore@quayside.example"}


def test_search_finds_no_fenced_value_under_a_closed_purpose_nor_for_people(here: World) -> None:
    dana = here.person("dana.search@quayside.example")
    secret = here.point(dana, "email", "dana.larkspur@quayside.example", "google")
    with acting(here.id, JOB, "customer-relations") as use:
        assert search(use, ContactPoint, "larkspur") == [secret.pk]
    with acting(here.id, JOB, "direct-marketing") as use:
        assert search(use, ContactPoint, "larkspur") == []
    with acting(here.id, here.bob, "customer-relations") as use:
        assert search(use, ContactPoint, "larkspur") == []
        assert not ContactPoint.under(use).filter(value__contains="larkspur").exists()


def test_a_fence_is_reckoned_at_the_door_and_a_wider_one_that_is_given_does_not_count(here: World) -> None:
    dana = here.person("dana.forged@quayside.example")
    forged = here.point(dana, "email", "dana.forged2@quayside.example", "google", fence=OPEN_MASK)
    policy = notices.policy_of(here.id)
    assert forged.fence == policy.fence("google", "email")
    assert not forged.fence >> PEOPLE_BIT & 1
    narrower = here.point(dana, "email", "dana.narrow@quayside.example", "subject", fence=policy.fence("broker", "email"))
    assert narrower.fence == policy.fence("broker", "email")


def test_what_is_derived_obeys_every_origin_and_says_where_it_is_from(here: World) -> None:
    dana = here.person("dana.derived@quayside.example", given_name="Dana")
    points = [
        here.point(dana, "email", "dana.d1@quayside.example", "google"),
        here.point(dana, "email", "dana.d2@quayside.example", "broker"),
    ]
    policy = notices.policy_of(here.id)
    with reserved(here.id, JOB, "rights") as use, writing(use):
        made = values.derive(use, policy, points, category="inference", occasion="snippet")
        names = ("subject", "person", "category", "source", "provenance_id", "value")
        line = (dana.subject_id, dana.pk, made.category, made.source, made.provenance_id, "Likes larkspur")
        (snippet,) = values.insert(use, ContactPoint, names, [line])
        again = values.derive(use, policy, [ContactPoint.under(use).get(pk=snippet)], category="inference", occasion="summary")
        row = ContactPoint.under(use).get(pk=snippet)
        assert {(one.source, one.category) for one in Derivation.under(use).filter(provenance_id=again.provenance_id)} == {
            ("google", "email"),
            ("broker", "email"),
        }
        assert Provenance.under(use).get(pk=made.provenance_id).occasion == "snippet"
    both = policy.fence("google", "email") & policy.fence("broker", "email")
    assert row.fence == made.fence == again.fence == both
    assert not both >> policy.bits["direct-marketing"] & 1
    with acting(here.id, here.bob, "customer-relations") as use:
        assert not ContactPoint.under(use).filter(pk=snippet).exists()
    with acting(here.id, JOB, "customer-relations") as use:
        assert ContactPoint.under(use).get(pk=snippet).value == "Likes larkspur"
        assert search(use, ContactPoint, "larkspur likes") == [snippet]
    with pytest.raises(BadInput, match="nothing"), reserved(here.id, JOB, "rights") as use, writing(use):
        values.derive(use, policy, [], category="inference", occasion="nothing")


def seen(use: Use, person: Any) -> int:
    """How many rows raw SQL shows of somebody's record, and how many the search finds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM contacts_person WHERE id = {person.pk} AND given_name LIKE '%%'")
        (rows,) = cursor.fetchone()
    return int(rows) + search(use, Person, "rowanberry").count(person.pk)


def test_a_record_stands_under_the_narrowest_fence_of_what_it_holds(here: World) -> None:
    policy = notices.policy_of(here.id)
    bought = here.person("dana.row@quayside.example", provenance_id=here.origin("broker"), given_name="Rowanberry")
    assert bought.fence == policy.fence("broker", "name")
    with acting(here.id, JOB, "customer-relations") as use:
        assert seen(use, bought) == 2
    with acting(here.id, JOB, "direct-marketing") as use, writing(use):
        assert seen(use, bought) == 0
        assert not Person.under(use).filter(pk=bought.pk).update(given_name="x")
    mailed = here.person("dana.row2@quayside.example", provenance_id=here.origin("google"), given_name="Rowanberry")
    with acting(here.id, here.bob, "customer-relations") as use:
        assert seen(use, mailed) == 0
        assert seen(use, bought) == 2
    empty = here.person("dana.row3@quayside.example", provenance_id=here.origin("google"))
    assert empty.fence == OPEN_MASK


def test_a_change_narrows_the_fence_of_a_record_and_never_widens_it(here: World) -> None:
    policy = notices.policy_of(here.id)
    dana = here.person("dana.narrows@quayside.example")
    with reserved(here.id, JOB, "rights") as use, writing(use):
        values.change(use, dana, source="broker", given_name="Dana")
        dana = Person.under(use).get(pk=dana.pk)
        assert dana.fence == policy.fence("broker", "name")
        values.change(use, dana, source="subject", given_name="Danae")
        values.change(use, Person.under(use).get(pk=dana.pk), family_name="Marsh")
        assert Person.under(use).get(pk=dana.pk).fence == policy.fence("broker", "name")


@pytest.mark.parametrize(("source", "rule"), [("google", "limit:google"), ("broker", "limit:bought")])
def test_a_record_that_serves_more_takes_no_fenced_value(here: World, source: str, rule: str) -> None:
    dana = here.person("dana.shared@quayside.example", family_name="Marsh")
    with reserved(here.id, JOB, "rights") as use, writing(use):
        with pytest.raises(Refused, match="would hide this record") as caught:
            values.change(use, dana, source=source, given_name="Dana")
        assert caught.value.rule == rule
        values.change(use, dana, source="subject", given_name="Danae")
        held = Person.under(use).get(pk=dana.pk)
        assert (held.given_name, held.fence) == ("Danae", OPEN_MASK)


def test_nobody_hides_a_record_from_themselves(here: World) -> None:
    dana = here.person("dana.self@quayside.example")
    with acting(here.id, here.bob, "customer-relations") as use, writing(use), pytest.raises(Refused) as caught:
        values.change(use, Person.under(use).get(pk=dana.pk), source="google", given_name="Dana")
    assert caught.value.rule.startswith("limit:google")


def test_a_part_of_a_value_from_elsewhere_opens_no_fence(here: World) -> None:
    dana = here.person("dana.part@quayside.example")
    point = here.point(dana, "email", "dana.part1@quayside.example", "broker")
    with reserved(here.id, JOB, "rights") as use, writing(use):
        values.change(use, point, source="subject", label="home")
        assert ContactPoint.under(use).get(pk=point.pk).fence == point.fence


def test_a_table_without_fences_takes_no_fenced_value(here: World) -> None:
    with reserved(here.id, JOB, "rights") as use, pytest.raises(Refused, match="no fence") as caught:
        values.prepare(use, Person, ("subject", "given_name"), [(1, "Dana")], source="google")
    assert caught.value.rule in ("limit:google", "limit:google-people")


def test_a_limit_that_names_a_category_closes_the_record_to_those_who_would_read_it(here: World) -> None:
    rule = 'limit = "titles"\napplies_to = { category = "job-title" }\nonly_purposes = ["customer-relations"]'
    told = text() + f"\nTitles are for our own work.\n\n```rule\n{rule}\n```\n"
    policy = compile(parse(told), bits=notices.policy_of(here.id).bits)
    fence, bits = fences.row_fence(policy, fences.Origin("subject", "job-title")), policy.bits
    assert not fence >> bits["analytics"] & 1  # it reads titles
    assert fence >> bits["direct-marketing"] & fence >> bits["customer-relations"] & 1
    assert fences.row_fence(policy, fences.Origin("subject", "name")) == OPEN_MASK


def test_a_purpose_that_takes_one_source_alone_does_not_see_the_others(here: World) -> None:
    told = text().replace('categories = ["name", "email"]\nbasis', 'categories = ["name", "email"]\nonly_sources = ["subject"]\nbasis')
    there = world(told)
    own, other = (
        there.person(f"dana.{one}@quayside.example", provenance_id=there.origin(one), given_name="Dana") for one in ("subject", "broker")
    )
    with acting(there.id, JOB, "direct-marketing") as use:
        assert [one.pk for one in Person.under(use)] == [own.pk]
    with acting(there.id, there.bob, "customer-relations") as use:
        assert {one.pk for one in Person.under(use)} == {own.pk, other.pk}


def test_a_value_replaced_from_another_source_stands_under_that_sources_limits(here: World) -> None:
    dana = here.person("dana.replaced@quayside.example")
    point, policy = here.point(dana, "email", "dana.r1@quayside.example", "subject"), notices.policy_of(here.id)
    with reserved(here.id, JOB, "rights") as use, writing(use):
        values.change(use, point, source="google", value="dana.r2@quayside.example")
        row = ContactPoint.under(use).get(pk=point.pk)
        assert (row.source, row.fence) == ("google", policy.fence("google", "email"))
        values.change(use, row, value="dana.r3@quayside.example")
        assert ContactPoint.under(use).get(pk=point.pk).fence == policy.fence("google", "email")


def test_a_limit_added_later_closes_what_is_here_and_what_was_made_of_it() -> None:
    there = world()
    dana = there.person("dana.later@quayside.example")
    point, policy = there.point(dana, "email", "dana.l1@quayside.example", "broker"), notices.policy_of(there.id)
    with reserved(there.id, JOB, "rights") as use, writing(use):
        made = values.derive(use, policy, [point], category="inference", occasion="snippet")
        names = ("subject", "person", "category", "source", "provenance_id", "value")
        line = (dana.subject_id, dana.pk, made.category, made.source, made.provenance_id, "x")
        (snippet,) = values.insert(use, ContactPoint, names, [line])
        narrower = notices.policy_of(there.id).fence("broker", "email") & ~(1 << policy.bits["customer-relations"])
        stricter = text().replace('never = ["direct-marketing"]', 'never = ["direct-marketing", "customer-relations"]')
        coming = compile(parse(stricter), bits=policy.bits)
        assert fences.tighten_derived(use, coming) == 1
        assert ContactPoint.under(use).get(pk=snippet).fence == narrower
        assert fences.tighten_derived(use, policy) == 0
        assert ContactPoint.under(use).get(pk=snippet).fence == narrower


def test_a_limit_added_later_closes_records_by_what_is_in_them() -> None:
    there = world()
    made = {
        "own": there.person("dana.t1@quayside.example", given_name="Dana"),
        "bought": there.person("dana.t2@quayside.example", provenance_id=there.origin("broker"), given_name="Dana"),
        "empty": there.person("dana.t3@quayside.example", provenance_id=there.origin("broker")),
        "noted": there.person("dana.t4@quayside.example", given_name="Dana", family_name="Marsh"),
        "corrected": there.person("dana.t5@quayside.example", provenance_id=there.origin("broker"), given_name="Dana"),
        "nowhere": there.person("dana.t6@quayside.example", provenance_id=None, given_name="Dana"),
        "derived": there.person("dana.t7@quayside.example", given_name="Dana"),
    }
    policy = notices.policy_of(there.id)
    with reserved(there.id, JOB, "rights") as use, writing(use):
        provenance.note_value(use, made["noted"], ["family_name"], there.origin("broker"))
        provenance.note_value(use, made["corrected"], ["given_name"], there.origin("subject"))
        occasion = values.derive(use, policy, [made["bought"]], category="name", occasion="guess").provenance_id
        provenance.note_value(use, made["derived"], ["given_name"], occasion)
    stricter = text().replace('never = ["direct-marketing"]', 'never = ["direct-marketing", "billing"]')
    coming = compile(parse(stricter), bits=policy.bits)
    with reserved(there.id, JOB, "rights") as use, writing(use):
        fences.tighten(use, coming, table_of(Person))
        fences.tighten_derived(use, coming)
        closed = {name for name, one in made.items() if not Person.under(use).get(pk=one.pk).fence >> policy.bits["billing"] & 1}
    assert closed == {"bought", "noted", "derived"}


# Refused and cut


def columns_of_people() -> list[tuple[Any, str]]:
    """Every column of words that says something about people, in every table there is."""
    return [
        (table.model, name)
        for table in tables()
        if table.personal and table.of_subject
        for name in (*table.model.personal.columns, *(("value",) if table.by_row else ()))
    ]


@pytest.mark.parametrize(("model", "name"), columns_of_people(), ids=lambda one: one if isinstance(one, str) else one.__name__)
@pytest.mark.parametrize("value", [CARD, f"call me, card {CARD}", SSN])
def test_no_column_takes_a_card_or_national_number_and_no_log_has_it(
    here: World, model: Any, name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    fields: dict[str, Any] = {"subject": 1, name: value}
    if model.personal.by_row:
        fields |= {"category": "email", "source": "subject"}
    with reserved(here.id, JOB, "rights") as use, writing(use), pytest.raises(Refused) as caught:
        values.insert(use, model, tuple(fields), [tuple(fields.values())])
    assert caught.value.rule == "limit:cards"
    assert value not in f"{caught.value} {caught.value.as_dict()} {caught.value.__context__} {caplog.text}"
    row = model(**{"subject_id": 1, "pk": 1, **({"category": "email", "source": "subject"} if model.personal.by_row else {})})
    row.fence = OPEN_MASK
    with reserved(here.id, JOB, "rights") as use, writing(use), pytest.raises(Refused):
        values.change(use, row, source="subject", **{name: value})


def test_every_personal_value_of_a_room_is_written_through_values() -> None:
    """`rows` alone neither refuses nor fences: rooms hand it no table that says something about people."""
    personal = {table.model.__name__ for table in tables() if table.personal}
    apps = Path(values.__file__).resolve().parents[2] / "apps"
    found = []
    for path in (one for one in apps.rglob("*.py") if "tests" not in one.parts):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("rows.insert", "rows.update"):
                written = [one for one in node.args[2:3] if isinstance(one, ast.Tuple | ast.List)]
                names = {ast.literal_eval(one) for line in written for one in line.elts if isinstance(one, ast.Constant)}
                plain = bool(names) and names <= {"changed_at", "created_at", "import_id", "owner_id", "subject", "provenance_id"}
                if ast.unparse(node.args[1]) in personal and not plain and not _prepared(path, node):
                    found.append(f"{path.name}:{node.lineno} {ast.unparse(node.args[1])}")
    assert found == []
    assert personal >= {"Person", "ContactPoint", "PostalAddress", "Company"}


def _prepared(path: Path, call: ast.Call) -> bool:
    """Whether what is handed over came from `values.prepare` just before, or only plain columns are."""
    before = path.read_text().splitlines()[max(0, call.lineno - 8) : call.lineno]
    return any("values.prepare(" in line for line in before)


def test_a_company_is_no_way_round(here: World) -> None:
    with reserved(here.id, JOB, "rights") as use, writing(use), pytest.raises(Refused):
        values.insert(use, Company, ("name", "created_at"), [(f"Quayside {CARD}", here.cast.account.created_at)])


def test_what_a_recipient_holds_never_touches_our_store(here: World) -> None:
    dana = here.person("dana.held@quayside.example")
    with pytest.raises(Refused, match="bank-account") as caught:
        here.point(dana, "bank-account", "12-34-56 00112233", "subject")
    assert caught.value.rule == "collect:card"


@pytest.mark.parametrize(
    ("category", "whole", "cut"),
    [
        ("ip-address", "203.0.113.77", "203.0.113.0/24"),
        ("ip-address", "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("ip-address", "::ffff:203.0.113.77", "203.0.113.0/24"),
        ("precise-location", "51.4545, -2.5879", "51.5, -2.6"),
    ],
)
def test_cut_on_arrival_and_on_every_change(here: World, category: str, whole: str, cut: str) -> None:
    dana = here.person("dana.cut@quayside.example")
    point = here.point(dana, category, whole, "subject")
    assert point.value == cut == truncate(category, cut)
    with reserved(here.id, JOB, "rights") as use, writing(use):
        values.change(use, point, value=whole)
        assert ContactPoint.under(use).get(pk=point.pk).value == cut


@pytest.mark.parametrize(
    ("category", "wrong"), [("ip-address", "203.0.113.777"), ("precise-location", "here"), ("precise-location", "91, 0")]
)
def test_what_cannot_be_cut_does_not_come_in_and_is_not_repeated(here: World, category: str, wrong: str) -> None:
    dana = here.person("dana.uncut@quayside.example")
    with pytest.raises(BadInput) as caught:
        here.point(dana, category, wrong, "subject")
    assert wrong not in str(caught.value)


def test_a_cut_that_nobody_defined_keeps_the_category_out() -> None:
    with pytest.raises(Refused, match="no cut"):
        truncate("birth-date", "1984-02-12", "limit:x")


def test_the_engine_keeps_a_fenced_value_from_people_by_raw_sql_too(here: World) -> None:
    dana = here.person("dana.raw@quayside.example")
    here.point(dana, "email", "dana.rowan@quayside.example", "google")
    with acting(here.id, here.bob, "customer-relations"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts_contactpoint WHERE value LIKE '%%rowan%%'")
        assert cursor.fetchone()[0] == 0
    with acting(here.id, JOB, "customer-relations"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts_contactpoint WHERE value LIKE '%%rowan%%'")
        assert cursor.fetchone()[0] == 1


def test_people_neither_change_nor_delete_what_is_closed_to_them(here: World) -> None:
    dana = here.person("dana.closed@quayside.example")
    point = here.point(dana, "email", "dana.c@quayside.example", "google")
    with acting(here.id, here.bob, "customer-relations") as use, writing(use):
        assert not ContactPoint.under(use).filter(pk=point.pk).update(label="x")
        ContactPoint.under(use).filter(pk=point.pk).delete()
    with acting(here.id, JOB, "customer-relations") as use:
        assert ContactPoint.under(use).get(pk=point.pk).label == ""
        assert Subject.under(use).filter(pk=dana.subject_id).exists()

"""Every prover: content when all is well, silent when there is nothing, and not deceived when the forbidden state is put in behind the
enforcer's back, through the connection of the tables' owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from kept.core import ledger as core
from kept.core.errors import BadInput
from kept.core.notice import Rule
from kept.core.notice.rules import KINDS
from kept.platform.data import rows
from kept.platform.data.keystore import DatabaseKeyStore
from kept.platform.data.use import Use, writing
from kept.platform.privacy import choices, erasure, ledger, notices, proofs, provenance, versions
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Derivation, Entry
from kept.platform.privacy.provers import PROVERS
from kept.platform.privacy.registry import Desk, registry
from kept.platform.privacy.testing import notice_text
from kept.platform.privacy.tests.worlds import CLUB, World, bare, came_in, enter, made, models, owner, point


@pytest.fixture
def world() -> World:
    return made(bare().account)


def test_every_kind_of_rule_has_a_prover() -> None:
    assert set(KINDS) - set(PROVERS) == {"tracker", "incentive"}, "of these nothing is held yet that could be looked at"


def test_where_there_is_nothing_nothing_is_said_to_be_kept() -> None:
    empty = bare()
    found = {proof.rule: proof for proof in proofs.prove(empty.account.pk, "command:test")}
    assert {proof.state for proof in found.values()} == {"kept", "unproven", "statement"}
    assert sorted(rule for rule, proof in found.items() if proof.state == "kept") == [
        "notice:larch",
        "role:own-customers",
        "secure:workshop",
    ]
    assert all(proof.counted == 0 for proof in found.values() if proof.state in ("unproven", "statement"))


def test_a_clean_account_breaks_nothing_and_says_what_was_counted(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "object", "direct-marketing")
        choices.choose(use, world.dana, "restrict", "analytics")
    found = {proof.rule: proof for proof in proofs.prove(world.account.pk, "command:test")}
    assert {rule: proof.said for rule, proof in found.items() if proof.state == "broken"} == {}
    kept = {rule for rule, proof in found.items() if proof.state == "kept"}
    assert kept >= {
        *("notice:larch", "role:own-customers", "collect:workshop-notes", "limit:no-card-numbers", "age:sixteen", "secure:dates-of-birth"),
        *("purpose:customer-relations", "choice:marketing-mail", "choice:marketing-mail@US-CA"),
        *("retain:customer-records", "right:objection"),
    }
    assert found["purpose:customer-relations"].said == "The data of 1 of 1 person may serve this; looked at: everything."
    assert found["limit:no-card-numbers"].said == "None found in 4 values searched. Looked at: everything."
    assert found["secure:dates-of-birth"].counted == 1


def test_what_is_not_bound_is_unproven_and_says_what_is_missing(world: World) -> None:
    found = {proof.rule: proof for proof in proofs.prove(world.account.pk, "command:test")}
    marketing = found["purpose:direct-marketing"]
    assert (marketing.state, marketing.evidence["unbound"]) == ("unproven", ["room:campaigns"])
    assert marketing.said.startswith("Not bound in this deployment: there is no room “campaigns”. What could be looked at: The data of 0")
    assert world.prove("purpose:direct-marketing", bound=False).state == "kept"
    opened(world)
    assert world.prove("purpose:direct-marketing").state == "broken", "a violation is found all the same"


# What each prover must find. A violation puts the forbidden state in and is found under the rule named.


def changed_text(world: World) -> None:
    owner("UPDATE privacy_noticeversion SET text = text || 'And more.' WHERE account_id = %s", world.account.pk)


def operator_looked(world: World) -> None:
    enter(world.account, "look", actor="operator:7", purpose="security")


def a_source_without_inlet(world: World) -> None:
    with bookkeeping(world.account.pk, writing=True) as use:
        came_in(use, "club-books", "collect:club")
    owner("UPDATE privacy_provenance SET source = 'club-books' WHERE account_id = %s", world.account.pk)


def of_a_category_no_inlet_takes(world: World) -> None:
    owner("UPDATE contacts_contactpoint SET category = 'passport' WHERE id = %s", world.points[0])


def of_a_category_this_inlet_does_not_take(world: World) -> None:
    owner("UPDATE contacts_contactpoint SET category = 'club-number' WHERE id = %s", world.points[0])


def through_no_inlet(world: World) -> None:
    owner("UPDATE privacy_provenance SET rule = 'collect:elsewhere' WHERE account_id = %s", world.account.pk)


def from_another_source(world: World) -> None:
    owner("UPDATE privacy_provenance SET source = 'broker' WHERE account_id = %s", world.account.pk)


def on_another_basis(world: World) -> None:
    owner("UPDATE privacy_provenance SET basis = 'vital-interests' WHERE account_id = %s", world.account.pk)


def bit(world: World, purpose: str) -> int:
    return 1 << notices.policy_of(world.account.pk).bits[purpose]


def opened(world: World, purpose: str = "direct-marketing") -> None:
    """The mask of the person and of every row of theirs."""
    owner("UPDATE data_subject SET permits = permits | %s WHERE id = %s", bit(world, purpose), world.dana.pk)


def opened_one_row(world: World) -> None:
    if connections["owner"].vendor == "postgresql":
        owner("ALTER TABLE contacts_contactpoint DROP CONSTRAINT guard_subject_contacts_contactpoint")
    owner("UPDATE contacts_contactpoint SET permits = permits | %s WHERE id = %s", bit(world, "direct-marketing"), world.points[0])


def shown_beyond_the_purpose(world: World) -> None:
    enter(world.account, "look", purpose="direct-marketing", categories=["birth-date"], subjects=[world.dana.reference])


def open_after_a_no(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "withdraw", "direct-marketing")
    opened(world)


def open_after_a_no_in_california(world: World) -> None:
    owner("UPDATE data_subject SET region = 'US-CA' WHERE id = %s", world.dana.pk)
    open_after_a_no(world)


def open_after_an_objection(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "object", "analytics")
    opened(world, "analytics")


def open_under_restriction(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "restrict", "all")
    opened(world, "customer-relations")


def a_choice_that_the_ledger_does_not_know(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "withdraw", "direct-marketing")
    owner("UPDATE privacy_choice SET state = 'given' WHERE account_id = %s", world.account.pk)


def a_choice_gone_from_the_tables(world: World) -> None:
    with reserved(world.account.pk, "command:test", "rights") as use:
        choices.choose(use, world.dana, "allow", "direct-marketing")
    owner("DELETE FROM privacy_choice WHERE account_id = %s", world.account.pk)


def a_child_open(world: World) -> None:
    young = made(world.account, born=f"{timezone.now().year - 10}-01-01")
    opened(young, "customer-relations")


def in_clear(world: World) -> None:
    owner("UPDATE contacts_person SET birth_date = '1980-02-03' WHERE id = %s", world.person)


def without_a_key(world: World) -> None:
    DatabaseKeyStore().delete([world.dana.key_id or 0])


def moved_from_another(world: World) -> None:
    other = made(world.account)
    swap = "(SELECT birth_date FROM contacts_person WHERE id = %s)"
    owner(f"UPDATE contacts_person SET birth_date = {swap} WHERE id = %s", other.person, world.person)


def a_card_number(world: World) -> None:
    owner("UPDATE contacts_person SET job_title = 'Foreman 4111 1111 1111 1111' WHERE id = %s", world.person)


def a_card_number_as_such(world: World) -> None:
    owner("UPDATE contacts_contactpoint SET category = 'payment-card', value = 'gone' WHERE id = %s", world.points[0])


def unfenced(world: World) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        point(use, world.dana.pk, world.person, "4 Quay Street", category="postal-address", source="public")


def derived_and_unfenced(world: World) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        made_of = came_in(use, "derived", "collect:company-register")
        rows.insert(use, Derivation, ("provenance_id", "source", "category"), [(made_of, "public", "postal-address")])
        point(use, world.dana.pk, world.person, "Quayside", category="postal-address", source="derived", provenance_id=made_of)


def fenced_value_in_a_shared_column(world: World) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        origin = came_in(use, "public", "collect:company-register")
        row = models().get_model("person").under(use).get(pk=world.person)
        provenance.note_value(use, row, ["job_title"], origin)
    owner("UPDATE contacts_person SET job_title = 'Foreman' WHERE id = %s", world.person)


def past_its_date(world: World) -> None:
    owner("UPDATE contacts_person SET changed_at = %s WHERE id = %s", timezone.now() - timedelta(days=4 * 366), world.person)


def disclosed(world: World, purpose: str, recipient: str, category: str, rule: str | None = "disclose:carrier") -> None:
    enter(world.account, "disclosure", purpose=purpose, recipient=recipient, categories=[category], rule=rule)


def to_somebody_unnamed(world: World) -> None:
    disclosed(world, "customer-relations", "Harbour Data", "name")


def too_much_to_the_carrier(world: World) -> None:
    enter(
        world.account,
        "disclosure",
        purpose="customer-relations",
        recipient="Severn Carriers",
        categories=["email"],
        rule="disclose:carrier",
    )


def for_another_purpose(world: World) -> None:
    disclosed(world, "direct-marketing", "Severn Carriers", "name")


def without_a_rule(world: World) -> None:
    disclosed(world, "customer-relations", "Severn Carriers", "name", rule=None)


def a_certificate_changed(world: World) -> None:
    request = uuid4().hex
    done = erasure.erase(world.account.pk, "command:test", made(world.account).dana.pk, request, "right:erasure")
    text = core.encode(done.certificate or {}).decode().replace('"stage":"erased"', '"stage":"gone"')
    owner("UPDATE privacy_erasure SET certificate = %s WHERE request = %s AND account_id = %s", text, request, world.account.pk)


def erased_and_back(world: World) -> None:
    gone = made(world.account)
    erasure.erase(world.account.pk, "command:test", gone.dana.pk, uuid4().hex, "right:erasure")
    owner("UPDATE data_subject SET reference = %s WHERE id = %s", gone.dana.reference, world.dana.pk)


VIOLATIONS: list[tuple[str, Callable[[World], None]]] = [
    ("notice:larch", changed_text),
    ("role:own-customers", operator_looked),
    ("source:club-books", a_source_without_inlet),
    ("category:club-number", of_a_category_this_inlet_does_not_take),
    ("collect:workshop-notes", of_a_category_no_inlet_takes),
    ("collect:workshop-notes", of_a_category_this_inlet_does_not_take),
    ("collect:workshop-notes", through_no_inlet),
    ("collect:workshop-notes", from_another_source),
    ("collect:workshop-notes", on_another_basis),
    ("purpose:direct-marketing", opened),
    ("purpose:direct-marketing", shown_beyond_the_purpose),
    ("choice:marketing-mail", open_after_a_no),
    ("choice:marketing-mail@US-CA", open_after_a_no_in_california),
    ("choice:marketing-mail", a_choice_that_the_ledger_does_not_know),
    ("choice:marketing-mail", a_choice_gone_from_the_tables),
    ("age:sixteen", a_child_open),
    ("secure:dates-of-birth", in_clear),
    ("secure:dates-of-birth", without_a_key),
    ("secure:dates-of-birth", moved_from_another),
    ("limit:no-card-numbers", a_card_number),
    ("limit:no-card-numbers", a_card_number_as_such),
    ("limit:company-register", unfenced),
    ("limit:company-register", derived_and_unfenced),
    ("limit:company-register", fenced_value_in_a_shared_column),
    ("retain:customer-records", past_its_date),
    ("disclose:carrier", to_somebody_unnamed),
    ("disclose:carrier", too_much_to_the_carrier),
    ("disclose:carrier", for_another_purpose),
    ("disclose:carrier", without_a_rule),
    ("right:objection", open_after_an_objection),
    ("right:restriction", open_under_restriction),
    ("right:erasure", a_certificate_changed),
    ("right:erasure", erased_and_back),
]


@pytest.mark.parametrize(("rule", "violate"), VIOLATIONS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_seeded_violation_is_found(world: World, rule: str, violate: Callable[[World], None]) -> None:
    assert world.prove(rule).state != "broken"
    violate(world)
    found = world.prove(rule)
    assert found.state == "broken", found
    assert found.evidence["count"] >= 1
    assert found.evidence["references"]
    assert "dana@quayside.example" not in str(found)
    assert "4111" not in str(found)


@pytest.mark.sqlite
def test_a_row_whose_mask_is_not_its_persons_is_found(world: World) -> None:
    """On PostgreSQL a foreign key makes this impossible."""
    opened_one_row(world)
    assert world.prove("purpose:direct-marketing").state == "broken"


@pytest.fixture
def desk() -> Iterator[list[Desk]]:
    stood: list[Desk] = []

    def due(use: Use, rule: Rule, now: datetime) -> Desk:
        return stood[0] if stood and rule.name in ("right:access", "role:own-customers") else Desk(0, 0)

    registry.due.append(due)
    yield stood
    registry.due.remove(due)


def test_a_request_past_its_day_breaks_the_right(world: World, desk: list[Desk]) -> None:
    assert world.prove("right:access").state == "unproven"
    desk.append(Desk(answered=3, open=1))
    assert world.prove("right:access").said == "3 requests answered, 1 open, none past due."
    desk[0] = Desk(answered=3, open=1, faults={"past due": ["ab" * 16]})
    found = world.prove("right:access")
    assert (found.state, found.evidence["references"]) == ("broken", ["ab" * 16])


def test_an_answer_to_somebody_who_had_not_proved_who_they_are_breaks_the_right(world: World, desk: list[Desk]) -> None:
    desk.append(Desk(answered=1, open=0, faults={"answered to somebody who had not proved who they are": ["ab" * 16]}))
    found = world.prove("right:access")
    assert (found.state, found.evidence["references"]) == ("broken", ["ab" * 16])


def test_a_way_of_asking_that_the_desk_does_not_have_breaks_the_right(world: World, desk: list[Desk]) -> None:
    held = [due for due in registry.due if due.__module__.startswith("kept.apps.")]
    for due in held:
        registry.due.remove(due)
    try:
        desk.append(Desk(answered=1, open=0, channels=frozenset({"web"}), formats=frozenset({"html", "json", "csv"})))
        found = world.prove("right:access")
    finally:
        registry.due.extend(held)
    assert (found.state, found.evidence["references"]) == ("broken", ["email"])


def test_a_request_past_its_day_breaks_the_role_of_who_answers(world: World, desk: list[Desk]) -> None:
    assert world.prove("role:own-customers").state == "kept"
    desk.append(Desk(answered=0, open=1, faults={"past due": ["ab" * 16]}))
    assert world.prove("role:own-customers").state == "broken"


def test_erasures_and_disclosures_that_were_right_are_kept(world: World) -> None:
    erasure.erase(world.account.pk, "command:test", world.dana.pk, "cf" * 16, "right:erasure")
    assert world.prove("right:erasure").said == "1 person erased, nothing of them found again, every certificate verifies."
    disclosed(world, "customer-relations", "Severn Carriers", "name")
    assert world.prove("disclose:carrier").state == "kept"


def test_what_the_notice_of_its_day_allowed_stays_right(world: World) -> None:
    """A later version that takes an inlet away breaks nothing that came in before."""
    text = notice_text() + CLUB
    start = text.index("While we work for you")
    end = text.index("\n```\n", text.index("```rule", start)) + 5
    versions.carry_on(versions.decide(world.account, text[:start] + text[end:], "command:test"))
    found = {proof.rule: proof for proof in proofs.prove(world.account.pk, "command:test")}
    assert "collect:workshop-notes" not in found
    assert {rule: proof.said for rule, proof in found.items() if proof.state == "broken"} == {}


def test_a_run_is_one_entry_whose_receipt_shows_it_unchanged(world: World) -> None:
    proofs.prove(world.account.pk, "command:test")
    with bookkeeping(world.account.pk) as use:
        assert Entry.under(use).filter(kind="proof").count() == 1
    shown = proofs.evidence(world.account.pk, "age:sixteen")
    assert shown["state"] == "kept"
    _, key = ledger.signing_key(world.account.pk)
    assert core.verify_receipt(core.encode(shown["receipt"]), key).state == "valid"
    said = [one for one in shown["receipt"]["document"]["proofs"] if one["rule"] == "age:sixteen"]
    assert said == [{"rule": "age:sixteen", "state": "kept", "counted": 1, "said": shown["said"]}]
    owner("UPDATE privacy_proof SET said = 'All is well.' WHERE account_id = %s AND rule = 'age:sixteen'", world.account.pk)
    with pytest.raises(BadInput, match="document"):
        proofs.evidence(world.account.pk, "age:sixteen")


def test_evidence_for_everybody_names_nobody(world: World) -> None:
    opened(world)
    proofs.prove(world.account.pk, "command:test")
    shown = proofs.evidence(world.account.pk, "purpose:direct-marketing")
    assert shown["evidence"]["count"] == 1
    assert world.dana.reference not in str(shown)


def test_a_day_has_its_worst_state(world: World) -> None:
    proofs.prove(world.account.pk, "command:test")
    a_child_open(world)
    proofs.prove(world.account.pk, "command:test")
    owner("UPDATE contacts_person SET birth_date = '' WHERE account_id = %s", world.account.pk)
    proofs.prove(world.account.pk, "command:test")
    days = proofs.history(world.account.pk, timezone.localdate())
    assert days["age:sixteen"] == ["none"] * 89 + ["broken"]
    assert days["role:own-customers"][-1] == "kept"
    assert proofs.latest(world.account.pk)[0].rule == "notice:larch"

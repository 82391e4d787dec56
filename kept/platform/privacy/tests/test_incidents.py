"""A broken promise is an incident until it is proved kept again, or somebody resolves it and says why."""

from __future__ import annotations

import pytest
from django.core import mail

from kept.core.errors import BadInput, Conflict, NotFound
from kept.platform.accounts.models import Member
from kept.platform.accounts.roles import Role
from kept.platform.privacy import incidents, proofs
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.ledger import header_of
from kept.platform.privacy.models import Entry, Incident, IncidentStep
from kept.platform.privacy.tests.worlds import World, bare, enter, made, owner

RULE = "secure:dates-of-birth"


@pytest.fixture
def world() -> World:
    return made(bare().account)


def in_clear(world: World) -> None:
    owner("UPDATE contacts_person SET birth_date = '1980-02-03' WHERE id = %s", world.person)


def mended(world: World) -> None:
    owner("UPDATE contacts_person SET birth_date = '' WHERE id = %s", world.person)


def prove(world: World) -> None:
    proofs.prove(world.account.pk, "command:test")


def broken(world: World) -> Incident:
    in_clear(world)
    prove(world)
    (one,) = incidents.open_of(world.account)
    return one


def member(world: World, role: Role = Role.OWNER) -> Member:
    return Member.objects.filter(account=world.account, role=role).select_related("user", "account").get()


def steps(world: World, one: Incident) -> list[tuple[str, str, str]]:
    return [(step.what, step.state, step.actor) for step in incidents.history_of(world.account, one.pk)]


def test_a_broken_promise_opens_one_incident_with_its_evidence(world: World) -> None:
    prove(world)
    assert incidents.open_of(world.account) == []
    one = broken(world)
    assert (one.rule, one.state, one.owner, one.count) == (RULE, "open", None, 1)
    assert one.found == [f"contacts_person.birth_date {world.person} in clear"]
    assert one.proof == next(proof.pk for proof in proofs.latest(world.account.pk) if proof.rule == RULE)
    prove(world)
    assert [each.pk for each in incidents.open_of(world.account)] == [one.pk]
    assert steps(world, one) == [("opened", "open", "job:proof")]


def test_every_step_is_in_the_ledger(world: World) -> None:
    one = broken(world)
    alice = member(world)
    incidents.acknowledge(world.account, alice.actor, one.pk)
    with bookkeeping(world.account.pk) as use:
        entries = [header_of(entry) for entry in Entry.under(use).filter(kind="incident").order_by("pk")]
        recorded = list(IncidentStep.under(use).order_by("pk").values_list("entry", flat=True))
    assert [(entry.actor, entry.rule) for entry in entries] == [("job:proof", RULE), (alice.actor.reference, RULE)]
    assert len(set(recorded)) == 2
    assert all(entry.commitment for entry in entries)


def test_it_is_resolved_when_the_promise_is_proved_kept_again(world: World) -> None:
    one = broken(world)
    owner("UPDATE contacts_person SET birth_date = '' WHERE id = %s", world.person)
    made(world.account)
    prove(world)
    assert incidents.open_of(world.account) == []
    (resolved,) = incidents.resolved_of(world.account)
    assert (resolved.pk, resolved.by_hand, resolved.resolved_at is not None) == (one.pk, False, True)
    assert steps(world, one)[-1] == ("kept", "resolved", "job:proof")
    in_clear(world)
    prove(world)
    assert [each.pk for each in incidents.open_of(world.account)] != [one.pk], "broken anew is an incident of its own"


def test_having_nothing_to_look_at_resolves_nothing(world: World) -> None:
    one = broken(world)
    mended(world)
    prove(world)
    assert [each.pk for each in incidents.open_of(world.account)] == [one.pk], "unproven is not kept"


def test_people_take_it_up_write_it_down_and_resolve_it(world: World) -> None:
    one, alice = broken(world), member(world)
    incidents.acknowledge(world.account, alice.actor, one.pk)
    incidents.assign(world.account, alice.actor, one.pk, alice)
    incidents.comment(world.account, alice.actor, one.pk, "  A script wrote it. ")
    done = incidents.resolve(world.account, alice.actor, one.pk, "The script is gone.")
    assert (done.state, done.owner, done.by_hand) == ("resolved", alice.pk, True)
    history = incidents.history_of(world.account, one.pk)
    assert [(step.what, step.state, step.owner, step.said) for step in history[1:]] == [
        ("acknowledged", "acknowledged", None, ""),
        ("owner", "acknowledged", alice.pk, ""),
        ("comment", "acknowledged", alice.pk, "A script wrote it."),
        ("resolved", "resolved", alice.pk, "The script is gone."),
    ]


def test_what_was_resolved_by_hand_opens_another_only_when_there_is_more(world: World) -> None:
    one, alice = broken(world), member(world)
    incidents.resolve(world.account, alice.actor, one.pk, "It is a test value.")
    prove(world)
    assert incidents.open_of(world.account) == []
    other = made(world.account)
    in_clear(other)
    prove(world)
    (new,) = incidents.open_of(world.account)
    assert (new.rule, new.count, new.pk != one.pk) == (RULE, 2, True)


def test_what_it_is_about_is_written_down_when_it_changes(world: World) -> None:
    one = broken(world)
    in_clear(made(world.account))
    prove(world)
    assert [what for what, _, _ in steps(world, one)] == ["opened", "found"]


def test_the_privacy_lead_is_told_or_else_the_owner(world: World) -> None:
    mail.outbox.clear()
    broken(world)
    (letter,) = mail.outbox
    assert letter.to == [member(world, Role.PRIVACY_LEAD).user.email]
    assert RULE in letter.body
    assert "1980-02-03" not in letter.body
    mail.outbox.clear()
    prove(world)
    assert mail.outbox == [], "once"
    Member.objects.filter(account=world.account, role=Role.PRIVACY_LEAD).update(role=Role.MEMBER)
    enter(world.account, "look", actor="operator:7", purpose="security")
    prove(world)
    assert [one.to for one in mail.outbox] == [[member(world).user.email]]


def test_bad_input_is_refused_and_other_accounts_are_not_told_apart(world: World) -> None:
    one, alice = broken(world), member(world)
    with pytest.raises(BadInput):
        incidents.resolve(world.account, alice.actor, one.pk, " ")
    with pytest.raises(BadInput):
        incidents.comment(world.account, alice.actor, one.pk, "4111 1111 1111 1111")
    charlie = Member.objects.exclude(account=world.account).select_related("account", "user").first()
    assert charlie
    with pytest.raises(NotFound):
        incidents.assign(world.account, alice.actor, one.pk, charlie)
    with pytest.raises(NotFound):
        incidents.one_of(charlie.account, one.pk)
    incidents.resolve(world.account, alice.actor, one.pk, "Seen.")
    with pytest.raises(Conflict):
        incidents.acknowledge(world.account, alice.actor, one.pk)


def test_an_entry_of_the_ledger_stays_found_and_is_settled_by_hand(world: World) -> None:
    """What went out cannot be called back: the promise stays broken, and the incident is one."""
    enter(world.account, "disclosure", purpose="customer-relations", recipient="Harbour Data", categories=["name"])
    prove(world)
    opened = incidents.open_of(world.account)
    assert {one.rule for one in opened} >= {"disclose:carrier"}
    for one in opened:
        incidents.resolve(world.account, member(world).actor, one.pk, "Asked them to erase it; they did.")
    prove(world)
    assert incidents.open_of(world.account) == []
    assert "broken" in {proof.state for proof in proofs.latest(world.account.pk)}

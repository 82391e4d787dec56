"""What goes out, papers, limits with teeth, versions: for each prover a situation in which the promise is kept, and the same with a
violation put in behind the enforcer's back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from kept.platform.accounts.models import Member
from kept.platform.accounts.roles import Role
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.use import OPEN_MASK, writing
from kept.platform.privacy import evidence, instruments, notices, proofs, versions
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Acceptance, Aggregate, AggregateBlock, Choice, Derivation, Disclosure, Glass, Proof
from kept.platform.privacy.testing import notice_text
from kept.platform.privacy.tests.worlds import CLUB, World, bare, came_in, enter, made, owner, point

Act = Callable[[World], None]


@pytest.fixture
def world() -> World:
    return made(bare().account)


def nothing(world: World) -> None:
    """Nothing more is needed for the promise to be kept."""


# What goes out


def paper(world: World, kind: instruments.Kind, party: str, title: str, **more: Any) -> None:
    with bookkeeping(world.account.pk, writing=True) as use:
        instruments.record(use, kind, party, title, **more)


def given(world: World, rule: str, recipient: str, category: str, *, form: str = "identified", ground: str = "", **more: Any) -> None:
    """A disclosure with its entry, as the one outlet writes it."""
    people = () if form == "aggregate" else (world.dana.reference,)
    fields = {
        "recipient": recipient,
        "rule": rule,
        "purpose": "customer-relations",
        "form": form,
        "by": "job:test",
        "ground": ground,
        "reason": "",
        "instrument_id": None,
        "people": len(people),
        "passed": [[category, "staff", 1]],
        "held_back": [],
        "at": timezone.now(),
        **more,
    }
    header = {"purpose": "customer-relations", "categories": [category], "recipient": recipient, "rule": rule, "subjects": people}
    with bookkeeping(world.account.pk, writing=True) as use:
        evidence.keep(use, Disclosure, fields, "disclosure", actor="job:test", **header)


def insured(world: World) -> None:
    paper(world, "agreement", "Atlantic Mutual", "the policy of 2026")
    given(world, "disclose:insurer", "Atlantic Mutual", "name", ground="reasoned")


def insured_without_a_policy(world: World) -> None:
    owner("UPDATE privacy_instrument SET ended_at = valid_from WHERE account_id = %s", world.account.pk)


def insured_without_a_ground(world: World) -> None:
    given(world, "disclose:insurer", "Atlantic Mutual", "name")


def a_disclosure_changed(world: World) -> None:
    owner("UPDATE privacy_disclosure SET people = 0 WHERE account_id = %s", world.account.pk)


def figures(world: World) -> None:
    given(world, "disclose:harbour-board", "Harbour Board", "locality", form="aggregate")


def persons_for_figures(world: World) -> None:
    given(world, "disclose:harbour-board", "Harbour Board", "locality")


def joined(world: World) -> None:
    with bookkeeping(world.account.pk, writing=True) as use:
        names = ("subject", "purpose", "state", "at")
        rows.insert(use, Choice, names, [(world.dana.pk, "disclose:joiner", "given", timezone.now())])
    given(world, "disclose:joiner", "Tamar Joiners", "name", ground="consent")


def without_a_yes(world: World) -> None:
    owner("DELETE FROM privacy_choice WHERE account_id = %s", world.account.pk)


def after_a_no(world: World) -> None:
    owner(
        "UPDATE privacy_choice SET state = 'withdrawn', at = %s WHERE account_id = %s", timezone.now() - timedelta(days=1), world.account.pk
    )


def without_a_mechanism(world: World) -> None:
    """A country that the notice names without one: as if the outlet had been another when it was used."""
    owner("UPDATE privacy_noticeversion SET text = replace(text, '2099-12-31', '2020-07-16') WHERE account_id = %s", world.account.pk)
    notices.compiled.cache_clear()


# Papers, roles, sources


def instructed(world: World) -> None:
    paper(world, "instruction", "customer", "Look after the berths")
    lead = Member.objects.filter(account=world.account, role=Role.OWNER).get()
    enter(world.account, "look", actor=f"member:{lead.pk}", purpose="berth-care", categories=["name"])


def uninstructed(world: World) -> None:
    owner("DELETE FROM privacy_instrument WHERE account_id = %s", world.account.pk)


def by_another_role(world: World) -> None:
    other = Member.objects.filter(account=world.account).exclude(role__in=(Role.OWNER, Role.PRIVACY_LEAD)).first()
    assert other
    enter(world.account, "look", actor=f"member:{other.pk}", purpose="berth-care", categories=["name"])


def from_another_source(world: World) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        point(use, world.dana.pk, world.person, "2 Quay Street", category="postal-address", source="import", fence=OPEN_MASK)


def operator_with_a_paper(world: World) -> None:
    paper(world, "legal-order", "The county court", "Order 12")
    enter(world.account, "look", actor="operator:7", purpose="security", request="instrument:1")


def the_paper_ended(world: World) -> None:
    owner("UPDATE privacy_instrument SET ended_at = valid_from WHERE account_id = %s", world.account.pk)


# Limits with teeth


def berth(world: World) -> None:
    """An address from the harbour office, behind its fence, with an inlet's occasion."""
    fence = notices.policy_of(world.account.pk).fence("harbour-office", "postal-address")
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        origin = came_in(use, "harbour-office", "collect:berths")
        more = {"provenance_id": origin, "fence": fence}
        point(use, world.dana.pk, world.person, "Berth 4", category="postal-address", source="harbour-office", **more)


def readable_by_people(world: World) -> None:
    owner("UPDATE contacts_contactpoint SET fence = %s WHERE account_id = %s AND source = 'harbour-office'", OPEN_MASK, world.account.pk)


def to_the_carrier(world: World) -> None:
    given(world, "disclose:carrier", "Severn Carriers", "postal-address", passed=[["postal-address", "harbour-office", 1]])


def derived_to_the_carrier(world: World) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        origin = came_in(use, "derived", "collect:berths")
        rows.insert(use, Derivation, ("provenance_id", "source", "category"), [(origin, "harbour-office", "postal-address")])
    given(world, "disclose:carrier", "Severn Carriers", "name", passed=[["name", f"derived/{origin}", 1]])


def leave(world: World, **more: Any) -> str:
    reference, now = "cd" * 16, timezone.now()
    fields = {
        "reference": reference,
        "actor": "member:1",
        "purpose": "berth-care",
        "rules": ["limit:berths"],
        "ground": "law",
        "reason": "The harbour master asks who lies there.",
        "instrument_id": None,
        "rows": [["contacts_contactpoint", 1]],
        "made_at": now - timedelta(days=2),
        "expires_at": now + timedelta(hours=1),
        **more,
    }
    with bookkeeping(world.account.pk, writing=True) as use:
        evidence.keep(use, Glass, fields, "instrument", actor="member:1", rule="limit:berths")
        Glass.under(use).update(told_at=now)
    return reference


def with_leave(world: World) -> None:
    berth(world)
    reference = leave(world)
    enter(world.account, "look", actor="member:1", purpose="berth-care", rule="limit:berths", request=reference)


def by_somebody_else(world: World) -> None:
    enter(world.account, "look", actor="member:2", purpose="berth-care", rule="limit:berths", request="cd" * 16)


def on_another_ground(world: World) -> None:
    owner("UPDATE privacy_glass SET ground = 'curiosity' WHERE account_id = %s", world.account.pk)


def nobody_was_told(world: World) -> None:
    owner("UPDATE privacy_glass SET told_at = NULL WHERE account_id = %s", world.account.pk)


def released(world: World, people: int = 5) -> None:
    fields = {
        "question": {},
        "measure": "count",
        "space": "people",
        "minimum": 5,
        "rule": "limit:groups",
        "purpose": "analytics",
        "cells": [[["Bristol"], str(people), people]],
        "by": "job:test",
        "at": timezone.now(),
    }
    with bookkeeping(world.account.pk, writing=True) as use:
        evidence.keep(use, Aggregate, fields, "aggregate", actor="job:test", categories=["locality"])


def a_small_group(world: World) -> None:
    released(world, people=2)


def a_figure_changed(world: World) -> None:
    owner("UPDATE privacy_aggregate SET purpose = 'billing' WHERE account_id = %s", world.account.pk)


def told_apart(world: World) -> None:
    with bookkeeping(world.account.pk, writing=True) as use:
        rows.insert(use, AggregateBlock, ("space", "made_by", "people", "minimum", "key_id"), [("people", 1, 2, 5, 1)])


def cut(world: World) -> None:
    address(world, "203.0.113.0/24")


def uncut(world: World) -> None:
    address(world, "203.0.113.7")


def address(world: World, text: str) -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        origin = came_in(use, "harbour-office", "collect:berths")
        more = {"provenance_id": origin, "fence": notices.policy_of(world.account.pk).fence("harbour-office", "ip-address")}
        point(use, world.dana.pk, world.person, text, category="ip-address", source="harbour-office", **more)


# Inlets, age, measures


def a_club_number(world: World, source: str = "club-books") -> None:
    with reserved(world.account.pk, "command:test", "retention") as use, writing(use):
        origin = came_in(use, source, "collect:club")
        point(use, world.dana.pk, world.person, "C-12", category="club-number", source=source, provenance_id=origin)


def a_club_number_that_was_derived(world: World) -> None:
    a_club_number(world, source="derived")


def imported(world: World) -> None:
    with bookkeeping(world.account.pk, writing=True) as use:
        came_in(use, "import", "collect:customer-file")


def from_nowhere(world: World) -> None:
    owner("UPDATE privacy_provenance SET occasion = '' WHERE account_id = %s AND source = 'import'", world.account.pk)


def in_another_region(world: World) -> None:
    owner("UPDATE contacts_contactpoint SET provenance_id = (SELECT max(id) FROM privacy_provenance) WHERE id = %s", world.points[0])
    owner("UPDATE data_subject SET region = 'BR' WHERE id = %s", world.dana.pk)


def an_old_child(world: World) -> None:
    """A child of whom an earlier proof knew, and who is still here."""
    young = made(world.account, born=f"{timezone.now().year - 10}-01-01")
    proofs.prove(world.account.pk, "command:test")
    long_ago = (timezone.now() - timedelta(days=12)).isoformat()
    with bookkeeping(world.account.pk, writing=True) as use:
        one = Proof.under(use).filter(rule="age:berths").get()
        assert young.dana.reference in one.evidence["known"]
        Proof.under(use).filter(pk=one.pk).update(evidence={**one.evidence, "known": {young.dana.reference: long_ago}})


def nobody_reviewed(world: World) -> None:
    owner("UPDATE privacy_noticeversion SET text = replace(text, '2026-06-01', '2020-06-01') WHERE account_id = %s", world.account.pk)
    notices.compiled.cache_clear()


# Versions

WIDER = """
We look after the quay as well.

```rule
purpose = "quay-care"
under = "service-provision"
title = "Quay"
categories = ["name"]
basis = "contract"
```

```rule
disclose = "ferry"
to = "Tamar Ferries"
class = "vendor"
as = "processor"
categories = ["name"]
for = ["customer-relations"]
country = "GB"
announce = "30 days"
```
"""


def changed(world: World) -> None:
    """A second version with one more purpose, told as promised."""
    activation = versions.decide(world.account, notice_text() + CLUB + WIDER, "command:test")
    versions.carry_on(activation)


def not_told(world: World) -> None:
    owner("UPDATE privacy_activation SET tell = '[]' WHERE account_id = %s AND number = 2", world.account.pk)


def another_text(world: World) -> None:
    owner("UPDATE privacy_activation SET digest = 'ab' WHERE account_id = %s AND number = 2", world.account.pk)


def moved_without_a_word(world: World) -> None:
    owner("UPDATE data_subject SET notice_version = 2 WHERE id = %s", world.dana.pk)


def open_to_what_is_new(world: World) -> None:
    bit = 1 << notices.policy_of(world.account.pk).bits["quay-care"]
    owner("UPDATE data_subject SET permits = permits | %s WHERE id = %s", bit, world.dana.pk)


def announced(world: World) -> None:
    """A recipient that came with the second version, which was put in force two months ago."""
    changed(world)
    in_force(world, 60)
    given(world, "disclose:ferry", "Tamar Ferries", "name")


def in_force(world: World, days: int) -> None:
    since = timezone.now() - timedelta(days=days)
    owner("UPDATE privacy_noticeversion SET activated_at = %s WHERE account_id = %s AND number = 2", since, world.account.pk)


def not_announced(world: World) -> None:
    in_force(world, 1)


def agreed(world: World) -> None:
    changed(world)
    with reserved(world.account.pk, "command:test", "rights") as use:
        versions.agree(use, Subject.under(use).get(pk=world.dana.pk))


def an_agreement_nobody_gave(world: World) -> None:
    other = made(world.account)
    with bookkeeping(world.account.pk, writing=True) as use:
        rows.insert(use, Acceptance, ("subject", "number", "how", "at"), [(other.dana.pk, 2, "explicit", timezone.now())])


SEEDS: list[tuple[str, Act, Act]] = [
    ("disclose:insurer", insured, insured_without_a_policy),
    ("disclose:insurer", insured, insured_without_a_ground),
    ("disclose:insurer", insured, a_disclosure_changed),
    ("disclose:harbour-board", figures, persons_for_figures),
    ("disclose:joiner", joined, without_a_yes),
    ("disclose:joiner", joined, after_a_no),
    ("transfer:america", insured, without_a_mechanism),
    ("purpose:berth-care", instructed, uninstructed),
    ("purpose:berth-care", instructed, by_another_role),
    ("purpose:berth-care", instructed, from_another_source),
    ("role:own-customers", operator_with_a_paper, the_paper_ended),
    ("limit:berths", berth, readable_by_people),
    ("limit:berths", berth, to_the_carrier),
    ("limit:berths", berth, derived_to_the_carrier),
    ("limit:berths", with_leave, by_somebody_else),
    ("limit:berths", with_leave, on_another_ground),
    ("limit:berths", with_leave, nobody_was_told),
    ("limit:groups", released, a_small_group),
    ("limit:groups", released, a_figure_changed),
    ("limit:groups", released, told_apart),
    ("limit:networks", cut, uncut),
    ("disclose:ferry", announced, not_announced),
    ("category:club-number", a_club_number, a_club_number_that_was_derived),
    ("collect:customer-file", imported, from_nowhere),
    ("collect:berths", berth, in_another_region),
    ("age:berths", nothing, an_old_child),
    ("secure:workshop", nothing, nobody_reviewed),
    ("change:announcements", changed, not_told),
    ("change:announcements", changed, another_text),
    ("change:announcements", changed, moved_without_a_word),
    ("change:announcements", changed, open_to_what_is_new),
    ("purpose:quay-care", changed, open_to_what_is_new),
    ("change:announcements", agreed, an_agreement_nobody_gave),
]


@pytest.mark.parametrize(("rule", "lawful", "violate"), SEEDS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_seeded_violation_is_found(world: World, rule: str, lawful: Act, violate: Act) -> None:
    lawful(world)
    before = world.prove(rule, bound=False)
    assert before.state == "kept", before
    violate(world)
    found = world.prove(rule, bound=False)
    assert found.state == "broken", found
    assert found.evidence["count"] >= 1
    assert found.evidence["references"]
    assert found.evidence["sql"]


@override_settings(SITE="https://larch.example", SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True, SECURE_HSTS_SECONDS=31_536_000)
def test_pages_that_are_not_for_encrypted_connections_break_tls(world: World) -> None:
    assert "TLS only" in world.prove("secure:workshop").said
    with override_settings(SESSION_COOKIE_SECURE=False):
        found = world.prove("secure:workshop")
    assert (found.state, found.evidence["references"]) == ("broken", ["it is not so that session cookies are for TLS only"])

"""Later runs look at what is new, at whom it changed and at a part of the rest; together they see everything, and forget nothing."""

from __future__ import annotations

import pytest

from kept.platform.data.models import Subject
from kept.platform.data.use import writing
from kept.platform.privacy import choices, notices, proofs
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Proof
from kept.platform.privacy.provers import base
from kept.platform.privacy.testing import notice_text
from kept.platform.privacy.tests.worlds import CLUB, World, bare, made, owner, point


@pytest.fixture
def worlds() -> list[World]:
    """Six people, and a first run."""
    first = made(bare().account)
    others = [made(first.account) for _ in range(5)]
    run(first)
    return [first, *others]


def run(world: World) -> dict[str, Proof]:
    return {proof.rule: proof for proof in proofs.prove(world.account.pk, "command:test")}


def looked(found: dict[str, Proof]) -> int:
    """How many people a run looked at."""
    return found["purpose:customer-relations"].counted


def test_a_later_run_looks_at_a_part_and_says_so(worlds: list[World]) -> None:
    found = run(worlds[0])
    assert looked(found) == 1, "one in fourteen of six"
    assert f"a part of the rest, all of which is seen in {base.NIGHTS} runs" in found["purpose:customer-relations"].said
    made(worlds[0].account)
    assert looked(run(worlds[0])) == 2, "the next part, and who is new"


def test_every_row_is_seen_again_within_the_round(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "NIGHTS", 3)
    for world in worlds:
        owner("UPDATE contacts_person SET job_title = 'Foreman 4111 1111 1111 1111' WHERE id = %s", world.person)
        states = []
        while "broken" not in states:
            states.append(run(worlds[0])["limit:no-card-numbers"].state)
            assert len(states) <= 3
        owner("UPDATE contacts_person SET job_title = '' WHERE id = %s", world.person)
        assert run(worlds[0])["limit:no-card-numbers"].state == "kept"


def test_whom_a_new_entry_changed_is_looked_at_at_once(worlds: list[World]) -> None:
    run(worlds[0])
    last = worlds[-1]
    with reserved(last.account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=last.dana.pk), "withdraw", "direct-marketing")
    bit = 1 << notices.policy_of(last.account.pk).bits["direct-marketing"]
    owner("UPDATE data_subject SET permits = permits | %s WHERE id = %s", bit, last.dana.pk)
    assert run(last)["choice:marketing-mail"].state == "broken"


def test_while_a_promise_is_broken_everything_is_looked_at(worlds: list[World]) -> None:
    last = worlds[-1]
    with reserved(last.account.pk, "command:test", "retention") as use, writing(use):
        point(use, last.dana.pk, last.person, "4 Quay Street", category="postal-address", source="public")
    assert run(last)["limit:company-register"].state == "broken", "it is new"
    again = run(last)
    assert (again["limit:company-register"].state, looked(again)) == ("broken", 6), "it is not new any more"
    owner("DELETE FROM contacts_contactpoint WHERE source = 'public' AND account_id = %s", last.account.pk)
    assert run(last)["limit:company-register"].state == "unproven"


def test_another_version_of_the_notice_starts_anew(worlds: list[World]) -> None:
    assert looked(run(worlds[0])) == 1
    notices.activate(worlds[0].account, notice_text() + CLUB + "\nGood day.\n", "command:test")
    assert looked(run(worlds[0])) == 6


def test_what_was_seen_in_the_round_stays_proved(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose part holds nothing of a rule says what the round saw, for as long as the round lasts."""
    monkeypatch.setattr(base, "NIGHTS", 1000)
    owner("UPDATE contacts_person SET birth_date = '' WHERE account_id = %s AND id <> %s", worlds[0].account.pk, worlds[-1].person)
    found = run(worlds[0])["secure:dates-of-birth"]
    assert (found.state, found.counted) == ("kept", 0)
    assert found.said.startswith("Nothing of this among what is new")
    assert "6 values sealed" in found.said

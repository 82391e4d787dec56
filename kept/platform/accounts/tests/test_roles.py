"""The permission table, and the actor."""

from __future__ import annotations

from typing import get_args

import pytest

from kept.core.errors import NotPermitted
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member, User
from kept.platform.accounts.roles import PERMISSIONS, Capability, Role, may, require

GOLDEN = """
                  owner  privacy-lead  member  read-only
records.read      yes    yes           yes     yes
records.write     yes    yes           yes     -
records.import    yes    yes           yes     -
requests.handle   yes    yes           -       -
requests.erase    yes    yes           -       -
choices.set       yes    yes           yes     -
notice.read       yes    yes           yes     yes
notice.write      yes    yes           -       -
notice.approve    yes    yes           -       -
incidents.handle  yes    yes           -       -
members.manage    yes    -             -       -
settings.manage   yes    -             -       -
proof.run         yes    yes           -       -
"""


def _member(role: Role) -> Member:
    return Member(account=Account(slug="larch", name="Larch & Daughters", region="GB"), user=User(email="rolf@larch.example"), role=role)


def test_who_may_what() -> None:
    roles, *rows = (line.split() for line in GOLDEN.strip().splitlines())
    table = {row[0]: {Role(role) for role, answer in zip(roles, row[1:], strict=True) if answer == "yes"} for row in rows}
    assert table == PERMISSIONS


def test_every_capability_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(get_args(Capability))


def test_a_refusal_names_the_role_and_the_cure() -> None:
    with pytest.raises(NotPermitted) as refusal:
        require(_member(Role.READ_ONLY), "requests.erase")
    assert "read-only" in refusal.value.message
    assert "owner, privacy lead" in refusal.value.cure
    assert refusal.value.place == "larch"


def test_what_is_allowed_passes_in_silence() -> None:
    require(_member(Role.MEMBER), "records.write")
    assert may(_member(Role.MEMBER), "records.write")
    assert not may(_member(Role.MEMBER), "members.manage")


def test_the_ledger_names_an_actor_without_the_name() -> None:
    assert Actor("member", 12, "Alice Larch").reference == "member:12"
    assert Actor("job", "retention", "Retention").reference == "job:retention"

"""Accounts, members and invitations: what may happen to them, and what may not."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
from django.core import mail, signing
from django.db import IntegrityError

from kept.core.errors import BadInput, Conflict, NotFound
from kept.platform.accounts import actions, queries
from kept.platform.accounts.models import RESERVED_SLUGS, Account, Invitation, Member, User
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import Cast, cast


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def outbox() -> Iterator[list[mail.EmailMessage]]:
    mail.outbox.clear()
    yield mail.outbox
    mail.outbox.clear()


def fresh(word: str) -> str:
    return f"{word}-{secrets.token_hex(4)}"


def place(user: User, account: Account) -> Member:
    return queries.membership(user, account.slug)


def test_a_new_account_has_an_owner_who_is_sent_a_link(outbox: list[mail.EmailMessage]) -> None:
    slug = fresh("new")
    account = actions.create_account(slug, "New Ltd", "US-CA", f"Owner@{slug}.EXAMPLE")
    (owner,) = queries.members(account)
    assert (owner.user.email, owner.role) == (f"owner@{slug}.example", Role.OWNER)
    assert not owner.user.has_usable_password()
    (letter,) = outbox
    assert letter.to == [owner.user.email]
    assert "/join/" in letter.body
    assert queries.account_by_slug(slug) == account
    assert account.notice_version is None


def test_somebody_with_a_password_gets_no_link(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    account = actions.create_account(fresh("second"), "Second Ltd", "GB", people.alice.email)
    assert [member.user for member in queries.members(account)] == [people.alice]
    assert outbox == []


@pytest.mark.parametrize(
    "slug",
    ["ab", "a" * 41, "Larch", "la rch", "-larch", "larch-", "lärch", "larch_1", "larch/x", "", ".well-known", *sorted(RESERVED_SLUGS)],
)
def test_slugs_refused(slug: str) -> None:
    with pytest.raises(BadInput) as refusal:
        actions.create_account(slug, "Larch", "GB", "alice@larch.example")
    assert refusal.value.place == "slug"
    assert refusal.value.cure


@pytest.mark.parametrize("region", ["gb", "UK-", "Britain", "", "US-CALI", "USA"])
def test_regions_refused(region: str) -> None:
    with pytest.raises(BadInput, match="is not a region"):
        actions.create_account(fresh("region"), "Larch", region, "alice@larch.example")


@pytest.mark.parametrize("email", ["alice", "alice@", "@larch.example", "a b@larch.example", ""])
def test_addresses_refused(email: str) -> None:
    with pytest.raises(BadInput, match="is not an email address"):
        actions.create_account(fresh("address"), "Larch", "GB", email)


def test_a_refused_account_leaves_nothing(people: Cast) -> None:
    email = f"{fresh('nobody')}@larch.example"
    with pytest.raises(Conflict, match="already"):
        actions.create_account(people.account.slug, "Larch", "GB", email)
    with pytest.raises(BadInput, match="needs a name"):
        actions.create_account(fresh("nameless"), " ", "GB", email)
    assert queries.user_by_email(email) is None


def test_two_users_cannot_share_an_address(people: Cast) -> None:
    with pytest.raises(Conflict):
        actions.create_user(people.alice.email.upper(), "Another Alice")


def test_the_last_owner_stays(people: Cast) -> None:
    alice = place(people.alice, people.account)
    with pytest.raises(Conflict, match="last owner") as refusal:
        actions.remove_member(alice)
    assert "somebody else" in refusal.value.cure
    with pytest.raises(Conflict, match="last owner"):
        actions.change_role(alice, Role.MEMBER)
    actions.change_role(alice, Role.OWNER)
    actions.change_role(place(people.bob, people.account), Role.OWNER)
    actions.change_role(alice, Role.MEMBER)
    actions.remove_member(place(people.alice, people.account))
    with pytest.raises(Conflict, match="last owner"):
        actions.remove_member(place(people.bob, people.account))
    with pytest.raises(NotFound):
        place(people.alice, people.account)


def test_a_stale_member_cannot_slip_past_the_last_owner(people: Cast) -> None:
    stale = place(people.bob, people.account)
    actions.change_role(place(people.bob, people.account), Role.OWNER)
    actions.change_role(place(people.alice, people.account), Role.MEMBER)
    assert stale.role == Role.MEMBER
    with pytest.raises(Conflict, match="last owner"):
        actions.remove_member(stale)


def test_one_place_per_user_and_account(people: Cast) -> None:
    with pytest.raises(Conflict, match="already"):
        actions.add_member(people.account, people.bob, Role.OWNER)


def test_an_operator_is_no_member(people: Cast) -> None:
    with pytest.raises(BadInput, match="operator"):
        actions.add_member(people.account, people.olga, Role.READ_ONLY)
    assert queries.memberships(people.olga) == []
    Member.objects.create(account=people.account, user=people.olga, role=Role.OWNER)
    with pytest.raises(NotFound):
        place(people.olga, people.account)
    assert queries.memberships(people.olga) == []


def test_another_account_reads_like_none(people: Cast) -> None:
    with pytest.raises(NotFound) as another:
        queries.membership(people.charlie, people.account.slug)
    with pytest.raises(NotFound) as none:
        queries.membership(people.charlie, people.account.slug + "x")
    assert another.value.message == none.value.message.replace(people.account.slug + "x", people.account.slug)
    with pytest.raises(NotFound):
        queries.member(people.other, place(people.bob, people.account).pk)


def test_a_closed_account_and_a_closed_sign_in_are_gone(people: Cast) -> None:
    Account.objects.filter(pk=people.other.pk).update(closed_at=people.other.created_at)
    with pytest.raises(NotFound):
        queries.account_by_slug(people.other.slug)
    with pytest.raises(NotFound):
        queries.membership(people.charlie, people.other.slug)
    assert queries.memberships(people.charlie) == []
    User.objects.filter(pk=people.bob.pk).update(is_active=False)
    with pytest.raises(NotFound):
        place(people.bob, people.account)


def test_members_stand_in_the_order_of_their_roles(people: Cast) -> None:
    assert [member.user for member in queries.members(people.account)] == [people.alice, people.petra, people.bob, people.rolf]


def test_the_database_refuses_a_role_nobody_has(people: Cast) -> None:
    with pytest.raises(IntegrityError):
        Member.objects.filter(account=people.account).update(role="emperor")


def test_an_invitation_makes_a_member_once(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    email = f"{fresh('ines')}@larch.example"
    invitation = actions.invite(people.account, email.upper(), Role.MEMBER)
    (letter,) = outbox
    assert letter.to == [email]
    assert "Larch & Daughters" in letter.body
    (token,) = re.findall(r"/join/([^/\s]+)/", str(letter.body))
    assert queries.invitation_by_token(token) == invitation
    member = actions.accept_invitation(invitation, name=" Ines ", password="harbour-quay-larch-7")
    assert (member.user.email, member.user.name, member.role) == (email, "Ines", Role.MEMBER)
    assert member.user.check_password("harbour-quay-larch-7")
    with pytest.raises(BadInput, match="no longer open"):
        queries.invitation_by_token(token)
    with pytest.raises(Conflict):
        actions.accept_invitation(invitation, password="another-password-9")
    actions.remove_member(member)
    with pytest.raises(BadInput):
        queries.invitation_by_token(token)


def test_an_invitation_never_changes_a_password_that_is_set(people: Cast) -> None:
    before = people.charlie.password
    invitation = actions.invite(people.account, people.charlie.email, Role.READ_ONLY)
    member = actions.accept_invitation(invitation, name="Mallory", password="another-password-9")
    assert (member.user.password, member.user.name) == (before, "Charlie Quay")


def test_a_new_invitation_kills_the_first(people: Cast) -> None:
    email = f"{fresh('ines')}@larch.example"
    first = queries.invitation_token(actions.invite(people.account, email, Role.OWNER))
    second = queries.invitation_token(actions.invite(people.account, email, Role.READ_ONLY))
    with pytest.raises(BadInput):
        queries.invitation_by_token(first)
    assert queries.invitation_by_token(second).role == Role.READ_ONLY
    actions.withdraw_invitation(queries.invitation_by_token(second))
    with pytest.raises(BadInput):
        queries.invitation_by_token(second)
    assert queries.invitations(people.account) == []


def test_invitations_expire_and_cannot_be_forged(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = actions.invite(people.account, f"{fresh('ines')}@larch.example", Role.MEMBER)
    token = queries.invitation_token(invitation)
    for forged in (signing.dumps(invitation.pk), token[:-1] + ("A" if token[-1] != "A" else "B"), "nonsense", ""):
        with pytest.raises(BadInput):
            queries.invitation_by_token(forged)
    monkeypatch.setattr(queries, "INVITATION_LIFETIME_SECONDS", -1)
    with pytest.raises(BadInput):
        queries.invitation_by_token(token)


def test_a_member_is_not_invited_again(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    with pytest.raises(Conflict, match="already"):
        actions.invite(people.account, people.bob.email, Role.OWNER)
    assert outbox == []
    assert not Invitation.objects.filter(account=people.account).exists()


def test_another_accounts_invitation_is_not_found(people: Cast) -> None:
    invitation = actions.invite(people.account, f"{fresh('ines')}@larch.example", Role.MEMBER)
    assert queries.invitation(people.account, invitation.pk) == invitation
    with pytest.raises(NotFound):
        queries.invitation(people.other, invitation.pk)

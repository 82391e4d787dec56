"""The team side of the cast, for tests of every layer: a new account under a slug nobody else uses, on whatever database runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import make_password
from django.test import Client

from kept.platform.accounts.actions import add_member, create_user
from kept.platform.accounts.models import Account, User
from kept.platform.accounts.roles import Role

PASSWORD = "larch-harbour-quay-7"  # noqa: S105 (of invented people)


@dataclass(frozen=True)
class Cast:
    """Everyone signs in with `PASSWORD`."""

    account: Account
    other: Account
    alice: User
    """Owns the account."""
    petra: User
    """Is its privacy lead."""
    bob: User
    """Is on its team."""
    rolf: User
    """May only read."""
    charlie: User
    """Owns the other account."""
    olga: User
    """Hosts both and belongs to neither."""


def cast() -> Cast:
    """A fresh cast, committed unless the caller holds a transaction."""
    tag = secrets.token_hex(4)
    account = Account.objects.create(slug=f"larch-{tag}", name="Larch & Daughters", region="GB")
    other = Account.objects.create(slug=f"quayside-{tag}", name="Quayside Joinery", region="US-CA")
    return Cast(
        account=account,
        other=other,
        alice=_member("Alice Larch", f"alice.{tag}@larch.example", account, Role.OWNER),
        petra=_member("Petra Novak", f"petra.{tag}@larch.example", account, Role.PRIVACY_LEAD),
        bob=_member("Bob Hale", f"bob.{tag}@larch.example", account, Role.MEMBER),
        rolf=_member("Rolf Lund", f"rolf.{tag}@larch.example", account, Role.READ_ONLY),
        charlie=_member("Charlie Quay", f"charlie.{tag}@quayside.example", other, Role.OWNER),
        olga=_user("Olga Host", f"olga.{tag}@host.example", is_operator=True),
    )


def client_for(user: User) -> Client:
    """A browser of somebody who has signed in."""
    client = stranger()
    client.force_login(user)
    return client


def stranger() -> Client:
    """A browser of nobody in particular, in a network of its own: limits count by network, across runs."""
    network = ":".join(f"{secrets.randbits(16):x}" for _ in range(3))
    return Client(REMOTE_ADDR=f"fd00:{network}::1")


def _member(name: str, email: str, account: Account, role: Role) -> User:
    user = _user(name, email)
    add_member(account, user, role)
    return user


def _user(name: str, email: str, *, is_operator: bool = False) -> User:
    user = create_user(email, name, is_operator=is_operator)
    user.password = _hashed()
    user.save(update_fields=["password"])
    return user


@cache
def _hashed() -> str:
    """Hashed once a run: it takes a third of a second on purpose."""
    return make_password(PASSWORD)

"""Role × address, complete: every address is listed here with who may use it, and an unlisted one fails.

A capability stands for the roles that have it (kept/platform/accounts/roles.py). For an address of an account: signed out leads to
sign-in, another account's owner and the operator find nothing, a role too small is refused, a role that is enough is let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from kept.platform.accounts import roles
from kept.platform.accounts.roles import Capability
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy.testing import with_notice

PUBLIC, SIGNED_IN = "public", "signed in"
ADDRESSES: dict[str, str] = {
    "health": PUBLIC,
    "account": "records.read",
    "accounts:home": SIGNED_IN,
    "accounts:join": PUBLIC,
    "accounts:profile": SIGNED_IN,
    "accounts:members": "members.manage",
}


def addresses(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named address."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        else:
            yield namespace + str(pattern.name), pattern


ALL = dict(addresses(get_resolver().url_patterns))
OF_ACCOUNTS = sorted(name for name, who in ADDRESSES.items() if who in get_args(Capability))


def path_of(name: str, slug: str) -> str:
    """An address with arguments that name nothing."""
    converters = ALL[name].pattern.converters
    blank = {"int": 999_999_999, "str": "x", "slug": "x", "uuid": "00000000-0000-0000-0000-000000000000"}
    kinds = {argument: type(converter).__name__.removesuffix("Converter").lower().replace("string", "str") for argument, converter in converters.items()}
    return reverse(name, kwargs={argument: slug if argument == "slug" else blank.get(kind, "x") for argument, kind in kinds.items()})


@cache
def people() -> Cast:
    """The cast, in an account with a notice."""
    made = cast()
    with_notice(made.account)
    return made


def test_every_address_is_listed() -> None:
    assert sorted(ALL) == sorted(ADDRESSES)


@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_the_listed_capability_is_the_one_asked_for(name: str) -> None:
    assert getattr(ALL[name].callback, "capability", None) == ADDRESSES[name]


@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_who_gets_in(name: str) -> None:
    them, path = people(), path_of(name, people().account.slug)
    assert stranger().get(path).headers.get("Location", "").startswith("/sign-in/")
    assert client_for(them.charlie).get(path).status_code == 404
    assert client_for(them.olga).get(path).status_code == 404
    for user, role in ((them.alice, "owner"), (them.petra, "privacy-lead"), (them.bob, "member"), (them.rolf, "read-only")):
        status = client_for(user).get(path).status_code
        if role in roles.PERMISSIONS[ADDRESSES[name]]:  # type: ignore[index]
            assert status not in (401, 403, 500), f"{role} is not let in: {status}"
        else:
            assert status == 403, f"{role} gets {status}"

"""Role × address, complete: every address is listed here with who may use it, and an unlisted one fails.

A capability stands for the roles that have it (kept/platform/accounts/roles.py). For an address of an account: signed out leads to
sign-in, another account's owner and the operator find nothing, a role too small is refused, a role that is enough is let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from kept.platform.accounts import roles
from kept.platform.accounts.roles import Capability
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy.testing import with_notice

PUBLIC, SIGNED_IN, BEARER = "public", "signed in", "bearer token"
ADDRESSES: dict[str, str] = {
    "health": PUBLIC,
    "account_login": PUBLIC,
    "mfa_authenticate": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reauthenticate": SIGNED_IN,
    "mfa_reauthenticate": SIGNED_IN,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_logout": PUBLIC,
    "account_change_password": SIGNED_IN,
    "mfa_index": SIGNED_IN,
    "mfa_activate_totp": SIGNED_IN,
    "mfa_deactivate_totp": SIGNED_IN,
    "mfa_view_recovery_codes": SIGNED_IN,
    "mfa_generate_recovery_codes": SIGNED_IN,
    "usersessions_list": SIGNED_IN,
    "accounts:home": SIGNED_IN,
    "accounts:join": PUBLIC,
    "accounts:profile": SIGNED_IN,
    "accounts:members": "members.manage",
    "accounts:change-role": "members.manage",
    "accounts:remove-member": "members.manage",
    "accounts:withdraw-invitation": "members.manage",
    "contacts:people": "records.read",
    "contacts:new-person": "records.write",
    "contacts:person": "records.read",
    "contacts:remove-person": "records.write",
    "contacts:change-value": "records.write",
    "contacts:remove-value": "records.write",
    "contacts:choose": "choices.set",
    "contacts:companies": "records.read",
    "contacts:company": "records.read",
    "imports:list": "records.import",
    "imports:new": "records.import",
    "imports:import": "records.import",
    "imports:progress": "records.import",
    "imports:columns": "records.import",
    "imports:commit": "records.import",
    "imports:discard": "records.import",
    "imports:undo": "records.import",
    "imports:rejects": "records.import",
    "requests:outbox": PUBLIC,
    "requests:letter": PUBLIC,
    "requests:centre": PUBLIC,
    "requests:ask": PUBLIC,
    "requests:sent": PUBLIC,
    "requests:confirm": PUBLIC,
    "requests:status": PUBLIC,
    "requests:package": PUBLIC,
    "requests:certificate": PUBLIC,
    "requests:choose": PUBLIC,
    "requests:ledger-key": PUBLIC,
    "requests:match": PUBLIC,
    "requests:confirm-again": PUBLIC,
    "requests:revoke": PUBLIC,
    "requests:lift": PUBLIC,
    "requests:write": PUBLIC,
    "requests:receipt": PUBLIC,
    "requests:api": PUBLIC,
    "requests:telling": PUBLIC,
    "requests:drp-business": PUBLIC,
    "requests:drp-exercise": BEARER,
    "requests:drp-request": BEARER,
    "requests:drp-agent": BEARER,
    "requests:your-data": SIGNED_IN,
    "requests:settings-ask": SIGNED_IN,
    "requests:queue": "requests.handle",
    "requests:new": "requests.handle",
    "requests:record": "requests.handle",
    "requests:bulk": "requests.handle",
    "requests:batch": "requests.handle",
    "requests:metrics": "requests.handle",
    "requests:metrics-json": "requests.handle",
    "requests:metrics-csv": "requests.handle",
    "requests:holds": "requests.handle",
    "requests:case": "requests.handle",
    "requests:release-case": "requests.handle",
    "requests:agents": "requests.handle",
    "requests:end-agent": "requests.handle",
    "requests:correspondents": "requests.handle",
    "requests:end-correspondent": "requests.handle",
    "requests:act": "requests.handle",
    "requests:call-back": "requests.handle",
    "requests:attachment": "requests.handle",
    "requests:hand-over": "requests.handle",
    "requests:whom-to-tell": "requests.handle",
    "requests:team-certificate": "requests.handle",
    "notices:notice": PUBLIC,
    "notices:source": PUBLIC,
    "notices:promises": PUBLIC,
    "notices:evidence": PUBLIC,
    "notices:desk": "notice.read",
    "notices:visibility": "settings.manage",
    "notices:incident": "notice.read",
    "notices:act": "incidents.handle",
    "notices:gaps": "notice.read",
    "notices:consent": "notice.read",
    "notices:drafts": "notice.write",
    "notices:draft": "notice.write",
    "notices:draft-look": "notice.write",
    "notices:draft-save": "notice.write",
    "notices:draft-step": "notice.write",
    "notices:draft-approval": "notice.approve",
    "notices:prove": "proof.run",
    "notices:run": "notice.read",
    "notices:retention": "proof.run",
    "notices:history": PUBLIC,
    "notices:feed": PUBLIC,
    "notices:agree": PUBLIC,
    "notices:new-version": "settings.manage",
    "notices:stop-version": "settings.manage",
    "notices:versions": "notice.read",
    "notices:california": PUBLIC,
    "notices:processing": PUBLIC,
    "notices:processing-workbook": PUBLIC,
    "notices:subprocessors": PUBLIC,
    "notices:subprocessor-feed": PUBLIC,
    "notices:cookies": PUBLIC,
    "notices:jsonld": PUBLIC,
    "notices:fides": PUBLIC,
    "notices:gpc": PUBLIC,
    "notices:security-txt": PUBLIC,
    "notices:machine": PUBLIC,
    "notices:ledger-key": PUBLIC,
    "notices:ledger-head": PUBLIC,
    "notices:ledger-consistency": PUBLIC,
    "notices:host-gpc": PUBLIC,
    "notices:host-security-txt": PUBLIC,
    "notices:host-machine": PUBLIC,
    "notices:host-ledger-key": PUBLIC,
    "account": "records.read",
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
    values = {argument: 999_999_999 if isinstance(converter, IntConverter) else "x" for argument, converter in converters.items()}
    if "uidb36" in str(ALL[name].pattern):
        values = {"uidb36": "x", "key": "x"}
    return reverse(name, kwargs=values | ({"slug": slug} if "slug" in values else {}))


def ask(client: Client, path: str) -> Any:
    """Ask for an address; one that only takes what is sent gets something sent."""
    answer = client.get(path)
    return client.post(path) if answer.status_code == 405 else answer


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
    assert ask(stranger(), path).headers.get("Location", "").startswith("/sign-in/")
    assert ask(client_for(them.charlie), path).status_code == 404
    assert ask(client_for(them.olga), path).status_code == 404
    for user, role in ((them.alice, "owner"), (them.petra, "privacy-lead"), (them.bob, "member"), (them.rolf, "read-only")):
        status = ask(client_for(user), path).status_code
        if role in roles.PERMISSIONS[ADDRESSES[name]]:  # type: ignore[index]
            assert status not in (401, 403, 500), f"{role} is not let in: {status}"
        else:
            assert status == 403, f"{role} gets {status}"


@pytest.mark.parametrize("name", sorted(name for name, who in ADDRESSES.items() if who == SIGNED_IN))
def test_what_belongs_to_a_user_asks_for_sign_in(name: str) -> None:
    answer = stranger().get(path_of(name, people().account.slug))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", sorted(name for name, who in ADDRESSES.items() if who == PUBLIC))
def test_what_is_public_asks_nobody_to_sign_in(name: str) -> None:
    answer = stranger().get(path_of(name, people().account.slug))
    assert answer.status_code in (200, 301, 302, 400, 404, 405, 410), answer.status_code
    assert name.startswith(("account", "mfa")) or not answer.headers.get("Location", "").startswith("/sign-in/")


@pytest.mark.parametrize("name", sorted(name for name, who in ADDRESSES.items() if who == BEARER))
def test_what_is_for_programs_asks_for_their_token(name: str) -> None:
    path = path_of(name, people().account.slug)
    for client in (stranger(), client_for(people().alice)):
        assert ask(client, path).status_code == 403
        refused = client.generic("POST" if name.endswith("exercise") else "GET", path, headers={"Authorization": "Bearer nobody"})
        assert refused.status_code == 403

"""What a deployment binds: every name that is registered exists, every module that is said to enforce is there."""

from __future__ import annotations

import importlib

import pytest

from kept.core.notice import parse
from kept.core.notice.bindings import binding
from kept.platform.privacy.registry import Missing, Registry, registry
from kept.platform.privacy.testing import NOTICE, notice_text

ROOMS = {"contacts", "imports", "requests", "notices"}


def names() -> frozenset[str]:
    """Everything that can be needed: kinds, keys, and keys with each of their words."""
    known = binding()
    return frozenset(known) | {f"{name}={word}" for name, words in known.items() for word in words}


@pytest.mark.once
def test_what_is_registered_exists_and_binds() -> None:
    assert set(registry.enforcers) - names() == set()
    assert registry.proved - names() == {"statement"}


@pytest.mark.once
@pytest.mark.parametrize("module", sorted({module for modules in registry.enforcers.values() for module in modules}))
def test_a_module_that_enforces_is_there(module: str) -> None:
    importlib.import_module(module)


@pytest.mark.once
def test_the_rooms_that_are_there_say_so() -> None:
    assert registry.rooms >= ROOMS
    for room in registry.rooms:
        importlib.import_module(f"kept.apps.{room}")


@pytest.mark.once
def test_what_is_missing_is_named() -> None:
    text = notice_text().replace('verify = "link"\nformats', 'verify = ["link", "match-3"]\nfee = { free = 1, then = "5 pounds" }\nformats')
    notice = parse(text, filename=NOTICE.name)
    rule = next(rule for rule in notice.rules if rule.name == "right:access" and rule.region is None)
    here = Registry(rooms={"contacts"})
    here.enforces("kept.platform.privacy.gate", "right", "right.kind=access", "right.within", "right.verify=link", "right.fee")
    here.proves("right", "kind", "within", "verify", "formats")
    found = here.unbound(rule, notice.vocabulary)
    assert set(found) == {
        Missing("right.verify=match-3", "enforcer"),
        *(Missing(f"right.formats={one}", "enforcer") for one in ("html", "json", "csv")),
        *(Missing(f"right.channels={one}", what) for one in ("web", "email") for what in ("enforcer", "prover")),
        Missing("right.fee", "prover"),
    }
    assert str(found[-1]) == "nothing proves right.channels=email"
    billing = next(rule for rule in notice.rules if rule.name == "purpose:billing")
    assert Missing("room:billing", "room") in here.unbound(billing, notice.vocabulary)


@pytest.mark.once
def test_an_event_is_bound_where_a_clock_tells_it() -> None:
    notice = parse(notice_text(), filename=NOTICE.name)
    by_name = {rule.name: rule for rule in notice.rules}
    assert registry.unbound(by_name["retain:customer-records"], notice.vocabulary) == ()
    assert registry.unbound(by_name["retain:bills"], notice.vocabulary) == (Missing("retain.after=invoice-issued", "enforcer"),)

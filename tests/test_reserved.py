"""Reserved purposes ignore what people decided, so each has named callers: a new one is a decision, taken here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin import ROOT

pytestmark = pytest.mark.once

CALLERS: dict[str, set[str]] = {
    "matching": {
        "apps/contacts/actions.py",
        "apps/imports/actions.py",
        "apps/imports/committing.py",
        "apps/requests/forwarding.py",
    },
    "rights": {
        "apps/contacts/actions.py",
        "apps/notices/versions.py",
        "apps/notices/versions_telling.py",
        "apps/requests/actions/answering.py",
        "apps/requests/actions/commands.py",
        "apps/requests/actions/holding.py",
        "apps/requests/actions/identity.py",
        "apps/requests/actions/intake.py",
        "apps/requests/actions/proving.py",
        "apps/requests/answers/base.py",
        "apps/requests/answers/copies.py",
        "apps/requests/answers/correcting.py",
        "apps/requests/answers/ending.py",
        "apps/requests/answers/erasing.py",
        "apps/requests/answers/gpc.py",
        "apps/requests/answers/marketing.py",
        "apps/requests/answers/restricting.py",
        "apps/requests/answers/selling.py",
        "apps/requests/choosing.py",
        "apps/requests/desk_record.py",
        "apps/requests/desk_sight.py",
        "apps/requests/status_web.py",
        "apps/requests/telling.py",
        "platform/privacy/children.py",
        "platform/privacy/disclosures.py",
        "platform/privacy/erasure.py",
        "platform/privacy/masks.py",
        "platform/privacy/restricted.py",
        "platform/privacy/versions.py",
        "project/people.py",
    },
    "retention": {
        "apps/imports/committing.py",
        "apps/imports/staging.py",
        "apps/imports/undoing.py",
        "platform/privacy/children.py",
        "platform/privacy/retention.py",
    },
    "proof": {
        "platform/privacy/certificates.py",
        "platform/privacy/proofs.py",
    },
    "security": {
        "apps/imports/actions.py",
        "apps/imports/committing.py",
        "apps/imports/jobs.py",
        "apps/imports/queries.py",
        "apps/imports/staging.py",
        "apps/imports/stores.py",
        "apps/imports/undoing.py",
        "apps/notices/actions.py",
        "apps/notices/board.py",
        "apps/notices/board_actions.py",
        "apps/notices/editor.py",
        "apps/notices/editor_queries.py",
        "apps/notices/queries.py",
        "apps/notices/tables.py",
        "apps/notices/versions_telling.py",
        "apps/requests/actions/answering.py",
        "apps/requests/actions/batches.py",
        "apps/requests/actions/closing.py",
        "apps/requests/actions/commands.py",
        "apps/requests/actions/deciding.py",
        "apps/requests/actions/escalating.py",
        "apps/requests/actions/holding.py",
        "apps/requests/actions/identity.py",
        "apps/requests/actions/intake.py",
        "apps/requests/actions/parties.py",
        "apps/requests/actions/proving.py",
        "apps/requests/answers/allowance.py",
        "apps/requests/answers/base.py",
        "apps/requests/answers/copies.py",
        "apps/requests/answers/correcting.py",
        "apps/requests/answers/erasing.py",
        "apps/requests/answers/marketing.py",
        "apps/requests/answers/objecting.py",
        "apps/requests/answers/restricting.py",
        "apps/requests/centre_web.py",
        "apps/requests/desk.py",
        "apps/requests/desk_metrics.py",
        "apps/requests/drp_actions.py",
        "apps/requests/forwarding.py",
        "apps/requests/inbound.py",
        "apps/requests/outbox.py",
        "apps/requests/queries.py",
        "apps/requests/store.py",
        "apps/requests/talking.py",
        "apps/requests/telling.py",
        "platform/privacy/aggregates.py",
        "platform/privacy/backup/restoring.py",
        "platform/privacy/bookkeeping.py",
        "platform/privacy/certificates.py",
        "platform/privacy/disclosures.py",
        "platform/privacy/erasure.py",
        "platform/privacy/gate.py",
        "platform/privacy/glass.py",
        "platform/privacy/incidents.py",
        "platform/privacy/ledger.py",
        "platform/privacy/proofs.py",
        "platform/privacy/retention.py",
        "platform/privacy/versions.py",
        "project/demo.py",
        "project/people.py",
    },
}
ENTRANCES = {"rights_use": "rights", "alone": "security", "bookkeeping": "security", "bookkeeping_use": "security"}
"""Functions that enter a reserved purpose by their name."""
MAKERS = {"platform/privacy/gate.py", "platform/privacy/masks.py", "platform/privacy/bookkeeping.py"}
"""Where a Use is made."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product by its path in the package; tests and what serves them left out."""
    package = ROOT / "kept"
    for path in sorted(package.rglob("*.py")):
        name = str(path.relative_to(package))
        if "tests" not in Path(name).parts and not name.endswith("testing.py"):
            yield name, ast.parse(path.read_text())


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the last part of the name it calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            yield name, node


def entered() -> dict[str, set[str]]:
    """The modules that enter each reserved purpose."""
    found: dict[str, set[str]] = {}
    for name, tree in sources():
        for called, node in calls(tree):
            if called == "reserved":
                purpose = node.args[2] if len(node.args) > 2 else None
                assert isinstance(purpose, ast.Constant), f"{name}:{node.lineno}: write the reserved purpose out"
                found.setdefault(str(purpose.value), set()).add(name)
            elif called in ENTRANCES:
                found.setdefault(ENTRANCES[called], set()).add(name)
    return found


def test_only_named_callers_enter_a_reserved_purpose() -> None:
    assert entered() == CALLERS


def test_a_use_is_made_in_three_places() -> None:
    makers = {name for name, tree in sources() if any(called == "Use" for called, _ in calls(tree))}
    assert makers == MAKERS

"""The direction of imports: kept as it is, and seen to fail when an upward import is put in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin import ROOT

pytestmark = pytest.mark.once

UPWARD = [
    ("kept/core/seeded.py", "import kept.platform.data", "project, apps, platform, core"),
    ("kept/platform/data/seeded.py", "import kept.apps", "project, apps, platform, core"),
    ("kept/apps/contacts/seeded.py", "import kept.project", "project, apps, platform, core"),
    ("kept/platform/data/seeded.py", "import kept.platform.accounts", "inside platform"),
    ("kept/platform/jobs/seeded.py", "import kept.platform.privacy", "inside platform"),
    ("kept/platform/new/__init__.py", "", "inside platform"),
    ("kept/apps/contacts/seeded.py", "import kept.apps.imports", "between rooms"),
    ("kept/apps/new/__init__.py", "", "between rooms"),
    ("kept/apps/contacts/queries.py", "import kept.apps.contacts.actions", "inside a room"),
    ("kept/apps/contacts/actions.py", "import kept.apps.contacts.web", "inside a room"),
    ("kept/core/seeded.py", "from django.db import models", "core is pure"),
    ("kept/core/seeded.py", "import sqlite3", "core is pure"),
]


def lint(folder: Path) -> tuple[int, str]:
    """import-linter's status and words on the tree in `folder`."""
    program = Path(sys.executable).parent / "lint-imports"
    settings = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([program, "--no-cache"], cwd=folder, env=settings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources, with two rooms in it whether or not they are built yet."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "kept", tmp_path / "kept", ignore=shutil.ignore_patterns("__pycache__"))
    rooms = {"contacts": ("web", "actions", "queries", "models"), "imports": ()}
    for room, modules in rooms.items():
        (tmp_path / "kept/apps" / room).mkdir(exist_ok=True)
        for module in ("__init__", *modules):
            (tmp_path / "kept/apps" / room / f"{module}.py").touch()
    return tmp_path


def test_imports_point_downward() -> None:
    status, output = lint(ROOT)
    assert status == 0, output


@pytest.mark.parametrize(("path", "line", "contract"), UPWARD)
def test_seeded_upward_import_is_caught(tree: Path, path: str, line: str, contract: str) -> None:
    target = tree / path
    target.parent.mkdir(exist_ok=True)
    with target.open("a") as file:
        file.write(f"\n{line}\n")
    status, output = lint(tree)
    assert status == 1, output
    broken = [row for row in output.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), output

"""What every test may lean on: the engine of this run, and the components it needs beside Python packages.

`make test` runs everything once with KEPT_TEST_ENGINE=sqlite and once with KEPT_TEST_ENGINE=postgresql. A test that lacks a component is
skipped, counted at the end of the run with the cure, and fails where CI=true: nothing goes untested unnoticed. So no test skips by
itself (tests/test_tidy.py holds that).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

ENGINE: Final = os.environ.get("KEPT_TEST_ENGINE", "sqlite")
ROOT: Final = Path(__file__).resolve().parents[1]
LACKING: Final = "LACKING "


def _program(*names: str) -> Path | None:
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def _postgresql() -> Path | None:
    done = subprocess.run([ROOT / "scripts/postgres", "--bin"], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def _fides() -> Path | None:
    return ROOT / ".fides/bin/python" if (ROOT / ".fides/done").exists() else None


COMPONENTS: Final[Mapping[str, tuple[Callable[[], Path | None], str]]] = {
    "chromium": (lambda: _program("chromium", "chromium-browser", "google-chrome"), "as root: apt-get install chromium"),
    "postgresql": (_postgresql, "as root: apt-get install postgresql"),
    "fides": (_fides, "scripts/fides"),
}


def needs(component: str) -> Path:
    """Where the program (or programs) of `component` are. Where it is absent the test is skipped, or fails when CI=true."""
    find, cure = COMPONENTS[component]
    if found := find():
        return found
    reason = f"{LACKING}{component} ({cure})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a run that would test another engine than it says."""
    if ENGINE not in {"sqlite", "postgresql"}:
        raise pytest.UsageError(f"KEPT_TEST_ENGINE is {ENGINE!r}; it can be sqlite or postgresql")
    if ENGINE == "postgresql" and "KEPT_TEST_CLUSTER" not in os.environ:
        raise pytest.UsageError(
            "the tests on PostgreSQL need a cluster of their own: scripts/postgres env KEPT_TEST_ENGINE=postgresql pytest"
        )


def pytest_itemcollected(item: pytest.Item) -> None:
    """What tests the pure core runs once: no database changes what it finds."""
    if ROOT / "kept/core" in item.path.parents:
        item.add_marker("once")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a test of the other engine to the other run."""
    other = "postgresql" if ENGINE == "sqlite" else "sqlite"
    left = [item for item in items if item.get_closest_marker(other)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A browser test needs the browser."""
    if item.get_closest_marker("browser"):
        needs("chromium")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested, and how to have it tested."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)]
    lacking = Counter(reason.partition(LACKING)[2] for reason in reasons if LACKING in reason)
    if lacking:
        terminalreporter.section("SKIPPED: COMPONENTS ARE MISSING", sep="!", red=True, bold=True)
        for component, count in sorted(lacking.items()):
            terminalreporter.line(f"{count} tests skipped for want of {component}", red=True)

"""A missing component is loud, and fatal where CI=true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin import ROOT, needs

pytestmark = pytest.mark.once

EXAMPLE = """
import pytest

@pytest.mark.browser
def test_page():
    pass

@pytest.mark.postgresql
def test_roles():
    raise AssertionError("not on this engine")

def test_other():
    pass
"""


def run(folder: Path, **environment: str) -> tuple[int, str]:
    """pytest on the example alone, with this plugin, where no program is on the PATH."""
    (folder / "test_example.py").write_text(EXAMPLE)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    postgresql\n    sqlite\n")
    settings = {"PATH": str(folder), "PYTHONPATH": str(ROOT), "KEPT_TEST_ENGINE": "sqlite", **environment}
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugin", "-p", "no:django", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_lacking_component_is_counted_with_its_cure(tmp_path: Path) -> None:
    status, output = run(tmp_path)
    assert status == 0, output
    assert "SKIPPED: COMPONENTS ARE MISSING" in output
    assert "1 tests skipped for want of chromium (as root: apt-get install chromium)" in output
    assert "1 passed, 1 skipped, 1 deselected" in output.splitlines()[-1]


def test_lacking_component_fails_in_ci(tmp_path: Path) -> None:
    status, output = run(tmp_path, CI="true")
    assert status == 1, output
    assert "LACKING chromium" in output


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_engine_that_cannot_be_tested_is_refused(tmp_path: Path, engine: str) -> None:
    status, output = run(tmp_path, KEPT_TEST_ENGINE=engine)
    assert status == pytest.ExitCode.USAGE_ERROR, output


def test_postgres_script_leaves_nothing_behind() -> None:
    needs("postgresql")
    report = 'echo "$KEPT_TEST_CLUSTER"; exit 3'
    done = subprocess.run([ROOT / "scripts/postgres", "sh", "-c", report], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert not Path(done.stdout.strip()).exists()

"""The manifests that we export, loaded by Fides' own library in an environment apart."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from kept.core.notice import compile, parse
from kept.core.notice.exports import fides
from tests.plugin import ROOT, needs

pytestmark = pytest.mark.once
NOTICES = sorted(path.parent.name for path in (ROOT / "notices").glob("*/notice.md"))


def exported(name: str) -> dict[str, Any]:
    policy = compile(parse((ROOT / "notices" / name / "notice.md").read_text(encoding="utf-8")))
    return fides.manifest(policy, f"https://{name}.example/notice/")


def faults(manifest: dict[str, Any]) -> list[str]:
    """What fideslang says of a manifest; its error where it does not load at all."""
    text = json.dumps(manifest)
    done = subprocess.run(
        [needs("fides"), ROOT / "tests/fides_loads.py"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONWARNINGS": "error"},
    )
    return done.stdout.splitlines() if done.returncode == 0 else [done.stderr]


@pytest.mark.parametrize("name", NOTICES)
def test_fides_loads_the_manifest_of_a_notice(name: str) -> None:
    manifest = exported(name)
    assert faults(manifest) == []
    assert len(manifest["organization"]) == 1
    assert manifest["system"][0]["privacy_declarations"]


def test_what_is_not_in_the_taxonomy_is_found() -> None:
    manifest = exported("larch")
    manifest["system"][0]["privacy_declarations"][0]["data_use"] = "astrology"
    assert "data_use astrology is not in the default taxonomy" in faults(manifest)


def test_what_does_not_load_is_found() -> None:
    manifest = exported("larch")
    del manifest["system"][0]["system_type"]
    assert faults(manifest) != []

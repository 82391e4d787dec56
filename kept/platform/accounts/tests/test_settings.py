"""What the settings promise of cookies and transport, with and without TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.plugin import ROOT

pytestmark = pytest.mark.once

NAMES = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY", "SECURE_HSTS_SECONDS")


def settings_for(site: str, data: Path) -> dict[str, Any]:
    say = f"import json, sys; from kept.project import settings as s; sys.stdout.write(json.dumps([getattr(s, n) for n in {NAMES}]))"
    environment = {**os.environ, "KEPT_SITE": site, "KEPT_DATA": str(data), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", say], env=environment, capture_output=True, text=True, check=True)
    return dict(zip(NAMES, json.loads(done.stdout), strict=True))


def test_cookies_travel_by_tls_alone(tmp_path: Path) -> None:
    found = settings_for("https://kept.example", tmp_path)
    assert found == dict(zip(NAMES, (True, True, True, True, 365 * 24 * 3600), strict=True))


def test_development_works_without(tmp_path: Path) -> None:
    found = settings_for("http://127.0.0.1:8000", tmp_path)
    assert found == dict(zip(NAMES, (False, False, True, True, 0), strict=True))

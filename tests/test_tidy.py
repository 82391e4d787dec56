"""House rules that no linter knows. Each check names the file and line that breaks it."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.plugin import ROOT

pytestmark = pytest.mark.once

FUNCTION_LINES = 70
FILE_LINES = 600
SOURCES = {".css", ".html", ".js", ".py", ".sh", ".sql"}

# Names are put together here, so that this file does not break its own rules.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|work|Users|opt|mnt|srv)/[\w.-]+")
INDEX = re.compile(
    "|".join(["py" + r"pi\.", "python" + "hosted", "(?<!no-emit-)index" + "-url", r"(?<!no-emit-)trusted" + "-host", "^-i "])
)
UNDONE = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
BARE_IGNORE = re.compile("type: " + r"ignore(?!\[)")

# Ways round the authorizer, which sees statements only.
BANNED_CALLS = {"backup", "blobopen", "deserialize", "enable_load_extension", "load_extension", "serialize"}
# It commits before it runs, so it would end the action's transaction: only the guard's installer may.
SCRIPT_CALLS = {"executescript"}
GUARD = "kept/platform/data/"
# The one `save` of ours: it refuses to write back columns that were withheld.
SAVE = {"kept/platform/data/personal.py"}
# With binding on the client, values reach PostgreSQL's error log.
CLIENT_BINDING = {"AsyncClientCursor", "ClientCursor", "mogrify"}
CLOCKS = {"now", "time", "time_ns", "today", "utcnow"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository: what stands beside it (caches, the environment, data) is left out."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        top = Path(folder) == ROOT
        folders[:] = [
            name
            for name in folders
            if name != "__pycache__" and not (top and name == "data") and (name == ".ci" or not name.startswith("."))
        ]
        found += [Path(folder) / name for name in names if not name.endswith((".pyc", ".egg-info"))]
    return tuple(sorted(found))


def short(path: Path) -> str:
    """The path as the repository says it."""
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    """The file's text; nothing for a picture or another file that is no text."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@cache
def python() -> tuple[tuple[str, ast.Module], ...]:
    """Every Python file with its syntax tree."""
    scripts = [path for path in files() if path.suffix == ".py" or text(path).startswith("#!/usr/bin/env python3")]
    return tuple((short(path), ast.parse(text(path))) for path in scripts)


def product() -> Iterator[tuple[str, ast.Module]]:
    """The product's own modules, tests left out."""
    return ((path, tree) for path, tree in python() if path.startswith("kept/") and "/tests/" not in path)


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Where the pattern stands, as file:line."""
    return [
        f"{short(path)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(text(path).splitlines(), 1)
        if pattern.search(line)
    ]


def called(node: ast.AST) -> str:
    """The last name of what a call calls; nothing for another node."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def calls(names: set[str], trees: Iterator[tuple[str, ast.Module]]) -> list[str]:
    """Where something so named is called."""
    return [
        f"{path}:{node.lineno}: {called(node)}"
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in names
    ]


def test_files_are_short() -> None:
    long = {short(path): text(path).count("\n") for path in files() if path.suffix in SOURCES and path.parent.name != "migrations"}
    assert {path: lines for path, lines in long.items() if lines > FILE_LINES} == {}


def test_functions_are_short() -> None:
    functions = [
        (f"{path}:{node.lineno}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path, tree in python()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [where for where, lines in functions if lines > FUNCTION_LINES] == []


def test_nothing_is_printed() -> None:
    assert calls({"print"}, iter(python())) == []


def test_ignored_types_say_which() -> None:
    bare = []
    for path in files():
        if path.suffix == ".py":
            tokens = tokenize.generate_tokens(io.StringIO(text(path)).readline)
            bare += [
                f"{short(path)}:{token.start[0]}" for token in tokens if token.type == tokenize.COMMENT and BARE_IGNORE.search(token.string)
            ]
    assert bare == []


@pytest.mark.parametrize("pattern", [UNDONE, MACHINE_PATH, INDEX], ids=["unfinished", "path of a machine", "package index"])
def test_no_file_contains(pattern: re.Pattern[str]) -> None:
    assert matches(pattern) == []


def test_requirements_are_locked_with_hashes() -> None:
    for name in ("run", "dev"):
        packages = re.split(r"\n(?=\S)", text(ROOT / f"requirements/{name}.txt").strip())
        assert [
            package.split()[0]
            for package in packages
            if not package.startswith("#") and ("==" not in package or "--hash=sha256:" not in package)
        ] == []


def test_no_way_round_the_authorizer() -> None:
    assert calls(BANNED_CALLS, product()) == []


def test_scripts_run_in_the_guard_only() -> None:
    assert calls(SCRIPT_CALLS, ((path, tree) for path, tree in product() if not path.startswith(GUARD))) == []


def test_no_signals() -> None:
    imports = [
        f"{path}:{node.lineno}: {node.module}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and re.search(r"(^|\.)(signals|dispatch)$", f"{node.module}")
    ]
    receivers = [
        f"{path}:{node.lineno}: {name.name}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in node.names
        if name.name in {"signals", "receiver", "django.dispatch"} or name.name.endswith(".signals")
    ]
    assert imports + receivers == []


def test_no_save_override() -> None:
    saves = [
        f"{path}:{method.lineno}"
        for path, tree in product()
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef) and path not in SAVE
        for method in owner.body
        if isinstance(method, ast.FunctionDef) and method.name == "save"
    ]
    assert saves == []


def test_no_binding_on_the_client() -> None:
    named = [
        f"{path}:{node.lineno}: {name}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and (name := getattr(node, "attr", "") or getattr(node, "id", "")) in CLIENT_BINDING
    ]
    assert named == []


def test_postgresql_binds_on_the_server(tmp_path: Path) -> None:
    """Django binds on the client unless told: every PostgreSQL connection of the settings must be told."""
    say = (
        "import json; from kept.project.settings import DATABASES as found;"
        "print(json.dumps({name: each.get('OPTIONS', {}).get('server_side_binding') for name, each in found.items()}))"
    )
    address = "postgresql://someone:secret@127.0.0.1:1/kept"
    urls = dict.fromkeys(("KEPT_DATABASE_URL", "KEPT_OWNER_URL", "KEPT_KEYS_URL"), address)
    settings = {**os.environ, **urls, "KEPT_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", say], env=settings, capture_output=True, text=True, check=True)
    bound = json.loads(done.stdout)
    assert bound
    assert {name for name, server_side in bound.items() if server_side is not True} == set()


def test_core_has_no_clock() -> None:
    """Time is a parameter of core."""
    core = ((path, tree) for path, tree in product() if path.startswith("kept/core/"))
    assert calls(CLOCKS, core) == []


def test_environment_is_read_in_settings_only() -> None:
    reads = [
        f"{path}:{node.lineno}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and not path.startswith("kept/project/")
    ]
    assert reads == []


def test_no_test_skips_by_itself() -> None:
    """A skip goes through `needs`, which is loud, and fails where CI=true."""
    skips = [
        f"{path}:{node.lineno}: {node.attr}"
        for path, tree in python()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "importorskip"} and path != "tests/plugin.py"
    ]
    assert skips == []


def test_scripts_are_executable() -> None:
    scripts = [path for path in files() if text(path).startswith("#!")]
    assert [short(path) for path in scripts if not os.access(path, os.X_OK)] == []

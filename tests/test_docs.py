"""The documentation names every setting and every command, and none that is not there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from tests.plugin import ROOT

pytestmark = pytest.mark.once

HOWTO = ROOT / "docs/howto"
CLI = "kept.project.cli"


def documented_settings() -> set[str]:
    """The settings that configure.md explains: one heading each."""
    return set(re.findall(r"^### `(KEPT_[A-Z_]+)`", (HOWTO / "configure.md").read_text(), re.MULTILINE))


def settings_read() -> set[str]:
    """The environment variables that the wiring reads."""
    sources = (path.read_text() for path in (ROOT / "kept/project").glob("*.py"))
    return {name for source in sources for name in re.findall(r"""["'](KEPT_[A-Z_]+)["']""", source)}


def sections() -> dict[str, str]:
    """Each command that command-line.md explains, with its section."""
    parts = re.split(r"^### `kept ([^`]+)`\n", (HOWTO / "command-line.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands() -> Iterator[tuple[str, set[str]]]:
    """Each command of the program with the long names of its options."""
    yield from _leaves(get_command(importlib.import_module(CLI).app), ())


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    # Any: typer's commands are click's, which carry no public name of their own there.
    if children := getattr(command, "commands", None):
        for name, child in children.items():
            yield from _leaves(child, (*path, name))
    elif not command.hidden:
        options = (option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))
        yield " ".join(path), {option for option in options if option.startswith("--")} - {"--help"}


def test_settings_are_documented() -> None:
    assert documented_settings() == settings_read()


def test_commands_are_documented() -> None:
    assert {name for name, _ in commands()} == set(sections())


def test_options_are_documented() -> None:
    common = {"--json"}
    missing = {name: options - common - set(re.findall(r"--[a-z-]+", sections().get(name, ""))) for name, options in commands()}
    assert {name: options for name, options in missing.items() if options} == {}


def test_links_lead_somewhere() -> None:
    """Every relative link between our documents points at a file that is there."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_readme_commands_exist() -> None:
    """Every `make` target that the README names is one."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text())) <= targets

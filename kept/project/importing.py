"""What `kept import` does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import typer

from kept.apps.imports import actions, queries
from kept.core.errors import BadInput
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug

ACTOR = "command:kept"


def bring(
    account: Account, file: IO[bytes], source: str, basis: str, actor: str, mapping: dict[str, str] | None = None, *, ask: bool = False
) -> dict[str, Any]:
    """Stage, show if asked to, and commit; the report. Raises BadInput, Refused."""
    run = actions.start(account.pk, cast(BinaryIO, file), source, basis, actor, mapping)
    if ask:
        _show(actions.preview(account.pk, run.pk, actor))
        if not typer.confirm("Go on?", err=True):
            actions.discard(account.pk, run.pk)
            raise BadInput("Nothing was imported.", cure="Run the command again to go on.")
    return queries.report(actions.commit_now(account.pk, run.pk, actor))


def run(slug: str, path: Path, source: str, basis: str, map_file: Path | None, *, ask: bool) -> dict[str, Any]:
    """Import a file into an account."""
    account = account_by_slug(slug)
    try:
        with path.open("rb") as file:
            return bring(account, file, source, basis, ACTOR, _mapping(map_file), ask=ask)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", place=str(path), cure="Check the name.") from error


def _mapping(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput("This is not a JSON file.", place=str(path), cure='Write {"column": "field"}.') from error
    if not isinstance(found, dict) or not all(isinstance(field, str) for field in found.values()):
        raise BadInput("A map names a field for each column.", place=str(path), cure='Write {"column": "field"}.')
    return found


def _show(preview: actions.Preview) -> None:
    sys.stderr.write(f"{preview.read} rows. Of the first {preview.counted}: {preview.created} to create, {preview.updated} to update,\n")
    sys.stderr.write(f"{preview.duplicates} duplicates, {preview.suppressed} suppressed, {preview.rejected} to reject.\n")
    for line, values in preview.rows:
        sys.stderr.write(f"  line {line}: {', '.join(f'{name} {value}' for name, value in values.items() if value)}\n")
    for fault in preview.faults[:20]:
        sys.stderr.write(f"  line {fault.line}: {fault.column} {queries.reason(fault)}\n")


def in_words(report: dict[str, Any]) -> str:
    """The report as a sentence."""
    refused = ", ".join(report["refused_columns"])
    counts = ", ".join(f"{report[name]} {name}" for name in ("read", "created", "updated", "duplicates", "rejected", "suppressed"))
    return counts + (f"; refused columns: {refused}" if refused else "")

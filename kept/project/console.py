"""What the commands share: starting Django, output for people or programs, exit codes, naming a person."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, ParamSpec

import typer

from kept.core.errors import BadInput, KeptError, NoticeError, Refused

DONE, FINDINGS, FAILED = 0, 1, 2
P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
AccountName = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's short name.")]
Email = Annotated[str, typer.Option("--email", help="The person's email address.")]
Phone = Annotated[str, typer.Option("--phone", help="The person's telephone number.")]
Id = Annotated[str, typer.Option("--id", help="The identifier that the source of an import gave the record.")]


def start(*, unfinished: bool = False) -> None:
    """Set Django up; only commands that need the deployment do. Refused while a restore is unfinished, unless the command is for that."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kept.project.settings")
    import django

    django.setup()
    from kept.platform.privacy.backup import refuse_unfinished

    if not unfinished:
        refuse_unfinished()


def say(document: Any, *, as_json: bool, text: str = "") -> None:
    """Print a result: `text` for people, the document for programs."""
    sys.stdout.write((json.dumps(document, indent=2, default=str, ensure_ascii=False) if as_json else text or str(document)) + "\n")


def leave(code: int) -> NoReturn:
    """End with an exit code."""
    raise typer.Exit(code)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into a message and an exit code: 1 for a refusal, 2 for what could not run."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeptError as error:
            if kwargs.get("as_json"):
                sys.stdout.write(json.dumps(error.as_dict(), ensure_ascii=False) + "\n")
            else:
                sys.stderr.write(f"kept: {error}\n")
                for finding in getattr(error, "findings", ()) if isinstance(error, NoticeError) else ():
                    sys.stderr.write(f"  {finding}\n")
            raise typer.Exit(FINDINGS if isinstance(error, Refused) else FAILED) from None

    return run


@dataclass(frozen=True)
class Person:
    """How the caller names a person: exactly one of three ways."""

    kind: str
    value: str


def person(email: str, phone: str, source_id: str) -> Person:
    """The one identifier given. Raises BadInput."""
    given = [(kind, value) for kind, value in (("email", email), ("phone", phone), ("source", source_id)) if value]
    if len(given) != 1:
        raise BadInput("Name one person.", place="PERSON", cure="Give one of --email E, --phone P, --id ID.")
    return Person(*given[0])

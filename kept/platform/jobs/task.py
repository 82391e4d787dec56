"""Declaring work: `@job` turns a function of ids into a task that `enqueue` puts into the caller's transaction.

    @job("imports.run", unique=("import_id",))
    def run_import(account_id: int, import_id: int) -> None: ...

    run_import.enqueue(account_id=1, import_id=5)
    run_import.using(run_after=tomorrow).enqueue(account_id=1, import_id=5)

A job runs at least once: a worker may die after the job's last commit, and another then runs it again. So each step must
be safe to repeat. Enqueue last in a transaction: a unique job stays locked until the caller commits.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec

from django_tasks.base import Task

from kept.core.errors import BadInput

P = ParamSpec("P")

RETRIES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A slug, or a random reference in hexadecimal: too long for a telephone, card or social security number.
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_-]{0,63}|[0-9a-f-]{32,64}", re.ASCII)
_LABEL = re.compile(r"[a-z][a-z0-9_.]{0,99}", re.ASCII)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due every `period`, `offset` after midnight UTC."""

    period: timedelta
    offset: timedelta = timedelta()

    def slot(self, now: datetime) -> datetime:
        """The latest due time that is not after `now`."""
        since = now - _EPOCH - self.offset
        return _EPOCH + self.offset + since // self.period * self.period


def every(*, minutes: int) -> Schedule:
    """Due every so many minutes, counted from midnight UTC for a divisor of the day; at most a day."""
    if not 1 <= minutes <= 24 * 60:
        raise BadInput(f"A schedule of {minutes} minutes.", place="every(minutes)", cure="Give 1 to 1440 minutes.")
    return Schedule(timedelta(minutes=minutes))


def daily(at: str) -> Schedule:
    """Due once a day at `at`, as hh:mm in UTC."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at, re.ASCII):
        raise BadInput(f"“{at}” is not a time of day.", place="daily(at)", cure="Write it as hh:mm in UTC, such as 02:30.")
    return Schedule(timedelta(days=1), timedelta(hours=int(at[:2]), minutes=int(at[3:])))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Task[P, None]):
    """A function with how it is to be run. Made by `@job`; `enqueue` and `using(run_after=…)` are those of django-tasks."""

    label: str
    retries: int = RETRIES
    unique: tuple[str, ...] | None = None
    schedule: Schedule | None = None

    @property
    def name(self) -> str:
        return self.label

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name. Raises BadInput for any that could be more than an id."""
        given = inspect.signature(self.func).bind(*args, **kwargs)
        given.apply_defaults()
        for name, value in given.arguments.items():
            if not _is_id(value):
                raise BadInput(
                    "A job carries ids only, so that nothing personal stands in the queue.",
                    place=f"{self.label}({name})",
                    cure="Store the value where its column is declared, and pass the row's id.",
                )
        return given.arguments

    def key(self, arguments: Mapping[str, Any]) -> str | None:
        """What jobs must share to be the same work. The account is always part of it: keys tell no account of another."""
        if self.unique is None:
            return None
        parts = [f"{name}={arguments.get(name)}" for name in arguments if name in self.unique or name == "account_id"]
        return f"{self.label}({','.join(sorted(parts))})"


def _is_id(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) <= _LARGEST_ID
    return value is None or (isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None)


_declared: dict[str, JobTask[...]] = {}


def declared() -> Mapping[str, JobTask[...]]:
    """Every task by its label. The modules named `jobs` of all installed apps are read at start."""
    return _declared


def job(
    label: str,
    *,
    retries: int = RETRIES,
    unique: tuple[str, ...] | None = None,
    schedule: Schedule | None = None,
    priority: int = 0,
) -> Callable[[Callable[P, None]], JobTask[P]]:
    """Declares a job.

    `label` stands in the rows and must outlive the function's name. `unique` names the arguments that identify the work (`()`: one for
    the label and account): at most one such job waits and at most one runs. `schedule` runs it without arguments; slots missed while no
    worker ran, or while the last one still waits, are made up once. After `retries` further attempts it is a dead letter. A higher
    `priority` (-100 to 100) goes first.
    """

    def declare(function: Callable[P, None]) -> JobTask[P]:
        parameters = inspect.signature(function).parameters
        if not _LABEL.fullmatch(label):
            raise BadInput(
                f"“{label}” is no label.", place=function.__qualname__, cure="Write it like imports.run, in up to 100 characters."
            )
        if label in _declared:
            raise BadInput(f"Two jobs are called “{label}”.", place=function.__qualname__, cure="Give each job a label of its own.")
        if unknown := sorted(set(unique or ()) - set(parameters)):
            raise BadInput(f"No such argument: {', '.join(unknown)}.", place=f"{label}(unique)", cure="Name the function's own.")
        if schedule and parameters:
            raise BadInput("A scheduled job takes no arguments.", place=label, cure="Let it enqueue one job for each account.")
        once = () if schedule and unique is None else unique
        task = JobTask(func=function, label=label, retries=retries, unique=once, schedule=schedule, priority=priority)
        _declared[label] = task
        return task

    return declare

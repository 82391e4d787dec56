"""Where the time of one erasure goes: between its kill points, and in statements, commits, syncs and signatures."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from django.db import connections

from kept.core.ledger import SigningKey
from kept.platform.privacy import erasure

COMMITS, SYNCS, SIGNING = "commits", "syncs of the journal", "signing"


@dataclass
class Clock:
    """Seconds of one erasure: `stages` one after the other, which add up to the whole, and `kinds` of work within them."""

    stages: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, float] = field(default_factory=dict)
    statements: int = 0
    last: float = field(default_factory=time.perf_counter)

    def point(self, name: str) -> None:
        """A stage ends."""
        now = time.perf_counter()
        self.stages[name] = self.stages.get(name, 0) + now - self.last
        self.last = now

    def timed(self, kind: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, timed."""

        def run(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.kinds[kind] = self.kinds.get(kind, 0) + time.perf_counter() - start

        return run

    def execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's execute wrapper."""
        self.statements += 1
        kind = "deleting" if sql.startswith("DELETE") else "other SQL"
        return self.timed(kind, execute)(sql, params, many, context)


@contextmanager
def clocked() -> Iterator[Clock]:
    """Clock what happens inside the block."""
    clock = Clock()
    with ExitStack() as stack:
        for alias in ("default", "keys"):
            connection = connections[alias]
            stack.enter_context(connection.execute_wrapper(clock.execute))
            stack.enter_context(patch.object(connection, "commit", clock.timed(COMMITS, connection.commit)))
        stack.enter_context(patch.object(os, "fsync", clock.timed(SYNCS, os.fsync)))
        stack.enter_context(patch.object(SigningKey, "sign", clock.timed(SIGNING, SigningKey.sign)))
        stack.enter_context(patch.object(erasure, "point", clock.point))
        clock.last = time.perf_counter()
        yield clock
        clock.point("the end")


def lines(clocks: list[Clock]) -> Iterator[str]:
    """Medians over several erasures."""
    whole = statistics.median(sum(clock.stages.values()) for clock in clocks)
    yield f"    one erasure {whole * 1000:.1f} ms, {clocks[0].statements} statements; up to each kill point (ms):"
    for group in ("stages", "kinds"):
        medians = {name: statistics.median(getattr(clock, group).get(name, 0) for clock in clocks) for name in getattr(clocks[0], group)}
        rest = {"Python and the rest": whole - sum(medians.values())} if group == "kinds" else {}
        said = [f"{name.removeprefix('erasure:')} {took * 1000:.1f}" for name, took in (medians | rest).items()]
        yield f"    {'  of it ' if group == 'kinds' else '  '}{' · '.join(said)}"

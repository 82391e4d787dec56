"""The measurements on one engine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.engines import ENGINES, deployment


def measure(engine: str, people: int) -> None:
    """An import, then what is asked of the people it brought."""
    from bench import importing, proving, questions, rights
    from bench.measure import say
    from kept.platform.privacy.gate import use_for

    account = deployment()
    say(f"\n{ENGINES[engine]}, {people:,} people{'':<32} {'ours':>12}  {'peer':>11}    ratio")
    with tempfile.TemporaryDirectory() as folder:
        imported = importing.compare(account, people, Path(folder))
    say(imported)
    say(f"{'':<4}{people / imported.ours:,.0f} people a second")
    for ratio in questions.compare(use_for(account.pk, "command:bench", "customer-relations"), "dana mar"):
        say(ratio)
    for line in proving.lines(account):
        say(line)
    for rows, runs in ((20, 20), (20_000, 3)):
        for ratio in rights.compare(account, rows, runs):
            say(ratio)

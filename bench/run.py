"""The measurements on one engine."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def main(people: int) -> None:
    """Set up as a deployment would, then measure."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kept.project.settings")
    import django

    django.setup()
    from bench import importing, proving, questions, rights
    from bench.measure import say
    from kept.platform.data.guard import install
    from kept.platform.data.rows import on_postgres
    from kept.platform.privacy.gate import use_for
    from kept.platform.privacy.testing import cast, with_notice

    install.migrate()
    account = with_notice(cast().account)
    say(f"\n{'PostgreSQL' if on_postgres() else 'SQLite'}, {people:,} people{'':<32} {'ours':>12}  {'peer':>11}    ratio")
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


if __name__ == "__main__":
    main(int(sys.argv[1]))

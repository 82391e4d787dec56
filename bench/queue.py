"""Requests that wait, answered by one worker: how many a minute.

`python -m bench.queue --requests 1000 --engine sqlite`: half of them ask for a copy, half for erasure. Each asker has some twenty rows and
has proved their address. `--profile` says where the time goes; a profiled run is slower.
"""

from __future__ import annotations

import sys
import time

from bench import engines

ROWS = 20


def measure(engine: str, requests: int, profile: int) -> None:
    """Let them ask, then drain the queue: first the copies, then the erasures, then the letters to all of them."""
    import cProfile
    import pstats

    from django.utils import timezone

    from bench import rights
    from bench.measure import say, seconds
    from kept.apps.requests import actions, jobs
    from kept.apps.requests.models import Channel, Kind, Request, State
    from kept.platform.jobs.worker import run_due
    from kept.platform.privacy.bookkeeping import bookkeeping

    account = engines.deployment()
    say(f"\n{engines.ENGINES[engine]}, {requests:,} requests of people with {ROWS} rows each, one worker")
    whole, asked = 0.0, requests // 2
    for kind in (Kind.ACCESS, Kind.ERASE):
        for _ in range(asked):
            address = rights.address()
            rights.somebody(account, ROWS, address)
            actions.receive(account, actions.Asked(kind, Channel.WEB, "GB", address, proof="link"))
        watch = cProfile.Profile()
        if profile:
            watch.enable()
        busy = time.process_time()
        took = seconds(lambda: run_due(timezone.now(), jobs.answer))
        busy = time.process_time() - busy
        watch.disable()
        with bookkeeping(account.pk) as use:
            done = Request.under(use).filter(kind=kind, state=State.READY).count()
        assert done == asked, f"{asked - done} of {asked} were not answered"
        whole += took
        said = f"{took / asked * 1000:8.1f} ms each, {busy / asked * 1000:.1f} of them the worker's own"
        say(f"    {kind.label:<28}{asked / took * 60:8,.0f} a minute {said}")
        if profile:
            pstats.Stats(watch, stream=sys.stdout).sort_stats("cumulative").print_stats("kept|fsync|sign|execute", profile)
    say(f"    {'together':<28}{asked * 2 / whole * 60:8,.0f} a minute {whole / asked / 2 * 1000:8.1f} ms each")
    letters = 0

    def send() -> None:
        nonlocal letters
        letters = run_due(timezone.now(), jobs.deliver)

    took = seconds(send)
    say(f"    {'their letters, to files':<28}{letters / took * 60:8,.0f} a minute {took / letters * 1000:8.1f} ms each")


if __name__ == "__main__":
    parser = engines.parser("bench.queue", "Waiting requests, answered by one worker.")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--profile", type=int, default=0, metavar="LINES", help="so many lines of a profile")
    given = parser.parse_args()
    sys.exit(engines.each(given.engine, measure, given.requests, given.profile))

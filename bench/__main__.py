"""Run the measurements on both engines. `python -m bench --people 100000 --engine sqlite` for a smaller run."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile


def main() -> int:
    """Each engine in a process and a folder of its own."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    failed = 0
    for engine in ("sqlite", "postgresql") if given.engine == "both" else (given.engine,):
        with tempfile.TemporaryDirectory(prefix=f"kept-bench-{engine}-") as folder:
            environment = {**os.environ, "KEPT_DATA": folder}
            if engine == "sqlite":
                for name in ("KEPT_DATABASE_URL", "KEPT_OWNER_URL", "KEPT_KEYS_URL"):
                    environment.pop(name, None)
            elif "KEPT_OWNER_URL" not in environment:
                sys.exit("bench: on PostgreSQL run me as `make bench`, which starts a cluster of its own.")
            failed |= subprocess.run([sys.executable, "-m", "bench.run", str(given.people)], env=environment, check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())

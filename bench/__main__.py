"""Run the measurements on both engines. `python -m bench --people 100000 --engine sqlite` for a smaller run."""

from __future__ import annotations

import sys

from bench import engines, run

if __name__ == "__main__":
    parser = engines.parser("bench", "Import, questions, proofs and rights of many people.")
    parser.add_argument("--people", type=int, default=1_000_000)
    given = parser.parse_args()
    sys.exit(engines.each(given.engine, run.measure, given.people))

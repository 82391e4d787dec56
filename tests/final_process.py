"""Steps of erasures, each in a process of its own that a fault point kills: `python -m tests.final_process`.

Reads one step a line, as JSON, forks, and answers with the child's exit status: starting Python anew for each would take longer than
all that is tested.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

import django


def run(step: dict[str, str]) -> None:
    from django.conf import settings

    from kept.platform.privacy import erasure

    settings.FAULT = step["fault"]
    match step["do"]:
        case "erase":
            erasure.erase(int(step["account"]), "command:test", int(step["subject"]), step["request"], "right:erasure")
        case "resume":
            erasure.resume_all()
        case "residue":
            erasure.clear_residue()
        case "released":
            erasure.carry_on_released(int(step["account"]))


def main() -> None:
    django.setup()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                run(json.loads(line))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

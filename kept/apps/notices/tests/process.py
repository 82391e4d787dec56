"""A version carried on in a process of its own, which a fault point kills: `python -m kept.apps.notices.tests.process ACCOUNT`."""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from kept.apps.notices import versions

    versions.bring_about(int(sys.argv[1]))


if __name__ == "__main__":
    main()

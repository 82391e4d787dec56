"""Run by .fides/bin/python: loads a manifest from standard input as the tools of Fides do, and writes what is wrong with it."""

import importlib
import sys
from typing import Any

KINDS = ("data_category", "data_use", "data_subject")


def faults(text: str) -> list[str]:
    """What fideslang refuses, or does not find in its default taxonomy."""
    yaml: Any = importlib.import_module("yaml")
    parse: Any = importlib.import_module("fideslang.parse")
    relations: Any = importlib.import_module("fideslang.relationships")
    known: Any = importlib.import_module("fideslang.default_taxonomy").DEFAULT_TAXONOMY
    taxonomy = parse.load_manifests_into_taxonomy(yaml.safe_load(text))  # ends the process with what is wrong
    terms = {kind: {one.fides_key for one in getattr(known, kind)} for kind in KINDS}
    used = [(kind, key) for system in taxonomy.system for kind, key in _named(system)]
    found = [f"{kind} {key} is not in the default taxonomy" for kind, key in used if key not in terms[kind]]
    for kind in KINDS:
        setattr(taxonomy, kind, getattr(known, kind))
    return [*found, *(f"{key} leads nowhere" for key in sorted(relations.get_referenced_missing_keys(taxonomy)))]


def _named(system: Any) -> list[tuple[str, str]]:
    flows = [*(system.egress or []), *(system.ingress or [])]
    found = [("data_category", key) for flow in flows for key in flow.data_categories or []]
    for declared in system.privacy_declarations:
        found.append(("data_use", declared.data_use))
        found += [("data_category", key) for key in [*declared.data_categories, *declared.shared_categories]]
        found += [("data_subject", key) for key in declared.data_subjects]
    return found


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in faults(sys.stdin.read())))

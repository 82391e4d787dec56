"""Provers: for every kind of rule, the look at live data that would find the promise broken if it were.

A prover never trusts the enforcer: it looks at what stands in the tables, under the reserved purpose `proof`.
"""

from kept.platform.privacy.provers import changes, collecting, duration, identity, limits, outlets, purposes, sealing
from kept.platform.privacy.provers.base import PROVERS, Asked, Finding, Look, State, unproven

MODULES = (changes, collecting, duration, identity, limits, outlets, purposes, sealing)
"""Importing one registers its provers."""

__all__ = ["MODULES", "PROVERS", "Asked", "Finding", "Look", "State", "unproven"]

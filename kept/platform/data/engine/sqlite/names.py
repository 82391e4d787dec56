"""Names of the guard's objects on SQLite, and the refusal of statements that bear one."""

from __future__ import annotations

from kept.core.errors import Refused

OURS = "guard_"
"""How every name of ours begins: the inner views, the triggers, the full-text tables."""


def admit(sql: str) -> None:
    """Refuse a statement that names an object of ours: a name has but one spelling on SQLite.

    The authorizer cannot tell such a statement from our own: a full-text table prepares statements of its own, and a query that bears
    an inner view's name passes for that view.
    """
    if OURS in sql.lower():
        raise Refused("A statement may not name the guard's own objects.", cure="Ask the tables.")

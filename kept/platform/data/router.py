"""Only the owner migrates: the application's own connection never changes a table."""

from __future__ import annotations

from typing import Any


class OnlyTheOwnerMigrates:
    """Django's database router."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Whether a migration may run on this alias."""
        return db == "owner"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """The aliases are ways into one database."""
        return True

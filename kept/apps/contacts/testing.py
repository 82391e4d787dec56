"""People with records, for tests of every layer above."""

from __future__ import annotations

import secrets
from typing import Any

from kept.apps.contacts import actions
from kept.platform.accounts.models import Account
from kept.platform.privacy.gate import acting


def person(account: Account, **fields: Any) -> int:
    """Somebody with a record, entered by hand: Dana Marsh unless `fields` (those of `actions.NewPerson`) say otherwise; the record's id."""
    said: dict[str, Any] = {
        "region": account.region,
        "given_name": "Dana",
        "family_name": "Marsh",
        "email": f"dana.{secrets.token_hex(4)}@quayside.example",
    } | fields
    with acting(account.pk, "command:test", "customer-relations") as use:
        return actions.add_person(use, actions.NewPerson(**said))

"""Who acts: the same small thing for a member at a page, a person in the privacy centre, a job and a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["member", "person", "operator", "job", "command"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is the row of a member or operator, the random reference of a person, the name of a job or command."""

    kind: ActorKind
    id: int | str
    name: str

    @property
    def reference(self) -> str:
        """How the ledger names the actor: ``member:12``. Never the name, for an entry outlives whom it names."""
        return f"{self.kind}:{self.id}"

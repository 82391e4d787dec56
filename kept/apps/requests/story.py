"""What the ledger tells of one person, as they read it: to whom their data went, who looked, what else happened."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from kept.apps.requests.period import Period
from kept.apps.requests.terms import Terms
from kept.core.ledger import Header
from kept.core.notice import Policy
from kept.core.notice.declared import recipient
from kept.core.notice.terms import DiscloseTerms
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.models import EntrySubject

MOST_ENTRIES = 2000
"""Looks and other steps that a copy lists, the newest; of disclosures it lists all."""


class Story:
    """The entries about a person within a period, newest first. `use` is of the purpose `rights`."""

    def __init__(self, use: Use, terms: Terms, period: Period) -> None:
        self.use, self.terms, self.period = use, terms, period
        self.reference = terms.subject.reference
        self._policy_at = notices.policy_at(use.account_id)

    @cached_property
    def _newest(self) -> list[Header]:
        return [ledger.header_of(entry) for entry in ledger.entries_of(self.use, self.reference, MOST_ENTRIES)]

    @cached_property
    def given(self) -> list[Header]:
        """Every disclosure of theirs."""
        found = (ledger.header_of(entry) for entry in ledger.story(self.use, self.reference, {"disclosure"}))
        return [one for one in found if self.period.holds(one.at)][::-1]

    @cached_property
    def collected(self) -> list[Header]:
        """Every entry that says that something of theirs came in."""
        found = (ledger.header_of(entry) for entry in ledger.story(self.use, self.reference, {"collection"}))
        return [one for one in found if self.period.holds(one.at)]

    @cached_property
    def left_out(self) -> int:
        """How many entries about them a copy does not list."""
        total = EntrySubject.under(self.use).filter(reference=self.reference).count()
        return int(total) - len(self.given) - len(self._told)

    @cached_property
    def _told(self) -> list[Header]:
        return [one for one in self._newest if one.kind != "disclosure" and self.period.holds(one.at)]

    def looks(self) -> list[dict[str, Any]]:
        """Who looked."""
        return [self._entry(one) for one in self._told if one.kind == "look"]

    def rest(self) -> list[dict[str, Any]]:
        """What else happened."""
        return [self._entry(one) for one in self._told if one.kind != "look"]

    def disclosures(self) -> list[dict[str, Any]]:
        """What of theirs went to whom. `others`: the entry names others too, and lists the categories of all of them."""
        return [self._disclosure(one) for one in self.given]

    def outlet(self, header: Header) -> DiscloseTerms | None:
        """The outlet that a disclosure went through, as the notice had it on that day."""
        policy = self._policy_at(header.at)
        return outlet_of(policy, header.rule or "") if policy else None

    def to(self, header: Header) -> str:
        """The name of the recipient; its class where an event or somebody's act decides who it is."""
        policy, outlet = self._policy_at(header.at), self.outlet(header)
        named = outlet is not None and header.recipient not in (None, outlet.id, outlet.to)
        return str(header.recipient) if policy is None or outlet is None or named else recipient(policy, outlet)

    def _disclosure(self, header: Header) -> dict[str, Any]:
        outlet = self.outlet(header)
        return {
            **self._entry(header),
            "to": self.to(header),
            "kind": self.terms.title("recipient", outlet.recipient_class) if outlet else "",
            "categories": self.terms.titles("category", header.categories),
            "sold": bool(outlet and outlet.sale),
            "shared": bool(outlet and outlet.share),
            "others": len(header.subjects) > 1,
        }

    def _entry(self, header: Header) -> dict[str, Any]:
        who = {"member": _("our team"), "person": _("you"), "job": _("a program of ours"), "command": _("whoever runs our computers")}
        purpose = self.terms.title("purpose", header.purpose or "")
        kind = str(_KINDS.get(header.kind, header.kind))
        return {"at": header.at, "what": kind, "who": who.get(header.actor.partition(":")[0], header.actor), "for": purpose}


def outlet_of(policy: Policy, rule: str) -> DiscloseTerms | None:
    """The outlet of a rule, by the rule's name (``disclose:carrier``)."""
    return policy.outlets.get(rule.removeprefix("disclose:"))


_KINDS = {
    "consent": lazy("Consent given or withdrawn"),
    "objection": lazy("Objection"),
    "opt-out": lazy("Opting out"),
    "restriction": lazy("Restriction"),
    "look": lazy("Your data was shown"),
    "disclosure": lazy("Your data was given to somebody"),
    "instrument": lazy("A paper about your data was put on file"),
    "request": lazy("A request of yours moved a step"),
    "collection": lazy("Data came in"),
    "correction": lazy("Data was corrected"),
    "release": lazy("A copy was handed over"),
}

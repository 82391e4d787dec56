"""What the notice says to one person: by the version in force and, where they stand under an earlier one, by that as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from kept.core.notice import Policy, Rule
from kept.core.notice.declared import recipient
from kept.core.notice.standing import Standing
from kept.core.notice.terms import PurposeTerms
from kept.core.notice.vocabulary import Tree
from kept.platform.data.models import Subject
from kept.platform.privacy import notices
from kept.platform.privacy.fences import DERIVED
from kept.platform.privacy.models import NoticeVersion

Told = dict[str, Any]


class Terms:
    """The versions of the notice that apply to a person, the one in force first. `over` answers for both together."""

    def __init__(self, account_id: int, subject: Subject) -> None:
        ruling = notices.ruling(account_id)
        self.account_id, self.subject = account_id, subject
        self.active = ruling.policy
        self.over: Policy | Standing = ruling.over(subject.notice_version)
        self.versions: Mapping[int, Policy] = {ruling.number: ruling.policy}
        if isinstance(self.over, Standing):
            self.versions = {**self.versions, subject.notice_version: self.over.earlier}

    @property
    def policies(self) -> Iterable[Policy]:
        """Their policies."""
        return self.versions.values()

    # Words

    def title(self, tree: Tree, term: str) -> str:
        """A term as people read it, in any of the versions."""
        if tree == "source" and term == DERIVED:
            term = "inferred"
        for policy in self.policies:
            if tree == "purpose" and term in policy.purposes:
                return policy.purposes[term].title or term
            if term in policy.notice.vocabulary[tree]:
                return policy.notice.vocabulary[tree][term].title
        return term

    def titles(self, tree: Tree, terms: Iterable[str]) -> list[str]:
        """Terms as people read them, each once, in order."""
        return sorted({self.title(tree, one) for one in terms})

    def under(self, *terms: str, tree: Tree = "category") -> frozenset[str]:
        """The terms and everything below them, in any of the versions."""
        trees = [policy.notice.vocabulary[tree] for policy in self.policies]
        return frozenset(terms).union(*(known.under(*(one for one in terms if one in known)) for known in trees))

    def ccpa(self, category: str) -> str:
        """The class of personal information in California that a category is of; empty where it is of none."""
        known = (policy.notice.vocabulary["category"] for policy in self.policies)
        return next((held[category].ccpa or "" for held in known if category in held), "")

    def promise(self, number: int, rule: str) -> str:
        """The sentence of a rule in the version of this number, whether it still applies or not."""
        policy = self.versions.get(number) or (notices.compiled_number(self.account_id, number) if number in self._numbers else None)
        return next((one.promise for one in policy.notice.rules if one.name == rule), "") if policy else ""

    @cached_property
    def _numbers(self) -> set[int]:
        return set(NoticeVersion.objects.filter(account_id=self.account_id).values_list("number", flat=True))

    # What it says

    def notice(self) -> Told:
        """The version in force, and where it differs the one that the person is under."""
        version = notices.in_force(self.account_id)
        told: Told = {"title": self.active.notice.title, "version": version.number, "in_force_since": version.activated_at}
        return told | ({"yours": self.subject.notice_version} if len(self.versions) > 1 else {})

    def purposes(self) -> list[Told]:
        """The purposes, each with whether it is open to this person's data now."""
        return self.each(lambda policy: (self.purpose(policy, one) for one in policy.purposes.values()))

    def purpose(self, policy: Policy, one: PurposeTerms) -> Told:
        """One of them."""
        ruling = self.active.purposes.get(one.id)
        return {
            "purpose": one.title or one.id,
            "basis": self.title("basis", policy.basis(one.id, self.subject.region)),
            "in_use": ruling is not None and bool(self.subject.permits >> ruling.bit & 1),
            "categories": self._categories(one.rule),
            "promise": one.rule.promise,
        }

    def sources(self) -> list[Told]:
        """From where data comes."""
        return self.each(
            lambda policy: ({"from": self.title("source", one.source), "promise": one.rule.promise} for one in policy.collects)
        )

    def recipients(self) -> list[Told]:
        """Who may get what."""
        return self.each(
            lambda policy: (
                {
                    "to": recipient(policy, one),
                    "kind": self.title("recipient", one.recipient_class),
                    "categories": self._categories(one.rule),
                    "country": ", ".join(one.countries),
                    "safeguard": one.safeguard,
                    "promise": one.rule.promise,
                }
                for one in policy.outlets.values()
            )
        )

    def retention(self) -> list[Told]:
        """How long what is kept."""
        return self.each(
            lambda policy: (
                {"keep": str(one.keep), "after": self.title("event", one.after), "promise": one.rule.promise} for one in policy.retains
            )
        )

    def _categories(self, rule: Rule) -> list[str]:
        return sorted(self.title("category", term) for term in rule.data["categories"])

    def each(self, made: Callable[[Policy], Iterable[Told]]) -> list[Told]:
        """What each version says. What not all of them say names those that do in `versions`."""
        found: list[tuple[Told, list[int]]] = []
        for number, policy in self.versions.items():
            for told in made(policy):
                same = next((numbers for held, numbers in found if held == told), None)
                if same is None:
                    found.append((told, [number]))
                elif number not in same:
                    same.append(number)
        return [told | ({"versions": numbers} if len(numbers) < len(self.versions) else {}) for told, numbers in found]

"""Decisions of a policy beside those of Cedar and Casbin: 50 rules (10 purposes, 5 categories each), the same questions, one thread.

`python -m bench.deciding`. Each engine is asked with everything parsed beforehand, a thousand questions at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import casbin
import cedarpy

from bench.measure import alternate, say, seconds
from kept.core.notice import Ask, ChoiceFact, Policy, SubjectFacts, compile, parse

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PURPOSES = [f"use-{n}" for n in range(10)]
CATEGORIES = ["name", "email", "phone", "job-title", "organisation"]
QUESTIONS = [(purpose, category) for purpose in PURPOSES for category in (*CATEGORIES, "birth-date")]
ROUNDS = 20
MODEL = """
[request_definition]
r = sub, purpose, category
[policy_definition]
p = purpose, category
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.purpose == p.purpose && r.category == p.category && r.purpose in r.sub.agreed
"""


def notice() -> str:
    """A notice of ten purposes on five categories."""
    head = '```rule\nnotice = "bench"\ncontroller = "B"\ncontact = "p@b.example"\neffective = 2026-01-01\n```\n'
    named = ", ".join(f'"{one}"' for one in CATEGORIES)
    rules = [f'purpose = "{one}"\nunder = "analytics"\ncategories = [{named}]\nbasis = "consent"' for one in PURPOSES]
    rules += [f'choice = "say-{one}"\ngoverns = ["{one}"]\neffective_within = "0 days"' for one in PURPOSES]
    return head + "".join(f"\n```rule\n{one}\n```\n" for one in rules)


def ours(policy: Policy, facts: SubjectFacts) -> Callable[[], list[bool]]:
    """Our engine."""
    asks = [Ask(purpose, category) for purpose, category in QUESTIONS]
    return lambda: [policy.decide(ask, facts).allowed for ask in asks * ROUNDS]


def cedar(agreed: list[str]) -> Callable[[], list[bool]]:
    """Cedar, with policies and entities parsed beforehand."""
    texts = [
        f'permit(principal, action == Action::"{one}", resource == Category::"{category}") when {{ principal.agreed.contains("{one}") }};'
        for one in PURPOSES
        for category in CATEGORIES
    ]
    policies = cedarpy.PolicySet.from_str("\n".join(texts))
    entities = [{"uid": {"type": "Person", "id": "dana"}, "attrs": {"agreed": agreed}, "parents": []}]
    known = cedarpy.Entities.from_json_str(json.dumps(entities))
    requests = [
        {"principal": 'Person::"dana"', "action": f'Action::"{purpose}"', "resource": f'Category::"{category}"', "context": {}}
        for purpose, category in QUESTIONS
    ]
    return lambda: [cedarpy.is_authorized(request, policies, known).allowed for request in requests * ROUNDS]


def with_casbin(agreed: list[str]) -> Callable[[], list[bool]]:
    """Casbin."""
    enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=MODEL))
    for purpose in PURPOSES:
        for category in CATEGORIES:
            enforcer.add_policy(purpose, category)

    class Person:
        pass

    dana = Person()
    dana.agreed = agreed  # type: ignore[attr-defined]
    return lambda: [enforcer.enforce(dana, purpose, category) for purpose, category in QUESTIONS * ROUNDS]


def main() -> None:
    """The figures: microseconds a decision, and ratios."""
    agreed = PURPOSES[::2]
    policy = compile(parse(notice()))
    facts = SubjectFacts(NOW, choices={f"say-{one}": ChoiceFact("given", NOW) for one in agreed})
    mine, count = ours(policy, facts), len(QUESTIONS) * ROUNDS
    say(f"{'50 rules, ' + str(count) + ' questions':<58} {'ours':>12}  {'peer':>11}    ratio")
    for name, peer in (("Cedar (cedarpy)", cedar(agreed)), ("Casbin", with_casbin(agreed))):
        assert mine() == peer(), f"{name} answers differently"
        ratio = alternate(f"decide, beside {name}", mine, peer, runs=7)
        say(ratio)
        say(f"{'':<4}{ratio.ours / count * 1e6:.2f} µs a decision, {ratio.peer / count * 1e6:.2f} µs theirs")
    whole = min(seconds(lambda: [policy.permits(facts) for _ in range(1000)]) for _ in range(7))
    say(f"permits: {whole / 1000 * 1e6:.1f} µs for the mask of {len(PURPOSES)} purposes, {whole / 1000 / len(PURPOSES) * 1e6:.2f} µs each")


if __name__ == "__main__":
    main()

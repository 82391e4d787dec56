"""What a rule needs of a deployment."""

from __future__ import annotations

import pytest

from kept.core.notice import parse
from kept.core.notice.bindings import binding, needs
from kept.core.notice.rules import KINDS

HEAD = """```rule
notice = "quay"
controller = "Quay Street Joiners"
contact = "privacy@quay.example"
effective = 2026-03-01
```

# Notice

We say so.

"""


def needed(*blocks: str) -> tuple[str, ...]:
    """What the last of these rules needs."""
    notice = parse(HEAD + "\n\n".join(f"We say so.\n\n```rule\n{block.strip()}\n```\n" for block in blocks))
    return needs(notice.rules[-1], notice.vocabulary)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ('statement = "one"', ()),
        ('source = "fair"\nunder = "partner"\ntitle = "A fair"', ("source",)),
        ('limit = "cards"\nrefuse = ["payment-card"]', ("limit", "limit.refuse")),
        ('secure = "doors"\nstaff = { need = true }\ntls = false', ("secure", "secure.staff")),
        ('retain = "faxes"\nrecords = "fax"\nkeep = "1 year"\nafter = "collected"\nthen = "erase"',
         ("retain", "retain.keep", "retain.after=collected", "retain.then=erase", "room:fax")),
        ('purpose = "direct-marketing"\ncategories = ["name"]\nbasis = { default = "consent", US = "opt-out" }',
         ("purpose", "purpose.categories", "purpose.basis=consent", "purpose.basis=opt-out", "room:campaigns")),
        ('collect = "calls"\ncategories = ["name"]\nfrom = "telephony"\nfor = ["customer-relations"]\non = ["call", "chat"]',
         ("collect", "collect.categories", "room:fax", "room:activities", "room:site")),
        ('transfer = "out"\nfrom = ["EEA"]\nallow = ["scc", { by = "dpf", continues = true }]\ncopy = false',
         ("transfer", "transfer.allow", "transfer.allow.continues")),
        ('limit = "market"\nnever = ["sale", "advertising"]\napplies_to = { source = "google" }',
         ("limit", "limit.never=sale", "limit.never=purpose")),
        ('category = "taste"\nunder = "demographic"\ntitle = "Taste"\naccess = "describe"', ("category", "category.access=describe")),
    ],
)  # fmt: skip
def test_needs(block: str, expected: tuple[str, ...]) -> None:
    assert needed(block) == expected


def test_a_choice_is_named_by_what_it_governs() -> None:
    outlet = 'disclose = "carrier"\nto = "Severn"\nclass = "vendor"\ncategories = ["name"]\nfor = ["customer-relations"]\ncountry = "GB"'
    choice = 'choice = "all"\ngoverns = ["marketing", "disclose:carrier", "sale"]\neffective_within = "0 days"'
    assert needed(outlet, choice) == (
        *("choice", "choice.governs=purpose", "choice.governs=disclose", "choice.governs=sale"),
        "choice.effective_within",
    )


def test_the_rooms_of_a_purpose_of_ones_own_are_those_of_its_parent() -> None:
    block = 'purpose = "leaflets"\nunder = "direct-marketing"\ntitle = "Leaflets"\ncategories = ["name"]\nbasis = "consent"'
    assert needed(block)[-1] == "room:campaigns"


def test_every_kind_but_statements_binds() -> None:
    assert {name for name in binding() if "." not in name} == set(KINDS) - {"statement"}
    assert binding()["right.verify"] >= {"link", "match-3"}
    assert "transfer.allow.continues" in binding()
    assert "notice.controller" not in binding()

"""The example notice: clean, and answering as its golden table says. A change of either shows here."""

from pathlib import Path

import pytest

from kept.core.notice import Notice, Policy, check, compile, parse
from kept.core.notice.rules import PurposeBody

LARCH = Path(__file__).parents[4] / "notices" / "larch"


@pytest.fixture(scope="module")
def notice() -> Notice:
    return parse((LARCH / "notice.md").read_text(encoding="utf-8"), filename="notices/larch/notice.md")


@pytest.fixture(scope="module")
def policy(notice: Notice) -> Policy:
    return compile(notice)


def test_check_finds_nothing(notice: Notice) -> None:
    assert [str(one) for one in check(notice)] == []


def test_every_passage_is_backed(notice: Notice) -> None:
    assert [passage.text for passage in notice.passages if passage.kind == "prose" and not passage.rules] == []
    assert [rule.name for rule in notice.rules if rule.kind not in ("notice", "purpose") and not rule.promise] == []


def test_the_table_tells_a_lost_rule(notice: Notice, policy: Policy) -> None:
    """Leaving out any rule that decides changes the table."""
    for rule in notice.rules:
        if rule.kind in ("purpose", "choice", "age", "limit", "collect", "disclose") and rule.region is None:
            without = notice.text.replace(f"```rule\n{rule.source}```\n", "")
            if rule.id == "marketing-mail":
                without = without.replace('```rule\nchoice = "marketing-mail"\neffective_within = "0 days"\n```\n', "")
            assert without != notice.text
            assert compile(parse(without)).golden() != policy.golden(), rule.name


def test_what_it_holds(policy: Policy) -> None:
    reads = {one.id: set(one.rule.body.categories) for one in policy.purposes.values() if isinstance(one.rule.body, PurposeBody)}
    assert {"name", "email", "phone", "postal-address", "birth-date", "organisation", "job-title", "source-identifier"} <= reads[
        "customer-relations"
    ]
    assert reads["direct-marketing"] == {"name", "email"}
    assert policy.purposes["analytics"].categories.isdisjoint({"email", "name", "street", "postcode", "birth-date"})
    assert policy.refused == {"payment-card", "security-code", "national-id"}
    assert policy.sealed == {"birth-date"}
    assert policy.role == "controller"
    assert policy.minimum_age("GB") == 16
    assert policy.may_collect("birth-date", "import").duties == ("attest basis", "attest origin")
    assert [policy.rights("US-CA")[kind].verify for kind in ("access", "erase")] == [("human",), ("human",)]
    assert str(policy.rights("US-CA")["access"].confirm_within) == "10 business days"

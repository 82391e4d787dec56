"""Notices that nobody here wrote, of other trades, in the language as it stands. What was hard is in RECORD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from kept.core.notice import EVERYTHING_BIT, Ask, ChoiceFact, Notice, Policy, SubjectFacts, check, compile, parse, register
from kept.core.notice.formatting import formatted
from kept.core.notice.golden import situations
from kept.core.notice.rules import DEFAULT
from tests.plugin import ROOT

pytestmark = pytest.mark.once

HERE = ROOT / "tests/notices"
RECORD = ROOT / "docs/decisions/0014-three-notices-of-other-trades.md"
TRADES = ("clinic", "charity", "game")
NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
YES = ChoiceFact("given", NOW - timedelta(days=2))
NO = ChoiceFact("withdrawn", NOW - timedelta(days=1))

trades = pytest.mark.parametrize("trade", TRADES)


@cache
def notice(trade: str) -> Notice:
    return parse((HERE / f"{trade}.md").read_text(encoding="utf-8"), filename=f"tests/notices/{trade}.md")


@cache
def policy(trade: str) -> Policy:
    return compile(notice(trade))


@cache
def promises() -> tuple[register.Promise, ...]:
    return register.read((HERE / "promises.toml").read_text(encoding="utf-8"), filename="tests/notices/promises.toml")


@trades
def test_check_finds_nothing(trade: str) -> None:
    assert [str(one) for one in check(notice(trade))] == []


@trades
def test_it_has_its_one_form(trade: str) -> None:
    assert formatted(notice(trade).text) == notice(trade).text


@trades
def test_every_passage_is_backed(trade: str) -> None:
    """Prose without a rule is the disclaimer at the head, which is a paragraph of the notice rule."""
    assert [passage.text for passage in notice(trade).passages if passage.kind == "prose" and not passage.rules] == []


@trades
def test_decide_and_permits_agree(trade: str) -> None:
    asked = policy(trade)
    people = [
        facts
        for region in asked.regions
        for _, known in situations(asked, region)
        for facts in (known, SubjectFacts(NOW, known.region, date(2018, 1, 1), known.choices, known.restricted))
    ]
    seen = set()
    for facts in people:
        mask, changes = asked.permits(facts)
        assert mask >> EVERYTHING_BIT == 1
        for purpose, terms in asked.purposes.items():
            allowed = asked.decide(Ask(purpose), facts).allowed
            assert allowed is bool(mask >> terms.bit & 1), (purpose, facts)
            seen.add(allowed)
        if changes is not None:
            after = SubjectFacts(changes, facts.region, facts.born, facts.choices, facts.restricted)
            assert asked.permits(after)[0] != mask
    assert seen == {True, False}
    assert len(people) > 20


@trades
def test_the_golden_table_renders(trade: str) -> None:
    table = policy(trade).golden()
    named = [*policy(trade).purposes, *policy(trade).outlets, *policy(trade).choices(), *policy(trade).trackers]
    assert [name for name in named if name not in table] == []
    assert {line.split(" (")[0] for line in table.splitlines() if line.endswith("(everywhere else)") or "(everywhere else, " in line}


@dataclass(frozen=True)
class Case:
    """A question to one of the notices, about one person, and the answer that its prose gives."""

    trade: str
    ask: Ask
    allowed: bool
    region: str = ""
    choices: Mapping[str, ChoiceFact] | None = None
    born: date | None = None


CASES = (
    # What the clinic does without asking, where one can say no, and where nothing is done without a yes.
    Case("clinic", Ask("treatment", "clinical-record"), True),
    Case("clinic", Ask("care-operations", "name"), False),
    Case("clinic", Ask("treatment", "clinical-record", recipient="clinicians"), True),
    Case("clinic", Ask("billing", "clinical-record", recipient="payers"), False),
    Case("clinic", Ask("averting-harm", recipient="preventers"), False),
    Case("clinic", Ask("averting-harm", recipient="preventers", ground="safety"), True),
    Case("clinic", Ask("treatment", recipient="family-care"), True),
    Case("clinic", Ask("treatment", recipient="family-care"), False, choices={"family-care": NO}),
    Case("clinic", Ask("billing", recipient="family-payment"), True, choices={"family-care": NO}),
    Case("clinic", Ask("by-authorization"), False),
    Case("clinic", Ask("by-authorization", recipient="by-authorization"), True, choices={"authorization": YES}),
    Case("clinic", Ask("by-authorization"), False, choices={"authorization": NO}),
    # How supporters hear from the charity, and what is done to choose among them.
    Case("charity", Ask("fundraising-email", channel="email"), False, "GB"),
    Case("charity", Ask("fundraising-email", channel="email"), True, "GB", {"email": YES}),
    Case("charity", Ask("fundraising-text", channel="text"), False, "GB", {"email": YES}),
    Case("charity", Ask("fundraising-post", channel="post"), True, "GB"),
    Case("charity", Ask("fundraising-post", channel="post"), False, "GB", {"post": NO}),
    Case("charity", Ask("fundraising-post", "postal-address", "donation-platform"), False, "GB"),
    Case("charity", Ask("donations", "donation", "donation-platform"), True, "GB"),
    Case("charity", Ask("targeted-advertising", "email", recipient="social-networks"), False, "GB", {"email": YES}),
    Case("charity", Ask("targeted-advertising", "email", recipient="social-networks"), True, "GB", {"advertising": YES}),
    Case("charity", Ask("mail-statistics", tracker="mail-opens"), False, "GB", {"email": YES}),
    Case("charity", Ask("inclusion", "access-need"), True, "GB", {"access-needs": YES}),
    Case("charity", Ask("supporter-research", "access-need"), False, "GB", {"access-needs": YES}),
    # Advertising, play and children.
    Case("game", Ask("targeted-advertising"), False, "FI"),
    Case("game", Ask("targeted-advertising"), True, "BR"),
    Case("game", Ask("targeted-advertising", "advertising-id", recipient="ad-partners"), True, "FI", {"advertising": YES}),
    Case("game", Ask("targeted-advertising", "advertising-id", recipient="ad-partners"), False, "BR", {"advertising": NO}),
    Case("game", Ask("targeted-advertising", tracker="ad-kit"), False, "BR", {"advertising": NO}),
    Case("game", Ask("play"), True, "US"),
    Case("game", Ask("play"), False, "US", born=date(2018, 1, 1)),
    Case("game", Ask("play"), True, "US", {"parental-consent": YES}, date(2018, 1, 1)),
    Case("game", Ask("play"), True, "US", born=date(2016, 1, 1)),
    Case("game", Ask("play"), False, "DE", born=date(2016, 1, 1)),
    Case("game", Ask("targeted-advertising", recipient="ad-partners"), False, "US", {"advertising": YES}, date(2016, 1, 1)),
    Case("game", Ask("offers", channel="email"), False, "FI", {"offers": NO}),
    Case("game", Ask("service-messages", channel="email"), True, "FI", {"offers": NO}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_decides_as_its_prose_says(case: Case) -> None:
    facts = SubjectFacts(NOW, case.region, case.born, case.choices or {})
    assert policy(case.trade).decide(case.ask, facts).allowed is case.allowed


def test_inlets_are_as_the_prose_says() -> None:
    assert not policy("charity").may_collect("payment-card").allowed
    assert not policy("game").may_collect("payment-card").allowed
    assert policy("charity").may_collect("death", "public-research").allowed
    assert not policy("charity").may_collect("death", "subject").allowed
    assert policy("charity").may_collect("area-profile", "research-agency").duties == ("attest basis", "attest origin")
    assert policy("clinic").sealed == {"clinical-record", "claim"}
    assert str(policy("clinic").rights(DEFAULT)["access"].within) == "15 days"


def test_every_promise_is_carried_or_named_as_not_expressible() -> None:
    """A row that is carried, if partly, has a rule that binds; one that is not has at most a statement. No rule names another id."""
    notices = [notice(trade) for trade in TRADES]
    found = register.carriers(promises(), notices)
    assert register.strays(promises(), notices) == ()
    assert {one.id: sorted({by.rule.kind for by in found[one.id]}) for one in promises()} == {one.id: list(one.kinds) for one in promises()}
    for one in promises():
        assert one.id.split("-")[0].lower() in TRADES
        assert {by.notice for by in found[one.id]} <= {one.id.split("-")[0].lower()}
        how, _, why = one.shown_by.partition(": ")
        binds = not {by.rule.kind for by in found[one.id]} <= {"statement"}
        assert (how, bool(why), binds) in {("carried", False, True), ("partly", True, True), ("not", True, False)}, one


def test_the_record_counts_what_the_register_says() -> None:
    """The record gives, for each trade, how many promises are carried, partly or not."""
    record = RECORD.read_text(encoding="utf-8")
    for trade in TRADES:
        ways = [one.shown_by.partition(":")[0] for one in promises() if one.id.startswith(trade.upper())]
        counts = (len(ways), *(ways.count(how) for how in ("carried", "partly", "not")))
        assert f"| {trade} | {' | '.join(map(str, counts))} |" in record

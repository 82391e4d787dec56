"""Law packs as data, each number cited; the clock engine: calendars, strictest wins, pauses and extensions only as the law allows."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from kept.core.errors import BadInput, Refused
from kept.core.notice import Duration, compile, law, parse
from kept.core.notice.deadlines import Clock, Deadline, deadline
from kept.core.notice.law import NAMES, PACKS, Age, Entry, Figure, OptOut, Pause
from kept.core.notice.policy import Policy
from kept.core.notice.vocabulary import BASE, REGIONS

ENTRIES = [entry for pack in PACKS.values() for entry in pack.entries]
RECEIVED = datetime(2030, 1, 31, 9, tzinfo=UTC)


# The packs


def test_the_packs_are_there() -> None:
    wanted = "call-recording can-spam ccpa coppa cpni dpf gdpr google-limited-use privacy-shield shine-the-light tcpa uk-gdpr"
    assert tuple(wanted.split()) == NAMES


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{one.pack}-{type(one).__name__}-{n}" for n, one in enumerate(ENTRIES)])
def test_every_number_is_cited_dated_and_in_the_words_of_the_vocabulary(entry: Entry) -> None:
    assert len(entry.citation) > 5
    assert date(1990, 1, 1) < entry.version < date(2026, 11, 1)
    assert set(entry.regions) <= REGIONS
    trees = {"sources": "source", "only_purposes": "purpose", "purposes": "purpose", "records": "record"}
    for field, tree in trees.items():
        assert set(getattr(entry, field, ())) <= set(BASE[tree].all)  # type: ignore[index]
    for field in ("of", "never") if not isinstance(entry, Age | law.OptIn) else ():
        assert set(getattr(entry, field, ())) <= {*BASE["purpose"].all, "sale", "sharing"}


def test_figures_that_nothing_measures_have_names_of_their_own() -> None:
    named = [(entry.pack, entry.name) for entry in ENTRIES if isinstance(entry, Figure)]
    assert len(set(named)) == len(named)


def test_what_is_guidance_or_practice_says_so() -> None:
    (pause,) = [one for clock in law.clocks(["gdpr"], "access", "DE") for one in clock.pause]
    assert (pause.while_, pause.guidance, "EDPB" in pause.citation) == ("identity-unverified", True, True)
    assert [str(one.within) for one in law.saying(OptOut, ["can-spam"]) if one.practice] == ["2 days"]


def test_a_word_that_no_section_knows_is_an_error() -> None:
    known = {"pack": "p", "regions": [], "citation": "§ 1", "version": date(2026, 1, 1)}
    with pytest.raises(ValidationError, match="whiel"):
        Pause.model_validate({**known, "whiel": "x"})
    with pytest.raises(ValidationError, match="a duration is written like"):
        OptOut.model_validate({**known, "of": ["sale"], "within": "soon"})


def test_the_law_of_the_place_sets_the_clock_or_else_the_strictest() -> None:
    laws = ("gdpr", "ccpa")
    found = {region: law.clock(laws, "access", region) for region in ("DE", "US-CA", "BR")}
    assert {region: str(one.within) for region, one in found.items() if one} == {"DE": "1 month", "US-CA": "45 days", "BR": "1 month"}
    assert law.clock((), "access", "DE") is None
    assert law.clock(laws, "complain", "DE") is None


@pytest.mark.parametrize(
    ("laws", "of", "region", "years"),
    [
        ("gdpr", "consent", "DE", 16),
        ("gdpr", "consent", "AT", 14),
        ("gdpr", "consent", "FR", 15),
        ("gdpr uk-gdpr", "consent", "GB", 13),
        ("gdpr", "consent", "US", None),
        ("coppa", "everything", "US-NY", 13),
        ("ccpa", "sale", "US-CA", 16),
        ("ccpa", "sale-by-parent", "US-CA", 13),
    ],
)
def test_ages(laws: str, of: str, region: str, years: int | None) -> None:
    found = law.age(laws.split(), of, region)
    assert (found.years if found else None) == years


@pytest.mark.parametrize(
    ("region", "years"), [("", 18), ("DE", 18), ("US", 18), ("US-AL", 19), ("US-MS", 21), ("CA-ON", 18), ("CA-BC", 19), ("NZ", 20)]
)
def test_ages_of_majority(region: str, years: int) -> None:
    assert law.majority(region) == years


@pytest.mark.parametrize(
    ("by", "region", "since", "until"),
    [
        ("privacy-shield", "DE", "2016-07-12", "2020-07-16"),
        ("privacy-shield", "CH", "2017-04-12", "2020-09-08"),
        ("dpf", "FR", "2023-07-10", "None"),
        ("dpf", "GB", "2023-10-12", "None"),
        ("dpf", "CH", "2024-09-15", "None"),
    ],
)
def test_when_a_mechanism_is_valid(by: str, region: str, since: str, until: str) -> None:
    (one,) = law.mechanisms(by, region)
    assert (str(one.since), str(one.until)) == (since, until)
    assert law.mechanisms("scc", region) == ()


# Calendars


@pytest.mark.parametrize(
    ("region", "start", "end"),
    [
        ("", "2026-12-18", "2027-01-01"),
        ("EEA", "2026-12-18", "2027-01-01"),
        ("GB-ENG", "2026-12-18", "2027-01-06"),
        ("DE", "2026-12-18", "2027-01-05"),
        ("US", "2026-12-18", "2027-01-05"),
        ("US-CA", "2026-03-24", "2026-04-08"),  # 31 March is a holiday of the state
        ("US-NV", "2026-03-24", "2026-04-07"),
        ("GB-XYZ", "2026-12-18", "2027-01-06"),
    ],
)
def test_ten_business_days(region: str, start: str, end: str) -> None:
    after = Duration.read("10 business days").after(datetime.fromisoformat(f"{start}T09:00+00:00"), region)
    assert after == datetime.fromisoformat(f"{end}T09:00+00:00")


def test_a_period_is_counted_on_the_calendar_of_its_moment() -> None:
    pacific = timezone(timedelta(hours=-8))
    late = datetime(2030, 2, 28, 23, tzinfo=pacific)
    assert Duration.read("1 month").after(late) == datetime(2030, 3, 28, 23, tzinfo=pacific)
    assert Duration.read("1 month").after(late.astimezone(UTC)) == datetime(2030, 4, 1, 7, tzinfo=UTC)


def test_a_year_compares_as_twelve_months() -> None:
    assert Duration.read("2 years").days_at_most == Duration.read("24 months").days_at_most


# Deadlines


def policy(rule: str = "", laws: str = '"gdpr", "ccpa"') -> Policy:
    head = 'notice = "n"\ncontroller = "N"\ncontact = "n@n.example"\neffective = 2026-03-01\n' + f"law = [{laws}]"
    blocks = [head, f'right = "copy"\nkind = "access"\n{rule}']
    return compile(parse("\n".join(f"```rule\n{one}\n```\n" for one in blocks)))


@pytest.mark.parametrize(
    ("rule", "laws", "region", "due", "decided"),
    [
        ("", '"gdpr", "ccpa"', "DE", "2030-02-28", "gdpr"),
        ("", '"gdpr", "ccpa"', "US-CA", "2030-03-17", "ccpa"),
        ("", '"gdpr", "ccpa"', "BR", "2030-02-28", "gdpr"),
        ('within = "10 days"', '"gdpr", "ccpa"', "DE", "2030-02-10", "right:copy"),
        ('within = "2 months"', '"gdpr", "ccpa"', "DE", "2030-02-28", "gdpr"),
        ('within = "30 days"', '"gdpr"', "DE", "2030-02-28", "gdpr"),  # a month is shorter in February
        ("", "", "DE", "2030-02-28", "default"),
    ],
)
def test_the_strictest_clock_decides(rule: str, laws: str, region: str, due: str, decided: str) -> None:
    made = deadline(policy(rule, laws), "access", region, RECEIVED)
    assert made.due == datetime.fromisoformat(f"{due}T09:00+00:00")
    assert made.decided.by == decided


def test_a_decision_carries_its_law_and_outlives_it() -> None:
    made = deadline(policy(), "access", "US-CA", RECEIVED)
    assert (made.decided.name, made.decided.version) == ("11 CCR § 7021", date(2026, 1, 1))
    assert made.confirm_by == datetime(2030, 2, 14, 9, tzinfo=UTC)
    own = deadline(policy('within = "9 days"'), "access", "DE", RECEIVED).decided
    assert (own.name, own.version) == ("right:copy", date(2026, 3, 1))
    longer = made.extended("complexity", RECEIVED + timedelta(days=3))
    assert Deadline.model_validate(json.loads(json.dumps(longer.as_dict()))) == longer


def test_an_extension_is_as_the_law_allows() -> None:
    made = deadline(policy(), "access", "DE", RECEIVED)
    longer = made.extended("complexity", made.due)
    assert longer.due == datetime(2030, 4, 28, 9, tzinfo=UTC)
    with pytest.raises(Refused, match="extended before"):
        longer.extended("complexity", RECEIVED)
    with pytest.raises(Refused, match=r"Article 12\(3\) GDPR gives no more time for 'holidays'") as refusal:
        made.extended("holidays", RECEIVED)
    assert "complexity, number" in refusal.value.cure
    with pytest.raises(Refused, match="told in time"):
        made.extended("complexity", made.due + timedelta(seconds=1))
    with pytest.raises(Refused, match="told in time"):
        made.extended("complexity", RECEIVED - timedelta(seconds=1))
    with pytest.raises(Refused, match="right:copy gives no more time"):
        deadline(policy('within = "1 month"'), "access", "DE", RECEIVED).extended("complexity", RECEIVED)
    both = deadline(policy('within = "1 month"\nextend = "1 month"'), "access", "DE", RECEIVED)
    assert both.extended("complexity", RECEIVED).due == datetime(2030, 3, 28, 9, tzinfo=UTC)
    with pytest.raises(Refused, match="default gives no more time"):
        deadline(policy(laws=""), "access", "DE", RECEIVED).extended("complexity", RECEIVED)


def test_a_pause_is_as_the_law_allows() -> None:
    made = deadline(policy(), "access", "DE", RECEIVED)
    first, day = RECEIVED + timedelta(days=2), timedelta(days=1)
    held = made.paused("identity-unverified", first, first + 4 * day)
    assert held.due == made.due + timedelta(days=4)
    twice = held.paused("identity-unverified", made.due + day, made.due + 2 * day)
    assert twice.due == made.due + timedelta(days=5)
    with pytest.raises(Refused, match=r"11 CCR § 7021 does not pause for 'identity-unverified'"):
        deadline(policy(), "access", "US-CA", RECEIVED).paused("identity-unverified", first, first + day)
    with pytest.raises(Refused, match="GDPR does not pause for 'holidays'") as refusal:
        made.paused("holidays", first, first + day)
    assert "identity-unverified" in refusal.value.cure
    for start, end in ((RECEIVED - day, first), (first, first - day), (made.due + day, made.due + 2 * day)):
        with pytest.raises(BadInput, match="does not lie in the time that runs"):
            made.paused("identity-unverified", start, end)
    with pytest.raises(BadInput, match="does not lie"):
        held.paused("identity-unverified", first, first + day)


def test_where_no_law_of_the_place_is_named_every_law_runs() -> None:
    made = deadline(policy(), "access", "BR", RECEIVED)
    assert {one.by for one in made.clocks} == {"gdpr", "ccpa"}
    with pytest.raises(Refused, match="11 CCR"):
        made.paused("identity-unverified", RECEIVED, RECEIVED)


def test_a_clock_without_an_end_leaves_no_time() -> None:
    never = Clock(by="x", within=Duration.read("until withdrawn"))
    assert Deadline(received=RECEIVED, region="", clocks=(never,)).due == RECEIVED

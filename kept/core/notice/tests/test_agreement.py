"""`decide` and `permits` agree for every person, and `permits` knows when it will next say something else."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.notice import EVERYTHING_BIT, RESERVED, Ask, ChoiceFact, SubjectFacts
from kept.core.notice.tests.writing import NOW, policy
from kept.core.notice.vocabulary import BASE

POLICY = policy(
    'purpose = "customer-relations"\ncategories = ["name", "email"]\nbasis = "contract"',
    'purpose = "marketing"\ncategories = ["name"]\nbasis = { default = "legitimate-interest", EU = "explicit-consent" }',
    'purpose = "direct-marketing"\ncategories = ["name", "email"]\nbasis = { default = "consent", US = "opt-out" }',
    'purpose = "analytics"\ncategories = ["locality"]\nbasis = "legitimate-interest"',
    'purpose = "legal-compliance"\ncategories = ["name"]\nbasis = "legal-obligation"',
    'purpose = "research"\ncategories = ["name"]\nbasis = { US-CA = "by-provision" }',
    'choice = "by-mail"\ngoverns = ["direct-marketing"]\nchannel = "email"\neffective_within = "0 days"',
    'choice = "by-phone"\ngoverns = ["marketing"]\nchannel = "phone"\neffective_within = "0 days"',
    'choice = "counting"\ngoverns = ["analytics", "research"]\neffective_within = "0 days"',
    'age = "young"\nminimum = { default = 16, US = 13 }\nbelow = "refuse"',
    'limit = "bought"\napplies_to = { source = "broker" }\nnever = ["marketing"]',
    "## California {region=US-CA}",
    'choice = "counting"\ngoverns = ["research"]',
)
PURPOSES = (*BASE["purpose"].all, "unheard-of")

# Few distinct moments, so that they meet.
moments = st.integers(-4, 4).map(lambda days: NOW + timedelta(days=days))
words = st.builds(ChoiceFact, st.sampled_from(["given", "given", "withdrawn", "objected", "opted-out"]), moments, st.none() | moments)
names = st.sampled_from(["by-mail", "by-phone", "counting", "all", "marketing", "direct-marketing", "analytics", "research", "gone"])
people = st.builds(
    SubjectFacts,
    now=moments,
    region=st.sampled_from(["", "GB", "DE", "NO", "US", "US-CA", "US-NY", "XX"]),
    born=st.none()
    | st.dates(date(2010, 1, 1), date(2020, 1, 1))
    | st.sampled_from([date(2014, 6, 14), date(2014, 6, 16), date(2017, 6, 17)]),
    choices=st.dictionaries(names, words, max_size=5),
    restricted=st.frozensets(st.sampled_from(["all", "marketing", "direct-marketing", "analytics", "legal-compliance"]), max_size=2),
)


def bit(purpose: str) -> int | None:
    return POLICY.bit(purpose) if purpose in RESERVED or purpose in POLICY.purposes else None


@settings(max_examples=400, deadline=None)
@given(people)
def test_decide_and_permits_agree(person: SubjectFacts) -> None:
    mask, _ = POLICY.permits(person)
    assert mask >> EVERYTHING_BIT == 1
    for purpose in PURPOSES:
        at = bit(purpose)
        assert POLICY.decide(Ask(purpose), person).allowed is (at is not None and bool(mask >> at & 1)), purpose


@settings(max_examples=200, deadline=None)
@given(
    people,
    st.sampled_from(["name", "email", "locality", "health"]),
    st.sampled_from([None, "subject", "broker"]),
    st.sampled_from([None, "email", "post"]),
)
def test_asking_more_closely_never_opens_more(person: SubjectFacts, category: str, source: str | None, channel: str | None) -> None:
    mask, _ = POLICY.permits(person)
    for purpose, terms in POLICY.purposes.items():
        if POLICY.decide(Ask(purpose, category, source, channel=channel), person).allowed:
            assert mask & POLICY.fence(source, category) & 1 << terms.bit
            assert category in terms.categories


@settings(max_examples=400, deadline=None)
@given(people, st.floats(0, 1))
def test_the_mask_holds_until_the_moment_named_and_not_a_moment_longer(person: SubjectFacts, part: float) -> None:
    def at(now: datetime) -> int:
        return POLICY.permits(SubjectFacts(now, person.region, person.born, person.choices, person.restricted))[0]

    mask, changes = POLICY.permits(person)
    end = changes or datetime(2100, 1, 1, tzinfo=UTC)
    assert at(person.now + (end - person.now) * part * 0.999) == mask
    assert at(end - timedelta(microseconds=1)) == mask
    if changes is not None:
        assert at(changes) != mask

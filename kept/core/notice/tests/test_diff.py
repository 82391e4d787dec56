"""What changes in effect between two notices, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.notice import compile, parse
from kept.core.notice.diff import Diff, diff
from kept.core.notice.tests.writing import notice, policy, text

# A notice that says little, so that what a test adds stands alone.
WHOLE = (
    'role = "ours"\nis = "controller"',
    'collect = "form"\ncategories = ["name", "email"]\nfrom = "subject"\nfor = ["support"]',
    'purpose = "support"\ncategories = ["name", "email"]\nbasis = "contract"',
    'retain = "records"\ncategories = ["name", "email"]\nkeep = "1 year"\nafter = "last-activity"\nthen = "erase"',
)
SUPPORT = 'purpose = "support"\ncategories = ["name", "email"]\nbasis = "contract"'
NEWS = 'purpose = "direct-marketing"\ncategories = ["name", "email"]\nbasis = "consent"'
ERASE = 'right = "erasure"\nkind = "erase"\nwithin = "1 month"'

# One of each may stand in a notice; "" leaves it out.
SLOTS = (
    (SUPPORT, SUPPORT.replace('["name", "email"]', '["name", "email", "phone"]')),
    ("", NEWS, NEWS.replace('"consent"', '{ default = "consent", US = "opt-out" }'), NEWS.replace('"consent"', '"contract"')),
    ("", 'purpose = "analytics"\ncategories = ["locality"]\nbasis = "legitimate-interest"'),
    (
        'collect = "form"\ncategories = ["name", "email"]\nfrom = "subject"\nfor = ["support"]',
        'collect = "form"\ncategories = ["name", "email", "phone"]\nfrom = "subject"\nfor = ["support"]',
        'collect = "file"\ncategories = ["name"]\nfrom = "import"\nfor = ["support"]\nattest = ["basis"]',
    ),
    ("", 'limit = "no-cards"\nrefuse = ["payment-card"]', 'limit = "no-post"\nrefuse = ["email"]\napplies_to = { source = "import" }'),
    ("", 'limit = "bought"\napplies_to = { source = "subject" }\nnever = ["support"]',
     'limit = "bought"\napplies_to = { source = ["subject", "import"], category = "name" }\nonly_purposes = ["support"]'),
    ("", ERASE, ERASE.replace("1 month", "10 days"), ERASE + '\nverify = "human"\nchannels = ["web"]'),
    ("", 'right = "objecting"\nkind = "object"', 'right = "no"\nkind = "object"\nwithin = "3 days"'),
    ("", 'choice = "mail"\ngoverns = ["direct-marketing"]\nchannel = "email"\neffective_within = "0 days"',
     'choice = "mail"\ngoverns = ["direct-marketing"]\neffective_within = "10 days"'),
    ("", 'age = "young"\nminimum = 16\nbelow = "refuse"', 'age = "young"\nminimum = { default = 16, US = 13 }\nbelow = "refuse"'),
    ("", 'secure = "locked"\nseal = ["email"]'),
    ("", 'disclose = "post"\nto = "Post Ltd"\nclass = "service-provider"\ncategories = ["name"]\nfor = ["support"]\ncountry = "GB"',
     ('disclose = "post"\nto = "Post Ltd"\nclass = "service-provider"\ncategories = ["name", "email"]\nfor = ["support"]\ncountry = "US"\n'
      'safeguard = "scc"\ntell = "after"')),
    (WHOLE[3], WHOLE[3].replace("1 year", "2 years"), WHOLE[3].replace("last-activity", "last-order")),
)  # fmt: skip
notices = st.tuples(*(st.sampled_from(slot) for slot in SLOTS)).map(
    lambda parts: text(
        WHOLE[0], *(part for part in parts if part and ("choice" not in part or any("direct-marketing" in p for p in parts[:2])))
    )
)


def changed(*parts: str, of: tuple[str, ...] = WHOLE) -> Diff:
    """From a whole notice to one of these rules."""
    return diff(policy(*of), policy(*parts))


@settings(max_examples=60, deadline=None)
@given(notices)
def test_a_notice_does_not_differ_from_itself(one: str) -> None:
    assert not diff(parse(one), parse(one))


@settings(max_examples=150, deadline=None)
@given(notices, notices)
def test_whatever_decides_differently_differs(one: str, other: str) -> None:
    before = compile(parse(one))
    after = compile(parse(other), bits=before.bits)
    same = compile(parse(one), bits=after.bits)
    if not diff(before, after):
        assert same.golden() == after.golden()
    if same.golden() != after.golden():
        assert diff(before, after)


@settings(max_examples=100, deadline=None)
@given(notices, notices)
def test_the_way_back_is_the_same_the_other_way_round(one: str, other: str) -> None:
    mirror = {"wider": "narrower", "narrower": "wider", "neutral": "neutral", "gained": "lost", "lost": "gained", "changed": "changed"}
    there = {
        (c.facet, c.keys, c.regions, mirror[c.direction], mirror[c.kind], c.after, c.before) for c in diff(parse(one), parse(other)).changes
    }
    back = {(c.facet, c.keys, c.regions, c.direction, c.kind, c.before, c.after) for c in diff(parse(other), parse(one)).changes}
    assert there == back


def test_words_change_nothing() -> None:
    assert not changed("# A notice", *WHOLE, "Goodbye.", 'statement = "thanks"')


@pytest.mark.parametrize(
    ("parts", "sentence", "direction"),
    [
        ((*WHOLE, NEWS), "We use data for a further purpose: Direct marketing.", "wider"),
        ((*WHOLE[:2], SLOTS[0][1], WHOLE[3]), "For Support we also use telephone number.", "wider"),
        ((*WHOLE, ERASE), "You have the right to have it erased.", "narrower"),
        ((*WHOLE[:3], SLOTS[-1][1]), "We keep ", "wider"),
        ((*WHOLE[:3], WHOLE[3].replace("1 year", "6 months")), "We keep ", "narrower"),
        (WHOLE[:3], "We no longer say that we keep ", "wider"),
        ((*WHOLE, SLOTS[11][1]), "We also share data with Post Ltd", "wider"),
        ((*WHOLE, SLOTS[10][1]), "encrypted with a key of your own.", "narrower"),
        ((*WHOLE, SLOTS[4][1]), "We refuse ", "narrower"),
    ],
)  # fmt: skip
def test_each_change_is_told_in_a_sentence(parts: tuple[str, ...], sentence: str, direction: str) -> None:
    told = [one for one in changed(*parts).changes if sentence in one.sentence]
    assert [one.direction for one in told] == [direction], changed(*parts).summary()


def test_a_recipient_moved_abroad() -> None:
    found = diff(policy(*WHOLE, SLOTS[11][1]), policy(*WHOLE, SLOTS[11][2]))
    assert ("countries", "gained", (("Post Ltd", "US"),), "wider") in [(c.facet, c.kind, c.keys, c.direction) for c in found.changes]
    assert found.material
    assert not found.reduces_rights


def test_a_slower_right_reduces_rights_and_a_faster_one_does_not() -> None:
    slow, fast = (*WHOLE, ERASE), (*WHOLE, ERASE.replace("1 month", "10 days"))
    (change,) = changed(*slow, of=fast).changes
    assert change.sentence == "Your right to have it erased is answered within 1 month, before within 10 days."
    assert change.reduces_rights
    assert changed(*slow, of=fast).acceptance == "explicit"
    assert not changed(*fast, of=slow).reduces_rights
    assert changed(*fast, of=slow).acceptance == "none"


def test_a_removed_purpose_takes_its_choice_along_and_no_right() -> None:
    whole = (*WHOLE, NEWS, 'choice = "mail"\ngoverns = ["direct-marketing"]\neffective_within = "0 days"')
    (change,) = changed(*WHOLE, of=whole).changes
    assert (change.facet, change.direction, change.reduces_rights) == ("purposes", "narrower", False)


def test_a_change_in_one_region_concerns_people_there() -> None:
    found = diff(policy(*WHOLE, NEWS), policy(*WHOLE, SLOTS[1][2]))
    (change,) = found.changes
    assert change.regions == ("US", "US-CA")
    assert change.sentence == "People in US and US-CA: we base Direct marketing on until you opt out, before on consent."
    assert change.reduces_rights


def test_an_additional_purpose_needs_consent() -> None:
    assert changed(*WHOLE, NEWS).acceptance == "none"
    assert changed(*WHOLE, NEWS + '\nadditional = "consent"').acceptance == "explicit"


def test_the_older_version_says_what_is_material_and_what_must_be_asked() -> None:
    rule = 'change = "changes"\nmaterial = ["purposes"]\naccept = "continued-use"'
    found = changed(*WHOLE, NEWS, rule, of=(*WHOLE, rule))
    assert (found.material, found.acceptance) == (True, "continued-use")
    assert not changed(*WHOLE[:3], rule, of=(*WHOLE, rule)).material
    assert changed(*WHOLE, rule, of=(*WHOLE, rule, ERASE)).acceptance == "none"
    strict = rule + '\nreduce_rights = "explicit-consent"'
    assert changed(*WHOLE, rule, of=(*WHOLE, strict, ERASE)).acceptance == "explicit"


def test_notices_may_be_given_as_they_are() -> None:
    assert diff(notice(*WHOLE), notice(*WHOLE, NEWS)).summary() == diff(policy(*WHOLE), policy(*WHOLE, NEWS)).summary()

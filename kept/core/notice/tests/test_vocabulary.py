"""The vocabulary as data: every term is mapped, every tree is a tree."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from kept.core.notice import Duration, vocabulary
from kept.core.notice.vocabulary import BASE, BASES, CCPA, FILES, REGIONS, RESERVED, regions_of


@pytest.mark.parametrize("tree", FILES)
def test_every_term_is_mapped_and_stands_under_a_term(tree: vocabulary.Tree) -> None:
    for term in BASE[tree].all.values():
        assert re.fullmatch(r"(dpv|pd):[A-Z][A-Za-z]+", term.dpv), term
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", term.id), term
        assert term.title
        assert term.under is None or term.under in BASE[tree]


def test_every_category_has_a_class_of_the_ccpa_and_one_root() -> None:
    for term in BASE["category"].all.values():
        assert term.ccpa in CCPA
    assert BASE["category"].under("personal-data") == frozenset(BASE["category"].all)


def test_reserved_purposes_stand_outside_every_other() -> None:
    assert sorted(RESERVED) == ["matching", "proof", "retention", "rights", "security"]
    assert BASE["purpose"].under("all") == frozenset(BASE["purpose"].all) - RESERVED


def test_a_parent_names_its_children() -> None:
    assert {"street", "postcode"} < BASE["category"].under("contact-point")
    assert BASE["category"].above("street") == ("postal-address", "contact-point", "personal-data")
    assert BASE["category"]["health"].sensitive
    assert BASE["category"].nearest("e-mail") == "email"
    assert BASE["category"].nearest("qqqq") is None


def test_the_shorthands() -> None:
    assert vocabulary.category("email").dpv == "pd:EmailAddress"
    assert vocabulary.purpose("analytics").under == "all"
    assert vocabulary.source("import").under == "third-party"
    assert BASES["opt-out"].choice == "refuses"


def test_regions_contain_one_another() -> None:
    assert regions_of("US-CA") == ("US-CA", "US")
    assert regions_of("DE") == ("DE", "EU", "EEA")
    assert regions_of("NO") == ("NO", "EEA")
    assert regions_of("GB") == ("GB",)
    assert {"GB", "EU", "EEA", "US", "US-CA", "CA-QC", "GB-SCT"} <= REGIONS
    assert len([one for one in REGIONS if len(one) == 2]) == 249 + 1


MOMENT = datetime(2030, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("10 days", MOMENT + timedelta(days=10)),
        ("1 month", datetime(2030, 2, 28, 9, tzinfo=UTC)),
        ("13 months", datetime(2031, 2, 28, 9, tzinfo=UTC)),
        ("7 years", datetime(2037, 1, 31, 9, tzinfo=UTC)),
        ("1 business day", datetime(2030, 2, 1, 9, tzinfo=UTC)),
        ("10 business days", datetime(2030, 2, 14, 9, tzinfo=UTC)),
        ("0 days", MOMENT),
        ("until withdrawn", None),
    ],
)
def test_durations(written: str, after: datetime | None) -> None:
    duration = Duration.read(written)
    assert duration.after(MOMENT) == after
    assert str(duration) == written


@pytest.mark.parametrize("written", ["", "ten days", "10", "1 fortnight", "-1 days", "1  month"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match="a duration is written like"):
        Duration.read(written)

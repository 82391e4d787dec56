"""The document form: which prose a rule binds, what is shown, where things stand."""

from kept.core.notice import parse
from kept.core.notice.tests.writing import HEAD, notice

SUPPORT = 'purpose = "support"\ncategories = ["name"]\nbasis = "contract"'
MAIL = 'purpose = "direct-marketing"\ncategories = ["email"]\nbasis = "consent"'
CHOICE = 'choice = "news"\ngoverns = ["direct-marketing"]\neffective_within = "0 days"'


def test_a_rule_binds_the_prose_since_the_previous_rule_or_heading() -> None:
    read = notice("# Notice", "First.", "Second.", SUPPORT, "## Mail", "Third.", MAIL, "Fourth.")
    promises = {rule.name: rule.promise for rule in read.rules}
    assert promises["purpose:support"] == "First.\nSecond."
    assert promises["purpose:direct-marketing"] == "Third."
    covered = {passage.text: [rule.name for rule in passage.rules] for passage in read.passages}
    assert covered == {
        "Notice": [],
        "First.": ["purpose:support"],
        "Second.": ["purpose:support"],
        "Mail": [],
        "Third.": ["purpose:direct-marketing"],
        "Fourth.": [],
    }


def test_rules_in_a_row_share_the_prose_above_them() -> None:
    read = notice("We send news to those who ask.", MAIL, CHOICE)
    assert [rule.promise for rule in read.rules[1:]] == ["We send news to those who ask."] * 2
    assert [rule.name for rule in read.passages[0].rules] == ["purpose:direct-marketing", "choice:news"]


def test_prose_of_another_heading_is_not_bound() -> None:
    read = notice("Loose.", "## Next", SUPPORT)
    assert read.rules[1].promise == ""
    assert read.passages[0].rules == ()


def test_a_heading_makes_its_part_regional_until_a_heading_as_high() -> None:
    read = notice("## California {region=US-CA}", "a", "### Deeper", "b", "## Everyone", "c")
    assert [(passage.text, passage.regions) for passage in read.passages] == [
        ("California", ("US-CA",)),
        ("a", ("US-CA",)),
        ("Deeper", ("US-CA",)),
        ("b", ("US-CA",)),
        ("Everyone", ()),
        ("c", ()),
    ]
    assert "{" not in read.passages[0].html


def test_html_in_the_source_stays_text() -> None:
    read = notice("Hello <script>alert(1)</script> [x](javascript:alert(1)) **bold**")
    assert "<script" not in read.passages[0].html
    assert "href" not in read.passages[0].html
    assert "<strong>bold</strong>" in read.passages[0].html
    assert read.passages[0].text.endswith("bold")


def test_other_fences_and_lists_are_prose() -> None:
    read = notice("- one\n- *two*", "```toml\nnot = 'a rule'\n```")
    assert [passage.text for passage in read.passages] == ["one\ntwo", "not = 'a rule'"]


def test_the_title_is_the_first_heading_or_the_id() -> None:
    assert notice("# Your data", "text").title == "Your data"
    assert notice("text").title == "test"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    read = parse("\ufeff" + HEAD.replace("\n", "\r\n") + "\r\nText.\r\n")
    assert read.passages[0].line == 10


def test_a_rule_knows_where_its_keys_and_values_stand() -> None:
    rule = notice(
        'purpose = "support"\n# "email" is not yet there\ncategories = ["name",\n  "email"]\nbasis = { default = "contract" }'
    ).rules[1]
    assert (rule.line, rule.column) == (11, 1)
    assert rule.place("categories") == (13, 1)
    assert rule.place("categories", value="email") == (14, 3)
    assert rule.place("basis", "default") == (15, 11)

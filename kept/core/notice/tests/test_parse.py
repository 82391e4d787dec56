"""Everything malformed is refused with its place and what to write instead; nothing is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kept.core.errors import NoticeError
from kept.core.notice import Finding, parse
from kept.core.notice.tests.writing import HEAD, malformed, notice, text

PURPOSE = 'purpose = "support"\ncategories = ["name"]\nbasis = "contract"'

# rule, line and column within the rule, words of the message, words of the cure
MALFORMED = [
    ('purpse = "support"', (1, 1), "'purpse' is no kind of rule", "Write 'purpose'."),
    ('xyzzy = "support"', (1, 1), "no kind of rule", "Write one of notice, role, category"),
    ('purpose = "Support!"', (1, 1), "id of a purpose rule", "small letters"),
    ("purpose = 3", (1, 1), "id of a purpose rule", "small letters"),
    ('purpose = "suport"\ncategories = ["name"]\nbasis = "contract"', (1, 11), "no purpose of the vocabulary", "Write 'support'."),
    ('purpose = "all"\ncategories = ["name"]\nbasis = "contract"', (1, 11), "every purpose", "Declare each"),
    ('purpose = "matching"\ncategories = ["name"]\nbasis = "contract"', (1, 11), "reserved purpose", "Leave it out"),
    (
        'purpose = "support"\nunder = "sales"\ncategories = ["name"]\nbasis = "contract"',
        (2, 1),
        "a term of the vocabulary already",
        "Leave out",
    ),
    ('purpose = "support"\ncategories = ["emial"]\nbasis = "contract"', (2, 15), "'emial' is no category", "Write 'email'."),
    ('purpose = "support"\ncategories = "email"\nbasis = "contract"', (2, 14), "`categories` is wrong", "Write a list"),
    ('purpose = "support"\ncategories = []\nbasis = "contract"', (2, 1), "`categories` is wrong", "at least one"),
    ('purpose = "support"\ncategories = ["name"]', (1, 1), "`basis` is missing", "Add `basis = …`."),
    ('purpose = "support"\ncategories = ["name"]\nbasis = "concent"', (3, 9), "'concent' is no value", "Write 'consent'."),
    ('purpose = "support"\ncategories = ["name"]\nbasis = { default = "contract", UK = "consent" }', (3, 1), "'UK' is no region", ""),
    ('purpose = "support"\ncategories = ["name"]\nbasis = "contract"\nbasiss = 1', (4, 1), "`basiss` is no key", "Write 'basis'."),
    ('purpose = "support"\ncategories = ["name"', (2, 1), "not TOML", 'key = "value"'),
    ('purpose = "support"\npurpose = "support"', (2, 20), "not TOML", 'key = "value"'),
    ("# = nothing yet", (1, 1), "the rule is empty", "Write one of"),
    ('right = "a"\nkind = "acess"', (2, 8), "'acess' is no value of `kind`", "Write 'access'."),
    ('right = "a"\nkind = "access"\nwithin = "30 dayz"', (3, 10), "a duration is written like", "Correct `within`."),
    ('right = "a"\nkind = "access"\nwithin = 30', (3, 1), "a duration is a text", "Correct `within`."),
    ('limit = "l"', (1, 1), "limit states refuse", ""),
    ('limit = "l"\nonly_purposes = ["support"]', (1, 1), "states in applies_to", ""),
    ('limit = "l"\nonly_purposes = ["support"]\napplies_to = { sorce = "import" }', (3, 16), "`applies_to.sorce` is no key", "'source'"),
    ('limit = "l"\nonly_purposes = ["support"]\napplies_to = { source = "imprt" }', (3, 25), "'imprt' is no source", "'import'"),
    ('limit = "l"\nonly_purposes = ["security"]\napplies_to = { source = "import" }', (2, 18), "reserved", "Leave it out"),
    ('retain = "r"\nkeep = "1 year"\nafter = "last-activity"\nthen = "erase"', (1, 1), "either categories or records", ""),
    ('category = "grain"\nunder = "nothing"\ntitle = "Grain"', (2, 9), "'nothing' is no category", ""),
    ('category = "grain"\nunder = "preference"\ntitle = "Grain"\nccpa = "comercial"', (4, 8), "no class of the CCPA", "'commercial'"),
    ('category = "email"\nunder = "preference"\ntitle = "Email"', (2, 1), "a term of the vocabulary already", "another id"),
    ('notice = "again"\ncontroller = "x"\ncontact = "y"\neffective = 2026-01-01', (1, 1), "one notice", "Leave out"),
    ('age = "a"\nminimum = "16"\nbelow = "refuse"', (2, 11), "`minimum` is wrong", "whole number"),
]


@pytest.mark.parametrize(("rule", "place", "message", "cure"), MALFORMED, ids=[case[2] for case in MALFORMED])
def test_malformed(rule: str, place: tuple[int, int], message: str, cure: str) -> None:
    found = malformed(rule)
    assert len(found) == 1, found
    one, offset = found[0], HEAD.count("\n") + 2
    assert message in one.message
    assert cure in one.cure
    assert (one.line - offset, one.column) == place
    assert (one.level, one.code, one.file) == ("error", "malformed", "notice.md")


def test_the_error_speaks_with_the_first_finding_and_carries_all() -> None:
    with pytest.raises(NoticeError) as caught:
        parse(text('purpose = "suport"\ncategories = ["emial"]\nbasis = "contract"'), filename="larch.md")
    error = caught.value
    assert error.place == "larch.md:11:11"
    assert "(1 more)" in error.message
    assert error.cure.startswith("Write 'support'.")
    assert [one.rule for one in error.findings] == ["purpose:suport"] * 2
    assert str(error.findings[0]).startswith("larch.md:11:11: error: malformed:")


def test_an_id_is_used_once_per_region() -> None:
    (twice,) = malformed(PURPOSE, PURPOSE)
    assert "there twice" in twice.message
    assert "line 11" in twice.cure
    assert not malformed(PURPOSE, "## US {region=US}", 'purpose = "support"\nbasis = "opt-out"')


@pytest.mark.parametrize("document", ["", "# Only prose", "```rule\npurpose = 'support'\ncategories = ['name']\nbasis = 'contract'\n```"])
def test_the_first_rule_names_the_notice(document: str) -> None:
    with pytest.raises(NoticeError, match="the first rule names the notice"):
        parse(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (HEAD + "\n- item\n\n  ```rule\n  statement = 'x'\n  ```\n", "inside a list"),
        (HEAD + "\n> ```rule\n> statement = 'x'\n> ```\n", "inside a list or a quotation"),
        (HEAD + "\n```rules\nstatement = 'x'\n```\n", "is marked 'rules'"),
        (HEAD + "\n```Rule\nstatement = 'x'\n```\n", "is marked 'Rule'"),
        (HEAD + "\n## Here {regoin=US}\n", "no attribute of a heading"),
        (HEAD + "\n## Here {region=USA}\n", "'USA' is no region"),
        (HEAD + '\n## Here {region=US}\n\n```rule\nsecure = "s"\nseal = ["name"]\n```\n', "cannot differ by region"),
    ],
)
def test_nothing_that_looks_like_a_rule_is_passed_over(document: str, message: str) -> None:
    with pytest.raises(NoticeError, match=message):
        parse(document)


def test_a_supplement_replaces_key_by_key_from_wide_to_narrow() -> None:
    read = notice(
        'right = "see"\nkind = "access"\nwithin = "1 month"\nchannels = ["web", "post"]',
        "## California {region=US-CA}",
        'right = "see"\nconfirm_within = "10 business days"',
        "## America {region=US}",
        'right = "see"\nwithin = "20 days"',
    )
    california = next(rule for rule in read.in_force("US-CA") if rule.kind == "right")
    assert california.body.model_dump(include={"channels", "kind"}) == {"kind": "access", "channels": ("web", "post")}
    assert str(california.body.within) == "20 days"  # type: ignore[attr-defined]
    assert dict(california.data) == {"confirm_within": "10 business days"}
    everywhere = next(rule for rule in read.in_force("DE") if rule.kind == "right")
    assert str(everywhere.body.within) == "1 month"  # type: ignore[attr-defined]


def test_own_terms_stand_under_their_parent_and_take_its_mapping() -> None:
    read = notice(
        'category = "grain"\nunder = "preference"\ntitle = "Preferred wood"\nbecause = "CO-24"',
        'source = "fair"\nunder = "third-party"\ntitle = "A trade fair"',
        'purpose = "open-day"\nunder = "direct-marketing"\ncategories = ["grain"]\nbasis = "consent"',
    )
    categories = read.vocabulary["category"]
    assert categories["grain"].ccpa == "commercial"
    assert "grain" in categories.under("transactional")
    assert read.vocabulary["source"].above("fair") == ("third-party",)
    assert read.vocabulary["purpose"].above("open-day") == ("direct-marketing", "marketing", "all")
    assert read.rules[1].because == ("CO-24",)


def test_the_identity() -> None:
    read = notice()
    assert (read.id, read.identity.address, read.identity.law) == ("test", "privacy@test.example", ("gdpr", "ccpa"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_makes_it_stumble(data: st.DataObject) -> None:
    """A document with a piece cut out and another put in is read or refused, and a refusal names a place."""
    whole = text(PURPOSE, "## US {region=US}", "We never.", 'choice = "c"\ngoverns = ["support"]\neffective_within = "0 days"')
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    filling = data.draw(st.text(st.sampled_from('abc"[]{}=`#\n\r .,-1\u2028é'), max_size=8))
    found: tuple[Finding, ...] | None = None
    try:
        parse(whole[:start] + filling + whole[end:])
    except NoticeError as error:
        found = error.findings
    assert found is None or (found and all(one.line >= 1 and one.column >= 1 and one.message for one in found))

"""What `check` finds, each with a notice that has just that wrong; and a whole notice, in which it finds nothing."""

import pytest

from kept.core.errors import NoticeError
from kept.core.notice import check, parse
from kept.core.notice.tests.writing import HEAD, WHOLE, found, text

MAIL = 'purpose = "direct-marketing"\ncategories = ["email"]\nbasis = "consent"'
NEWS = 'choice = "news"\ngoverns = ["direct-marketing"]\neffective_within = "1 day"'
US = "## America {region=US}"


def test_a_whole_notice_is_clean() -> None:
    assert found(*WHOLE) == []
    assert found(*WHOLE, MAIL, NEWS) == []


DUTY = 'retain = "d"\ncategories = ["name"]\nkeep = "2 years"\nafter = "last-activity"\nthen = "erase"\nduty = "legal"'

# rules added to a whole notice; the class; words of the message; the rule
FINDINGS = [
    (['limit = "l"\nrefuse = ["email"]'], "contradiction", "names email, and limit:l refuses it", "collect:form"),
    (['limit = "l"\nrefuse = ["given-name"]'], "contradiction", "names name, which includes given-name", "purpose:support"),
    (
        ['limit = "l"\napplies_to = { source = "subject", category = "email" }\nnever = ["support"]'],
        "contradiction",
        "collects email for support, and a limit keeps it from there",
        "collect:form",
    ),
    (
        ['choice = "c"\ngoverns = ["analytics"]\neffective_within = "1 day"'],
        "contradiction",
        "governs nothing in analytics: no rule declares it",
        "choice:c",
    ),
    (['choice = "c"\ngoverns = ["support"]\neffective_within = "1 day"'], "contradiction", "support rests on contract", "choice:c"),
    ([MAIL, NEWS, NEWS.replace("news", "support")], "contradiction", "named like a purpose it does not govern", "choice:support"),
    (
        [US, 'purpose = "support"\ncategories = ["name"]'],
        "contradiction",
        "reads other categories in US than elsewhere",
        "purpose:support",
    ),
    ([MAIL], "hole", "no choice lets a person give or withdraw it", "purpose:direct-marketing"),
    ([MAIL.replace("consent", "opt-out")], "hole", "nothing lets a person object", "purpose:direct-marketing"),
    ([MAIL.replace('"consent"', '{ US = "contract" }')], "hole", "has no basis for everywhere else", "purpose:direct-marketing"),
    ([MAIL.replace("email", "health"), NEWS], "hole", "reads health, which is sensitive, on consent", "purpose:direct-marketing"),
    (
        ['collect = "c"\ncategories = ["phone"]\nfrom = "staff"\nfor = ["support"]'],
        "hole",
        "phone is collected, and none of its purposes uses it",
        "collect:c",
    ),
    (
        ['collect = "c"\ncategories = ["phone"]\nfrom = "staff"\nfor = ["support"]'],
        "hole",
        "phone is collected, and no rule says how long it is kept",
        "collect:c",
    ),
    (
        ['collect = "c"\ncategories = ["name"]\nfrom = "staff"\nfor = ["support"]\nrequired = ["email"]'],
        "contradiction",
        "email is in `required` and not collected",
        "collect:c",
    ),
    (
        ['collect = "c"\ncategories = ["name"]\nfrom = "staff"\nfor = ["support", "billing"]'],
        "hole",
        "is for billing, which no rule declares",
        "collect:c",
    ),
    ([DUTY], "contradiction", "is a legal duty, and right:wipe makes no exception for it", "retain:d"),
    (
        ['disclose = "d"\nto = "X"\nclass = "partner"\ncategories = ["name"]\nfor = ["support"]\ncountry = "US"'],
        "hole",
        "sends data to US, and no safeguard is stated",
        "disclose:d",
    ),
    (['category = "grain"\nunder = "preference"\ntitle = "Grain"'], "hole", "nothing collects, uses or refuses it", "category:grain"),
    ([MAIL, NEWS, US, 'choice = "news"\neffective_within = "9 days"'], "laxer", "gives less in US", "choice:news"),
    ([MAIL, NEWS, US, 'purpose = "direct-marketing"\nbasis = "opt-out"'], "laxer", "gives less in US", "purpose:direct-marketing"),
    (
        ['right = "r"\nkind = "access"\nwithin = "9 days"', US, 'right = "r"\nwithin = "1 month"'],
        "laxer",
        "gives less in US",
        "right:r",
    ),
    (['age = "a"\nminimum = 16\nbelow = "refuse"', US, 'age = "a"\nminimum = 13'], "laxer", "gives less in US", "age:a"),
]


@pytest.mark.parametrize(("rules", "code", "message", "rule"), FINDINGS, ids=[case[2] for case in FINDINGS])
def test_finds(rules: list[str], code: str, message: str, rule: str) -> None:
    findings = [one for one in found(*WHOLE, *rules) if message in one.message and one.rule == rule]
    assert findings, found(*WHOLE, *rules)
    assert {one.code for one in findings} == {code}
    assert all(one.cure for one in findings)
    assert {one.level for one in findings} == {"warning" if code == "laxer" else "error"}


def test_a_legal_duty_has_a_time_and_its_exception() -> None:
    whole = [one.replace('kind = "erase"', 'kind = "erase"\nexcept = ["legal-duty"]') for one in WHOLE]
    assert found(*whole, DUTY) == []
    with pytest.raises(NoticeError, match="states a time in keep"):
        parse(text(*WHOLE, DUTY.replace("2 years", "until withdrawn")))


def test_findings_point_at_the_word() -> None:
    (one,) = found(*WHOLE, 'collect = "c"\ncategories = ["name"]\nfrom = "staff"\nfor = ["support", "billing"]')
    lines = text(*WHOLE, 'collect = "c"\ncategories = ["name"]\nfrom = "staff"\nfor = ["support", "billing"]').split("\n")
    assert lines[one.line - 1][one.column - 1 :].startswith('"billing"')


def test_without_a_role_or_a_clock() -> None:
    bare = HEAD.replace('law = ["gdpr", "ccpa"]\n', "") + '\n```rule\nright = "r"\nkind = "access"\n```\n'
    assert [one.message for one in check(parse(bare))] == [
        "no rule says whether you are the controller or a processor",
        "nothing says how soon right:r is answered",
    ]


def test_more_purposes_than_bits() -> None:
    many = [f'purpose = "p{n}"\nunder = "support"\ncategories = ["name"]\nbasis = "contract"' for n in range(61)]
    (one,) = found(*WHOLE, *many)
    assert "62 purposes, and an account has 61 bits" in one.message


@pytest.mark.parametrize(
    "promise",
    [
        "We will answer.",
        "We do not sell it.",
        "We don't sell it.",
        "Our carrier will not keep it.",
        "We **never**\nsell it.",
        "Used only for that.",
        "You may object.",
        "You can stop this.",
        "You have the right to a copy.",
        "It is always encrypted.",
        "We won’t.",
        "We are not looking.",
    ],
)
def test_a_promise_without_a_rule_is_found(promise: str) -> None:
    (one,) = found(*WHOLE, f"## Loose\n\nIt rains. {promise}")
    assert (one.code, one.level) == ("unbacked", "error")
    assert "It rains. " + promise.split("\n")[0] == text(*WHOLE, f"## Loose\n\nIt rains. {promise}").split("\n")[one.line - 1]
    assert one.column == len("It rains. ") + 1


def test_a_statement_or_a_rule_covers_it() -> None:
    assert found(*WHOLE, "## Loose\n\nWe will.", 'statement = "s"') == []
    assert found(*WHOLE, "## Mail\n\nYou can stop this.", MAIL, NEWS) == []
    assert found(*WHOLE, "## We will help you\n\nWood is warm. It lasts.") == []


def test_each_promising_sentence_is_found_by_itself() -> None:
    findings = found(*WHOLE, "- We will a.\n- Nothing.\n- See www.larch.example; you may b.")
    assert len(findings) == 2
    assert [one.column for one in findings] == [3, 3]

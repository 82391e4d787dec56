"""Findings of class `law`: for each a notice that falls short in just that, and a notice that falls short in nothing."""

import pytest

from kept.core.notice import compile, parse
from kept.core.notice.findings import Finding
from kept.core.notice.law import NAMES
from kept.core.notice.lawful import lawful
from kept.core.notice.tests.writing import RIGHTS

HEAD = """```rule
notice = "test"
controller = "Test Ltd, 1 Test Lane"
contact = "privacy@test.example"
effective = 2026-03-01
authority = "the authority"
law = [LAWS]
```
"""
SUPPORT = (
    'collect = "form"\ncategories = ["name", "email"]\nfrom = "subject"\nfor = ["support"]',
    'purpose = "support"\ncategories = ["name", "email"]\nbasis = "contract"',
)
WHOLE = ('role = "ours"\nis = "controller"', *SUPPORT, *RIGHTS)
MAIL = 'purpose = "direct-marketing"\ncategories = ["email"]\nbasis = "consent"'
NEWS = 'choice = "news"\ngoverns = ["direct-marketing"]\nchannel = "email"\neffective_within = "1 day"'
SALE = (
    'disclose = "ads"\nto = "Adco"\nclass = "partner"\nas = "controller"\n'
    'categories = ["email"]\nfor = ["support"]\ncountry = "US"\nsale = true'
)
NO_SALE = 'right = "no-sale"\nkind = "opt-out-sale"\nverify = "none"'
OUT = 'choice = "out"\ngoverns = ["sale"]\nways = ["banner", "email"]\nsignals = ["gpc"]\neffective_within = "1 day"'
PARTNER = SALE.replace("sale = true", 'safeguard = "SAFE"').replace('class = "partner"', 'class = "service-provider"')
COOKIES = (
    'tracker = "stats"\nprovider = "us"\ncategories = ["cookie-identifier"]\nfor = ["support"]\nneeds = "cookies"',
    """choice = "cookies"
governs = ["tracker:stats"]
default = { default = "implied", EEA = "out", GB = "out" }
effective_within = "1 day\"""",
)
GMAIL = 'collect = "mail"\ncategories = ["email"]\nfrom = "gmail"\nfor = ["support"]'
GOOGLE = (
    'limit = "google"\napplies_to = { source = "google" }\nnever = ["advertising", "sale"]\n'
    'humans = { only_when = ["agreement", "security", "law", "aggregated"] }'
)
CALLS = 'collect = "calls"\ncategories = ["call-recording"]\nfrom = "telephony"\nfor = ["support"]'
SHINE = 'right = "shine"\nkind = "direct-marketing-disclosures"\nonce_per = "1 year"'
PROFILE = 'purpose = "analytics"\ncategories = ["health"]\nbasis = "explicit-consent"'


def text(laws: str, *rules: str) -> str:
    head = HEAD.replace("LAWS", ", ".join(f'"{one}"' for one in laws.split()))
    blocks = (one if one.startswith(("##", "- ")) else f"```rule\n{one}\n```" for one in rules)
    return head + "\n" + "\n\n".join(blocks) + "\n"


def found(laws: str, *rules: str) -> list[Finding]:
    notice = parse(text(laws, *rules))
    return list(lawful(notice, compile(notice)))


# laws; rules beside the whole notice; words of the message; the rule; the text at the place
SHORT = [
    ("gdpr", [RIGHTS[0] + '\nwithin = "2 months"'], "is answered within 2 months, and the law asks for 1 month", "right:copy", "within"),
    (
        "ccpa",
        [RIGHTS[0] + '\nwithin = "45 days"\nextend = "2 months"'],
        "put off by 2 months, and the law allows 45 days",
        "right:copy",
        "extend",
    ),
    ("ccpa", [NO_SALE + '\nextend = "1 day"'], "put off by 1 day, and the law does not allow that", "right:no-sale", "extend"),
    ("ccpa", [RIGHTS[0] + '\nconfirm_within = "20 days"'], "is confirmed within 20 days", "right:copy", "confirm_within"),
    ("ccpa", [NO_SALE.replace("none", "link")], "asks for proof by link, and the law does not let it", "right:no-sale", '"link"'),
    ("ccpa", [RIGHTS[0].replace("sign-in", "none")], "takes none for proof, and the law measures by match-3", "right:copy", '"none"'),
    ("gdpr", [RIGHTS[0] + '\nfee = { free = 0, then = "5 pounds" }'], "gives 0 free, and the law asks for 1", "right:copy", "free"),
    ("shine-the-light", [SHINE.replace("1 year", "2 years")], "is answered once per 2 years", "right:shine", "once_per"),
    ("shine-the-light", [SHINE + '\ncontents = ["categories"]'], "leaves out recipients", "right:shine", "contents"),
    ("shine-the-light", [SHINE + '\nwithin = "40 days"'], "is answered within 40 days", "right:shine", "within"),
    ("dpf", ['right = "c"\nkind = "complain"\nwithin = "60 days"'], "the law asks for 45 days (DPF", "right:c", "within"),
    ("gdpr", [MAIL, NEWS, 'age = "a"\nminimum = { default = 16, EU = 13 }\nbelow = "refuse"'], "14 in AT", "age:a", "minimum"),
    ("uk-gdpr", [MAIL, NEWS, 'age = "a"\nminimum = 12\nbelow = "refuse"'], "13 in GB (Section 9", "age:a", "minimum"),
    ("coppa", ['age = "a"\nminimum = 12\nbelow = "refuse"'], "13 in US", "age:a", "minimum"),
    ("coppa", [], "nothing keeps children under 13 out", "notice:test", '"coppa"'),
    (
        "coppa",
        [
            'age = "a"\nminimum = 13\nbelow = "parental-consent"',
            'retain = "r"\ncategories = ["name"]\nkeep = "until withdrawn"\nafter = "collected"\nthen = "erase"',
        ],
        "retain:r states no time",
        "retain:r",
        "keep",
    ),
    (
        "can-spam",
        [MAIL, NEWS.replace("1 day", "11 business days")],
        "counts after 11 business days, and the law asks",
        "choice:news",
        "effective",
    ),
    ("can-spam", [MAIL, NEWS.replace("1 day", "10 days")], "those who carry mail ask for 2 days", "choice:news", "effective_within"),
    ("can-spam", [MAIL, NEWS + '\ntail = "6 months"'], "and goes on for 6 months, and the law asks", "choice:news", "tail"),
    ("tcpa", [MAIL, NEWS.replace('"email"', '"text"').replace("1 day", "20 days")], "47 CFR § 64.1200(a)(10)", "choice:news", "effective"),
    ("tcpa", [MAIL, NEWS.replace('"email"', '"fax"').replace("1 day", "31 days")], "30 days (47 CFR", "choice:news", "effective_within"),
    ("gdpr", [MAIL, NEWS.replace("1 day", "40 days")], "Articles 12(3) and 21(3) GDPR", "choice:news", "effective_within"),
    ("ccpa", [SALE, NO_SALE, OUT.replace("1 day", "30 days")], "the law asks for 15 business days", "choice:out", "effective_within"),
    (
        "ccpa",
        [SALE, NO_SALE, OUT + '\nask_again_after = "6 months"'],
        "and the law asks to wait 12 months",
        "choice:out",
        "ask_again_after",
    ),
    (
        "ccpa",
        [SALE, NO_SALE, OUT.replace(', "email"', "")],
        "there are 1 of 2 ways to opt out; banner does not count",
        "choice:out",
        "ways",
    ),
    ("ccpa", [SALE, NO_SALE, OUT.replace("gpc", "dnt")], "is a sale, and gpc does not opt out of it", "choice:out", "signals"),
    ("ccpa", [SALE, NO_SALE], "is a sale, and gpc does not opt out of it", "disclose:ads", "sale"),
    ("ccpa", [SALE, OUT], "nothing offers the right opt-out-sale", "notice:test", '"ccpa"'),
    ("ccpa", [PROFILE], "nothing offers the right limit-sensitive", "notice:test", '"ccpa"'),
    ("gdpr", [SUPPORT[1].replace("contract", "legitimate-interest")], "nothing offers the right object", "notice:test", '"gdpr"'),
    ("shine-the-light", [MAIL, SALE.replace("support", "direct-marketing")], "nothing offers the right direct", "notice:test", '"shine'),
    ("gdpr", [COOKIES[0], COOKIES[1].replace('EEA = "out"', 'EEA = "implied"')], "stands on before anybody", "choice:cookies", '"implied"'),
    ("uk-gdpr", [MAIL, NEWS + '\ndefault = "in"'], "and the law asks for consent (Article 4(11) UK", "choice:news", '"in"'),
    ("gdpr", [PARTNER.replace("SAFE", "privacy-shield")], "is not valid on 2026-03-01 (Implementing", "disclose:ads", "safeguard"),
    (
        "gdpr",
        ['transfer = "t"\nfrom = ["CH"]\nallow = ["privacy-shield"]'],
        "lets data leave CH by privacy-shield alone, not valid on 2026-03-01 (Position",
        "transfer:t",
        "allow",
    ),
    (
        "google-limited-use",
        [GMAIL, GOOGLE.replace('"advertising"', '"analytics"')],
        "keeps what comes from gmail from advertising",
        "collect:mail",
        "from",
    ),
    (
        "google-limited-use",
        [GMAIL, SALE, GOOGLE.replace(', "sale"', "")],
        "keeps what comes from gmail from sale",
        "collect:mail",
        "from",
    ),
    ("google-limited-use", [GMAIL, GOOGLE.split("\nhumans")[0]], "no limit says when people may read", "collect:mail", "from"),
    (
        "google-limited-use",
        [GMAIL, GOOGLE.replace('"google" }', '"google", derived = false }')],
        "ends at what is derived",
        "limit:google",
        "derived",
    ),
    ("call-recording", [CALLS], "all on the line must agree in US-CA", "collect:calls", '"call-recording"'),
    (
        "ccpa",
        ['retain = "asked"\nrecords = ["request"]\nkeep = ["1 year", "23 months"]\nafter = "request-closed"\nthen = "erase"'],
        "keeps request for 23 months, and the law asks for 24 months",
        "retain:asked",
        "keep",
    ),
    (
        "cpni",
        ['retain = "sent"\nrecords = ["campaign"]\nkeep = "6 months"\nafter = "campaign-ended"\nthen = "erase"'],
        "asks for 1 year (47 CFR § 64.2009(c))",
        "retain:sent",
        "keep",
    ),
    ("ccpa", [RIGHTS[0].replace("sign-in", "link")], "takes link for proof", "right:copy", '"link"'),
    ("ccpa", [RIGHTS[0] + '\nnot_for = ["employee"]'], "its exception ended on 2023-01-01", "right:copy", '"employee"'),
]
WARNINGS = ("takes link for proof", "those who carry mail", "its exception ended")


def merged(rules: list[str]) -> list[str]:
    """The whole notice, with the rules of a case in the place of those of the same name."""
    names = {one.split("\n")[0] for one in rules}
    return [*(one for one in WHOLE if one.split("\n")[0] not in names), *rules]


@pytest.mark.parametrize(("laws", "rules", "message", "rule", "at"), SHORT, ids=[f"{case[0]}: {case[2]}" for case in SHORT])
def test_finds_just_that(laws: str, rules: list[str], message: str, rule: str, at: str) -> None:
    findings = found(laws, *merged(rules))
    assert len(findings) == 1, findings
    (one,) = findings
    assert message in one.message
    assert (one.code, one.rule) == ("law", rule)
    assert one.cure
    assert one.level == ("warning" if any(words in message for words in WARNINGS) else "error")
    assert text(laws, *merged(rules)).split("\n")[one.line - 1][one.column - 1 :].startswith(at)


MISSING = [("gdpr", kind) for kind in ("access", "correct", "erase", "restrict", "portability")]
MISSING += [("ccpa", kind) for kind in ("access", "correct", "erase", "no-retaliation")]


@pytest.mark.parametrize(("laws", "kind"), MISSING)
def test_finds_a_missing_right(laws: str, kind: str) -> None:
    (one,) = found(laws, *(rule for rule in WHOLE if f'kind = "{kind}"' not in rule))
    assert one.rule == "notice:test"
    assert f'kind = "{kind}"' in one.cure


def test_finds_a_missing_authority() -> None:
    notice = parse(text("gdpr", *WHOLE).replace('authority = "the authority"\n', ""))
    (one,) = lawful(notice, compile(notice))
    assert "nothing offers the right complain (Articles 13(2)(d) and 77 GDPR)" in one.message


ENOUGH = [
    [MAIL, NEWS, 'age = "a"\nminimum = 16\nbelow = "refuse"'],
    [SALE, NO_SALE, OUT],
    [*COOKIES],
    [PARTNER.replace("SAFE", "dpf")],
    ['transfer = "t"\nfrom = ["EEA", "GB", "CH"]\nallow = ["privacy-shield", "scc"]'],
    [GMAIL, SALE, NO_SALE, OUT, GOOGLE],
    [CALLS + '\nconsent = { call-recording = "You may record this call." }'],
    [CALLS + '\nshows = ["This call is recorded."]'],
    [SHINE],
    [SHINE.replace("1 year", "calendar year")],
    [MAIL, SALE, NO_SALE, OUT.replace('["sale"]', '["sale", "direct-marketing"]') + '\ndefault = "in"'],
    [RIGHTS[0] + '\nnot_for = ["deidentified", "aggregate", "service-provider-data"]'],
    [MAIL, NEWS.replace('"email"', '"post"') + '\ntail = "20 days"'],
    ['right = "theirs"\ndata = "customer"\nkind = "erase"\nwithin = "1 year"'],
    ['retain = "asked"\nrecords = ["request"]\nkeep = "2 years"\nafter = "request-closed"\nthen = "erase"'],
]
ADULT = 'age = "grown"\nminimum = "majority"\nbelow = "refuse"'


@pytest.mark.parametrize("rules", ENOUGH, ids=range(len(ENOUGH)))
def test_a_lawful_notice_is_clean_under_every_law(rules: list[str]) -> None:
    assert found(" ".join(NAMES), ADULT, *merged(rules)) == []


def test_no_law_asks_nothing() -> None:
    assert found("", *SUPPORT, SALE) == []


def test_who_only_acts_for_others_offers_no_rights() -> None:
    assert found("gdpr ccpa", 'role = "theirs"\nis = "processor"', *SUPPORT) == []


def test_a_supplement_is_measured_by_the_law_of_its_region() -> None:
    slow = '## Elsewhere {region=BR}\n\n```rule\nright = "copy"\nwithin = "3 months"\n```'
    assert found("gdpr ccpa", *WHOLE, slow) == []
    (one,) = found("gdpr ccpa", *WHOLE, slow.replace("BR", "DE"))
    assert "Article 12(3) GDPR" in one.message


def test_a_mechanism_is_measured_on_the_day_of_the_notice() -> None:
    rules = (*WHOLE, PARTNER.replace("SAFE", "privacy-shield"))
    for day, count in (("2016-07-11", 1), ("2016-07-12", 0), ("2020-07-15", 0), ("2020-07-16", 1)):
        notice = parse(text("gdpr", *rules).replace("2026-03-01", day))
        assert len(list(lawful(notice, compile(notice)))) == count

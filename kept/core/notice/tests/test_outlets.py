"""What goes out, what observes, what fences: recipients, sale, transfers, trackers, grounds, groups, gates, parents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from kept.core.notice import Ask, ChoiceFact, Decision, Policy
from kept.core.notice.terms import PEOPLE, UNFENCED
from kept.core.notice.tests.writing import NOW, facts, given, policy

EARLIER = NOW - timedelta(days=9)
NO = ChoiceFact("opted-out", NOW - timedelta(days=1))
USES = (
    'purpose = "support"\ncategories = ["name", "email", "ip-address"]\nbasis = "contract"',
    'purpose = "analytics"\ncategories = ["web-history", "ip-address"]\nbasis = "legitimate-interest"',
)


def outlet(id_: str, more: str = "", *, country: str = '"GB"', for_: str = '"support"') -> str:
    country = f"\ncountry = {country}" if country else ""
    return (
        f'disclose = "{id_}"\nto = "{id_.title()} Ltd"\nclass = "partner"\ncategories = ["name", "email"]\nfor = [{for_}]{country}\n{more}'
    ).rstrip()


def to(made: Policy, recipient: str, **more: object) -> Decision:
    person = more.pop("person", facts())
    return made.decide(Ask("support", recipient=recipient, **more), person)  # type: ignore[arg-type]


class TestRecipients:
    MADE = policy(
        *USES,
        outlet("post"),
        outlet("court", 'needs = "legal-order"'),
        outlet("police", 'needs = "reasoned"\ngrounds = ["safety", "fraud"]'),
        outlet("figures", 'form = "aggregate"', country=""),
        outlet("chosen", 'needs = "choice"'),
        outlet("asked", 'needs = "consent"'),
        outlet("told", 'tell = "after"'),
        outlet("whoever", 'bound_by = "employer"', country="").replace("Whoever Ltd", "*"),
        'choice = "parties"\ngoverns = ["disclose:chosen", "disclose:post"]\neffective_within = "0 days"',
        'limit = "small"\nmin_group = 20',
        'limit = "smaller"\napplies_to = { category = "name" }\nmin_group = 50',
    )

    def test_by_name_and_by_rule(self) -> None:
        assert to(self.MADE, "Post Ltd").because == ("purpose:support", "disclose:post")
        assert to(self.MADE, "post").allowed
        assert to(self.MADE, "whoever").allowed
        assert self.MADE.recipients["whoever"][0].id == "whoever"
        assert to(self.MADE, "*").because == ("disclose:*",)

    def test_a_category_it_does_not_list_stays(self) -> None:
        assert to(self.MADE, "post", category="email").allowed
        assert to(self.MADE, "post", category="ip-address").because == ("disclose:post",)
        assert self.MADE.decide(Ask("analytics", recipient="post"), facts()).because == ("disclose:post",)

    def test_what_must_be_stated(self) -> None:
        refused = to(self.MADE, "court")
        assert (refused.because, refused.duties) == (("disclose:court",), ("state one of: legal-order",))
        assert to(self.MADE, "court", ground="legal-order").allowed
        assert not to(self.MADE, "court", ground="safety").allowed
        assert to(self.MADE, "police").duties == ("state one of: fraud, safety",)
        assert to(self.MADE, "police", ground="safety").allowed
        assert not to(self.MADE, "police", ground="reasoned").allowed

    def test_who_needs_a_yes(self) -> None:
        assert to(self.MADE, "chosen").because == ("choice:parties",)
        assert to(self.MADE, "chosen", person=facts(choices={"parties": given(EARLIER)})).allowed
        assert to(self.MADE, "asked").because == ("disclose:asked",)
        assert to(self.MADE, "asked", person=facts(choices={"disclose:asked": given(EARLIER)})).allowed

    def test_a_no_closes_what_was_open(self) -> None:
        assert to(self.MADE, "post", person=facts(choices={"parties": NO})).because == ("choice:parties",)
        assert to(self.MADE, "post", person=facts(choices={"disclose:post": NO})).because == ("choice:parties",)

    def test_duties(self) -> None:
        assert to(self.MADE, "post").duties == ("record the disclosure",)
        assert to(self.MADE, "told").duties == ("record the disclosure", "tell the person after")

    def test_groups(self) -> None:
        assert self.MADE.group_minimum({"email"}) == (20, "limit:small")
        assert self.MADE.group_minimum({"email", "given-name"}) == (50, "limit:smaller")
        assert policy(*USES).group_minimum({"email"}) == (1, "")


class TestSale:
    MADE = policy(
        *USES,
        outlet("ads", "sale = true"),
        outlet("network", "share = true"),
        'choice = "do-not-sell"\ngoverns = ["sale"]\neffective_within = "0 days"',
        'choice = "banner"\ngoverns = ["disclose:ads", "tracker:pixel"]\ndefault = { default = "in", EEA = "out" }\n'
        'effective_within = "0 days"',
        'tracker = "pixel"\nprovider = "Ads"\nrecipient = "ads"\ncategories = ["email"]\nfor = ["support"]\nneeds = "banner"',
        'tracker = "own"\nprovider = "us"\ncategories = ["ip-address"]\nfor = ["analytics"]',
        'tracker = "theirs"\nprovider = "Them"\ncategories = ["ip-address"]\nfor = ["analytics"]',
        'tracker = "across"\nprovider = "us"\ncross_site = true\ncategories = ["ip-address"]\nfor = ["analytics"]',
    )

    def test_open_until_opted_out(self) -> None:
        assert to(self.MADE, "ads").allowed
        assert to(self.MADE, "ads", person=facts(choices={"do-not-sell": NO})).because == ("choice:do-not-sell",)
        assert to(self.MADE, "ads", person=facts(choices={"sale": NO})).because == ("choice:do-not-sell",)
        assert to(self.MADE, "network", person=facts(choices={"sale": NO})).allowed
        assert to(self.MADE, "network", person=facts(choices={"sharing": NO})).because == ("disclose:network",)

    def test_a_later_yes_to_one_choice_does_not_lift_a_no_to_another(self) -> None:
        said = facts(choices={"do-not-sell": NO, "banner": given(NOW)})
        assert not to(self.MADE, "ads", person=said).allowed
        assert not self.MADE.decide(Ask("support", tracker="pixel"), said).allowed

    def test_how_it_stands_at_first_depends_on_the_region(self) -> None:
        assert to(self.MADE, "ads", person=facts(region="DE")).because == ("choice:banner",)
        assert to(self.MADE, "ads", person=facts(region="US-CA")).allowed

    @pytest.mark.parametrize(("born", "sold"), [(date(2014, 6, 15), True), (date(2014, 6, 16), False), (None, True)])
    def test_nobody_known_to_be_under_sixteen_is_sold(self, born: date | None, sold: bool) -> None:
        assert to(self.MADE, "ads", person=facts(born=born)).allowed is sold
        assert to(self.MADE, "network", person=facts(born=born)).allowed is sold

    def test_trackers(self) -> None:
        def loads(tracker: str, **known: object) -> Decision:
            purpose = self.MADE.trackers[tracker].purposes[0]
            return self.MADE.decide(Ask(purpose, tracker=tracker), facts(**known))

        assert loads("own").because[-1] == "tracker:own"
        assert loads("own", choices={"tracker:own": NO}).because == ("tracker:own",)
        assert loads("theirs").because == ("tracker:theirs",)
        assert not loads("across").allowed
        assert loads("theirs", choices={"tracker:theirs": given(EARLIER)}).allowed
        assert loads("pixel").allowed
        assert not loads("pixel", choices={"banner": NO}).allowed
        assert not loads("pixel", choices={"sale": NO}).allowed
        assert loads("pixel", born=date(2015, 1, 1)).because == ("disclose:ads",)
        assert loads("own", born=date(2015, 1, 1)).allowed
        assert self.MADE.decide(Ask("support", tracker="own"), facts()) == Decision(False, ("tracker:own",))
        assert self.MADE.decide(Ask("support", tracker="nothing"), facts()) == Decision(False, ("tracker:nothing",))


class TestTransfers:
    MADE = policy(
        *USES,
        outlet("clauses", 'safeguard = "scc"', country='"US"'),
        outlet("shield", 'safeguard = "privacy-shield"', country='"US"'),
        outlet("bare", country='["DE", "US"]'),
        outlet("near", country='["DE", "FR"]'),
        outlet("far", country='"JP"'),
        'transfer = "europe"\nfrom = ["EEA", "GB"]\nallow = ["scc", { by = "privacy-shield", valid_until = 2030-06-15 }]',
        'transfer = "from-canada"\nfrom = ["CA"]\nto = ["US"]\nallow = ["adequacy"]',
    )

    def test_who_lives_there_is_protected(self) -> None:
        german = facts(region="DE")
        assert to(self.MADE, "clauses", person=german).allowed
        assert to(self.MADE, "bare", person=german).because == ("transfer:europe",)
        assert to(self.MADE, "near", person=german).allowed
        assert to(self.MADE, "near", person=facts(region="GB")).because == ("transfer:europe",)
        assert to(self.MADE, "bare", person=facts(region="US")).allowed
        assert to(self.MADE, "bare", person=facts()).allowed

    def test_a_mechanism_ends(self) -> None:
        def on(day: int) -> bool:
            return to(self.MADE, "shield", person=facts(region="DE", now=datetime(2030, 6, day, 23, tzinfo=UTC))).allowed

        assert (on(14), on(15), on(16)) == (True, True, False)

    def test_some_destinations_only(self) -> None:
        assert to(self.MADE, "clauses", person=facts(region="CA")).because == ("transfer:from-canada",)
        assert to(self.MADE, "far", person=facts(region="CA")).allowed


class TestFences:
    MADE = policy(
        'purpose = "support"\ncategories = ["name", "email", "note", "message"]\nbasis = "contract"',
        'purpose = "direct-marketing"\ncategories = ["name", "email"]\nbasis = "contract"\nonly_sources = ["subject"]',
        outlet("post"),
        outlet("kin").replace("partner", "affiliate"),
        outlet("court", 'needs = "legal-order"'),
        outlet("buyer", 'bound_by = "merger"', country="").replace("Buyer Ltd", "*"),
        outlet("seller", "sale = true"),
        'limit = "google"\napplies_to = { source = "google" }\nnever = ["marketing", "sale"]\nonly_recipients = ["affiliate", "seller"]\n'
        'humans = { only_when = ["security", "law"] }\nunless = ["legal-duty", "merger"]',
        'limit = "notes"\napplies_to = { category = "note" }\nonly_purposes = ["marketing"]\nunless = ["legal-duty"]',
        'limit = "calls"\napplies_to = { records = "call" }\nonly_purposes = ["support"]\nnever = ["support"]',
        'limit = "asking"\nnever_ask = { categories = ["payment-card"], channels = ["email"] }',
        'limit = "cut"\ntruncate = ["ip-address"]',
        'limit = "no-sale"\nnever = ["sale"]\nexcept = ["disclose:seller"]',
    )

    def test_recipients_of_a_source(self) -> None:
        assert to(self.MADE, "kin", source="gmail").allowed
        assert to(self.MADE, "post", source="gmail").because == ("limit:google",)
        assert to(self.MADE, "post", source="subject").allowed
        assert to(self.MADE, "seller", source="gmail").because == ("limit:google",)
        assert to(self.MADE, "seller", source="subject").allowed

    def test_what_lifts_a_fence(self) -> None:
        assert to(self.MADE, "court", source="google", ground="legal-order").allowed
        assert to(self.MADE, "buyer", source="google").allowed
        assert not to(self.MADE, "buyer", category="note").allowed

    def test_by_category_alone(self) -> None:
        closed = self.MADE.decide(Ask("support", "note"), facts())
        assert closed.because == ("limit:notes",)
        assert self.MADE.decide(Ask("support", "message"), facts()).allowed

    def test_by_record(self) -> None:
        assert self.MADE.decide(Ask("support", "name", record="call"), facts()).because == ("limit:calls",)
        assert self.MADE.decide(Ask("support", "name", record="mail"), facts()).allowed
        assert self.MADE.fence("subject", "name", "call") & 0b11 == 0

    def test_a_purpose_of_few_sources(self) -> None:
        assert self.MADE.decide(Ask("direct-marketing", "name", source="subject"), facts()).allowed
        refused = self.MADE.decide(Ask("direct-marketing", "name", source="import"), facts())
        assert refused == Decision(False, ("purpose:direct-marketing",))
        assert self.MADE.decide(Ask("direct-marketing", "name", channel="email"), facts()).allowed
        assert self.MADE.fence("subject", "name") == UNFENCED
        assert self.MADE.fence("import", "name") == UNFENCED & ~0b10

    def test_human_readers(self) -> None:
        limit = self.MADE.humans("gmail", "message")
        assert limit is not None
        assert limit.humans == ("security", "law")
        assert self.MADE.humans("subject", "message") is None
        assert self.MADE.fence("gmail", "message") & PEOPLE == 0
        assert self.MADE.fence("subject", "message") & PEOPLE

    def test_the_rest(self) -> None:
        assert self.MADE.truncated["ip-address"].name == "limit:cut"
        assert [(sorted(one.categories), one.channels) for one in self.MADE.never_ask] == [(["payment-card", "security-code"], ("email",))]
        assert [one.id for one in self.MADE.outlets.values() if one.id in (self.MADE.fences[-1].outlets or ())] == [
            "post",
            "kin",
            "court",
            "buyer",
            "seller",
        ]


class TestAges:
    MADE = policy(
        *USES,
        'age = "child"\nminimum = 13\nbelow = "parental-consent"',
        'age = "contract"\nminimum = "majority"\nbelow = "refuse"\non = ["sign-up", "purchase"]',
        'age = "buyer"\nminimum = 21\nbelow = "refuse"\non = "purchase"',
    )
    CHILD = date(2018, 1, 1)

    def test_a_parent_may_consent(self) -> None:
        assert self.MADE.decide(Ask("support"), facts(born=self.CHILD)).because == ("age:child",)
        assert self.MADE.decide(Ask("support"), facts(born=self.CHILD, choices={"parental-consent": given(EARLIER)})).allowed
        assert not self.MADE.decide(Ask("support"), facts(born=self.CHILD, choices={"parental-consent": NO})).allowed
        refusing = policy(*USES, 'age = "child"\nminimum = 13\nbelow = "refuse"')
        assert not refusing.decide(Ask("support"), facts(born=self.CHILD, choices={"parental-consent": given(EARLIER)})).allowed

    def test_the_parents_word_ends_by_itself(self) -> None:
        until = NOW + timedelta(days=3)
        said = facts(born=self.CHILD, choices={"parental-consent": ChoiceFact("given", EARLIER, until)})
        mask, changes = self.MADE.permits(said)
        assert (mask & 0b11, changes) == (0b11, until)

    def test_of_legal_age_where_it_matters(self) -> None:
        gates = {region: {on: age.minimum for on, age in self.MADE.region(region).gates.items()} for region in ("GB", "US-CA")}
        assert gates["US-CA"] == {"sign-up": 18, "purchase": 21}
        assert self.MADE.minimum_age("GB") == 13


def test_rights_of_one_kind_the_nearest_first() -> None:
    made = policy(
        'right = "customers"\nkind = "know"\ndata = "customer"\nwithin = "5 days"',
        'right = "know"\nkind = "know"\nwithin = "1 month"',
        'right = "know-too"\nkind = "know"\nwithin = "2 months"',
        "## California {region=US-CA}",
        'right = "know"\nwithin = "20 days"',
        'right = "ours"\nkind = "know"\nwithin = "10 days"',
    )
    assert made.rights("GB")["know"].id == "know"
    assert made.rights("US-CA")["know"].id == "ours"
    assert [one.id for one in made.region("US-CA").offered] == ["customers", "know", "know-too", "ours"]


def test_a_supplement_for_several_regions() -> None:
    made = policy(*USES, outlet("post"), "## There {region=DE, FR}", outlet("local"), 'age = "young"\nminimum = 15\nbelow = "refuse"')
    assert [to(made, "local", person=facts(region=region)).allowed for region in ("DE", "FR", "IT", "")] == [True, True, False, False]
    assert [made.minimum_age(region) for region in ("DE", "FR", "IT")] == [15, 15, None]
    assert [rule.region for rule in made.notice.rules if rule.name == "disclose:local"] == ["DE", "FR"]


def test_what_is_held_elsewhere_never_comes_in() -> None:
    made = policy(
        *USES,
        outlet("payments"),
        'collect = "card"\ncategories = ["payment-card"]\nfrom = "subject"\nfor = ["support"]\nheld_by = "payments"',
    )
    assert not made.may_collect("payment-card", "subject").allowed
    assert made.collects[0].held_by == "payments"


def test_what_a_purpose_needs_is_a_duty() -> None:
    made = policy('purpose = "diagnostics"\ncategories = ["name"]\nbasis = "contract"\nneeds = "agreement"\nby = ["owner", "staff"]')
    assert made.decide(Ask("diagnostics"), facts()).duties == ("have an agreement on file", "be owner or staff")


def test_of_several_lengths_the_longest_counts() -> None:
    made = policy('retain = "r"\ncategories = ["name"]\nkeep = ["1 year", "400 days", "3 months"]\nafter = "collected"\nthen = "erase"')
    assert str(made.retains[0].keep) == "400 days"


def test_a_processor_alone_is_one() -> None:
    assert policy('role = "r"\nis = "processor"\ndata = "customer"').role == "processor"
    assert policy('role = "r"\nis = "processor"\ndata = "customer"', 'role = "own"\nis = "controller"').role == "controller"


def test_sharing_may_be_forbidden_by_itself() -> None:
    made = policy(*USES, outlet("network", "share = true"), outlet("seller", "sale = true"), 'limit = "l"\nnever = ["sharing"]')
    assert to(made, "network").because == ("limit:l",)
    assert to(made, "seller").allowed


def test_a_tracker_waits_for_the_choice_it_needs_and_for_those_that_govern_it() -> None:
    made = policy(
        *USES,
        'choice = "needed"\ngoverns = ["analytics"]\neffective_within = "0 days"',
        'choice = "governing"\ngoverns = ["tracker:one"]\ndefault = "in"\neffective_within = "0 days"',
        'tracker = "one"\nprovider = "us"\ncategories = ["ip-address"]\nfor = ["analytics"]\nneeds = "needed"',
    )
    ask = Ask("analytics", tracker="one")
    assert made.decide(ask, facts()).because == ("choice:needed",)
    assert made.decide(ask, facts(choices={"needed": given(EARLIER)})).allowed
    assert made.decide(ask, facts(choices={"needed": given(EARLIER), "governing": NO})).because == ("choice:governing",)


def test_a_contract_rests_on_no_choice() -> None:
    made = policy(USES[0], 'choice = "everything"\ngoverns = ["all"]\neffective_within = "0 days"')
    assert made.decide(Ask("support"), facts()).because == ("purpose:support",)


def test_the_general_rule_counts_wherever_it_stands() -> None:
    made = policy("## There {region=DE}", outlet("post", 'tell = "before"'), "## Everybody", *USES, outlet("post"))
    assert made.outlets["post"].tell is None
    late = 'purpose = "support"\ncategories = ["name"]\nbasis = "consent"'
    assert policy("## There {region=DE}", late, "## Everybody", USES[0]).purposes["support"].rule.region is None


def test_an_age_in_some_regions_only() -> None:
    made = policy(
        *USES,
        'age = "child"\nminimum = { US = 13 }\nbelow = "refuse"',
        'age = "buyer"\nminimum = { US = 21 }\nbelow = "refuse"\non = "purchase"',
    )
    assert (made.minimum_age("DE"), made.minimum_age("US")) == (None, 13)
    assert (made.region("DE").gates, list(made.region("US").gates)) == ({}, ["purchase"])


def test_the_law_extends_only_the_clock_that_it_sets() -> None:
    made = policy(
        'right = "a"\nkind = "access"', 'right = "e"\nkind = "erase"\nwithin = "10 days"', 'right = "k"\nkind = "know"\nextend = "5 days"'
    )
    assert [str(made.rights("DE")[kind].extend) for kind in ("access", "erase", "know")] == ["2 months", "None", "5 days"]

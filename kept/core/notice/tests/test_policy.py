"""What a policy answers, rule by rule. Dana is the person the data is about."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kept.core.errors import BadInput, NoticeError
from kept.core.notice import EVERYTHING_BIT, RESERVED, UNFENCED, Ask, ChoiceFact, Policy
from kept.core.notice.terms import BITS
from kept.core.notice.tests.writing import NOW, facts, given, policy

EARLIER, LATER = NOW - timedelta(days=9), NOW + timedelta(days=9)


def purpose(name: str, basis: str, categories: str = '"name"') -> str:
    basis = basis if basis.startswith("{") else f'"{basis}"'
    return f'purpose = "{name}"\ncategories = [{categories}]\nbasis = {basis}'


def choice(name: str, *governs: str, channel: str = "") -> str:
    said = f'\nchannel = "{channel}"' if channel else ""
    return f'choice = "{name}"\ngoverns = [{", ".join(repr(one) for one in governs)}]\neffective_within = "0 days"{said}'


def no(at: datetime = NOW, state: str = "withdrawn") -> ChoiceFact:
    return ChoiceFact(state, at)  # type: ignore[arg-type]


MAIL = policy(purpose("direct-marketing", "consent"), choice("news", "direct-marketing"))


def open_to(made: Policy, name: str, **known: object) -> bool:
    return made.decide(Ask(name), facts(**known)).allowed


class TestConsent:
    def test_opens_a_purpose_only_while_it_is_given(self) -> None:
        assert not open_to(MAIL, "direct-marketing")
        assert open_to(MAIL, "direct-marketing", choices={"news": given()})
        assert not open_to(MAIL, "direct-marketing", choices={"news": no()})

    def test_ends_when_it_expires(self) -> None:
        said = {"news": given(EARLIER, LATER)}
        assert MAIL.permits(facts(choices=said)) == (1 << EVERYTHING_BIT | 1, LATER)
        assert MAIL.permits(facts(choices=said, now=LATER)) == (1 << EVERYTHING_BIT, None)
        assert open_to(MAIL, "direct-marketing", choices=said, now=LATER - timedelta(microseconds=1))

    def test_given_from_a_later_moment_opens_then(self) -> None:
        assert MAIL.permits(facts(choices={"news": given(LATER)})) == (1 << EVERYTHING_BIT, LATER)

    def test_the_last_word_counts_whatever_it_named(self) -> None:
        assert not open_to(MAIL, "direct-marketing", choices={"news": given(EARLIER), "all": no()})
        assert open_to(MAIL, "direct-marketing", choices={"news": given(), "all": no(EARLIER)})
        assert not open_to(MAIL, "direct-marketing", choices={"marketing": no(), "direct-marketing": given(EARLIER)})

    def test_of_a_yes_and_a_no_at_one_moment_the_no_counts(self) -> None:
        assert not open_to(MAIL, "direct-marketing", choices={"news": given(), "all": no()})

    def test_a_lapsed_yes_does_not_outlive_an_earlier_no(self) -> None:
        made = policy(purpose("analytics", "legitimate-interest"))
        said = {"all": no(EARLIER), "analytics": given(NOW, LATER)}
        assert open_to(made, "analytics", choices=said)
        assert made.permits(facts(choices=said))[1] == LATER
        assert not open_to(made, "analytics", choices=said, now=LATER)

    def test_says_which_rule_decided(self) -> None:
        assert MAIL.decide(Ask("direct-marketing"), facts()).because == ("choice:news",)
        assert MAIL.decide(Ask("direct-marketing"), facts(choices={"news": given()})).because == ("purpose:direct-marketing", "choice:news")


class TestOtherBases:
    @pytest.mark.parametrize("basis", ["legitimate-interest", "opt-out", "public-task", "by-provision"])
    @pytest.mark.parametrize("state", ["withdrawn", "objected", "opted-out"])
    def test_what_can_be_refused_is_open_until_then(self, basis: str, state: str) -> None:
        made = policy(purpose("analytics", basis))
        assert open_to(made, "analytics")
        assert not open_to(made, "analytics", choices={"analytics": no(state=state)})
        assert open_to(made, "analytics", choices={"analytics": given(), "all": no(EARLIER)})

    @pytest.mark.parametrize("basis", ["contract", "legal-obligation", "vital-interests"])
    def test_what_cannot_be_refused_stays_open(self, basis: str) -> None:
        made = policy(purpose("billing", basis))
        assert open_to(made, "billing", choices={"all": no(), "billing": no(state="objected")})

    @pytest.mark.parametrize("name", ["direct-marketing", "marketing", "all"])
    def test_a_restriction_closes_a_purpose_by_its_own_name_or_a_wider_one(self, name: str) -> None:
        made = policy(
            purpose("direct-marketing", "consent"),
            purpose("billing", "contract"),
            'right = "pause"\nkind = "restrict"',
        )
        said = facts(choices={"direct-marketing": given()}, restricted=frozenset({name}))
        decision = made.decide(Ask("direct-marketing"), said)
        assert (decision.allowed, decision.because) == (False, ("right:pause",))
        assert made.decide(Ask("billing"), said).allowed is (name != "all")

    @pytest.mark.parametrize("basis", ["legal-obligation", "vital-interests"])
    def test_a_restriction_does_not_close_what_the_law_or_a_life_demands(self, basis: str) -> None:
        assert open_to(policy(purpose("legal-compliance", basis)), "legal-compliance", restricted=frozenset({"all"}))

    def test_a_restriction_of_a_part_leaves_the_whole(self) -> None:
        made = policy(purpose("marketing", "legitimate-interest"), purpose("direct-marketing", "legitimate-interest"))
        said = {"restricted": frozenset({"direct-marketing"})}
        assert open_to(made, "marketing", **said)
        assert not open_to(made, "direct-marketing", **said)

    def test_a_yes_after_a_restriction_opens_what_it_names_and_no_more(self) -> None:
        made = policy(purpose("direct-marketing", "consent"), purpose("analytics", "legitimate-interest"))
        said = {"choices": {"direct-marketing": given()}, "restricted": frozenset({"all"})}
        assert not open_to(made, "direct-marketing", **said)
        for agreed in ("direct-marketing", "marketing"):
            assert open_to(made, "direct-marketing", **said, agreed=frozenset({agreed}))
            assert not open_to(made, "analytics", **said, agreed=frozenset({agreed}))

    def test_a_choice_over_a_parent_moves_its_children(self) -> None:
        made = policy(purpose("newsletter", "consent"), purpose("advertising", "consent"), choice("offers", "marketing"))
        assert made.permits(facts(choices={"offers": given()}))[0] == 1 << EVERYTHING_BIT | 0b11

    def test_an_objection_names_the_right_it_rests_on(self) -> None:
        made = policy(purpose("analytics", "legitimate-interest"), 'right = "objection"\nkind = "object"')
        assert made.decide(Ask("analytics"), facts(choices={"all": no()})).because == ("right:objection",)


class TestRegions:
    BASES = policy(purpose("direct-marketing", '{ default = "consent", US = "opt-out", US-CA = "explicit-consent", EU = "contract" }'))

    @pytest.mark.parametrize(
        ("region", "basis"), [("", "consent"), ("GB", "consent"), ("US-TX", "opt-out"), ("US-CA", "explicit-consent"), ("DE", "contract")]
    )
    def test_the_most_specific_basis_holds(self, region: str, basis: str) -> None:
        assert self.BASES.basis("direct-marketing", region) == basis
        assert open_to(self.BASES, "direct-marketing", region=region) is (basis in ("opt-out", "contract"))

    def test_a_supplement_holds_only_there(self) -> None:
        made = policy(purpose("direct-marketing", "consent"), "## America {region=US}", 'purpose = "direct-marketing"\nbasis = "opt-out"')
        assert open_to(made, "direct-marketing", region="US-NY")
        assert not open_to(made, "direct-marketing", region="CA")

    def test_without_a_basis_there_is_no_permission(self) -> None:
        made = policy(purpose("direct-marketing", '{ US = "opt-out" }'))
        assert made.basis("direct-marketing", "GB") == ""
        assert made.decide(Ask("direct-marketing"), facts(region="GB")).because == ("purpose:direct-marketing",)

    def test_rights_take_their_clock_from_the_law_of_the_place(self) -> None:
        made = policy('right = "see"\nkind = "access"')
        clocks = {region: (str(made.rights(region)["access"].within), made.rights(region)["access"].citation) for region in ("DE", "US-CA")}
        assert clocks == {"DE": ("1 month", "Article 12(3) GDPR"), "US-CA": ("45 days", "11 CCR § 7021")}
        assert str(made.rights("US-CA")["access"].confirm_within) == "10 business days"


class TestAge:
    MADE = policy(purpose("billing", "legal-obligation"), purpose("analytics", "opt-out"), 'age = "young"\nminimum = 16\nbelow = "refuse"')

    def test_children_are_left_alone_until_their_birthday(self) -> None:
        born = date(2014, 6, 16)
        birthday = datetime(2030, 6, 16, tzinfo=UTC)
        assert self.MADE.permits(facts(born=born)) == (1 << EVERYTHING_BIT, birthday)
        assert self.MADE.permits(facts(born=born, now=birthday)) == (1 << EVERYTHING_BIT | 0b11, None)
        assert self.MADE.decide(Ask("billing"), facts(born=born)).because == ("age:young",)

    @pytest.mark.parametrize(
        ("born", "open_"), [(date(2014, 6, 15), True), (date(1950, 1, 1), True), (date(2030, 6, 15), False), (None, True)]
    )
    def test_the_day_counts(self, born: date | None, open_: bool) -> None:
        assert open_to(self.MADE, "analytics", born=born) is open_

    def test_who_is_born_on_29_february_comes_of_age_on_1_march(self) -> None:
        born, made = date(2012, 2, 29), policy(purpose("analytics", "opt-out"), 'age = "a"\nminimum = 17\nbelow = "refuse"')
        assert made.permits(facts(born=born, now=datetime(2029, 2, 28, 12, tzinfo=UTC)))[1] == datetime(2029, 3, 1, tzinfo=UTC)

    def test_a_child_whose_consent_runs_out_first_gains_nothing_on_the_birthday(self) -> None:
        made = policy(purpose("direct-marketing", "consent"), 'age = "a"\nminimum = 16\nbelow = "refuse"')
        said = {"direct-marketing": given(EARLIER, NOW + timedelta(hours=1))}
        assert made.permits(facts(born=date(2014, 6, 17), choices=said)) == (1 << EVERYTHING_BIT, None)

    def test_of_several_ages_the_highest_holds(self) -> None:
        made = policy('age = "a"\nminimum = 13\nbelow = "refuse"', 'age = "b"\nminimum = 18\nbelow = "refuse"')
        assert made.minimum_age() == 18

    def test_the_age_may_differ_by_region(self) -> None:
        made = policy('age = "a"\nminimum = { default = 16, US = 13 }\nbelow = "refuse"')
        assert (made.minimum_age("DE"), made.minimum_age("US-CA"), MAIL.minimum_age()) == (16, 13, None)


class TestBits:
    def test_new_purposes_take_free_bits_and_old_ones_keep_theirs(self) -> None:
        made = policy(purpose("support", "contract"), purpose("billing", "contract"), bits={"billing": 1, "recruitment": 0})
        assert made.bits == {"billing": 1, "recruitment": 0, "support": 2}
        assert made.purposes["support"].bit == made.bit("support") == 2
        assert "recruitment" not in made.purposes

    def test_reserved_purposes_act_with_the_bit_that_every_mask_has(self) -> None:
        for name in RESERVED:
            assert MAIL.bit(name) == EVERYTHING_BIT
            assert open_to(MAIL, name, restricted=frozenset({"all"}))

    def test_there_are_62(self) -> None:
        full = {f"old-{bit}": bit for bit in range(61)}
        with pytest.raises(NoticeError, match="61 purposes at most"):
            policy(purpose("support", "contract"), bits=full)

    @pytest.mark.parametrize("bits", [{"a": 1, "b": 1}, {"a": 61}, {"a": -1}])
    def test_wrong_bits_are_refused(self, bits: dict[str, int]) -> None:
        with pytest.raises(BadInput, match="allotted earlier"):
            policy(purpose("support", "contract"), bits=bits)


class TestColumns:
    MADE = policy(
        purpose("support", "contract", '"contact-point"'),
        purpose("sales", "contract", '"name"'),
        'limit = "cards"\nrefuse = ["payment-card"]',
        'collect = "form"\ncategories = ["name", "email"]\nfrom = "subject"\nfor = ["support"]\nrequired = ["name"]',
        'collect = "file"\ncategories = ["name"]\nfrom = "third-party"\nfor = ["sales"]\nattest = ["basis", "origin"]',
        'limit = "no-bought-phones"\nrefuse = ["phone"]\napplies_to = { source = "broker" }',
        'secure = "locks"\nseal = ["postal-address"]',
    )

    def test_a_purpose_reads_what_it_lists_and_all_below(self) -> None:
        assert self.MADE.decide(Ask("support", "street"), facts()).allowed
        assert not self.MADE.decide(Ask("support", "name"), facts()).allowed
        assert not self.MADE.decide(Ask("recruitment", "name"), facts()).allowed

    def test_what_a_limit_refuses_is_no_column_of_any_purpose(self) -> None:
        made = policy(purpose("support", "contract"), 'limit = "l"\nrefuse = ["given-name"]')
        assert made.purposes["support"].categories == made.categories == {"name", "family-name"}

    def test_why_a_column_is_closed(self) -> None:
        why = self.MADE.why_withheld
        assert why("support", "name").rule == "purpose:support"
        assert why("support", "name").text == "purpose:support does not list name. It serves sales."
        assert "does not declare the purpose recruitment" in why("recruitment", "name").text
        assert "declares health nowhere" in why("support", "health").text
        assert why("support", "payment-card").rule == "limit:cards"

    def test_rooms_open_by_a_purpose_or_one_under_it(self) -> None:
        assert self.MADE.opens("customer-relations") == ("sales",)
        assert self.MADE.opens("all") == ("support", "sales")
        assert self.MADE.opens("recruitment") == ()

    def test_declared_refused_and_sealed(self) -> None:
        assert {"street", "name", "given-name"} < self.MADE.categories
        assert self.MADE.refused == {"payment-card", "security-code"}
        assert self.MADE.refused_by("payment-card").name == "limit:cards"
        assert {"postal-address", "street"} <= self.MADE.sealed

    def test_inlets(self) -> None:
        may = self.MADE.may_collect
        assert may("email", "subject").because == ("collect:form",)
        assert may("given-name", "import").duties == ("attest basis", "attest origin")
        assert not may("email", "import").allowed
        assert may("email").allowed
        assert may("payment-card").because == ("limit:cards",)
        assert may("phone", "broker").because == ("limit:no-bought-phones",)
        assert [one.id for one in self.MADE.collect_for("import")] == ["file"]
        assert self.MADE.collect_for("nowhere") == ()


class TestFences:
    MADE = policy(
        purpose("support", "contract", '"name", "email"'),
        purpose("direct-marketing", "opt-out", '"name", "email"'),
        purpose("analytics", "opt-out", '"name"'),
        'source = "letterbox"\nunder = "third-party"\ntitle = "A letterbox"',
        'limit = "mailbox"\napplies_to = { source = "letterbox" }\nonly_purposes = ["support"]',
        'limit = "no-bought-mail"\napplies_to = { source = ["broker"], category = "contact-point" }\nnever = ["marketing"]',
    )

    def test_a_value_serves_only_what_its_provenance_allows(self) -> None:
        assert self.MADE.fence("letterbox", "name") == UNFENCED & ~((1 << BITS) - 1) | 0b001
        assert self.MADE.fence("broker", "email") == UNFENCED & ~0b010
        assert self.MADE.fence("broker", "name") == UNFENCED
        assert self.MADE.fence("subject", "name") == UNFENCED == 2**63 - 1

    def test_decisions_follow_the_fence(self) -> None:
        refused = self.MADE.decide(Ask("direct-marketing", "name", source="letterbox"), facts())
        assert (refused.allowed, refused.because) == (False, ("limit:mailbox",))
        assert self.MADE.decide(Ask("support", "name", source="letterbox"), facts()).allowed
        assert self.MADE.decide(Ask("direct-marketing", "name", source="broker"), facts()).allowed


class TestChannelsAndRecipients:
    MADE = policy(
        purpose("direct-marketing", "consent"),
        choice("by-mail", "direct-marketing", channel="email"),
        choice("by-phone", "direct-marketing", channel="phone"),
        'disclose = "printer"\nto = "Ink Ltd"\nclass = "service-provider"\ncategories = ["name"]\nfor = ["marketing"]\ncountry = "DE"\n'
        'tell = "before"',
    )

    def test_one_channel_is_enough_for_the_purpose_and_counts_for_itself(self) -> None:
        said = facts(choices={"by-mail": given(EARLIER), "by-phone": no()})
        assert self.MADE.decide(Ask("direct-marketing"), said).allowed
        mail = self.MADE.decide(Ask("direct-marketing", channel="email"), said)
        assert (mail.allowed, mail.duties) == (True, ("offer choice:by-mail",))
        assert not self.MADE.decide(Ask("direct-marketing", channel="phone"), said).allowed
        assert not self.MADE.decide(Ask("direct-marketing", channel="post"), said).allowed

    def test_a_word_about_the_purpose_counts_on_every_channel(self) -> None:
        said = facts(choices={"by-mail": given(EARLIER), "direct-marketing": no()})
        assert not self.MADE.decide(Ask("direct-marketing"), said).allowed
        assert self.MADE.decide(Ask("direct-marketing", channel="post"), facts(choices={"all": given()})).allowed

    def test_only_declared_recipients(self) -> None:
        said = facts(choices={"all": given()})
        told = self.MADE.decide(Ask("direct-marketing", "name", recipient="Ink Ltd"), said)
        assert told.because == ("purpose:direct-marketing", "choice:by-mail", "choice:by-phone", "disclose:printer")
        assert told.duties == ("record the disclosure", "tell the person before")
        assert self.MADE.decide(Ask("direct-marketing", recipient="Nobody"), said).because == ("disclose:Nobody",)


def test_moments_without_a_time_zone_are_refused() -> None:
    with pytest.raises(BadInput, match="no time zone"):
        facts(now=datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(BadInput, match="without a time zone"):
        given(datetime(2030, 1, 1))  # noqa: DTZ001


def test_the_tables_of_a_policy() -> None:
    made = policy(
        'role = "theirs"\nis = "processor"',
        'retain = "r"\ncategories = ["name"]\nkeep = "1 year"\nafter = "last-order"\nthen = "nullify"',
        'retain = "q"\nrecords = ["request"]\nkeep = "2 years"\nafter = "request-closed"\nthen = "erase"',
        purpose("direct-marketing", "consent"),
        choice("news", "marketing"),
    )
    assert made.role == "processor"
    assert [(one.id, str(one.keep), one.after, one.then, one.records) for one in made.retains] == [
        ("r", "1 year", "last-order", "nullify", ()),
        ("q", "2 years", "request-closed", "erase", ("request",)),
    ]
    assert "given-name" in made.retains[0].categories
    assert made.choices("GB")["news"].governs == ("direct-marketing",)
    assert made.purposes["direct-marketing"].parents == ("marketing", "all")

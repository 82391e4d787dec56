"""What is computed of a notice for its public page: highlights, anchors, tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kept.core.notice import Policy, compile, parse
from kept.core.notice.california import Deed, table
from kept.core.notice.declared import PEOPLE, tops
from kept.core.notice.exports import plain, record
from kept.core.notice.outline import outline, slug
from kept.core.notice.processors import changes, processors
from kept.core.notice.summary import summary
from kept.core.notice.tests.writing import WHOLE, notice, policy
from kept.core.notice.vocabulary import BASE, CCPA

NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
HOSTING = (
    'disclose = "hosting"\nto = "Otter Hosting"\nclass = "service-provider"\nas = "processor"\ncategories = ["name", "email"]\n'
    'for = ["support"]\ncountry = "GB"\nannounce = "30 days"'
)
BUYER = (
    'disclose = "buyer"\nto = "Brightlane"\nclass = "advertising-partner"\nas = "controller"\ncategories = ["email"]\n'
    'for = ["targeted-advertising"]\ncountry = "US"\nsale = true'
)
ADVERTISING = 'purpose = "targeted-advertising"\ncategories = ["email"]\nbasis = "opt-out"'
CUSTOMERS = 'purpose = "document-service"\ndata = "customer"\ncategories = ["document"]\nbasis = "instruction"'


def whole(*more: str) -> Policy:
    return policy(*WHOLE, *more)


# Anchors


def test_an_anchor_survives_edits_elsewhere() -> None:
    before = [one.id for one in outline(notice(*WHOLE, "## What we do", "### News", "## Rights", "### News"))]
    after = [
        one.id for one in outline(notice("## A new beginning", *WHOLE, "## What we do", "### News", "## More", "## Rights", "### News"))
    ]
    assert before == ["what-we-do", "what-we-do.news", "rights", "rights.news"]
    assert [one for one in after if one in before] == before


def test_headings_of_the_same_words_in_one_place_are_numbered() -> None:
    found = outline(notice(*WHOLE, "## News", "## News", "## …"))
    assert [one.id for one in found] == ["news", "news.2", "section"]
    assert found[1].html == '<h2 id="news.2">News</h2>\n'
    assert slug("Qui sommes-nous\u202f? L’été") == "qui-sommes-nous-lété"


# Highlights


def test_the_highlights_are_those_of_the_rules() -> None:
    found = summary(whole(HOSTING, ADVERTISING, BUYER, 'choice = "sold"\ngoverns = ["sale"]\neffective_within = "0 days"'))
    assert [(one.title, one.rule) for one in found.categories] == [("Name", "collect:form"), ("Email address", "collect:form")]
    assert [one.title for one in found.purposes] == ["Support", "Targeted advertising"]
    assert [one.title for one in found.recipients] == ["Service providers", "Advertising partners"]
    assert found.sold == ("Brightlane",)
    assert found.shared == ()
    assert found.kept is not None
    assert (found.kept.shortest, found.kept.longest, found.kept.rule) == ("1 year", "1 year", "retain:records")
    assert [(one.title, one.rule) for one in found.choices] == [("Sale of data", "choice:sold")]
    assert ("erase", "right:wipe") in found.rights


def test_several_terms_of_a_branch_bear_its_name() -> None:
    found = summary(whole('collect = "more"\ncategories = ["phone", "email", "birth-date"]\nfrom = "subject"\nfor = ["support"]'))
    assert [(one.title, one.count) for one in found.categories] == [("Contact points", 2), ("Name", 1), ("Date of birth", 1)]


def test_a_processor_speaks_of_what_it_holds_for_customers() -> None:
    found = summary(policy('role = "theirs"\ndata = "customer"\nis = "processor"\nrequests = "refer"', CUSTOMERS))
    assert not found.ours
    assert [one.title for one in found.purposes] == ["Managing documents"]
    assert found.kept is None


# California


def test_each_class_says_what_where_from_what_for_and_to_whom() -> None:
    (row,) = table(whole(HOSTING, ADVERTISING, BUYER, CUSTOMERS)).rows
    assert (row.id, row.categories, row.sources) == ("identifiers", ("Name", "Email address"), ("The person",))
    assert row.purposes == ("Support", "Targeted advertising")
    assert [(one.recipient_class, one.names) for one in row.disclosed_to] == [("Service providers", ("Otter Hosting",))]
    assert [(one.names, one.purposes) for one in row.sold_to] == [(("Brightlane",), ("Targeted advertising",))]
    assert row.shared_to == ()
    assert row.retention == ("1 year after the last dealing with the person, then erased",)
    assert row.citation == CCPA["identifiers"]["citation"]


def sent(**more: object) -> Deed:
    said = {"kind": "disclosure", "at": NOW, "categories": ("email",), "recipient": "Otter Hosting", "purpose": "support", "people": 3}
    return Deed(**said | {"rule": "disclose:hosting"} | more)  # type: ignore[arg-type]


def test_what_was_done_is_counted_and_what_was_declared_is_no_difference() -> None:
    came = Deed("collection", NOW, ("name",), rule="collect:form")
    found = table(whole(HOSTING), [sent(), sent(), came])
    assert found.differences == ()
    assert (found.rows[0].collected, found.rows[0].disclosed, found.rows[0].went_to) == (1, 2, ("Otter Hosting",))
    assert table(whole(HOSTING)).differences == ()


def test_what_was_done_and_not_declared_is_a_difference() -> None:
    wrong = [
        sent(recipient="Unknown Traders", rule="disclose:nobody"),
        sent(recipient="Unknown Traders"),
        sent(categories=("email", "birth-date")),
        sent(purpose="newsletter", at=NOW + timedelta(days=1)),
        Deed("collection", NOW, ("health",), rule="collect:form"),
        Deed("collection", NOW, ("health",)),
    ]
    found = table(whole(HOSTING), [*wrong, sent()]).differences
    assert [(one.kind, one.category, one.recipient, one.why, one.times, one.people) for one in found] == [
        ("collection", "health", "", "category", 2, 0),
        ("disclosure", "email", "Otter Hosting", "purpose", 1, 3),
        ("disclosure", "birth-date", "Otter Hosting", "category", 1, 3),
        ("disclosure", "email", "Unknown Traders", "recipient", 2, 6),
    ]
    assert found[1].last == NOW + timedelta(days=1)


def test_a_deed_is_held_against_the_notice_of_its_day() -> None:
    before, now = whole(HOSTING), whole()
    assert [one.why for one in table(now, [sent()]).differences] == ["recipient"]
    assert table(now, [sent()], lambda at: before if at <= NOW else now).differences == ()
    assert [one.why for one in table(now, [sent()], lambda _: None).differences] == ["rule"]


def test_a_recipient_decided_by_an_act_is_named_by_its_class() -> None:
    law = HOSTING.replace('to = "Otter Hosting"', 'to = "*"\nbound_by = "order"').replace("service-provider", "authority")
    found = table(whole(law), [sent(recipient="hosting")])
    assert found.differences == ()
    assert found.rows[0].went_to == ("Courts and authorities",)
    assert found.rows[0].disclosed_to[0].names == ()


# The record of processing and those who work for us


def test_the_record_has_what_article_30_asks_for() -> None:
    found = record.record(whole(HOSTING, CUSTOMERS, 'secure = "safe"\ntls = true\nseal = ["email"]'))
    own, theirs = found.activities
    assert (own.role, own.bases, own.people, own.sources) == (
        "controller",
        (("default", "Contract"),),
        ("People with whom we deal",),
        ("The person",),
    )
    assert own.categories == ("Name", "Email address")
    assert [(one.name, one.role, one.countries) for one in own.recipients] == [("Otter Hosting", "processor", ("GB",))]
    assert own.retention == ("1 year after the last dealing with the person, then erased",)
    assert (theirs.role, theirs.people, theirs.recipients) == ("processor", ("People in our customers' data",), ())
    assert found.measures == ("Sealed under each person's own key: email address.", "Data travels encrypted only.")
    assert found.recipients == own.recipients
    assert record.document(whole(HOSTING))["format"] == "kept-record-1"


def test_people_are_told_by_the_occasions() -> None:
    asked = 'collect = "jobs"\ncategories = ["name"]\nfrom = "subject"\nfor = ["recruitment"]\non = ["job-application", "visit"]'
    found = record.record(whole(asked, 'purpose = "recruitment"\ncategories = ["name"]\nbasis = "contract"'))
    assert found.activities[-1].people == ("Visitors of sites", "Applicants for a job")
    known = frozenset(BASE["occasion"].all)
    assert frozenset().union(*(one.occasions for one in PEOPLE.values())) == known


def test_who_works_for_us_and_what_changes() -> None:
    old, new = whole(HOSTING, ADVERTISING, BUYER), whole(HOSTING.replace('"GB"', '"IE"'), HOSTING.replace('"hosting"', '"mail"'))
    (only,) = processors(old).values()
    assert (only.name, only.announced, only.of_customers) == ("Otter Hosting", "30 days", False)
    assert [(one.kind, one.processor.rule, one.what) for one in changes(old, new)] == [
        ("changed", "disclose:hosting", ("countries",)),
        ("added", "disclose:mail", ()),
    ]
    renamed = whole(HOSTING.replace("Otter", "Badger"))
    assert [(one.kind, one.processor.name) for one in changes(old, renamed)] == [("added", "Badger Hosting"), ("removed", "Otter Hosting")]
    assert changes(old, old) == ()


# For machines


def test_the_plain_document_holds_every_rule_and_its_digest() -> None:
    text = notice(*WHOLE)
    found = plain.document(text)
    assert [one["rule"] for one in found["rules"]] == [rule.name for rule in text.rules]
    assert found["digest"] == plain.digest(text.text)
    assert found["effective"] == {"default": "2026-03-01"}
    assert found["rules"][0]["says"]["effective"] == "2026-03-01"
    assert len({one["digest"] for one in found["rules"]}) == len(text.rules)
    changed = plain.document(parse(text.text.replace("1 year", "2 years")))
    assert [one["rule"] for one, other in zip(found["rules"], changed["rules"], strict=True) if one != other] == ["retain:records"]


def test_tops_name_the_rest() -> None:
    made = compile(notice(*WHOLE))
    assert tops(made, "category", BASE["category"].under("contact-point", "name")) == ("name", "contact-point")

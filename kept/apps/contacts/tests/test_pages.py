"""Pages of people and companies: who reaches what, what is shown, what is withheld, what never comes in."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from django.http import HttpResponse
from django.urls import reverse

from kept.apps.contacts import queries
from kept.apps.contacts.queries import Filters, Record
from kept.apps.contacts.testing import person
from kept.apps.contacts.tests.test_queries import narrow
from kept.apps.contacts.urls import urlpatterns
from kept.platform.accounts.actions import add_member
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.privacy import notices
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.inlets import luhn
from kept.platform.privacy.models import Entry
from kept.platform.privacy.testing import notice_text, with_notice
from tests.stored import stored


@dataclass(frozen=True)
class House:
    """The cast, and Dana's record."""

    people: Cast
    dana: int

    @property
    def slug(self) -> str:
        return self.people.account.slug

    def at(self, name: str, **arguments: object) -> str:
        return reverse(f"contacts:{name}", kwargs={"slug": self.slug, **arguments})

    @property
    def record(self) -> Record:
        with acting(self.people.account.pk, "member:1", "customer-relations") as use:
            return queries.record(use, self.dana)

    def page(self, query: str = "") -> str:
        return text(client_for(self.people.bob).get(self.at("person", person_id=self.dana) + query))

    def change(self, key: str, **said: str) -> HttpResponse:
        seen = said.pop("seen", self.record.changed_at.isoformat())
        address = self.at("change-value", person_id=self.dana, key=key)
        return client_for(self.people.bob).post(address, {"seen": seen, "source": "staff", **said}, follow=True)  # type: ignore[return-value]


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def house() -> House:
    people = cast()
    with_notice(people.account)
    with_notice(people.other)
    dana = person(
        people.account,
        job_title="Joiner",
        company="Quayside Joinery",
        phone="0117 496 0142",
        street="42 Mill Lane",
        city="Bristol",
        birth_date="1984-02-12",
    )
    return House(people, dana)


WHO = {"alice": 200, "petra": 200, "bob": 200, "rolf": None, "charlie": 404, "olga": 404, "": 302}
"""Everyone, and the answer; None: what a read-only role gets, which the table below says."""
READ, WRITE, POST = 200, 403, 405
ADDRESSES = {
    "people/": READ,
    "people/new/": WRITE,
    "people/{person}/": READ,
    "people/{person}/remove/": WRITE,
    "people/{person}/values/name/": WRITE,
    "people/{person}/values/email-1/remove/": WRITE,
    "people/{person}/choices/analytics/": WRITE,
    "companies/": READ,
    "companies/{company}/": READ,
}
ONLY_POSTED = ("remove/", "values/name/", "choices/analytics/")


@pytest.mark.parametrize("who", WHO)
def test_who_reaches_what(house: House, who: str) -> None:
    company = house.record.company_id
    client = client_for(getattr(house.people, who)) if who else stranger()
    for path, read_only in ADDRESSES.items():
        response = client.get(f"/{house.slug}/{path.format(person=house.dana, company=company)}")
        expected = WHO[who] or read_only
        if expected == HTTPStatus.OK and path.endswith(ONLY_POSTED):
            expected = POST
        assert response.status_code == expected, path


def test_the_table_names_every_address_of_the_room() -> None:
    routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern)).removeprefix("{slug}/") for each in urlpatterns}
    named = {
        path.replace("{person}", "{person_id}")
        .replace("{company}", "{company_id}")
        .replace("values/name/", "values/{key}/")
        .replace("values/email-1/", "values/{key}/")
        .replace("analytics", "{purpose}")
        for path in ADDRESSES
    }
    assert named == routes


def test_a_record_of_another_account_is_not_there(house: House) -> None:
    client = client_for(house.people.charlie)
    slug = house.people.other.slug
    company = house.record.company_id
    for path in (f"people/{house.dana}/", f"companies/{company}/"):
        assert client.get(f"/{slug}/{path}").status_code == HTTPStatus.NOT_FOUND
    key = next(one.key for one in house.record.values if one.category == "email")
    posted = [("remove/", {}), ("values/name/", {"family_name": "X"}), (f"values/{key}/remove/", {}), ("choices/analytics/", {})]
    for path, said in posted:
        assert client.post(f"/{slug}/people/{house.dana}/{path}", said).status_code == HTTPStatus.NOT_FOUND
    assert house.record.name == "Dana Marsh"


def test_a_value_of_another_record_is_not_there(house: House) -> None:
    other = person(house.people.account, given_name="Tom")
    key = next(one.key for one in house.record.values if one.category == "email")
    client = client_for(house.people.bob)
    for name in ("change-value", "remove-value"):
        address = house.at(name, person_id=other, key=key)
        assert client.post(address, {"seen": "x", "value": "tom@quayside.example"}).status_code == HTTPStatus.NOT_FOUND


def test_the_list_shows_searches_and_filters(house: House) -> None:
    client = client_for(house.people.bob)
    page = text(client.get(house.at("people")))
    assert "Dana Marsh" in page
    assert "0117\u00a0496\u00a00142" in page
    assert "Contract" in page
    found = text(client.get(house.at("people"), {"q": "marsh", "city": "bristol", "has_email": "on"}))
    assert "Dana Marsh" in found
    assert "Remove filter City is bristol" in found
    assert f"/people/{house.dana}/?q=marsh&amp;city=bristol&amp;has_email=on" in found
    assert "Nobody matches" in text(client.get(house.at("people"), {"city": "Exeter"}))
    assert client.get(house.at("people"), {"owner": "nobody", "cursor": "x"}).status_code == HTTPStatus.BAD_REQUEST


def test_an_account_without_people_is_told_how_to_begin(house: House) -> None:
    assert "No people yet" in text(client_for(house.people.charlie).get(f"/{house.people.other.slug}/people/"))
    assert "No companies yet" in text(client_for(house.people.charlie).get(f"/{house.people.other.slug}/companies/"))


def test_every_field_says_why_it_is_held(house: House) -> None:
    page = house.page()
    for title in ("name", "job title", "company", "email address", "phone number", "address", "date of birth"):
        assert f"Why we hold this {title}" in page
    assert "While we work for you we keep all these details up to date" in page
    for said in ("collect:workshop-notes", "Customer relations", "3 years after last activity", "version 1", "Our team, entered by hand"):
        assert said in page


def test_a_read_only_role_sees_no_way_to_change(house: House) -> None:
    page = text(client_for(house.people.rolf).get(house.at("person", person_id=house.dana) + "?edit=name"))
    assert "Dana Marsh" in page
    assert 'class="edit' not in page
    assert "values/" not in page
    assert "Remove this record" not in page
    assert "New person" not in text(client_for(house.people.rolf).get(house.at("people")))
    company = house.record.company_id
    answer = client_for(house.people.rolf).post(house.at("company", company_id=company), {"name": "Other"})
    assert answer.status_code == HTTPStatus.FORBIDDEN


def test_each_page_that_shows_people_leaves_one_look(house: House) -> None:
    client = client_for(house.people.bob)

    def looks() -> int:
        with reserved(house.people.account.pk, "command:test", "proof") as use:
            return int(Entry.under(use).filter(kind="look", header__contains='"customer-relations"').count())

    before = looks()
    for path in (house.at("people"), house.at("person", person_id=house.dana), house.at("company", company_id=house.record.company_id)):
        client.get(path)
    assert looks() == before + 3
    client.get(house.at("people"), {"q": "nobody"})
    assert looks() == before + 3


@pytest.mark.parametrize(
    ("key", "said", "shown"),
    [
        ("name", {"given_name": "Dana", "family_name": "Marsh-Olsen"}, "Dana Marsh-Olsen"),
        ("job-title", {"job_title": "Head of <b>fitting</b>"}, "Head of &lt;b&gt;fitting&lt;/b&gt;"),
        ("company", {"company": "Olsen Boats"}, "Olsen Boats"),
        ("birth-date", {"birth_date": "1990-11-19"}, "1990"),
        ("email-new", {"value": "dana.new@quayside.example", "label": "Home"}, "dana.new@<wbr>quayside.example"),
        ("phone-new", {"value": "0117 496 0143"}, "0117 496 0143"),
        ("address-new", {"street": "1 Quay Street", "city": "Exeter"}, "1 Quay Street, Exeter"),
    ],
)
def test_values_are_changed_and_added_in_place(house: House, key: str, said: dict[str, str], shown: str) -> None:
    assert f'action="/{house.slug}/people/{house.dana}/values/{key}/"' in house.page(f"?edit={key}")
    page = text(house.change(key, **said))
    assert shown in page
    assert "Saved." in page


def test_contact_points_are_changed_and_removed(house: House) -> None:
    key = next(one.key for one in house.record.values if one.category == "phone")
    assert "0117 496 0199" in text(house.change(key, value="0117 496 0199"))
    address = house.at("remove-value", person_id=house.dana, key=key)
    assert "0117 496 0199" not in text(client_for(house.people.bob).post(address, follow=True))
    key = next(one.key for one in house.record.values if one.category == "postal-address")
    assert "2 Quay Street, Exeter" in text(house.change(key, street="2 Quay Street", city="Exeter"))
    client_for(house.people.bob).post(house.at("remove-value", person_id=house.dana, key=key))
    assert not [one for one in house.record.values if one.category == "postal-address"]


def test_an_owner_is_somebody_of_the_team(house: House) -> None:
    bob = house.people.account.members.get(user=house.people.bob).pk
    assert "Bob Hale" in text(house.change("owner", owner_id=str(bob)))
    assert "not one of the available choices" in text(house.change("owner", owner_id="999999999"))
    assert house.record.owner_id == bob


def test_two_who_edit_at_once_see_both_values(house: House) -> None:
    seen = house.record.changed_at.isoformat()
    house.change("job-title", job_title="First", seen=seen)
    page = text(house.change("job-title", job_title="Second", seen=seen))
    assert "Somebody changed this record while you worked on it" in page
    assert "It now says “First”" in page
    assert 'value="Second"' in page
    assert house.record.value("job-title").text == "First"
    again = re.findall(r'name="seen" value="([^"]+)"', page)
    assert house.change("job-title", job_title="Second", seen=again[0]).status_code == HTTPStatus.OK
    assert house.record.value("job-title").text == "Second"


@pytest.mark.parametrize(
    ("key", "said", "wrong"),
    [
        ("email-new", {"value": ""}, "This is empty"),
        ("email-new", {"value": "not an address"}, "not an email address"),
        ("phone-new", {"value": "12"}, "not a complete telephone number"),
        ("birth-date", {"birth_date": "2020-01-01"}, "age:sixteen"),
        ("birth-date", {"birth_date": "1990-02-31"}, "Enter a valid date"),
        ("birth-date", {"birth_date": "1990-02-01", "source": "subject"}, "Select a valid choice"),
        ("address-new", {"street": " "}, "This address is empty"),
        ("name", {"seen": "yesterday", "family_name": "X"}, "Load the page again"),
    ],
)
def test_bad_input_is_said_at_its_field(house: House, key: str, said: dict[str, str], wrong: str) -> None:
    before = house.record.values
    response = house.change(key, **said)
    assert response.status_code == HTTPStatus.OK
    assert wrong in text(response)
    assert house.record.values == before


@pytest.mark.parametrize("key", ["nonsense", "email-999999999", "phone", "name-1", "owner-new"])
def test_a_value_that_is_not_there(house: House, key: str) -> None:
    assert house.change(key, value="x").status_code == HTTPStatus.NOT_FOUND


def test_somebody_is_entered_by_hand(house: House) -> None:
    client = client_for(house.people.bob)
    said = {"given_name": "Rosa", "family_name": "Prieto", "email": "rosa@prieto.example", "region": "gb", "source": "subject"}
    page = text(client.post(house.at("new-person"), said, follow=True))
    assert "Rosa Prieto" in page
    assert "collect:sign-up" in page
    assert "Bob Hale" in page
    wrong = text(client.post(house.at("new-person"), said | {"region": "Atlantis"}))
    assert "No such country or region is known" in wrong
    again = text(client.post(house.at("new-person"), said))
    assert "“Rosa Prieto” is already known by this address" in again
    assert re.search(rf'<a href="/{house.slug}/people/\d+/">Open it</a>', again)
    assert "Nothing was entered" in text(client.post(house.at("new-person"), {"region": "GB", "source": "staff"}))
    refused = text(client.post(house.at("new-person"), said | {"email": "", "birth_date": "1990-01-01"}))
    assert "The notice lets no birth-date in from “The person”" in refused
    assert "collect:birth-date" in refused


CANARY = "4000 0011 2233 4455"


def luhn_completed(stem: str) -> str:
    return next(stem + digit for digit in "0123456789" if luhn(stem.replace(" ", "") + digit))


def test_a_card_number_reaches_no_database_no_log_and_no_page(house: House, caplog: pytest.LogCaptureFixture) -> None:
    card = luhn_completed(CANARY[:-1])
    client = client_for(house.people.bob)
    with caplog.at_level(logging.DEBUG):
        pages = [
            text(client.post(house.at("new-person"), {"given_name": "Rosa", "job_title": card, "region": "GB", "source": "staff"})),
            text(house.change("phone-new", value=card)),
            text(house.change("name", family_name=card)),
            text(client.post(house.at("company", company_id=house.record.company_id), {"name": card})),
        ]
    for page in pages:
        assert "numbers are refused here" in page
        assert card not in page
    assert card not in caplog.text
    assert not any(card.encode() in content or card.replace(" ", "").encode() in content for content in stored().values())


def test_removing_a_record(house: House) -> None:
    assert "have them erased instead" in house.page()
    page = text(client_for(house.people.bob).post(house.at("remove-person", person_id=house.dana), follow=True))
    assert "The record is removed." in page
    assert client_for(house.people.bob).get(house.at("person", person_id=house.dana)).status_code == HTTPStatus.NOT_FOUND


def test_choices_are_shown_and_set(house: House) -> None:
    assert "has not been asked" in house.page()
    client = client_for(house.people.bob)
    client.post(house.at("choose", person_id=house.dana, purpose="direct-marketing"), {"agreed": "on"})
    assert "agreed on" in house.page()
    page = text(client.post(house.at("choose", person_id=house.dana, purpose="direct-marketing"), follow=True))
    assert "withdrawn on" in page
    assert "Withdrew consent to Direct marketing" in page
    for purpose in ("customer-relations", "astrology"):
        answer = client.post(house.at("choose", person_id=house.dana, purpose=purpose), {"agreed": "on"})
        assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_previous_and_next_keep_the_list(house: House) -> None:
    before = person(house.people.account, given_name="Ada", family_name="Brandt", city="Bristol")
    after = person(house.people.account, given_name="Tom", family_name="Wills", city="Exeter")
    assert f'rel="next" href="/{house.slug}/people/{after}/"' in house.page()
    page = house.page("?city=Bristol")
    assert f'rel="prev" href="/{house.slug}/people/{before}/?city=Bristol"' in page
    assert 'rel="next"' not in page


def test_companies(house: House) -> None:
    client = client_for(house.people.bob)
    assert "Quayside Joinery" in text(client.get(house.at("companies"), {"q": "quay"}))
    assert "No company matches" in text(client.get(house.at("companies"), {"q": "nowhere"}))
    address = house.at("company", company_id=house.record.company_id)
    assert "Dana Marsh" in text(client.get(address))
    assert "Quayside Ltd" in text(client.post(address, {"name": "Quayside Ltd", "website": "", "city": "Bristol"}, follow=True))
    assert "This field is required" in text(client.post(address, {"name": " "}))


def test_withheld_values_show_the_rule() -> None:
    account = narrow()
    people = cast()
    add_member(account, people.charlie, Role.OWNER)
    client = client_for(people.charlie)
    with acting(account.pk, "member:1", "customer-relations") as use:
        dana = queries.people(use, Filters()).items[0].id
    page = text(client.get(f"/{account.slug}/people/{dana}/"))
    assert page.count('<span class="withheld"') == 5
    assert "purpose:customer-relations does not list phone" in page
    for value in ("0142", "Joiner", "Quayside Joinery", "Bristol"):
        assert value not in page
    assert "edit=phone-new" not in page
    assert "edit=email-new" in page
    listed = text(client.get(f"/{account.slug}/people/"))
    assert 'class="withheld"' in listed
    assert "Quayside Joinery" not in listed
    form = text(client.get(f"/{account.slug}/people/new/"))
    assert 'name="phone"' not in form
    assert "Name withheld" in text(client.get(f"/{account.slug}/companies/"))


def test_a_closed_room_says_which_rule_would_open_it() -> None:
    people = cast()
    notices.activate(people.account, notice_text().replace('"customer-relations"', '"support"'), "command:test")
    for address in ("people/", "people/1/", "companies/"):
        answer = client_for(people.alice).get(f"/{people.account.slug}/{address}")
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "purpose:customer-relations" in text(answer)

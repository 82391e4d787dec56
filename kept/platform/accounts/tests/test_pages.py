"""Members' pages: every role at every address, and what the pages do."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

import pytest
from django.core import mail
from django.test import Client

from kept.platform.accounts import actions, queries
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import Cast, cast, client_for, stranger
from kept.platform.accounts.urls import urlpatterns


@pytest.fixture
def people() -> Cast:
    return cast()


def address() -> str:
    return f"ines.{secrets.token_hex(4)}@larch.example"


def home(people: Cast) -> str:
    return f"/{people.account.slug}/settings/members/"


def members_of(people: Cast) -> dict[str, str]:
    return {member.user.name: member.role for member in queries.members(people.account)}


WHO = {"alice": None, "petra": 403, "bob": 403, "rolf": 403, "charlie": 404, "olga": 404, "": 302}
"""Everyone, and the answer to those who may not; None for the one who may."""
ADDRESSES = {
    ("GET", "members/"): 200,
    ("POST", "members/"): 200,
    ("POST", "members/{member}/role/"): 400,
    ("POST", "members/{member}/remove/"): 302,
    ("POST", "invitations/{invitation}/withdraw/"): 302,
}
"""Each address with the answer to an owner who sends no fields."""


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_who_reaches_what(people: Cast, who: str, method: str, path: str) -> None:
    member = queries.membership(people.rolf, people.account.slug)
    invitation = actions.invite(people.account, address(), Role.MEMBER)
    client = client_for(getattr(people, who)) if who else stranger()
    full = f"/{people.account.slug}/settings/{path.format(member=member.pk, invitation=invitation.pk)}"
    expected = WHO[who] or ADDRESSES[method, path]
    response = client.generic(method, full)
    assert response.status_code == expected
    if not who:
        assert response.headers["Location"].startswith("/sign-in/?next=")
    untouched = who != "alice"
    assert ("Rolf Lund" in members_of(people)) is (untouched or "remove" not in path)
    assert bool(queries.invitations(people.account)) is (untouched or "withdraw" not in path)


def test_the_matrix_names_every_address_of_an_account() -> None:
    own = next(each for each in urlpatterns if str(getattr(each, "namespace", "")) == "accounts")
    routes = {str(each.pattern) for each in getattr(own, "url_patterns", ())}
    named = {"<slug:slug>/settings/" + re.sub(r"\{(\w+)\}", r"<int:\1_id>", path) for _, path in ADDRESSES}
    assert {route for route in routes if "slug" in route} == named


@pytest.mark.parametrize("path", ["/", "/settings/", "/settings/password/", "/settings/second-step/", "/settings/sessions/"])
def test_own_pages_need_a_sign_in(people: Cast, path: str) -> None:
    assert stranger().get(path).headers["Location"].startswith("/sign-in/?next=")
    answer = client_for(people.alice).get(path)
    assert answer.status_code == (HTTPStatus.FOUND if path == "/" else HTTPStatus.OK)


@pytest.mark.parametrize(("who", "says"), [("olga", "does not open its records"), ("rolf", "belong to no account")])
def test_home_without_an_account(people: Cast, who: str, says: str) -> None:
    actions.remove_member(queries.membership(people.rolf, people.account.slug))
    assert says in client_for(getattr(people, who)).get("/").content.decode()


def test_one_changes_ones_own_name(people: Cast) -> None:
    client = client_for(people.bob)
    assert client.post("/settings/", {"name": "  "}).status_code == HTTPStatus.OK
    assert client.post("/settings/", {"name": "Bob <b>Hale</b>"}).headers["Location"] == "/settings/"
    page = client.get("/settings/").content.decode()
    assert "Your name is changed." in page
    assert "Bob &lt;b&gt;Hale&lt;/b&gt;" in page


def test_an_owner_invites(people: Cast) -> None:
    client, email = client_for(people.alice), address()
    mail.outbox.clear()
    assert client.post(home(people), {"email": email, "role": "privacy-lead"}).headers["Location"] == home(people)
    assert mail.outbox[0].to == [email]
    page = client.get(home(people)).content.decode()
    assert email in page
    assert "on its way" in page
    assert "a member already" in client.post(home(people), {"email": people.bob.email, "role": "member"}).content.decode()
    assert client.post(home(people), {"email": email, "role": "emperor"}).status_code == HTTPStatus.OK


def test_an_owner_changes_and_removes(people: Cast) -> None:
    client = client_for(people.alice)
    bob = queries.membership(people.bob, people.account.slug)
    client.post(f"{home(people)}{bob.pk}/role/", {"role": "read-only"})
    assert members_of(people)["Bob Hale"] == "read-only"
    elsewhere = client_for(people.bob)
    client.post(f"{home(people)}{bob.pk}/remove/")
    assert "Bob Hale" not in members_of(people)
    assert elsewhere.get(home(people)).status_code == HTTPStatus.NOT_FOUND


def test_every_form_of_the_members_page_is_tied_to_the_visit(people: Cast) -> None:
    actions.invite(people.account, address(), Role.MEMBER)
    page = client_for(people.alice).get(home(people)).content.decode()
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    assert len(forms) == 2 * 4 + 1 + 1
    assert all('<input type="hidden" name="csrfmiddlewaretoken"' in form for form in forms)


def test_an_owner_who_steps_down_is_led_elsewhere(people: Cast) -> None:
    actions.change_role(queries.membership(people.bob, people.account.slug), Role.OWNER)
    alice, client = queries.membership(people.alice, people.account.slug), client_for(people.alice)
    assert client.post(f"{home(people)}{alice.pk}/role/", {"role": "member"}).headers["Location"] == "/"
    assert client.get(home(people)).status_code == HTTPStatus.FORBIDDEN
    assert home(people) in client_for(people.bob).get("/settings/").content.decode()
    assert home(people) not in client.get("/settings/").content.decode()


@pytest.mark.parametrize(("act", "fields"), [("remove", {}), ("role", {"role": "member"})])
def test_the_last_owner_is_told_why_not(people: Cast, act: str, fields: dict[str, str]) -> None:
    client = client_for(people.alice)
    alice = queries.membership(people.alice, people.account.slug)
    client.post(f"{home(people)}{alice.pk}/{act}/", fields)
    assert "last owner" in client.get(home(people)).content.decode()
    assert members_of(people)["Alice Larch"] == "owner"


def test_a_member_of_another_account_is_out_of_reach(people: Cast) -> None:
    charlie = queries.membership(people.charlie, people.other.slug)
    assert client_for(people.alice).post(f"{home(people)}{charlie.pk}/remove/").status_code == HTTPStatus.NOT_FOUND
    assert queries.membership(people.charlie, people.other.slug)


def test_a_form_from_elsewhere_is_refused(people: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice)
    assert client.post(home(people), {"email": address(), "role": "owner"}).status_code == HTTPStatus.FORBIDDEN
    assert queries.invitations(people.account) == []

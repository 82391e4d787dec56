"""The door of an account's pages, for everyone who may stand before it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, HttpResponseBase
from django.test import RequestFactory

from kept.core.errors import NotFound, NotPermitted
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.models import User
from kept.platform.accounts.testing import Cast, cast


@team("records.write")
def edit(request: TeamRequest, record: int) -> HttpResponseBase:
    """A page behind the door."""
    return HttpResponse(f"{request.account.slug} {request.member.role} {request.actor.name} {record}")


@pytest.fixture(scope="module")
def people() -> Cast:
    return cast()


def ask(user: User | AnonymousUser, slug: str, method: str = "GET", **headers: Any) -> HttpResponseBase:
    request = RequestFactory().generic(method, f"/{slug}/people/7/?tab=deals", headers=headers)
    request.user = user
    return edit(request, slug, record=7)


def test_a_member_comes_in_with_account_member_and_actor(people: Cast) -> None:
    response = ask(people.bob, people.account.slug)
    assert isinstance(response, HttpResponse)
    assert response.content.decode() == f"{people.account.slug} member Bob Hale 7"


def test_the_actor_is_the_member(people: Cast) -> None:
    seen = []

    @team("records.read")
    def page(request: TeamRequest) -> HttpResponseBase:
        seen.append((request.actor.reference, request.member.actor.reference))
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = people.rolf
    page(request, people.account.slug)
    ((actor, member),) = seen
    assert actor == member
    assert actor.startswith("member:")


def test_a_role_too_small_is_told_so(people: Cast) -> None:
    with pytest.raises(NotPermitted, match="read-only"):
        ask(people.rolf, people.account.slug)


@pytest.mark.parametrize("who", ["charlie", "olga"])
def test_whoever_does_not_belong_finds_nothing(people: Cast, who: str) -> None:
    with pytest.raises(NotFound):
        ask(getattr(people, who), people.account.slug)


def test_no_account_at_all_is_the_same(people: Cast) -> None:
    with pytest.raises(NotFound):
        ask(people.alice, people.account.slug + "x")


@pytest.mark.parametrize(
    ("slug", "method", "back"), [("larch", "GET", "%2Flarch%2Fpeople%2F7%2F%3Ftab%3Ddeals"), ("larch", "POST", "%2Flarch%2F")]
)
def test_signed_out_goes_to_sign_in_and_back(slug: str, method: str, back: str) -> None:
    response = ask(AnonymousUser(), slug, method)
    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Location"] == f"/sign-in/?next={back}"


def test_a_fragment_asks_the_whole_page_to_sign_in() -> None:
    response = ask(AnonymousUser(), "larch", hx_request="true")
    assert response.status_code == HTTPStatus.OK
    assert response.headers["HX-Redirect"] == "/sign-in/?next=%2Flarch%2F"


def test_the_view_says_what_it_needs() -> None:
    assert edit.__dict__["capability"] == "records.write"
    assert edit.__dict__["__wrapped__"].__name__ == "edit"

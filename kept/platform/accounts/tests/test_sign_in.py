"""Signing in: password, second step, limits, sessions, reset, and no way in without an invitation."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from kept.platform.accounts import actions
from kept.platform.accounts.models import User
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import PASSWORD, Cast, cast, client_for, stranger


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def outbox() -> Iterator[list[mail.EmailMessage]]:
    mail.outbox.clear()
    yield mail.outbox
    mail.outbox.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD, address: str = "/sign-in/") -> Any:
    return client.post(address, {"login": email, "password": password})


def signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == HTTPStatus.OK


def link_in(letter: mail.EmailMessage) -> str:
    """The path of the link in a mail; its address is the configured one."""
    (link,) = re.findall(r"https?://\S+", str(letter.body))
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}" == "http://127.0.0.1:8000"
    return str(parts.path)


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def turn_on_second_step(client: Client) -> str:
    """Set up the authenticator app through its pages; the secret comes back."""
    client.post("/sign-in/again/", {"password": PASSWORD})
    page = client.get("/settings/second-step/activate/").content.decode()
    (secret,) = re.findall(r"<code>([A-Z2-7]+)</code>", page)
    response = client.post("/settings/second-step/activate/", {"code": code_of(secret)})
    assert response.headers["Location"] == "/settings/second-step/codes/"
    return str(secret)


def test_password_opens_the_one_account(people: Cast) -> None:
    client = stranger()
    assert client.get("/sign-in/").status_code == HTTPStatus.OK
    assert sign_in(client, people.bob.email.upper()).headers["Location"] == "/"
    assert client.get("/").headers["Location"] == f"/{people.account.slug}/"


def test_it_leads_back_to_where_one_was_going_but_not_elsewhere(people: Cast) -> None:
    assert sign_in(stranger(), people.bob.email, address="/sign-in/?next=/larch/people/").headers["Location"] == "/larch/people/"
    assert sign_in(stranger(), people.bob.email, address="/sign-in/?next=https://mallory.example/").headers["Location"] == "/"


def test_wrong_password_and_unknown_address_read_alike(people: Cast) -> None:
    wrong = sign_in(stranger(), people.bob.email, "wrong")
    unknown = sign_in(stranger(), f"x{people.bob.email}", "wrong")
    said = [re.sub(r'value="[^"]*"|nonce="[^"]*"', "", page.content.decode()) for page in (wrong, unknown)]
    assert wrong.status_code == unknown.status_code == HTTPStatus.OK
    assert said[0] == said[1]
    assert "not correct" in said[0]


def test_a_closed_sign_in_stays_out(people: Cast) -> None:
    User.objects.filter(pk=people.bob.pk).update(is_active=False)
    client = stranger()
    assert sign_in(client, people.bob.email).headers["Location"] == "/sign-in/inactive/"
    assert client.get("/sign-in/inactive/").status_code == HTTPStatus.OK
    assert not signed_in(client)


def test_guessing_is_limited_by_address_wherever_it_comes_from(people: Cast) -> None:
    for _ in range(5):
        sign_in(stranger(), people.bob.email, "wrong")
    locked = stranger()
    assert "Too many failed" in sign_in(locked, people.bob.email).content.decode()
    assert not signed_in(locked)


def test_guessing_is_limited_by_network(people: Cast) -> None:
    client = stranger()
    for number in range(30):
        sign_in(client, f"nobody-{number}@larch.example", "wrong")
    refused = sign_in(client, people.bob.email)
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many attempts" in refused.content.decode()


def test_there_is_no_sign_up() -> None:
    for name in ("account_signup", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    assert "sign up" not in stranger().get("/sign-in/").content.decode().lower()


def test_signing_out_takes_a_post(people: Cast) -> None:
    client = client_for(people.bob)
    assert client.get("/sign-out/").status_code == HTTPStatus.OK
    assert signed_in(client)
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert not signed_in(client)


def test_the_second_step(people: Cast) -> None:
    client = stranger()
    sign_in(client, people.bob.email)
    assert "Set up an authenticator app" in client.get("/settings/second-step/").content.decode()
    secret = turn_on_second_step(client)
    shown = re.search(r"<pre[^>]*>([^<]*)</pre>", client.get("/settings/second-step/codes/").content.decode())
    codes = shown[1].split() if shown else []
    assert len(codes) == 10
    assert "10 recovery codes" in client.get("/settings/second-step/").content.decode()

    other = stranger()
    assert sign_in(other, people.bob.email).headers["Location"] == "/sign-in/code/"
    assert not signed_in(other)
    assert other.get("/sign-in/code/").status_code == HTTPStatus.OK
    assert "Incorrect code" in other.post("/sign-in/code/", {"code": "000000"}).content.decode()
    code = code_of(secret)
    assert other.post("/sign-in/code/", {"code": code}).headers["Location"] == "/"
    assert signed_in(other)

    third = stranger()
    sign_in(third, people.bob.email)
    assert "Incorrect code" in third.post("/sign-in/code/", {"code": code}).content.decode(), "a code works once"
    assert third.post("/sign-in/code/", {"code": codes[0]}).headers["Location"] == "/"
    fourth = stranger()
    sign_in(fourth, people.bob.email)
    assert "Incorrect code" in fourth.post("/sign-in/code/", {"code": codes[0]}).content.decode(), "so does a recovery code"


def test_secrets_of_the_second_step_are_sealed(people: Cast) -> None:
    client = stranger()
    sign_in(client, people.petra.email)
    secret = turn_on_second_step(client)
    kept = Authenticator.objects.get(user=people.petra, type=Authenticator.Type.TOTP)
    assert secret not in str(kept.data)
    assert kept.wrap().validate_code("000000") is False


def test_turning_the_second_step_off_and_on_again(people: Cast) -> None:
    client = stranger()
    sign_in(client, people.alice.email)
    turn_on_second_step(client)
    assert client.get("/settings/second-step/codes/new/").status_code == HTTPStatus.OK
    assert client.post("/settings/second-step/codes/new/").headers["Location"] == "/settings/second-step/codes/"
    assert "Turn off" in client.get("/settings/second-step/deactivate/").content.decode()
    client.post("/settings/second-step/deactivate/")
    assert not Authenticator.objects.filter(user=people.alice).exists()


def test_the_second_step_confirms_too(people: Cast) -> None:
    client = stranger()
    sign_in(client, people.bob.email)
    secret = turn_on_second_step(client)
    later = client_for(people.bob)
    asked = later.get("/settings/second-step/codes/new/").headers["Location"]
    assert "/sign-in/again/code/" in later.get(asked).content.decode()
    other = asked.replace("/again/", "/again/code/")
    assert "Confirm it is you" in later.get(other).content.decode()
    assert later.post(other, {"code": code_of(secret)}).headers["Location"] == "/settings/second-step/codes/new/"


def test_changing_how_one_signs_in_asks_for_the_password_again(people: Cast) -> None:
    client = client_for(people.bob)
    asked = client.get("/settings/second-step/activate/")
    assert asked.headers["Location"].startswith("/sign-in/again/?next=")
    assert "Confirm it is you" in client.get(asked.headers["Location"]).content.decode()
    assert "Incorrect password" in client.post(asked.headers["Location"], {"password": "wrong"}).content.decode()
    assert client.post(asked.headers["Location"], {"password": PASSWORD}).headers["Location"] == "/settings/second-step/activate/"
    assert client.get("/settings/second-step/activate/").status_code == HTTPStatus.OK


def test_sessions_are_listed_and_the_others_can_be_ended(people: Cast) -> None:
    here, there, charlie = stranger(), stranger(), stranger()
    for client, user in ((here, people.bob), (there, people.bob), (charlie, people.charlie)):
        sign_in(client, user.email)
    page = here.get("/settings/sessions/").content.decode()
    assert page.count("data-row") == 2
    assert "this one" in page
    assert here.post("/settings/sessions/").headers["Location"] == "/settings/sessions/"
    assert signed_in(here)
    assert not signed_in(there)
    assert signed_in(charlie)


def test_a_forgotten_password(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    elsewhere = client_for(people.bob)
    client = stranger()
    assert client.get("/sign-in/password/").status_code == HTTPStatus.OK
    asked = client.post("/sign-in/password/", {"email": people.bob.email}, headers={"host": "localhost"})
    assert asked.headers["Location"] == "/sign-in/password/sent/"
    assert client.get("/sign-in/password/sent/").status_code == HTTPStatus.OK
    (letter,) = outbox
    assert letter.to == [people.bob.email]
    link = link_in(letter)
    form = client.get(link).headers["Location"]
    assert "Set a new password" in client.get(form).content.decode()
    assert "too short" in client.post(form, {"password1": "short", "password2": "short"}).content.decode()
    done = client.post(form, {"password1": "another-harbour-9", "password2": "another-harbour-9"})
    assert "is set" in client.get(done.headers["Location"]).content.decode()
    assert "no longer works" in stranger().get(link).content.decode()
    assert not signed_in(elsewhere)
    assert sign_in(stranger(), people.bob.email, "another-harbour-9").status_code == HTTPStatus.FOUND


def test_asking_for_an_unknown_address_sends_nothing(outbox: list[mail.EmailMessage]) -> None:
    asked = stranger().post("/sign-in/password/", {"email": "nobody-at-all@larch.example"})
    assert asked.headers["Location"] == "/sign-in/password/sent/"
    assert outbox == []


def test_changing_the_password_ends_other_sessions(people: Cast) -> None:
    here, there = client_for(people.bob), client_for(people.bob)
    assert here.get("/settings/password/").status_code == HTTPStatus.OK
    new = {"oldpassword": PASSWORD, "password1": "another-harbour-9", "password2": "another-harbour-9"}
    assert here.post("/settings/password/", {**new, "oldpassword": "wrong"}).status_code == HTTPStatus.OK
    assert here.post("/settings/password/", new).headers["Location"] == "/settings/"
    assert "Your password is changed." in here.get("/settings/").content.decode()
    assert not signed_in(there)


def test_joining_with_a_new_password(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    email = f"ines.{people.account.slug}@larch.example"
    actions.invite(people.account, email, Role.MEMBER)
    path, client = link_in(outbox[0]), stranger()
    assert "Larch &amp; Daughters" in client.get(path).content.decode()
    assert "too common" in client.post(path, {"name": "Ines", "password": "password1234"}).content.decode()
    assert "too similar" in client.post(path, {"name": "Ines", "password": email}).content.decode()
    joined = client.post(path, {"name": "Ines Vale", "password": PASSWORD})
    assert joined.headers["Location"] == f"/{people.account.slug}/"
    assert signed_in(client)
    used = client.get(path)
    assert used.status_code == HTTPStatus.BAD_REQUEST
    assert "no longer open" in used.content.decode()


def test_joining_with_a_password_one_has(people: Cast, outbox: list[mail.EmailMessage]) -> None:
    actions.invite(people.account, people.charlie.email, Role.READ_ONLY)
    path = link_in(outbox[0])
    assert stranger().get(path).headers["Location"] == f"/sign-in/?next={path.replace(':', '%3A')}"
    assert "signed in as" in client_for(people.bob).post(path).content.decode()
    client = client_for(people.charlie)
    assert "You were invited as read-only" in client.get(path).content.decode()
    assert client.post(path).headers["Location"] == f"/{people.account.slug}/"
    home = client.get("/").content.decode()
    assert f"/{people.account.slug}/" in home
    assert f"/{people.other.slug}/" in home

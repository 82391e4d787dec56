"""Headers on every response; errors in one JSON shape and one page; messages of fragments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory, override_settings

from kept.core import errors
from kept.platform.ui import middleware
from kept.platform.ui.errors import WORDS, words
from kept.platform.ui.tests import urls


@pytest.fixture
def client() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=urls.__name__):
        yield Client(raise_request_exception=False)


def test_every_response_carries_the_policy_with_a_nonce_of_its_own(client: Client) -> None:
    nonces = set()
    for address in ("/show/", "/show/", "/fail/withheld/", "/fail/broken/", "/nowhere/"):
        response = client.get(address)
        policy = response["Content-Security-Policy"]
        for directive in (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ):
            assert directive in policy.split("; ")
        assert "unsafe" not in policy
        found = re.search(r"script-src 'self' 'nonce-([^']{20,})'", policy)
        assert found
        nonces.add(found[1])
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        assert response["Cache-Control"] == "private, no-store"
    assert len(nonces) == 5


def test_scripts_of_the_page_bear_the_nonce_of_its_policy(client: Client) -> None:
    response = client.get("/show/")
    scripts = re.findall(r'<script[^>]*nonce="([^"]+)"', response.content.decode())
    assert len(scripts) == 2
    assert all(f"'nonce-{nonce}'" in response["Content-Security-Policy"] for nonce in scripts)


def test_a_person_reads_what_happened_what_it_means_and_what_to_do(client: Client) -> None:
    response = client.get("/fail/withheld/")
    page = response.content.decode()
    assert response.status_code == 403
    for text in ("This is not allowed", "Email is closed here.", "What it means", "Choose another purpose.", "limit:email", "people.email"):
        assert text in page


@pytest.mark.parametrize("asked", [{"Accept": "application/json"}, {"HX-Request": "true"}, {"Accept": "application/json, */*;q=0.1"}])
def test_a_program_reads_the_one_json_shape(client: Client, asked: dict[str, str]) -> None:
    response = client.get("/fail/withheld/", headers=asked)
    assert response.status_code == 403
    assert response.json() == {
        "error": "withheld",
        "message": "Email is closed here.",
        "place": "people.email",
        "cure": "Choose another purpose.",
        "rule": "limit:email",
    }


@pytest.mark.parametrize(("kind", "status"), [("missing", 404), ("denied", 403), ("broken", 500), ("drift", 503)])
def test_other_errors_have_the_same_form_and_keep_their_details_to_themselves(client: Client, kind: str, status: int) -> None:
    response = client.get(f"/fail/{kind}/")
    assert response.status_code == status
    assert "What to do" in response.content.decode()
    assert "secret detail" not in response.content.decode()
    assert set(client.get(f"/fail/{kind}/", headers={"Accept": "application/json"}).json()) >= {"error", "message"}


def test_a_form_without_its_token_is_explained() -> None:
    with override_settings(ROOT_URLCONF=urls.__name__):
        response = Client(enforce_csrf_checks=True).post("/show/")
    assert response.status_code == 403
    assert "Load the page again" in response.content.decode()


def test_every_error_has_words_of_its_nearest_class() -> None:
    assert words(errors.Shredded("x")) is WORDS[errors.Closed]
    assert words(errors.NoPurpose("x")) is WORDS[errors.Refused]
    assert words(errors.NoticeError("x")) is WORDS[errors.BadInput]


def _answer(request: HttpRequest, status: int = 200) -> HttpResponseBase:
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    request._messages.add(25, "Saved – “oak”.")  # type: ignore[attr-defined]
    return middleware.toasts(lambda _: HttpResponse(status=status))(request)


def test_messages_of_a_fragment_travel_in_a_header() -> None:
    response = _answer(RequestFactory().get("/", headers={"HX-Request": "true"}))
    assert json.loads(response["HX-Trigger"]) == {"kept:toasts": [{"text": "Saved – “oak”.", "level": "success"}]}


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 200), ({"HX-Request": "true", "HX-Boosted": "true"}, 200), ({"HX-Request": "true"}, 302)]
)
def test_messages_of_pages_and_redirects_wait_for_the_page(headers: dict[str, str], status: int) -> None:
    assert "HX-Trigger" not in _answer(RequestFactory().get("/", headers=headers), status).headers

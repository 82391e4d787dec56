"""The notice editor in a real browser: Petra writes and proposes, Alice approves, and two who write at one time both keep their text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kept.apps.notices import actions, editor
from kept.apps.notices.models import NoticeDraft
from kept.platform.accounts.models import User
from kept.platform.accounts.queries import membership
from kept.platform.accounts.testing import Cast, cast, client_for
from kept.platform.privacy import incidents
from kept.platform.privacy.testing import notice_text, with_notice
from tests.axe import violations
from tests.plugin import needs

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
NEWER = notice_text().replace("within ten business days", "within five business days").replace("10 business days", "5 business days")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


class _Threads(WSGIServer):
    daemon_threads = True


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The application on this process's own database; its address."""
    server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), server_class=_Threads, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def people() -> Cast:
    made = cast()
    with_notice(made.account)
    return made


def draft_of(people: Cast) -> NoticeDraft:
    return editor.start(people.account, membership(people.petra, people.account.slug).actor.reference, NEWER)


def session(user: User) -> str:
    """The cookie of somebody who has signed in."""
    return client_for(user).cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def page_of(browser: Browser, site: str, cookie: str, width: int = 1440) -> Iterator[Page]:
    """A browser window of somebody; a message in its console fails the test."""
    context = browser.new_context(locale="en-GB", viewport={"width": width, "height": 900})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(needs("chromium")), args=["--no-sandbox"])
        yield opened
        opened.close()


def test_written_checked_proposed_and_approved(site: str, people: Cast) -> None:
    draft, petra, alice = draft_of(people), session(people.petra), session(people.alice)
    address = f"{site}/{people.account.slug}/notice-editor/{draft.pk}/"
    wrong = NEWER.replace('"customer-relations"', '"customer-relation"', 1)
    line = wrong[: wrong.index('"customer-relation"')].count("\n") + 1
    with chromium() as browser:
        with page_of(browser, site, petra) as page:
            page.goto(address)
            text, verdict = page.get_by_label("The text, with its rules"), page.locator("#verdict")
            expect(verdict).to_have_text("The check finds nothing")

            # What is wrong is found while it is written, and the way leads there by keyboard.
            text.fill(wrong)
            expect(verdict).to_have_text("1 error")
            expect(page.locator("#saved")).to_contain_text("Saved")
            place = page.locator("#found .findings").get_by_role("link", name=f"line {line}")
            place.press("Enter")
            expect(text).to_be_focused()
            chosen = "e => e.value.slice(e.selectionStart, e.selectionEnd)"
            assert "customer-relation" in text.evaluate(chosen)
            page.get_by_role("button", name="Propose").click()
            expect(page.get_by_text("The check finds errors")).to_be_visible()

            # Mended; what it changes, and what it would decide.
            text.fill(NEWER)
            expect(verdict).to_have_text("The check finds nothing")
            page.get_by_role("radio", name="Changes").check()
            expect(page.locator("#found")).to_contain_text("within 5 business days")
            page.get_by_role("radio", name="What if").check()
            page.get_by_label("Purpose").select_option("direct-marketing")
            page.get_by_label("Lives in").fill("US-CA")
            page.get_by_label("Choice 1", exact=True).select_option("opted-out")
            page.get_by_label("What choice 1 is about").fill("direct-marketing")
            expect(page.locator(".answer.no")).to_have_count(2)
            expect(page.locator(".answer.no").first).to_contain_text("choice:marketing-mail")

            page.get_by_role("button", name="Propose").click()
            expect(page.get_by_text("You proposed this")).to_be_visible()
            expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        with page_of(browser, site, alice) as page:
            page.goto(address)
            page.get_by_label("Comment").fill("As we agreed.")
            page.get_by_role("button", name="Approve").click()
            page.get_by_role("link", name="See whom it reaches, and decide").click()
            expect(page.get_by_role("button", name="Put it in force")).to_be_visible()


def test_two_who_write_at_one_time_both_keep_their_text(site: str, people: Cast) -> None:
    draft, petra, alice = draft_of(people), session(people.petra), session(people.alice)
    address = f"{site}/{people.account.slug}/notice-editor/{draft.pk}/"
    with chromium() as browser, page_of(browser, site, petra) as one, page_of(browser, site, alice, 390) as other:
        one.goto(address)
        other.goto(address)
        one.get_by_label("The text, with its rules").fill(NEWER + "\nOne.\n")
        expect(one.locator("#saved")).to_contain_text("Saved")
        other.get_by_label("The text, with its rules").fill(NEWER + "\nTwo.\n")
        other.wait_for_url(lambda url: url != address)
        expect(other.get_by_text("Two texts were written at one time")).to_be_visible()
        assert other.get_by_label("The text, with its rules").input_value().endswith("Two.\n")
        one.reload()
        assert one.get_by_label("The text, with its rules").input_value().endswith("One.\n")


def test_a_row_of_days_is_walked_by_keyboard(site: str, people: Cast) -> None:
    actions.prove(people.account)
    cookie = session(people.rolf)
    with chromium() as browser, page_of(browser, site, cookie) as page:
        page.goto(f"{site}/{people.account.slug}/promises/?state=kept")
        row = page.get_by_role("slider").first
        row.focus()
        expect(row).to_have_attribute(
            "aria-valuetext",
            f"{page.evaluate('new Date().getUTCDate()')} "
            + page.evaluate("new Intl.DateTimeFormat('en-GB', {month: 'short'}).format()")
            + ": Kept",
        )
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".days output").first).to_contain_text("Not looked at")
        expect(page.locator(".days output").first).to_be_visible()


def test_nothing_keeps_anybody_from_these_pages(people: Cast) -> None:
    slug, petra = people.account.slug, people.petra
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE privacy_noticeversion SET digest = '' WHERE account_id = %s", [people.account.pk])
    actions.prove(people.account)
    (incident,) = incidents.open_of(people.account)
    draft = draft_of(people)
    addresses = [f"/{slug}/promises/", f"/{slug}/promise-desk/", f"/{slug}/promise-desk/incidents/{incident.pk}/"]
    addresses += [f"/{slug}/promise-desk/gaps/", f"/{slug}/promise-desk/choices/", f"/{slug}/notice-editor/"]
    addresses += [f"/{slug}/notice-editor/{draft.pk}/", f"/{slug}/notice-editor/{draft.pk}/?pane=change"]
    assert violations(client_for(petra), addresses) == []

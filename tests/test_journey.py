"""`kept demo` as its people use it, in a real browser: Alice at work, Dana in the privacy centre, and a certificate checked offline."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kept.project.demo import PASSWORD
from tests.plugin import needs

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
KEPT = (sys.executable, "-m", "kept.project.cli")
PAGES = ("people", "companies", "imports", "imports/new", "requests", "requests/new", "promise-desk", "notice", "promises", "privacy")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demonstration, served as `make demo` serves it; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEPT_")}
    environment |= {"KEPT_DATA": str(tmp_path_factory.mktemp("demo"))}
    log = tmp_path_factory.mktemp("log") / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*KEPT, "demo", "--port", str(port)], env=environment, stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.fail(log.read_text())
            try:
                urllib.request.urlopen(f"{address}/health/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=needs("chromium"), args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on a message in the console, such as a broken content policy."""
    context = browser.new_context(locale="en-GB", accept_downloads=True, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def sign_in(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/larch/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/larch/people/")


def letter(page: Page, site: str, subject: str) -> str:
    """The link in the newest letter with that subject, once the worker has sent it."""
    for _ in range(100):
        page.goto(f"{site}/outbox/")
        found = page.get_by_role("link", name=subject)
        if found.count():
            found.first.click()
            href = page.locator("main a[href*='/privacy/confirm/']").first.get_attribute("href")
            assert href
            return href
        page.wait_for_timeout(200)
    raise AssertionError(f"No letter “{subject}” came.")


def asked(page: Page, site: str, kind: str, subject: str) -> None:
    """Dana asks, opens her letter and says that it was her."""
    page.goto(f"{site}/larch/privacy/ask/{kind}/")
    page.get_by_label("Your email address").fill("dana@quayside.example")
    page.get_by_role("button", name="Send me the letter").click()
    expect(page.get_by_role("heading", name="A letter is on its way")).to_be_visible()
    page.goto(letter(page, site, subject))
    page.get_by_role("button", name="Yes, it was me").click()


def test_alice_finds_dana_and_reads_why_each_field_is_held(page: Page, site: str) -> None:
    sign_in(page, site, "alice@larch.example")
    page.get_by_role("searchbox").fill("dana mar")
    page.get_by_role("searchbox").press("Enter")
    page.locator("table").get_by_role("link", name="Dana Marsh").click()
    expect(page.get_by_role("heading", name="Dana Marsh", level=1)).to_be_visible()
    popovers = page.locator("details.why")
    assert popovers.count() >= 5
    for n in range(popovers.count()):
        popovers.nth(n).locator("summary").focus()
        page.keyboard.press("Enter")
        expect(popovers.nth(n)).to_contain_text("the order book")
        expect(popovers.nth(n)).to_contain_text("collect:customer-file")
        page.keyboard.press("Escape")


def test_charlie_of_another_account_finds_nothing_here(page: Page, site: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_label("Email").fill("charlie@quarry.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/quarry/people/")
    assert page.request.get(f"{site}/larch/people/").status == 404


@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_and_names_itself(page: Page, site: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, site, "alice@larch.example")
    for path in PAGES:
        page.goto(f"{site}/larch/{path}/")
        assert page.locator("h1").count() == 1, path
        assert page.locator("main").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width} pixels"
        controls = "[...document.querySelectorAll('main button, main input:not([type=hidden]), main select, main textarea')]"
        named = "e.textContent.trim() || e.ariaLabel || e.title || e.labels?.length || e.getAttribute('aria-labelledby')"
        assert page.evaluate(f"{controls}.filter(e => !({named})).map(e => e.outerHTML)") == [], path


def test_dana_gets_her_copy_and_then_is_erased(page: Page, site: str, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    asked(page, site, "access", "Get a copy of your data")
    button = page.get_by_role("button", name="Download your copy")
    expect(button).to_be_visible(timeout=30_000)
    with page.expect_download() as copy:
        button.click()
    assert copy.value.path().stat().st_size > 1000

    asked(page, site, "erase", "Have everything erased")
    link = page.get_by_role("link", name="Download the certificate")
    expect(link.first).to_be_visible(timeout=30_000)
    with page.expect_download() as certificate:
        link.first.click()
    held, key = tmp_path / "kept-certificate.json", tmp_path / "ledger-key.pem"
    held.write_bytes(certificate.value.path().read_bytes())
    key.write_bytes(page.request.get(f"{site}/larch/privacy/ledger-key.pem").body())

    def verify(*arguments: object) -> str:
        done = subprocess.run([*KEPT, "verify", *map(str, arguments)], capture_output=True, text=True, check=False)
        return f"{done.returncode} {done.stdout}"

    assert verify(held, "--key", key).startswith("0 valid")
    assert verify(held).startswith("1 consistent, signer unknown")
    held.write_bytes(held.read_bytes().replace(b'"kind":"erasure"', b'"kind":"Erasure"', 1))
    assert verify(held, "--key", key).startswith("1 invalid")

    sign_in(page, site, "alice@larch.example")
    page.goto(f"{site}/larch/people/?q=dana+marsh")
    expect(page.locator("table")).to_have_count(0)

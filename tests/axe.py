"""Accessibility of pages in Chromium, by axe-core as a package of the tests bundles it: nothing is fetched.

A test that uses this carries the marks `browser` and, as a rule, `sqlite`: what a page looks like is the same on every engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import axe_playwright_python
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, Route, sync_playwright

from tests.plugin import needs

SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1440, 390)
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
SITE = "http://testserver"


def violations(client: Client, addresses: Sequence[str]) -> list[str]:
    """What is wrong with the pages that this client gets: see `faults`."""
    # Answers are had beforehand: Django does not answer where an event loop runs, as Playwright's does.
    answers = {address: client.get(address) for address in addresses}
    assert {address: one.status_code for address, one in answers.items() if one.status_code != 200} == {}
    return faults({address: one.content.decode() for address, one in answers.items()})


def faults(pages: Mapping[str, str]) -> list[str]:
    """What is wrong with pages, by address, at both widths and in both colour schemes: empty where they are well.

    Each line says address, width and scheme, rule, impact, help and place; a page that scrolls sideways is wrong as well.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(needs("chromium")), args=["--no-sandbox"])
        found = [line for address, html in pages.items() for line in _examined(browser, address, html)]
        browser.close()
    return found


def _examined(browser: Browser, address: str, html: str) -> Iterator[str]:
    for width in WIDTHS:
        for scheme in SCHEMES:
            # Our policy lets no foreign script run; axe is put in past it.
            view = {"width": width, "height": 900}
            context = browser.new_context(viewport=view, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)  # type: ignore[arg-type]
            page = context.new_page()
            page.route("**/*", lambda route: answer(route, address, html))
            page.goto(SITE + address)
            page.evaluate(SCRIPT.read_text(encoding="utf-8"))
            result: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            context.close()
            where = f"{address} at {width}, {scheme}"
            for one in result["violations"]:
                places = (" ".join(map(str, node["target"])) for node in one["nodes"])
                yield from (f"{where}: {one['id']} ({one['impact']}): {one['help']}: {place}" for place in places)
            if wide > 0:
                yield f"{where}: scrolls {wide} pixels sideways"


def answer(route: Route, address: str, html: str) -> None:
    """The page itself, its static files, and nothing else."""
    path = urlsplit(route.request.url).path
    if path == urlsplit(address).path:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    elif path.startswith("/static/") and (found := finders.find(path.removeprefix("/static/"))):
        route.fulfill(path=str(found))
    else:
        route.abort()

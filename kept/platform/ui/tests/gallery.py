"""A gallery of every layout and component with invented people: rendered by the tests, looked at when something changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory
from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from kept.platform.ui.charts import Chart, Series
from kept.platform.ui.formats import NOTHING
from kept.platform.ui.keyset import Page
from kept.platform.ui.pages import Link, Masthead, Shell

HERE = Path(__file__).parent / "gallery"
PAGES = sorted(path.stem for path in HERE.glob("*.html"))
AT = dt.datetime(2026, 8, 14, 9, 31, tzinfo=dt.UTC)

SHELL = Shell(
    account="Larch & Daughters",
    rooms=[
        Link("People", "/larch/people/", current=True, badge="48,210", icon="people"),
        Link("Companies", "/larch/companies/", badge="6,004", icon="company"),
        Link("Deals", "/larch/deals/", badge="311", icon="deal"),
        Link("Requests", "/larch/requests/", badge="2 due", tone="warn", icon="request", group="privacy"),
        Link("Promises", "/larch/promises/", badge="1 broken", tone="bad", icon="promise", group="privacy"),
        Link("Notice", "/larch/notice/", badge="v7", icon="notice", group="privacy"),
        Link("Imports", "/larch/imports/", icon="import", group="work"),
        Link("Settings", "/larch/settings/", icon="settings", group="work"),
    ],
    purpose="customer relations",
    user="Alice Larch",
    search_url="/larch/people/",
    menu=[Link("Your sign-in", "/profile/")],
    sign_out_url="/sign-out/",
)
MASTHEAD = Masthead("Larch & Daughters", "/p/larch/", [Link("Notice", "#", current=True), Link("Promises", "#"), Link("Your data", "#")])
MONTHS = ("May", "June", "July", "August")
LINES = Chart(
    "lines",
    "Who agrees",
    "By month.",
    MONTHS,
    [Series("News", [None, 0.4, 0.5, 0.47]), Series("Catalogue", [0.8, 0.7, None, 0.75])],
    percent=True,
)
BARS = Chart(
    "bars", "Proofs", "By month.", MONTHS, [Series("Kept", [50, 59, 60, 59], "kept"), Series("Broken", [1, 0, 0, 1], "broken")], "bars"
)
NO_CONSENT = {"reason": "withheld, no consent", "rule": "limit:phone-on-request"}
CONTESTED = {"reason": "restricted, accuracy contested"}
PEOPLE = [
    dict(zip(("name", "company", "email", "phone", "basis", "tone"), row, strict=True))
    for row in (
        ("Dana Marsh", "Quayside Joinery", "dana@quayside.example", "+44 117 555 0142", "Contract", "ok"),
        ("Jonas Olsen", "Olsen Boats", "jonas@olsen.example", NO_CONSENT, "Consent", "ok"),
        ("Rosa Prieto", "", "rosa@prieto.example", "+34 91 555 0117", "Legitimate interest", ""),
        ("Tom Wills", "Harbour Inn", CONTESTED, {"reason": "restricted"}, "Restricted", "restricted"),
        ("Ada Brandt", "Brandt Optik", "ada@brandt.example", "+49 30 555 0101", "Contract", "ok"),
    )
]


class Person(forms.Form):
    """One field of each kind, bound to input that is partly wrong."""

    name = forms.CharField(label="Name", help_text="As they write it themselves.")
    email = forms.EmailField(label="Email", required=False)
    basis = forms.ChoiceField(label="Lawful basis", choices=[("contract", "Contract"), ("consent", "Consent")])
    channels = forms.MultipleChoiceField(
        label="Channels", choices=[("mail", "Mail"), ("phone", "Phone")], widget=forms.CheckboxSelectMultiple, required=False
    )
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    told = forms.BooleanField(label="They were told where the data came from", help_text="Art. 14")
    photo = forms.FileField(label="Photo", required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def request() -> HttpRequest:
    """A visitor's request as the middleware leaves it, with one message waiting."""
    made = RequestFactory().get("/larch/people/", {"q": "oak", "order": "-seen"})
    made.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    made._messages = CookieStorage(made)  # type: ignore[attr-defined]
    made._messages.add(25, "Dana Marsh was saved.")  # type: ignore[attr-defined]
    return made


def environment() -> Environment:
    """The product's own environment, which also finds the gallery."""
    env: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    return env.overlay(loader=ChoiceLoader([env.loader, FileSystemLoader(HERE)]))  # type: ignore[list-item]


def rendered(name: str) -> str:
    """One page of the gallery."""
    people = [{**person, "seen": AT - dt.timedelta(days=9 * n)} for n, person in enumerate(PEOPLE)]
    context: dict[str, Any] = {
        "request": request(),
        "csrf_token": "t0ken",
        "csrf_input": "",
        "shell": SHELL,
        "masthead": MASTHEAD,
        "at": AT,
        "lines": LINES,
        "bars": BARS,
        "none_mark": NOTHING,
        "page": Page(people, next="n", previous="p", count=1204),
        "form": Person({"name": "", "email": "dana", "basis": "contract"}),
    }
    return environment().get_template(f"{name}.html").render(context)

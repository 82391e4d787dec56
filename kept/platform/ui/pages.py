"""Rendering a page, and what the layouts need to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines


@dataclass(frozen=True)
class Link:
    """An entry of the rail, a menu or a row of tabs. A change of `group` draws a line; `tone` colours the badge (see `tag`)."""

    label: str
    url: str
    current: bool = False
    badge: str = ""
    tone: str = ""
    icon: str = ""
    group: str = ""


@dataclass(frozen=True)
class Shell:
    """What `ui/app.html` shows around a room. On a phone the first four rooms stand in the bar, the rest under More."""

    account: str
    rooms: Sequence[Link]
    purpose: str
    user: str
    home_url: str = "/"
    search_url: str = ""
    menu: Sequence[Link] = ()
    sign_out_url: str = ""


@dataclass(frozen=True)
class Banner:
    """A change that every public page tells of: a sentence, what changes, and where to read more."""

    says: str
    lines: Sequence[str]
    more: Link


@dataclass(frozen=True)
class Masthead:
    """What `ui/reading.html` shows around a public page: whose it is, where else one can go, and what is to be told."""

    account: str
    home_url: str
    links: Sequence[Link] = ()
    banner: Banner | None = None


def render(request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A page from one of our own templates; a name that the template uses and `context` lacks is an error."""
    page = engines["jinja2"].get_template(template)
    return HttpResponse(page.render(dict(context or {}), request), status=status)

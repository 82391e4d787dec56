"""The Jinja2 environment of every page: escaping on, undefined names are errors, gettext throughout."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.templatetags.static import static as static_url
from django.urls import reverse
from django.utils import timezone, translation
from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from kept.platform.ui import formats
from kept.platform.ui.middleware import is_fragment
from kept.platform.ui.tables import Column


def environment(**options: Any) -> Environment:
    """Django's jinja2 backend calls this once with its own options (loader, reload)."""
    options |= {"undefined": StrictUndefined, "extensions": ["jinja2.ext.i18n"], "trim_blocks": True, "lstrip_blocks": True}
    env = Environment(autoescape=True, **{key: value for key, value in options.items() if key != "autoescape"})
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext, npgettext=translation.npgettext
    )
    env.globals |= {
        "url": url,
        "static": static,
        "csp_nonce": csp_nonce,
        "toasts": toasts,
        "href": href,
        "now": timezone.now,
        "language": translation.get_language,
        "column": Column,
    }
    env.filters |= {
        "date": formats.date,
        "day": formats.day,
        "moment": formats.moment,
        "ago": formats.ago,
        "number": formats.number,
        "percent": formats.percent,
        "bytes": formats.size,
        "initials": formats.initials,
    }
    return env


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page."""
    return reverse(name, args=args, kwargs=kwargs)


def static(path: str) -> str:
    """The address of a static file, marked with its content so that browsers may keep it and still see a new release."""
    fingerprint = _fingerprint.__wrapped__ if settings.DEBUG else _fingerprint
    return f"{static_url(path)}?v={fingerprint(path)}"


@lru_cache
def _fingerprint(path: str) -> str:
    found = finders.find(path)
    if not isinstance(found, str):
        raise FileNotFoundError(f"static file {path!r} is in no app's static/ folder")
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10]


@pass_context
def csp_nonce(context: Context) -> str:
    """The nonce of this response; empty on a page rendered outside a request, whose scripts then do not run."""
    return getattr(context.get("request"), "csp_nonce", "")


@pass_context
def toasts(context: Context) -> list[Any]:
    """Django's messages for this visitor, read once; none outside a request or on a page that htmx takes a part from."""
    request = context.get("request")
    return list(get_messages(request)) if request is not None and not is_fragment(request) else []


def href(request: HttpRequest, **changes: object) -> str:
    """This page's address with some query parameters changed; None takes one away."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path

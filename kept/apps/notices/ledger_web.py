"""What lets anybody outside watch the ledger: its signed heads, and the proof that it only grew from one to another.

Neither names anybody. Between two heads that were signed nothing ever changes, so such an answer may be kept for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from kept.apps.notices import queries
from kept.core.errors import BadInput
from kept.core.ledger import encode
from kept.platform.privacy import ledger

NEWEST = "public, max-age=60"
"""A head is signed every minute."""
SIGNED = "public, max-age=31536000, immutable"
LONGEST = 15
"""Digits of a size: below 2**53, and more entries than a ledger ever has."""


@require_GET
def head(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest signed head, or with `size` that of so many entries."""
    account, size = queries.published(slug).account, _size(request, "size")
    return _file(ledger.head(account.pk, size), NEWEST if size is None else SIGNED)


@require_GET
def consistency(request: HttpRequest, slug: str) -> HttpResponse:
    """The proof that the ledger under the head of size `to` (else the newest) begins with that of size `from`."""
    account, old, new = queries.published(slug).account, _size(request, "from"), _size(request, "to")
    if old is None:
        raise BadInput(_("The size to begin from is missing."), place="from", cure=_("Give that of a head you hold: ?from=12."))
    return _file(ledger.consistency(account.pk, old, new), NEWEST if new is None else SIGNED)


def _size(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST):
        raise BadInput(_("This is no size of a ledger."), place=name, cure=_("Give a number of entries, such as 12."))
    return int(text)


def _file(document: Mapping[str, Any], caching: str) -> HttpResponse:
    """The document byte for byte as it verifies."""
    return HttpResponse(encode(document), content_type="application/json", headers={"Cache-Control": caching})

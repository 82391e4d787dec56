"""Passing on, where we act for others: a processor answers nobody in its customer's name, and tells nobody what its customers hold.

Whoever asks hears that it was passed on to whoever is responsible, if any is. Each customer of ours on this deployment who knows the
person gets a request of its own, and answers it alone; the asker hears from each only of its own.
"""

from __future__ import annotations

from django.utils import timezone

from kept.apps.requests import letters, outbox, private
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.actions.intake import PAGE_STAYS, Asked, receive
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.core.errors import BadInput, Conflict, NotFound
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.privacy import subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import accounts_in_force


def forward(account: Account, request: Request) -> None:
    """Pass a request whose address is proved on to our customers who know the person. May be called again: each gets it once."""
    held = private.open_private(request)
    for customer in accounts_in_force():
        if customer.processor_id == account.pk and _knows(customer, held, request.region) and not _passed(customer, request):
            asked = Asked(
                Kind(request.kind),
                Channel.FORWARDED,
                request.region,
                held.email,
                held.known_by,
                held.value,
                details=held.details,
                proof="link",
            )
            receive(customer, asked, memory={"origin": request.reference})
            point("requests:forwarded")
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.RECEIVED})
        now = timezone.now()
        change(
            use,
            request,
            person(request),
            state=State.REFERRED,
            proof="link",
            verified_at=now,
            answered_at=now,
            closes_at=now + PAGE_STAYS,
            link="",
        )
        outbox.post(use, request, letters.referred(account, request))


def _knows(customer: Account, held: private.Private, region: str) -> bool:
    known = (held.known_by, held.value) if held.value else ("email", held.email)
    with reserved(customer.pk, "job:forwarding", "matching") as use:
        try:
            subjects.find(use, *known, region)
        except (NotFound, BadInput):
            return False
        except Conflict:
            return True
    return True


def _passed(customer: Account, request: Request) -> bool:
    with bookkeeping(customer.pk) as use:
        return Request.under(use).filter(channel=Channel.FORWARDED, decision__origin=request.reference).exists()

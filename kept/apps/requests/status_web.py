"""The page of one request: how far it has come, what the person still has to do or say, and what they can fetch or take back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from kept.apps.requests import actions, attachments, choosing, limits, phrases, private, progress, queries, talking, verifying
from kept.apps.requests.actions import proving
from kept.apps.requests.answers import gpc, restricting
from kept.apps.requests.asking import FactsForm, MessageForm
from kept.apps.requests.lifecycle import REVOCABLE
from kept.apps.requests.models import Kind, Request, State
from kept.apps.requests.web import attachment, page
from kept.core import ledger as core
from kept.core.errors import BadInput, NotFound, Refused
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug
from kept.platform.privacy import consents, ledger
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import policy_of
from kept.platform.ui.middleware import is_fragment

KNOWN = frozenset({State.READY, State.HIDDEN, State.WORKING})
"""Where it is settled who asks, and they may have what concerns them alone."""


def _found(slug: str, token: str) -> tuple[Account, Request]:
    account = account_by_slug(slug)
    return account, queries.by_page(account.pk, token)


@require_GET
def status(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The page of one request, like that of a parcel."""
    account, found = _found(slug, token)
    heeded = None
    signal = gpc.sent(request.headers.get("Sec-GPC")) and not is_fragment(request)
    if signal and found.closed_at is None and gpc.honour(account, found):
        heeded = choosing.opted_out(account, found)
    return _status(request, account, found, token, heeded=heeded)


def _status(
    request: HttpRequest,
    account: Account,
    found: Request,
    token: str,
    *,
    heeded: datetime | None = None,
    facts: FactsForm | None = None,
    message: MessageForm | None = None,
) -> HttpResponse:
    _key, public = ledger.signing_key(account.pk)
    key_url = settings.SITE + reverse("requests:ledger-key", args=[account.slug])
    talking_on, wrong = talking.may_write(found), bool((facts and facts.errors) or (message and message.errors))
    role = queries.passed_on(account, found.data) if found.state == State.REFERRED else None
    context = {
        "token": token,
        "state": found.state,
        "kind": found.kind,
        "switches": choosing.grouped(choosing.switches(account, found))
        if found.kind == Kind.CHOICES and found.state == State.READY
        else [],
        "unproved": found.decision.get("outcome") == "unverified",
        "key_url": key_url,
        "commands": f"curl -O {key_url}\nkept verify kept-certificate.json --key ledger-key.pem",
        "key_id": public.id,
        "complaint": queries.complaint(account, found.region),
        "heeded": heeded,
        "facts": _facts(account, found, facts),
        "lacking": [capfirst(phrases.said(phrases.POWERS, one)) for one in _lacking(found)],
        "said": talking.said(found),
        "files": talking.files(found),
        "message": (message or MessageForm()) if talking_on else None,
        "writing": bool(message and message.errors),
        "revocable": found.state in REVOCABLE and found.closed_at is None,
        "effective": found.effective_at,
        "again": _second_word(found),
        "lifts": found.kind == Kind.RESTRICT and found.state == State.READY and _restricts(found),
        "receipt": found.state in KNOWN and found.verified_at is not None and found.kind != Kind.ERASE and found.closed_at is None,
        "to": role.to if role is not None else "",
        **progress.shown(account, found),
    }
    return page(request, "status.html", account, context, status=HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK)


def _lacking(found: Request) -> Sequence[str]:
    acted_for = found.decision.get("by", "self") != "self" and found.state == State.RECEIVED and found.closed_at is None
    return proving.lacking(found) if acted_for else ()


def _restricts(found: Request) -> bool:
    """Whether something is restricted by it, and not about to be used again."""
    return bool(restricting.holds(found)) and "lifting" not in found.decision


def _second_word(found: Request) -> bool:
    """Whether an opt-in waits for its second yes."""
    return found.kind == Kind.OPT_IN_SALE and found.state == State.RECEIVED and found.proof == "link" and found.closed_at is None


# Facts that are held


def _right(account: Account, found: Request) -> RightTerms | None:
    return queries.right_of(policy_of(account.pk), found.kind, found.region)


def _facts(account: Account, found: Request, form: FactsForm | None = None) -> dict[str, Any] | None:
    """What is asked to know the person by, where facts are what is missing: how many, of which, and how often one may still try."""
    right = _right(account, found)
    needed = verifying.facts_needed(right)
    if not needed or found.state != State.RECEIVED or found.proof != "link" or found.decision.get("by", "self") != "self":
        return None
    asked = [one for one in verifying.asked_of(right) if one != "email"]
    left = verifying.MOST_TRIES - found.tries
    tries = ngettext("One try is left.", "%(n)d tries are left.", left) % {"n": left}
    return {"form": form or FactsForm(notice=policy_of(account.pk).notice, asked=asked), "needed": needed - 1, "tries": tries}


@require_POST
def match(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Compare facts with what we hold. Nothing that is said back tells which of them was right."""
    account, found = _found(slug, token)
    asked = [one for one in verifying.asked_of(_right(account, found)) if one != "email"]
    form = FactsForm(request.POST, notice=policy_of(account.pk).notice, asked=asked)
    if not form.is_valid():
        return _status(request, account, found, token, facts=form)
    if not limits.may_guess(account.pk, private.open_private(found).email, found.region):
        form.add_error(None, _("This has been tried too often today. Go on tomorrow, or write to us: one of us looks at it."))
        return _status(request, account, found, token, facts=form)
    try:
        if actions.match(account, found, form.facts()):
            messages.success(request, _("That is enough: we know that it is you."))
            return redirect("requests:status", account.slug, token)
    except BadInput as error:
        form.add_error(None, f"{error.message} {error.cure}")
        return _status(request, account, found, token, facts=form)
    found = queries.by_reference(account.pk, found.reference)
    if found.state != State.RECEIVED:
        return redirect("requests:status", account.slug, token)
    form.add_error(None, _("Not enough of this matches what we hold. Look for a slip of the pen, or fill in another fact."))
    return _status(request, account, found, token, facts=form)


# What the person does


@require_POST
def confirm_again(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The second yes of somebody who allows sale and sharing again."""
    account, found = _found(slug, token)
    proving.confirm_again(account, found)
    return redirect("requests:status", account.slug, token)


@require_POST
def revoke(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Take it back: before it is done, and an erasure until its day."""
    account, found = _found(slug, token)
    actions.revoke(account, found)
    messages.success(request, _("Your request is taken back."))
    return redirect("requests:status", account.slug, token)


@require_POST
def lift(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """End a restriction of one's own."""
    account, found = _found(slug, token)
    restricting.lift(account, actions.person(found), found, "")
    messages.success(request, _("You hear from us by letter, and then your data is used again as our notice says."))
    return redirect("requests:status", account.slug, token)


@require_POST
def write(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Write to the team, or send a file."""
    account, found = _found(slug, token)
    form = MessageForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            file = form.cleaned_data.get("file")
            talking.write(account, found, form.cleaned_data["text"], looked_at([("evidence", file)] if file else []))
        except (BadInput, Refused) as error:
            form.add_error("file" if form.cleaned_data.get("file") and error.place != "text" else "text", f"{error.message} {error.cure}")
        else:
            messages.success(request, _("We have your message."))
            return redirect("requests:status", account.slug, token)
    return _status(request, account, found, token, message=form)


def looked_at(files: Sequence[tuple[str, UploadedFile[bytes]]]) -> list[talking.File]:
    """What each file is for, its name and its bytes, before anything is kept. Raises BadInput, Refused for one that is not taken."""
    read = [(what, file.name or "", file.read(attachments.MOST_BYTES + 1)) for what, file in files]
    for _what, name, content in read:
        attachments.media_type(name, content)
    return read


@require_POST
def choose(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Turn one thing on or off, at once, and say what holds now. What takes two steps is asked again first."""
    account, found = _found(slug, token)
    about, on = request.POST.get("purpose", ""), bool(request.POST.get("on"))
    if on and not request.POST.get("sure"):
        switch = next((one for one in choosing.switches(account, found) if one.about == about), None) if found.closed_at is None else None
        if switch is not None and switch.twice:
            return page(request, "sure.html", account, {"switch": switch, "token": token})
    before = choosing.choose(account, found, about, on=on)
    messages.success(request, before.open if on else before.shut)
    return redirect("requests:status", account.slug, token)


# What the person fetches


@require_POST
def package(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The copy itself. By POST, so that no program that follows links fetches it."""
    account, found = _found(slug, token)
    return attachment(actions.fetch_package(account, found, actions.person(found)), "your-data.zip", "application/zip")


@require_GET
def certificate(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """The certificate, byte for byte as it verifies."""
    account, found = _found(slug, token)
    return attachment(actions.fetch_certificate(account, found), "kept-certificate.json", "application/json")


@require_POST
def receipt(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """What the person decided and what follows, after ISO/IEC TS 27560. By POST: each is a new document, and an entry of the ledger."""
    account, found = _found(slug, token)
    gone = NotFound(_("There is no receipt to be had here."), place="receipt", cure=_("Ask for a new link in the privacy centre."))
    if found.state not in KNOWN or found.verified_at is None or found.closed_at is not None:
        raise gone
    site = settings.SITE
    with reserved(account.pk, actions.person(found), "rights", rule=found.rule, request=found.reference) as use:
        subject = queries.subject_of(use, found)
        if subject is None:
            raise gone
        notice, centre = f"{site}/{account.slug}/notice/", site + reverse("requests:centre", args=[account.slug])
        made = consents.receipt(use, subject, notice=notice, changes=centre, request=found.reference)
    return attachment(core.encode(made), "kept-receipt.json", "application/json")

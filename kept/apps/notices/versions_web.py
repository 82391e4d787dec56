"""Pages about versions: their history and feed for everybody, a person's agreement, and the team's decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kept.apps.notices import editor, editor_queries, jobs, queries, versions, versions_history
from kept.apps.notices.web import _inside, _public
from kept.core.errors import BadInput, Conflict, NoticeError, NotPermitted
from kept.core.notice.diff import Change
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.queries import account_by_slug
from kept.platform.privacy import versions as kept_versions
from kept.platform.ui.pages import render

LARGEST = 1_000_000
"""Bytes of a notice that is taken in."""


def _words() -> Mapping[str, str]:
    return {"wider": _("We may do more, or you have less"), "narrower": _("We may do less, or you have more"), "neutral": _("Otherwise")}


def _grouped(changes: list[Change]) -> list[tuple[str, str, list[Change]]]:
    return [(way, _words()[way], found) for way, found in versions_history.grouped(changes)]


# For everybody


@require_GET
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version, and what it changed in effect."""
    here = queries.published(slug)
    lines = [(line, _grouped(list(line.changes))) for line in versions_history.history(here.account)]
    return render(request, "notices/versions_public.html", _public(here, "versions") | {"lines": lines})


@require_GET
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as an Atom feed."""
    here = queries.published(slug)
    address = request.build_absolute_uri(reverse("notices:history", args=[slug]))
    made = Atom1Feed(
        title=_("%(title)s, %(account)s: versions") % {"title": here.notice.title, "account": here.account.name},
        link=address,
        description="",
        feed_url=request.build_absolute_uri(),
        author_name=here.account.name,
    )
    for line in versions_history.history(here.account):
        title = _("Version %(number)s, announced") if line.coming else _("Version %(number)s")
        says = [one.sentence for _way, _title, found in _grouped(list(line.changes)) for one in found]
        made.add_item(
            title=title % {"number": line.number},
            link=f"{address}#version-{line.number}",
            unique_id=f"urn:sha256:{line.digest}",
            description="\n".join(says) or _("Nothing changes in effect."),
            pubdate=line.decided,
            updateddate=line.since if not line.coming else line.decided,
        )
    return HttpResponse(made.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, slug: str, link: str) -> HttpResponse:
    """What a version changes for the person of a letter, who may agree or stay. Opening it does nothing."""
    account = account_by_slug(slug)
    if request.method == "POST":
        versions.agree(account, link)
        return redirect("notices:agree", slug, link)
    offer = versions.offered(account, link)
    here = queries.published(slug)
    context = _public(here, "") | {"offer": offer, "groups": _grouped(list(offer.changes)), "coming": offer.number != here.version.number}
    response = render(request, "notices/versions_agree.html", context)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


# For the team


@team("settings.manage")
@require_http_methods(["GET", "POST"])
def new(request: TeamRequest) -> HttpResponseBase:
    """A text, what it would change, and the decision for it."""
    here = queries.published(request.account.slug)
    text, error = _text(request)
    seen, findings = None, []
    if text and not error:
        try:
            seen = kept_versions.preview(request.account, text)
            findings = list(seen.findings)
        except NoticeError as unreadable:
            findings = list(unreadable.findings)
    if seen is not None and request.POST.get("decide"):
        try:
            editor.decide(request.account, request.member, text, tell=request.POST.getlist("tell"))
        except (NoticeError, Conflict, BadInput, NotPermitted) as refused:
            error = f"{refused.message} {refused.cure}"
        else:
            jobs.bring_about.enqueue(account_id=request.account.pk)
            messages.success(request, _("Decided. People are told, and it takes effect when it was said to."))
            return redirect("notices:versions", slug=request.account.slug)
    context: dict[str, Any] = {
        "text": text,
        "error": error,
        "seen": seen,
        "findings": findings,
        "groups": _grouped(list(seen.diff.changes)) if seen else [],
        "agreed": bool(seen) and editor_queries.approved_text(request.account, text) is not None,
        "ways": [(way, _ways()[way], "") for way in seen.tell] if seen else [],
    }
    status = 400 if error else 200
    return render(request, "notices/activate.html", _inside(request, here, "versions") | context, status=status)


def _ways() -> Mapping[str, str]:
    banner, letter = _("a banner on the public pages"), _("a letter by email")
    return {"banner": banner, "email": letter, "site": _("the public page"), "feed": _("the feed")}


def _text(request: TeamRequest) -> tuple[str, str]:
    """The text that was pasted or handed in, and what is wrong with it."""
    file, draft = request.FILES.get("file"), request.GET.get("draft", "")
    if request.method == "GET" and draft.isdecimal() and len(draft) < 10:
        return editor_queries.draft(request.account, int(draft)).text, ""
    if file is None:
        return request.POST.get("text", "").replace("\r\n", "\n"), ""
    if (file.size or 0) > LARGEST:
        return "", _("This file is too large for a notice.")
    try:
        return file.read().decode("utf-8").replace("\r\n", "\n"), ""
    except UnicodeDecodeError:
        return "", _("This file is not UTF-8 text.")


@team("settings.manage")
@require_POST
def stop(request: TeamRequest) -> HttpResponseBase:
    """Call off the version on its way."""
    kept_versions.stop(request.account.pk, request.actor.reference)
    messages.success(request, _("Called off. The version in force stays."))
    return redirect("notices:versions", slug=request.account.slug)

"""Pages: the notice and its promises for everybody, the desk for the team."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kept.apps.notices import actions, jobs, published, queries
from kept.apps.notices.queries import Published
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.roles import Capability, may
from kept.platform.jobs.queries import find
from kept.platform.privacy.versions import pending
from kept.platform.ui.announced import banner
from kept.platform.ui.pages import Link, Masthead, render
from kept.platform.ui.shell import shell

MARKDOWN = "text/markdown; charset=utf-8"


# For everybody


@require_GET
def notice(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice, with a mark beside each promise."""
    here = queries.published(slug)
    region = queries.known_region(here.notice, request.GET.get("region", ""))
    of = [] if here.account.promises_private else queries.promises(here)
    return render(request, "notices/notice.html", _public(here, "notice") | published.page(here, of, region))


@require_GET
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice as it is written, rules included; `version` asks for an earlier one."""
    here = queries.published(slug)
    return HttpResponse(queries.text_of(here, request.GET.get("version", "")), content_type=MARKDOWN)


def _public(here: Published, current: str) -> dict[str, Any]:
    """What every public page shows around its content."""
    slug = here.account.slug
    links = [
        Link(_("Privacy notice"), reverse("notices:notice", args=[slug]), current=current == "notice"),
        *(
            []
            if here.account.promises_private
            else [Link(_("Promises"), reverse("notices:promises", args=[slug]), current=current == "promises")]
        ),
        Link(_("Versions"), reverse("notices:history", args=[slug]), current=current == "versions"),
        Link(_("Your data"), reverse("requests:centre", args=[slug])),
    ]
    return {
        "here": here,
        "slug": slug,
        "identity": here.notice.identity,
        "key_id": queries.ledger_state(here.account.pk).key_id,
        "masthead": Masthead(here.account.name, reverse("notices:notice", args=[slug]), links, banner(here.account)),
    }


# For the team


@team("proof.run")
@require_POST
def prove(request: TeamRequest) -> HttpResponseBase:
    """Run the proof now, in the background."""
    jobs.prove.enqueue(account_id=request.account.pk, member_id=request.member.pk)
    messages.success(request, _("The proof is under way."))
    return redirect("notices:desk", slug=request.account.slug)


@team("notice.read")
def run(request: TeamRequest, job_id: int) -> HttpResponseBase:
    """How far a proof has come; when it is over, back to the desk."""
    job = find(request.account.pk, job_id)
    address = reverse("notices:desk", args=[request.account.slug])
    if not queries.under_way(job):
        return HttpResponse(headers={"HX-Redirect": address}) if "HX-Request" in request.headers else redirect(address)
    return render(request, "notices/run.html", {"job": job, "slug": request.account.slug})


@team("proof.run")
def retention(request: TeamRequest) -> HttpResponseBase:
    """What will be erased or emptied tonight, and within the month."""
    here = queries.published(request.account.slug)
    words = {one.rule: one.words for one in queries.promises(here)}
    night = queries.last_night(request.account.pk)
    context = {"upcoming": actions.upcoming(request.account, request.actor.reference), "words": words, "night": night}
    return render(request, "notices/retention.html", _inside(request, here, "retention") | context)


@team("notice.read")
def versions(request: TeamRequest) -> HttpResponseBase:
    """Every version that was in force, and the ledger."""
    here = queries.published(request.account.slug)
    context = {
        "versions": queries.versions(request.account),
        "coming": pending(request.account.pk),
        "may_decide": may(request.member, "settings.manage"),
        "ledger": queries.ledger_state(request.account.pk),
    }
    return render(request, "notices/versions.html", _inside(request, here, "versions") | context)


def _inside(request: TeamRequest, here: Published, current: str) -> dict[str, Any]:
    """What every page of the desk that is about the notice in force shows around its content."""
    return desk_page(request, current) | {"here": here}


def desk_page(request: TeamRequest, current: str) -> dict[str, Any]:
    """What every page of the desk shows around its content: its tabs, as far as the member may open them."""
    slug = request.account.slug
    tabs: list[tuple[str, str, str, Capability]] = [
        ("desk", _("Promises"), "notices:desk", "notice.read"),
        ("gaps", _("Not yet bound"), "notices:gaps", "notice.read"),
        ("consent", _("Choices"), "notices:consent", "notice.read"),
        ("retention", _("Retention"), "notices:retention", "proof.run"),
        ("editor", _("Editor"), "notices:drafts", "notice.write"),
        ("versions", _("Versions and ledger"), "notices:versions", "notice.read"),
    ]
    shown = [one for one in tabs if may(request.member, one[3])]
    links = [Link(label, reverse(address, args=[slug]), current=current == name) for name, label, address, _may in shown]
    return {"slug": slug, "tabs": links, "shell": shell(request, "notices:desk", _("keeping promises"))}

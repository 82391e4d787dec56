"""Pages: the notice and its promises for everybody, the desk for the team."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kept.apps.notices import actions, jobs, queries
from kept.apps.notices.queries import Published
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.roles import may
from kept.platform.jobs.queries import find
from kept.platform.privacy import proofs
from kept.platform.ui.pages import Link, Masthead, render
from kept.platform.ui.shell import shell

MARKDOWN = "text/markdown; charset=utf-8"


# For everybody


@require_GET
def notice(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice, with a mark beside each promise."""
    here = queries.published(slug)
    region = queries.known_region(here.notice, request.GET.get("region", ""))
    of = queries.promises(here)
    shown = queries.blocks(here, of, region)
    read = {one.rule: one for block in shown for one in block.promises}
    context = {
        "blocks": shown,
        "summary": queries.summary(list(read.values())),
        "regions": queries.regions(here.notice),
        "region": region,
        "authority": queries.authority(here.notice, region),
    }
    return render(request, "notices/notice.html", _public(here, "notice") | context)


@require_GET
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """The notice as it is written, rules included; `version` asks for an earlier one."""
    here = queries.published(slug)
    return HttpResponse(queries.text_of(here, request.GET.get("version", "")), content_type=MARKDOWN)


@require_GET
def promises(request: HttpRequest, slug: str) -> HttpResponse:
    """Every promise, how it stands, and how it stood."""
    here = queries.published(slug)
    of = queries.promises(here)
    return render(
        request, "notices/promises.html", _public(here, "promises") | {"sections": queries.by_section(of), "summary": queries.summary(of)}
    )


@require_GET
def evidence(request: HttpRequest, slug: str, rule: str) -> HttpResponse:
    """The newest proof of one rule, as a file to keep and to verify."""
    here = queries.published(slug)
    name = rule.replace(":", "-").replace("@", "-")
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{name}.json"'}
    return JsonResponse(proofs.evidence(here.account.pk, rule), json_dumps_params={"indent": 2}, headers=headers)


def _public(here: Published, current: str) -> dict[str, Any]:
    """What every public page shows around its content."""
    slug = here.account.slug
    links = [
        Link(_("Privacy notice"), reverse("notices:notice", args=[slug]), current=current == "notice"),
        Link(_("Promises"), reverse("notices:promises", args=[slug]), current=current == "promises"),
        Link(_("Your data"), reverse("requests:centre", args=[slug])),
    ]
    return {
        "here": here,
        "slug": slug,
        "identity": here.notice.identity,
        "key_id": queries.ledger_state(here.account.pk).key_id,
        "masthead": Masthead(here.account.name, reverse("notices:notice", args=[slug]), links),
    }


# For the team


@team("notice.read")
def desk(request: TeamRequest) -> HttpResponseBase:
    """Every promise with its state and evidence; running the proof now."""
    here = queries.published(request.account.slug)
    of = queries.promises(here)
    context = {
        "promises": sorted(of, key=lambda one: proofs.ORDER.index(one.state)),
        "summary": queries.summary(of),
        "job": queries.proving(request.account.pk),
        "may_prove": may(request.member, "proof.run"),
    }
    return render(request, "notices/desk.html", _inside(request, here, "desk") | context)


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
    context = {"upcoming": actions.upcoming(request.account, request.actor.reference), "words": words}
    return render(request, "notices/retention.html", _inside(request, here, "retention") | context)


@team("notice.read")
def versions(request: TeamRequest) -> HttpResponseBase:
    """Every version that was in force, and the ledger."""
    here = queries.published(request.account.slug)
    context = {"versions": queries.versions(request.account), "ledger": queries.ledger_state(request.account.pk)}
    return render(request, "notices/versions.html", _inside(request, here, "versions") | context)


def _inside(request: TeamRequest, here: Published, current: str) -> dict[str, Any]:
    """What every page of the desk shows around its content."""
    slug = request.account.slug
    tabs = [
        Link(_("Promises"), reverse("notices:desk", args=[slug]), current=current == "desk"),
        *(
            [Link(_("Retention"), reverse("notices:retention", args=[slug]), current=current == "retention")]
            if may(request.member, "proof.run")
            else []
        ),
        Link(_("Versions and ledger"), reverse("notices:versions", args=[slug]), current=current == "versions"),
    ]
    return {"here": here, "slug": slug, "tabs": tabs, "shell": shell(request, "notices:desk", _("keeping promises"))}

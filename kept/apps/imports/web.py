"""Pages of imports: the list, the upload, and one page per import that shows what it waits for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kept.apps.imports import actions, columns, queries, staging
from kept.apps.imports.models import COMMITTED, COMMITTING, STAGED, UNDOING, UNDONE, Import
from kept.apps.imports.uploads import Staged, StagingHandler
from kept.core.errors import BadInput, KeptError, Refused
from kept.core.notice import Policy
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.privacy import gate
from kept.platform.privacy.notices import policy_of
from kept.platform.ui.pages import render
from kept.platform.ui.shell import shell


@team("records.import")
@require_safe
def imports(request: TeamRequest) -> HttpResponseBase:
    """The list."""
    gate.declared(policy_of(request.account.pk), staging.PURPOSE)
    return _page(request, "imports/list.html", {"imports": queries.imports(request.account.pk), "words": _words()})


def _form(request: TeamRequest, said: dict[str, str], errors: dict[str, str], status: int = 200) -> HttpResponseBase:
    policy = policy_of(request.account.pk)
    gate.declared(policy, staging.PURPOSE)
    terms = columns.inlet(policy, {})
    context = {
        "said": {"source": "", "basis": "", "attest": ""} | said,
        "errors": dict.fromkeys(("file", "source", "basis", "attest"), "") | errors,
        "bases": [("", _("Choose…")), *((basis.id, basis.title) for basis in columns.STATED.values())],
        "rule": terms.rule,
        "refused": sorted(policy.refused),
    }
    return _page(request, "imports/upload.html", context, status)


@csrf_protect
def _receive(request: TeamRequest) -> HttpResponseBase:
    """The form with its file, once the token was looked at."""
    handler = request.upload_handlers[0]
    assert isinstance(handler, StagingHandler)
    said = {name: request.POST.get(name, "") for name in ("source", "basis", "attest")}
    file = request.FILES.get("file")
    errors = {}
    if handler.failure is not None:
        errors["file"] = str(handler.failure)
    elif not isinstance(file, Staged):
        errors["file"] = _("Choose a CSV file.")
    if not said["attest"]:
        errors["attest"] = _("Without this statement the file is not taken in.")
    try:
        columns.check_origin(columns.inlet(policy_of(request.account.pk), {}), said["source"], said["basis"])
    except BadInput as error:
        errors[error.place] = f"{error.message} {error.cure}"
    if errors or not isinstance(file, Staged):
        handler.discard()
        return _form(request, said, errors, BadInput.status)
    run = actions.describe(request.account.pk, file.import_id, said["source"], said["basis"])
    return _to(request, run)


@csrf_exempt  # the token is looked at by _receive: only after the handler is in place may the form be read
@sensitive_post_parameters()
@team("records.import")
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: TeamRequest) -> HttpResponseBase:
    """A file, where it is from, and on which basis it may be held."""
    if request.method != "POST":
        return _form(request, {}, {})
    handler = StagingHandler(request)
    request.upload_handlers = [handler]
    try:
        answer: HttpResponseBase = _receive(request)
    except Exception:
        handler.discard()
        raise
    if answer.status_code == 403:  # the token did not fit
        handler.discard()
    return answer


@team("records.import")
@require_safe
def show(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """One import, at whatever stage it is."""
    run = queries.find(request.account.pk, import_id)
    if run.state == STAGED:
        return _staged(request, run)
    if run.state in (COMMITTING, UNDOING):
        return _page(request, "imports/running.html", _running(request, run))
    return _page(request, "imports/result.html", _result(request, run))


@team("records.import")
@require_safe
def progress(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """The progress alone, for the page that polls it; when the work is done, the way to the result."""
    run = queries.find(request.account.pk, import_id)
    if run.state in (COMMITTING, UNDOING):
        return render(request, "imports/progress.html", _running(request, run))
    return HttpResponse(status=200, headers={"HX-Redirect": _address(request, run)})


@team("records.import")
@require_POST
def map_columns(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """Say what the columns are."""
    run = queries.find(request.account.pk, import_id)
    names: list[str] = run.layout["names"]
    mapping = {name: request.POST.get(f"column-{place}", "") for place, name in enumerate(names)}
    try:
        actions.describe(request.account.pk, import_id, run.source, run.basis, mapping)
    except (BadInput, Refused) as error:
        return _staged(request, run, error, mapping)
    return _to(request, run)


@team("records.import")
@require_POST
def commit(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """Begin to commit."""
    run = queries.find(request.account.pk, import_id)
    try:
        actions.begin(request.account.pk, import_id, request.actor)
    except (BadInput, Refused) as error:
        return _staged(request, run, error)
    return _to(request, run)


@team("records.import")
@require_POST
def discard(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """Forget a staged file."""
    actions.discard(request.account.pk, import_id)
    messages.success(request, _("The file is forgotten. Its key is destroyed, so nothing of it can be read again."))
    return redirect("imports:list", slug=request.account.slug)


@team("records.import")
@require_POST
def undo(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """Take an import back."""
    return _to(request, actions.undo(request.account.pk, import_id, request.actor))


@team("records.import")
@require_safe
def rejects(request: TeamRequest, import_id: int) -> HttpResponseBase:
    """The rejects as CSV."""
    lines = queries.rejects(queries.find(request.account.pk, import_id))
    name = f'attachment; filename="rejects-{import_id}.csv"'
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def _staged(request: TeamRequest, run: Import, error: KeptError | None = None, mapping: dict[str, str] | None = None) -> HttpResponseBase:
    policy = policy_of(run.account_id)
    chosen = run.mapping if mapping is None else mapping
    context = {
        "run": run,
        "error": error,
        "choices": [("", _("Leave it out")), *((target.id, target.label) for target in columns.TARGETS.values())],
        "columns": [{"place": place, "name": name, "target": chosen.get(name, "")} for place, name in enumerate(run.layout["names"])],
        "closed": columns.guess(run.layout["names"], policy)[1],
        "refused": _refused(run, policy),
        "preview": actions.preview(run.account_id, run.pk, request.actor),
        "identified": set(run.mapping.values()) & set(columns.IDENTIFYING),
        "reason": queries.reason,
        "basis": BASES[run.basis].title if run.basis in BASES else "",
    }
    return _page(request, "imports/staged.html", context, error.status if error else 200)


def _refused(run: Import, policy: Policy) -> list[dict[str, str]]:
    """Dropped columns, each with the notice's rule where it has one."""
    return [
        {**one, "rule": policy.refused_by(one["category"]).name if one["category"] in policy.refused else ""}
        for one in run.layout["refused"]
    ]


def _running(request: TeamRequest, run: Import) -> dict[str, Any]:
    undoing = run.state == UNDOING
    return {
        "run": run,
        "undoing": undoing,
        "done": run.undone if undoing else run.position,
        "total": run.created if undoing else run.batches,
        "poll_url": reverse("imports:progress", args=[request.account.slug, run.pk]),
    }


def _result(request: TeamRequest, run: Import) -> dict[str, Any]:
    with gate.acting(run.account_id, request.actor, staging.PURPOSE) as use:
        left = queries.people_left(use, run)
    return {
        "run": run,
        "people_left": left,
        "words": _words(),
        "report": queries.report(run),
        "refused": _refused(run, policy_of(run.account_id)),
        "ignored": [name for name in run.layout["names"] if name not in run.mapping],
        "basis": BASES[run.basis].title if run.basis in BASES else "",
        "can_undo": run.state == COMMITTED and run.key_id is not None,
        "has_rejects": run.key_id is not None and (run.rejected or run.dropped_cells),
        "was_undone": run.state == UNDONE,
    }


def _words() -> dict[str, tuple[str, str]]:
    """Each state in a word and a tone."""
    return {
        "staging": (_("coming in"), "info"),
        "staged": (_("waits for you"), "warn"),
        "committing": (_("under way"), "info"),
        "committed": (_("done"), "ok"),
        "undoing": (_("being undone"), "info"),
        "undone": (_("undone"), ""),
        "discarded": (_("discarded"), ""),
    }


def _address(request: TeamRequest, run: Import) -> str:
    return reverse("imports:import", args=[request.account.slug, run.pk])


def _to(request: TeamRequest, run: Import) -> HttpResponse:
    return redirect(_address(request, run))


def _page(request: TeamRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = {"slug": request.account.slug, "shell": shell(request, "imports:list", _("customer relations"))}
    return render(request, template, frame | context, status)

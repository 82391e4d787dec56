"""Pages of the notice editor: drafts, writing one with what is made of it beside, proposing and approving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kept.apps.notices import editor, editor_queries, editor_reading
from kept.apps.notices.models import NoticeDraft
from kept.apps.notices.versions_history import grouped
from kept.apps.notices.web import desk_page
from kept.core.errors import BadInput, KeptError
from kept.core.notice import Policy
from kept.core.notice.diff import Diff
from kept.core.notice.formatting import formatted
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.roles import may
from kept.platform.privacy import notices
from kept.platform.privacy.models import NoticeVersion
from kept.platform.ui.middleware import is_fragment
from kept.platform.ui.pages import render

PANES = ("read", "change", "decide", "other")


@team("notice.write")
@require_http_methods(["GET", "POST"])
def drafts(request: TeamRequest) -> HttpResponseBase:
    """The drafts under way and those that are over; beginning one."""
    if request.method == "POST":
        return _to(request, editor.start(request.account, request.actor.reference))
    under_way = editor_queries.drafts(request.account, over=False)
    over = editor_queries.drafts(request.account, over=True)
    context = {
        "under_way": under_way,
        "over": over,
        "names": editor_queries.names(request.account, [one for draft in (*under_way, *over) for one in (draft.author, draft.updated_by)]),
        "active": editor_queries.active_version(request.account),
    }
    return render(request, "notices/editor_drafts.html", desk_page(request, "editor") | context)


@team("notice.write")
@require_http_methods(["GET", "POST"])
def draft(request: TeamRequest, draft_id: int) -> HttpResponseBase:
    """A draft; what is posted is shown in it, and saved by nobody."""
    one = editor_queries.draft(request.account, draft_id)
    active = editor_queries.active_version(request.account)
    text = editor.clean(request.POST["text"]) if "text" in request.POST else one.text
    steps = editor_queries.steps(request.account, one.pk)
    people = [one.author, one.updated_by, one.proposed_by, one.decided_by, *(step.actor for step in steps)]
    context = {
        "draft": one,
        "text": text,
        "active": active,
        "stale": _stale(request, one, active),
        "steps": steps,
        "names": editor_queries.names(request.account, people),
        "mine": one.proposed_by == request.actor.reference,
        "others": editor_queries.others_who_may_approve(request.account, request.member),
        "may_invite": may(request.member, "members.manage"),
        "may_activate": may(request.member, "settings.manage"),
        "words": editor_reading.words(_policies(text, active)),
        "given": request.POST,
        "sayings": range(editor_reading.SAYINGS),
        "said": editor_reading.SAID,
    }
    return render(request, "notices/editor.html", desk_page(request, "editor") | context | _found(request, one, active, text))


@team("notice.write")
@require_POST
def look(request: TeamRequest, draft_id: int) -> HttpResponseBase:
    """What is made of a text as it is written."""
    one = editor_queries.draft(request.account, draft_id)
    active = editor_queries.active_version(request.account)
    text = editor.clean(request.POST.get("text", one.text))
    return render(request, "notices/editor_look.html", _found(request, one, active, text) | {"slug": request.account.slug})


@team("notice.write")
@require_POST
def save(request: TeamRequest, draft_id: int) -> HttpResponseBase:
    """Save a text, as it is or brought into its one form."""
    saved = _saved(request, draft_id)
    if saved.split or "format" in request.POST or not is_fragment(request):
        if not saved.split:
            messages.success(request, _("Saved."))
        return _to(request, saved.draft)
    return render(request, "notices/editor_saved.html", {"draft": saved.draft})


def _saved(request: TeamRequest, draft_id: int) -> editor.Saved:
    text = editor.clean(request.POST.get("text", ""))
    text = formatted(text) if "format" in request.POST else text
    saved = editor.save(request.account, request.actor.reference, draft_id, text, _number(request.POST.get("revision", "")))
    if saved.split:
        messages.warning(request, _("Somebody changed this draft meanwhile. Your text is kept as a draft of its own."))
    return saved


@team("notice.write")
@require_POST
def step(request: TeamRequest, draft_id: int) -> HttpResponseBase:
    """Propose what stands in the form, take it back, put it away, or take another version as the base."""
    what = request.POST.get("step", "")
    if what == "propose":
        saved = _saved(request, draft_id)
        if saved.split:
            return _to(request, saved.draft)
        draft_id = saved.draft.pk
    verbs: Mapping[str, tuple[Callable[[], NoticeDraft], str]] = {
        "propose": (lambda: editor.propose(request.account, request.member, draft_id, saved.draft.revision), _("Proposed.")),
        "reopen": (lambda: editor.reopen(request.account, request.member, draft_id), _("You can go on writing.")),
        "withdraw": (lambda: editor.withdraw(request.account, request.member, draft_id), _("Put away.")),
        "rebase": (lambda: editor.rebase(request.account, request.actor.reference, draft_id), _("The newer version is the base now.")),
    }
    return _do(request, draft_id, what, verbs)


@team("notice.approve")
@require_POST
def approval(request: TeamRequest, draft_id: int) -> HttpResponseBase:
    """Approve what somebody else proposed, or send it back."""
    said = request.POST.get("said", "")
    verbs: Mapping[str, tuple[Callable[[], NoticeDraft], str]] = {
        "approve": (lambda: editor.approve(request.account, request.member, draft_id, said), _("Approved. An owner can put it in force.")),
        "reject": (lambda: editor.reject(request.account, request.member, draft_id, said), _("Sent back.")),
    }
    return _do(request, draft_id, request.POST.get("step", ""), verbs)


def _do(request: TeamRequest, draft_id: int, what: str, verbs: Mapping[str, tuple[Callable[[], NoticeDraft], str]]) -> HttpResponseBase:
    """Do it and say so, or say why not."""
    if what not in verbs:
        raise BadInput(_("There is no such step."), place="step", cure=_("Use the buttons of the page."))
    act, done = verbs[what]
    one = editor_queries.draft(request.account, draft_id)
    try:
        one = act()
    except KeptError as refused:
        messages.error(request, f"{refused.message} {refused.cure}")
    else:
        messages.success(request, done)
    return _to(request, one)


def _to(request: TeamRequest, one: NoticeDraft) -> HttpResponse:
    address = reverse("notices:draft", args=[request.account.slug, one.pk])
    return HttpResponse(headers={"HX-Redirect": address}) if is_fragment(request) else redirect(address)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _policies(text: str, active: NoticeVersion | None) -> list[Policy]:
    draft = editor_reading.reading(text).policy
    return [one for one in (draft, notices.compiled(active.pk) if active else None) if one is not None]


def _stale(request: TeamRequest, one: NoticeDraft, active: NoticeVersion | None) -> dict[str, Any] | None:
    """What came into force since a draft was begun, where anything did."""
    number = active.number if active else 0
    if active is None or one.based_on == number or one.state in editor_queries.OVER:
        return None
    base = editor_queries.version_of(request.account, one.based_on)
    changes = editor_reading.changes(base.pk, active.text) if base else None
    return {"number": number, "groups": _groups(changes), "lines": editor_reading.lines(base.text if base else "", active.text)}


def _groups(changes: Diff | None) -> list[tuple[str, str, list[Any]]]:
    titles = {
        "wider": _("We may do more, or people have less"),
        "narrower": _("We may do less, or people have more"),
        "neutral": _("Otherwise"),
    }
    return [(way, titles[way], found) for way, found in grouped(changes.changes)] if changes else []


def _found(request: TeamRequest, one: NoticeDraft, active: NoticeVersion | None, text: str) -> dict[str, Any]:
    """The pane that is asked for, and the findings that stand over every pane."""
    reading = editor_reading.reading(text)
    pane = request.POST.get("pane", request.GET.get("pane", "read"))
    other = editor_queries.draft(request.account, one.split_from) if one.split_from else None
    context: dict[str, Any] = {
        "reading": reading,
        "pane": pane if pane in PANES else "read",
        "other": other,
        "draft": one,
        "active": active,
    }
    if pane == "change":
        changes = editor_reading.changes(active.pk, text) if active else None
        context |= {"changes": changes, "groups": _groups(changes), "lines": editor_reading.lines(active.text if active else "", text)}
    elif pane == "decide":
        context |= _answers(request, active, text)
    elif pane == "other" and other is not None:
        context |= {"lines": editor_reading.lines(other.text, text)}
    else:
        context |= {"parts": editor_reading.parts(text, reading.findings), "pane": "read"}
    return context


def _answers(request: TeamRequest, active: NoticeVersion | None, text: str) -> dict[str, Any]:
    """What the draft and the version in force decide in the case of the form."""
    draft = editor_reading.reading(text).policy
    held = notices.compiled(active.pk) if active else None
    known = draft or held
    empty: dict[str, Any] = {"case": None, "answers": [], "trouble": None}
    if known is None or not request.POST.get("purpose"):
        return empty
    try:
        case = editor_reading.case(request.POST, known)
    except BadInput as wrong:
        return empty | {"trouble": wrong}
    now = timezone.now()
    sides = [(_("This draft"), draft, True), (_("Version %(number)s, in force") % {"number": active.number} if active else "", held, False)]
    answers = [(title, editor_reading.decide(policy, case, now), own) for title, policy, own in sides if policy is not None]
    purpose = next(
        (one.purposes[case.ask.purpose].title for one in (draft, held) if one and case.ask.purpose in one.purposes), case.ask.purpose
    )
    return {"case": case, "answers": answers, "trouble": None, "purpose": purpose}

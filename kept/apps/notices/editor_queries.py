"""Questions about drafts of a notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from kept.apps.notices.models import DraftStep, NoticeDraft
from kept.core.errors import NoNotice, NotFound
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import PERMISSIONS
from kept.platform.data.use import Use
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import NoticeVersion

DRAFT, PROPOSED, APPROVED, REJECTED, ACTIVATED, WITHDRAWN = "draft", "proposed", "approved", "rejected", "activated", "withdrawn"
OVER = (ACTIVATED, WITHDRAWN)


def active_version(account: Account) -> NoticeVersion | None:
    """The version in force; None before the first."""
    try:
        return notices.in_force(account.pk)
    except NoNotice:
        return None


def active_number(account: Account) -> int:
    """Its number; 0 before the first."""
    version = active_version(account)
    return version.number if version else 0


def version_of(account: Account, number: int) -> NoticeVersion | None:
    """A version by its number; None for 0."""
    return NoticeVersion.objects.filter(account_id=account.pk, number=number).first()


def draft_of(use: Use, draft_id: int, *, for_update: bool = False) -> NoticeDraft:
    """A draft of the use's account. Raises NotFound."""
    found = NoticeDraft.under(use).filter(pk=draft_id)
    draft = (found.select_for_update() if for_update else found).first()
    if draft is None:
        raise NotFound(_("There is no such draft."), place=f"notice-editor/{draft_id}")
    return draft


def draft(account: Account, draft_id: int) -> NoticeDraft:
    """A draft of this account. Raises NotFound."""
    with bookkeeping(account.pk) as use:
        return draft_of(use, draft_id)


def drafts(account: Account, *, over: bool, most: int = 50) -> Sequence[NoticeDraft]:
    """Drafts that are under way, or those that are over; the last touched first, without their texts."""
    with bookkeeping(account.pk) as use:
        found = NoticeDraft.under(use).defer("text").order_by("-updated_at", "-pk")
        return list((found.filter(state__in=OVER) if over else found.exclude(state__in=OVER))[:most])


def steps(account: Account, draft_id: int) -> Sequence[DraftStep]:
    """What happened to a draft, the newest first."""
    with bookkeeping(account.pk) as use:
        return list(DraftStep.under(use).filter(draft_id=draft_id).order_by("-pk"))


def approved_text(account: Account, text: str) -> NoticeDraft | None:
    """The draft on which two people have agreed and which says just this; None where there is none."""
    with bookkeeping(account.pk) as use:
        return NoticeDraft.under(use).filter(state=APPROVED, text=text).order_by("-pk").first()


def others_who_may_approve(account: Account, member: Member) -> Sequence[Member]:
    """Who else may approve what this member proposes."""
    able = account.members.select_related("user").filter(role__in=PERMISSIONS["notice.approve"], user__is_active=True)
    return list(able.exclude(pk=member.pk).order_by("user__name", "pk"))


def names(account: Account, references: Iterable[str]) -> Mapping[str, str]:
    """The names behind actors, such as ``member:12``; somebody who has left, and a job, are called what they are."""
    wanted = {reference for reference in references if reference}
    ids = [int(one.removeprefix("member:")) for one in wanted if one.startswith("member:")]
    known = {f"member:{one.pk}": str(one.user) for one in account.members.select_related("user").filter(pk__in=ids)}
    return {one: known.get(one) or (_("a former member") if one.startswith("member:") else _("the software")) for one in wanted}

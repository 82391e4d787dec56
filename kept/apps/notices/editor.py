"""What is done with drafts of a notice: writing, proposing, and the approval of a second person. Each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.notices import versions
from kept.apps.notices.editor_queries import (
    ACTIVATED,
    APPROVED,
    DRAFT,
    PROPOSED,
    REJECTED,
    WITHDRAWN,
    active_number,
    approved_text,
    draft_of,
    others_who_may_approve,
)
from kept.apps.notices.editor_reading import digest_of, reading
from kept.apps.notices.models import DraftStep, NoticeDraft
from kept.core.errors import BadInput, Conflict, NotPermitted
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import require
from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy import inlets, ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Activation

LARGEST = 500_000
"""Characters of a notice."""
_FIELDS = ("text", "title", "based_on", "state", "author", "created_at", "updated_by", "updated_at", "split_from")


def clean(text: str) -> str:
    """The text with one kind of line end. Raises BadInput for what is no text of a notice."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if len(text) > LARGEST:
        cure = _("Keep it under %(most)s characters.") % {"most": LARGEST}
        raise BadInput(_("This text is too long for a notice."), place="text", cure=cure)
    odd = next((one for one in text if one < " " and one not in "\n\t"), None)
    if odd is not None:
        line = text[: text.index(odd)].count("\n") + 1
        cure = _("Take out the control character in line %(line)s.") % {"line": line}
        raise BadInput(_("This is not plain text."), place="text", cure=cure)
    return text


def _title(text: str) -> str:
    heading = next((line for line in text.split("\n") if line.startswith("# ")), "")
    return heading.removeprefix("# ").strip()[:120] or _("Untitled")


# Writing


def start(account: Account, actor: str, text: str = "") -> NoticeDraft:
    """Begin a draft: with this text, or with that of the version in force."""
    number = active_number(account)
    begun = clean(text) if text else notices.in_force(account.pk).text if number else ""
    with bookkeeping(account.pk, writing=True) as use:
        return _begin(use, actor, begun, number)


def _begin(use: Use, actor: str, text: str, based_on: int, split_from: int | None = None) -> NoticeDraft:
    now = timezone.now()
    made = (text, _title(text), based_on, DRAFT, actor, now, actor, now, split_from)
    (pk,) = rows.insert(use, NoticeDraft, _FIELDS, [made])
    return NoticeDraft.under(use).get(pk=pk)


class Saved(NamedTuple):
    """A draft as it was saved. `split`: somebody else had saved meanwhile, and this text is a draft of its own."""

    draft: NoticeDraft
    split: bool


def save(account: Account, actor: str, draft_id: int, text: str, revision: int) -> Saved:
    """Save a text that was written over `revision`. Where that is no longer the newest, or the draft was proposed, both texts are kept."""
    text = clean(text)
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        if text == draft.text:
            return Saved(draft, False)
        if (draft.revision, draft.state) != (revision, DRAFT):
            return Saved(_begin(use, actor, text, draft.based_on, draft.pk), True)
        draft.text, draft.title, draft.revision = text, _title(text), draft.revision + 1
        draft.updated_by, draft.updated_at = actor, timezone.now()
        draft.save(update_fields=["text", "title", "revision", "updated_by", "updated_at"])
        return Saved(draft, False)


def rebase(account: Account, actor: str, draft_id: int) -> NoticeDraft:
    """Take the version in force for what the draft is compared with: somebody has looked at what it changed."""
    number = active_number(account)
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, DRAFT)
        draft.based_on = number
        draft.save(update_fields=["based_on"])
        return _step(use, draft, "rebased", actor)


# Deciding


def propose(account: Account, member: Member, draft_id: int, revision: int, said: str = "") -> NoticeDraft:
    """Propose a draft. Raises BadInput while `check` finds errors, Conflict where another version came into force since it was begun."""
    require(member, "notice.write")
    number = active_number(account)
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, DRAFT)
        if draft.revision != revision:
            raise Conflict(_("Somebody has saved another text meanwhile."), place="draft", cure=_("Read it, then propose it."))
        _fresh(draft, number)
        _sound(draft)
        if number and draft.text == notices.in_force(account.pk).text:
            raise BadInput(_("This is the version in force, word for word."), place="text", cure=_("Change something first."))
        draft.proposed_by, draft.proposed_at = member.actor.reference, timezone.now()
        return _move(use, draft, PROPOSED, member, said, "proposed_by", "proposed_at")


def approve(account: Account, member: Member, draft_id: int, said: str = "") -> NoticeDraft:
    """Approve what somebody else proposed. Raises NotPermitted for the proposer, whatever their role."""
    require(member, "notice.approve")
    number = active_number(account)
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, PROPOSED)
        _second(account, member, draft)
        _fresh(draft, number)
        _sound(draft)
        return _decided(use, draft, APPROVED, member, said)


def reject(account: Account, member: Member, draft_id: int, said: str) -> NoticeDraft:
    """Send a proposal back, with a reason. Raises NotPermitted for the proposer, who may take it back instead."""
    require(member, "notice.approve")
    if not said.strip():
        raise BadInput(_("A rejection needs a reason."), place="said", cure=_("Say what should change."))
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, PROPOSED)
        _second(account, member, draft)
        return _decided(use, draft, REJECTED, member, said)


def reopen(account: Account, member: Member, draft_id: int) -> NoticeDraft:
    """Go on writing: a proposal or an approval ends."""
    require(member, "notice.write")
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, PROPOSED, APPROVED, REJECTED)
        return _move(use, draft, DRAFT, member, "", what="reopened")


def withdraw(account: Account, member: Member, draft_id: int) -> NoticeDraft:
    """Put a draft away. Its text stays."""
    require(member, "notice.write")
    with bookkeeping(account.pk, writing=True) as use:
        draft = draft_of(use, draft_id, for_update=True)
        _expect(draft, DRAFT, PROPOSED, APPROVED, REJECTED)
        return _move(use, draft, WITHDRAWN, member, "")


def decide(account: Account, member: Member, text: str, tell: Sequence[str] = ()) -> Activation:
    """Decide that a text shall come into force: one that two people have agreed on. Raises NotPermitted for any other, Conflict where the
    version in force is no longer the one they looked at, and what `versions.decide` does.
    """
    draft = approved_text(account, text)
    if draft is None:
        raise NotPermitted(
            _("A version of the notice comes into force once a second person has approved its text."),
            place=account.slug,
            cure=_("Write it as a draft in the editor and propose it."),
        )
    _fresh(draft, active_number(account))
    made = versions.decide(account, text, member.actor.reference, tell=tell)
    with bookkeeping(account.pk, writing=True) as use:
        _move(use, draft_of(use, draft.pk, for_update=True), ACTIVATED, member, "")
    return made


def _expect(draft: NoticeDraft, *states: str) -> None:
    if draft.state not in states:
        raise Conflict(_("This draft has moved on."), place=f"notice-editor/{draft.pk}", cure=_("Look at it again."))


def _fresh(draft: NoticeDraft, number: int) -> None:
    if draft.based_on != number:
        said = _("Version %(number)s came into force since this draft was begun.") % {"number": number}
        raise Conflict(said, place=f"notice-editor/{draft.pk}", cure=_("Look at what it changed, and take it as the base."))


def _sound(draft: NoticeDraft) -> None:
    errors = reading(draft.text).errors
    if errors:
        raise BadInput(_("The check finds errors in this text."), place=errors[0].place, cure=errors[0].message)


def _second(account: Account, member: Member, draft: NoticeDraft) -> None:
    """Nobody decides on what they proposed themselves."""
    if member.actor.reference != draft.proposed_by:
        return
    cure = (
        _("Ask another owner or privacy lead.")
        if others_who_may_approve(account, member)
        else _("Nobody else here may: invite an owner or a privacy lead.")
    )
    raise NotPermitted(_("You proposed this, so somebody else decides on it."), place=account.slug, cure=cure)


def _decided(use: Use, draft: NoticeDraft, state: str, member: Member, said: str) -> NoticeDraft:
    draft.decided_by, draft.decided_at = member.actor.reference, timezone.now()
    return _move(use, draft, state, member, said, "decided_by", "decided_at")


def _move(use: Use, draft: NoticeDraft, state: str, member: Member, said: str, *fields: str, what: str = "") -> NoticeDraft:
    draft.state = state
    draft.save(update_fields=["state", *fields])
    return _step(use, draft, what or state, member.actor.reference, said)


def _step(use: Use, draft: NoticeDraft, what: str, actor: str, said: str = "") -> NoticeDraft:
    """Write a step down, and note it in the ledger, which commits to the text."""
    if said and inlets.refused_category(said):
        raise BadInput(_("This holds a number that is refused everywhere."), place="said", cure=_("Leave the number out."))
    digest, said = digest_of(draft.text), said.strip()
    document = {"draft": draft.pk, "what": what, "state": draft.state, "digest": digest, "based_on": draft.based_on, "said": said}
    made = ledger.append(use, "account", actor=actor, request=digest[:32], document=document)
    names = ("draft", "what", "actor", "said", "digest", "at", "entry", "salt")
    rows.insert(use, DraftStep, names, [(draft.pk, what, actor, said, digest, timezone.now(), made.id, made.salt)])
    return draft

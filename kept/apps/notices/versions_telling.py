"""Telling people of a new version by letter: in batches, each person once, going on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from kept.apps.contacts.models import ContactPoint
from kept.apps.notices import versions_history
from kept.apps.requests import outbox
from kept.apps.requests.letters import Letter
from kept.apps.requests.models import OutboxMessage
from kept.core.notice import compile, parse
from kept.core.notice.diff import diff
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import notices, values, versions
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Activation

JOB = "job:notices"
LETTER = "version"
BATCH = 200
MOST = 12
KEPT = timedelta(days=7)
"""How long a letter that was sent lies in the outbox."""


def tell(activation: Activation) -> int:
    """Write to everybody who is to be told by letter and has not been; how many letters. May be interrupted and called again."""
    if versions.told(activation) or activation.stopped_at is not None:
        return 0
    account = Account.objects.get(pk=activation.account_id)
    regions = _regions(activation)
    _deliver(account.pk)
    count = 0
    while written := _batch(account, activation, regions):
        activation.refresh_from_db()
        point("versions:written")
        _deliver(account.pk)
        count += written[1]
    with bookkeeping(account.pk, writing=True) as use:
        Activation.objects.filter(pk=activation.pk).update(told_at=timezone.now())
        versions.note(use, activation, "told", JOB)
    activation.refresh_from_db()
    return count


def _regions(activation: Activation) -> list[str]:
    """Where people live for whom anything changes."""
    before = notices.policy_of(activation.account_id)
    found = diff(before, compile(parse(activation.text), bits=before.bits))
    with bookkeeping(activation.account_id) as use:
        held = list(Subject.under(use).values_list("region", flat=True).distinct().order_by())
    return [region for region in held if versions.concerns(found, before, region)]


def _batch(account: Account, activation: Activation, regions: Sequence[str]) -> tuple[int, int] | None:
    """Write the next letters; how many people and letters, or None when nobody is left."""
    with reserved(account.pk, JOB, "rights", rule=versions.step_rule(activation)) as use:
        people = Subject.under(use).filter(pk__gt=activation.told_up_to, region__in=regions, key_id__isnull=False)
        batch = list(people.exclude(notice_version=activation.number).order_by("pk")[:BATCH])
        if not batch:
            return None
        to = _addresses(use, [one.pk for one in batch])
        known = [one for one in batch if one.pk in to]
        letters = [
            (reference(activation, one.reference), one.key_id or 0, to[one.pk], letter(account, activation, one.reference)) for one in known
        ]
        with writing(use):
            outbox.put(use, letters)
            versions.note(use, activation, "told", JOB, [one.reference for one in known])
            Activation.objects.filter(pk=activation.pk).update(told_up_to=batch[-1].pk, told=F("told") + len(known))
    return len(batch), len(known)


def _addresses(use: Use, subjects: Sequence[int]) -> dict[int, str]:
    """One email address of each of these people who has one."""
    found = ContactPoint.under(use).filter(subject_id__in=subjects, category="email").order_by("-pk")
    return {one.subject_id: one.value for one in values.opened(use, list(found)) if one.value}


def reference(activation: Activation, subject: str) -> str:
    """What a person's letter about a version is filed under."""
    return hashlib.sha256(f"version/{activation.account_id}/{activation.pk}/{subject}".encode()).hexdigest()[:32]


def letter(account: Account, activation: Activation, subject: str) -> Letter:
    """What changes, from when, and how to agree."""
    lines = [f"– {line}" for line in activation.summary[:MOST]]
    more = [_("and %(count)d more") % {"count": len(activation.summary) - MOST}] if len(activation.summary) > MOST else []
    asks = activation.acceptance == "explicit"
    says = [
        _("we change our privacy notice on %(day)s. This is what changes in effect:") % {"day": _day(activation.effective_at)},
        *lines,
        *more,
    ]
    stays = _("What we hold about you already stays under the notice you know until you agree. If you do nothing, it stays there.")
    link = f"{settings.SITE}{reverse('notices:agree', args=[account.slug, versions_history.token(account.pk, subject)])}"
    return Letter(
        LETTER,
        _("Our privacy notice changes"),
        account.name,
        [*says, *([stays] if asks else [])],
        link,
        _("See what changes for you, and agree or stay") if asks else _("See what changes for you"),
    )


def _day(when: datetime) -> str:
    return str(date_format(timezone.localtime(when), "DATE_FORMAT"))


def _deliver(account_id: int) -> None:
    """Send what was written and not sent yet."""
    with bookkeeping(account_id) as use:
        waiting = list(OutboxMessage.under(use).filter(letter=LETTER, sent_at=None, sealed__isnull=False).values_list("pk", flat=True))
    for one in waiting:
        outbox.deliver(account_id, one)


def clear(account_id: int) -> int:
    """Empty letters that were sent a while ago; how many."""
    with bookkeeping(account_id) as use:
        old = OutboxMessage.under(use).filter(letter=LETTER, sent_at__lt=timezone.now() - KEPT, sealed__isnull=False)
        ids = list(old.values_list("pk", flat=True))
    return _empty(account_id, ids)


def _empty(account_id: int, ids: list[int]) -> int:
    if ids:
        with bookkeeping(account_id, writing=True) as use:
            OutboxMessage.under(use).filter(pk__in=ids).update(sealed=None)
        outbox.remove_files(ids)
    return len(ids)


class VersionLetters:
    """A `privacy.registry.Store`: letters about versions go with the person."""

    name = "version letters"

    def erase(self, account_id: int, subject_id: int, reference: str) -> int:
        """Empty the person's letters; how many."""
        return _empty(account_id, self._held(account_id, reference))

    def find(self, account_id: int, subject_id: int, reference: str) -> int:
        """How many are not empty."""
        return len(self._held(account_id, reference))

    def _held(self, account_id: int, subject: str) -> list[int]:
        filed = [reference(one, subject) for one in Activation.objects.filter(account_id=account_id)]
        with bookkeeping(account_id) as use:
            return list(OutboxMessage.under(use).filter(request__in=filed, sealed__isnull=False).values_list("pk", flat=True))


LETTERS = VersionLetters()

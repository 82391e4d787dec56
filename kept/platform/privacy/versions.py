"""Versions of a notice: what a new one would change and for how many, the decision for it, its coming into force, people's agreement.

What was collected under an older version stays under it until its owner agrees, where the older version asks for that: such a person
keeps their version, and their mask is what both versions allow (core.notice.standing). Each step may be repeated: whoever carries an
activation on, and however often, ends at the same place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

from django.db import IntegrityError
from django.db.models import Count
from django.utils import timezone

from kept.core.errors import BadInput, Conflict, NoticeError
from kept.core.notice import Finding, Notice, Policy, SubjectFacts, check, compile, law, parse
from kept.core.notice.diff import Change, Diff
from kept.core.notice.rules import DEFAULT
from kept.core.notice.standing import Standing, Together
from kept.core.notice.vocabulary import regions_of
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.datamap import tables
from kept.platform.data.faults import point
from kept.platform.data.guard.install import open_columns
from kept.platform.data.models import Subject
from kept.platform.data.use import Columns, Use, writing
from kept.platform.privacy import ledger, masks, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.fences import tighten, tighten_derived
from kept.platform.privacy.models import Acceptance, Activation, NoticeVersion
from kept.platform.privacy.notices import Ruling

How = Literal["explicit", "continued-use"]
CONSENTING = ("gdpr", "uk-gdpr")
"""Laws under which going on is no consent."""
BANNER = timedelta(days=30)
"""How long a banner stays at least."""


@dataclass(frozen=True)
class Reach:
    """What happens to one purpose: for how many people it closes, and opens. Nobody is taken to have said what they were not asked."""

    purpose: str
    title: str
    closes: int
    opens: int


@dataclass(frozen=True)
class Preview:
    """What would come of a version. `people` are all; `asked` of them keep to the version they are under until they agree.

    `concerned` live where something changes. `tell` are the ways in which they are told, of which `choice` says that one is enough.
    """

    number: int
    notice: Notice
    findings: tuple[Finding, ...]
    diff: Diff
    inexpressible: tuple[Change, ...]
    uses: tuple[Reach, ...]
    people: int
    asked: int
    concerned: int
    tell: tuple[str, ...]
    choice: bool
    effective_at: datetime

    @property
    def stops(self) -> tuple[Reach, ...]:
        """The uses that stop for everybody whom they serve now."""
        return tuple(one for one in self.uses if one.closes)

    @property
    def possible(self) -> bool:
        """Whether it can be put in force."""
        return not self.inexpressible and all(one.level != "error" for one in self.findings)


def _read(account_id: int, text: str, filename: str) -> tuple[Notice, tuple[Finding, ...], Ruling, Ruling | None]:
    """A text as the version it would be, and the version in force. Raises NoticeError where it cannot be read."""
    notice = parse(text, filename=filename)
    last = NoticeVersion.objects.filter(account_id=account_id).order_by("-number").first()
    coming = Ruling(account_id, last.number + 1 if last else 1, compile(notice, bits=last.bits if last else None))
    return notice, tuple(check(notice)), coming, notices.ruling(account_id) if last else None


def _diff(before: Ruling | None, coming: Ruling) -> Diff:
    return Standing(before.policy, coming.policy).diff if before else Diff((), "none")


# Previewing


def preview(account: Account, text: str, *, filename: str = "notice.md") -> Preview:
    """What this text would change, for how many people. Changes nothing. Raises NoticeError where it cannot be read."""
    notice, findings, coming, before = _read(account.pk, text, filename)
    found, groups = _diff(before, coming), _groups(account.pk)
    tell, choice = ways(before.policy if before else None, found)
    return Preview(
        number=coming.number,
        notice=notice,
        findings=findings,
        diff=found,
        inexpressible=_inexpressible(before, coming),
        uses=tuple(_reaches(before, coming, groups)) if before else (),
        people=sum(group["people"] for group in groups),
        asked=sum(group["people"] for group in groups if coming.asks(group["notice_version"])),
        concerned=sum(group["people"] for group in groups if concerns(found, coming.policy, group["region"])),
        tell=tell,
        choice=choice,
        effective_at=_effective(before, found, notice, timezone.now()),
    )


def _groups(account_id: int) -> list[dict[str, Any]]:
    """People who stand alike, counted by the database: under one version, in one region, with one mask."""
    with bookkeeping(account_id) as use:
        alike = Subject.under(use).values("notice_version", "region", "permits").annotate(people=Count("pk")).order_by()
        return [dict(one) for one in alike]


def _reaches(before: Ruling, coming: Ruling, groups: Iterable[dict[str, Any]]) -> Iterable[Reach]:
    counts: dict[str, list[int]] = {}
    for group in groups:
        for purpose in dict.fromkeys((*before.policy.purposes, *coming.policy.purposes)):
            now = purpose in before.policy.purposes and bool(group["permits"] >> before.policy.bits[purpose] & 1)
            then = _open(before, coming, purpose, group, now=now)
            if now != then:
                counts.setdefault(purpose, [0, 0])[then] += group["people"]
    for purpose, (closes, opens) in counts.items():
        known = coming.policy.purposes.get(purpose) or before.policy.purposes[purpose]
        yield Reach(purpose, known.title, closes, opens)


def _open(before: Ruling, coming: Ruling, purpose: str, group: dict[str, Any], *, now: bool) -> bool:
    """Whether a purpose is open to these people afterwards: as before where their word moves it as before, else as to the silent."""
    version, region = group["notice_version"] or before.number, group["region"]
    clause, earlier = (ruling.policy.region(region).clauses.get(purpose) for ruling in (coming, before))
    if clause is None:
        return False
    if earlier is not None and clause.choice == earlier.choice:
        return now
    terms = coming.over(version)
    silent = bool(terms.permits(SubjectFacts(timezone.now(), region))[0] >> clause.bit & 1)
    return silent and (now or earlier is None or not coming.asks(version))


def _held(account_id: int) -> list[int]:
    """The versions that people are under."""
    with bookkeeping(account_id) as use:
        return list(Subject.under(use).exclude(notice_version=0).values_list("notice_version", flat=True).distinct().order_by())


def offering(account_id: int) -> Policy | Together:
    """What is offered to somebody of whom it is not known yet under which version they are."""
    ruling = notices.ruling(account_id)
    earlier = tuple(terms for number in _held(account_id) if isinstance(terms := ruling.over(number), Standing))
    return Together(ruling.policy, earlier) if earlier else ruling.policy


def _inexpressible(before: Ruling | None, coming: Ruling) -> tuple[Change, ...]:
    """What would be read of people who have not agreed to it, whatever their mask."""
    if before is None:
        return ()
    found = dict[tuple[object, ...], Change]()
    for number in {before.number, *_held(coming.account_id)}:
        terms = coming.over(number)
        found |= {one.keys: one for one in terms.inexpressible} if isinstance(terms, Standing) else {}
    return tuple(found.values())


def concerns(found: Diff, policy: Policy, region: str) -> bool:
    """Whether anything changes for people in a region."""
    return any(one.everywhere or lives(policy, region, one.regions) for one in found.changes)


def lives(policy: Policy, region: str, regions: Sequence[str]) -> bool:
    """Whether somebody in a region is among those of whom a change in these regions tells."""
    chain = regions_of(region)
    return not {*chain, next((one for one in chain if one in policy.regions), DEFAULT)}.isdisjoint(regions)


# The promises of the version before about change


def ways(before: Policy | None, found: Diff) -> tuple[tuple[str, ...], bool]:
    """How people are to be told, and whether one of these is enough. A change that is not material is published, no more."""
    if before is None or not found.material:
        return (), False
    if before.change is None:
        return ("site",), False
    body = before.change.body
    return (body.tell, False) if body.tell else (body.tell_any, True)


def _effective(before: Ruling | None, found: Diff, notice: Notice, now: datetime) -> datetime:
    """When it takes effect: so long after people are told as was promised, and not before the date it states."""
    rule = before.policy.change if before else None
    told = rule.body.before.after(now) if rule and rule.body.before and found.material else None
    stated = datetime.combine(notice.identity.effective, time(), tzinfo=UTC)
    return max(one for one in (now, told, stated if before and not (rule and rule.body.effective == "on-publication") else None) if one)


# Deciding and carrying out


def decide(account: Account, text: str, actor: str, *, tell: Sequence[str] = (), filename: str = "notice.md") -> Activation:
    """Decide that a text shall come into force, and when. `carry_on` does the rest.

    `tell` chooses among the ways of which one is enough. Raises NoticeError when it does not pass `check`; Conflict while another
    version is on its way, or where what it adds could not be kept from people who have not agreed; BadInput for another way of telling.
    """
    seen = preview(account, text, filename=filename)
    _refuse(seen, filename)
    ways_chosen = tuple(tell) or (seen.tell[:1] if seen.choice else seen.tell)
    if not set(ways_chosen) <= set(seen.tell) or (seen.tell and not ways_chosen) or not (seen.choice or set(ways_chosen) == set(seen.tell)):
        raise BadInput("The notice promises another way of telling.", place="tell", cure=f"Use {', '.join(seen.tell) or 'none'}.")
    return _decided(account, text, actor, seen, ways_chosen, seen.effective_at)


def activate(account: Account, text: str, actor: str, *, filename: str = "notice.md") -> NoticeVersion:
    """See `notices.activate`."""
    seen = preview(account, text, filename=filename)
    _refuse(seen, filename)
    activation = carry_on(_decided(account, text, actor, seen, (), timezone.now()))
    account.notice_version = activation.version_id
    return NoticeVersion.objects.get(account_id=account.pk, number=activation.number)


def _refuse(seen: Preview, filename: str) -> None:
    errors = [finding for finding in seen.findings if finding.level == "error"]
    if errors:
        raise NoticeError(f"The notice has {len(errors)} errors.", findings=errors, place=filename, cure="Run `kept check` on it.")
    if seen.inexpressible:
        first = seen.inexpressible[0]
        purpose, category = first.keys[0]
        raise Conflict(
            f"{first.sentence} People who have not agreed to this version would be read with it.",
            place=filename,
            rule=first.after,
            cure=f'Declare a purpose of its own for it: purpose = "…", under = "{purpose}", categories = ["{category}", …].',
        )


def _decided(account: Account, text: str, actor: str, seen: Preview, tell: Sequence[str], effective_at: datetime) -> Activation:
    for purpose in compile(seen.notice).purposes.values():
        open_columns(Columns(purpose.categories, purpose.categories))
    ledger.signing_key(account.pk)
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        with bookkeeping(account.pk, writing=True) as use:
            made = Activation.objects.create(
                account_id=account.pk,
                number=seen.number,
                text=text,
                digest=digest,
                acceptance=seen.diff.acceptance,
                summary=seen.diff.summary(),
                tell=list(tell),
                decided_at=timezone.now(),
                decided_by=actor,
                effective_at=effective_at,
            )
            note(use, made, "decided", actor)
    except IntegrityError:
        raise Conflict("Another version is on its way.", place=account.slug, cure="Wait for it, or call it off.") from None
    return made


def note(use: Use, activation: Activation, step: str, actor: str, subjects: Sequence[str] = ()) -> None:
    """The entry of a step. It names the version by the beginning of its digest."""
    said = {"notice_version": activation.number, "digest": activation.digest, "step": step}
    ledger.append(use, "account", actor=actor, rule=step_rule(activation), request=activation.digest[:32], subjects=subjects, document=said)


def step_rule(activation: Activation) -> str:
    """The rule that the entries of an activation name."""
    return f"notice:{parse(activation.text).id}"


def stop(account_id: int, actor: str) -> None:
    """Call off the version that is on its way. Raises Conflict when none is, or when it is in force already."""
    with bookkeeping(account_id, writing=True) as use:
        waiting = pending(account_id)
        if waiting is None or not Activation.objects.filter(pk=waiting.pk, version_id=None).update(stopped_at=timezone.now()):
            raise Conflict("No version is on its way.", place="notice", cure="Look at the versions again.")
        note(use, waiting, "called off", actor)


def pending(account_id: int) -> Activation | None:
    """The version on its way, if any."""
    return Activation.objects.filter(account_id=account_id, finished_at=None, stopped_at=None).first()


def announced(account_id: int) -> Activation | None:
    """The version that banners tell of: until it takes effect, and a month after the decision at least."""
    last = Activation.objects.filter(account_id=account_id, stopped_at=None).order_by("-pk").first()
    if last is None or "banner" not in last.tell:
        return None
    return last if timezone.now() < max(last.effective_at, last.decided_at + BANNER) else None


def told(activation: Activation) -> bool:
    """Whether everybody who is to get a letter has it."""
    return activation.told_at is not None or "email" not in activation.tell


def carry_on(activation: Activation) -> Activation:
    """Bring a version into force, if it is time and everybody was told; from wherever it stood.

    While masks are computed the old version rules, and whoever either version keeps out stays out; then one row flips.
    """
    account = Account.objects.get(pk=activation.account_id)
    if activation.version_id is None:
        if not told(activation) or activation.effective_at > timezone.now():
            return activation
        _, _, coming, before = _read(account.pk, activation.text, "notice.md")
        if before is not None:
            for use, ids in masks.batches(account.pk):
                masks.refresh(use, ids, coming=coming)
            _tighten(account.pk, coming.policy)
            point("versions:strict")
        _flip(activation, coming, before)
        point("versions:flipped")
    for use, ids in masks.batches(account.pk):
        _move(use, ids)
        masks.refresh(use, ids)
        point("versions:moving")
    Activation.objects.filter(pk=activation.pk).update(finished_at=timezone.now())
    activation.refresh_from_db()
    return activation


def _flip(activation: Activation, coming: Ruling, before: Ruling | None) -> None:
    """The version comes into force: one transaction."""
    with bookkeeping(activation.account_id, writing=True) as use:
        if _inexpressible(before, coming):
            raise Conflict("People came under an older version meanwhile.", place="notice", cure="Decide again, on a new preview.")
        version = NoticeVersion.objects.create(
            account_id=activation.account_id,
            number=activation.number,
            text=activation.text,
            digest=activation.digest,
            bits=dict(coming.policy.bits),
            activated_at=timezone.now(),
            activated_by=activation.decided_by,
        )
        Account.objects.filter(pk=activation.account_id).update(notice_version=version.pk)
        Activation.objects.filter(pk=activation.pk).update(version_id=version.pk)
        activation.version_id = version.pk
        note(use, activation, "in force", activation.decided_by)


def _move(use: Use, ids: Sequence[int]) -> None:
    """Put under the version in force everybody whom it need not ask, or who has agreed."""
    ruling = notices.ruling(use.account_id)
    held = dict(Subject.under(use).filter(pk__in=ids).exclude(notice_version=ruling.number).values_list("pk", "notice_version"))
    agreed = set(Acceptance.under(use).filter(number=ruling.number, subject_id__in=held).values_list("subject_id", flat=True))
    free = {number for number in set(held.values()) if not ruling.asks(number)}
    moved = [pk for pk, number in held.items() if number in free or pk in agreed]
    if moved:
        rows.set_version(use, moved, ruling.number)


def _tighten(account_id: int, policy: Policy) -> None:
    """What is held already comes under the limits that the version adds; what it lifts stays on it."""
    for table in tables():
        if table.fenced:
            with writing(masks.rights_use(account_id)) as use:
                tighten(use, policy, table)
    with writing(masks.rights_use(account_id)) as use:
        tighten_derived(use, policy)


# Agreeing


def agreed(use: Use, subject: Subject, number: int) -> bool:
    """Whether a person is under this version, or has agreed to come under it."""
    return subject.notice_version == number or Acceptance.under(use).filter(subject_id=subject.pk, number=number).exists()


def agree(use: Use, subject: Subject, *, how: How = "explicit") -> bool:
    """Record that a person agrees to the version on its way or in force, and put them under it; whether there was anything to agree to.

    `use` is of the purpose `rights`.
    """
    waiting = pending(use.account_id)
    number, digest = (waiting.number, waiting.digest) if waiting and waiting.version_id is None else _of(notices.in_force(use.account_id))
    with writing(use):
        if agreed(use, subject, number):
            return False
        ledger.append(
            use,
            "acceptance",
            rule=f"notice:{notices.policy_of(use.account_id).notice.id}",
            subjects=[subject.reference],
            request=digest[:32],
            payload={"notice_version": number, "digest": digest, "how": how},
            key_id=subject.key_id,
        )
        rows.insert(use, Acceptance, ("subject", "number", "how", "at"), [(subject.pk, number, how, timezone.now())])
        if number == notices.in_force(use.account_id).number:
            rows.set_version(use, [subject.pk], number)
            masks.refresh(use, [subject.pk])
    return True


def _of(version: NoticeVersion) -> tuple[int, str]:
    return version.number, version.digest


def went_on(use: Use, subject: Subject) -> bool:
    """A person used the service after they were told: acceptance, where the version they are under takes it for that.

    Never where a law of the notice wants consent and the change needs it: then only `agree` counts.
    """
    ruling = notices.ruling(use.account_id)
    terms = ruling.over(subject.notice_version)
    if not isinstance(terms, Standing) or terms.diff.acceptance != "continued-use":
        return False
    needs_consent = terms.diff.reduces_rights or terms.diff.adds_purpose
    if needs_consent and _consenting(terms.earlier, subject.region):
        return False
    return agree(use, subject, how="continued-use")


def _consenting(policy: Policy, region: str) -> bool:
    packs = (law.PACKS[name] for name in policy.notice.identity.law if name in CONSENTING)
    return any(not set(regions_of(region)).isdisjoint(pack.regions) for pack in packs)

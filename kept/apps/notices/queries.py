"""Questions about an account's notice: its passages, its promises and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import TaskResultStatus as Status

from kept.core.errors import NoNotice, NotFound
from kept.core.ledger import VerifyKey
from kept.core.notice import Notice, Policy, Rule
from kept.core.notice.outline import outline
from kept.core.notice.vocabulary import regions_of
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import account_by_slug
from kept.platform.jobs.models import LIVE, Job
from kept.platform.privacy import ledger, notices, proofs
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Entry, Head, LedgerKey, NoticeVersion, Proof

STALE = timedelta(days=3)
"""A promise not looked at for so long counts as not proved: proofs run every night."""
PROVING = "notices.prove"


@dataclass(frozen=True)
class Published:
    """An account with the version of its notice in force."""

    account: Account
    version: NoticeVersion
    policy: Policy

    @property
    def notice(self) -> Notice:
        """The notice itself."""
        return self.policy.notice


@dataclass(frozen=True)
class Promise:
    """One rule, in the words of the notice, and how it stands. `days` are the states of the last ninety, oldest first.

    `unbound` names what it needs and this deployment does not have.
    """

    rule: str
    kind: str
    section: str
    region: str
    words: str
    state: str
    said: str
    counted: int
    at: datetime | None
    query: str
    days: Sequence[str]
    found: int
    references: Sequence[str]
    unbound: Sequence[str] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Block:
    """A heading of the notice, or prose with the promises that cover it. `html` is safe to publish.

    `regions` are those of the supplement that a heading opens.
    """

    heading: bool
    html: str
    promises: tuple[Promise, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """How the promises stand together. `share` is that of days kept among all proved in the last ninety days, between 0 and 1."""

    kept: int
    broken: int
    unproven: int
    at: datetime | None
    share: float | None

    @property
    def promises(self) -> int:
        """How many there are."""
        return self.kept + self.broken + self.unproven


def published(slug: str) -> Published:
    """The notice in force of the account at this address. Raises NotFound, also where there is no notice yet."""
    account = account_by_slug(slug)
    try:
        version = notices.in_force(account.pk)
    except NoNotice:
        raise NotFound(_("%(account)s has not published a notice.") % {"account": account.name}, place=slug) from None
    return Published(account, version, notices.compiled(version.pk))


def promises(here: Published) -> list[Promise]:
    """Every promise in the order of the notice. Statements promise nothing and are left out."""
    proved = {proof.rule: proof for proof in proofs.latest(here.account.pk)}
    days = proofs.history(here.account.pk, timezone.localdate())
    headings, found, words = sections(here.notice), list[Promise](), ""
    for rule in here.notice.rules:
        if rule.kind != "statement":
            name = rule.anchor
            one = _promise(rule, headings.get(name, ""), proved.get(name), days.get(name) or ["none"] * proofs.DAYS)
            found.append(replace(one, repeats=one.words == words))
            words = one.words
    return found


def sections(notice: Notice) -> dict[str, str]:
    """The heading each rule stands under."""
    found, heading = dict[str, str](), ""
    for passage in notice.passages:
        if passage.kind == "heading":
            heading = passage.text if passage.level > 1 else ""
        for rule in passage.rules:
            found.setdefault(rule.anchor, heading)
    return found


def _promise(rule: Rule, section: str, proof: Proof | None, days: Sequence[str]) -> Promise:
    state, said = (proof.state, proof.said) if proof else ("unproven", _("Not looked at yet: proofs run every night."))
    if proof and timezone.now() - proof.at > STALE:
        state, said = "unproven", _("Not looked at for some days. The last finding was: %(said)s") % {"said": proof.said}
    evidence: Any = proof.evidence if proof else {}
    return Promise(
        rule=rule.anchor,
        kind=rule.kind,
        section=section,
        region=rule.region or "",
        words=rule.promise or _("This is the notice in force, and what our software obeys."),
        state=state,
        said=said,
        counted=proof.counted if proof else 0,
        at=proof.at if proof else None,
        query=evidence.get("query", ""),
        days=days,
        found=evidence.get("count", 0),
        references=evidence.get("references", ()),
        unbound=evidence.get("unbound", ()),
    )


def summary(of: Sequence[Promise]) -> Summary:
    """How promises stand together."""
    count = {state: sum(one.state == state for one in of) for state in proofs.ORDER}
    days = [day for one in of for day in one.days]
    proved = days.count("kept") + days.count("broken")
    at = max((one.at for one in of if one.at), default=None)
    return Summary(count["kept"], count["broken"], count["unproven"], at, days.count("kept") / proved if proved else None)


def blocks(here: Published, of: Sequence[Promise], region: str) -> list[Block]:
    """The notice as it reads in a region, without its title: headings, and prose with its promises. Prose of one promise stays together."""
    by_rule = {one.rule: one for one in of}
    shown = set(regions_of(region)) if region else set()
    headings = {one.passage.line: one.html for one in outline(here.notice)}
    opened: tuple[str, ...] = ()
    found: list[Block] = []
    for passage in here.notice.passages:
        if (passage.regions and shown.isdisjoint(passage.regions)) or passage.level == 1:
            continue
        own = tuple(by_rule[rule.anchor] for rule in passage.rules if rule.anchor in by_rule)
        last = found[-1] if found else None
        if last and not last.heading and own and last.promises == own:
            found[-1] = replace(last, html=last.html + passage.html)
        else:
            opens = passage.regions if passage.regions != opened else ()
            opened = passage.regions
            found.append(Block(passage.kind == "heading", headings.get(passage.line, passage.html), own, opens))
    return found


def known_region(notice: Notice, asked: str) -> str:
    """The region asked for, where the notice has a supplement for it; else none."""
    return asked if asked in notice.regions() else ""


def versions(account: Account) -> list[NoticeVersion]:
    """Every version that was ever in force, newest first."""
    return list(NoticeVersion.objects.filter(account_id=account.pk).order_by("-number"))


def text_of(here: Published, number: str) -> str:
    """The text of a version, or with no number of the one in force. Raises NotFound."""
    if not number:
        return here.version.text
    row = NoticeVersion.objects.filter(account_id=here.account.pk, number=int(number)).first() if number.isdecimal() else None
    if row is None:
        raise NotFound(_("There is no version %(number)s of this notice.") % {"number": number}, place="version")
    return row.text


@dataclass(frozen=True)
class LedgerState:
    """How the ledger stands: entries signed and waiting, when it was last signed, and the key that signs."""

    signed: int
    waiting: int
    at: datetime | None
    key_id: str


def ledger_state(account_id: int) -> LedgerState:
    """See `LedgerState`. Raises NotFound before the account has a key."""
    with bookkeeping(account_id) as use:
        key = LedgerKey.under(use).order_by("-id").first()
        if key is None:
            raise NotFound(_("This account has no ledger yet."), place="ledger")
        head = Head.under(use).order_by("-size").first()
        waiting = Entry.under(use).filter(number__isnull=True).count()
    return LedgerState(head.size if head else 0, waiting, head.at if head else None, VerifyKey.from_pem(key.public).id)


@dataclass(frozen=True)
class Night:
    """The last night that retention came to its end: when, and by rule how many entries it made and how many people they name."""

    at: datetime
    entries: int
    people: dict[str, int]


def last_night(account_id: int) -> Night | None:
    """What retention did last, as the ledger has it; None before its first night."""
    job = Job.objects.filter(account_id=account_id, label="notices.retain", status=Status.SUCCESSFUL).order_by("-finished_at").first()
    if job is None or job.started_at is None or job.finished_at is None:
        return None
    with bookkeeping(account_id) as use:
        made = Entry.under(use).filter(kind="retention", at__gte=job.started_at, at__lte=job.finished_at)
        headers = [ledger.header_of(entry) for entry in made.order_by("id")]
    people: dict[str, int] = {}
    for header in headers:
        people[header.rule or ""] = people.get(header.rule or "", 0) + len(header.subjects)
    return Night(job.finished_at, len(headers), people)


def proving(account_id: int) -> Job | None:
    """The proof that is under way or waits, if any."""
    return Job.objects.filter(label=PROVING, account_id=account_id, status__in=LIVE).order_by("id").first()


def under_way(job: Job) -> bool:
    """Whether a job is not over."""
    return Status(job.status) in LIVE

"""The promises of a notice as a page shows them: each with how it stands, under its heading, found by state, kind and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kept.apps.notices import queries
from kept.apps.notices.queries import Promise, Published, Summary
from kept.core.errors import NotFound
from kept.core.notice import Rule
from kept.platform.accounts.models import Account, User
from kept.platform.accounts.queries import membership
from kept.platform.privacy import incidents, proofs
from kept.platform.privacy.models import Incident

STATES = ("broken", "unproven", "unbound", "kept", "statement")
"""Worst first."""
FEW = 24
"""Up to so many promises every section is open."""
KINDS: Mapping[str, object] = {
    "notice": gettext_lazy("The notice itself"),
    "role": gettext_lazy("Our role"),
    "category": gettext_lazy("Kinds of data"),
    "source": gettext_lazy("Sources"),
    "collect": gettext_lazy("Collecting"),
    "purpose": gettext_lazy("Purposes"),
    "disclose": gettext_lazy("Telling others"),
    "transfer": gettext_lazy("Transfers abroad"),
    "retain": gettext_lazy("Keeping and erasing"),
    "right": gettext_lazy("Your rights"),
    "choice": gettext_lazy("Your choices"),
    "tracker": gettext_lazy("Cookies and trackers"),
    "limit": gettext_lazy("Limits"),
    "age": gettext_lazy("Age"),
    "secure": gettext_lazy("Security"),
    "change": gettext_lazy("Changes of the notice"),
    "incentive": gettext_lazy("Incentives"),
    "statement": gettext_lazy("Statements"),
}


@dataclass(frozen=True)
class Standing:
    """A promise, its state among `STATES`, and the incident that is open about it."""

    promise: Promise
    state: str
    incident: Incident | None


@dataclass(frozen=True)
class Section:
    """What stands under one heading of the notice. `counts` are by state, worst first; `open` says that it need not be unfolded."""

    id: str
    title: str
    standings: Sequence[Standing]
    counts: Mapping[str, int]
    open: bool


@dataclass(frozen=True)
class Filter:
    """What was asked for; empty where everything is meant. Statements are shown to whoever asks for them."""

    state: str = ""
    kind: str = ""
    words: str = ""

    @property
    def any(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.state or self.kind or self.words)

    def fits(self, one: Standing) -> bool:
        """Whether a promise is among what was asked for."""
        said = f"{one.promise.words} {one.promise.said} {one.promise.rule} {one.promise.section}".casefold()
        state = one.state == self.state if self.state else one.state != "statement"
        return state and self.kind in ("", one.promise.kind) and all(word in said for word in self.words.casefold().split())


@dataclass(frozen=True)
class Overview:
    """The whole page. `counts` are of everything, whatever was asked for; `first` is the first of the days."""

    state: str
    sections: Sequence[Section]
    shown: int
    counts: Mapping[str, int]
    kinds: Sequence[tuple[str, object]]
    filter: Filter
    first: date
    at: datetime | None
    share: float | None
    incidents: int

    @property
    def promises(self) -> int:
        """How many there are; statements promise nothing."""
        return sum(count for state, count in self.counts.items() if state != "statement")


def require_open(request: HttpRequest, account: Account) -> None:
    """Raise NotFound for strangers where the account keeps its promises to itself; its team sees them."""
    if not account.promises_private:
        return
    if isinstance(request.user, User):
        membership(request.user, account.slug)
    else:
        raise NotFound(_("There is no such page."), place=account.slug)


def filter_of(request: HttpRequest) -> Filter:
    """What the address asks for; what it asks that there is not counts for nothing."""
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    return Filter(state if state in STATES else "", kind if kind in KINDS else "", request.GET.get("q", "").strip()[:200])


def overview(here: Published, asked: Filter) -> Overview:
    """How every promise stands, as far as it was asked for."""
    every = standings(here)
    counts = Counter(one.state for one in every)
    summary: Summary = queries.summary([one.promise for one in every if one.state != "statement"])
    shown = [one for one in every if asked.fits(one)]
    return Overview(
        state=next((state for state in STATES if counts[state]), "unproven"),
        sections=_sections(shown, unfolded=asked.any or len(shown) <= FEW),
        shown=len(shown),
        counts={state: counts[state] for state in STATES},
        kinds=[(kind, title) for kind, title in KINDS.items() if kind != "statement" and any(one.promise.kind == kind for one in every)],
        filter=asked,
        first=timezone.localdate() - timedelta(days=proofs.DAYS - 1),
        at=summary.at,
        share=summary.share,
        incidents=sum(one.incident is not None for one in every),
    )


def standings(here: Published) -> list[Standing]:
    """Every promise and statement, in the order of the notice."""
    troubled = {one.rule: one for one in incidents.open_of(here.account)}
    promised = {one.rule: one for one in queries.promises(here)}
    sections = queries.sections(here.notice)
    found: list[Standing] = []
    for rule in here.notice.rules:
        name = rule.anchor
        one = promised.get(name) or _statement(rule, name, sections.get(name, ""))
        found.append(Standing(one, _state(one), troubled.get(name)))
    return found


def _state(one: Promise) -> str:
    return "unbound" if one.state == "unproven" and one.unbound else one.state


def _statement(rule: Rule, name: str, section: str) -> Promise:
    said = _("This says how things are. It binds nobody to anything, so there is nothing to prove.")
    return Promise(name, rule.kind, section, rule.region or "", rule.promise, "statement", said, 0, None, "", (), 0, ())


def _sections(of: Sequence[Standing], *, unfolded: bool) -> list[Section]:
    found: list[Section] = []
    for number, (title, group) in enumerate(groupby(of, key=lambda one: one.promise.section)):
        standing = list(group)
        counts = Counter(one.state for one in standing)
        ordered = {state: counts[state] for state in STATES if counts[state]}
        found.append(Section(f"section-{number + 1}", title, standing, ordered, unfolded or "broken" in ordered))
    return found

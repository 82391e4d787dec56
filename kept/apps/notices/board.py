"""What the privacy lead's board asks: what is open, what is missing, what people chose, how the proofs went."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from kept.apps.notices.queries import Published
from kept.core.notice import Policy
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import PERMISSIONS
from kept.platform.data.models import Subject
from kept.platform.privacy import proofs
from kept.platform.privacy.aggregates import smallest_group
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Choice
from kept.platform.privacy.registry import registry
from kept.platform.ui.charts import Chart, Series

MONTHS = 12
LINES = 5
"""Purposes that a chart has room for."""


# What is missing


@dataclass(frozen=True)
class Gap:
    """Something that rules need and this deployment does not have, and those rules. `what` is of it: a room, an enforcer, a prover."""

    name: str
    what: Sequence[str]
    rules: Sequence[str]


@dataclass(frozen=True)
class Gaps:
    """What is missing for rules of one kind; `room` gathers the rooms that are not there."""

    kind: str
    gaps: Sequence[Gap]
    rules: int


def gaps(here: Published) -> list[Gaps]:
    """What is missing, by kind; what most rules wait for first."""
    what: dict[str, dict[str, None]] = {}
    rules: dict[str, dict[str, None]] = {}
    for rule in here.notice.rules:
        for missing in registry.unbound(rule, here.notice.vocabulary):
            what.setdefault(missing.name, {})[missing.what] = None
            rules.setdefault(missing.name, {})[rule.anchor] = None
    kinds: dict[str, list[Gap]] = {}
    for name in sorted(rules, key=lambda one: (-len(rules[one]), one)):
        kinds.setdefault(re.split("[.:]", name)[0], []).append(Gap(name, tuple(what[name]), tuple(rules[name])))
    found = [Gaps(kind, of, len({rule for gap in of for rule in gap.rules})) for kind, of in kinds.items()]
    return sorted(found, key=lambda one: (one.kind != "room", -one.rules, one.kind))


# Who looks after incidents


def handlers(account: Account) -> list[Member]:
    """The members who may look after incidents."""
    able = account.members.select_related("user").filter(role__in=PERMISSIONS["incidents.handle"], user__is_active=True)
    return list(able.order_by("user__name", "pk"))


# How the proofs went


def proofs_over_time(here: Published) -> Chart | None:
    """The states of every promise, day by day; None before the first proof."""
    today = timezone.localdate()
    held = proofs.history(here.account.pk, today)
    wanted = {rule.anchor for rule in here.notice.rules if rule.kind != "statement"}
    days = [Counter(column) for column in zip(*(states for rule, states in held.items() if rule in wanted), strict=True)]
    if not any(day[state] for day in days for state in proofs.ORDER):
        return None
    first = next(n for n, day in enumerate(days) if any(day[state] for state in proofs.ORDER))
    labels = {"kept": _("Kept"), "unproven": _("Not proved"), "broken": _("Broken")}
    return Chart(
        id="proofs",
        title=_("Proofs over time"),
        description=_("Promises by the worst state of each day."),
        labels=[_day(today - timedelta(days=proofs.DAYS - 1 - n)) for n in range(first, len(days))],
        series=[Series(label, [day[state] for day in days[first:]], state) for state, label in labels.items()],
        kind="bars",
    )


def _day(value: date) -> str:
    # Translators: a day without its year, in Django's date format letters.
    return format_date(value, _("j M"))


# What people chose


@dataclass(frozen=True)
class Rate:
    """How people decided on a purpose. Figures about fewer than the smallest group are None: `people` is how many have spoken,
    `share` who of them agree, between 0 and 1.
    """

    purpose: str
    title: str
    choices: Sequence[str]
    basis: str
    people: int | None
    share: float | None


@dataclass(frozen=True)
class Rates:
    """What people chose. `minimum` is the smallest group that is told of, `rule` the rule that says so, or empty."""

    rates: Sequence[Rate]
    chart: Chart | None
    people: int
    minimum: int
    rule: str


def rates(here: Published) -> Rates:
    """Counts of people's last words, from the projection of the ledger; nobody's own are shown."""
    minimum, rule = smallest_group(here.policy, frozenset({"consent-record"}))
    with bookkeeping(here.account.pk) as use:
        people = Subject.under(use).count()
        asked = Choice.under(use).exclude(state="").annotate(month=TruncMonth("at")).values_list("purpose", "state", "month")
        rows = list(asked.annotate(number=Count("pk")).order_by())
    counts: dict[str, dict[date, Counter[bool]]] = {}
    for purpose, state, month, number in rows:
        counts.setdefault(purpose, {}).setdefault(timezone.localdate(month), Counter())[state == "given"] += number
    found = [_rate(here.policy, purpose, _added(months.values()), minimum) for purpose, months in counts.items()]
    found.sort(key=lambda one: (-(one.people or 0), one.title))
    return Rates(found, _over_time(found, counts, minimum), people, minimum, rule)


def _added(counts: Iterable[Counter[bool]]) -> Counter[bool]:
    return sum(counts, Counter())


def _rate(policy: Policy, purpose: str, said: Counter[bool], minimum: int) -> Rate:
    own = policy.purposes.get(purpose)
    terms = policy.notice.vocabulary["purpose"]
    return Rate(
        purpose=purpose,
        title=own.title if own else terms[purpose].title if purpose in terms else purpose,
        choices=[one.rule.name for one in policy.choices().values() if purpose in one.governs],
        basis=policy.basis(purpose, "") if own else "",
        people=said.total() if said.total() >= minimum else None,
        share=_share(said, minimum),
    )


def _share(said: Counter[bool], minimum: int) -> float | None:
    """Who agrees of those who have spoken, where neither side is so small that it is about persons."""
    enough = said.total() >= minimum and all(said[way] == 0 or said[way] >= minimum for way in (True, False))
    return said[True] / said.total() if enough else None


def _over_time(found: Sequence[Rate], counts: Mapping[str, Mapping[date, Counter[bool]]], minimum: int) -> Chart | None:
    """Who agrees of those who had decided by then. A value stays until at least the smallest group has spoken since, so that
    no difference is about fewer.
    """
    months = _months(timezone.localdate())
    series = [Series(rate.title, _line(counts[rate.purpose], months, minimum)) for rate in found[:LINES]]
    series = [one for one in series if any(value is not None for value in one.values)]
    if not series:
        return None
    return Chart(
        id="rates",
        title=_("Who agrees, over time"),
        description=_("The share who agree, of those whose last word stood by the end of each month."),
        # Translators: a month with its year, in Django's date format letters.
        labels=[format_date(month, _("M Y")) for month in months],
        series=series,
        percent=True,
    )


def _months(today: date) -> list[date]:
    last = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(last - MONTHS + 1, last + 1)]


def _line(by_month: Mapping[date, Counter[bool]], months: Sequence[date], minimum: int) -> list[float | None]:
    values: list[float | None] = []
    shown: Counter[bool] = Counter()
    for month in months:
        said = _added(count for when, count in by_month.items() if when <= month)
        if said.total() - shown.total() >= minimum and _share(said, minimum) is not None:
            shown = said
        values.append(_share(shown, minimum))
    return values

"""The answer to “what do you hold on me, and why?”: in up to six parts, computed from what is held, the notice and the ledger.

Cal. Civ. Code §§ 1798.110, 1798.115 and 1798.130(a)(3), (5); Article 15(1) GDPR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from kept.apps.requests import package
from kept.apps.requests.gathering import Gathering, Value
from kept.apps.requests.package import Made, Package
from kept.apps.requests.period import Period
from kept.apps.requests.story import Story
from kept.apps.requests.terms import Terms
from kept.core.ledger import Header
from kept.core.notice.california import WHERE
from kept.core.notice.declared import recipient
from kept.core.notice.durations import Duration, add_months
from kept.core.notice.terms import RightTerms
from kept.core.notice.vocabulary import CCPA, regions_of
from kept.platform.data.use import Use

FORMAT = "kept-know-1"
PARTS = ("categories", "sources", "purposes", "recipients", "sold", "buyers")
"""What is told where the notice does not say: all but the pieces themselves."""
Told = dict[str, Any]


def build(use: Use, made: Made, right: RightTerms | None, *, period: Period, withheld: Mapping[str, str]) -> Package:
    """The parts that the right names. `period` is what was asked about: without a beginning, disclosures reach back as far as the right
    says, or to the first. `use` is of `rights`.
    """
    assert made.subject is not None
    terms = Terms(use.account_id, made.subject)
    gathered = Gathering(use, made.subject, terms, period=period, withheld=withheld)
    lookback = right.body.lookback if right else None
    reach = replace(period, since=back(made.now, lookback)) if lookback and period.since is None else period
    story = Story(use, terms, reach)
    wanted = (right.body.contents if right else ()) or PARTS
    parts = {name: part for name, part in _parts(gathered, story).items() if name in wanted}
    pieces = "pieces" in wanted
    document = {
        **made.head(FORMAT),
        "notice": terms.notice(),
        "period": package.told_period(reach),
        **parts,
        **({"pieces": {place.table.name: place.rows for place in gathered.places}} if pieces else {}),
        "described": package.described(gathered) if pieces else [],
        "left_out": gathered.left_out,
        "outside": package.outside(right),
    }
    shown = {
        "parts": parts,
        "pieces": pieces,
        "held": package.by_category(gathered) if pieces else [],
        "covered": gathered.cover.count if pieces else 0,
        "others": any(len(one.subjects) > 1 for one in story.given),
    }
    files = {
        "your-answer.html": package.page("know.html", made, terms, {**document, **shown}),
        "your-answer.json": package.as_json(document),
    }
    given = (*parts, *(("pieces",) if pieces else ()))
    return Package(files, package.counts(gathered), given).given_as(right.formats if right else ())


def back(now: datetime, length: Duration) -> datetime | None:
    """The moment from which an answer reaches back so far; of calendar years, the beginning of the first of those that are over."""
    now = timezone.localtime(now)
    match length.unit:
        case "calendar years":
            return now.replace(year=now.year - length.count, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        case "years" | "months":
            return add_months(now, -length.count * (12 if length.unit == "years" else 1))
        case "until withdrawn":
            return None
    return now - timedelta(days=length.days_at_most)


# The parts


def _parts(gathered: Gathering, story: Story) -> dict[str, Any]:
    """Each part, by the notice's word for it. Of the pieces only what they are is told here."""
    terms = gathered.terms
    held = frozenset(value.category for value in gathered.values) | gathered.described.keys() | _collected(story)
    sold = [one for one in story.given if _market(story, one)]
    given = [one for one in story.given if not _market(story, one)]
    return {
        "categories": _categories(gathered, held),
        "sources": _sources(gathered),
        "purposes": terms.each(
            lambda policy: (
                terms.purpose(policy, one) | {"categories": terms.titles("category", held & one.categories)}
                for one in policy.purposes.values()
                if held & one.categories
            )
        ),
        "recipients": {"given": _by_recipient(story, given), "may_get": _may_get(terms, held)},
        "sold": _by_category(story, sold),
        "buyers": _by_recipient(story, sold),
    }


def _collected(story: Story) -> frozenset[str]:
    """What the ledger says came in, whether it is still there or not."""
    return frozenset(category for one in story.collected for category in one.categories)


def _market(story: Story, header: Header) -> str:
    """Whether a disclosure was a sale, or sharing for advertising elsewhere; empty where it was neither."""
    outlet = story.outlet(header)
    if outlet is None or not (outlet.sale or outlet.share):
        return ""
    return "sale" if outlet.sale else "sharing"


def _categories(gathered: Gathering, held: Iterable[str]) -> list[Told]:
    """What is held, by kind; for residents of California each with its class by statute."""
    terms, californian = gathered.terms, WHERE in regions_of(gathered.subject.region)
    by_category: dict[str, list[Value]] = {}
    for value in gathered.values:
        by_category.setdefault(value.category, []).append(value)
    found = []
    for category in held:
        values = by_category.get(category, [])
        told: Told = {
            "category": terms.title("category", category),
            "values": len(values) + gathered.described.get(category, 0),
            "since": min((value.at for value in values if value.at), default=None),
        }
        name = terms.ccpa(category)
        found.append(told | ({"class": CCPA[name]["title"], "citation": CCPA[name]["citation"]} if californian and name else {}))
    return sorted(found, key=lambda one: (one.get("class", ""), one["category"]))


def _sources(gathered: Gathering) -> list[Told]:
    terms = gathered.terms
    found: dict[str, set[str]] = {}
    for value in gathered.values:
        if value.source:
            found.setdefault(value.source, set()).add(value.category)
    made_of = {source: sorted({one for value in gathered.values if value.source == source for one in value.made_of}) for source in found}
    told = [{"from": terms.title("source", one), "categories": terms.titles("category", held)} for one, held in found.items()]
    concluded = [{"concluded_from": made_of[one]} if made_of[one] else {} for one in found]
    return sorted(({**one, **more} for one, more in zip(told, concluded, strict=True)), key=lambda one: str(one["from"]))


def _by_recipient(story: Story, headers: Sequence[Header]) -> list[Told]:
    """Who got something, what of, what for, how often and when last."""
    found: dict[str, list[Header]] = {}
    for one in headers:
        found.setdefault(story.to(one), []).append(one)
    return [{"to": to, **_kind(story, some[0]), **_figures(story, some)} for to, some in sorted(found.items())]


def _kind(story: Story, header: Header) -> Told:
    outlet, market = story.outlet(header), _market(story, header)
    kind = story.terms.title("recipient", outlet.recipient_class) if outlet else ""
    return {"kind": kind, **({"as": market} if market else {})}


def _figures(story: Story, headers: Sequence[Header]) -> Told:
    return {
        "categories": story.terms.titles("category", (category for one in headers for category in one.categories)),
        "for": story.terms.titles("purpose", (one.purpose for one in headers if one.purpose)),
        "times": len(headers),
        "last": max(one.at for one in headers),
    }


def _by_category(story: Story, headers: Sequence[Header]) -> list[Told]:
    """What was sold or shared, by kind."""
    found: dict[tuple[str, str], list[Header]] = {}
    for one in headers:
        for category in one.categories:
            found.setdefault((story.terms.title("category", category), _market(story, one)), []).append(one)
    return [
        {"category": category, "as": market, "times": len(some), "last": max(one.at for one in some)}
        for (category, market), some in sorted(found.items())
    ]


def _may_get(terms: Terms, held: frozenset[str]) -> list[Told]:
    """Whom the notice lets have some of what is held."""
    return terms.each(
        lambda policy: (
            {
                "to": recipient(policy, one),
                "kind": terms.title("recipient", one.recipient_class),
                "categories": terms.titles("category", held & one.categories),
                "country": ", ".join(one.countries),
            }
            for one in policy.outlets.values()
            if held & one.categories and one.body.form != "aggregate"
        )
    )

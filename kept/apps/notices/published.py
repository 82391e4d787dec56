"""The public notice as a page: its highlights, its contents, its text with marks, and whom to turn to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kept.apps.notices import queries
from kept.apps.notices.queries import Promise, Published
from kept.apps.notices.tables import published_with
from kept.apps.requests.regions import name as region_name
from kept.core.notice import Notice
from kept.core.notice.outline import outline
from kept.core.notice.rules import NoticeBody, pick
from kept.core.notice.rules.identity import Contact
from kept.core.notice.summary import summary
from kept.core.notice.vocabulary import regions_of

BRANCH = 2
"""The level of headings that the contents begin with."""


@dataclass
class Entry:
    """A heading in the contents, with those under it."""

    id: str
    text: str
    under: list[Entry] = field(default_factory=list)


def page(here: Published, of: Sequence[Promise], region: str) -> dict[str, Any]:
    """What the page shows to somebody who lives in a region, or said nothing. `of` are the promises to mark."""
    blocks = queries.blocks(here, of, region)
    read = {one.rule: one for block in blocks for one in block.promises}
    identity = here.notice.identity_in(region)
    return {
        "blocks": blocks,
        "summary": queries.summary(list(read.values())),
        "brief": summary(here.policy, region),
        "tables": published_with(here.notice),
        "contents": contents(here.notice, region),
        "regions": regions(here.notice),
        "region": region,
        "dates": dates(here.notice),
        "said": identity,
        "contacts": contacts(identity),
        "authority": pick(identity.authority, region) or "",
        "regulator": pick(identity.regulator, region) or "",
        "dispute": identity.dispute or here.notice.identity.dispute,
    }


def contents(notice: Notice, region: str) -> list[Entry]:
    """The table of contents as it reads in a region."""
    shown = set(regions_of(region)) if region else set()
    found: list[Entry] = []
    for heading in outline(notice):
        if heading.passage.regions and shown.isdisjoint(heading.passage.regions):
            continue
        entry = Entry(heading.id, heading.passage.text)
        if heading.passage.level > BRANCH and found:
            found[-1].under.append(entry)
        else:
            found.append(entry)
    return found


def dates(notice: Notice) -> Mapping[str, date]:
    """The regions whose supplement has a date of its own."""
    bodies = {rule.region: rule.body for rule in notice.rules if isinstance(rule.body, NoticeBody) and rule.region}
    return {region: body.effective for region, body in bodies.items() if region and body.effective != notice.identity.effective}


def contacts(identity: NoticeBody) -> list[tuple[str, Sequence[Contact]]]:
    """Whom to turn to, by matter: `everything` first, then the others in the order of the notice."""
    matters = dict.fromkeys(matter for one in identity.contact for matter in one.for_)
    ordered = sorted(matters, key=lambda one: one != "everything")
    return [(matter, [one for one in identity.contact if matter in one.for_]) for matter in ordered]


def regions(notice: Notice) -> list[tuple[str, str]]:
    """The regions that have a supplement, with their names."""
    return [(region, region_name(region)) for region in notice.regions()]

"""The files of a copy, and the fullest of them: everything held on a person, on a page, as JSON, and as a CSV file for each table."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.template import engines
from django.utils.translation import gettext as _

from kept.apps.requests.gathering import DESCRIBED, Gathering, Place, Value
from kept.apps.requests.period import Period
from kept.apps.requests.phrases import OUTSIDE, WITHHELD, said
from kept.apps.requests.story import Story
from kept.apps.requests.terms import Terms
from kept.core.notice.rules import pick
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy.models import Choice, Identifier
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.provenance import Why

FORMAT = "kept-access-1"
_TEMPLATES = Path(__file__).parent / "templates/requests"


@dataclass(frozen=True)
class Package:
    """The files of a copy by name, counts of what is in it, and which parts of an answer it has, in the notice's words."""

    files: Mapping[str, bytes]
    summary: Mapping[str, int]
    contents: tuple[str, ...] = ()

    @property
    def formats(self) -> list[str]:
        """The forms in which it is given."""
        return sorted({name.rpartition(".")[2] for name in self.files} - SIDE)

    def zipped(self) -> bytes:
        """All files in one archive."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return out.getvalue()

    def given_as(self, forms: Collection[str]) -> Package:
        """Of pages, JSON and CSV only the forms that the right names (``html``, ``json``, ``csv``); all where it names none."""
        wanted = {*forms, *SIDE}
        return replace(self, files={name: one for name, one in self.files.items() if not forms or name.rpartition(".")[2] in wanted})


CONTENTS = ("pieces", "categories", "sources", "purposes", "recipients")
"""The parts that a copy of everything has."""
SIDE = frozenset({"vcf", "txt"})
"""Forms that no notice names: they come along."""


@dataclass(frozen=True)
class Made:
    """What every copy says of itself: by whom, for which request, of whom, when."""

    account: Account
    subject: Subject | None
    reference: str
    now: datetime

    def head(self, format_: str, region: str = "") -> dict[str, Any]:
        """The beginning of its document."""
        where = self.subject.region if self.subject else region
        return {"format": format_, "controller": self.account.name, "request": self.reference, "made": self.now, "region": where}


def build(
    use: Use,
    account: Account,
    subject: Subject,
    reference: str,
    now: datetime,
    right: RightTerms | None = None,
    *,
    period: Period = Period(),  # noqa: B008 (frozen)
    withheld: Mapping[str, str] = {},
) -> Package:
    """Everything held on a subject, or what of it came in or changed in a period. `use` is of the purpose `rights`.

    `reference` is that of the request, `right` the right it exercises; `withheld` are the categories that are described rather than
    disclosed, each with its reason.
    """
    terms, made = Terms(use.account_id, subject), Made(account, subject, reference, now)
    gathered = Gathering(use, subject, terms, period=period, withheld=withheld)
    story = Story(use, terms, period)
    places = gathered.places
    document = {
        **made.head(FORMAT),
        "notice": terms.notice(),
        "period": told_period(period),
        "purposes": terms.purposes(),
        "sources": terms.sources(),
        "recipients": terms.recipients(),
        "disclosures": story.disclosures(),
        "retention": terms.retention(),
        "choices": _choices(use, terms),
        "looks": story.looks(),
        "history": story.rest(),
        "held": {place.table.name: place.rows for place in places},
        "described": described(gathered),
        "left_out": left_out(gathered, story),
        "outside": outside(right),
        "found_by": sorted(set(Identifier.under(use).filter(subject_id=subject.pk).values_list("kind", flat=True))),
    }
    shown = {"held": by_category(gathered), "covered": gathered.cover.count, "files": [place.table.name for place in places]}
    files = {
        "your-data.html": page("package.html", made, terms, {**document, **shown}),
        "your-data.json": as_json(document),
        **{f"csv/{place.table.name}.csv": _csv(place) for place in places},
    }
    return Package(files, counts(gathered), CONTENTS).given_as(right.formats if right else ())


# What copies have in common


def counts(gathered: Gathering) -> dict[str, int]:
    """What is told of a copy where nothing personal may be."""
    found = {
        "entries": sum(len(place.rows) for place in gathered.places),
        "places": len(gathered.places),
        "covered": gathered.cover.count,
        "withheld": sum(gathered.described.values()),
        "left_out": sum(gathered.left_out.values()),
    }
    return {name: count for name, count in found.items() if count or name in ("entries", "places", "covered")}


def described(gathered: Gathering) -> list[dict[str, Any]]:
    """What is described rather than disclosed: the kind, how many, and why."""
    terms = gathered.terms
    found = [
        {"kind": terms.title("category", one), "how_many": count, "reason": gathered.withheld[one], "why": _withheld(gathered, one)}
        for one, count in gathered.described.items()
    ]
    return sorted(found, key=lambda one: str(one["kind"]))


def _withheld(gathered: Gathering, category: str) -> str:
    reason = gathered.withheld[category]
    return _("our notice says that it is named and never shown") if reason == DESCRIBED else said(WITHHELD, reason)


def left_out(gathered: Gathering, story: Story) -> dict[str, int]:
    """What lies outside the period, counted by table; and entries of the ledger."""
    older = story.left_out
    return gathered.left_out | ({_("Steps in our ledger"): older} if older else {})


def outside(right: RightTerms | None) -> list[str]:
    """Who and what is outside the scope of a right, in words."""
    return [said(OUTSIDE, one) for one in right.body.not_for] if right else []


def told_period(period: Period) -> dict[str, date | None]:
    """A period as a document says it."""
    return {"since": period.since.date() if period.since else None, "until": period.last_day}


def by_category(gathered: Gathering) -> list[tuple[str, list[Value]]]:
    """The values by what they are, for people."""
    found: dict[str, list[Value]] = {}
    for value in gathered.values:
        found.setdefault(gathered.terms.title("category", value.category), []).append(value)
    return sorted(found.items())


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document, for machines."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Why):
        return value.__dict__
    return str(value)


def page(template: str, made: Made, terms: Terms | None, context: Mapping[str, Any]) -> bytes:
    """A document of its own to read or print: nothing in it comes from elsewhere."""
    identity = (terms.active if terms else policy_of(made.account.pk)).notice.identity_in(str(context["region"]))
    known = {
        "account": made.account,
        "css": (_TEMPLATES / "package.css").read_text(),
        "authority": pick(identity.authority, str(context["region"])) or "",
        "contact": identity.address,
    }
    return str(engines["jinja2"].get_template(f"requests/{template}").render({**known, **context})).encode()


def table_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A CSV file (RFC 4180), with the mark by which spreadsheets know UTF-8."""
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _csv(place: Place) -> bytes:
    names = list(dict.fromkeys(name for row in place.rows for name in row if name != "origin"))
    return table_csv([*names, "source", "occasion", "held_since", "basis"], [{**row, **(row.get("origin") or {})} for row in place.rows])


def _choices(use: Use, terms: Terms) -> list[dict[str, Any]]:
    held = Choice.under(use).filter(subject_id=terms.subject.pk).order_by("purpose")
    return [
        {"purpose": terms.title("purpose", row.purpose), "state": row.state, "restricted": row.restricted, "since": row.at} for row in held
    ]

"""How the pages of this room say what queries found: labels, reasons, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from kept.apps.contacts.actions import CORRECTED, ENTERED
from kept.apps.contacts.history import Event, Standing
from kept.apps.contacts.queries import Value
from kept.core.notice import Policy
from kept.core.notice.vocabulary import BASE, BASES
from kept.platform.ui import formats

LABELS: Mapping[str, Promise] = {
    "name": later("Name"),
    "job-title": later("Job title"),
    "organisation": later("Company"),
    "email": later("Email"),
    "phone": later("Phone"),
    "postal-address": later("Address"),
    "birth-date": later("Born"),
}
_WHY: Mapping[str, Promise] = {
    "name": later("Why we hold this name"),
    "job-title": later("Why we hold this job title"),
    "organisation": later("Why we hold this company"),
    "email": later("Why we hold this email address"),
    "phone": later("Why we hold this phone number"),
    "postal-address": later("Why we hold this address"),
    "birth-date": later("Why we hold this date of birth"),
}
_OCCASIONS: Mapping[str, Promise] = {ENTERED: later("entered by hand"), CORRECTED: later("corrected by hand")}
_FIELDS: Mapping[str, str] = {
    "given_name": "name",
    "family_name": "name",
    "job_title": "job-title",
    "birth_date": "birth-date",
    "company": "organisation",
}


def label(category: str) -> str:
    """What a category is called beside a value."""
    return str(LABELS.get(category, category))


def source(term: str) -> str:
    """Where data comes from."""
    terms = BASE["source"]
    return terms[term].title if term in terms else term


def basis(term: str) -> str:
    """A lawful basis."""
    return BASES[term].title if term in BASES else term


def why(value: Value, purpose: str, rule_url: str) -> dict[str, Any] | None:
    """The answer to “why do we hold this?”, as the arguments of the ui's component. For a closed value: why it is closed."""
    if value.closed is not None:
        title = _("Withheld when acting for %(purpose)s") % {"purpose": purpose}
        return {"title": title, "rows": [(_("Because"), value.closed.text)], "rule": value.closed.rule, "rule_url": rule_url}
    if value.why is None:
        return None
    found = value.why
    rows = [
        (_("From"), f"{source(found.source)}, {_occasion(found.occasion)}"),
        (_("When"), formats.date(found.at)),
        (_("Basis"), basis(found.basis)),
        (_("Used for"), ", ".join(found.purposes) or _("nothing now")),
    ]
    if found.refused:
        rows.append((_("Not for"), ", ".join(found.refused)))
    rows.append((_("Kept until"), found.kept.replace("-", " ") or _("the notice says nothing")))
    rows.append((_("Notice"), _("version %(number)d") % {"number": found.notice_version}))
    quote = f"“{found.promise}”" if found.promise else ""
    return {"title": str(_WHY[value.category]), "rows": rows, "quote": quote, "rule": found.rule, "rule_url": rule_url}


def _occasion(text: str) -> str:
    return str(_OCCASIONS.get(text, text))


def story(event: Event, actors: Mapping[str, str], policy: Policy) -> dict[str, Any]:
    """An event as a line of the timeline."""
    text, who = _event(event, policy), actors.get(event.actor, "")
    by = _("by %(name)s") % {"name": who} if who else _("by the person") if event.actor.startswith("person") else ""
    if event.kind == "collection":
        told = _("from %(source)s, %(occasion)s") % {
            "source": source(event.said.get("source", "")).lower(),
            "occasion": _occasion(event.said.get("occasion", "")),
        }
        by = f"{told} {by}" if event.said else by
    elif who and event.kind in ("consent", "objection", "opt-out", "restriction"):
        by = _("noted by %(name)s") % {"name": who}
    return {"text": text, "note": by, "at": event.at, "mark": event.kind not in ("collection", "correction", "look")}


def _event(event: Event, policy: Policy) -> str:
    purpose = policy.purposes[event.purpose].title or event.purpose if event.purpose in policy.purposes else event.purpose
    match event.kind:
        case "consent" | "objection" | "opt-out" | "restriction":
            return _decision(str(event.said.get("verb", "")), purpose or _("every purpose"))
        case "collection":
            added = event.categories and "name" not in event.categories
            return _("%(what)s added") % {"what": _list(event.categories)} if added else _("The record came in")
        case "correction":
            return _correction(event)
        case "disclosure":
            return _("%(what)s told to %(whom)s") % {"what": _list(event.categories), "whom": event.recipient}
        case "look":
            return ngettext("Shown to the team once", "Shown to the team %(n)d times", event.number) % {"n": event.number}
        case "request":
            return _("Asked for a right of theirs")
        case "release":
            return _("Got a copy of their data")
        case "hold":
            return _("A hold keeps this record")
        case "retention":
            return _("Deleted, because its time had come: %(what)s") % {"what": _list(event.categories)}
    return _("Noted in the ledger: %(kind)s") % {"kind": event.kind}


def _decision(verb: str, purpose: str) -> str:
    said = {
        "allow": _("Agreed to %(purpose)s"),
        "withdraw": _("Withdrew consent to %(purpose)s"),
        "object": _("Objected to %(purpose)s"),
        "opt-out": _("Opted out of %(purpose)s"),
        "restrict": _("Had %(purpose)s restricted"),
        "lift": _("Had the restriction of %(purpose)s lifted"),
    }
    return said.get(verb, _("Decided about %(purpose)s")) % {"purpose": purpose}


def _correction(event: Event) -> str:
    removed = event.said.get("removed")
    if removed == "record":
        return _("A record was removed")
    if removed:
        return _("%(what)s removed") % {"what": _list([str(removed)])}
    fields = event.said.get("fields", event.categories)
    return _("%(what)s changed") % {"what": _list(list(dict.fromkeys(_FIELDS.get(one, one) for one in fields)))}


def _list(categories: Iterable[str]) -> str:
    names = [_("Date of birth") if one == "birth-date" else label(one) for one in categories]
    return ", ".join(name if place == 0 else name.lower() for place, name in enumerate(names))


def shown(value: Value) -> str:
    """A value as it is read: a day in the reader's own form."""
    if value.category != "birth-date":
        return value.text
    try:
        return date_format(date.fromisoformat(value.text), "DATE_FORMAT")
    except ValueError:
        return value.text


def standing(one: Standing) -> str:
    """Where somebody stands on a purpose, in a few words."""
    if one.restricted:
        return _("restricted on %(day)s") % {"day": _plain_day(one)}
    said = {
        "given": _("agreed on %(day)s"),
        "withdrawn": _("withdrawn on %(day)s"),
        "objected": _("objected on %(day)s"),
        "opted-out": _("opted out on %(day)s"),
    }
    if one.state in said:
        return said[one.state] % {"day": _plain_day(one)}
    return _("has not been asked") if not one.open else _("open until they say otherwise")


def _plain_day(one: Standing) -> str:
    return date_format(one.at, "DATE_FORMAT") if one.at else ""

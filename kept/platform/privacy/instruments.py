"""Papers on file: the agreements, instructions and orders that some outlets and purposes need before they open.

An outlet or purpose that `needs` one is closed until it is on file, and outside its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from django.db.models import Q
from django.utils import timezone

from kept.core.errors import BadInput, NotFound
from kept.platform.data.use import Use, writing
from kept.platform.privacy import evidence, inlets, ledger
from kept.platform.privacy.models import Instrument

Kind = Literal["agreement", "instruction", "legal-order", "reason", "mechanism", "grant"]
KINDS: Mapping[str, str] = {
    "agreement": "An agreement with a recipient, a customer or a person.",
    "instruction": "A customer's documented instruction (GDPR, article 28(3)(a)).",
    "legal-order": "An order of a court or an authority.",
    "reason": "A reasoned decision that a disclosure is justified.",
    "mechanism": "What lets data leave a region: standard contractual clauses, a certification.",
    "grant": "Access that somebody granted us, with a scope and an end.",
}
CUSTOMER = "customer"
"""The party of instructions that the account itself gives."""
SCOPE = ("purposes", "rules", "subjects")


def record(
    use: Use,
    kind: Kind,
    party: str,
    title: str,
    *,
    ground: str = "",
    reference: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    note: str = "",
    scope: Mapping[str, Sequence[str]] | None = None,
) -> Instrument:
    """Put one on file, with an entry in the ledger. `use` is one that writes the account's own tables (bookkeeping, or any purpose).

    Raises BadInput for a kind or scope unknown, no party or title, a time that ends before it begins, and a refused number in a text.
    """
    now = timezone.now()
    begins = valid_from or now
    _check(kind, party, title, begins, valid_until, scope or {}, (reference, note))
    subjects = tuple((scope or {}).get("subjects", ()))
    rules = tuple((scope or {}).get("rules", ()))
    fields = {
        "kind": kind,
        "party": party,
        "ground": ground,
        "title": title,
        "reference": reference,
        "note": note,
        "valid_from": begins,
        "valid_until": valid_until,
        "recorded_by": use.actor,
        "recorded_at": now,
        "scope": {name: list(named) for name, named in (scope or {}).items()},
    }
    with writing(use):
        rule = rules[0] if len(rules) == 1 else None
        return evidence.keep(use, Instrument, fields, "instrument", recipient=party, rule=rule, subjects=subjects)


def _check(
    kind: str,
    party: str,
    title: str,
    begins: datetime,
    ends: datetime | None,
    scope: Mapping[str, Sequence[str]],
    texts: Sequence[str],
) -> None:
    if kind not in KINDS:
        raise BadInput(f"“{kind}” is no kind of paper.", place="kind", cure=f"Use one of {', '.join(KINDS)}.")
    if not party.strip() or not title.strip():
        raise BadInput("A paper names its party and has a title.", place="party", cure="Say with whom it is, and what it is called.")
    if ends is not None and ends <= begins:
        raise BadInput("It ends before it begins.", place="valid_until", cure="Give a later end, or none.")
    if set(scope) - set(SCOPE):
        raise BadInput("A scope lists purposes, rules or subjects.", place="scope", cure=f"Use the keys {', '.join(SCOPE)}.")
    if any(inlets.refused_category(text) for text in (party, title, *texts)):
        raise BadInput("This holds a number that is refused everywhere.", place="note", cure="Leave the number out.")


def end(use: Use, instrument_id: int) -> None:
    """End one now: what it opened closes with the next question. Raises NotFound."""
    with writing(use):
        found = Instrument.under(use).filter(pk=instrument_id, ended_at=None).first()
        if found is None:
            raise NotFound("There is no such paper in force.", place=f"instruments/{instrument_id}")
        Instrument.under(use).filter(pk=found.pk).update(ended_at=timezone.now())
        ledger.append(use, "instrument", recipient=found.party, subjects=tuple(found.scope.get("subjects", ())))


def on_file(
    use: Use,
    kinds: Sequence[str],
    parties: Sequence[str] = (),
    *,
    purpose: str = "",
    rule: str = "",
    subject: str = "",
    title: str = "",
    at: datetime | None = None,
) -> Instrument | None:
    """The newest paper of one of these kinds, with one of these parties, in its time at a moment and for this purpose, rule and subject;
    None where there is none. No parties: with anybody. `title`, where given, is the agreement that the notice names.
    """
    moment = at or timezone.now()
    in_time = Q(valid_from__lte=moment) & (Q(valid_until=None) | Q(valid_until__gt=moment)) & (Q(ended_at=None) | Q(ended_at__gt=moment))
    found = Instrument.under(use).filter(in_time, kind__in=kinds).order_by("-id")
    found = found.filter(party__in=parties) if parties else found
    for one in found.filter(title=title) if title else found:
        if _covers(one.scope, {"purposes": purpose, "rules": rule, "subjects": subject}):
            held: Instrument = one
            return held
    return None


def _covers(scope: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    """A list left out means any; one that is there must name what is asked about."""
    return all(name not in scope or asked[name] in scope[name] for name in SCOPE)

"""Breaking the glass: people reading what a limit closes to people (`limit.humans`).

The guard hides such values from everybody who is no program. Somebody who must see particular ones states a ground that the limit
admits and a reason, names the records, and says until when; an agreement or a legal order must be on file. The leave is written down,
the owners of the account are told by mail, and each reading under it is an entry of the ledger. The database itself shows the named
rows, no others, and none once the time is up.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.core.errors import BadInput, NotFound, Refused
from kept.core.notice import Policy
from kept.core.notice.terms import FenceTerms
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.roles import Role
from kept.platform.data.datamap import table_of
from kept.platform.data.models import Subject
from kept.platform.data.personal import ValueModel
from kept.platform.data.use import ALIAS, Opened, Use, reading, writing
from kept.platform.privacy import evidence, fences, gate, inlets, instruments, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Entry, Glass, Instrument
from kept.platform.privacy.notices import policy_of

LONGEST = timedelta(hours=24)
"""How long a leave lasts at most."""
MOST_ROWS = 200
"""How many records one leave names at most."""
SHORTEST_REASON = 10
"""Characters: a reason says something."""
PAPERS = {"agreement": ("agreement", "grant"), "law": ("legal-order",)}
"""Grounds that rest on a paper. One of `agreement` names each person whose records are read."""


@dataclass(frozen=True)
class Shut:
    """A value that is here and closed to people: what it is, never what it says. `grounds` open it."""

    table: str
    row_id: int
    subject_id: int
    category: str
    source: str
    rule: str
    grounds: tuple[str, ...]


def _program(use: Use) -> Use:
    """The same use by a program, which the limits let in: to look what is there, and show none of it."""
    return replace(use, actor="job:glass")


def shut(account_id: int, actor: Actor | str, term: str, model: type[ValueModel], subject_ids: Sequence[int]) -> list[Shut]:
    """What this table holds of these people that the purpose may use and people may not read."""
    use = gate.use_for(account_id, actor, term)
    with reading(_program(use)):
        return _shut(_program(use), model, subject_id__in=list(subject_ids))


def _shut(use: Use, model: type[ValueModel], **which: Any) -> list[Shut]:
    policy, table = policy_of(use.account_id), table_of(model).name
    found = []
    for row in model.under(use).filter(**which).order_by("pk").defer("value"):
        limits = _limits(use, policy, row)
        if limits:
            common = set(limits[0].humans).intersection(*(one.humans for one in limits))
            rule, grounds = limits[0].rule.name, tuple(one for one in limits[0].humans if one in common)
            found.append(Shut(table, row.pk, row.subject_id, row.category, row.source, rule, grounds))
    return found


def _limits(use: Use, policy: Policy, row: ValueModel) -> list[FenceTerms]:
    """The limits that close a row to people, for what it is and for what it was made of."""
    own = fences.Origin(row.source, row.category, fences.record_of(type(row)))
    made_of = fences.derivations(use, [row.provenance_id]).get(row.provenance_id, [])
    standing = [*fences.standing(policy, own), *(one for origin in made_of for one in fences.standing(policy, origin) if one.derived)]
    return list({one.rule.name: one for one in standing if one.humans}.values())


# Leave


def grant(
    account_id: int,
    actor: Actor | str,
    term: str,
    model: type[ValueModel],
    row_ids: Sequence[int],
    *,
    ground: str,
    reason: str,
    expires_at: datetime,
) -> Glass:
    """Leave for this actor to read these rows until `expires_at`. Written down, and told to the owners of the account.

    Raises BadInput for a reason that says nothing, too many records or a time out of range; NotFound for a row that is not here or not
    closed; Refused, with the limit, for a ground that it does not admit or whose paper is not on file.
    """
    use = gate.use_for(account_id, actor, term)
    now = timezone.now()
    _check(use, row_ids, reason, now, expires_at)
    with reading(_program(use)) as looking:
        found = _shut(looking, model, pk__in=list(row_ids))
        if {one.row_id for one in found} != set(row_ids):
            raise NotFound("There is no such record here that is closed to people.", place=model._meta.label)
        references = dict(Subject.under(looking).filter(pk__in={one.subject_id for one in found}).values_list("pk", "reference"))
    paper = _paper(use, found, ground, list(references.values()))
    reference, rules = secrets.token_hex(16), sorted({one.rule for one in found})
    fields = {
        "reference": reference,
        "actor": use.actor,
        "purpose": use.purpose,
        "rules": rules,
        "ground": ground,
        "reason": reason.strip(),
        "instrument_id": paper and paper.pk,
        "rows": [[one.table, one.row_id] for one in found],
        "made_at": now,
        "expires_at": expires_at,
    }
    header = {"actor": use.actor, "purpose": use.purpose, "categories": [one.category for one in found], "rule": rules[0]}
    with bookkeeping(account_id, writing=True) as keeping:
        subjects = sorted(references.values())
        made = evidence.keep(keeping, Glass, fields, "instrument", subjects=subjects, request=reference, **header)
        transaction.on_commit(partial(tell, account_id, reference), using=ALIAS, robust=True)
    return made


def _check(use: Use, row_ids: Sequence[int], reason: str, now: datetime, expires_at: datetime) -> None:
    if not use.people:
        raise BadInput("A program needs no leave.", place="actor", cure="Ask under its own purpose.")
    if not 0 < len(row_ids) <= MOST_ROWS:
        raise BadInput(f"A leave names 1 to {MOST_ROWS} records.", place="records", cure="Name those that you must see.")
    if len(reason.strip()) < SHORTEST_REASON or inlets.refused_category(reason):
        raise BadInput("The reason says nothing, or holds a refused number.", place="reason", cure="Say in a sentence why you must read.")
    if not now < expires_at <= now + LONGEST:
        raise BadInput("A leave ends within a day.", place="expires_at", cure="Give a moment within the next 24 hours.")


def _paper(use: Use, found: Sequence[Shut], ground: str, references: Sequence[str]) -> Instrument | None:
    """The paper that the ground rests on. Raises Refused for a ground that some limit does not admit, or without its paper."""
    for one in found:
        if ground == "aggregated" or ground not in one.grounds:
            admits = ", ".join(word for word in one.grounds if word != "aggregated")
            cure = f"Its grounds are: {admits or 'none'}." + (
                " Figures about groups come from aggregates." if ground == "aggregated" else ""
            )
            raise Refused(f"{one.rule} does not let people read this on the ground “{ground}”.", place="ground", rule=one.rule, cure=cure)
    if ground not in PAPERS:
        return None
    held: Instrument | None = None
    with bookkeeping(use.account_id) as keeping:
        for reference in references:
            held = instruments.on_file(keeping, PAPERS[ground], purpose=use.purpose, subject=reference)
            if held is None or (ground == "agreement" and "subjects" not in held.scope):
                raise Refused(
                    f"No {PAPERS[ground][0].replace('-', ' ')} for these records is on file.",
                    place="ground",
                    rule=found[0].rule,
                    cure="Put it on file, naming the people whose records it is about.",
                )
    return held


def tell(account_id: int, reference: str) -> bool:
    """Write to the owners of the account that a leave was taken; whether this did. May be repeated: nobody is told twice."""
    with bookkeeping(account_id) as use:
        made = Glass.under(use).filter(reference=reference, told_at=None).first()
    if made is None:
        return False
    account = Account.objects.get(pk=account_id)
    owners = Member.objects.filter(account=account, role=Role.OWNER).values_list("user__email", flat=True)
    said = {"account": account.name, "who": _name(made.actor), "count": len(made.rows), "until": f"{made.expires_at:%d %B %Y, %H:%M} UTC"}
    text = _(
        "%(who)s may read %(count)s records of %(account)s that your notice closes to people, until %(until)s.\n\n"
        "Ground: %(ground)s\nReason given: %(reason)s\nLimits: %(rules)s\n\nEach reading is in the ledger, under %(reference)s.\n"
    ) % {**said, "ground": made.ground, "reason": made.reason, "rules": ", ".join(made.rules), "reference": made.reference}
    send_mail(_("%(who)s opened closed records of %(account)s") % said, text, None, list(owners))
    with bookkeeping(account_id, writing=True) as use:
        Glass.under(use).filter(pk=made.pk).update(told_at=timezone.now())
    return True


def _name(actor: str) -> str:
    kind, _colon, number = actor.partition(":")
    member = Member.objects.filter(pk=int(number)).first() if kind == "member" and number.isdigit() else None
    return str(member.user) if member is not None else actor


# Reading


@contextmanager
def breaking(account_id: int, actor: Actor | str, reference: str) -> Iterator[Use]:
    """Enter the purpose of a leave, with its rows open. Each entering is a `look` in the ledger that names leave, limit and people.

    Raises NotFound for a leave of somebody else, Refused once its time is up or its paper has ended.
    """
    who = actor if isinstance(actor, str) else actor.reference
    with bookkeeping(account_id) as keeping:
        made = Glass.under(keeping).filter(reference=reference, actor=who).first()
        if made is None:
            raise NotFound("There is no such leave.", place=f"glass/{reference}")
        header = ledger.header_of(Entry.under(keeping).get(pk=made.entry))
        now = timezone.now()
        paper = Instrument.under(keeping).filter(pk=made.instrument_id or 0).first()
        ended = paper is not None and any(moment is not None and moment <= now for moment in (paper.valid_until, paper.ended_at))
    if made.expires_at <= now or ended:
        raise Refused("This leave has ended.", place=f"glass/{reference}", rule=made.rules[0], cure="State a ground again.")
    until = min([made.expires_at, *([paper.valid_until] if paper and paper.valid_until else [])])
    opened = Opened(frozenset((table, row_id) for table, row_id in made.rows), until)
    use = replace(gate.use_for(account_id, actor, made.purpose), opened=opened)
    gate.bring_up(account_id)
    with writing(use):
        ledger.append(
            use,
            "look",
            purpose=use.purpose,
            categories=header.categories,
            rule=made.rules[0],
            subjects=header.subjects,
            request=made.reference,
        )
    with reading(use):
        yield use

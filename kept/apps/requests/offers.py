"""What a notice offers somebody to ask for where they live, said in full: how soon, by what proof, at what cost, with what to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import phrases, queries, regions, verifying, words
from kept.apps.requests.actions.intake import ANYBODY
from kept.apps.requests.asking import Asking
from kept.apps.requests.models import Kind
from kept.core.notice.deadlines import Offers
from kept.core.notice.rules.identity import Contact, RoleBody
from kept.core.notice.terms import PurposeTerms, RightTerms
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.models import Account
from kept.platform.privacy.notices import policy_of

Follows = Literal["letter", "sign-in", "at-once", "received", "referred"]
SEE = (Kind.KNOW, Kind.ACCESS, Kind.PORTABILITY, Kind.MARKETING_DISCLOSURES)
CHANGE = (
    *(Kind.CORRECT, Kind.CHOICES, Kind.OBJECT, Kind.WITHDRAW, Kind.RESTRICT, Kind.LIMIT_SENSITIVE, Kind.OPT_OUT_SALE),
    Kind.OPT_IN_SALE,
)
AT_ONCE = (Kind.OPT_OUT_SALE, Kind.LIMIT_SENSITIVE, Kind.WITHDRAW)
"""What is done, and not only taken in, where nothing has to be proved."""
NO_RETALIATION = "no-retaliation"

MOVED = {Kind.OBJECT: ("refuses", "gives"), Kind.WITHDRAW: ("gives",)}
"""What a person's word does to the uses they can name: it ends them, or they rest on it. A restriction is of any use."""


@dataclass(frozen=True)
class Offer:
    """One thing that can be asked for. `promise` is the notice's own sentence, `within` the time it takes at most, with what sets it;
    `told` are the other things to know of it, as label and text; `ways` are the other ways to ask for it, with the subject or first line
    that opens it there.
    """

    kind: Kind
    title: str
    says: str
    icon: str
    promise: str
    within: str
    told: tuple[tuple[str, str], ...]
    ways: tuple[Contact, ...]
    subject_line: str


@dataclass(frozen=True)
class Group:
    """Offers that belong together."""

    title: str
    offers: tuple[Offer, ...]


def has(policy: Offers, kind: Kind, region: str) -> bool:
    """Whether this can be asked for by somebody who lives there."""
    return kind in (Kind.CHOICES, Kind.QUESTION) or queries.right_of(policy, kind, region) is not None


def offer(account: Account, policy: Offers, kind: Kind, region: str) -> Offer:
    """What can be asked for, said in full."""
    right = queries.right_of(policy, kind, region)
    own = right if kind not in (Kind.CHOICES, Kind.OPT_IN_SALE) else None
    role = queries.passed_on(account, queries.whose(account))
    if role is not None and kind not in ANYBODY:
        return _passed_on(account, policy, kind, role)
    return Offer(
        kind,
        words.title(kind),
        words.says(kind, account.name),
        words.WORDS[kind].icon,
        own.rule.promise if own else "",
        _within(policy, kind, region) if own else "",
        tuple(_told(own, policy, kind, region)) if own else (),
        tuple(phrases.contacts(policy.notice.identity_in(region), own.channels)) if own else (),
        own.body.subject_line or own.body.first_line or "" if own else "",
    )


def _passed_on(account: Account, policy: Offers, kind: Kind, role: RoleBody) -> Offer:
    """What others answer: our own part is to pass it on, or to say whom to ask."""
    within = _("To whoever is responsible within %s.") % phrases.length(role.within) if role.within else ""
    ways = tuple(phrases.contacts(policy.notice.identity, ("email", "phone", "post")))
    says, shape = words.says(kind, account.name), words.WORDS[kind].icon
    return Offer(kind, words.title(kind), says, shape, "", within, (), ways, "")


def groups(account: Account, policy: Offers, region: str) -> list[Group]:
    """Everything that can be asked for where somebody lives, what belongs together together."""
    named = (
        (_("See it"), SEE),
        (_("Change it, or what is done with it"), CHANGE),
        (_("End it"), (Kind.ERASE,)),
        (_("Complain, or ask us"), (Kind.COMPLAIN, Kind.QUESTION)),
    )
    found = [
        Group(title, tuple(offer(account, policy, kind, region) for kind in kinds if has(policy, kind, region))) for title, kinds in named
    ]
    return [group for group in found if group.offers]


def fairness(policy: Offers, region: str) -> RightTerms | None:
    """The promise that nobody is treated worse for asking, where the notice makes it."""
    return policy.rights(region).get(NO_RETALIATION)


def _within(policy: Offers, kind: Kind, region: str) -> str:
    clock = queries.deadline(policy, kind, region, timezone.now()).decided
    set_by = clock.citation or _("our notice")
    if clock.by == "default":
        set_by = _("our own rule, as nothing else sets it")
    return _("Within %(time)s, by %(who)s.") % {"time": phrases.length(clock.within), "who": set_by}


def _told(right: RightTerms, policy: Offers, kind: Kind, region: str) -> list[tuple[str, str]]:
    body, found = right.body, list[tuple[str, str]]()
    confirm = right.confirm_within
    if confirm is not None:
        found.append((_("Receipt"), _("Confirmed within %s.") % phrases.length(confirm)))
    found.append((_("Proof"), phrases.proof(right)))
    facts = [phrases.category(policy.notice, one) for one in verifying.asked_of(right)]
    if verifying.facts_needed(right):
        found.append((_("We ask for"), _("%s, and nothing else.") % phrases.listed(facts, _("or")).capitalize()))
    if body.fee is not None:
        found.append((_("Cost"), _("%(n)s free; after that %(then)s.") % {"n": body.fee.free, "then": body.fee.then}))
    if body.once_per is not None:
        found.append((_("How often"), _("Once in %s.") % phrases.length(body.once_per)))
    if body.lookback is not None:
        found.append((_("How far back"), _("At least %s.") % phrases.length(body.lookback)))
    if body.consequence:
        found.append((_("What follows"), body.consequence))
    if body.except_:
        found.append((_("What may stay") if kind == Kind.ERASE else _("Exceptions"), exceptions(right)))
    if body.not_for:
        outside = phrases.listed(phrases.said(phrases.OUTSIDE, one) for one in body.not_for)
        found.append((_("Not for"), f"{outside[:1].upper()}{outside[1:]}."))
    if body.agent:
        found.append((_("Who acts for you brings"), agent(right)))
    if body.how:
        found.append((_("How"), body.how))
    return found


def exceptions(right: RightTerms) -> str:
    """What may be kept or refused, in a sentence."""
    named = phrases.listed((phrases.said(phrases.EXCEPTIONS, one) for one in right.body.except_), _("or"))
    return _("%s. Of each thing we say so, and why.") % f"{named[:1].upper()}{named[1:]}"


def agent(right: RightTerms | None) -> str:
    """What somebody who acts for another has to bring, in a sentence."""
    wanted = (right.body.agent if right is not None else ()) or verifying.AGENT
    together = phrases.listed(phrases.said(phrases.POWERS, one) for one in wanted if one != "power-of-attorney")
    if "power-of-attorney" in wanted:
        together = _("a power of attorney, or %s") % together if together else _("a power of attorney")
    return f"{together[:1].upper()}{together[1:]}."


# What becomes of an asking


def outside(right: RightTerms | None, capacity: str) -> bool:
    """Whether somebody who asks in this capacity is outside the scope of a right."""
    return right is not None and bool(capacity) and capacity in right.body.not_for


def general(policy: Offers, kind: Kind, capacity: str, account: Account) -> str | None:
    """The region whose terms hold for somebody who is outside those of their own: what the notice gives everybody. None where it gives
    them nothing.
    """
    for region in (account.region, ""):
        right = queries.right_of(policy, kind, region)
        if right is not None and not outside(right, capacity):
            return region
    return None


def others_data(account: Account) -> RoleBody | None:
    """The role in which an account keeps records for others, whose people it sends to them; None where it does not."""
    return queries.passed_on(account, "customer")


def asks_whose(account: Account) -> bool:
    """Whether one has to say whose records one means: where an account answers for some, and not for others."""
    return others_data(account) is not None and queries.whose(account) == "own"


def follows(account: Account, policy: Offers, kind: Kind, region: str, *, data: str, by: str = "self") -> Follows:
    """What happens next to somebody who asks: only what the notice and their own words decide, never whether they are known."""
    role, right = queries.passed_on(account, data), queries.right_of(policy, kind, region)
    if role is not None:
        return "referred" if role.requests == "refer" else "letter"
    if by == "self" and (kind in ANYBODY or (kind not in (Kind.CHOICES, Kind.OPT_IN_SALE) and verifying.proved("", right))):
        return "at-once" if kind in AT_ONCE else "received"
    return "letter" if verifying.by_link(right) else "sign-in"


def asking_of(account: Account, policy: Offers, kind: Kind, region: str, known: str = "") -> Asking:
    """What the form of a request is made for."""
    ours = policy_of(account.pk)
    role = others_data(account) if asks_whose(account) else None
    moved = MOVED.get(kind)
    uses: Sequence[PurposeTerms] = [
        one for one in ours.purposes.values() if moved is None or BASES.get(ours.basis(one.id, region), BASES["contract"]).choice in moved
    ]
    return Asking(
        kind,
        queries.right_of(policy, kind, region),
        regions.told_apart(policy.notice, account.region),
        region,
        uses,
        account.name,
        known=known,
        whose=(role.to or _("others")) if role is not None else "",
        children=ours.minimum_age(region) is not None,
    )

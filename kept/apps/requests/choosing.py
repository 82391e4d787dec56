"""What a person may turn on and off themselves: uses of their data, who gets it, what observes them; and what follows, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kept.apps.requests import actions, phrases, queries
from kept.apps.requests.models import Request, State
from kept.core.errors import BadInput, NotFound
from kept.core.notice import Policy, SubjectFacts
from kept.core.notice.declared import recipient
from kept.core.notice.rules import MARKETS
from kept.core.notice.standing import Standing
from kept.core.notice.terms import ChoiceTerms, DiscloseTerms
from kept.core.notice.vocabulary import BASES
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import choices, masks
from kept.platform.privacy.choices import Verb
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.notices import ruling

NO: dict[str, Verb] = {"consent": "withdraw", "explicit-consent": "withdraw", "opt-out": "opt-out"}
"""How a no is called on each basis; on any other it is an objection. Of recipients, trackers and sale it is an opt-out."""
MOST_NAMED = 4
"""How many kinds of data a sentence names."""


@dataclass(frozen=True)
class Switch:
    """One thing to decide, and whether it is open to this person's data now. `about` is a purpose, a rule (``disclose:id``,
    ``tracker:id``), ``sale`` or ``sharing``; `promise` the notice's own sentence; `open` and `shut` say what holds when it is on, and when
    it is off. `twice`: to turn it on again takes two steps. `costs` is what a person loses by a no.
    """

    about: str
    title: str
    promise: str
    on: bool
    open: str
    shut: str
    verb: Verb
    since: datetime | None = None
    twice: bool = False
    costs: str = ""

    @property
    def now(self) -> str:
        """What holds now."""
        return self.open if self.on else self.shut


def _movable(terms: Policy | Standing, subject: Subject) -> dict[str, str]:
    """The purposes that a person's word moves, and the basis that says how: under their own version too, where that is an older one.

    A purpose that is new to them opens by their word alone.
    """
    versions = (terms.earlier, terms.active) if isinstance(terms, Standing) else (terms,)
    found = {}
    for purpose in versions[-1].purposes:
        bases = [policy.basis(purpose, subject.region) for policy in versions if purpose in policy.purposes]
        moving = [basis for basis in bases if basis and BASES[basis].choice != "none"]
        if moving or len(bases) < len(versions):
            found[purpose] = moving[0] if moving else "consent"
    return found


class _Person:
    """What one person can decide. `use` is of the purpose `rights`."""

    def __init__(self, use: Use, subject: Subject) -> None:
        self.subject, terms = subject, ruling(use.account_id).over(subject.notice_version)
        self.terms = terms
        self.active = terms.active if isinstance(terms, Standing) else terms
        self.versions = (terms.earlier, terms.active) if isinstance(terms, Standing) else (terms,)
        self.facts: SubjectFacts = masks.facts_of(use, [subject], timezone.now())[subject.pk]
        self.offered: Mapping[str, ChoiceTerms] = terms.choices(subject.region)

    def switches(self) -> list[Switch]:
        """Everything, uses first."""
        return [*self._uses(), *self._moves()]

    def _uses(self) -> Iterator[Switch]:
        governed = {purpose: one for one in self.offered.values() for purpose in one.governs}
        for purpose, basis in _movable(self.terms, self.subject).items():
            use, choice = self.active.purposes[purpose], governed.get(purpose)
            data = self._named(use.categories & self.active.categories, use.body.categories)
            title = use.title or purpose
            yield Switch(
                purpose,
                title,
                (choice or use).rule.promise,
                bool(self.subject.permits >> use.bit & 1),
                _("%(data)s may be used for this.") % {"data": capfirst(data)},
                _("Nothing of yours is used for this."),
                NO.get(basis, "object"),
                self._since(purpose, choice),
                costs=self._costs(choice),
            )

    def _moves(self) -> Iterator[Switch]:
        seen: set[str] = set()
        for choice in self.offered.values():
            for about in (*choice.moves, *choice.body.governs):
                if about not in seen and (about in MARKETS or ":" in about):
                    seen.add(about)
                    yield from self._move(choice, about)

    def _move(self, choice: ChoiceTerms, about: str) -> Iterator[Switch]:
        kind, _colon, name = about.partition(":")
        if about in MARKETS:
            named = self._market(about)
        elif kind == "disclose" and name in self.active.outlets:
            named = self._outlet(self.active.outlets[name])
        elif kind == "tracker" and name in self.active.trackers:
            named = self._tracker(name)
        else:
            return
        twice = choice.body.opt_in == "two-step" or about in MARKETS
        since, costs = self._since(about, choice), self._costs(choice)
        yield Switch(about, named[0], choice.rule.promise, self._on(about), named[1], named[2], "opt-out", since, twice, costs)

    def _market(self, market: str) -> tuple[str, str, str]:
        to = phrases.listed(recipient(self.active, one) for one in self._traded(market)) if self._traded(market) else _("others")
        if market == "sale":
            return _("Sale of your data"), _("Your data may be sold to %s.") % to, _("Nothing of yours is sold.")
        shared = _("Your data may be shared with %s for advertising across sites.") % to
        return _("Sharing for advertising"), shared, _("Nothing of yours is shared for advertising across sites.")

    def _traded(self, market: str) -> list[DiscloseTerms]:
        return [one for one in self.active.outlets.values() if (one.sale if market == "sale" else one.share)]

    def _outlet(self, outlet: DiscloseTerms) -> tuple[str, str, str]:
        words = {"to": recipient(self.active, outlet), "data": self._named(outlet.categories, outlet.body.categories)}
        goes = _("%(data)s may go to %(to)s.") % {**words, "data": capfirst(words["data"])}
        return words["to"], goes, _("None of this goes to %(to)s: %(data)s.") % words

    def _tracker(self, name: str) -> tuple[str, str, str]:
        body = self.active.trackers[name].body
        who = _("us") if body.provider == "us" else body.provider
        words = {"who": who, "data": self._named(self.active.trackers[name].categories, body.categories)}
        title = name.replace("-", " ").capitalize()
        return title, _("It tells %(who)s your %(data)s.") % words, _("It does not load, and tells %(who)s nothing.") % words

    def _on(self, about: str) -> bool:
        return all(self._open(policy, about) for policy in self.versions)

    def _open(self, policy: Policy, about: str) -> bool:
        kind, _colon, name = about.partition(":")
        here = policy.region(self.subject.region)
        if about in MARKETS:
            said = self.facts.choices.get(about)
            if said is not None:
                return said.state == "given"
            traded = [one.id for one in self._traded(about) if one.id in here.outlets]
            return any(here.outlets[one].ways.refusal(self.facts) is None for one in traded)
        ways = here.trackers.get(name) if kind == "tracker" else (here.outlets[name].ways if name in here.outlets else None)
        return ways is not None and ways.refusal(self.facts) is None

    def _since(self, about: str, choice: ChoiceTerms | None) -> datetime | None:
        said = [self.facts.choices[one].at for one in (about, choice.id if choice else "") if one in self.facts.choices]
        return max(said, default=None)

    def _costs(self, choice: ChoiceTerms | None) -> str:
        return choice.body.costs or "" if choice is not None else ""

    def _named(self, categories: frozenset[str], named: tuple[str, ...]) -> str:
        """The kinds of data in a sentence: as the notice names them, and how many more there are."""
        terms = [one for one in named if one in categories] or sorted(categories)
        titles = [phrases.category(self.active.notice, one) for one in terms]
        more = [_("%d more kinds") % (len(titles) - MOST_NAMED)] if len(titles) > MOST_NAMED else []
        return phrases.listed([*titles[:MOST_NAMED], *more]) if titles else _("data of yours")


def switches(account: Account, request: Request) -> list[Switch]:
    """What this person can decide, as it stands."""
    with reserved(account.pk, actions.person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
        return _Person(use, subject).switches() if subject is not None else []


def grouped(found: list[Switch]) -> list[tuple[str, list[Switch]]]:
    """What belongs together, together, each group with its title."""
    groups: dict[str, list[Switch]] = {}
    titles = {"disclose": _("Who gets it"), "tracker": _("What observes your visits")}
    for one in sorted(found, key=lambda one: one.about not in MARKETS):
        kind, colon, _name = one.about.partition(":")
        title = titles[kind] if colon else _("What it is used for")
        groups.setdefault(_("Sale and sharing") if one.about in MARKETS else title, []).append(one)
    return list(groups.items())


def opted_out(account: Account, request: Request) -> datetime | None:
    """Since when sale and sharing are off for this person; None where they did not say so."""
    with reserved(account.pk, actions.person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
        said = _Person(use, subject).facts.choices if subject is not None else {}
    return min((said[one].at for one in MARKETS if one in said and said[one].state == "opted-out"), default=None)


def choose(account: Account, request: Request, about: str, *, on: bool) -> Switch:
    """Turn one thing on or off, in force when this returns; how it was before. Raises NotFound when the page has lapsed, BadInput for
    anything else than what `switches` offers.
    """
    if request.state != State.READY or request.closed_at is not None:
        raise NotFound(_("This page has lapsed."), cure=_("Ask for a new link in the privacy centre."))
    with reserved(account.pk, actions.person(request), "rights", request=request.reference) as use:
        subject = queries.subject_of(use, request)
        offered = {one.about: one for one in _Person(use, subject).switches()} if subject is not None else {}
        if subject is None or about not in offered:
            raise BadInput(_("This cannot be turned on or off here."), place="purpose", cure=_("Choose one of those offered."))
        choices.choose(use, subject, "allow" if on else offered[about].verb, about, request=request.reference)
    return offered[about]

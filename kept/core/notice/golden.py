"""The golden decision table: every answer of a policy in every kind of situation, as text that a reviewer can read.

It is committed beside the notice, so that a change of the notice, or of the engine, is a change of this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from kept.core.notice.rules import DEFAULT, LimitBody
from kept.core.notice.terms import UNFENCED, Ask, ChoiceFact, Decision, SubjectFacts

if TYPE_CHECKING:
    from kept.core.notice.policy import Policy

_NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
_YES = ChoiceFact("given", _NOW - 9 * _DAY)
_NO = ChoiceFact("withdrawn", _NOW - _DAY)
_OPEN = SubjectFacts(_NOW, choices={"all": _YES})


def table(policy: Policy) -> str:
    """The whole table. A cell says yes, or names the rule that stands against it or would be needed."""
    sections = [
        *_alike(policy, "Purposes: what is open to whom", _situation_rows),
        *_alike(policy, "Recipients and trackers: what is open to whom, each for its first purpose", _handing_rows),
        ("Columns: which categories a purpose reads, in every situation in which it is open", _columns(policy)),
        ("Fences: which purposes a value of limited provenance may serve", _fences(policy)),
        ("Inlets: what may come in, by source", _inlets(policy)),
        ("Outlets: what may be disclosed, by recipient", _outlets(policy)),
    ]
    head = f"Decisions of the notice {policy.notice.id!r}, as its rules and the engine make them."
    return "\n\n\n".join([head, *(f"{title}\n\n{_grid(rows)}" for title, rows in sections if len(rows) > 1)]) + "\n"


def _alike(policy: Policy, title: str, rows_of: Callable[[Policy, str], list[list[str]]]) -> Iterator[tuple[str, list[list[str]]]]:
    """One table of situations for each set of regions that are answered alike."""
    alike: dict[str, tuple[list[str], list[list[str]]]] = {}
    for region in policy.regions:
        rows = rows_of(policy, region)
        alike.setdefault(repr(rows), ([], rows))[0].append("everywhere else" if region == DEFAULT else region)
    for regions, rows in alike.values():
        yield f"{title} ({', '.join(regions)})", rows


def _situation_rows(policy: Policy, region: str) -> list[list[str]]:
    """What is closed in each situation, and the mask."""
    asks = [(one, Ask(one)) for one in policy.purposes]
    channels = [(one, choice.channel) for choice in policy.choices(region).values() if choice.channel for one in choice.governs]
    asks += [(f"{one} by {channel}", Ask(one, channel=channel)) for one, channel in channels]
    asks += [(f"{one} otherwise", Ask(one, channel="otherwise")) for one in dict(channels)]
    rows = [["", "mask", "changes by itself", "closed"]]
    for words, facts in situations(policy, region):
        mask, changes = policy.permits(facts)
        closed = _closed((words, policy.decide(ask, facts)) for words, ask in asks)
        rows.append([words, f"{mask:016x}", f"{changes:%Y-%m-%d %H:%M}" if changes else "never", closed])
    return rows


def _closed(answers: Iterable[tuple[str, Decision]]) -> str:
    """What is refused, by the rule that refuses it."""
    by_rule: dict[str, list[str]] = {}
    for words, decision in answers:
        if not decision.allowed:
            by_rule.setdefault(_cell(decision), []).append(words)
    return "; ".join(f"{rule}: {', '.join(words)}" for rule, words in by_rule.items()) or "nothing"


def _handing_rows(policy: Policy, region: str) -> list[list[str]]:
    """Every outlet and tracker in the situations that can move it; the table lies on its side, there are many."""
    terms = policy.regions[region]
    base = SubjectFacts(_NOW, "" if region == DEFAULT else region)
    agreed = dict.fromkeys(policy.choices(base.region), _YES) | {"all": _YES}
    people = {"has said nothing": base, "agreed to all": replace(base, choices=agreed)}
    for choice in policy.choices(base.region).values():
        if choice.moves or any(tracker.body.needs == choice.id for tracker in policy.trackers.values()):
            people[f"gave {choice.id}"] = replace(base, choices={"all": _YES, choice.id: _YES})
            people[f"agreed to all, then withdrew {choice.id}"] = replace(base, choices=agreed | {choice.id: _NO})
    people["agreed to all, opted out of sale"] = replace(base, choices=agreed | {"sale": replace(_NO, state="opted-out")})
    people["agreed to all, 15 years old"] = replace(base, choices=agreed, born=date(_NOW.year - 15, 1, 1))
    rows = [["", *people]]
    for outlet in terms.outlets.values():
        ground = min(outlet.terms.stated, default=None)
        for purpose in outlet.terms.purposes[:1]:
            ask = Ask(purpose, recipient=outlet.terms.id, ground=ground)
            stated = f" on {ground}" if ground else ""
            rows.append([f"to {outlet.terms.id}{stated}", *(_cell(policy.decide(ask, facts)) for facts in people.values())])
    for tracker in terms.trackers:
        for purpose in policy.trackers[tracker].purposes[:1]:
            ask = Ask(purpose, tracker=tracker)
            rows.append([f"by {tracker}", *(_cell(policy.decide(ask, facts)) for facts in people.values())])
    return rows


def situations(policy: Policy, region: str) -> Iterator[tuple[str, SubjectFacts]]:
    """The situations that the notice can tell apart in a region, in words and in facts."""
    base = SubjectFacts(_NOW, "" if region == DEFAULT else region)

    def said(all_: ChoiceFact, **others: ChoiceFact) -> SubjectFacts:
        return replace(base, choices={"all": all_} | others)

    agreed = said(_YES)
    yield "has said nothing", base
    yield "agreed to all", agreed
    yield "agreed to all until tomorrow", said(replace(_YES, until=_NOW + _DAY))
    yield "agreed to all until yesterday", said(replace(_YES, until=_NOW - _DAY))
    yield "agreed to all from tomorrow", said(replace(_YES, at=_NOW + _DAY))
    yield "agreed to all, then objected to all", said(replace(_NO, state="objected"))
    for choice in policy.choices(base.region):
        yield f"gave {choice}", replace(base, choices={choice: _YES})
        yield f"withdrew {choice}", replace(base, choices={choice: _NO})
        yield f"agreed to all, then withdrew {choice}", said(_YES, **{choice: _NO})
        yield f"withdrew {choice}, then agreed to all", said(replace(_YES, at=_NOW), **{choice: _NO})
        yield f"gave {choice} and withdrew all at one moment", said(_NO, **{choice: replace(_YES, at=_NO.at)})
    for purpose in _named(policy):
        yield f"agreed to all, then objected to {purpose}", said(_YES, **{purpose: replace(_NO, state="objected")})
    for purpose in ("all", *_named(policy)):
        yield f"agreed to all, restricted {purpose}", replace(agreed, restricted=frozenset({purpose}))
    age = policy.minimum_age(base.region)
    if age is not None:
        birthday = date(_NOW.year - age, _NOW.month, _NOW.day)
        yield f"agreed to all, {age} today", replace(agreed, born=birthday)
        yield f"agreed to all, {age} tomorrow", replace(agreed, born=birthday + _DAY)


def _named(policy: Policy) -> Iterable[str]:
    """The declared purposes and the terms above them, without `all`."""
    terms = (term for one in policy.purposes.values() for term in (one.id, *one.parents))
    return (term for term in dict.fromkeys(terms) if term != "all")


def _columns(policy: Policy) -> list[list[str]]:
    """Who reads a category, asked in one open situation of each region; what is read in some only is marked so."""
    open_in: dict[str, list[SubjectFacts]] = {purpose: [] for purpose in policy.purposes}
    for region in policy.regions:
        people = [facts for _, facts in situations(policy, region)]
        for purpose, there in open_in.items():
            there += [facts for facts in people if policy.decide(Ask(purpose), facts).allowed][:1]
    rows = [["", "read by", "closed by"]]
    for category in sorted(policy.categories | policy.refused):
        answers = {one: [policy.decide(Ask(one, category), facts) for facts in there] for one, there in open_in.items()}
        read = [one if all(said.allowed for said in made) else f"{one} (not everywhere)" for one, made in answers.items() if _any(made)]
        shut = ((one, made[0]) for one, made in answers.items() if made and not _any(made))
        listed = _closed((one, said) for one, said in shut if said.because != (f"purpose:{one}",))
        rows.append([category, ", ".join(read) or "nobody", listed])
    return rows


def _any(decisions: Iterable[Decision]) -> bool:
    return any(one.allowed for one in decisions)


def _fences(policy: Policy) -> list[list[str]]:
    """What may come in from each source that a rule names and is then limited."""
    limits = [one.rule.body for one in policy.fences]
    named = [source for body in limits if isinstance(body, LimitBody) for source in body.applies_to.source]
    rows = [["", "fence", "humans need", "closed"]]
    for source in dict.fromkeys([*(one.source for one in policy.collects), *named]):
        for category in sorted(policy.categories):
            fence = policy.fence(source, category)
            if fence != UNFENCED and policy.may_collect(category, source).allowed:
                limit = policy.humans(source, category)
                purposes = [(one.id, Ask(one.id, category, source)) for one in policy.purposes.values() if category in one.categories]
                closed = _closed((words, policy.decide(ask, _OPEN)) for words, ask in purposes)
                rows.append([f"{category} from {source}", f"{fence:016x}", " ".join(limit.humans) if limit else "-", closed])
    return rows


def _inlets(policy: Policy) -> list[list[str]]:
    sources = list(dict.fromkeys(one.source for one in policy.collects))
    rows = [["", "may come from", "refused by"]]
    for category in sorted(policy.categories | policy.refused):
        taken = [source for source in sources if policy.may_collect(category, source).allowed]
        refused = dict.fromkeys(
            _cell(one) for source in sources if (one := policy.may_collect(category, source)).because and not one.allowed
        )
        rows.append([category, ", ".join(taken) or "nowhere", ", ".join(refused) or "-"])
    return rows


def _outlets(policy: Policy) -> list[list[str]]:
    """Which category may go to whom for what, once the person agreed to everything and the ground is stated."""
    rows = [["", "purposes", "ground", "countries", "mechanism"]]
    for outlet in policy.outlets.values():
        ground = min(outlet.stated, default=None)
        said = replace(_OPEN, choices={"all": _YES, outlet.rule.name: _YES} | dict.fromkeys(policy.choices(), _YES))
        for category in sorted(policy.categories):
            asks = {one: Ask(one, category, recipient=outlet.id, ground=ground) for one in outlet.purposes}
            cells = [one for one, ask in asks.items() if policy.decide(ask, said).allowed]
            if cells:
                words = (" ".join(cells), ground or "none", " ".join(outlet.countries) or "any", outlet.safeguard or "none")
                rows.append([f"{category} to {outlet.id}", *words])
    return rows


def _cell(decision: Decision) -> str:
    return "yes" if decision.allowed else " ".join(decision.because) or "no"


def _grid(rows: list[list[str]]) -> str:
    """Aligned text. Lines that say the same stand together, the later ones with a ditto mark."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in rows[1:]:
        alike.setdefault(tuple(row[1:]), []).append(row[0])
    lines = [rows[0], *([label, *cells] if n == 0 else [label, '"'] for cells, labels in alike.items() for n, label in enumerate(labels))]
    widths = [max(len(row[at]) for row in lines if at < len(row)) for at in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in lines)

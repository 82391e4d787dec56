"""`diff`: what changes in effect between two versions of a notice, region by region. Words alone change nothing.

The promises about change that count are those of the older version: nobody takes a promise back by leaving it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from kept.core.notice.compiling import compile
from kept.core.notice.facets import FACETS, Cell, Direction, Facet, Key, listed
from kept.core.notice.model import Notice
from kept.core.notice.policy import Policy
from kept.core.notice.rules import DEFAULT

Kind = Literal["gained", "lost", "changed"]
Acceptance = Literal["none", "continued-use", "explicit"]
_OTHER: Mapping[Direction, Direction] = {"wider": "narrower", "narrower": "wider", "neutral": "neutral"}
ANOTHER_RULE = "What the notice says of {items} stands in another rule now."


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes in effect.

    `facet` is a name of facets.FACETS, `keys` what changes in it. `before` and `after` are the rules, empty where there is none.
    `regions` are those it concerns, ``default`` meaning everywhere else. `wider`: we may do more, or people have less.
    `reduces_rights`: it takes from people what they may hold us to. `adds_purpose`: a use that needs consent for data held already.
    """

    facet: str
    kind: Kind
    keys: tuple[Key, ...]
    before: str
    after: str
    regions: tuple[str, ...]
    everywhere: bool
    direction: Direction
    said: str
    material: bool
    reduces_rights: bool
    adds_purpose: bool

    @property
    def sentence(self) -> str:
        """A plain sentence for the people it concerns."""
        return self.said if self.everywhere else f"{self.whom[:1].upper()}{self.whom[1:]}: {self.said[:1].lower()}{self.said[1:]}"

    @property
    def whom(self) -> str:
        """Whom it concerns."""
        if self.everywhere:
            return "everybody"
        return "people in " + listed(["all other places" if one == DEFAULT else one for one in self.regions])


@dataclass(frozen=True, slots=True)
class Diff:
    """What changes. `acceptance` is what the older version asks of a person before the newer one rules data held already."""

    changes: tuple[Change, ...]
    acceptance: Acceptance

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def material(self) -> bool:
        """Whether something that matters to people changes."""
        return any(one.material for one in self.changes)

    @property
    def reduces_rights(self) -> bool:
        """Whether people lose something they could hold us to."""
        return any(one.reduces_rights for one in self.changes)

    @property
    def adds_purpose(self) -> bool:
        """Whether a use is added that needs consent."""
        return any(one.adds_purpose for one in self.changes)

    @property
    def regions(self) -> tuple[str, ...]:
        """Where anything changes."""
        return tuple(dict.fromkeys(chain.from_iterable(one.regions for one in self.changes)))

    def summary(self) -> list[str]:
        """The summary of updates: one sentence for each change, what gives people less first."""
        order: tuple[Direction, ...] = ("wider", "narrower", "neutral")
        return [one.sentence for one in sorted(self.changes, key=lambda one: order.index(one.direction))]


def diff(old: Notice | Policy, new: Notice | Policy) -> Diff:
    """What `new` changes in effect. Notices are compiled; policies of one account share their bits, and need not."""
    before = old if isinstance(old, Policy) else compile(old)
    after = new if isinstance(new, Policy) else compile(new, bits=before.bits)
    changes = tuple(chain.from_iterable(_in_facet(facet, before, after) for facet in FACETS.values()))
    return Diff(changes, _acceptance(before, changes))


def _acceptance(old: Policy, changes: Iterable[Change]) -> Acceptance:
    """Without a `change` rule nothing allows us to take a right away unasked."""
    rule, found = old.change.body if old.change else None, list(changes)
    asks = any(one.adds_purpose for one in found)
    if any(one.reduces_rights for one in found):
        asks = asks or rule is None or rule.reduce_rights == "explicit-consent"
    if rule is None or not any(one.material for one in found):
        return "explicit" if asks else "none"
    return "explicit" if asks else rule.accept


def _read(facet: Facet, policy: Policy, region: str) -> dict[Key, Cell]:
    return dict(facet.read(policy, "" if region == DEFAULT else region))


def _in_facet(facet: Facet, old: Policy, new: Policy) -> Iterator[Change]:
    """The changes in one facet: those alike in several regions, and neighbours that change alike, are one."""
    regions = tuple(sorted({*old.regions, *new.regions}, key=lambda one: (one == DEFAULT, one)))
    where: dict[tuple[Key, Cell | None, Cell | None], list[str]] = {}
    for region in regions if facet.regional else (DEFAULT,):
        for one in _compared(facet, old, new, region):
            where.setdefault(one, []).extend([region] if facet.regional else regions)
    alike: dict[object, list[tuple[Key, Cell | None, Cell | None]]] = {}
    for (key, before, after), places in where.items():
        same = (key[:-1], *((one.value, one.rule, one.said) if one else None for one in (before, after)), tuple(places))
        alike.setdefault(same, []).append((key, before, after))
    for cells in alike.values():
        met = tuple(where[cells[0]])
        yield _change(facet, old, new, cells, met, everywhere=len(met) == len(regions))


def _compared(facet: Facet, old: Policy, new: Policy, region: str) -> Iterator[tuple[Key, Cell | None, Cell | None]]:
    before, after = _read(facet, old, region), _read(facet, new, region)
    both = _heads(facet, old, region) & _heads(facet, new, region) if facet.within else None
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if (both is None or key[:1] in both) and (one is None or other is None or one.value != other.value):
            yield key, one, other


def _heads(facet: Facet, policy: Policy, region: str) -> set[Key]:
    """What the facet's cells may hang on here; for one that does not tell regions apart, anywhere."""
    parent = FACETS[facet.within]
    regions = (region,) if facet.regional or not parent.regional else tuple(policy.regions)
    return set(chain.from_iterable(_read(parent, policy, one) for one in regions))


def _direction(facet: Facet, before: Cell | None, after: Cell | None) -> Direction:
    if before is None:
        return facet.has
    if after is None:
        return _OTHER[facet.has]
    return "wider" if after.width > before.width else "narrower" if after.width < before.width else "neutral"


def _change(
    facet: Facet, old: Policy, new: Policy, cells: list[tuple[Key, Cell | None, Cell | None]], regions: tuple[str, ...], *, everywhere: bool
) -> Change:
    _, before, after = cells[0]
    kind: Kind = "gained" if before is None else "lost" if after is None else "changed"
    direction = _direction(facet, before, after)
    shown = after or before
    assert shown is not None
    form = {"gained": facet.gained, "lost": facet.lost, "changed": facet.changed}[kind]
    if before and after and before.said == after.said:
        form = ANOTHER_RULE
    items = listed(sorted(_topmost(new if after else old, cells)))
    said = form.format(items=items, head=shown.head, old=before.said if before else "", new=after.said if after else "")
    keys = tuple(key for key, _, _ in cells)
    return Change(
        facet=facet.name,
        kind=kind,
        keys=keys,
        before=before.rule if before else "",
        after=after.rule if after else "",
        regions=regions,
        everywhere=everywhere,
        direction=direction,
        said=said[:1].upper() + said[1:],
        material=_material(facet, old, direction),
        reduces_rights=facet.promised and direction == "wider" and not (facet.name == "purposes" and kind != "changed"),
        adds_purpose=facet.name == "purposes"
        and kind == "gained"
        and any(new.purposes[key[0]].body.additional == "consent" for key in keys),
    )


def _topmost(policy: Policy, cells: list[tuple[Key, Cell | None, Cell | None]]) -> set[str]:
    """The words of what changes, without the categories whose parent changes alike."""
    terms, changing = policy.notice.vocabulary["category"], {key[-1] for key, _, _ in cells}
    top = [one for one in cells if one[0][-1] not in terms or changing.isdisjoint(terms.above(one[0][-1]))]
    return {cell.item for _, before, after in top if (cell := after or before)}


def _material(facet: Facet, old: Policy, direction: Direction) -> bool:
    """As the older version's `change` rule says; without one, whatever gives people less."""
    if old.change is None:
        return bool(facet.counts) and direction == "wider"
    return facet.counts in old.change.body.material and direction != "neutral"

"""Writing and reading personal values: the one way in, which refuses, cuts, fences and seals as the notice says.

Whatever door a value came through, here it is refused when its category or its content is (`limit.refuse`, `collect.held_by`), cut
when it is to be (`limit.truncate`), put behind the fence of its provenance (`limit.only_purposes`, `never`, `humans`, and what a
purpose's `only_sources` leaves), and sealed under the person's own key (`secure.seal`).

The fence is the row's: a row stands under the narrowest fence of all it holds, and one fenced value hides it whole from the purposes that
the fence closes. So what is to serve more than its neighbours do is a row of its own. A change never widens a row's fence, unless it
replaces the one value that the row is; nor does it narrow one over other values that somebody would then miss: that is refused. A table
without fences, such as that of companies, takes no value that needs one.

A sealed value is text, ``sealed:`` and base64; its context is the subject's reference and the column, so that it cannot be moved.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kept.core.errors import BadInput, Refused
from kept.core.notice import Policy, Rule
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.data.personal import AccountModel, PersonalModel, ValueModel
from kept.platform.data.use import OPEN_MASK, SEALED, Use
from kept.platform.privacy import fences, inlets
from kept.platform.privacy.fences import Derived, Origin, derive
from kept.platform.privacy.models import Provenance
from kept.platform.privacy.notices import policy_of
from kept.platform.privacy.secrets import vault
from kept.platform.privacy.truncation import truncate

Row = TypeVar("Row", bound=PersonalModel)
Holder = tuple[int, str]
"""A subject's key id and reference."""


def holders(use: Use, subject_ids: Sequence[int]) -> dict[int, Holder]:
    """The keys and references of these subjects."""
    found = Subject.under(use).filter(pk__in=set(subject_ids)).values_list("pk", "key_id", "reference")
    return {pk: (key_id or 0, reference) for pk, key_id, reference in found}


def _context(reference: str, model: type[AccountModel], name: str) -> str:
    return f"{reference}/{model._meta.db_table}.{name}"


def sealed_places(policy: Policy, model: type[PersonalModel], names: Sequence[str], row: Sequence[Any]) -> list[int]:
    """Positions in this row whose values the notice promises to seal."""
    if model.personal.by_row:
        category = row[names.index("category")] if "category" in names else None
        sealed = {"value", *model.personal.columns} if category in policy.sealed else set()
    else:
        sealed = {name for name, category in model.personal.columns.items() if category in policy.sealed}
    return [place for place, name in enumerate(names) if name in sealed]


@dataclass(frozen=True)
class _Way:
    """What the notice does to lines of one kind and one origin on their way in, worked out once for all of them.

    `categories` are those of the columns by place; `cuts` the rule that cuts one; `closed` why a column takes nothing from there;
    `fence` that of the row whatever it holds, `fences` what a value in a column leaves of it.
    """

    categories: dict[int, str]
    cuts: dict[int, Rule]
    closed: dict[int, Refused]
    fence: int
    fences: dict[int, int]


class _Inlet:
    """Lines about to be written. `admit` refuses a line or cuts it, and narrows its fence; no error repeats a value."""

    def __init__(self, policy: Policy, model: type[AccountModel], names: Sequence[str], source: str) -> None:
        self.policy, self.model, self.names, self.source = policy, model, names, source
        self.record, self.label = fences.record_of(model), model._meta.label
        self.fenced = names.index("fence") if issubclass(model, PersonalModel) and "fence" in names else None
        self.kind = [names.index(name) if name in names else None for name in ("category", "source", "provenance_id")]
        self.texts = [place for place, name in enumerate(names) if name not in ("category", "source", "fence", "subject", "provenance_id")]
        self.ways: dict[tuple[Any, ...], _Way] = {}

    def learn(self, use: Use, lines: Sequence[Sequence[Any]]) -> None:
        """Look up where the lines come from, each occasion once."""
        place = self.kind[2]
        ids = {line[place] for line in lines} - {None} if place is not None else set()
        self.origins = dict(Provenance.under(use).filter(pk__in=ids).values_list("pk", "source")) if ids else {}
        self.derived = fences.derivations(use, ids) if ids else {}

    def admit(self, line: list[Any]) -> None:
        """Raises Refused and BadInput."""
        key = tuple(None if place is None else line[place] for place in self.kind)
        way = self.ways.get(key) or self.ways.setdefault(key, self._way(*key))
        fence = way.fence
        for place in self.texts:
            value = line[place]
            if type(value) is not str or not value:
                continue
            self._refuse_content(value)
            if place in way.closed:
                raise way.closed[place]
            if place in way.cuts:
                line[place] = truncate(way.categories[place], value, way.cuts[place].name)
            if place in way.fences:
                fence &= way.fences[place]
        if self.fenced is not None:
            line[self.fenced] &= fence

    def _way(self, own: str | None, given: str | None, origin: int | None) -> _Way:
        source, from_ = given or self.source or self.origins.get(origin or 0, ""), self.derived.get(origin, [])
        by_row, columns = self.model.personal.by_row, self.model.personal.columns
        named = {place: self.names[place] for place in self.texts}
        found = {place: columns.get(name) or (own if by_row and name == "value" else None) for place, name in named.items()}
        categories = {place: category for place, category in found.items() if category is not None}
        cuts, closed = {}, {}
        for place, category in categories.items():
            if category in self.policy.truncated and (not by_row or self.names[place] == "value"):
                cuts[place] = self.policy.truncated[category]
            if (refusal := self._closed(category, source, from_)) is not None:
                closed[place] = refusal
        if self.fenced is None:
            return _Way(categories, cuts, closed, OPEN_MASK, {})
        if by_row:
            return _Way(categories, cuts, closed, fences.fence_of(self.policy, Origin(source, own or "", self.record), from_), {})
        left = {place: fences.row_fence(self.policy, Origin(source, one, self.record), from_) for place, one in categories.items()}
        return _Way(categories, cuts, closed, OPEN_MASK, {place: mask for place, mask in left.items() if mask != OPEN_MASK})

    def _refuse_content(self, value: str) -> None:
        if value.startswith(SEALED):
            raise BadInput("A value must not begin like a sealed one.", place=self.label, cure=f"Leave out “{SEALED}” at its beginning.")
        if found := inlets.refused_category(value):
            rule = self.policy.refusals.get(found)
            raise Refused(
                f"This holds what looks like a {found.replace('-', ' ')} number. It was refused, and nothing was stored.",
                place=self.label,
                rule=rule.name if rule else f"collect:{found}",
                cure="Leave the number out.",
            )

    def _closed(self, category: str, source: str, from_: Sequence[Origin]) -> Refused | None:
        """Why nothing of this category and origin is written to this table."""
        origins = from_ or [Origin(source, category, self.record)]
        by_source = (self.policy.refusals_by_source.get((one.source, category)) for one in origins)
        rule = self.policy.refusals.get(category) or next(filter(None, by_source), None) or held_elsewhere(self.policy, category)
        if rule is not None:
            cure = "Leave it out; where somebody else holds it, keep a reference to it there."
            return Refused(f"The notice keeps {category} out of this store.", place=self.label, rule=rule.name, cure=cure)
        if self.fenced is not None:
            return None
        for one in origins:
            if name := fences.leak(self.policy, Origin(one.source, category, one.record)) or fences.leak(self.policy, one):
                said = f"{category} from {one.source or 'this source'} stands under {name}, and this table has no fence."
                return Refused(said, place=self.label, rule=name, cure="Write it to a table of people, whose rows have one.")
        return None


def held_elsewhere(policy: Policy, category: str) -> Rule | None:
    """The rule by which a recipient takes this category directly, so that it never touches this store; None where we take it too."""
    taking = [one for one in policy.collects if category in one.categories]
    return None if not taking or any(one.held_by is None for one in taking) else taking[0].rule


def prepare(
    use: Use,
    model: type[AccountModel],
    names: Sequence[str],
    lines: Sequence[Sequence[Any]],
    known: dict[int, Holder] | None = None,
    *,
    source: str = "",
) -> list[list[Any]]:
    """The lines as they may be written: refused, cut, fenced and sealed as the notice says. `names` include `subject` and
    `fence` for rows of people, and `category` where rows have one. `source` is where lines come from that do not say it.

    Raises Refused, and BadInput for a value that would read as sealed already.
    """
    policy, done = policy_of(use.account_id), [list(line) for line in lines]
    inlet = _Inlet(policy, model, names, source)
    inlet.learn(use, done)
    for line in done:
        inlet.admit(line)
    return _sealed(use, policy, model, names, done, known) if issubclass(model, PersonalModel) else done


def _sealed(
    use: Use, policy: Policy, model: type[PersonalModel], names: Sequence[str], done: list[list[Any]], known: dict[int, Holder] | None
) -> list[list[Any]]:
    if not policy.sealed:
        return done
    where = names.index("subject")
    kind = names.index("category") if model.personal.by_row else where
    shared = dict[Any, list[int]]()  # by category; one for all where rows have none of their own
    places = []
    for n, line in enumerate(done):
        key = line[kind] if model.personal.by_row else None
        if key not in shared:
            shared[key] = sealed_places(policy, model, names, line)
        places += [(n, place) for place in shared[key] if line[place]]
    if not places:
        return done
    keys = known if known is not None else holders(use, [done[n][where] for n, _ in places])
    items = []
    for n, place in places:
        key_id, reference = keys[done[n][where]]
        items.append((key_id, str(done[n][place]).encode(), _context(reference, model, names[place])))
    for (n, place), sealed in zip(places, vault().seal_many(items), strict=True):
        done[n][place] = SEALED + base64.b64encode(sealed).decode()
    return done


def insert(
    use: Use, model: type[AccountModel], names: Sequence[str], lines: Sequence[Sequence[Any]], known: dict[int, Holder] | None = None
) -> list[int]:
    """`rows.insert` of lines that are `prepare`d. A row's fence is reckoned here; one that is given only narrows it. `known` saves the
    look-up of keys just made.
    """
    if issubclass(model, PersonalModel) and "fence" not in names:
        names, lines = (*names, "fence"), [(*line, OPEN_MASK) for line in lines]
    return rows.insert(use, model, names, prepare(use, model, names, lines, known))


def change(use: Use, row: AccountModel, *, source: str = "", **values: Any) -> None:
    """Change values of one record. With `source`, what it now says is from there, and stands under that source's limits as well; without,
    it keeps those it stood under. A row that is one value leaves its former limits when the value is replaced.

    Raises Refused, with the limit, where the fence of what is written would hide other values of the record from who serves them now.
    """
    names: list[str] = []
    head: list[Any] = []
    replaced = isinstance(row, ValueModel) and source and "value" in values
    if isinstance(row, PersonalModel):
        names, head = ["subject", "fence"], [row.subject_id, OPEN_MASK if replaced else row.fence]
        if not source:
            names, head = [*names, "provenance_id"], [*head, row.provenance_id]
    if isinstance(row, ValueModel):
        names, head = [*names, "category", "source"], [*head, row.category, source or row.source]
    (line,) = prepare(use, type(row), [*names, *values], [(*head, *values.values())], source=source)
    changed = {name: line[names.index(name)] for name in ("fence", "source") if name in names}
    if isinstance(row, PersonalModel) and not isinstance(row, ValueModel):
        _keep_serving(use, row, changed["fence"], source, values)
        changed = changed if changed["fence"] != row.fence else {}
    rows.update(use, type(row), (*changed, *values), [(row.pk, *changed.values(), *line[len(head) :])])


def _keep_serving(use: Use, row: PersonalModel, fence: int, source: str, written: Mapping[str, Any]) -> None:
    """Raise Refused where a record that holds other things would vanish from a purpose that reads it, or from whoever writes."""
    policy, model = policy_of(use.account_id), type(row)
    lost = row.fence & ~fence & (fences.readers(policy, model) | use.mask)
    if not lost:
        return
    unread = row.get_deferred_fields()
    others = (name for name in model.personal.columns if name not in written and (name in unread or getattr(row, name)))
    if not lost & use.mask and not any(others):
        return
    categories = sorted({model.personal.columns[name] for name in written if name in model.personal.columns})
    record = fences.record_of(model)
    origins = [Origin(source, one, record) for one in categories] if source else fences.origins_of(use, [row])[0]
    rule = next(filter(None, (fences.closing(policy, one, lost) for one in origins)), "")
    said = (
        f"{', '.join(categories)} from {source or 'this source'} stands under {rule}, and would hide this record from what it serves now."
    )
    raise Refused(said, place=model._meta.label, rule=rule, cure="Write it as a value, or in a record, of its own.")


def opened(use: Use, records: Sequence[Row]) -> list[Row]:
    """The same records with sealed values opened; a value whose key is gone reads as empty."""
    found = [(row, name) for row in records for name in _sealed_names(row)]
    if found:
        keys = holders(use, [row.subject_id for row, _ in found])
        items = []
        for row, name in found:
            key_id, reference = keys.get(row.subject_id, (0, ""))
            blob = base64.b64decode(getattr(row, name).removeprefix(SEALED))
            items.append((key_id, blob, _context(reference, type(row), name)))
        for (row, name), plain in zip(found, vault().open_many(items), strict=True):
            setattr(row, name, plain.decode() if plain is not None else "")
    return list(records)


def _sealed_names(row: PersonalModel) -> list[str]:
    loaded = row.__dict__
    names = (*row.personal.columns, "value") if row.personal.by_row else tuple(row.personal.columns)
    return [name for name in names if isinstance(loaded.get(name), str) and loaded[name].startswith(SEALED)]


__all__ = ["Derived", "change", "derive", "held_elsewhere", "holders", "insert", "opened", "prepare", "sealed_places"]

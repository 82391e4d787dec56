"""The types that keys are made of, and the marks from which `parse`, `bindings` and the documentation read what a key is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo

from kept.core.notice.durations import Duration
from kept.core.notice.vocabulary import REGIONS, Tree, nearest, regions_of

T = TypeVar("T")
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Among:
    """Marks a field whose values are terms of a tree; the notice's own terms count, so `parse` looks them up."""

    tree: Tree


@dataclass(frozen=True, slots=True)
class Refers:
    """Marks a field that names other rules by id, or as ``kind:id`` where `qualified`; beside them terms of a tree, and words."""

    kinds: tuple[str, ...]
    qualified: bool = False
    tree: Tree | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What a key says, for the documentation. One that `binds` needs an enforcer and a prover in the deployment, as ``kind.key``."""

    says: str
    binds: bool = False


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else _tuple(value)


def _by_region(value: object) -> object:
    table = value if isinstance(value, dict) else {DEFAULT: value}
    for region in table:
        if region != DEFAULT and region not in REGIONS:
            close = nearest(str(region), REGIONS)
            hint = f", perhaps {close}" if close else ""
            raise ValueError(f"{region!r} is no region; write an ISO 3166 code such as GB or US-CA, EU, EEA or default{hint}")
    return table


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a duration is a text such as '10 days'")
    return Duration.read(value)


def _durations(value: object) -> object:
    return tuple(_duration(one) for one in (value if isinstance(value, list) else [value]))


def _region(value: str) -> str:
    if value not in REGIONS:
        close = nearest(value, REGIONS)
        hint = f", perhaps {close}" if close else ""
        raise ValueError(f"{value!r} is no region; write an ISO 3166 code such as GB or US-CA, or EU or EEA{hint}")
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Tuple = BeforeValidator(_tuple)
OneOrMore = BeforeValidator(_one_or_more)
Texts = Annotated[tuple[Text, ...], OneOrMore]
Length = Annotated[Duration, BeforeValidator(_duration)]
Lengths = Annotated[tuple[Duration, ...], BeforeValidator(_durations), Field(min_length=1)]
Regions = Annotated[tuple[Annotated[str, BeforeValidator(_region)], ...], OneOrMore, Field(min_length=1)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
ByRegion = Annotated[Mapping[str, T], BeforeValidator(_by_region)]
Categories = Annotated[tuple[str, ...], Tuple, Field(min_length=1), Among("category")]
Purposes = Annotated[tuple[str, ...], Tuple, Field(min_length=1), Among("purpose")]
Records = Annotated[tuple[str, ...], OneOrMore, Field(min_length=1), Among("record")]

Channel = Literal["email", "phone", "text", "post", "push", "web", "fax"]
Mechanism = Literal["adequacy", "dpf", "privacy-shield", "scc", "bcr", "consent", "derogation"]


def pick(table: Mapping[str, T], region: str) -> T | None:
    """The value for a region: the most specific entry that contains it, else the default, else None."""
    for wider in regions_of(region):
        if wider in table:
            return table[wider]
    return table.get(DEFAULT)


class Table(BaseModel):
    """A table inside a rule."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Body(Table):
    """Keys that every rule may carry. `example` is a rule in the language, which the documentation shows and the tests run."""

    example: ClassVar[str] = ""

    data: Annotated[
        Literal["own", "customer"],
        Key("Which regime the rule binds: our own data, or what customers keep with us."),
    ] = "own"
    because: Annotated[Texts, Key("Ids of an outside register of promises that this rule carries.")] = ()


def keys(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys a model accepts, as they are written in a notice."""
    return tuple(alias(name, field) for name, field in model.model_fields.items())


def alias(name: str, field: FieldInfo) -> str:
    """How a field is written in a notice."""
    return field.alias or name


def key_of(field: FieldInfo) -> Key:
    """What a field says of itself."""
    return next(mark for mark in field.metadata if isinstance(mark, Key))


def table_of(field: FieldInfo) -> type[Table] | None:
    """The model of the tables that a field holds, alone or in a list; None where it holds none."""
    return next((one for one in _parts(field.annotation) if isinstance(one, type) and issubclass(one, Table)), None)


def words_of(field: FieldInfo) -> frozenset[str]:
    """The closed list of words that a field is one or some of; empty where it has none."""
    return frozenset(word for part in _parts(field.annotation) if get_origin(part) is Literal for word in get_args(part))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _parts(part)


def terms_in(body: BaseModel) -> list[tuple[tuple[str, ...], Tree | Refers, str]]:
    """Every vocabulary term and every name of a rule in a body: the key path it stands at, what it must be, the word."""
    found: list[tuple[tuple[str, ...], Tree | Refers, str]] = []
    for name, field in type(body).model_fields.items():
        value: Any = getattr(body, name)
        path = (alias(name, field),)
        for table in value if isinstance(value, tuple) else (value,):
            if isinstance(table, BaseModel):
                found += [((*path, *inner), tree, term) for inner, tree, term in terms_in(table)]
        for mark in marks(field):
            values = (value,) if isinstance(value, str) else value or ()
            found += [(path, mark.tree if isinstance(mark, Among) else mark, term) for term in values]
    return found


def marks(field: FieldInfo) -> list[Among | Refers]:
    """The marks of a field, also where it is optional (``Annotated[...] | None``)."""
    inner = [mark for part in _parts(field.annotation) for mark in getattr(part, "__metadata__", ())]
    return [mark for mark in (*field.metadata, *inner) if isinstance(mark, Among | Refers)]

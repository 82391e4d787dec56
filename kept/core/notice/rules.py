"""What each kind of rule may say: one strict model per kind. The keys are the language; the field names follow Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, StringConstraints, model_validator

from kept.core.notice.durations import Duration
from kept.core.notice.vocabulary import REGIONS, Tree, nearest, regions_of

T = TypeVar("T")
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Among:
    """Marks a field whose values are terms of a tree; the notice's own terms count, so `parse` looks them up."""

    tree: Tree


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


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more)]
Length = Annotated[Duration, BeforeValidator(_duration)]
ByRegion = Annotated[Mapping[str, T], BeforeValidator(_by_region)]
Categories = Annotated[tuple[str, ...], BeforeValidator(_tuple), Field(min_length=1), Among("category")]
Purposes = Annotated[tuple[str, ...], BeforeValidator(_tuple), Field(min_length=1), Among("purpose")]

BasisName = Literal[
    "consent",
    "explicit-consent",
    "contract",
    "legal-obligation",
    "vital-interests",
    "public-task",
    "legitimate-interest",
    "opt-out",
    "by-provision",
]
LawName = Literal["gdpr", "uk-gdpr", "ccpa"]
RightKind = Literal["know", "access", "portability", "correct", "erase", "restrict", "object", "complain"]
Channel = Literal["email", "phone", "text", "post", "push", "web", "fax"]
Verification = Literal["none", "link", "human"]


def pick(table: Mapping[str, T], region: str) -> T | None:
    """The value for a region: the most specific entry that contains it, else the default, else None."""
    for wider in regions_of(region):
        if wider in table:
            return table[wider]
    return table.get(DEFAULT)


class Body(BaseModel):
    """Keys that every rule may carry."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    data: Literal["own", "customer"] = "own"
    because: Texts = ()


class NoticeBody(Body):
    """The document's identity. `authority` is where to complain, by region."""

    controller: Text
    contact: Text
    effective: date
    law: Annotated[tuple[LawName, ...], BeforeValidator(_tuple)] = ()
    authority: ByRegion[Text] = {}


class RoleBody(Body):
    """Whether we decide about the data or act for who does, and what becomes of a person's request."""

    is_: Literal["controller", "processor"] = Field(alias="is")
    requests: Literal["answer", "refer", "forward"] = "answer"


class CategoryBody(Body):
    """A category of the notice's own."""

    under: Annotated[str, Among("category")]
    title: Text
    sensitive: bool = False
    ccpa: str | None = None


class SourceBody(Body):
    """A source of the notice's own: a provenance label."""

    under: Annotated[str, Among("source")]
    title: Text


class CollectBody(Body):
    """An inlet. `attest` makes the supplier state the lawful basis or the origin of what comes in."""

    categories: Categories
    from_: Annotated[str, Among("source")] = Field(alias="from")
    for_: Purposes = Field(alias="for")
    required: Annotated[tuple[str, ...], BeforeValidator(_tuple), Among("category")] = ()
    attest: Annotated[tuple[Literal["basis", "origin"], ...], BeforeValidator(_tuple)] = ()


class PurposeBody(Body):
    """A use of data: the categories it reads and the lawful basis it rests on, by region."""

    under: Annotated[str, Among("purpose")] | None = None
    title: Text | None = None
    categories: Categories
    basis: ByRegion[BasisName]


class DiscloseBody(Body):
    """An outlet. `country` is ISO 3166; `tell` says whether the person hears of it before or after."""

    to: Text
    class_: Annotated[str, Among("recipient")] = Field(alias="class")
    as_: Literal["processor", "controller"] = Field("processor", alias="as")
    categories: Categories
    for_: Purposes = Field(alias="for")
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    safeguard: Literal["adequacy", "scc", "bcr", "consent"] | None = None
    tell: Literal["before", "after"] | None = None


class RetainBody(Body):
    """How long data is kept after an event, and what then becomes of it."""

    categories: Categories | None = None
    records: Annotated[tuple[str, ...], BeforeValidator(_tuple), Field(min_length=1), Among("record")] | None = None
    keep: Length
    after: Annotated[str, Among("event")]
    then: Literal["erase", "nullify", "anonymise"]

    @model_validator(mode="after")
    def _one_subject(self) -> RetainBody:
        if (self.categories is None) == (self.records is None):
            raise ValueError("retain states either categories or records")
        return self


class RightBody(Body):
    """A right that is offered. Clocks run from receipt; where `within` is left out the law named by the notice sets it."""

    kind: RightKind
    within: Length | None = None
    extend: Length | None = None
    confirm_within: Length | None = None
    verify: Verification = "link"
    formats: Annotated[tuple[Literal["html", "json", "csv"], ...], BeforeValidator(_tuple)] = ()
    channels: Annotated[tuple[Literal["web", "email", "phone", "post"], ...], BeforeValidator(_tuple)] = ()


class ChoiceBody(Body):
    """What a person can turn on and off. With a `channel`, it governs its purposes on that channel only."""

    governs: Purposes
    channel: Channel | None = None
    effective_within: Length


class AppliesTo(BaseModel):
    """The provenance a limit is about; what is left out means any."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    source: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Among("source")] = ()
    category: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Among("category")] = ()


class LimitBody(Body):
    """What is refused at every inlet, or the only purposes that data of some provenance may serve, or those it never may."""

    applies_to: AppliesTo = AppliesTo()
    refuse: Categories | None = None
    only_purposes: Purposes | None = None
    never: Purposes | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> LimitBody:
        if not (self.refuse or self.only_purposes or self.never):
            raise ValueError("limit states refuse, only_purposes or never")
        if (self.only_purposes or self.never) and not (self.applies_to.source or self.applies_to.category):
            raise ValueError("a limit of purposes states in applies_to the source or category it is about")
        return self


class AgeBody(Body):
    """The age in years, by region, below which nothing is done with a person's data."""

    minimum: ByRegion[PositiveInt]
    below: Literal["refuse"]


class SecureBody(Body):
    """Categories that are sealed under the person's own key."""

    seal: Categories


class StatementBody(Body):
    """Says that the sentences above it promise nothing."""

    text: Text | None = None


KINDS: Mapping[str, type[Body]] = {
    "notice": NoticeBody,
    "role": RoleBody,
    "category": CategoryBody,
    "source": SourceBody,
    "collect": CollectBody,
    "purpose": PurposeBody,
    "disclose": DiscloseBody,
    "retain": RetainBody,
    "right": RightBody,
    "choice": ChoiceBody,
    "limit": LimitBody,
    "age": AgeBody,
    "secure": SecureBody,
    "statement": StatementBody,
}

# The other kinds describe the one store that everybody's data stands in.
REGIONAL = frozenset({"purpose", "right", "choice", "age", "statement"})


def keys(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys a model accepts, as they are written in a notice."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def terms_in(body: BaseModel) -> list[tuple[tuple[str, ...], Tree, str]]:
    """Every vocabulary term in a body: the key path it stands at, its tree, the term."""
    found: list[tuple[tuple[str, ...], Tree, str]] = []
    for name, field in type(body).model_fields.items():
        value: Any = getattr(body, name)
        path = (field.alias or name,)
        if isinstance(value, BaseModel):
            found += [((*path, *inner), tree, term) for inner, tree, term in terms_in(value)]
        for mark in _marks(field.metadata, field.annotation):
            values = (value,) if isinstance(value, str) else value or ()
            found += [(path, mark.tree, term) for term in values]
    return found


def _marks(metadata: list[Any], annotation: Any) -> list[Among]:
    """The marks of a field, also where it is optional (``Annotated[...] | None``)."""
    inner = [mark for part in getattr(annotation, "__args__", ()) for mark in getattr(part, "__metadata__", ())]
    return [mark for mark in (*metadata, *inner) if isinstance(mark, Among)]

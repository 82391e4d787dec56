"""Rules about what goes out: recipients, transfers abroad, financial incentives."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from kept.core.notice.rules.base import (
    Among,
    Body,
    Categories,
    Country,
    Key,
    Length,
    Mechanism,
    OneOrMore,
    Purposes,
    Refers,
    Regions,
    Table,
    Text,
    Texts,
)

Need = Literal["instruction", "consent", "legal-order", "choice", "own-act", "reasoned", "agreement"]
EVERYBODY = "*"


class DiscloseBody(Body):
    """An outlet. What no `disclose` names goes nowhere, and every use of one is in the ledger."""

    example: ClassVar = """disclose = "carrier"
to = "Severn Carriers"
class = "delivery-provider"
as = "processor"
categories = ["name", "postal-address"]
for = ["order-fulfilment"]
country = "GB"
agreement = "data processing agreement"
announce = "30 days\""""

    to: Annotated[Text, Key("The recipient's name; `*` where an event or somebody's act decides who it is.")]
    bound_by: Annotated[
        Literal["event", "employer", "account", "instruction", "integration", "posting", "order", "need", "merger", "choice"] | None,
        Key("What decides who `*` is.", binds=True),
    ] = None
    class_: Annotated[str, Among("recipient"), Field(alias="class"), Key("The class of recipient.")]
    as_: Annotated[Literal["processor", "controller"], Field(alias="as"), Key("Whether they act for us or decide for themselves.")] = (
        "processor"
    )
    categories: Annotated[Categories, Key("What they get; a cell that is not here is refused.", binds=True)]
    for_: Annotated[Purposes, Field(alias="for"), Key("What for.", binds=True)]
    country: Annotated[
        tuple[Country, ...], OneOrMore, Key("Where they are (ISO 3166); it may be left out with `*`, and for aggregates.")
    ] = ()
    safeguard: Annotated[Mechanism | None, Key("What protects the data where their country does not.")] = None
    agreement: Annotated[Text | None, Key("The agreement that must be on file before the first disclosure.", binds=True)] = None
    form: Annotated[
        Literal["identified", "aggregate"],
        Key("Whether it is about persons, or figures about groups that pass the group test.", binds=True),
    ] = "identified"
    sale: Annotated[bool, Key("Whether it is a sale: refused once opted out, and for known minors.", binds=True)] = False
    share: Annotated[bool, Key("Whether it is sharing for cross-context advertising: refused likewise.", binds=True)] = False
    needs: Annotated[Need | None, Key("What must be stated or on file for each disclosure.", binds=True)] = None
    grounds: Annotated[
        tuple[
            Literal[
                "claims",
                "legal-order",
                "terms",
                "rights",
                "safety",
                "fraud",
                "credit-risk",
                "national-security",
                "advice",
                "other-law",
                "merger",
            ],
            ...,
        ],
        OneOrMore,
        Key("The grounds, one of which each entry states.", binds=True),
    ] = ()
    tell: Annotated[Literal["before", "after"] | None, Key("Whether the person is told before or after.", binds=True)] = None
    announce: Annotated[Length | None, Key("How long before they begin, a new recipient is announced on the public list.", binds=True)] = (
        None
    )

    @model_validator(mode="after")
    def _somewhere(self) -> DiscloseBody:
        if self.to == EVERYBODY and self.bound_by is None:
            raise ValueError("where `to` is * the rule states bound_by")
        if self.to != EVERYBODY and not self.country and self.form == "identified":
            raise ValueError("`country` is missing: write an ISO 3166 code such as GB")
        return self


class Allowed(Table):
    """A mechanism, and until when it is valid."""

    by: Annotated[Mechanism, Key("The mechanism.")]
    valid_until: Annotated[date | None, Key("The last day on which it admits anything new.")] = None
    continues: Annotated[bool, Key("Whether its duties go on for what was received under it.", binds=True)] = False


def _allowed(value: Any) -> object:
    return tuple({"by": one} if isinstance(one, str) else one for one in value) if isinstance(value, list) else value


class TransferBody(Body):
    """What lets data leave a region. A disclosure out of it without a mechanism in force is refused."""

    example: ClassVar = """transfer = "out-of-europe"
from = ["EEA", "GB", "CH"]
allow = ["adequacy", "scc", { by = "privacy-shield", valid_until = 2020-07-16 }]
agreement = "standard contractual clauses of 2021"
copy = true"""

    from_: Annotated[Regions, Field(alias="from"), Key("The regions whose residents' data it is about.")]
    to: Annotated[Regions | None, Key("The destinations, where it is about some only.")] = None
    allow: Annotated[
        tuple[Allowed, ...],
        BeforeValidator(_allowed),
        Field(min_length=1),
        Key("The mechanisms, of which a recipient has one in force.", binds=True),
    ]
    agreement: Annotated[Text | None, Key("The agreement under which transfers run.")] = None
    copy_: Annotated[bool, Field(alias="copy"), Key("Whether a customer can get a signed copy of it.", binds=True)] = False


class IncentiveBody(Body):
    """A financial incentive: what is offered for data, what that data is worth, how to leave. Who leaves keeps what they had."""

    example: ClassVar = """incentive = "catalogue"
offer = "Our printed catalogue, free of charge."
gives = ["name", "postal-address"]
value = "About 2 pounds a person: what the catalogue costs us."
joins = ["marketing-mail"]
leave = "With the link in every mail, at any time."
"""

    offer: Annotated[Text, Key("What is offered.")]
    gives: Annotated[Categories, Key("The data given for it.")]
    value: Annotated[Text, Key("What that data is worth to us, and how we reckon it (11 CCR § 7080).")]
    joins: Annotated[Texts, Refers(("choice",)), Key("Choices that joining turns on.", binds=True)] = ()
    leave: Annotated[Text, Key("How to leave.", binds=True)]

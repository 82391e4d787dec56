"""Rules about what people can ask of us."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt

from kept.core.notice.rules.base import Among, Body, Key, Length, OneOrMore, Table, Text

RightKind = Literal[
    "know",
    "access",
    "portability",
    "correct",
    "erase",
    "restrict",
    "object",
    "opt-out-sale",
    "limit-sensitive",
    "withdraw",
    "direct-marketing-disclosures",
    "complain",
    "no-retaliation",
]
Verification = Literal["none", "link", "sign-in", "match-2", "match-3", "human"]
Ground = Literal[
    "no-longer-needed",
    "consent-withdrawn",
    "objection",
    "direct-marketing",
    "unlawful",
    "contested",
    "unjustified",
    "claims-only",
    "pending-objection",
    "particular-situation",
    "legal-duty",
]
Exception_ = Literal[
    "legal-duty",
    "legal-claim",
    "needed-for-service",
    "fraud-security",
    "debugging",
    "free-speech",
    "law-enforcement",
    "research",
    "internal-use",
    "others-rights",
]


class Fee(Table):
    """What a copy costs."""

    free: Annotated[NonNegativeInt, Key("Copies that are free.")]
    then: Annotated[Text, Key("What the next one costs, in words.")]


class RightBody(Body):
    """A right that is offered: to whom, with which clock, how a person proves to be themselves, what may be kept or withheld.

    Clocks run from receipt; where `within` is left out the law named by the notice sets it.
    """

    example: ClassVar = """right = "erasure"
kind = "erase"
within = "1 month"
confirm_within = "10 business days"
verify = "link"
grounds = ["no-longer-needed", "consent-withdrawn"]
except = ["legal-duty", "legal-claim"]
channels = ["web", "email"]
consequence = "We cannot go on working for you without your records.\""""

    kind: Annotated[RightKind, Key("Which right.", binds=True)]
    within: Annotated[Length | None, Key("How soon it is answered, from receipt.", binds=True)] = None
    extend: Annotated[Length | None, Key("By how much that may be put off, with notice and a reason.", binds=True)] = None
    confirm_within: Annotated[Length | None, Key("How soon receipt is confirmed.", binds=True)] = None
    verify: Annotated[
        tuple[Verification, ...],
        OneOrMore,
        Field(min_length=1),
        Key("How a person proves to be themselves, by one of these; `match-2` and `match-3`: by so many facts we hold.", binds=True),
    ] = ("link",)
    agent: Annotated[
        tuple[Literal["power-of-attorney", "signed-permission", "identity", "direct-confirmation"], ...],
        OneOrMore,
        Key("What somebody who acts for a person must bring: a power of attorney, or all the others named here together.", binds=True),
    ] = ()
    grace: Annotated[
        Length | None, Key("How long an erasure can be taken back; until then the data is hidden, and read for nothing.", binds=True)
    ] = None
    asks: Annotated[tuple[str, ...], OneOrMore, Among("category"), Key("The only facts asked for to identify a person.", binds=True)] = ()
    subject_line: Annotated[Text | None, Key("A mail with this subject line opens the request.", binds=True)] = None
    first_line: Annotated[Text | None, Key("A letter or mail that begins with this line opens it.", binds=True)] = None
    fee: Annotated[Fee | None, Key("What a copy costs.", binds=True)] = None
    grounds: Annotated[tuple[Ground, ...], OneOrMore, Key("The grounds, one of which a request states.", binds=True)] = ()
    except_: Annotated[
        tuple[Exception_, ...], OneOrMore, Field(alias="except"), Key("What may be kept or refused; recorded for each thing.", binds=True)
    ] = ()
    withhold: Annotated[
        tuple[Literal["risk-to-person", "risk-to-information", "risk-to-business", "others-rights"], ...],
        OneOrMore,
        Key("Reasons for which a category is described rather than disclosed, case by case.", binds=True),
    ] = ()
    not_for: Annotated[
        tuple[
            Literal[
                "employee",
                "applicant",
                "contractor",
                "business-contact",
                "service-provider-data",
                "public-record",
                "deidentified",
                "aggregate",
            ],
            ...,
        ],
        OneOrMore,
        Key("Who or what is outside its scope; the answer says so.", binds=True),
    ] = ()
    of_basis: Annotated[
        tuple[Literal["consent", "explicit-consent", "contract"], ...], OneOrMore, Key("The bases whose data it covers.", binds=True)
    ] = ()
    while_: Annotated[
        tuple[Literal["store", "claims", "others-rights", "public-interest", "consent"], ...],
        OneOrMore,
        Field(alias="while"),
        Key("What may still be done with restricted data.", binds=True),
    ] = ()
    how: Annotated[Text | None, Key("How it is exercised, in words, where that is not by a request.")] = None
    lookback: Annotated[Length | None, Key("How far back the answer reaches at least.", binds=True)] = None
    contents: Annotated[
        tuple[Literal["pieces", "categories", "sources", "purposes", "recipients", "sold", "buyers"], ...],
        OneOrMore,
        Key("The parts of the answer.", binds=True),
    ] = ()
    formats: Annotated[tuple[Literal["html", "json", "csv"], ...], OneOrMore, Key("The forms in which a copy is given.", binds=True)] = ()
    channels: Annotated[
        tuple[Literal["web", "email", "phone", "post", "settings"], ...], OneOrMore, Key("How it can be asked for.", binds=True)
    ] = ()
    answer_by: Annotated[Literal["same-channel", "email", "post"] | None, Key("How it is answered.", binds=True)] = None
    once_per: Annotated[Length | None, Key("How often it can be asked for.", binds=True)] = None
    tells: Annotated[
        tuple[Literal["recipients"], ...],
        OneOrMore,
        Key("Who else hears of it: everybody who had what was changed (Article 19 GDPR).", binds=True),
    ] = ()
    consequence: Annotated[Text | None, Key("What follows for the person; shown before they confirm.", binds=True)] = None

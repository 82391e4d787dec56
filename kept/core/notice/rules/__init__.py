"""What each kind of rule may say: one strict model per kind. The keys are the language; the field names follow Python."""

from __future__ import annotations

from collections.abc import Mapping

from kept.core.notice.rules.base import (
    DEFAULT,
    Among,
    Body,
    Channel,
    Mechanism,
    Refers,
    Table,
    alias,
    key_of,
    keys,
    marks,
    pick,
    table_of,
    terms_in,
    words_of,
)
from kept.core.notice.rules.identity import ChangeBody, Contact, NoticeBody, RoleBody, StatementBody
from kept.core.notice.rules.inlets import MAJORITY, US, AgeBody, CategoryBody, CollectBody, SourceBody, TrackerBody
from kept.core.notice.rules.outlets import EVERYBODY, DiscloseBody, IncentiveBody, TransferBody
from kept.core.notice.rules.rights import RightBody, Verification
from kept.core.notice.rules.uses import MARKETS, AppliesTo, ChoiceBody, LimitBody, PurposeBody, RetainBody, SecureBody

KINDS: Mapping[str, type[Body]] = {
    "notice": NoticeBody,
    "role": RoleBody,
    "category": CategoryBody,
    "source": SourceBody,
    "collect": CollectBody,
    "purpose": PurposeBody,
    "disclose": DiscloseBody,
    "transfer": TransferBody,
    "retain": RetainBody,
    "right": RightBody,
    "choice": ChoiceBody,
    "tracker": TrackerBody,
    "limit": LimitBody,
    "age": AgeBody,
    "secure": SecureBody,
    "change": ChangeBody,
    "incentive": IncentiveBody,
    "statement": StatementBody,
}

# The other kinds describe the one store that everybody's data stands in.
REGIONAL = frozenset({"notice", "purpose", "disclose", "right", "choice", "tracker", "age", "change", "incentive", "statement"})

__all__ = [
    "DEFAULT",
    "EVERYBODY",
    "KINDS",
    "MAJORITY",
    "MARKETS",
    "REGIONAL",
    "US",
    "AgeBody",
    "Among",
    "AppliesTo",
    "Body",
    "CategoryBody",
    "ChangeBody",
    "Channel",
    "ChoiceBody",
    "CollectBody",
    "Contact",
    "DiscloseBody",
    "IncentiveBody",
    "LimitBody",
    "Mechanism",
    "NoticeBody",
    "PurposeBody",
    "Refers",
    "RetainBody",
    "RightBody",
    "RoleBody",
    "SecureBody",
    "SourceBody",
    "StatementBody",
    "Table",
    "TrackerBody",
    "TransferBody",
    "Verification",
    "alias",
    "key_of",
    "keys",
    "marks",
    "pick",
    "table_of",
    "terms_in",
    "words_of",
]

"""The executable notice: a Markdown document whose rules the software obeys.

`parse` reads it, `check` finds what is wrong with it, `compile` makes the policy that runs.
"""

from kept.core.notice.check import check
from kept.core.notice.compiling import compile
from kept.core.notice.durations import Duration
from kept.core.notice.findings import Finding
from kept.core.notice.model import Notice, Passage, Rule
from kept.core.notice.parse import parse
from kept.core.notice.policy import Policy
from kept.core.notice.terms import EVERYTHING_BIT, UNFENCED, Ask, ChoiceFact, Decision, Reason, SubjectFacts
from kept.core.notice.vocabulary import RESERVED

__all__ = [
    "EVERYTHING_BIT",
    "RESERVED",
    "UNFENCED",
    "Ask",
    "ChoiceFact",
    "Decision",
    "Duration",
    "Finding",
    "Notice",
    "Passage",
    "Policy",
    "Reason",
    "Rule",
    "SubjectFacts",
    "check",
    "compile",
    "parse",
]

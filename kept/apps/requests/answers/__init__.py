"""How each kind of request is answered: one module for a family of kinds, one `Answer` for each kind.

A new right is answered by an `Answer` of its own in `ANSWERS`, and nothing else has to know.
"""

from __future__ import annotations

from collections.abc import Mapping

from kept.apps.requests.answers import changes, complaints, copies, erasing, marketing
from kept.apps.requests.answers.base import Answer
from kept.apps.requests.models import Kind

ANSWERS: Mapping[Kind, Answer] = {
    Kind.KNOW: copies.KNOW,
    Kind.ACCESS: copies.ACCESS,
    Kind.PORTABILITY: copies.PORTABILITY,
    Kind.MARKETING_DISCLOSURES: marketing.MARKETING_DISCLOSURES,
    Kind.ERASE: erasing.ERASE,
    Kind.CORRECT: changes.CORRECT,
    Kind.RESTRICT: changes.RESTRICT,
    Kind.OBJECT: changes.OBJECT,
    Kind.WITHDRAW: changes.WITHDRAW,
    Kind.OPT_OUT_SALE: changes.OPT_OUT_SALE,
    Kind.OPT_IN_SALE: changes.OPT_IN_SALE,
    Kind.LIMIT_SENSITIVE: changes.LIMIT_SENSITIVE,
    Kind.CHOICES: changes.CHOICES,
    Kind.COMPLAIN: complaints.COMPLAIN,
    Kind.QUESTION: complaints.COMPLAIN,
}
"""Every kind, and how it is answered."""

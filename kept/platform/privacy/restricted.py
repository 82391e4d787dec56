"""Reading what is restricted, on the few grounds that the notice leaves open: Article 18(2) GDPR.

The database hides a restricted person from every purpose that a restriction closes. To store is no reading, and who consents to a purpose
opens it by that. For a claim, somebody else's rights or an important public interest somebody must read all the same: they state the
ground and why, name the person, and get what is held of that one, with an entry in the ledger that names all of it.
"""

from __future__ import annotations

from kept.core.errors import BadInput, NotFound, Refused
from kept.platform.accounts.actor import Actor
from kept.platform.data.models import Subject
from kept.platform.data.use import Use, writing
from kept.platform.privacy import inlets, ledger, notices
from kept.platform.privacy.fields import Held, held
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.glass import SHORTEST_REASON
from kept.platform.privacy.models import Choice

READ_ON = ("claims", "others-rights", "public-interest")
"""The words of `right.while` on which somebody reads; `store` reads nothing, and `consent` is the person's own to give."""


def grounds(use: Use, subject: Subject) -> tuple[str, ...]:
    """The grounds on which a restricted person's data may be read, as the notice has them where that person lives."""
    right = notices.ruling(use.account_id).over(subject.notice_version).rights(subject.region).get("restrict")
    return tuple(one for one in READ_ON if right is not None and one in right.body.while_)


def read(account_id: int, actor: Actor | str, subject_id: int, *, ground: str, reason: str) -> list[Held]:
    """What is held of a restricted person, on a ground that the notice names. It is in the ledger before anything is returned.

    Raises BadInput for a reason that says nothing, NotFound, and Refused for a ground that the notice does not name and for a person
    who is not restricted: they are read under a purpose.
    """
    if len(reason.strip()) < SHORTEST_REASON or inlets.refused_category(reason):
        cure = "Say in a sentence why you must read."
        raise BadInput("The reason says nothing, or holds a refused number.", place="reason", cure=cure)
    with reserved(account_id, actor, "rights") as use:
        subject = Subject.under(use).filter(pk=subject_id).first()
        if subject is None:
            raise NotFound("There is no such person here.", place=f"subjects/{subject_id}")
        right = notices.ruling(account_id).over(subject.notice_version).rights(subject.region).get("restrict")
        rule, admitted = right.rule.name if right else "right:restriction", grounds(use, subject)
        if not Choice.under(use).filter(subject_id=subject_id, restricted=True).exists():
            raise Refused("Nothing of this person is restricted.", place="ground", rule=rule, cure="Read under the purpose of your work.")
        if ground not in admitted:
            cure = f"Its grounds are: {', '.join(admitted) or 'none'}."
            raise Refused(f"{rule} does not let restricted data be read on the ground “{ground}”.", place="ground", rule=rule, cure=cure)
        found = list(held(use, subject_id))
        with writing(use):
            ledger.append(
                use,
                "look",
                purpose=use.purpose,
                categories=sorted({one.category for one in found}),
                rule=rule,
                subjects=[subject.reference],
                payload={"ground": ground, "reason": reason.strip()},
                key_id=subject.key_id,
            )
    return found

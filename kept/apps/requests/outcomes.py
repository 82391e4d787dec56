"""What the team answers, in plain words: a template for each outcome, to be made fit. Where to go next stands below every letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Outcome:
    """An outcome: its name for the team, and what the person reads."""

    name: StrOrPromise
    text: StrOrPromise


GRANTED: Mapping[str, Outcome] = {
    "granted": Outcome(_("Granted"), _("We have looked at what you asked, and we do all of it.")),
    "partly": Outcome(
        _("Granted in part"),
        _("We have looked at what you asked, and we do it, but for what we must keep or may not show. We say of each why."),
    ),
    "weighed": Outcome(
        _("Granted after weighing"),
        _("We have weighed your reasons against ours. Yours weigh more, and we stop using your data for what you named."),
    ),
    "unlawful": Outcome(
        _("Granted: we were wrong"),
        _("You are right: we should not have used your data so. It ends now, and we have changed how we work."),
    ),
}
REFUSED: Mapping[str, Outcome] = {
    "unfounded": Outcome(
        _("Plainly unfounded"),
        _("What you ask does not concern data that we hold about you, and we cannot see a right of yours behind it."),
    ),
    "excessive": Outcome(
        _("Asked over and over"),
        _("You have asked us for the same several times lately, and nothing has changed since our last answer."),
    ),
    "others-rights": Outcome(
        _("Rights of others"),
        _("What you ask for cannot be told apart from the data of other people, and they have a right that we do not give it out."),
    ),
    "legal-duty": Outcome(
        _("A legal duty"),
        _("The law obliges us to keep this data for a set time. Until that is over we may not do what you ask."),
    ),
    "legal-claim": Outcome(
        _("A legal claim"),
        _("We need this data to make, or to answer, a legal claim. Once that is settled we look at your request again."),
    ),
    "compelling-grounds": Outcome(
        _("Our grounds weigh more"),
        _("We have weighed your reasons against ours. Ours weigh more here, because …"),
    ),
    "accurate": Outcome(
        _("What we hold is right"),
        _("We have checked it, and what we hold is right as far as we can find out. We have noted that you see it otherwise."),
    ),
    "not-verifiable": Outcome(
        _("Not verifiable"),
        _("We could not make sure that it is you, and so we cannot give out or change anything. You can ask again with a document."),
    ),
    "no-authority": Outcome(
        _("No power to act for them"),
        _("You asked for somebody else, and we have not seen that they want you to."),
    ),
    "not-covered": Outcome(
        _("Outside this right"),
        _("The right you name does not cover this data."),
    ),
    "other": Outcome(_("Another reason"), ""),
}


def name_of(why: str) -> str:
    """What a reason of refusal is called."""
    return str(REFUSED[why].name) if why in REFUSED else why

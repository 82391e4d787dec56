"""What is done about versions: deciding for one, bringing it about, agreeing to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kept.apps.notices import versions_history, versions_telling
from kept.apps.notices.versions_history import Offer
from kept.core.errors import NotFound
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import versions
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Activation


def decide(account: Account, text: str, actor: str, *, tell: Sequence[str] = (), filename: str = "notice.md") -> Activation:
    """Decide that a text shall come into force. `bring_about` does the rest. Raises what `versions.decide` does."""
    return versions.decide(account, text, actor, tell=tell, filename=filename)


def bring_about(account_id: int) -> Activation | None:
    """Carry the version on its way as far as it goes now: write the letters, bring it into force; None when none is on its way."""
    waiting = versions.pending(account_id)
    if waiting is None:
        return None
    if waiting.version_id is None:
        versions_telling.tell(waiting)
        point("versions:told")
    return versions.carry_on(waiting)


def on_the_way() -> Iterator[Account]:
    """Open accounts with a version on its way."""
    waiting = Activation.objects.filter(finished_at=None, stopped_at=None).values("account_id")
    yield from Account.objects.filter(pk__in=waiting, closed_at=None).order_by("pk")


def offered(account: Account, link: str) -> Offer:
    """What changes for the person of this link. Raises NotFound."""
    reference = versions_history.named(account, link)
    with reserved(account.pk, f"person:{reference}", "rights") as use:
        return versions_history.offer(use, _subject(use, reference))


def agree(account: Account, link: str) -> bool:
    """The person of this link agrees; whether there was anything to agree to. Raises NotFound."""
    reference = versions_history.named(account, link)
    with reserved(account.pk, f"person:{reference}", "rights") as use:
        return versions.agree(use, _subject(use, reference))


def _subject(use: Use, reference: str) -> Subject:
    found = Subject.under(use).filter(reference=reference).first()
    if found is None:
        raise NotFound("We hold nothing about you any more.", place="link")
    return found

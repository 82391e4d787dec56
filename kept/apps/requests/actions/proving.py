"""Proving who asks: by the mailed link, by facts we hold, by signing in, by one of the team, and what an agent must bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kept.apps.requests import forwarding, jobs, letters, outbox, private, queries, verifying
from kept.apps.requests.actions.base import again, change, person
from kept.apps.requests.actions.intake import PAGE_STAYS
from kept.apps.requests.lifecycle import BEFORE_DOING
from kept.apps.requests.models import Kind, Request, State
from kept.core.errors import BadInput, Conflict, NotFound
from kept.core.notice.terms import RightTerms
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.use import Use
from kept.platform.privacy import subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.versions import offering


def right_for(request: Request) -> RightTerms | None:
    """The right that a request exercises, as it stands for the person it is about: under their own version, where that is known."""
    with reserved(request.account_id, person(request), "rights", rule=request.rule, request=request.reference) as use:
        terms = queries.terms_of(use, request)
    return queries.right_of(terms, request.kind, request.region)


def looked_over(request: Request) -> bool:
    """Whether one of the team looks at it before it is answered."""
    return "human" in verifying.ways(right_for(request))


def confirm(account: Account, link: str) -> str:
    """The person says that it was them; the token of their request's page. Raises NotFound when the link is used or too old."""
    request = queries.by_link(account.pk, link)
    if request is None:
        raise NotFound(_("This link has been used, or is too old."), cure=_("Ask again: a new letter comes at once."))
    token = private.open_private(request).page
    if queries.passed_on(account, request.data) is not None:
        forwarding.forward(account, request)
        return token
    _prove(account, request, "link", person(request), closes_at=None, link="")
    point("requests:verified")
    if request.kind == Kind.CHOICES:
        from kept.apps.requests.actions.answering import answer

        answer(account.pk, request.reference)  # the switches stand on the page that comes next
    return token


def _prove(account: Account, request: Request, proof: str, actor: str, **fields: Any) -> bool:
    """Note a proof; whether it is enough, and the answer is made."""
    right = right_for(request)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.RECEIVED})
        fields |= {"proof": _surest(request.proof, proof)}
        looks = "human" in verifying.ways(right) and proof != "human"
        if request.decision.get("by", "self") != "self":
            if proof == "link":  # the person's own word, at their own address
                powers = sorted({*request.decision.get("powers", ()), "direct-confirmation"})
                request.decision = fields["decision"] = {**request.decision, "powers": powers}
            enough = not _agent_lacks(request, right)
        else:
            enough = looks or verifying.proved(fields["proof"], right)
        enough = enough and request.kind != Kind.OPT_IN_SALE  # which takes a second word: `confirm_again`
        if enough:
            fields |= {"state": State.VERIFIED, "verified_at": timezone.now(), "closes_at": None, "link": ""}
        else:
            fields["closes_at"] = timezone.now() + PAGE_STAYS
        change(use, request, actor, **fields)
        if enough and not looks:
            jobs.answer.enqueue(account_id=account.pk, reference=request.reference)
    return enough


def confirm_again(account: Account, request: Request) -> None:
    """The second yes of somebody who opts in to sale and sharing again, on the page that the mailed link led to (11 CCR § 7028(a)).

    Raises Conflict where nothing waits for it.
    """
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.RECEIVED})
        if request.kind != Kind.OPT_IN_SALE or request.proof != "link":
            raise Conflict(_("Open the link in our letter first."), place=request.reference, cure=_("It confirms the address."))
        decision = {**request.decision, "confirmed_again": True}
        change(use, request, person(request), state=State.VERIFIED, verified_at=timezone.now(), closes_at=None, decision=decision)
        jobs.answer.enqueue(account_id=account.pk, reference=request.reference)


def _surest(held: str, new: str) -> str:
    """A mailed link adds nothing to what is known more surely."""
    return held if new == "link" and held not in ("", "none") else new


def _agent_lacks(request: Request, right: RightTerms | None) -> tuple[str, ...]:
    if request.decision.get("by", "self") == "self":
        return ()
    if request.decision["by"] == "parent":
        return () if "parent" in request.decision.get("powers", ()) else ("parent",)
    return verifying.agent_lacks(right, request.decision.get("powers", ()))


def lacking(request: Request) -> tuple[str, ...]:
    """What whoever acts for the person still has to bring; of a parent, that they are one."""
    return _agent_lacks(request, right_for(request))


def match(account: Account, request: Request, facts: Mapping[str, str]) -> bool:
    """Compare facts with what we hold; whether enough of them matched. After the last try the request is refused, with the next step.

    An address that was proved counts as one fact, where we hold it. Which of them matched is not told. Raises BadInput where fewer
    were given than are needed, Conflict when the request has moved on.
    """
    right = right_for(request)
    needed, allowed = verifying.facts_needed(right), verifying.asked_of(right)
    if not needed:
        raise Conflict(_("This right asks for no facts."), place=request.reference, cure=_("Open the link in our letter."))
    given = {name: value.strip() for name, value in facts.items() if name in allowed and value.strip()}
    email = private.open_private(request).email
    if request.proof == "link" and email:
        given["email"] = email
    if len(given) < needed:
        raise BadInput(_("That is not enough to know you by."), place="facts", cure=_("Fill in one more of them."))
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        subject = verifying.find(use, request, given)
        count = verifying.matching(use, subject, given) if subject is not None else 0
    asked = {**request.decision, "asked": sorted({*request.decision.get("asked", ()), *given})}
    if subject is not None and count >= needed:
        proof = f"match-{min(count, 3)}"
        return _prove(account, request, proof, person(request), subject_reference=subject.reference, decision=asked)
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.RECEIVED})
        change(use, request, person(request), noted="not-matched", tries=request.tries + 1, decision=asked)
        if request.tries >= verifying.MOST_TRIES:
            _unproved(use, account, request)
    return False


def _unproved(use: Use, account: Account, request: Request) -> None:
    """Who cannot be known cannot be answered; they hear why, and what to do: 11 CCR § 7022(b), Article 12(2) GDPR."""
    now = timezone.now()
    change(
        use,
        request,
        "job:requests",
        state=State.REFUSED,
        answered_at=now,
        closes_at=now + PAGE_STAYS,
        link="",
        decision={**request.decision, "outcome": "unverified"},
    )
    outbox.post(use, request, letters.unverified(account, request, queries.complaint(account, request.region)))


def start(account: Account, actor: Actor, request: Request) -> None:
    """One of the team vouches for who asks, having looked, and the answer is made. Raises Conflict while an agent's proof is missing, and
    for what the person alone can say.
    """
    if request.kind == Kind.OPT_IN_SALE:
        raise Conflict(_("Nobody opts in again for somebody else."), place=request.reference, cure=_("They do it by our letter."))
    missing = lacking(request)
    if missing:
        raise Conflict(_("Not everything is there yet that an agent must bring."), place=", ".join(missing), cure=_("Ask for it."))
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, BEFORE_DOING)
        verified = request.verified_at or timezone.now()
        decision = {**request.decision, "vouched": actor.reference}
        change(
            use,
            request,
            actor.reference,
            noted="vouched",
            state=State.VERIFIED,
            proof="human",
            verified_at=verified,
            link="",
            closes_at=None,
            decision=decision,
        )
        jobs.answer.enqueue(account_id=account.pk, reference=request.reference)


def show(account: Account, actor: Actor | str, request: Request, power: str, *, child: tuple[str, str] | None = None) -> bool:
    """Note that an agent's power, or that a parent is one, has been shown and looked at; whether that was the last thing lacking. With a
    parent `child` says what the child is known by: kind and value. Raises BadInput, NotFound for none.
    """
    known = {*(offering_agent(account, request)), "parent"}
    if power not in known:
        raise BadInput(_("Nothing asks an agent for this."), place="power", cure=_("Use one of: %s.") % ", ".join(sorted(known)))
    by = actor if isinstance(actor, str) else actor.reference
    about: dict[str, str] = {}
    if power == "parent":
        if child is None or not child[1].strip():
            raise BadInput(_("It is not said which child."), place="value", cure=_("Write what the child is known by here."))
        with reserved(account.pk, actor, "rights", rule=request.rule, request=request.reference) as use:
            about = {"subject_reference": subjects.find(use, child[0], child[1].strip(), request.region).reference}
    with bookkeeping(account.pk, writing=True) as use:
        request = again(use, request, {State.RECEIVED})
        powers = sorted({*request.decision.get("powers", ()), power})
        change(use, request, by, noted="power-shown", decision={**request.decision, "powers": powers})
    if lacking(request):
        return False
    return _prove(account, request, "human", by, **about)


def offering_agent(account: Account, request: Request) -> tuple[str, ...]:
    """What the right asks of an agent."""
    right = queries.right_of(offering(account.pk), request.kind, request.region)
    return (right.body.agent if right is not None else ()) or verifying.AGENT

"""What a member can do with a request now: each act with its form, and what it does. Errors are shown in the form that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kept.apps.requests import actions, desk_forms, desk_queries, telling, verifying
from kept.apps.requests.answers.correcting import Correction, apply_correction
from kept.apps.requests.desk_sight import Sight
from kept.apps.requests.lifecycle import BEFORE_DOING, OPEN
from kept.apps.requests.models import Kind, Request, State
from kept.core.errors import BadInput
from kept.platform.accounts.door import TeamRequest
from kept.platform.accounts.roles import may

POWERS = {
    "power-of-attorney": gettext_lazy("a power of attorney"),
    "signed-permission": gettext_lazy("a permission signed by the person"),
    "identity": gettext_lazy("that the person is who they say"),
    "direct-confirmation": gettext_lazy("the person’s own word, given to us directly"),
    "parent": gettext_lazy("that they are the child’s parent or guardian"),
}
Do = Callable[[TeamRequest, Request, Any], str]


@dataclass(frozen=True)
class Act:
    """One act: where it stands on the page, what it is called and says, its form, what it does; `main` is what to do next."""

    verb: str
    group: str
    title: str
    says: str
    label: str
    form: forms.Form
    do: Do
    kind: str = ""
    main: bool = False


class Acts:
    """The acts on one request that its state, its clock and the member's role allow."""

    def __init__(self, request: TeamRequest, found: Request, sight: Sight) -> None:
        self.request, self.found, self.sight = request, found, sight
        self.waits = found.state in OPEN and found.closed_at is None
        self.proposed = str(found.decision.get("proposed", ""))

    def all(self, verb: str = "") -> dict[str, Act]:
        """By verb; the form of `verb` is filled in with what was sent."""
        self.verb = verb
        offers = (self._identity, self._deciding, self._refusing, self._clock, self._talk)
        return {act.verb: act for offer in offers for act in offer()}

    def _form(self, verb: str, made: Callable[..., forms.Form], **known: Any) -> forms.Form:
        data = self.request.POST if self.verb == verb else None
        return made(data, auto_id=f"id_{verb}-%s", **known)

    # Who it is

    def _identity(self) -> Iterator[Act]:
        found, sight = self.found, self.sight
        if not self.waits:
            return
        if sight.hidden:
            yield Act(
                verb="compare",
                group="identity",
                title=_("Compare what they say"),
                says=_("Ask them, write it down, and we compare it with what we hold. You learn whether it matches, not what we hold."),
                label=_("Compare"),
                form=self._form("compare", desk_forms.CompareForm, asks=verifying.asked_of(sight.right)),
                do=_compare,
                kind="go",
                main=True,
            )
            says = _("Everything about them opens then, and your note stands in the history.")
            yield Act(
                "sure", "identity", _("Note how you made sure"), says, _("It is them"), self._form("sure", desk_forms.SureForm), _sure
            )
        if sight.lacking and found.state == State.RECEIVED:
            says = _("Who acts for somebody must show that they may. Look at each paper, then note it here.")
            form = self._form("show", desk_forms.ShowForm, powers=[(one, POWERS.get(one, one)) for one in self._showable()])
            yield Act("show", "identity", _("Note what was shown"), says, _("It was shown"), form, _show, main=True)

    def _showable(self) -> tuple[str, ...]:
        """What can be shown: what is lacking, or the power of attorney that stands for all of it."""
        wanted = (self.sight.right.body.agent if self.sight.right else ()) or verifying.AGENT
        whole = self.found.decision.get("by") == "agent" and "power-of-attorney" in wanted
        return (*self.sight.lacking, *(("power-of-attorney",) if whole else ()))

    # Deciding

    def _deciding(self) -> Iterator[Act]:
        found, sight, erases = self.found, self.sight, self.found.kind == Kind.ERASE
        if not self.waits or self.proposed or (erases and not may(self.request.member, "requests.erase")):
            return
        startable = found.state in (State.RECEIVED, State.VERIFIED) and found.kind != Kind.CHOICES and not sight.lacking
        if startable and sight.plan and not sight.hidden and actions.against(self.request.member, found, "start") == "":
            says = _("You vouch that it is them. It is answered at once.")
            if erases:
                says = _("You vouch that it is them. What is listed here is erased and their key destroyed. It cannot be taken back.")
            form = self._form("start", desk_forms.StartForm, sure=bool(found.decision.get("sure")))
            label = _("It is them: erase") if erases else _("It is them: answer")
            yield Act("start", "decide", label, says, label, form, _start, "danger" if erases else "go", main=True)
        if found.state == State.DECIDING:
            yield self._correcting() if found.kind == Kind.CORRECT else self._granting()

    def _grounds(self) -> tuple[str, ...]:
        """The grounds to choose from, where they named none."""
        right = self.sight.right
        return right.body.grounds if right and not self.found.decision.get("ground") else ()

    def _granting(self) -> Act:
        found, erases = self.found, self.found.kind == Kind.ERASE
        body, copies = self.sight.right.body if self.sight.right else None, found.kind in actions.COPIES
        form = self._form(
            "grant",
            desk_forms.GrantForm,
            held=list(self.sight.categories.items()),
            exceptions=body.except_ if body and erases else (),
            withhold=body.withhold if body and copies else (),
            grounds=self._grounds(),
            fee=body.fee.then if body and body.fee and copies else "",
        )
        says = _("It is done at once, and the person reads your words with it.")
        return Act("grant", "decide", _("Grant"), says, _("Grant it"), form, _grant, "danger" if erases else "go", main=True)

    def _correcting(self) -> Act:
        held = [(one.key, f"{one.place}: {one.label}", one.value) for one in self.sight.correctable]
        form = self._form("correct", desk_forms.CorrectForm, held=held, grounds=self._grounds())
        says = _("Write over what is wrong. It is changed at once, with the person as its source, and whoever had it is told.")
        return Act("correct", "decide", _("Put it right"), says, _("Put it right"), form, _correct, "go", main=True)

    def _refusing(self) -> Iterator[Act]:
        if not self.waits or self.found.state not in BEFORE_DOING:
            return
        mine = self.proposed == self.request.actor.reference
        if self.proposed and not mine:
            says = _("A refusal takes two. With your word it is final, and the person gets the reason above.")
            form = self._form("refuse", desk_forms.ConfirmForm)
            yield Act("refuse", "decide", _("Confirm the refusal"), says, _("Refuse it"), form, _confirm, "danger", main=True)
        if self.proposed:
            says = _("It waits for a decision again, as before.")
            form = self._form("withdraw", desk_forms.ConfirmForm)
            yield Act("withdraw", "decide", _("Take the refusal back"), says, _("Take it back"), form, _withdraw)
            return
        says = _("Another of you confirms it before the person hears. The letter names the dispute body and the authority.")
        if len(desk_queries.handlers(self.request.account)) < 2:
            says = _("You are the only one who may, so it is final. The letter names the dispute body and the authority.")
        yield Act("refuse", "decide", _("Refuse"), says, _("Refuse it"), self._form("refuse", desk_forms.RefuseForm), _refuse, "danger")

    # The clock, and who works on it

    def _clock(self) -> Iterator[Act]:
        if not self.waits:
            return
        members = desk_queries.handlers(self.request.account)
        initial = {"member": self.found.assigned}
        form = self._form("assign", desk_forms.AssignForm, members=members, initial=initial)
        yield Act("assign", "clock", _("Assign"), "", _("Assign"), form, _assign)
        if self.found.paused_at is not None:
            form = self._form("resume", desk_forms.ConfirmForm)
            says = _("The day of the answer moves by the time it stood still.")
            yield Act("resume", "clock", _("Let the clock run again"), says, _("Let it run"), form, _resume)
        elif reasons := self.pauses():
            form = self._form("pause", desk_forms.PauseForm, reasons=reasons)
            says = _("The person is told why, at once.")
            yield Act("pause", "clock", _("Pause the clock"), says, _("Pause it"), form, _pause)
        if reasons := self.extensions():
            form = self._form("extend", desk_forms.ExtendForm, reasons=reasons)
            says = _("Once only, and the person is told why, at once.")
            yield Act("extend", "clock", _("Take longer"), says, _("Take longer"), form, _extend)

    def pauses(self) -> list[str]:
        """The reasons for which every clock stands still."""
        return _common([clock.pauses for clock in self.sight.clock.clocks])

    def extensions(self) -> list[str]:
        """The reasons for which every clock gives more time; one that takes any reason takes these."""
        clock = self.sight.clock
        if clock.extension is not None or any(one.extend is None for one in clock.clocks):
            return []
        named = [one.extend_if for one in clock.clocks if one.extend_if]
        return _common(named) if named else ["complexity", "number"]

    # Talking

    def _talk(self) -> Iterator[Act]:
        if not self.sight.hidden and self.sight.held.email and (self.waits or self.found.state == State.READY):
            says = _("It goes out by email, with a link to the page of their request.")
            form = self._form("write", desk_forms.WriteForm)
            yield Act("write", "talk", _("Write to them"), says, _("Send it"), form, _write)
        open_ = [(one.id, one.name) for one in self.sight.tellings if one.confirmed_at is None and one.how not in telling.SETTLED]
        if open_ and not self.sight.hidden:
            says = _("Who had the data hears of this. Note here what was said or written outside.")
            form = self._form("told", desk_forms.ToldForm, recipients=open_)
            yield Act("told", "talk", _("Note who was told"), says, _("Note it"), form, _note_told)


def _common(lists: list[tuple[str, ...]]) -> list[str]:
    first, *others = lists
    return [one for one in first if all(one in other for other in others)]


def _compare(request: TeamRequest, found: Request, form: forms.Form) -> str:
    if not actions.compare(request.account, request.actor, found, form.cleaned_data):
        raise BadInput(_("This does not match what we hold."), place="facts", cure=_("Ask again, or for something else."))
    return _("It matches. You see now whom it is about.")


def _sure(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.make_sure(request.account, request.actor, found, form.cleaned_data["how"])
    return _("Noted. You see now whom it is about.")


def _show(request: TeamRequest, found: Request, form: forms.Form) -> str:
    given = form.cleaned_data
    child = (given["known_by"], given["value"]) if given["power"] == "parent" else None
    whole = actions.show(request.account, request.actor, found, given["power"], child=child)
    return _("Noted, and that was the last of it.") if whole else _("Noted.")


def _start(request: TeamRequest, found: Request, form: forms.Form) -> str:
    if how := form.cleaned_data.get("how"):
        actions.make_sure(request.account, request.actor, found, how)
    actions.start(request.account, request.actor, found)
    return _("You vouched for them. It is answered within moments.")


def _grant(request: TeamRequest, found: Request, form: desk_forms.GrantForm) -> str:
    given = form.cleaned_data
    actions.grant(
        request.account,
        request.actor,
        found,
        reason=given["reason"],
        exceptions=form.chosen("except"),
        withheld=form.chosen("withhold"),
        ground=given.get("ground", ""),
        free=given.get("free", False),
    )
    return _("Granted. It is done within moments.")


def _correct(request: TeamRequest, found: Request, form: desk_forms.CorrectForm) -> str:
    given = form.cleaned_data
    changes = [Correction.read(key, value) for key, value in form.changed().items()]
    changes += [Correction("new", 0, name, given[name]) for name in ("email", "phone") if given[name]]
    reason, ground = given["reason"], given.get("ground", "")
    apply_correction(request.account, request.actor, found, changes, reason=reason, ground=ground)
    return _("It is put right, and the person hears.")


def _refuse(request: TeamRequest, found: Request, form: forms.Form) -> str:
    why, reason = form.cleaned_data["why"], form.cleaned_data["reason"]
    if actions.refuse(request.account, request.actor, found, reason, why=why):
        return _("Refused. The letter is on its way.")
    return _("The refusal is proposed. Another of you confirms it.")


def _confirm(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.refuse(request.account, request.actor, found, "")
    return _("Refused. The letter is on its way.")


def _withdraw(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.withdraw_refusal(request.account, request.actor, found)
    return _("The refusal is taken back.")


def _assign(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.assign(request.account, request.actor, found, form.cleaned_data["member"])
    return _("Assigned.")


def _pause(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.pause(request.account, request.actor, found, form.cleaned_data["why"])
    return _("The clock stands still.")


def _resume(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.resume(request.account, request.actor, found)
    return _("The clock runs again.")


def _extend(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.extend(request.account, request.actor, found, form.cleaned_data["why"], form.cleaned_data["words"])
    return _("There is more time, and the person has been told.")


def _write(request: TeamRequest, found: Request, form: forms.Form) -> str:
    actions.write(request.account, request.actor, found, form.cleaned_data["text"])
    return _("Your message is on its way.")


def _note_told(request: TeamRequest, found: Request, form: forms.Form) -> str:
    given, note = form.cleaned_data, telling.confirm_by_hand if form.cleaned_data["how"] == "done" else telling.impossible
    note(request.account, request.actor, int(given["recipient"]), given["words"])
    return _("Noted. It stands in the history.")

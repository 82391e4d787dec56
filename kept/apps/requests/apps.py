from django.apps import AppConfig
from django.utils.translation import gettext_noop


class RequestsConfig(AppConfig):
    """The public privacy centre and the team's queue of requests."""

    name = "kept.apps.requests"
    label = "requests"

    def ready(self) -> None:
        """Tell the platform what this room keeps outside the guarded tables, and the rail that it is there."""
        from kept.apps.requests.clocks import CLOSED
        from kept.apps.requests.provers import stands
        from kept.apps.requests.store import REQUEST_STORE
        from kept.platform.accounts.web import PAGES
        from kept.platform.privacy.registry import registry
        from kept.platform.ui.shell import Room, register

        registry.rooms.add("requests")
        answered = ("right", "right.within", "right.verify=link", "right.verify=human", "right.formats", "role.requests=answer")
        registry.enforces("kept.apps.requests.actions", *answered, "right.kind=access", "right.kind=erase")
        kinds = (f"right.kind={kind}" for kind in ("know", "portability"))
        keys = (f"right.{key}" for key in ("contents", "lookback", "of_basis", "withhold", "not_for", "answer_by"))
        registry.enforces("kept.apps.requests.answers.copies", *kinds, *keys, "category.access")
        registry.enforces("kept.apps.requests.answers.allowance", "right.fee", "right.once_per")
        registry.enforces("kept.apps.requests.answers.marketing", "right.kind=direct-marketing-disclosures")
        registry.enforces("kept.apps.requests.choosing", *(f"right.kind={kind}" for kind in ("object", "withdraw")))
        registry.enforces("kept.apps.requests.desk", *(f"right.channels={channel}" for channel in ("web", "email", "phone", "post")))
        registry.enforces("kept.apps.requests.verifying", "right.asks", *(f"right.verify={way}" for way in ("none", "match-2", "match-3")))
        persons = (f"right.not_for={one}" for one in ("employee", "applicant", "contractor", "business-contact"))
        registry.enforces("kept.apps.requests.centre_web", "right.verify=sign-in", "right.consequence", "role.requests=refer", *persons)
        registry.enforces("kept.apps.requests.forwarding", "role.requests=forward", "role.within")
        registry.enforces("kept.apps.requests.settings_web", "right.channels=settings")
        registry.enforces("kept.apps.requests.telling", "right.tells=recipients")
        registry.enforces("kept.apps.requests.letters", "notice.dispute")
        registry.enforces("kept.apps.requests.answers.correcting", "right.kind=correct")
        registry.enforces("kept.apps.requests.answers.restricting", "right.kind=restrict")
        registry.enforces("kept.apps.requests.answers.objecting", "right.kind=object")
        registry.enforces("kept.apps.requests.answers.ending", "right.kind=withdraw", "right.kind=limit-sensitive")
        registry.enforces("kept.apps.requests.answers.selling", "right.kind=opt-out-sale", "choice.list")
        registry.enforces("kept.apps.requests.actions.intake", "right.confirm_within")
        registry.enforces("kept.apps.requests.actions.proving", "choice.opt_in", "right.agent")
        registry.enforces("kept.apps.requests.actions.deciding", "right.grounds", "right.except", "right.extend")
        registry.enforces("kept.apps.requests.answers.complaints", "right.kind=complain")
        registry.enforces("kept.apps.requests.answers.erasing", "right.grace")
        lines = ("right.subject_line", "right.first_line", "age.subject_line")
        registry.enforces("kept.apps.requests.inbound", *lines, "choice.ways=email")
        registry.enforces("kept.apps.requests.desk_intake", "choice.ways=phone", "choice.ways=post")
        registry.enforces("kept.apps.requests.choosing", "choice.ways=settings", "choice.ways=form")
        # Nothing outside what handles rights reads requests or choices: tests/test_no_retaliation.py holds every module to it.
        registry.enforces("kept.apps.requests.models", "right.kind=no-retaliation")
        registry.stores.append(REQUEST_STORE)
        registry.clocks.append(CLOSED)
        registry.due.append(stands)
        PAGES.append((gettext_noop("Your data"), "requests:your-data"))
        register(Room(gettext_noop("Requests"), "requests:queue", "requests.handle", "request", 80, "privacy"))

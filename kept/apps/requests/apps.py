from django.apps import AppConfig
from django.utils.translation import gettext_noop


class RequestsConfig(AppConfig):
    """The public privacy centre and the team's queue of requests."""

    name = "kept.apps.requests"
    label = "requests"

    def ready(self) -> None:
        """Tell the platform what this room keeps outside the guarded tables, and the rail that it is there."""
        from kept.apps.requests.clocks import CLOSED, due
        from kept.apps.requests.store import REQUEST_STORE
        from kept.platform.privacy.registry import registry
        from kept.platform.ui.shell import Room, register

        registry.rooms.add("requests")
        answered = ("right", "right.within", "right.verify=link", "right.verify=human", "right.formats", "role.requests=answer")
        registry.enforces("kept.apps.requests.actions", *answered, "right.kind=access", "right.kind=erase")
        registry.enforces("kept.apps.requests.choosing", *(f"right.kind={kind}" for kind in ("object", "withdraw")))
        registry.enforces("kept.apps.requests.desk", *(f"right.channels={channel}" for channel in ("web", "email", "phone", "post")))
        registry.stores.append(REQUEST_STORE)
        registry.clocks.append(CLOSED)
        registry.due.append(due)
        register(Room(gettext_noop("Requests"), "requests:queue", "requests.handle", "request", 80, "privacy"))

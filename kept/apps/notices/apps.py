from django.apps import AppConfig
from django.utils.translation import gettext_noop


class NoticesConfig(AppConfig):
    """The public notice and its promises, and the desk where the privacy lead looks after them."""

    name = "kept.apps.notices"
    label = "notices"

    def ready(self) -> None:
        """Take a place in the rail, and say where letters about versions lie."""
        from kept.apps.notices.versions_telling import LETTERS
        from kept.platform.privacy.registry import registry
        from kept.platform.ui.shell import Room, register

        registry.rooms.add("notices")
        registry.stores.append(LETTERS)
        register(Room(gettext_noop("Promises"), "notices:desk", "notice.read", "promise", 90, "privacy"))

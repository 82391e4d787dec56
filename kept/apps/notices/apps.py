from django.apps import AppConfig
from django.utils.translation import gettext_noop


class NoticesConfig(AppConfig):
    """The public notice and its promises, and the desk where the privacy lead looks after them."""

    name = "kept.apps.notices"
    label = "notices"

    def ready(self) -> None:
        """Take a place in the rail."""
        from kept.platform.ui.shell import Room, register

        register(Room(gettext_noop("Promises"), "notices:desk", "notice.read", "promise", 90, "privacy"))

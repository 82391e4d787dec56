from django.apps import AppConfig
from django.utils.translation import gettext_noop


class ContactsConfig(AppConfig):
    name = "kept.apps.contacts"
    label = "contacts"

    def ready(self) -> None:
        """Take a place in the rail, and tell the platform what it must know of people."""
        from kept.apps.contacts.models import Person
        from kept.apps.contacts.queries import born
        from kept.platform.privacy.registry import Clock, registry
        from kept.platform.ui.shell import Room, register

        registry.rooms.add("contacts")
        registry.by_row.update(("email", "phone", "postal-address"))
        registry.enforces("kept.apps.contacts.actions", "collect", "collect.categories", "right.kind=correct")
        registry.born.append(born)
        registry.clocks.append(Clock("last-activity", Person, "changed_at", "person"))
        register(
            Room(gettext_noop("People"), "contacts:people", "records.read", "people", 10),
            Room(gettext_noop("Companies"), "contacts:companies", "records.read", "company", 11),
        )
